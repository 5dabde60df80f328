"""Findings for a program: version 1 of the contract, one JSON object."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from hubpub.diagnostic import Diagnostic, Fix, Span
from hubpub.output.links import rule_url
from hubpub.output.run import Run

VERSION = 1


def render(diagnostics: Sequence[Diagnostic], run: Run) -> str:  # noqa: ARG001
    """``{"version": 1, "diagnostics": [...]}``; 1-based lines and columns in characters."""
    return dumps({"version": VERSION, "diagnostics": [fields(item) for item in diagnostics]})


def dumps(value: object) -> str:
    """JSON in ASCII, so that no byte of a repository reaches a terminal or a log unescaped."""
    return safe(json.dumps(value, indent=2)) + "\n"


def safe(text: str) -> str:
    """The same JSON without ``##[`` and ``##vso[``, which are commands to a CI's log anywhere."""
    return text.replace("##[", "\\u0023#[").replace("##vso[", "\\u0023#vso[")


def fields(item: Diagnostic) -> dict[str, Any]:
    """One finding as the contract has it.

    ``path``, the paths of notes and those of edits are relative to the repository's root; ``root``
    is the way to that root from the directory in which hubpub ran, empty where they are the same.
    """
    return {
        "code": item.code,
        "name": item.name,
        "severity": item.severity.label,
        "message": item.message,
        "root": item.root,
        "path": item.path,
        **_span(item.span),
        "help": item.help,
        "url": rule_url(item.code, item.name),
        "notes": [
            {"path": note.path, **_span(note.span), "message": note.message} for note in item.notes
        ],
        "fix": None if item.fix is None else _fix(item.fix),
    }


def _span(span: Span) -> dict[str, int]:
    return {
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }


def _fix(fix: Fix) -> dict[str, Any]:
    return {
        "safety": "safe" if fix.safe else "unsafe",
        "title": fix.title,
        "edits": [{"path": edit.path, **_span(edit.span), "text": edit.text} for edit in fix.edits],
    }
