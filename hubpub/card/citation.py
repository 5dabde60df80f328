"""What a CITATION.cff says of a publisher: title, authors, licence.

Format: the Citation File Format 1.2.0, https://citation-file-format.github.io
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hubpub.card.filling import Given

NAME = "CITATION.cff"
_MAX_BYTES = 64 << 10
_LONGEST, _MOST = 500, 20


def cited(root: Path) -> Given | None:
    """What the CITATION.cff at ``root`` says; None where there is none that can be read.

    Raises:
        ImportError: PyYAML is not installed.
    """
    try:
        with (root / NAME).open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except (OSError, ValueError):
        return None
    import yaml

    try:
        found = None if len(data) > _MAX_BYTES else yaml.safe_load(data)
    except (yaml.YAMLError, ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    people = found.get("authors")
    named = [_person(item) for item in (people if isinstance(people, list) else [])[:_MOST]]
    return Given(
        title=_text(found.get("title")) or None,
        author=", ".join(name for name in named if name) or None,
        licence=_text(found.get("license")) or None,
    )


def _person(item: Any) -> str:
    """A person, or an entity, which has a ``name``."""
    if not isinstance(item, dict):
        return ""
    parts = [_text(item.get(key)) for key in ("given-names", "name-particle", "family-names")]
    return " ".join(part for part in parts if part) or _text(item.get("name"))


def _text(value: Any) -> str:
    return value.strip()[:_LONGEST] if isinstance(value, str) else ""
