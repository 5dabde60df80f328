"""Rules as the output room shows them, which may not look at the rules itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from hubpub import rules
from hubpub.output.rule import Described, family

if TYPE_CHECKING:
    from hubpub.card.rules import Rule as CardRule


def described(item: rules.Rule) -> Described:
    """One rule."""
    return Described(
        item.code,
        item.name,
        item.severity.label,
        item.summary,
        item.document,
        family(item.code),
        item.fixability,
        item.since,
    )


def by_code(codes: Iterable[str]) -> Mapping[str, Described]:
    """The rules of these codes; a code that no rule has is left out."""
    wanted = set(codes)
    return {item.code: described(item) for item in rules.all_rules() if item.code in wanted}


def of_cards(item: CardRule) -> Described:
    """A rule of cards."""
    severity = item.severity.label
    return Described(item.code, item.name, severity, item.what, item.document, "card")
