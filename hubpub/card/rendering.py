"""A card as Markdown, in either format."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hubpub.card import rules
from hubpub.card.escaping import TODO, code, prose, text, value
from hubpub.card.filling import Card
from hubpub.card.reading import MAX_BYTES
from hubpub.card.sections import BOUNDS, Bounds, example, sections

_DESCRIPTION = "what the model is for, what it was trained on, how good it is, and where it fails"
_EXAMPLE = "a block of Python that loads the model with torch.hub.load, and the arguments it needs"


@dataclass(frozen=True)
class Rendered:
    """The text of a card, the name of its file, and the fields and parts that are left to do."""

    file_name: str
    text: str
    left: tuple[str, ...]


def render(card: Card, form: str) -> Rendered:
    """``card`` in a format of :data:`hubpub.card.rules.FORMATS`; it ends with a newline.

    What is too long for a card is shown shorter, until it can be checked.
    """
    for bounds in BOUNDS:
        rendered = _render(card, form, bounds)
        if len(rendered.text.encode()) <= MAX_BYTES:
            break
    return rendered


def _render(card: Card, form: str, bounds: Bounds) -> Rendered:
    fields = _FIELDS[form](card)
    front = [f"{name}: {shown}".replace(": \n", ":\n") for name, shown in fields]
    body, described = _BODIES[form](card, bounds)
    left = [name for name, shown in fields if TODO in shown]
    if not example(card):
        left.append("the example")
    if not described:
        left.append("the description")
    name = card.file_name if form == "hub" else "README.md"
    whole = "\n".join(["---", *front, "---", "", *body])
    return Rendered(name, f"{whole.rstrip()}\n", tuple(left))


Fields = list[tuple[str, str]]


def _or_todo(said: str | None, what: str) -> str:
    """A value that people gave, or what is to be written there."""
    return f"{TODO} {what}" if not said else value(said, colons=False)


def _hub_fields(card: Card) -> Fields:
    known, given = rules.data()["hub"], card.given
    tags = [value(tag) for tag in given.tags] or [f"{TODO} some of {' '.join(known['tags'])}"]
    fields = [
        *known["fixed"].items(),
        ("category", value(given.category or known["categories"][0])),
        ("title", value(card.title, colons=False)),
        ("summary", _or_todo(given.summary, "what it does, in one or two sentences")),
        ("image", _or_todo(given.image, "the name of a picture in images/, or no-image")),
        ("author", _or_todo(given.author, "who made it")),
        ("tags", f"[{', '.join(tags)}]"),
        ("github-link", f"https://github.com/{card.owner}/{card.repo}"),
        ("github-id", f"{card.owner}/{card.repo}"),
        ("featured_image_1", "no-image"),
        ("featured_image_2", "no-image"),
    ]
    if "cuda" in card.devices:
        one = "cuda-optional" if "cpu" in card.devices else "cuda"
        fields.append(("accelerator", one))
    return fields


def _huggingface_fields(card: Card) -> Fields:
    known, given = rules.data()["huggingface"], card.given
    licence = (given.licence or "").lower()
    tags = dict.fromkeys([*known["tags"], *given.tags])
    return [
        ("license", licence if licence in known["licences"] else f"{TODO} {_LICENCE}"),
        ("library_name", known["library"]),
        ("pipeline_tag", value(given.task) if given.task else f"{TODO} {_TASK}"),
        ("tags", "".join(f"\n- {value(tag)}" for tag in tags)),
    ]


_LICENCE = "an identifier of https://huggingface.co/docs/hub/repositories-licenses"
_TASK = "a task of https://huggingface.co/tasks, or remove this line"


def _description(card: Card, bounds: Bounds) -> tuple[list[str], bool]:
    """Paragraphs that say what the model is, and whether there are any."""
    told = [card.given.summary] if card.given.summary else []
    told += [part for part in card.about.split("\n\n") if part.strip()]
    if not told:
        return [f"{TODO} {_DESCRIPTION}", ""], False
    return [line for part in told[:8] for line in (prose(part, bounds.prose), "")], True


def _example(card: Card) -> list[str]:
    """The example; or that it is left to do, where the report does not say how to call anything."""
    return example(card) or [f"{TODO} {_EXAMPLE}", ""]


def _hub_body(card: Card, bounds: Bounds) -> tuple[list[str], bool]:
    description, described = _description(card, bounds)
    lines = [*_example(card), "### Model Description", "", *description, *sections(card, 3, bounds)]
    return lines, described


def _huggingface_body(card: Card, bounds: Bounds) -> tuple[list[str], bool]:
    description, described = _description(card, bounds)
    home = f"https://github.com/{card.owner}/{card.repo}"
    lines = [f"# {text(card.title, 100)}", "", *description]
    if card.given.author:
        lines += [f"Made by {text(card.given.author)}.", ""]
    lines += [f"Published through PyTorch Hub, from {code(home)}.", "", "## How to load it", ""]
    return [*lines, *_example(card), *sections(card, 2, bounds)], described


_FIELDS: dict[str, Callable[[Card], Fields]] = {
    "hub": _hub_fields,
    "huggingface": _huggingface_fields,
}
_BODIES: dict[str, Callable[[Card, Bounds], tuple[list[str], bool]]] = {
    "hub": _hub_body,
    "huggingface": _huggingface_body,
}
