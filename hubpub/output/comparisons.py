"""The formats of a comparison of two reports: a new one is a file in this folder and a row here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hubpub.output.documents import said

MODULES = {"text": "comparison_text", "json": None, "markdown": "comparison_markdown"}
"""Format -> the module of this package whose ``render`` says it; None is the object itself."""

FORMATS = tuple(MODULES)
"""The names, the default first."""


def render(name: str, document: Mapping[str, Any], *, color: bool = False) -> str:
    """A comparison (the documented JSON object) in the format ``name``, one of :data:`FORMATS`."""
    return said(MODULES[name], document, color=color)
