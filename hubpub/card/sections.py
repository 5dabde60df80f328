"""The parts that the cards of both formats have: the example, the entrypoints, the proof."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from hubpub.card.escaping import block, code, heading, literal, paragraph, prose, text
from hubpub.card.filling import Card, Ran, Shown, Weights
from hubpub.output.report_text import size

_PRETRAINED = "pretrained"
_CALLED = {"default": "", _PRETRAINED: ", pretrained=True"}
"""The cases of which the report alone says with which arguments they were called."""
_CALLS, _NAME = 10, 80
_WEIGHTS = ("file", "size", "sha256", "used by", "from")
_RUN = ("entrypoint", "case", "device", "passed", "failed", "not judged")


@dataclass(frozen=True)
class Bounds:
    """How many of anything are shown, and how long a text may be (characters).

    ``prose`` is for a paragraph, ``docstring`` for what follows the first one.
    """

    most: int
    text: int
    prose: int
    docstring: int


BOUNDS = (
    Bounds(100, 300, 1500, 4000),
    Bounds(100, 200, 600, 600),
    Bounds(30, 150, 600, 400),
    Bounds(10, 80, 300, 200),
    Bounds(2, 40, 150, 100),
)
"""From wide to narrow; with the last one any card is short enough to be read again."""


def example(card: Card) -> list[str]:
    """A program that loads one proven entrypoint, and shows as comments how to load the others."""
    calls = [
        f"torch.hub.load({literal(card.reference)}, {literal(item.name)}{extra}, trust_repo=True)"
        for item, extra in sorted(_callable(card), key=lambda pair: pair[1] == "")
    ]
    if not calls:
        return []
    more = [f"# or: model = {call}" for call in calls[1:_CALLS]]
    left = len(calls) - _CALLS
    rest = [f"# and {left} more, below"] if left > 0 else []
    return ["```python", "import torch", "", f"model = {calls[0]}", *more, *rest, "```", ""]


def _callable(card: Card) -> Iterator[tuple[Shown, str]]:
    for item in card.shown:
        best = next((case for case in (_PRETRAINED, "default") if case in item.cases), None)
        if best is not None and len(item.name) <= _NAME:
            yield item, _CALLED[best]


def sections(card: Card, level: int, bounds: Bounds) -> list[str]:
    """Everything that follows the description, with headings of ``level``."""
    mark = "#" * level
    lines = [f"{mark} Entrypoints", ""]
    for item in card.shown[: bounds.most]:
        lines += [f"{mark}# {heading(item.name)}", "", *_entrypoint(item, bounds)]
    lines += _counted(len(card.shown), bounds.most, "entrypoints")
    if card.weights:
        rows = [_weights(item, bounds) for item in card.weights[: bounds.most]]
        lines += [f"{mark} Checkpoints", "", *_table(_WEIGHTS, rows)]
        lines += _counted(len(card.weights), bounds.most, "checkpoints")
    lines += [f"{mark} What was verified", "", *_proof(card, bounds)]
    if card.unproven or card.remarks:
        lines += [f"{mark} What was not verified", ""]
        lines += [f"- {paragraph(remark)}" for remark in card.remarks]
        lines += [
            f"- {paragraph(what, bounds.text)}: {text(why, bounds.text)}"
            for what, why in card.unproven[: bounds.most]
        ]
        lines += ["", *_counted(len(card.unproven), bounds.most, "reasons")]
    return lines


def _counted(number: int, most: int, noun: str) -> list[str]:
    return [f"{number - most} more {noun} are in the report.", ""] if number > most else []


def _entrypoint(item: Shown, bounds: Bounds) -> Iterator[str]:
    if item.summary:
        yield prose(item.summary, bounds.prose)
        yield ""
    if item.arguments:
        shown = [
            f"{code(name, bounds.text)}{' (optional)' if optional else ''}"
            for name, optional in item.arguments[: bounds.most]
        ]
        left = len(item.arguments) - len(shown)
        yield f"Arguments: {', '.join(shown)}{f' and {left} more' if left else ''}."
        yield ""
    rest = block(item.rest, 80, bounds.docstring)
    if rest:
        yield "Its documentation says further:"
        yield ""
        yield rest
        yield ""
    claims = list(dict.fromkeys(run.claim for run in item.results if run.claim))
    if claims:
        yield f"Says of itself: {'; '.join(text(claim, bounds.text) for claim in claims[:3])}."
        yield ""


def _weights(item: Weights, bounds: Bounds) -> list[str]:
    return [
        code(item.filename, bounds.text),
        size(item.size),
        f"`{item.sha256}`",
        _several(item.used_by, min(20, bounds.most), bounds),
        _several(item.places, 3, bounds),
    ]


def _several(names: Sequence[str], most: int, bounds: Bounds) -> str:
    shown = [code(name, bounds.text) for name in names[:most]]
    left = len(names) - len(shown)
    return ", ".join([*shown, *([f"{left} more"] if left else [])])


def _table(columns: Sequence[str], rows: Iterable[list[str]]) -> list[str]:
    lines = [columns, ["---"] * len(columns), *rows]
    return [*(f"| {' | '.join(cells)} |" for cells in lines), ""]


def _proof(card: Card, bounds: Bounds) -> Iterator[str]:
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
    if card.local:
        yield "It was read from a local repository: whether GitHub has the same was not looked at."
        yield ""
    runs = [(item, run) for item in card.shown for run in item.results]
    yield from _table(_RUN, [_run(item, run, bounds) for item, run in runs[: bounds.most]])
    yield from _counted(len(runs), bounds.most, "results")
    yield f"To repeat it: `hubpub verify {card.reference}`"
    yield ""


def _run(item: Shown, run: Ran, bounds: Bounds) -> list[str]:
    failed = [f"{code(name, 40)} ({text(why, bounds.text)})" for name, why in run.failed[:12]]
    return [
        code(item.name, bounds.text),
        code(run.case, bounds.text),
        code(run.device, bounds.text),
        ", ".join(code(name, 40) for name in run.passed[:20]),
        ", ".join(failed),
        ", ".join(code(name, 40) for name, _ in run.skipped[:20]),
    ]
