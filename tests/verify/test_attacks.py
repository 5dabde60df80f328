"""What an attacker tried against our own code, and got; each row is mended and stays as a test."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest

from hubpub.verify import axes
from hubpub.verify.checkpoints import Ledger
from hubpub.verify.egress import Request
from hubpub.verify.harvest import origins, remove
from hubpub.verify.jobs import Done
from hubpub.verify.report import Facts


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


def _request(url: str, **fields: Any) -> Request:
    return Request("job1", "GET", url, "allowed", **fields)


def test_ten_thousand_requests_for_one_file_are_judged_at_once() -> None:
    """The parent looked for the way to every one of them among all others: hours, no deadline."""
    log = [_request("https://x/a", status=302, location="/m-00000000.pth", sha256="1" * 64)]
    log += [_request("https://x/m-00000000.pth", status=200, sha256="f" * 64)] * 10_000
    facts = Facts(0, None, 1.0, 1.0, 1, "exit")
    evidence = axes.Evidence(
        "net", {}, frozenset(), False, False, facts, {"ok": True}, tuple(log), (), (), ()
    )
    verdict = axes.judge(evidence)["weights"]
    assert (verdict.axis.status, verdict.axis.reason) == (
        "fail",
        "m-00000000.pth says 00000000, the sha256 of the download begins with ffffffff",
    )


def test_a_chain_of_redirects_that_no_client_follows_is_not_kept_for_every_end() -> None:
    log = [_request(f"https://x/{i}", status=302, location=f"/{i + 1}") for i in range(5000)]
    log += [_request("https://x/5000", status=200, sha256=f"{i:064x}") for i in range(5000)]
    led = origins(log)
    assert len(led) == 5000
    assert max(map(len, led.values())) < 50


def _done(folder: Path, opened: list[str]) -> Done:
    facts = Facts(0, None, 1.0, 1.0, 1, "exit")
    return Done(facts, {"ok": True, "opened": opened}, (), (), folder, "/scratch/job1")


def _pass(path: str) -> dict[str, str]:
    return {"weights_only": "pass"}


def test_a_name_that_no_file_can_have_is_no_file_that_a_job_opened(tmp_path: Path) -> None:
    names = ["x" * 300, "a/" * 2500 + "b", "\0.pt", "\ud800.pt", "", ".", "/etc/passwd", "../x.pt"]
    found = Ledger(frozenset()).enter("net", _done(tmp_path, names), tmp_path, _pass)
    assert found.checkpoints == ()


def test_a_file_of_the_tree_is_read_once_however_often_jobs_say_that_they_opened_it(
    tmp_path: Path,
) -> None:
    """A thousand names of one file of gigabytes would keep the parent beyond any deadline."""
    (tmp_path / "d").mkdir()
    file = tmp_path / "d/m.pt"
    file.write_bytes(b"weights")
    ledger = Ledger(frozenset())
    names = ["d/m.pt", "d//m.pt", "./d/m.pt", "d/./m.pt", *["d/m.pt"] * 900]
    (first,) = ledger.enter("net", _done(tmp_path, names), tmp_path, _pass).checkpoints
    file.write_bytes(b"other")  # the tree is read-only to jobs: who reads it again sees this
    (second,) = ledger.enter("net", _done(tmp_path, names), tmp_path, _pass).checkpoints
    assert (first.path, first.sha256) == ("d/m.pt", second.sha256)
