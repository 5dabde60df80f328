"""``docs/rules.md``: every rule, from its own documentation."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hubpub.output.rule import Described

HEAD = """# Rules

<!-- Written by `python -m hubpub rule --all --output-format markdown`; a test fails when stale. -->

Severities: an error means that a documented load fails, or is silently wrong, for everyone; a
warning, that it fails for some users or is unsafe; a note is a convention.

| code | name | severity | what it does |
| --- | --- | --- | --- |
"""


def render(items: Sequence[Described]) -> str:
    """A table of all rules, and a section for each."""
    rows = "".join(
        f"| [{item.code}](#{item.name}-{item.code.lower()}) | {item.name} | {item.severity} "
        f"| {item.summary.replace('|', '&#124;')} |\n"
        for item in items
    )
    sections = "".join(
        f"\n## {item.name} ({item.code})\n\nSeverity: {item.severity}\n\n{_lower(item.document)}\n"
        for item in items
    )
    return f"{HEAD}{rows}{sections}"


def _lower(document: str) -> str:
    """The headings of a rule one level down, below the rule's own."""
    return re.sub(r"^## ", "### ", document, flags=re.MULTILINE)
