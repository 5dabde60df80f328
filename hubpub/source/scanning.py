"""Where calls and expressions end in text that need not be Python."""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass

MAX_CALL = 3_000
"""A call or an expression of more characters is not read."""
MAX_SCANNED = 1_500_000
"""So many characters of a document are looked at in search of ends; no person writes more."""
MAX_PARSED = 10_000
"""So many expressions of a document are parsed."""

_MARK = re.compile(r"""['"#()\[\]{}\\\n;]""")
_STRING_END = {quote: re.compile(rf"\\.|{quote}", re.DOTALL) for quote in ("'", '"', "'''", '"""')}
_STAND_IN = re.compile(
    r""""[^"\\\n]*(?:\\.[^"\\\n]*)*"|'[^'\\\n]*(?:\\.[^'\\\n]*)*'|"""
    r"""<[\w/ .:-]{1,100}>|\$(?:\w{1,100}|\{\w{1,100}\})"""
)


class Escaped(Exception):  # noqa: N818 - it is no error
    """The quotes have backslashes before them, as in a shell's string."""


@dataclass
class Scanner:
    """What ends where, for as long as a document is not made to be read slowly."""

    left: int = MAX_SCANNED
    parses: int = MAX_PARSED

    def call_end(self, text: str, start: int) -> int | None:
        """The offset after the parenthesis that closes the one at ``start``; None without one.

        Raises:
            Escaped: a quote outside a string has a backslash before it.
        """
        return self._end(text, start, call=True)

    def value_end(self, text: str, start: int) -> int | None:
        """The offset after the expression that begins at ``start`` and ends with its line."""
        return self._end(text, start, call=False)

    def _end(self, text: str, start: int, *, call: bool) -> int | None:
        if self.left <= 0:
            return None
        stop = min(len(text), start + MAX_CALL)
        try:
            end, at = _end(text, start, stop, call=call)
        except Escaped:
            self.left -= 10_000  # it is read again, and more slowly
            raise
        self.left -= at - start
        return end

    def parse(self, code: str) -> ast.expr | None:
        """The expression that ``code`` is; None where it is none.

        ``<model>`` and ``$MODEL`` outside strings stand for a value: a name in the same place.
        """
        found = self._parse(code)
        if found is None and any(mark in code for mark in "<$"):
            found = self._parse(_STAND_IN.sub(_as_name, code))
        return found

    def _parse(self, code: str) -> ast.expr | None:
        self.parses -= 1
        if self.parses < 0:
            return None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                return ast.parse(code, mode="eval").body
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                return None


def _as_name(match: re.Match[str]) -> str:
    return match.group() if match.group()[0] in "'\"" else "_" * len(match.group())


def _end(text: str, start: int, stop: int, *, call: bool) -> tuple[int | None, int]:
    """The end, and how far it was looked for."""
    depth, at = 0, start
    while match := _MARK.search(text, at, stop):
        char, begin, at = match.group(), match.start(), match.end()
        if char in "'\"":
            at = _string_end(text, begin, stop) or -1
            if at < 0:
                return None, stop
        elif char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
            if depth < 0 or (call and depth == 0):
                return at if call else begin, at
        elif char == "\\":
            if call and text[at : at + 1] in {"'", '"'}:
                raise Escaped
            at += 1
        elif char == "#":
            if not call and not depth:
                return begin, at
            at = (text.find("\n", at, stop) + 1 or stop + 1) - 1
        elif not call and not depth:
            return begin, at
    return (len(text) if not call and not depth and stop == len(text) else None), stop


def _string_end(text: str, begin: int, stop: int) -> int | None:
    triple = text[begin : begin + 3]
    quote = triple if triple in _STRING_END else triple[0]
    for match in _STRING_END[quote].finditer(text, begin + len(quote), stop):
        if match.group()[0] != "\\":
            return match.end()
    return None
