"""What a renderer is told besides the findings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


def _no_line(path: str, number: int) -> str:  # noqa: ARG001
    return ""


@dataclass(frozen=True)
class Run:
    """``line`` gives a line (of a location, 1-based) without its end; empty past the end.

    A location is a path from the current directory: :attr:`hubpub.diagnostic.Diagnostic.location`.
    """

    line: Callable[[str, int], str] = _no_line
    color: bool = False
