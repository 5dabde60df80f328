"""A verification report's findings as workflow commands, beside the code of a pull request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hubpub.diagnostic import Diagnostic, Severity, Span
from hubpub.output import github
from hubpub.output.escape import short
from hubpub.output.report_findings import gathered
from hubpub.output.run import Run

_LONGEST = 4000


def render(report: Mapping[str, Any], *, color: bool = False) -> str:  # noqa: ARG001
    """One command for each finding, as :mod:`hubpub.output.github` writes those of a check."""
    return github.render(
        [_diagnostic(item) for item in gathered(report["findings"])], Run(lambda *_: "")
    )


def _diagnostic(item: Mapping[str, Any]) -> Diagnostic:
    return Diagnostic(
        path=short(item["path"], _LONGEST),
        span=Span(item["line"], item["column"], item["end_line"], item["end_column"]),
        code=short(item["code"], _LONGEST),
        name=short(item["name"], _LONGEST),
        severity=Severity.from_label(item["severity"]),
        message=short(item["message"], _LONGEST),
        help=None if item["help"] is None else short(item["help"], _LONGEST),
    )
