"""``docs/rules.md`` and the README's list: every rule, from its own documentation."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hubpub.diagnostic import Severity
from hubpub.output.links import anchor
from hubpub.output.rule import FAMILIES, Described, properties

HEAD = """# Rules

<!-- Written by `make rules`; a test fails when stale. -->

Severities: an error means that a documented load fails, or is silently wrong, for everyone; a
warning, that it fails for some users or is unsafe; a note is a convention. A rule's severity is
that of most of its findings; one may be milder where less is known.

Fixes: `hubpub check --fix` applies the safe ones; an unsafe one changes what users can call.
"""
BEGIN, END = "<!-- rules:begin -->", "<!-- rules:end -->"
_PAGE = "docs/rules.md"
_TELLING = 4


def render(items: Sequence[Described]) -> str:
    """For each family a table of its rules, then a section for each."""
    families = _by_family(items)
    contents = "".join(
        f"- [{title} ({prefix}xx)](#{_family_anchor(prefix, title)}): {_counted(len(rules))}\n"
        for prefix, title, rules in families
    )
    return f"{HEAD}\n{contents}" + "".join(
        f"\n## {title} ({prefix}xx)\n\n{_table(rules)}{''.join(map(_section, rules))}"
        for prefix, title, rules in families
    )


def readme(items: Sequence[Described]) -> str:
    """The rules in one row for each family, with links to the page; between its two markers."""
    rows = "".join(
        f"| [{title}]({_PAGE}#{_family_anchor(prefix, title)}) | {prefix}xx | {len(rules)} "
        f"| {', '.join(map(_link, _telling(rules)))} |\n"
        for prefix, title, rules in _by_family(items)
    )
    return (
        f"{BEGIN}\n<!-- Written by `make rules`; a test fails when stale. -->\n\n"
        f"| about | codes | rules | among them |\n| --- | --- | --- | --- |\n{rows}\n{END}"
    )


def placed(text: str, block: str) -> str:
    """``text`` with the part from :data:`BEGIN` to :data:`END` replaced by ``block``.

    Raises:
        ValueError: the markers are not there, once each and in order.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in rest or END in after:
        raise ValueError(f"{BEGIN} and {END} must stand once each, in this order")
    return f"{before}{block}{after}"


def _by_family(items: Sequence[Described]) -> list[tuple[str, str, list[Described]]]:
    """The prefix and the title of each family that has rules, and the rules."""
    found = [
        (prefix, title.capitalize(), [item for item in items if item.code.startswith(prefix)])
        for prefix, title in FAMILIES.items()
    ]
    return [(prefix, title, rules) for prefix, title, rules in found if rules]


def _family_anchor(prefix: str, title: str) -> str:
    return f"{title}-{prefix}xx".lower()


def _counted(count: int) -> str:
    return f"{count} rule{'s' if count != 1 else ''}"


def _table(items: Sequence[Described]) -> str:
    rows = "".join(
        f"| [{item.code}](#{anchor(item.code, item.name)}) | {item.name} | {item.severity} "
        f"| {'' if item.fix == 'none' else item.fix} | {item.summary.replace('|', '&#124;')} |\n"
        for item in items
    )
    return (
        f"| code | name | severity | fix | what it does |\n| --- | --- | --- | --- | --- |\n{rows}"
    )


def _section(item: Described) -> str:
    return f"\n### {item.name} ({item.code})\n\n{properties(item)}\n\n{_lower(item.document)}\n"


def _lower(document: str) -> str:
    """The headings of a rule two levels down, below the rule's own; not what looks so in code."""
    parts = re.split(r"(^```.*?^```$)", document, flags=re.MULTILINE | re.DOTALL)
    parts[::2] = [re.sub(r"^## ", "#### ", part, flags=re.MULTILINE) for part in parts[::2]]
    return "".join(parts)


def _telling(items: Sequence[Described]) -> list[Described]:
    """A few rules of a family: the most severe, by code."""
    worst = sorted(items, key=lambda item: (-Severity.from_label(item.severity), item.code))
    return sorted(worst[:_TELLING], key=lambda item: item.code)


def _link(item: Described) -> str:
    return f"[{item.name}]({_PAGE}#{anchor(item.code, item.name)})"
