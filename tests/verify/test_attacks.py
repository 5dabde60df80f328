"""What an attacker tried against our own code, and got; each row is mended and stays as a test."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from hubpub.verify.harvest import remove


@pytest.mark.sandbox  # so that it runs as an ordinary user too, whose way of deleting is another
def test_deleting_a_link_that_stands_for_a_jobs_directory_changes_nothing_behind_it(
    tmp_path: Path,
) -> None:
    """A job can put a link to the home of the one who verifies in the place of its directory."""
    home = tmp_path / "home"
    home.mkdir()
    key = home / "key"
    key.write_text("secret")
    key.chmod(0o400)
    home.chmod(0o500)
    job = tmp_path / "job1"
    job.symlink_to(home, target_is_directory=True)
    remove(job)
    assert not job.is_symlink()
    assert [stat.S_IMODE(path.stat().st_mode) for path in (home, key)] == [0o500, 0o400]
    home.chmod(0o700)
