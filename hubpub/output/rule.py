"""``hubpub rule``: the documentation of rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from hubpub.output.json import dumps


@dataclass(frozen=True)
class Described:
    """A rule as it is shown; ``document`` is its documentation in Markdown."""

    code: str
    name: str
    severity: str
    summary: str
    document: str


def render_text(item: Described) -> str:
    """One rule, in full, in Markdown."""
    return f"# {item.name} ({item.code})\n\nSeverity: {item.severity}\n\n{item.document}\n"


def render_list(items: Sequence[Described]) -> str:
    """One line per rule."""
    width = max(len(item.name) for item in items)
    return "".join(
        f"{item.code}  {item.name.ljust(width)}  {item.severity.ljust(7)}  {item.summary}\n"
        for item in items
    )


def render_json(items: Sequence[Described]) -> str:
    """Every field of every rule."""
    return dumps({"version": 1, "rules": [asdict(item) for item in items]})
