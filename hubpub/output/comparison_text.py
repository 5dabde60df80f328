"""A comparison of two reports for a person at a terminal: what has to be acted on comes first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hubpub.diagnostic import Severity
from hubpub.output.comparison_words import compared, grouped, shown, tally, title, unlike
from hubpub.output.escape import short, visible
from hubpub.output.style import COLORS, paint

_LONGEST = 2000


def render(document: Mapping[str, Any], *, color: bool = False) -> str:
    """The comparison (the documented JSON object) as text; one line where nothing changed."""
    return "".join(f"{line}\n" for line in _lines(document, color))


def _lines(document: Mapping[str, Any], color: bool) -> Iterator[str]:
    if document["status"] == "same" and not document["remarks"] and not document["unlike"]:
        yield _shown(f"{tally(document)}: {title(document)}; compared: {compared(document)}")
        return
    yield _shown(title(document))
    for remark in document["remarks"]:
        yield _shown(f"  {remark['message']}")
    if said := unlike(document):
        yield _shown(f"  the runs differ too, so not all may be the release's: {said}")
    yield from _changes(document, color)
    yield _shown(f"{tally(document)}; compared: {compared(document)}")


def _changes(document: Mapping[str, Any], color: bool) -> Iterator[str]:
    advised = None
    for group, left in shown(grouped(document["changes"])):
        if group is None:
            yield f"  {left} more of this kind: --output-format json has them all"
            continue
        severity = Severity.from_label(group.first["severity"])
        label = paint(group.first["severity"], COLORS[severity], color=color)
        yield f"{label} {_shown(group.label)}: {_shown(group.said)}"
        if group.place:
            yield f"  {_shown(group.place)}"
        advice = group.first["help"]
        for line in short(advice or "", _LONGEST).splitlines() if advice != advised else ():
            yield f"  help: {_shown(line)}"
        advised = advice


def _shown(text: str) -> str:
    return visible(short(text, _LONGEST))
