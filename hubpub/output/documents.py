"""A documented JSON object, as it is or as a module of this package says it."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from hubpub.output.json import dumps


def said(module: str | None, document: Mapping[str, Any], *, color: bool) -> str:
    """What ``render`` of the module makes of ``document``; None is the object itself, as JSON."""
    if module is None:
        return dumps(document)
    text = importlib.import_module(f"hubpub.output.{module}").render(document, color=color)
    assert isinstance(text, str)  # noqa: S101 - what every module of a table of formats promises
    return text
