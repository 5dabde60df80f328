"""A text of sections with an upper limit: where not all fits, what matters least is left out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

_TOLD = 100
"""Bytes kept free in each section for what says how much was left out."""


@dataclass(frozen=True)
class Section:
    """Rows with what stands before and after them.

    Args:
        rank: what matters more has a smaller one, and is the last to be left out.
        before: text up to the first row; after: text behind the last one. Both end with a newline.
        rows: what the rows are made of.
        row: makes one of them, a line with its newline.
        word: what the rows are, in the plural.
    """

    rank: int
    before: str
    rows: Sequence[Any] = ()
    row: Callable[[Any], str] = str
    after: str = ""
    word: str = "rows"


def fitted(sections: Sequence[Section], limit: int) -> str:
    """The sections in their order, as many rows of each as fit into ``limit`` bytes of UTF-8.

    Rows are counted out by the rank of their sections, in each from the first on. A section of
    which no row fits is left out but for a line that says so; one that has no row says nothing but
    ``before`` and ``after``.
    """
    around = [_size(section.before) + _size(section.after) for section in sections]
    room = limit - sum(
        _TOLD if section.rows else size for section, size in zip(sections, around, strict=True)
    )
    kept: dict[int, list[str]] = {}
    for index in sorted(range(len(sections)), key=lambda index: sections[index].rank):
        section, left, kept[index] = sections[index], room - around[index], []
        for each in section.rows:
            row = section.row(each)
            left -= _size(row)
            if left < 0:
                break
            kept[index].append(row)
            room = left
    return "".join(_said(section, kept[index]) for index, section in enumerate(sections))


def _said(section: Section, rows: Sequence[str]) -> str:
    left = len(section.rows) - len(rows)
    if not left:
        return f"{section.before}{''.join(rows)}{section.after}"
    told = f"\n{left} {'more ' if rows else ''}{section.word} did not fit into this summary.\n"
    return f"{section.before}{''.join(rows)}{told}{section.after}" if rows else told


def _size(text: str) -> int:
    return len(text.encode("utf-8", "backslashreplace"))
