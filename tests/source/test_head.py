"""The commit that is checked out, in every way in which git keeps it."""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import MakeRepository
from hubpub.source.head import head


def test_what_git_has_checked_out(repository: MakeRepository, tmp_path: Path) -> None:
    made = repository({"hubconf.py": "dependencies = []\n"})
    commit = made.git("rev-parse", "HEAD").strip()
    assert head(made.path) == commit
    made.git("pack-refs", "--all")
    assert head(made.path) == commit
    linked = tmp_path / "linked"
    made.git("worktree", "add", "--quiet", "-b", "other", str(linked))
    made.git("commit", "--quiet", "--allow-empty", "-m", "more")
    assert (head(linked), head(made.path)) == (commit, made.git("rev-parse", "HEAD").strip())
    made.git("checkout", "--quiet", "--detach", commit)
    assert head(made.path) == commit


@pytest.mark.parametrize(
    "text", ["", "ref: refs/heads/none", "ref: refs/../../x", "ref: ", "f" * 39, "\0", "x" * 9999]
)
def test_a_head_that_names_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_text(text)
    (tmp_path / "x").write_text("no commit")
    assert head(tmp_path) is None


def test_no_git_at_all(tmp_path: Path) -> None:
    assert head(tmp_path) is None
