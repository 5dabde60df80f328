"""Edits that add a keyword to a call, wherever its last argument, commas and comments stand."""

from __future__ import annotations

import io
import re
import tokenize

from hubpub.diagnostic import Edit, Span
from hubpub.source.facts import Place, Repo
from hubpub.source.text import Text

MAX_CALL = 20_000
"""A call of more characters than this is left alone: no person wrote it."""
_PROMPT = re.compile(r"\s*(?:>>>|\.\.\.)(?:\s|$)")
_SILENT = {tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}


def add_keyword(repo: Repo, call: Place, keyword: str, value: str) -> Edit | None:
    """The edit that adds ``keyword=value`` as the last argument of the call at ``call``.

    ``call`` covers the call up to its closing parenthesis, as the places of
    :class:`~hubpub.source.facts.Download` and :class:`~hubpub.source.facts.HubCall` do, in code or
    in a document. A trailing comma stays one, and a keyword gets a line of its own where the last
    argument has one. None where the text is not what the place promises. Whether the function
    takes the keyword, and ``**`` does not already give it, is for the caller to know: both hold
    where the fact is ``written``.
    """
    text = repo.texts.get(call.path)
    if text is None:
        return None
    begin = text.offset(call.span.line, call.span.column)
    end = text.offset(call.span.end_line, call.span.end_column) - 1
    if not begin < end < begin + MAX_CALL or text.text[end] != ")":
        return None
    new = f"{keyword}={value}"
    line = max(begin, text.offset(text.position(end)[0], 1))
    before = text.text[line:end]
    if _PROMPT.match(before):
        before = _PROMPT.sub("", before, count=1)
    if before.strip() or line == begin:
        return _beside(text, call.path, end - len(before) + len(before.rstrip()), new)
    return _below(text, call.path, begin, end, new)


def _beside(text: Text, path: str, at: int, new: str) -> Edit | None:
    """Behind the last argument, which stands on the line of the parenthesis."""
    last = text.text[at - 1 : at]
    if last == "(":
        return _insert(text, path, at, new)
    return _insert(text, path, at, f" {new}," if last == "," else f", {new}")


def _below(text: Text, path: str, begin: int, end: int, new: str) -> Edit | None:
    """On a line of its own, where the parenthesis has one."""
    found = _last(text.text[begin:end])
    if found is None:
        return None
    last, row, column, remark = found
    first = text.position(begin)[0]
    place = text.offset(first + row - 1, 1) + column + (text.position(begin)[1] - 1) * (row == 1)
    if last == "(":
        return _insert(text, path, place, new)
    line = text.line(first + row - 1)
    stop = text.offset(first + row - 1, len(line) + 1)
    if row == 1 or _PROMPT.match(line) or (text.text[place:stop].strip() and not remark):
        return _insert(text, path, place, f" {new}," if last == "," else f", {new}")
    indent = line[: len(line) - len(line.lstrip())]
    if last == ",":
        return _insert(text, path, stop, f"\n{indent}{new},")
    return Edit(path, _span(text, place, stop), f",{text.text[place:stop]}\n{indent}{new}")


def _last(code: str) -> tuple[str, int, int, bool] | None:
    """The last token of an open call: text, row and column of its end, whether a comment follows.

    Rows are 1-based, columns 0-based. None for code that is no such thing, or whose last token is
    a text of several lines.
    """
    found: list[tuple[str, int, int, bool] | None] = [None, None]
    try:
        for token in tokenize.generate_tokens(io.StringIO(f"{code})", newline="").readline):
            if token.type == tokenize.ERRORTOKEN and token.string.strip():
                return None
            whole = token.start[0] == token.end[0]
            if token.type == tokenize.COMMENT:
                found[-1] = found[-1] and (*found[-1][:3], found[-1][1] == token.start[0])
            elif token.type not in _SILENT and token.string.strip():
                found = [found[-1], (token.string, *token.end, False) if whole else None]
    except (tokenize.TokenError, SyntaxError, ValueError):
        return None
    return found[0]


def _insert(text: Text, path: str, at: int, new: str) -> Edit:
    return Edit(path, _span(text, at, at), new)


def _span(text: Text, begin: int, end: int) -> Span:
    return Span(*text.position(begin), *text.position(end))
