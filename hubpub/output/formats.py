"""The formats of ``hubpub check``: a new one is a file in this folder and a row in this table."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Sequence
from dataclasses import replace

from hubpub.diagnostic import Diagnostic
from hubpub.output.run import Run

MODULES = {
    "full": "text",
    "concise": "concise",
    "json": "json",
    "jsonl": "jsonl",
    "github": "github",
    "gitlab": "gitlab",
    "sarif": "sarif",
    "junit": "junit",
    "markdown": "markdown",
}
"""Format -> the module of this package whose ``render`` says it."""

FORMATS = tuple(MODULES)
"""The names, the default first."""


def render(name: str, diagnostics: Sequence[Diagnostic], run: Run) -> str:
    """The findings in the format ``name``, one of :data:`FORMATS`; ends with a newline or is empty.

    Only the module of that format is imported.
    """
    # Many findings can lie on one line of many megabytes, which is cut out of its file only once.
    kept = replace(run, line=functools.lru_cache(maxsize=64)(run.line))
    text = importlib.import_module(f"hubpub.output.{MODULES[name]}").render(diagnostics, kept)
    assert isinstance(text, str)  # noqa: S101 - what every module of the table promises
    return text
