"""The cells of a Jupyter notebook, each character with its place in the JSON text."""

from __future__ import annotations

import json
import json.decoder
import re
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

_string_at: Callable[[str, int, bool], tuple[str, int]] = vars(json.decoder)["scanstring"]
"""What a string says that begins behind a quote, and the offset after its end."""
_SIGN = re.compile(r'["{}\[\],]')
_PIECE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.|[^\\]+"
)
_LONE = re.compile(r"[\ud800-\udfff]")
_SHORT = {"\\n": "\n", "\\t": "\t", '\\"': '"', "\\\\": "\\", "\\/": "/"}
_CELLS = {("cells", "*"), ("worksheets", "*", "cells", "*")}
"""Where cells stand: since nbformat 4, and before."""
_SOURCES = {"source", "input"}
"""The keys of a cell's text: ``input`` was that of code before nbformat 4."""
_DEPTH = 6


@dataclass
class Cell:
    """A cell: ``kind`` as in ``cell_type``, and its text.

    ``begins`` and ``ends`` say for each character of ``text`` where the characters begin and end
    that stand for it in the notebook.
    """

    kind: str = "code"
    text: str = ""
    begins: array[int] = field(default_factory=lambda: array("q"))
    ends: array[int] = field(default_factory=lambda: array("q"))
    strings: list[tuple[int, int]] = field(default_factory=list)


def cells(text: str) -> Iterator[Cell]:
    """The cells of a notebook in order; none where ``text`` is not the JSON of one."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return
    for cell in _found(text):
        pieces: list[str] = []
        for begin, end in cell.strings:
            pieces += _decode(cell, text, begin, end)
        cell.text = "".join(pieces)
        yield cell


def _found(text: str) -> list[Cell]:
    """The cells with the places of the strings that their text is made of."""
    found: list[Cell] = []
    keys: list[str | None] = []  # of the open objects and lists; None where a key comes next
    at = 0
    while match := _SIGN.search(text, at):
        sign, at = match.group(), match.end()
        path = tuple(keys) if len(keys) <= _DEPTH else ()
        if sign in "{[":
            if sign == "{" and path in _CELLS:
                found.append(Cell())
            elif path[-1:] == ("cells",) and (*path, "*") in _CELLS:
                found.clear()  # of two keys of one name the last counts
            elif path[:-1] in _CELLS and path[-1] in _SOURCES:
                found[-1].strings.clear()
            keys.append("*" if sign == "[" else None)
        elif sign in "}]":
            keys.pop()
        elif sign == ",":
            keys[-1] = "*" if keys[-1] == "*" else None
        else:
            value, at = _string_at(text, at, False)
            if keys and keys[-1] is None:
                # A key that is an asterisk must not look like a list.
                keys[-1] = value if value != "*" else ""
            elif path[:-1] in _CELLS and path[-1] == "cell_type":
                found[-1].kind = value
            elif path[:-1] in _CELLS and path[-1] in _SOURCES:
                found[-1].strings[:] = [(match.end(), at - 1)]
            elif path[:-2] in _CELLS and path[-2] in _SOURCES and path[-1] == "*":
                found[-1].strings.append((match.end(), at - 1))
    return found


def _decode(cell: Cell, text: str, begin: int, end: int) -> Iterator[str]:
    """What the string between two quotes says, piece by piece, noting where each stands."""
    for match in _PIECE.finditer(text, begin, end):
        piece, first, last = match.group(), match.start(), match.end()
        if piece[0] != "\\":
            cell.begins.extend(range(first, last))
            cell.ends.extend(range(first + 1, last + 1))
            yield piece
            continue
        cell.begins.append(first)
        cell.ends.append(last)
        yield _SHORT.get(piece) or _LONE.sub("\ufffd", json.loads(f'"{piece}"'))
