"""The least Python that a project declares, from its own files. They are hostile and bounded."""

from __future__ import annotations

import bisect
import re

from hubpub.diagnostic import Span
from hubpub.source import facts
from hubpub.source.facts_loading import DeclaredPython
from hubpub.source.files import Files
from hubpub.source.text import Text, Unreadable, decode

MAX_BYTES = 1 << 20
"""Larger project files are not read (bytes)."""

_TABLE = re.compile(r"^[ \t]*\[+([^\[\]\r\n]{1,100})\]+", re.MULTILINE)
# One key of one line is wanted: patterns see no more of a hostile file than a line at a time.
_TEXT = r"[ \t]*=[ \t]*[\"']([^\"'\r\n]{1,80})[\"']"
_PROJECT = re.compile(rf"^[ \t]*requires-python{_TEXT}", re.MULTILINE)
_POETRY = re.compile(rf"^[ \t]*python{_TEXT}", re.MULTILINE)
_CFG = re.compile(r"^python[_-]requires[ \t]*=[ \t]*([^\r\n#;]{1,80})", re.MULTILINE)
_SETUP = re.compile(rf"^[^#\r\n]{{0,200}}?\bpython_requires{_TEXT}", re.MULTILINE)

_FILES: tuple[tuple[str, str, re.Pattern[str]], ...] = (
    ("pyproject.toml", "project", _PROJECT),
    ("pyproject.toml", "tool.poetry.dependencies", _POETRY),
    ("setup.cfg", "options", _CFG),
    ("setup.py", "", _SETUP),
)
"""File, table (empty for none) and pattern, the first that says something wins."""


def read(files: Files) -> DeclaredPython | None:
    """The least Python of ``requires-python``, or of what came before it; None without one."""
    for path, table, pattern in _FILES:
        if not files.is_file(path):
            continue
        data = files.data(path, MAX_BYTES)
        text = data if isinstance(data, Unreadable) else decode(data)
        if isinstance(text, Unreadable):
            continue
        found = _find(path, text, table, pattern)
        if found is not None:
            return found
    return None


def _find(path: str, text: Text, table: str, pattern: re.Pattern[str]) -> DeclaredPython | None:
    tables = [(0, ""), *((match.start(), match.group(1)) for match in _TABLE.finditer(text.text))]
    starts = [start for start, _ in tables]
    for match in pattern.finditer(text.text):
        name = tables[bisect.bisect_right(starts, match.start()) - 1][1].strip()
        minimum = least(match.group(1))
        if minimum is not None and (name == table or not table):
            start, end = text.position(match.start(1)), text.position(match.end(1))
            place = facts.Place(path, Span(*start, *end))
            return DeclaredPython(minimum, match.group(1).strip(), place)
    return None


_CLAUSE = re.compile(r"(>=|~=|===?|>|\^|~|<=?|!=)?[ \t]*v?(\d{1,3})(?:\.(\d{1,3}|\*))?")


def least(specifier: str) -> tuple[int, int] | None:
    """The least (major, minor) that a specifier admits; None where it sets no lower bound.

    Understands PEP 440 clauses, and the caret and tilde of poetry. Alternatives (``||``) are not
    followed.
    """
    if "|" in specifier:
        return None
    found: list[tuple[int, int]] = []
    for clause in specifier.split(",")[:20]:
        match = _CLAUSE.match(clause.strip())
        if match is None or match.group(1) in {"<", "<=", "!="}:
            continue
        minor = match.group(3)
        number = (int(match.group(2)), int(minor) if minor and minor != "*" else 0)
        # `>3.6` admits 3.6.1, so that the bound is the same as that of `>=3.6`.
        found.append(number)
    return max(found) if found else None
