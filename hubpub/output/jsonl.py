"""Findings for a program that reads line by line: version 1 of the contract, one object a line."""

from __future__ import annotations

import json
from collections.abc import Sequence

from hubpub.diagnostic import Diagnostic
from hubpub.output.json import VERSION, fields, safe
from hubpub.output.run import Run


def render(diagnostics: Sequence[Diagnostic], run: Run) -> str:  # noqa: ARG001
    """``{"version": 1, "code": ...}`` and a newline for each finding, in ASCII."""
    return "".join(
        safe(json.dumps({"version": VERSION, **fields(item)})) + "\n" for item in diagnostics
    )
