"""The Python of a card: what CI takes out of it, and the calls of torch.hub.load in it."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hubpub.card.reading import Text
from hubpub.card.rules import data
from hubpub.diagnostic import Span

_BEGIN, _END = "```python", "```"
_WORDS = {"python", "py", "python3"}
_MOVING = {"main", "master", "develop", "dev"}
_REFERENCE = re.compile(r"[\w.-]+/[\w.-]+(?::(.*))?", re.DOTALL)


@dataclass(frozen=True)
class Load:
    """A call of ``torch.hub.load``; ``ref`` None where none is named, and ``trusted`` whether."""

    at: Span
    reference: str
    ref: str | None
    trusted: bool

    @property
    def pinned(self) -> bool:
        """Whether a ref is named that is not one of the usual branches."""
        return self.ref not in {None, "", *_MOVING}


@dataclass(frozen=True)
class Program:
    """Code of a card with its own line numbers; ``loads`` are empty where it has an ``error``."""

    empty: bool
    loads: tuple[Load, ...] = ()
    error: tuple[Span, str] | None = None


def run_by_ci(card: Text) -> Program:
    """The program that pytorch/hub makes of a card: as ``sed`` does, whatever Markdown says."""
    lines, inside = [], False
    for number, line in enumerate(card.lines, start=1):
        begins = not inside and line.startswith(_BEGIN) and number >= card.body
        ends = inside and line.startswith(_END)
        lines.append(line if inside and not ends else "")
        inside = begins or (inside and not ends)
    return _program(lines)


def shown(card: Text) -> Iterator[Program]:
    """Each block that is marked as Python, by itself; those that do not compile have no loads."""
    for block in card.fenced:
        if block.word.lower() in _WORDS:
            inner = range(block.line, block.last - 1)
            yield _program(
                [card.lines[index] if index in inner else "" for index in range(block.last)]
            )


def not_run(card: Text) -> Iterator[int]:
    """The 1-based lines of fences that say Python and that CI does not see."""
    for block in card.fenced:
        if block.word.lower() in _WORDS and not card.lines[block.line - 1].startswith(_BEGIN):
            yield block.line


def _program(lines: list[str]) -> Program:
    if not any(line.strip() for line in lines):
        return Program(empty=True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse("\n".join(lines))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return Program(empty=False, error=_error(error, lines))
    return Program(empty=False, loads=tuple(_loads(tree, lines)))


def _error(error: Exception, lines: list[str]) -> tuple[Span, str]:
    """Where a program does not compile, and why; its first line where that is not said."""
    line = min(getattr(error, "lineno", None) or 1, len(lines))
    column = getattr(error, "offset", None) or 1
    if not lines[line - 1].strip():
        first = (number for number, text in enumerate(lines, start=1) if text.strip())
        line, column = next(first), 1
    width = len(lines[line - 1]) + 1
    said = getattr(error, "msg", None) or str(error) or type(error).__name__
    return Span(line, min(max(column, 1), width), line, width), str(said)[:200]


def _loads(tree: ast.Module, lines: list[str]) -> Iterator[Load]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not _is_load(node.func):
            continue
        given = {word.arg: word.value for word in node.keywords}
        first = node.args[0] if node.args else given.get("repo_or_dir")
        local = isinstance(it := given.get("source"), ast.Constant) and it.value == "local"
        if local or not isinstance(first, ast.Constant) or not isinstance(first.value, str):
            continue
        found = _REFERENCE.fullmatch(first.value)
        if found:
            owner = first.value.partition("/")[0]
            trusted = _trusted(given, known=owner in data()["trusted-owners"])
            yield Load(_place(first, lines), first.value, found.group(1), trusted)


def _trusted(given: Mapping[str | None, ast.expr], *, known: bool) -> bool:
    """Whether nobody is asked; what is no literal, or hidden behind ``**``, is taken to say so."""
    trust = given.get("trust_repo")
    if trust is None:
        return known or None in given
    return (
        not isinstance(trust, ast.Constant)
        or trust.value is True
        or (known and trust.value is not False)
    )


def _is_load(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Attribute)
        and node.attr == "load"
        and (
            (isinstance(node.value, ast.Attribute) and node.value.attr == "hub")
            or (isinstance(node.value, ast.Name) and node.value.id == "hub")
        )
    )


def _place(node: ast.expr, lines: list[str]) -> Span:
    """The span of a node; ast counts columns in bytes."""
    end_line = node.end_lineno or node.lineno
    end = node.end_col_offset or node.col_offset
    return Span(
        node.lineno,
        _characters(lines[node.lineno - 1], node.col_offset) + 1,
        end_line,
        _characters(lines[end_line - 1], end) + 1,
    )


def _characters(line: str, offset: int) -> int:
    return len(line.encode()[:offset].decode("utf-8", "ignore"))
