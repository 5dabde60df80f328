"""The formats of a verification report: a new one is a file in this folder and a row here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hubpub.output.documents import said

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
    return said(MODULES[name], report, color=color)
