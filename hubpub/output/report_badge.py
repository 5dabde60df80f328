"""A verification report as the JSON from which shields.io draws a badge.

The fields are those of https://shields.io/badges/endpoint-badge, which takes no others. Nothing
that a repository wrote is among them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hubpub.output.json import dumps
from hubpub.output.report_results import limits, proven
from hubpub.output.report_text import plural

LABEL = "torch.hub"


def render(report: Mapping[str, Any], *, color: bool = False) -> str:  # noqa: ARG001
    """How many entrypoints are proven, or fail: never more than the report proves.

    Whatever is no proof of the whole release is not green, and is an error to shields, so that
    nobody can colour it by its URL.
    """
    message, shade = _said(report)
    fields: dict[str, Any] = {"schemaVersion": 1, "label": LABEL, "message": message}
    fields["color"] = shade
    if shade != "brightgreen":
        fields["isError"] = True
    return dumps(fields)


def _said(report: Mapping[str, Any]) -> tuple[str, str]:
    """Message and colour."""
    status, counted = report["status"], proven(report)
    if status == "interrupted":
        return "interrupted", "lightgrey"
    if status in {"pass", "fail"} and counted.failing:
        return f"{counted.failing} of {counted.total} fail", "red"
    if status == "error" or not counted.proven:
        return "not proven", "lightgrey"
    if status != "pass":
        return "fails", "red"
    words = plural(counted.total, "entrypoint")
    whole = counted.proven == counted.total
    count = f"{counted.proven}" if whole else f"{counted.proven} of {counted.total}"
    missing = _limits(report)
    message = " ".join([f"{count} {words} proven", *missing])
    return message, "brightgreen" if whole and not missing else "yellow"


def _limits(report: Mapping[str, Any]) -> list[str]:
    """Why this is no proof of what users load."""
    here = report["reference"]["kind"] == "worktree"
    return [*(["in a working tree"] if here else []), *limits(report)]
