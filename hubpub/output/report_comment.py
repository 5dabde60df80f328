"""A verification report in Markdown for a comment or an issue, whose length GitHub limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hubpub.output.report_markdown import rendered

LIMIT = 60_000
"""Bytes at most. GitHub takes 65,536 characters: this leaves room for words around it."""


def render(report: Mapping[str, Any], *, color: bool = False) -> str:  # noqa: ARG001
    """The summary, with less of what passed where it is long."""
    return rendered(report, LIMIT)
