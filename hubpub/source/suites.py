"""Where the docstring of a function or class would stand, found among its tokens."""

from __future__ import annotations

import itertools
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass

from hubpub.diagnostic import Span
from hubpub.source import tree
from hubpub.source.facts import Place
from hubpub.source.facts_entry import Suite
from hubpub.source.text import Text

_MOST_TOKENS = 5_000
"""A ``def`` of more tokens before its body is left alone: no person wrote it."""
_SILENT = {tokenize.NL, tokenize.COMMENT}


@dataclass(frozen=True)
class Style:
    """How a file is written: the quotes of its docstrings, and one level of its indentation."""

    quotes: str
    unit: str


def style(text: Text) -> Style:
    """The style of a file, as far as it has one."""
    single, double = text.text.count("'''"), text.text.count('"""')
    return Style("'''" if single > double else '"""', _unit(text.text))


def suite(path: str, text: Text, node: tree.Function | tree.Class, style: Style) -> Suite | None:
    """Where the docstring of ``node`` goes; None where it has one, or where that cannot be told."""
    if node.docstring is not None:
        return None
    try:
        tokens = _tokens(text, node.first)
        colon = next(_colon(tokens), None)
        if colon is None:
            return None
        line, column = node.first + colon[0] - 1, colon[1]
        after = next(token for token in tokens if token.type != tokenize.COMMENT)
        if after.type == tokenize.NEWLINE:
            start = next(token for token in tokens if token.type not in _SILENT)
            if start.type != tokenize.INDENT:
                return None
            place = Place(path, Span(line + 1, 1, line + 1, 1))
            return Suite(node.name, place, start.string, False, style.quotes)
    except (tokenize.TokenError, SyntaxError, StopIteration):
        return None
    begin = node.first + after.start[0] - 1
    span = Span(line, column + 1, begin, after.start[1] + 1)
    if begin != line:
        return None
    outer = re.match(r"[ \t]*", text.line(node.first))
    indent = (outer.group() if outer else "") + style.unit
    return Suite(node.name, Place(path, span), indent, True, style.quotes)


def _tokens(text: Text, first: int) -> Iterator[tokenize.TokenInfo]:
    """The tokens from line ``first`` on, its own indentation aside; read as they are asked for."""
    line = text.line(first)
    width = len(line) - len(line.lstrip(" \t"))
    lines = (text.line(number) for number in range(first + 1, len(text.starts) + 1))
    source = (f"{line}\n" for line in itertools.chain([line[width:]], lines))
    for count, token in enumerate(tokenize.generate_tokens(lambda: next(source, ""))):
        if count > _MOST_TOKENS:
            return
        yield token._replace(start=_moved(token.start, width), end=_moved(token.end, width))


def _moved(position: tuple[int, int], width: int) -> tuple[int, int]:
    row, column = position
    return (row, column + width if row == 1 else column)


def _colon(tokens: Iterator[tokenize.TokenInfo]) -> Iterator[tuple[int, int]]:
    """The end of the colon that ends the header, as the line among the tokens' and the column."""
    depth = 0
    for token in tokens:
        if token.type != tokenize.OP:
            continue
        if token.string in {"(", "[", "{"}:
            depth += 1
        elif token.string in {")", "]", "}"}:
            depth -= 1
        elif token.string == ":" and not depth:
            yield token.end


def _unit(text: str) -> str:
    """The white space of the first line that is indented below a colon; else four spaces."""
    lines = text.splitlines()
    for before, line in itertools.pairwise(lines):
        white = line[: len(line) - len(line.lstrip(" \t"))]
        if white and white != line and before.rstrip().endswith(":") and not before[0].isspace():
            return white
    return "    "
