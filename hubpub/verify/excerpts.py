"""The source that a finding points at, kept in the report: its reader has the tree no more.

The lines are of the tree that was verified, read by this process when the report is made. A path
may be a claim of the code under test, so it is followed only to a plain file inside the tree.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path, PurePosixPath

from hubpub.verify.report import Excerpt, Finding

BEFORE, AFTER = 2, 2
"""Lines around the place."""
MOST_LINES = 12
"""Lines of an excerpt; the first ones of a longer place."""
MOST_CHARACTERS = 240
"""Characters of each; of longer lines a part around the column of the finding."""
MOST_PLACES = 400
"""Places that a report shows source of; those of the findings that come first."""
_MOST_BYTES = 1 << 20
_AHEAD = 40
"""Characters that are left before the column of the finding where lines are cut."""


def shown(findings: Iterable[Finding], root: Path) -> tuple[Finding, ...]:
    """``findings`` with the lines of the tree at ``root`` that they are about.

    None where a finding is about a whole file, or its place is not in the tree, blank, or no text.
    """
    files: dict[str, list[str]] = {}
    places: dict[tuple[str, int, int, int], Excerpt | None] = {}
    found = []
    for item in findings:
        place = (item.path, item.line, item.column, item.end_line)
        if place not in places and len(places) < MOST_PLACES and not _is_of_file(item):
            if item.path not in files:
                files[item.path] = _lines(root, item.path)
            places[place] = _excerpt(item, files[item.path])
        found.append(replace(item, excerpt=places.get(place)))
    return tuple(found)


def _is_of_file(item: Finding) -> bool:
    return (item.line, item.column, item.end_line, item.end_column) == (1, 1, 1, 1)


def _excerpt(item: Finding, lines: list[str]) -> Excerpt | None:
    if item.line > len(lines) or not lines[item.line - 1].strip():
        return None
    first = max(1, item.line - BEFORE)
    last = min(max(item.end_line, item.line) + AFTER, first + MOST_LINES - 1, len(lines))
    while first < item.line and not lines[first - 1].strip():
        first += 1
    while last > item.line and not lines[last - 1].strip():
        last -= 1
    part = lines[first - 1 : last]
    column = 1
    if len(lines[item.line - 1]) > MOST_CHARACTERS and item.column > MOST_CHARACTERS // 2:
        column = item.column - _AHEAD
    cut = tuple(line[column - 1 : column - 1 + MOST_CHARACTERS] for line in part)
    return Excerpt(first, column, cut)


def _lines(root: Path, path: str) -> list[str]:
    """The lines of a file of the tree; nothing where there is no such file, or no text in it."""
    parts = PurePosixPath(path)
    if not path or "\0" in path or parts.is_absolute() or ".." in parts.parts:
        return []
    try:
        file = (root / parts).resolve(strict=True)
        if not file.is_relative_to(root.resolve()):
            return []
        handle = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as opened:
            known = os.fstat(handle)
            if not stat.S_ISREG(known.st_mode) or known.st_size > _MOST_BYTES:
                return []
            data = opened.read(_MOST_BYTES)
    except (OSError, ValueError, RuntimeError):  # a name that no file can have, a loop of links
        return []
    if b"\0" in data:
        return []
    text = data.decode("utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n")
    # As Python counts lines: form feeds and the line ends of Unicode are none.
    return text.split("\n")
