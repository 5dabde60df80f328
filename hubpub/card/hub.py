"""The rules of pytorch/hub: what its own checker stops at, and what its template asks for."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from hubpub.card import examples
from hubpub.card.found import Found
from hubpub.card.reading import FENCE, Field, Text
from hubpub.card.rules import data
from hubpub.diagnostic import FILE_START, Span

_REPOSITORY = re.compile(r"https?://(?:www\.)?github\.com/([\w.-]+)/([\w.-]+?)(?:\.git)?(?:/.*)?")
_ID = re.compile(r"([\w.-]+)/([\w.-]+)")
_LIQUID = re.compile(r"\{[{%]")


def judge(card: Text, left: set[int]) -> Iterator[Found]:
    """What does not hold. ``left`` are lines with something left to do, of which that is enough."""
    known = data()["hub"]
    if not any(fault.code in {"CARD001", "CARD002"} for fault in card.faults):
        done = {key: item for key, item in card.fields.items() if item.at.line not in left}
        yield from _missing(card, known)
        yield from _fixed(card, done, known)
        yield from _values(done, known)
        yield from _images(card, done, known)
        yield from _links(done, known)
        yield from _file_name(card, done, known)
    yield from _body(card, known)
    yield from _code(card)


def _missing(card: Text, known: Any) -> Iterator[Found]:
    end = Span(card.body - 1, 1, card.body - 1, 1)
    for name in known["required"]:
        item = card.fields.get(name)
        if item is None:
            near = difflib.get_close_matches(name, list(card.fields), n=1)
            hint = f"; is {near[0][:60]} meant?" if near else ""
            yield Found("CARD004", end, f"the front matter has no {name}{hint}")
        elif item.value is None or (isinstance(item.value, str) and not item.value.strip()):
            yield Found("CARD004", item.at, f"{name} is empty")


def _fixed(card: Text, done: dict[str, Field], known: Any) -> Iterator[Found]:
    for name, wanted in known["fixed"].items():
        item = done.get(name)
        if item is None:
            end = Span(card.body - 1, 1, card.body - 1, 1)
            advice = f"add the line {name}: {wanted}"
            yield Found("CARD005", end, f"the front matter has no {name}", advice)
        elif item.value != wanted:
            said = f"{name} is {_short(item.value)}, not {wanted}"
            yield Found("CARD005", item.value_at, said, f"write {name}: {wanted}")


def _values(done: dict[str, Field], known: Any) -> Iterator[Found]:
    names = {*known["fixed"], *known["required"], *known["optional"]}
    for item in done.values():
        if item.key not in names:
            near = difflib.get_close_matches(item.key[:60], names, n=1)
            hint = f"; {near[0]}?" if near else ""
            yield Found("CARD014", item.at, f"nobody reads the field {item.key[:60]}{hint}")
        if not item.key.endswith("-link") and ":" in str(item.value):
            yield Found("CARD010", item.value_at, f"{item.key[:60]} has a colon in its value")
    category, tags, accelerator = map(done.get, ("category", "tags", "accelerator"))
    if category is not None and category.value not in [None, "", *known["categories"]]:
        yield Found("CARD006", category.value_at, f"there is no category {_short(category.value)}")
    if tags is not None and tags.value is not None and tags.value != "":
        yield from _tags(tags, known)
    if accelerator is not None and accelerator.value not in known["accelerators"]:
        said = f"{_short(accelerator.value)} is no accelerator"
        yield Found("CARD013", accelerator.value_at, said)


def _tags(item: Field, known: Any) -> Iterator[Found]:
    if not isinstance(item.value, list):
        advice = f"write tags: [{str(item.value)[:40]}]"
        yield Found("CARD007", item.value_at, "tags is no list", advice)
        return
    if not item.value:
        yield Found("CARD007", item.value_at, "there is no tag")
    for tag in item.value:
        if tag not in known["tags"]:
            advice = f"one or more of {', '.join(known['tags'])}"
            yield Found("CARD007", item.value_at, f"there is no tag {_short(tag)}", advice)


def _images(card: Text, done: dict[str, Field], known: Any) -> Iterator[Found]:
    folder = card.path.parent / "images"
    there = _names(folder)
    for item in (done[name] for name in known["image-fields"] if name in done):
        if item.value in known["images"] or item.value is None or item.value == "":
            continue
        if not isinstance(item.value, str) or "/" in item.value or "\\" in item.value:
            said = f"{item.key} is {_short(item.value)}, which is no bare name of a file"
            yield Found("CARD008", item.value_at, said)
        elif there is None:
            said = f"images/{item.value[:100]} has to be added with the card"
            yield Found("CARD009", item.value_at, said)
        elif item.value not in there:
            said = f"there is no {item.value[:100]} in {folder}"
            yield Found("CARD008", item.value_at, said)


def _names(folder: Path) -> set[str] | None:
    """The names in a folder as ``glob("*")`` gives them; None where there is no such folder."""
    try:
        return {entry.name for entry in folder.iterdir() if not entry.name.startswith(".")}
    except OSError:
        return None


def _links(done: dict[str, Field], known: Any) -> Iterator[Found]:
    for item in (done[name] for name in known["link-fields"] if name in done):
        if item.value not in {None, ""} and not _is_address(item.value):
            yield Found("CARD011", item.value_at, f"{item.key} is no address: {_short(item.value)}")
    item_id, link = done.get("github-id"), done.get("github-link")
    if link is None or not isinstance(link.value, str) or not _is_address(link.value):
        return
    found = _REPOSITORY.fullmatch(link.value.strip())
    if found is None:
        yield Found("CARD012", link.value_at, "github-link leads to no repository on github.com")
    elif item_id is None:
        advice = f"add the line github-id: {found[1]}/{found[2]}"
        yield Found("CARD012", link.at, "the front matter has no github-id", advice)
    elif str(item_id.value).strip().casefold() != f"{found[1]}/{found[2]}".casefold():
        said = f"github-id is {_short(item_id.value)}, github-link leads to {found[1]}/{found[2]}"
        yield Found("CARD012", item_id.value_at, said)


def _is_address(value: object) -> bool:
    if not isinstance(value, str) or any(char.isspace() for char in value):
        return False
    try:
        parts = urlsplit(value)
        return parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return False


def _file_name(card: Text, done: dict[str, Field], known: Any) -> Iterator[Found]:
    name = card.path.name
    if name in known["left-out"] or not name.endswith(".md"):
        yield Found("CARD017", FILE_START, f"{name[:100]} is never taken for a card")
        return
    item = done.get("github-id")
    found = _ID.fullmatch(str(item.value).strip()) if item is not None else None
    if found is None:
        return
    start = _folded(f"{found[1]}_{found[2]}_")
    if not _folded(name.removesuffix(".md")).startswith(start) or len(name) - 3 <= len(start):
        said = f"the file is called {name[:100]}, not {found[1]}_{found[2]}_<title>.md"
        yield Found("CARD016", FILE_START, said)


def _folded(name: str) -> str:
    return re.sub(r"[-_.]", "-", name.casefold())


def _body(card: Text, known: Any) -> Iterator[Found]:
    texts = [text for heading in card.headings for text in heading.texts]
    for section in known["sections"]:
        if section not in texts:
            at = card.whole(min(card.body, len(card.lines)))
            yield Found("CARD020", Span(at.line, 1, at.line, 1), f"no heading is {section!r}")
    for heading in card.headings:
        if any(text.endswith(":") for text in heading.texts):
            said = "the heading, or a part of it, ends with a colon"
            yield Found("CARD021", card.whole(heading.line), said)
    for number, line in enumerate(card.lines[card.body - 1 :], start=card.body):
        if line.startswith(FENCE):
            said = "the line begins with ---, so what follows is read as front matter"
            yield Found("CARD022", card.whole(number), said)
        for match in _LIQUID.finditer(line):
            at = Span(number, match.start() + 1, number, match.end() + 1)
            yield Found("CARD030", at, f"Jekyll runs what begins with {match.group()}")


def _code(card: Text) -> Iterator[Found]:
    program = examples.run_by_ci(card)
    start = card.whole(min(card.body, len(card.lines)))
    if program.error is not None:
        at, said = program.error
        yield Found("CARD025", at, f"the blocks of Python do not compile: {said}")
    elif program.empty or not program.loads:
        what = "no block of Python that CI runs" if program.empty else "no call of torch.hub.load"
        yield Found("CARD023", Span(start.line, 1, start.line, 1), f"the card has {what}")
    for number in examples.not_run(card):
        yield Found("CARD024", card.whole(number), "CI does not see this block of Python")


def _short(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 100 else f"{shown[:100]}..."
