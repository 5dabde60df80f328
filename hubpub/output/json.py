"""Findings for a program: version 1 of the contract, one JSON object."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from hubpub.diagnostic import Diagnostic
from hubpub.output.run import Run


def render(diagnostics: Sequence[Diagnostic], run: Run) -> str:  # noqa: ARG001
    """``{"version": 1, "diagnostics": [...]}``; 1-based lines and columns in characters."""
    shown = {"version": 1, "diagnostics": [fields(item) for item in diagnostics]}
    return dumps(shown)


def dumps(value: object) -> str:
    """JSON in ASCII, so that no byte of a repository reaches a terminal or a log unescaped."""
    return json.dumps(value, indent=2) + "\n"


def fields(item: Diagnostic) -> dict[str, Any]:
    """One finding as the contract has it."""
    return {
        "code": item.code,
        "name": item.name,
        "severity": item.severity.label,
        "message": item.message,
        "root": item.root,
        "path": item.path,
        "line": item.span.line,
        "column": item.span.column,
        "end_line": item.span.end_line,
        "end_column": item.span.end_column,
        "help": item.help,
        "notes": [
            {
                "path": note.path,
                "line": note.span.line,
                "column": note.span.column,
                "message": note.message,
            }
            for note in item.notes
        ],
        "fix": None if item.fix is None else _fix(item),
    }


def _fix(item: Diagnostic) -> dict[str, Any]:
    assert item.fix is not None  # noqa: S101 - asked for only where there is one
    return {"safety": "safe" if item.fix.safe else "unsafe", "title": item.fix.title}
