"""The rules of Hugging Face for the metadata of a model's README.md."""

from __future__ import annotations

from collections.abc import Iterator

from hubpub.card.found import Found
from hubpub.card.reading import Text
from hubpub.card.rules import data
from hubpub.diagnostic import Span


def judge(card: Text, left: set[int]) -> Iterator[Found]:
    """What does not hold. ``left`` are lines with something left to do, of which that is enough."""
    if any(fault.code in {"CARD001", "CARD002"} for fault in card.faults):
        return
    known = data()["huggingface"]
    end = Span(card.body - 1, 1, card.body - 1, 1)
    done = {key: item for key, item in card.fields.items() if item.at.line not in left}
    for name in known["required"]:
        item = card.fields.get(name)
        if item is None:
            yield Found("CARD102", end, f"the front matter has no {name}")
        elif item.value in (None, "", []):
            yield Found("CARD102", item.at, f"{name} is empty")
    item = done.get("license")
    if item is not None and item.value not in (None, "", []):
        for one in item.value if isinstance(item.value, list) else [item.value]:
            if one not in known["licences"]:
                yield Found("CARD101", item.value_at, f"there is no licence {str(one)[:60]!r}")
        for name in ("license_name", "license_link"):
            if item.value == "other" and not card.fields.get(name):
                yield Found("CARD101", item.at, f"license is other, and there is no {name}")
    item = done.get("pipeline_tag")
    if item is not None and item.value not in known["tasks"]:
        yield Found("CARD103", item.value_at, f"there is no task {str(item.value)[:60]!r}")
    item = done.get("tags")
    if item is not None and not (
        isinstance(item.value, list) and all(isinstance(tag, str) for tag in item.value)
    ):
        yield Found("CARD104", item.value_at, "tags is no list of texts")
