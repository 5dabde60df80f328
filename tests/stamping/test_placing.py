"""Renames and rewritten files made together: every step fails once, and nothing is lost."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Mapping
from pathlib import Path

import pytest

from failing import failing, tree, without_spares
from hubpub.errors import UsageError
from hubpub.stamping.content import identity
from hubpub.stamping.placing import Move, Swap, place
from publishing import write_files

BEFORE: Mapping[str, bytes] = {"a.pth": b"a", "b/b.pth": b"b", "one.py": b"1", "b/two.md": b"2"}
AFTER: Mapping[str, bytes] = {"A.pth": b"a", "b/B.pth": b"b", "one.py": b"I", "b/two.md": b"II"}


class StopError(Exception):
    """Not one that any code expects."""


def attempt(folder: Path) -> None:
    """Make the files of BEFORE those of AFTER."""
    moves = [
        Move(folder / old, folder / new, identity((folder / old).lstat()))
        for old, new in (("a.pth", "A.pth"), ("b/b.pth", "b/B.pth"))
    ]
    swaps = []
    for path in ("one.py", "b/two.md"):
        ready = (folder / path).with_name(f".ready-{Path(path).name}")
        ready.write_bytes(AFTER[path])
        swaps.append(Swap(folder / path, ready, BEFORE[path]))
    try:
        place(moves, swaps)
    finally:
        for swap in swaps:
            with contextlib.suppress(OSError):
                swap.ready.unlink()


@pytest.mark.parametrize("links", [True, False], ids=["hard links", "none"])
@pytest.mark.parametrize("error", [OSError(28, "disk full"), StopError()], ids=["full", "stop"])
def test_every_step_fails_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool, error: Exception
) -> None:
    outcomes = set()
    for which in itertools.count(1):
        folder = tmp_path / str(which)
        write_files(folder, BEFORE)
        told = False
        with failing(monkeypatch, which, error, links) as failed:
            try:
                attempt(folder)
            except (UsageError, StopError):
                told = True
        after = without_spares(tree(folder), failed)
        assert after in (BEFORE, AFTER), (which, failed)
        if told and not isinstance(error, StopError):
            assert after == BEFORE, (which, failed)
        outcomes.add(after == BEFORE)
        if not failed:
            break
    assert after == AFTER
    assert which > 8
    assert outcomes == {True, False}


@pytest.mark.parametrize("taken", ["A.pth", "b/B.pth"])
def test_a_name_that_is_taken_stops_all(tmp_path: Path, taken: str) -> None:
    write_files(tmp_path, {**BEFORE, taken: b"mine"})
    with pytest.raises(UsageError, match="already there, and stamp never overwrites"):
        attempt(tmp_path)
    assert tree(tmp_path) == {**BEFORE, taken: b"mine"}


@pytest.mark.parametrize("path", ["one.py", "b/two.md"])
def test_a_file_that_was_edited_stops_all(tmp_path: Path, path: str) -> None:
    write_files(tmp_path, {**BEFORE, path: b"mine"})
    with pytest.raises(UsageError, match="changed meanwhile"):
        attempt(tmp_path)
    assert tree(tmp_path) == {**BEFORE, path: b"mine"}
