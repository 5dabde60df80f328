"""A card against its rules: findings of the same kind as those of ``hubpub check``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hubpub.card import examples, hub, huggingface
from hubpub.card.found import Found
from hubpub.card.reading import Text
from hubpub.card.rules import rules
from hubpub.diagnostic import Diagnostic, Span

_LEFT = re.compile(
    r"TODO\(hubpub\)|<(?:!--\s*)?(?:REQUIRED|OPTIONAL)\b|<!--\s*Only change fields below"
    r"|\[More Information Needed\]"
)
_HTML = re.compile(r"<[A-Za-z/!?]")
_REPEATED = 20
"""How many findings of one rule a card can have."""


def form_of(card: Text) -> str:
    """The format that a card seems to have: a README.md is one of Hugging Face."""
    layout = card.fields.get("layout")
    if layout is not None or card.path.name.lower() != "readme.md":
        return "hub"
    return "huggingface"


def judge(card: Text, form: str, path: str) -> list[Diagnostic]:
    """The findings of a card in a format of :data:`hubpub.card.rules.FORMATS`, sorted.

    Args:
        card: what :func:`hubpub.card.reading.read` gives.
        form: the format that it is to have.
        path: the file, as findings are to name it.
    """
    known = rules()
    counts: dict[str, int] = {}
    shown = []
    for item in _found(card, form):
        rule = known[item.code]
        counts[item.code] = counts.get(item.code, 0) + 1
        if form in rule.formats and counts[item.code] <= _REPEATED:
            help_text = rule.mend if item.help is None else item.help
            shown.append(
                Diagnostic(
                    path, item.at, rule.code, rule.name, rule.severity, item.message, help_text
                )
            )
    return sorted(shown)


def _found(card: Text, form: str) -> Iterator[Found]:
    for fault in card.faults:
        yield Found(fault.code, fault.at, fault.message)
    left = _left(card)
    for at, message in left.values():
        yield Found("CARD028", at, message)
    yield from _html(card, set(left))
    yield from (hub.judge if form == "hub" else huggingface.judge)(card, set(left))
    programs = [examples.run_by_ci(card)] if form == "hub" else examples.shown(card)
    for load in (load for program in programs for load in program.loads):
        if not load.pinned:
            said = f"{load.reference[:100]} is loaded from a branch, which moves"
            yield Found("CARD026", load.at, said)
        if not load.trusted:
            yield Found("CARD027", load.at, f"loading {load.reference[:100]} asks the reader first")


def _left(card: Text) -> dict[int, tuple[Span, str]]:
    """The lines on which something is left to do."""
    found = {}
    for number, line in enumerate(card.lines, start=1):
        match = None if number in card.code else _LEFT.search(line)
        if match:
            end = len(line) + 1
            said = line[match.start() :].strip()[:100]
            found[number] = Span(number, match.start() + 1, number, end), f"left to do: {said}"
    return found


def _html(card: Text, left: set[int]) -> Iterator[Found]:
    for item in card.fields.values():
        if item.at.line not in left and _HTML.search(str(item.value)):
            yield Found("CARD015", item.value_at, f"{item.key[:60]} has HTML in it")
