"""The comments that suppress findings: in Python, in documents, and behind ``#`` elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hubpub.diagnostic import Span
from hubpub.source import blocks
from hubpub.source.facts import Comment, Place
from hubpub.source.text import Text

# Bounded wherever a search can fail late: a line of megabytes may hold nothing but beginnings.
_WORDS = r"hubpub:[ \t]*(file-)?ignore\[([^\]\n\r]{0,500})\]"
_HASH = re.compile(rf"#[ \t]*{_WORDS}((?:(?!\s#)[^\n\r])*)")
_HTML = re.compile(rf"<!--[ \t]*{_WORDS}()")
_DOTS = re.compile(rf"^\.\.[ \t]+{_WORDS}([^\n\r]*)", re.MULTILINE)

_MAX_REASON = 1000

MARKDOWN = (".md", ".markdown")
HASHED = (".toml", ".txt", ".cfg", ".ini", ".in", ".yml", ".yaml", ".gitattributes", ".gitmodules")
"""How the names of files end that are read and whose comments begin with ``#``; Python aside."""


def read(path: str, text: Text) -> tuple[Comment, ...]:
    """The comments of a file that suppress findings; none where the file can hold none."""
    if "hubpub:" not in text.text:
        return ()
    name = path.lower()
    if name.endswith(".py"):
        return tuple(_python(path, text))
    if name.endswith(MARKDOWN):
        return tuple(_document(path, text, _HTML, fences=True))
    if name.endswith(".rst"):
        return tuple(_document(path, text, _DOTS, fences=False))
    return tuple(_hashed(path, text)) if name.endswith(HASHED) else ()


def _python(path: str, text: Text) -> Iterator[Comment]:
    from hubpub.source import logical

    lines = logical.read(text)
    ends = lines.spoken_for()
    for row, (column, shown) in lines.comments.items():
        for match in _HASH.finditer(shown):
            begin, end = column + match.start(), column + match.start() + len(_shown(match))
            last = max(row, ends[row])
            yield _comment(path, match, (row, begin, end), last, match.group(3).strip())


def _document(path: str, text: Text, form: re.Pattern[str], *, fences: bool) -> list[Comment]:
    rows: dict[int, list[re.Match[str]]] = {}
    for match in form.finditer(text.text):
        rows.setdefault(text.position(match.start())[0], []).append(match)
    parts = blocks.read(text, fences=fences) if rows else None
    if parts is None:
        return []
    found: list[Comment] = []
    ends: dict[int, int] = {}
    kept = [block for block in parts.blocks if not block.front]
    for row in sorted(rows.keys() - parts.code, reverse=True):
        line, start, ticks, at = text.line(row), text.starts[row - 1], 0, 0
        while len(kept) > 1 and kept[-2].last > row:
            kept.pop()
        last = row
        if len(rows[row]) == 1 and not line[: rows[row][0].start() - start].strip():
            end = _end(line, rows[row][0].end() - start, fences=fences)
            if end and not line[end:].strip():
                following = kept[-1].last if kept else row
                last = ends[row] = ends.get(row + 1, max(row, following))
        for match in rows[row]:
            begin = match.start() - start
            end = _end(line, match.end() - start, fences=fences)
            ticks, at = ticks + line.count("`", at, begin), begin
            if end and ticks % 2 == 0:  # else an example, in a page about comments
                reason = line[match.end() - start : end].removesuffix("-->").strip()
                found.append(_comment(path, match, (row, begin + 1, end + 1), last, reason))
    return found[::-1]


def _end(line: str, begin: int, *, fences: bool) -> int:
    """Where the comment ends whose words end at ``begin``; 0 where it does not on this line."""
    if not fences:
        return len(line.rstrip())
    sign = line.find("-->", begin, begin + _MAX_REASON)
    return sign + 3 if sign >= 0 else 0


def _hashed(path: str, text: Text) -> Iterator[Comment]:
    following = 0
    for number in range(len(text.starts), 0, -1):
        line = text.line(number)
        at = quotes = 0
        for match in _HASH.finditer(line):
            quotes += line.count('"', at, match.start()) + line.count("'", at, match.start())
            at = match.start()
            if quotes % 2:
                continue
            alone = not line[: match.start()].strip()
            place = (number, match.start() + 1, match.start() + len(_shown(match)) + 1)
            last = max(following if alone else number, number)
            yield _comment(path, match, place, last, match.group(3).strip())
            break  # what follows on the line is behind the sign of a comment already
        following = following if line.lstrip().startswith("#") else number


def _shown(match: re.Match[str]) -> str:
    return match.group().rstrip()


def _comment(
    path: str, match: re.Match[str], place: tuple[int, int, int], last: int, reason: str
) -> Comment:
    row, begin, end = place
    whole = bool(match.group(1))
    return Comment(
        Place(path, Span(row, begin, row, end)),
        tuple(dict.fromkeys(part.strip() for part in match.group(2).split(",") if part.strip())),
        reason,
        whole,
        range(0) if whole else range(row, last + 1),
    )
