"""A file system whose steps fail in turn, for what must be done whole or not at all."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, git's own aside."""
    found = (path for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


@contextlib.contextmanager
def failing(
    monkeypatch: pytest.MonkeyPatch, which: int, error: Exception, links: bool
) -> Iterator[list[str]]:
    """The ``which``-th link, rename or removal fails; what it was is in the list, if it came."""
    failed: list[str] = []
    count = itertools.count(1)

    def fail_in(name: str) -> None:
        real = getattr(os, name)

        def step(*args: object, **options: object) -> object:
            if name == "link" and not links:
                raise OSError(1, "Operation not permitted")
            if next(count) == which:
                failed.append(name)
                raise error
            return real(*args, **options)

        monkeypatch.setattr(os, name, step)

    with monkeypatch.context():
        for name in ("link", "replace", "unlink"):
            fail_in(name)
        yield failed
    monkeypatch.undo()


def without_spares(files: dict[str, bytes], failed: list[str]) -> dict[str, bytes]:
    """``files`` without a temporary one, which stays where it was its removal that failed."""
    if failed != ["unlink"]:
        return files
    return {path: data for path, data in files.items() if "/." not in f"/{path}"}
