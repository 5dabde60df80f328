"""Source text for a person: the lines behind a margin, and marks below what is meant."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from hubpub.diagnostic import FILE_START, Span
from hubpub.output.escape import visible
from hubpub.output.run import Run
from hubpub.output.style import paint

WIDTH = 160
"""Longer lines are cut around the place that is shown (characters)."""
FIRST, LAST = 4, 2
"""How many lines are shown of the beginning and of the end of a longer stretch."""
_COMMAND = re.compile(r"#(?=#\[|#vso\[)")


@dataclass(frozen=True)
class Marked:
    """A place to show: ``mark`` below its text in ``color``, and ``label`` after the marks."""

    location: str
    span: Span
    arrow: str
    mark: str
    color: str
    label: str = ""


def excerpt(place: Marked, margin: int, run: Run) -> list[str]:
    """Where the place is, and its text; ``margin`` is the width of the largest line number.

    A whole file, and a line that is blank or not there, is named and not shown.
    """
    pad = " " * margin
    where = visible(f"{place.location}:{place.span.line}:{place.span.column}")
    lines = [f"{pad}{paint(place.arrow, '34', color=run.color)} {where}"]
    first = run.line(place.location, place.span.line)
    if place.span == FILE_START or not first or first.isspace():
        return [*lines, f"{pad} = {visible(place.label)}"] if place.label else lines
    span = _trimmed(place, run)
    rows = _stretch(place, span, run) if span.end_line > span.line else _one(place, span, run)
    bar = paint("|", "34", color=run.color)
    lines.append(f"{pad} {bar}")
    for number, text in rows:
        if number < 0:
            lines.append("...")
            continue
        shown = paint(f"{number:>{margin}}", "34", color=run.color) if number else pad
        lines.append(f"{shown} {bar} {text}".rstrip())
    return lines


def _trimmed(place: Marked, run: Run) -> Span:
    """The span without the line on which it ends before the first character."""
    span = place.span
    if span.end_line > span.line and span.end_column == 1:
        end = span.end_line - 1
        return Span(span.line, span.column, end, len(run.line(place.location, end)) + 1)
    return span


Row = tuple[int, str]
"""A line's number, and its text; 0 for a row of marks, -1 for lines that are left out."""


def _one(place: Marked, span: Span, run: Run) -> Iterator[Row]:
    text = run.line(place.location, span.line)
    begin = min(span.column, len(text) + 1) - 1
    end = max(min(span.end_column, len(text) + 1) - 1, begin)
    line = _cut(text, begin)
    width = line.width(begin, end) or 1
    yield span.line, line.text
    yield 0, " " * line.width(0, begin) + _marks(place, place.mark * width, run)


def _stretch(place: Marked, span: Span, run: Run) -> Iterator[Row]:
    """Several lines, with a bar at their left from the first character to the last."""
    side = paint("|", place.color, color=run.color)
    text = run.line(place.location, span.line)
    begin = min(span.column, len(text) + 1) - 1
    line = _cut(text, begin)
    if text[: min(begin, WIDTH)].isspace() or begin == 0:
        yield span.line, f"{paint('/', place.color, color=run.color)} {line.text}"
    else:
        yield span.line, f"  {line.text}"
        below = f" {'_' * (line.width(0, begin) + 1)}{place.mark}"
        yield 0, paint(below, place.color, color=run.color)
    long = span.end_line - span.line + 1 > FIRST + LAST + 1
    for number in range(span.line + 1, span.end_line):
        if long and span.line + FIRST <= number <= span.end_line - LAST:
            if number == span.line + FIRST:
                yield -1, ""
            continue
        yield number, f"{side} {_cut(run.line(place.location, number), 0).text}"
    text = run.line(place.location, span.end_line)
    last = max(min(span.end_column, len(text) + 1) - 2, 0)
    line = _cut(text, last)
    yield span.end_line, f"{side} {line.text}"
    below = f"|{'_' * (line.width(0, last) + 1)}{place.mark}"
    yield 0, _marks(place, below, run)


def _marks(place: Marked, marks: str, run: Run) -> str:
    said = f" {visible(place.label)}" if place.label else ""
    return f"{paint(marks, f'1;{place.color}', color=run.color)}{said}"


@dataclass(frozen=True)
class _Line:
    """The part of a line that is shown: one cell for each character, from ``first`` on."""

    cells: list[str]
    first: int
    ahead: str
    behind: str

    @property
    def text(self) -> str:
        return f"{self.ahead}{''.join(self.cells)}{self.behind}"

    def width(self, begin: int, end: int) -> int:
        """The columns from one 0-based index of the line to another, with what is ahead of 0."""
        cells = self.cells[max(begin - self.first, 0) : max(end - self.first, 0)]
        return (len(self.ahead) if begin == 0 else 0) + sum(map(_width, cells))


def _cut(text: str, at: int) -> _Line:
    """At most :data:`WIDTH` characters of a line around the 0-based index ``at``."""
    first = 0
    if len(text) > WIDTH:
        first = max(0, min(at - WIDTH // 4, len(text) - WIDTH))
    part = text[first : first + WIDTH]
    # A line is shown behind a margin, so it never begins a workflow command: what `visible` does
    # to a leading `::` would only move the marks. `##[` is one wherever it stands.
    cells = [{":": ":", "\t": "    "}.get(char) or visible(char) for char in part]
    for found in _COMMAND.finditer(part):
        cells[found.start()] = "\\x23"
    return _Line(cells, first, "... " if first else "", " ..." if first + WIDTH < len(text) else "")


def _width(text: str) -> int:
    """The columns that ``text`` takes on a terminal."""
    if text.isascii():
        return len(text)
    return sum(
        0
        if unicodedata.combining(char)
        else 2
        if unicodedata.east_asian_width(char) in {"W", "F"}
        else 1
        for char in text
    )
