"""The formats of a comparison of two reports: a new one is a file in this folder and a row here."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from hubpub.output.json import dumps

MODULES = {"text": "comparison_text", "json": None, "markdown": "comparison_markdown"}
"""Format -> the module of this package whose ``render`` says it; None is the object itself."""

FORMATS = tuple(MODULES)
"""The names, the default first."""


def render(name: str, document: Mapping[str, Any], *, color: bool = False) -> str:
    """A comparison (the documented JSON object) in the format ``name``, one of :data:`FORMATS`."""
    module = MODULES[name]
    if module is None:
        return dumps(document)
    text = importlib.import_module(f"hubpub.output.{module}").render(document, color=color)
    assert isinstance(text, str)  # noqa: S101 - what every module of the table promises
    return text
