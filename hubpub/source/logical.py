"""Physical and logical lines of a Python file: where a comment stands, and where one may stand."""

from __future__ import annotations

import io
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from hubpub.source.text import Text

_NO_CODE = {
    tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT,
    tokenize.ENDMARKER, tokenize.ENCODING,
}  # fmt: skip


@dataclass
class Lines:
    """The lines of a Python file; all numbers are 1-based.

    ``comments`` maps a line to the column and the text of its comment, ``alone`` are the lines
    that hold nothing else. ``first`` maps each line with code to the first line of its statement
    (or of its header), ``last`` maps that first line to the last one. ``decorators`` are first
    lines. ``closed`` are lines at whose end no comment can stand: a string or a backslash goes on.
    ``whole`` is False where the file could not be read to its end.
    """

    comments: dict[int, tuple[int, str]] = field(default_factory=dict)
    alone: set[int] = field(default_factory=set)
    first: dict[int, int] = field(default_factory=dict)
    last: dict[int, int] = field(default_factory=dict)
    decorators: set[int] = field(default_factory=set)
    closed: set[int] = field(default_factory=set)
    whole: bool = True

    def spoken_for(self) -> dict[int, int]:
        """For each line with a comment, the last line that the comment speaks for.

        That is the end of the statement which begins on the line or, where the comment stands
        alone, on the next one; a decorator is part of what it decorates.
        """
        ends: dict[int, int] = {}
        following = 0
        for start in sorted(self.last, reverse=True):
            ends[start] = ends[following] if start in self.decorators and following else 0
            ends[start] = max(ends[start], self.last[start])
            following = start
        found: dict[int, int] = {}
        for line in sorted(self.comments, reverse=True):
            if line not in self.alone:
                found[line] = ends.get(line, line)
            elif line + 1 in self.alone:
                found[line] = found[line + 1]
            else:
                found[line] = ends.get(line + 1, line + 1)
        return found

    @property
    def top(self) -> int:
        """The first line with code, docstring included; 0 where there is none."""
        return min(self.last, default=0)


def read(text: Text) -> Lines:
    """The lines of ``text``, as far as Python can take it apart into tokens."""
    lines = Lines()
    statement: list[int] = []
    opened: list[int] = []
    for token in _tokens(text, lines):
        row, column = token.start
        if token.type == tokenize.COMMENT:
            lines.comments[row] = (column + 1, token.string)
            if not token.line[:column].strip():
                lines.alone.add(row)
        _note_string(lines, token, opened)
        if token.type not in _NO_CODE:
            if not statement and token.string == "@":
                lines.decorators.add(row)
            statement += [row, token.end[0]]
        elif token.type == tokenize.NEWLINE and statement:
            _note(lines, statement)
            statement = []
    if statement:
        _note(lines, statement)
    for number in range(1, len(text.starts) + 1):
        if number not in lines.comments and text.line(number).endswith("\\"):
            lines.closed.add(number)
    return lines


def _note_string(lines: Lines, token: tokenize.TokenInfo, opened: list[int]) -> None:
    """Close the lines that end inside a string; ``opened`` are the f-strings around the token."""
    name = tokenize.tok_name[token.type]
    if name.endswith("STRING_START"):
        opened.append(token.start[0])
    elif name.endswith("STRING_END") and opened:
        lines.closed.update(range(opened.pop(), token.start[0]))
    elif token.type == tokenize.STRING:
        lines.closed.update(range(token.start[0], token.end[0]))


def _note(lines: Lines, statement: list[int]) -> None:
    begin, end = statement[0], max(statement)
    lines.last[begin] = max(end, lines.last.get(begin, end))
    for line in range(begin, end + 1):
        lines.first.setdefault(line, begin)


def _tokens(text: Text, lines: Lines) -> Iterator[tokenize.TokenInfo]:
    tokens: Iterable[tokenize.TokenInfo] = tokenize.generate_tokens(
        io.StringIO(text.text, newline=None).readline
    )
    try:
        for token in tokens:
            if token.type == tokenize.ERRORTOKEN and not token.string.isspace():
                lines.whole = False
            yield token
    except (tokenize.TokenError, SyntaxError, ValueError):
        lines.whole = False
