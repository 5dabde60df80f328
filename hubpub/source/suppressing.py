"""Writing suppression comments: where one can stand, so that nothing else of the file changes."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hubpub.diagnostic import FILE_START, Span
from hubpub.source import blocks, comments, edits
from hubpub.source.edits import Change
from hubpub.source.facts import Comment
from hubpub.source.text import Text

_KEPT_FIRST = re.compile(r"#!|[ \t\f]*#.*?coding[:=][ \t]*[-\w.]+")
"""Lines of a Python file that only count at its very top (PEP 263)."""


def unfit(reason: str) -> str | None:
    """Why ``reason`` cannot be written into every kind of comment; None where it can."""
    if not reason.strip():
        return "it is empty"
    if any(not char.isprintable() for char in reason):
        return "it holds a line end or a control character"
    if "--" in reason:
        return "it holds --, which ends a comment of HTML"
    if "#" in reason:
        return "it holds #, which begins another comment"
    if re.search(r"coding[:=]", reason):
        return "Python would take it for the encoding of the file"
    return None


@dataclass(frozen=True)
class Wanted:
    """A finding to suppress: its code and where it is."""

    code: str
    span: Span


def add(path: str, source: Text, wanted: Sequence[Wanted], reason: str) -> str | None:
    """``source`` with comments that suppress all of ``wanted``; None where none can stand.

    A comment that is there already is extended. Of Python the result has the same tree, of TOML
    the same values; a line that is not blank is never moved into or out of anything.
    """
    name = path.lower()
    place = _PLACES.get(name.rpartition(".")[2])
    if name.endswith(comments.HASHED):
        place = _hashed
    if place is None or not source.text.strip():
        return None
    if any(item.span.line > len(source.starts) for item in wanted):
        return None
    found = comments.read(path, source)
    lines = {item.place.span.line: item for item in reversed(found) if not item.file}
    whole = next((item for item in found if item.file), None)
    codes: dict[int, set[str]] = {}
    for item in wanted:
        line = 0 if item.span == FILE_START else item.span.line
        codes.setdefault(line, set()).add(item.code)
    new = place(_Page(source, lines, whole, reason), codes)
    if new is None or not _same(name, source.text, new):
        return None
    return new


@dataclass(frozen=True)
class _Page:
    """A file to write into; ``lines`` are its comments by line, ``whole`` that for the file."""

    source: Text
    lines: Mapping[int, Comment]
    whole: Comment | None
    reason: str

    def extended(self, comment: Comment, codes: Iterable[str]) -> Change:
        """The change that adds ``codes`` to a comment, and the reason where it is another."""
        span = comment.place.span
        begin = self.source.offset(span.line, span.column)
        end = self.source.offset(span.end_line, span.end_column)
        shown = self.source.text[begin:end]
        head, _, rest = shown.partition("[")
        _, _, tail = rest.partition("]")
        names = list(dict.fromkeys([*comment.selectors, *sorted(codes)]))
        if self.reason not in comment.reason:
            close = "-->" if tail.rstrip().endswith("-->") else ""
            said = tail.rstrip().removesuffix(close).rstrip() if close else tail.rstrip()
            said = f"{said}; {self.reason}" if said.strip() else f" {self.reason}"
            tail = f"{said} {close}".rstrip()
        return begin, end, f"{head}[{', '.join(names)}]{tail}"

    def comment(self, line: int) -> Comment | None:
        """The comment that already speaks for a line; of line 0, that for the file."""
        return self.lines.get(line) or self.lines.get(line - 1) if line else self.whole

    def words(self, codes: Iterable[str], *, whole: bool = False) -> str:
        """What a new comment says."""
        kind = "file-ignore" if whole else "ignore"
        return f"hubpub: {kind}[{', '.join(sorted(codes))}] {self.reason}"

    def made(self, changes: Iterable[Change], grown: Mapping[Comment, set[str]]) -> str:
        """The text with ``changes`` and longer comments; line ends follow the file's own."""
        parts, last = [], 0
        end = edits.newline(self.source.text)
        longer = [self.extended(comment, codes) for comment, codes in grown.items()]
        for begin, stop, new in sorted([*changes, *longer]):
            parts += [self.source.text[last:begin], new.replace("\n", end)]
            last = stop
        return "".join([*parts, self.source.text[last:]])


