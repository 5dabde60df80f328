"""``hubpub rule``: the documentation of rules, as text, Markdown and JSON."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from hubpub.output.json import VERSION, dumps
from hubpub.output.links import rule_url

FAMILIES = {
    "HUB0": "meta",
    "HUB1": "dependencies",
    "HUB2": "entrypoints",
    "HUB3": "references",
    "HUB4": "checkpoints",
    "HUB5": "loading",
    "HUB6": "repository",
}
"""How codes begin -> what the rules of that family are about, in the order of their codes."""
FIXES = {"safe": "safe (`--fix`)", "unsafe": "unsafe (`--unsafe-fixes`)", "none": "none"}
"""Fixability -> how it is shown."""


def family(code: str) -> str:
    """The family of a code; empty where it has none."""
    return FAMILIES.get(code[:4], "")


@dataclass(frozen=True)
class Described:
    """A rule as it is shown; ``document`` is its documentation in Markdown.

    ``fix`` is ``safe``, ``unsafe`` (it changes what users can call) or ``none``; ``since`` the
    version of hubpub that had the rule first.
    """

    code: str
    name: str
    severity: str
    summary: str
    document: str
    family: str = ""
    fix: str = "none"
    since: str = "0.1.0"

    def section(self, heading: str) -> str:
        """The text below a heading of the document; empty where there is no such heading."""
        parts = re.split(r"^## (.+)$", self.document, flags=re.MULTILINE)
        return dict(zip(parts[1::2], parts[2::2], strict=True)).get(heading, "").strip()


def properties(item: Described) -> str:
    """Severity, fix and version in one line of Markdown."""
    return f"Severity: {item.severity} · Fix: {FIXES[item.fix]} · Since: {item.since}"


def render_markdown(item: Described) -> str:
    """One rule, in full."""
    return f"# {item.name} ({item.code})\n\n{properties(item)}\n\n{item.document}\n"


def render_list(items: Sequence[Described]) -> str:
    """One line per rule."""
    width = max((len(item.name) for item in items), default=0)
    return "".join(
        f"{item.code}  {item.name.ljust(width)}  {item.severity.ljust(7)}  {item.summary}\n"
        for item in items
    )


def render_json(items: Sequence[Described]) -> str:
    """Every field of every rule."""
    rules = [asdict(item) | {"url": rule_url(item.code, item.name)} for item in items]
    return dumps({"version": VERSION, "rules": rules})
