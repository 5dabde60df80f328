"""Findings one per line, for editors and grep."""

from __future__ import annotations

from collections.abc import Sequence

from hubpub.diagnostic import Diagnostic
from hubpub.output.escape import visible
from hubpub.output.run import Run
from hubpub.output.style import COLORS, paint


def render(diagnostics: Sequence[Diagnostic], run: Run) -> str:
    """``path:line:column: severity[CODE] message``."""
    return "".join(
        f"{visible(f'{item.location}:{item.span.line}:{item.span.column}')}: "
        f"{_label(item, run)} {visible(item.message)}\n"
        for item in diagnostics
    )


def _label(item: Diagnostic, run: Run) -> str:
    label = f"{item.severity.label}[{item.code}]"
    return paint(label, COLORS[item.severity], color=run.color)
