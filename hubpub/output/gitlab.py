"""Findings as a Code Quality report, which GitLab shows in a merge request."""

from __future__ import annotations

from collections.abc import Sequence

from hubpub.diagnostic import Diagnostic, Severity
from hubpub.output.escape import visible
from hubpub.output.fingerprint import fingerprints
from hubpub.output.json import dumps
from hubpub.output.run import Run

SEVERITIES = {Severity.ERROR: "critical", Severity.WARNING: "major", Severity.NOTE: "info"}


def render(diagnostics: Sequence[Diagnostic], run: Run) -> str:
    """A JSON array of issues; paths are relative to where hubpub ran, the project's root in CI."""
    marks = fingerprints(diagnostics, run)
    return dumps(
        [
            {
                "description": visible(f"{item.code} {item.name}: {item.message}"),
                "check_name": item.code,
                "fingerprint": mark,
                "severity": SEVERITIES[item.severity],
                "location": {
                    "path": visible(item.location),
                    "lines": {"begin": item.span.line, "end": item.span.end_line},
                },
            }
            for item, mark in zip(diagnostics, marks, strict=True)
        ]
    )
