"""Colours, in the one place that knows ANSI."""

from __future__ import annotations

from hubpub.diagnostic import Severity

COLORS = {Severity.ERROR: "31", Severity.WARNING: "33", Severity.NOTE: "36"}


def paint(text: str, style: str, *, color: bool) -> str:
    """``text`` in an ANSI style (the numbers, as in ``"1;31"``), where ``color`` is wanted."""
    return f"\x1b[{style}m{text}\x1b[0m" if color and text else text
