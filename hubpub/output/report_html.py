"""A verification report as one HTML file that needs nothing else: no script, no network."""

from __future__ import annotations

import base64
import functools
import hashlib
from collections.abc import Mapping
from typing import Any

import jinja2

from hubpub.output.escape import short, visible
from hubpub.output.report_page import ASKS, counts, decides, entries, groups, idle, verdict
from hubpub.output.report_plots import SHOWN, plots, span
from hubpub.output.report_results import axes, cost, tally
from hubpub.output.report_sources import by_host, by_severity, by_stamp, refused, source
from hubpub.output.report_text import (
    LOCK_COLUMNS,
    lock_summary,
    not_compared,
    partial,
    plural,
    size,
    title,
)

_LONGEST, _NAME = 1000, 200
"""Characters of one text, and of a name where it stands in many rows."""
_KINDS = {"p": "pass", "f": "fail", "w": "fail, does not decide", "s": "skipped"}
_FEW = 10


def render(report: Mapping[str, Any], *, color: bool = False) -> str:  # noqa: ARG001
    """The page. Every text is escaped by jinja2, after its control characters were spelled out."""
    template, style = _template()
    columns = axes(report)
    found = entries(report, columns)
    deciding, left_out = decides(report)
    return template.render(
        report=report,
        style=style,
        # The browser hashes what it finds: the page's one style element and no other is applied.
        style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        title=title(report),
        partial=partial(report),
        verdict=verdict(report, found),
        counts=counts(found),
        deciding=deciding,
        left_out=left_out,
        axes=columns,
        entries=found,
        groups=groups(found),
        idle=idle(found),
        tally=tally(report),
        cost=cost(report),
        plots=plots(report),
        hosts=by_host(report["network"]),
        severities=by_severity(report),
        checkpoints=by_stamp(report["checkpoints"]),
        lock_columns=LOCK_COLUMNS,
        asks=ASKS,
        kinds=_KINDS,
        few=_FEW,
        bars=SHOWN,
    )


@functools.cache
def _template() -> tuple[jinja2.Template, str]:
    """The page's template, and the text of its style."""
    loader = jinja2.PackageLoader("hubpub.output")
    environment = jinja2.Environment(
        loader=loader,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.filters.update(
        size=size,
        span=span,
        source=source,
        refused=refused,
        plural=plural,
        name=_name,
        lock_summary=lock_summary,
        not_compared=not_compared,
    )
    style, _, _ = loader.get_source(environment, "report/page.css")
    return environment.get_template("report.html"), style


def _name(text: str) -> str:
    return short(text, _NAME)


def _shown(value: object) -> object:
    """What an expression puts into the page: texts as on a terminal, without controls or bidi."""
    return visible(short(value, _LONGEST)) if type(value) is str else value
