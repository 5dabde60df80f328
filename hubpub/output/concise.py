"""Findings one per line, for editors and grep."""

from __future__ import annotations

from collections.abc import Sequence

from hubpub.diagnostic import Diagnostic
from hubpub.output.escape import visible
from hubpub.output.run import Run
from hubpub.output.text import COLORS, paint


def render(diagnostics: Sequence[Diagnostic], run: Run) -> str:
    """``path:line:column: severity[CODE] message``."""
    return "".join(
        f"{visible(item.location)}:{item.span.line}:{item.span.column}: "
        f"{paint(f'{item.severity.label}[{item.code}]', COLORS[item.severity], run)} "
        f"{visible(item.message)}\n"
        for item in diagnostics
    )
