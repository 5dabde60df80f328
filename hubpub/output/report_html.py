"""A verification report as one HTML file that needs nothing else: no script, no network."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import jinja2

from hubpub.output.escape import short, visible
from hubpub.output.report_findings import gathered
from hubpub.output.report_results import TALLY_COLUMNS, axes, cost, downloaded, seconds, tally
from hubpub.output.report_text import (
    LOCK_COLUMNS,
    lock_summary,
    not_compared,
    size,
    title,
)

_LONGEST = 1000
"""Characters of one text: a name stands in every row of its results."""


def render(report: Mapping[str, Any], *, color: bool = False) -> str:  # noqa: ARG001
    """The page. Every text is escaped by jinja2, after its control characters were spelled out."""
    return _template().render(
        report=report,
        title=title(report),
        axes=axes(report),
        tally=tally(report),
        tally_columns=TALLY_COLUMNS,
        cost=cost(report),
        downloaded=downloaded(report),
        findings=gathered(report["findings"]),
        lock_columns=LOCK_COLUMNS,
    )


@functools.cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("hubpub.output"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_shown,
    )
    environment.filters["size"] = size
    environment.filters["seconds"] = seconds
    environment.filters["lock_summary"] = lock_summary
    environment.filters["not_compared"] = not_compared
    return environment.get_template("report.html")


def _shown(value: object) -> object:
    """What an expression puts into the page: texts as on a terminal, without controls or bidi."""
    return visible(short(value, _LONGEST)) if type(value) is str else value
