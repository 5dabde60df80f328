"""Giving a file its name: never over another, with hard links and without."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from hubpub.linking import link, rename


@pytest.mark.parametrize("step", [link, rename])
def test_a_free_name_is_taken(step: Callable[[Path, Path], object], tmp_path: Path) -> None:
    source, target = tmp_path / "a", tmp_path / "b"
    source.write_text("mine")
    number = source.stat().st_ino
    step(source, target)
    assert (target.read_text(), target.stat().st_ino) == ("mine", number)
    assert source.exists() == (step is link)


@pytest.mark.parametrize("step", [link, rename])
@pytest.mark.parametrize("kind", ["file", "folder", "link to nothing"])
def test_what_stands_there_stays(
    step: Callable[[Path, Path], object], kind: str, tmp_path: Path
) -> None:
    source, target = tmp_path / "a", tmp_path / "b"
    source.write_text("mine")
    if kind == "file":
        target.write_text("theirs")
    elif kind == "folder":
        target.mkdir()
    else:
        target.symlink_to("nowhere")
    before = target.lstat()
    with pytest.raises(FileExistsError):
        step(source, target)
    assert (target.lstat().st_ino, target.lstat().st_size) == (before.st_ino, before.st_size)
    assert source.read_text() == "mine"


def test_a_symbolic_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("mine")
    (tmp_path / "a").symlink_to("real")
    assert link(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").is_symlink()


def test_no_hard_links_is_an_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(source: object, target: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    (tmp_path / "a").write_text("mine")
    assert not link(tmp_path / "a", tmp_path / "b")
    assert not (tmp_path / "b").exists()


def test_a_renaming_that_fails_leaves_no_name(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        rename(tmp_path / "absent", tmp_path / "b")
    assert list(tmp_path.iterdir()) == []
