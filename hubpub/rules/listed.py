"""Changing the ``dependencies`` list: edits that keep its commas, lines, quotes and comments."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hubpub.diagnostic import Edit, Fix, Span
from hubpub.source.facts import Dependencies, Repo, Requirement
from hubpub.source.text import Text

KINDS = {"list", "tuple", "set"}
MAX_ITEMS = 200
"""A longer list is left alone: nobody wrote it."""
_BETWEEN = re.compile(r"(?:\s|\\\r?\n|#[^\r\n]*(?=[\r\n]))*")
"""What may stand between an item and its comma: blanks, comments, continued lines."""


@dataclass(frozen=True)
class _Display:
    """The text of a display, and the offsets of its items; ``end`` is that of its bracket."""

    text: Text
    path: str
    items: tuple[tuple[int, int], ...]
    end: int

    def comma(self, index: int) -> int | None:
        """The offset of the comma after an item; None where there is none."""
        _, end = self.items[index]
        match = _BETWEEN.match(self.text.text, end)
        at = match.end() if match else end
        return at if self.text.text[at : at + 1] == "," else None

    def edit(self, begin: int, end: int, new: str) -> Edit:
        """Replace a stretch of the text."""
        span = Span(*self.text.position(begin), *self.text.position(end))
        return Edit(self.path, span, new)


def quoted(repo: Repo, name: str) -> str:
    """``name`` in the quotes that hubconf.py uses for its dependencies."""
    for item in repo.hubconf.dependencies.items if repo.hubconf else ():
        text = repo.texts.get(item.place.path)
        span = item.place.span
        if text is not None and text.line(span.line)[span.column - 1 : span.column] == "'":
            return f"'{name}'"
        break
    return f'"{name}"'


def _display(repo: Repo, found: Dependencies) -> _Display | None:
    place = found.insert
    text = repo.texts.get(place.path) if place else None
    if place is None or text is None or found.kind not in KINDS or len(found.items) > MAX_ITEMS:
        return None
    span = place.span
    begin, end = text.offset(span.line, span.column), text.offset(span.end_line, span.end_column)
    bracketed = text.text[begin : begin + 1] in tuple("[({") and text.text[end - 1] in tuple("])}")
    end -= bracketed
    items: list[tuple[int, int]] = []
    for item in found.items:
        at = item.place.span
        spot = text.offset(at.line, at.column), text.offset(at.end_line, at.end_column)
        if item.place.path != place.path or not begin <= spot[0] < spot[1] <= end:
            return None  # it is written elsewhere, under a name
        if items and spot[0] < items[-1][1]:
            return None
        items.append(spot)
    return _Display(text, place.path, tuple(items), end)


def add(repo: Repo, name: str, *, safe: bool) -> Fix | None:
    """Add ``name`` at the end: on a line of its own where the last item has one."""
    found = repo.hubconf.dependencies if repo.hubconf else None
    display = _display(repo, found) if found else None
    if found is None or display is None or (not display.items and found.kind != "list"):
        return None
    title, shown = f"Add {name} to dependencies", quoted(repo, name)
    if not display.items:
        return Fix(title, safe, (display.edit(display.end, display.end, shown),))
    begin, end = display.items[-1]
    line, column = display.text.position(begin)
    indent = display.text.line(line)[: column - 1]
    comma = display.comma(len(display.items) - 1)
    closes = display.text.position(display.end)[0]
    last = display.text.position(comma or end)[0]
    if indent.strip() or closes == last:
        return Fix(title, safe, (display.edit(end, end, f", {shown}"),))
    at = display.text.offset(last, len(display.text.line(last)) + 1)
    new = f"\n{indent}{shown}{',' if comma is not None else ''}"
    edits = [] if comma is not None else [display.edit(end, end, ",")]
    return Fix(title, safe, (*edits, display.edit(at, at, new)))


def replace(repo: Repo, item: Requirement, name: str, title: str) -> Fix | None:
    """Write ``name`` instead of an item."""
    found = repo.hubconf.dependencies if repo.hubconf else None
    value = found.value if found else None
    place = item.place
    inside = value is not None and (
        place.path == value.path
        and (value.span.line, value.span.column) <= (place.span.line, place.span.column)
        and (place.span.end_line, place.span.end_column)
        <= (value.span.end_line, value.span.end_column)
    )
    if not inside:
        return None  # what is written elsewhere may be used elsewhere
    return Fix(title, True, (Edit(place.path, place.span, quoted(repo, name)),))


def remove(repo: Repo, item: Requirement) -> Fix | None:
    """Take an item away, and one comma with it; a comment stays where it is."""
    found = repo.hubconf.dependencies if repo.hubconf else None
    display = _display(repo, found) if found else None
    if found is None or display is None or item not in found.items:
        return None
    if len(display.items) == 1 and found.kind != "list":
        return None  # () and {} are written differently
    index = found.items.index(item)
    text = display.text.text
    begin, end = display.items[index]
    comma = display.comma(index)
    title = f"Remove {item.name} from dependencies"
    if comma is not None:
        if text[end:comma].strip():
            return None  # a comment stands before the comma
        return Fix(title, True, _without(found, display, index, comma + 1))
    if index == 0 or found.kind == "tuple":
        # A tuple keeps the comma before its last item: it may be the one that makes it a tuple.
        return Fix(title, True, (display.edit(*_stretch(display, begin, end), ""),))
    before = display.comma(index - 1)
    if before is None or text[before + 1 : begin].strip():
        return Fix(title, True, (display.edit(*_stretch(display, begin, end), ""),))
    return Fix(title, True, (display.edit(before, end, ""),))


def _without(found: Dependencies, display: _Display, index: int, end: int) -> tuple[Edit, ...]:
    """Take away an item that has a comma, up to ``end``, whatever else is removed at once.

    A tuple gets a comma after its last item: with one item left, that makes it a tuple. Of a tuple
    or a set, removing the first item writes the second again, so that not both go in one round:
    what is left of them is never empty, and ``{}`` is no set.
    """
    begin, end = _stretch(display, display.items[index][0], end)
    if found.kind == "list":
        return (display.edit(begin, end, ""),)
    text, last = display.text.text, len(display.items) - 1
    comma = "," if found.kind == "tuple" and display.comma(last) is None else ""
    if index == 0:
        second = display.items[1][1]
        kept = text[end:second] + (comma if last == 1 else "")
        edits = [display.edit(begin, second, kept)]
    else:
        edits = [display.edit(begin, end, "")]
    if comma and last > 1:
        start, stop = display.items[last]
        edits.append(display.edit(start, stop, f"{text[start:stop]},"))
    return tuple(edits)


def _stretch(display: _Display, begin: int, end: int) -> tuple[int, int]:
    """An item with its comma, with the blanks or the line that it would leave empty."""
    text = display.text.text
    while text[end : end + 1] in (" ", "\t"):
        end += 1
    if text[end : end + 1] == "#":
        return begin, end
    ends_line = text[end : end + 1] in ("\r", "\n", "")
    start = len(text[:begin].rstrip(" \t"))
    alone = start == 0 or text[start - 1] in "\r\n"
    if not alone and (ends_line or end >= display.end):
        return (start if text[start - 1] == "," else begin), end
    if not ends_line:
        return begin, end
    line_end = end + (2 if text[end : end + 2] == "\r\n" else 1)
    return start, line_end
