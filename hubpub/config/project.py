"""What ``[project]`` of a pyproject.toml says of a publisher, as people wrote it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hubpub.config import _read, parse

_LONGEST = 500
_MOST = 20


@dataclass(frozen=True)
class Said:
    """Texts as they stand there; empty where nothing does."""

    description: str = ""
    authors: tuple[str, ...] = ()
    licence: str = ""


def said(root: Path) -> Said:
    """What the pyproject.toml at ``root`` says; nothing where there is none.

    Raises:
        ConfigError: it cannot be read, or is not TOML.
    """
    name = "pyproject.toml"
    text = _read(root / name, name)
    document = {} if text is None else parse(text, name)
    table = document.get("project")
    if not isinstance(table, dict):
        return Said()
    authors = table.get("authors")
    people = authors[:_MOST] if isinstance(authors, list) else []
    named = [_text(item.get("name")) for item in people if isinstance(item, dict)]
    return Said(
        _text(table.get("description")),
        tuple(name for name in named if name),
        _text(table.get("license")),
    )


def _text(value: Any) -> str:
    return value.strip()[:_LONGEST] if isinstance(value, str) else ""
