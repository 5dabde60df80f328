"""The parts that the cards of both formats have: the example, the entrypoints, the proof."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hubpub.card.escaping import block, code, heading, literal, paragraph, prose, text
from hubpub.card.filling import Card, Ran, Shown, Weights
from hubpub.output.report_text import size

MOST = 100
"""So many entrypoints, checkpoints or reasons are shown before the rest is counted."""
_DOCSTRING_LINES, _DOCSTRING = 80, 6000
_PRETRAINED = "pretrained"
_CALLED = {"default": "", _PRETRAINED: ", pretrained=True"}
"""The cases of which the report alone says with which arguments they were called."""


def example(card: Card) -> list[str]:
    """A program that loads one proven entrypoint, and shows as comments how to load the others."""
    calls = [
        f"torch.hub.load({literal(card.reference)}, {literal(item.name)}{extra}, trust_repo=True)"
        for item, extra in sorted(_callable(card), key=lambda pair: pair[1] == "")
    ]
    if not calls:
        return []
    more = [f"# or: model = {call}" for call in calls[1:20]]
    left = [f"# and {len(calls) - 20} more, below"] if len(calls) > 20 else []
    return ["```python", "import torch", "", f"model = {calls[0]}", *more, *left, "```", ""]


def _callable(card: Card) -> Iterator[tuple[Shown, str]]:
    for item in card.shown:
        best = next((case for case in (_PRETRAINED, "default") if case in item.cases), None)
        if best is not None and len(item.name) <= 200:
            yield item, _CALLED[best]


def sections(card: Card, level: int) -> list[str]:
    """Everything that follows the description, with headings of ``level``."""
    mark = "#" * level
    lines = [f"{mark} Entrypoints", ""]
    for item in card.shown[:MOST]:
        lines += [f"{mark}# {heading(item.name)}", "", *_entrypoint(item)]
    lines += _counted(len(card.shown), "entrypoints")
    if card.weights:
        lines += [f"{mark} Checkpoints", "", *_table(_WEIGHTS, map(_weights, card.weights[:MOST]))]
        lines += _counted(len(card.weights), "checkpoints")
    lines += [f"{mark} What was verified", "", *_proof(card)]
    if card.unproven or card.remarks:
        lines += [f"{mark} What was not verified", ""]
        lines += [f"- {paragraph(remark)}" for remark in card.remarks]
        lines += [f"- {paragraph(what)}: {text(why)}" for what, why in card.unproven[:MOST]]
        lines += ["", *_counted(len(card.unproven), "reasons")]
    return lines


def _counted(number: int, noun: str) -> list[str]:
    return [f"{number - MOST} more {noun} are in the report.", ""] if number > MOST else []


def _entrypoint(item: Shown) -> Iterator[str]:
    if item.summary:
        yield prose(item.summary)
        yield ""
    if item.arguments:
        shown = [
            f"{code(name)}{' (optional)' if optional else ''}"
            for name, optional in item.arguments[:MOST]
        ]
        yield f"Arguments: {', '.join(shown)}."
        yield ""
    rest = block(item.rest, _DOCSTRING_LINES, _DOCSTRING)
    if rest:
        yield "Its documentation says further:"
        yield ""
        yield rest
        yield ""
    claims = dict.fromkeys(run.claim for run in item.results if run.claim)
    if claims:
        yield f"Says of itself: {'; '.join(text(claim) for claim in list(claims)[:10])}."
        yield ""


_WEIGHTS = ("file", "size", "sha256", "used by", "from")


def _weights(item: Weights) -> list[str]:
    return [
        code(item.filename),
        size(item.size),
        f"`{item.sha256}`",
        ", ".join(map(code, item.used_by[:20])),
        ", ".join(map(code, item.places[:5])),
    ]


def _table(columns: Sequence[str], rows: Iterator[list[str]]) -> list[str]:
    lines = [columns, ["---"] * len(columns), *rows]
    return [*(f"| {' | '.join(cells)} |" for cells in lines), ""]


def _proof(card: Card) -> Iterator[str]:
    environment = card.environment
    commit = f", commit `{card.commit}`" if card.commit else ""
    torch = f"torch {environment['torch']}" if environment["torch"] else "torch that did not start"
    where = "without a sandbox" if card.tier == "none" else f"in a sandbox ({text(card.tier, 40)})"
    yield (
        f"`{card.reference}`{commit}, by hubpub {text(environment['hubpub'], 40)} with the loader "
        f"of {text(torch, 60)}, Python {text(environment['python'], 40)}, on "
        f"{text(environment['platform'], 100)}, {where}."
    )
    yield ""
    rows = [_run(item, run) for item in card.shown for run in item.results]
    yield from _table(_RUN, iter(rows[: 2 * MOST]))
    if len(rows) > 2 * MOST:
        yield f"{len(rows) - 2 * MOST} more results are in the report."
        yield ""
    yield f"To repeat it: `hubpub verify {card.reference}`"
    yield ""


_RUN = ("entrypoint", "case", "device", "passed", "failed", "not judged")


def _run(item: Shown, run: Ran) -> list[str]:
    return [
        code(item.name),
        code(run.case),
        code(run.device),
        ", ".join(map(code, run.passed)),
        ", ".join(f"{code(name)} ({text(reason, 200)})" for name, reason in run.failed),
        ", ".join(code(name) for name, _ in run.skipped),
    ]
