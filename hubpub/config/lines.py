"""Where in a TOML file a key stands: the standard parser does not say."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_PART = re.compile(r"""\s*(?:([A-Za-z0-9_-]+)|"((?:[^"\\]|\\.)*)"|'([^']*)')\s*([.=])?""")


def line_of(text: str, path: Sequence[object]) -> int | None:
    """The 1-based line of the key at ``path``, or of the nearest table or key around it.

    A line inside a string of several lines may be taken for a key: good enough to point at.
    """
    wanted = [part for part in path if isinstance(part, str)]
    best, found = 0, None
    for number, keys in _keys(text):
        if len(keys) > best and keys == wanted[: len(keys)]:
            best, found = len(keys), number
    return found


def line_of_text(text: str, word: str, path: Sequence[object]) -> int | None:
    """The line at or below the key at ``path`` that holds ``word``; None where none does."""
    start = line_of(text, path)
    if start is None:
        return None
    for number, line in enumerate(text.split("\n")[start - 1 :], start=start):
        if re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", line):
            return number
    return None


def _keys(text: str) -> Iterator[tuple[int, list[str]]]:
    table: list[str] = []
    for number, line in enumerate(text.split("\n"), start=1):
        shown = line.strip()
        if shown.startswith("["):
            table = [name for name, _ in _parts(shown.lstrip("[").partition("]")[0])]
            yield number, table
            continue
        keys = []
        for name, sign in _parts(shown):
            keys.append(name)
            if sign == "=":
                yield number, [*table, *keys]
            if sign != ".":
                break


def _parts(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    while match := _PART.match(text, at):
        at = match.end()
        yield next(part for part in match.groups() if part is not None), match.group(4) or ""
