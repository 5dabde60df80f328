"""A verification report's findings as workflow commands, beside the code of a pull request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hubpub.diagnostic import Diagnostic, Severity, Span
from hubpub.output import github
from hubpub.output.run import Run


def render(report: Mapping[str, Any], *, color: bool = False) -> str:  # noqa: ARG001
    """One command for each finding, as :mod:`hubpub.output.github` writes those of a check."""
    return github.render([_diagnostic(item) for item in report["findings"]], Run(lambda *_: ""))


def _diagnostic(item: Mapping[str, Any]) -> Diagnostic:
    return Diagnostic(
        path=item["path"],
        span=Span(item["line"], item["column"], item["end_line"], item["end_column"]),
        code=item["code"],
        name=item["name"],
        severity=Severity.from_label(item["severity"]),
        message=item["message"],
        help=item["help"],
    )
