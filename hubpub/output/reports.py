"""The formats of a verification report: a new one is a file in this folder and a row here."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from hubpub.output.json import dumps

MODULES = {
    "text": "report_text",
    "json": None,
    "markdown": "report_markdown",
    "markdown-comment": "report_comment",
    "html": "report_html",
    "github": "report_github",
    "junit": "report_junit",
    "sarif": "report_sarif",
    "badge": "report_badge",
    "checksums": "report_checksums",
}
"""Format -> the module of this package whose ``render`` says it; None is the report itself."""

FORMATS = tuple(MODULES)
"""The names, the default first."""


def render(name: str, report: Mapping[str, Any], *, color: bool = False) -> str:
    """A report (the documented JSON object) in the format ``name``, one of :data:`FORMATS`."""
    module = MODULES[name]
    if module is None:
        return dumps(report)
    text = importlib.import_module(f"hubpub.output.{module}").render(report, color=color)
    assert isinstance(text, str)  # noqa: S101 - what every module of the table promises
    return text
