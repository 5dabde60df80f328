"""The blocks of a Markdown or reStructuredText document, as far as a comment needs them.

A comment may stand before a block and never inside one: within a list, a table, a paragraph or
fenced code it would break what it stands in, or be shown to readers. So a block here is whatever
lies between blank lines, with two exceptions: fenced code and ``<!-- -->`` hold blank lines, and a
list goes on after them.
"""

from __future__ import annotations

import bisect
import re
from dataclasses import dataclass

from hubpub.source.text import Text

_FENCE = re.compile(r"(?:[\s>]|[-*+]\s|\d+[.)]\s)*(`{3,}|~{3,})([^\n]*)")
_ITEM = re.compile(r"\s*(?:[-*+]|\d{1,9}[.)]|#\.|\(\d+\))(?:\s|$)")
_FRONT = re.compile(r"-{3}\s*$")


@dataclass(frozen=True)
class Block:
    """Lines ``first`` to ``last``, 1-based; ``front``: YAML front matter, which must stay first."""

    first: int
    last: int
    front: bool = False


@dataclass(frozen=True)
class Blocks:
    """The blocks of a document in order; ``code`` are the lines inside fences, fences included."""

    blocks: tuple[Block, ...]
    code: frozenset[int]

    def at(self, line: int) -> Block | None:
        """The block that holds ``line``, or the next one where the line is blank."""
        after = bisect.bisect_left(self.blocks, line, key=lambda block: block.last)
        return self.blocks[after] if after < len(self.blocks) else None


def read(text: Text, *, fences: bool = True) -> Blocks:
    """The blocks of a document; ``fences`` is False for reStructuredText, which indents code."""
    found: list[Block] = []
    code: set[int] = set()
    begin = last = 0
    fence = ""
    comment = listed = False
    count = len(text.starts)
    start = _front_matter(text)
    if start:
        found.append(Block(1, start, front=True))
    for number in range(start + 1, count + 1):
        line = text.line(number)
        inside = bool(fence) or comment
        if not line.strip() and not inside:
            continue
        if begin and last < number - 1 and not inside and not _goes_on(line, listed=listed):
            found.append(Block(begin, last))
            begin = 0
        listed = (listed and begin > 0) or (not inside and bool(_ITEM.match(line)))
        begin, last = begin or number, number
        if fences and not comment:
            was = fence
            fence = fence_after(_FENCE.match(line), fence)
            if was or fence:
                code.add(number)
        if fences and not fence:
            comment = _commented(line, open_=comment)
    if begin:
        found.append(Block(begin, last))
    return Blocks(tuple(found), frozenset(code))


def _front_matter(text: Text) -> int:
    """The last line of the front matter; 0 where there is none."""
    if not _FRONT.match(text.line(1)):
        return 0
    for number in range(2, min(len(text.starts), 500) + 1):
        if _FRONT.match(text.line(number)):
            return number
    return 0


def _goes_on(line: str, *, listed: bool) -> bool:
    """Whether ``line``, after blank ones, still belongs to the block before it."""
    return line[:1] in " \t" or (listed and bool(_ITEM.match(line)))


def fence_after(match: re.Match[str] | None, fence: str) -> str:
    """The marks of the fence that is open after a line; empty where none is.

    Args:
        match: of the line: marks and what follows them, if it may open or close a fence.
        fence: the marks of the one that was open before.
    """
    if match is None:
        return fence
    marks, rest = match.groups()
    if not fence:
        # Inline code may begin a line, too; an info string holds no backtick.
        return "" if marks[0] == "`" and "`" in rest else str(marks)
    closes = marks[0] == fence[0] and len(marks) >= len(fence) and not rest.strip()
    return "" if closes else fence


def _commented(line: str, *, open_: bool) -> bool:
    """Whether an HTML comment is open at the end of ``line``."""
    at = 0
    while True:
        at = line.find("-->" if open_ else "<!--", at)
        if at < 0:
            return open_
        at, open_ = at + (3 if open_ else 4), not open_