def _python(page: _Page, wanted: Mapping[int, set[str]]) -> str | None:
    from hubpub.source import logical

    lines = logical.read(page.source)
    if not lines.whole:
        return None
    grouped: dict[int, set[str]] = {}
    for line, codes in wanted.items():
        grouped.setdefault(lines.first.get(line, line), set()).update(codes)
    changes: list[Change] = []
    grown: dict[Comment, set[str]] = {}
    for line, codes in grouped.items():
        above = page.lines.get(line - 1) if line - 1 in lines.alone else None
        there = page.lines.get(line) or above if line else page.whole
        content = page.source.line(line)
        begin = page.source.offset(line, 1)
        if there is not None:
            grown.setdefault(there, set()).update(codes)
        elif line == 0:
            changes.append(_for_file(page, codes, _after_first_lines(page.source), "# ", ""))
        elif line in lines.closed or not content.strip():
            indent = content[: len(content) - len(content.lstrip())]
            changes.append((begin, begin, f"{indent}# {page.words(codes)}\n"))
        else:
            at = begin + len(content.rstrip())
            changes.append((at, begin + len(content), f"  # {page.words(codes)}"))
    return page.made(changes, grown)


def _after_first_lines(source: Text) -> int:
    """The line before which a comment for the whole file may stand."""
    line = 1
    while line <= 2 and _KEPT_FIRST.match(source.line(line)):
        line += 1
    # A cookie on the second line must stay there, whatever the first one is.
    return 3 if line == 1 and _KEPT_FIRST.match(source.line(2)) else line


def _for_file(page: _Page, codes: set[str], line: int, sign: str, close: str) -> Change:
    at = page.source.offset(line, 1)
    return at, at, f"{sign}{page.words(codes, whole=True)}{close}\n"


def _markdown(page: _Page, wanted: Mapping[int, set[str]]) -> str | None:
    return _document(page, wanted, "<!-- ", " -->")


def _dots(page: _Page, wanted: Mapping[int, set[str]]) -> str | None:
    return _document(page, wanted, ".. ", "\n")


def _document(page: _Page, wanted: Mapping[int, set[str]], sign: str, close: str) -> str | None:
    parts = blocks.read(page.source, fences=sign != ".. ")
    front = sum(block.last for block in parts.blocks[:1] if block.front)
    if front >= len(page.source.starts):
        return None
    grouped: dict[int, set[str]] = {}
    for line, codes in wanted.items():
        block = parts.at(line) if line else None
        if line and (block is None or block.front):
            return None
        grouped.setdefault(block.first if block else 0, set()).update(codes)
    changes: list[Change] = []
    grown: dict[Comment, set[str]] = {}
    for line, codes in grouped.items():
        there = page.comment(line)
        if there is not None:
            grown.setdefault(there, set()).update(codes)
        elif line == 0:
            changes.append(_for_file(page, codes, front + 1, sign, close))
        else:
            at = page.source.starts[line - 1]
            changes.append((at, at, f"{sign}{page.words(codes)}{close}\n"))
    return page.made(changes, grown)


def _hashed(page: _Page, wanted: Mapping[int, set[str]]) -> str | None:
    changes: list[Change] = []
    grown: dict[Comment, set[str]] = {}
    for line, codes in wanted.items():
        there = page.comment(line)
        if there is not None:
            grown.setdefault(there, set()).update(codes)
        elif line == 0:
            changes.append(_for_file(page, codes, 1, "# ", ""))
        elif page.source.line(line - 1).endswith("\\"):
            return None
        else:
            content = page.source.line(line)
            indent = content[: len(content) - len(content.lstrip())]
            at = page.source.starts[line - 1]
            changes.append((at, at, f"{indent}# {page.words(codes)}\n"))
    return page.made(changes, grown)


_PLACES = {"py": _python, "md": _markdown, "markdown": _markdown, "rst": _dots}


def _same(name: str, before: str, after: str) -> bool:
    """Whether a file says the same to whoever reads it: only what can be told is."""
    if not name.endswith(".py"):
        return not name.endswith(".toml") or (
            (values := _values(before)) is not None and values == _values(after)
        )
    import ast

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.dump(ast.parse(before)) == ast.dump(ast.parse(after))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False


def _values(content: str) -> str | None:
    import json

    from hubpub import config, errors

    try:
        return json.dumps(config.parse(content, "it"), default=str)
    except (errors.ConfigError, RecursionError):
        return None
