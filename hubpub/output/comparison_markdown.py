"""A comparison of two reports as Markdown: for a CI job's page, or a comment on a pull request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hubpub.output.comparison_words import compared, grouped, shown, tally, title, unlike
from hubpub.output.escape import short
from hubpub.output.markdown import escaped
from hubpub.output.report_text import plural

LIMIT = 60_000
"""Bytes: a comment on GitHub holds 65 536 characters."""
_HELP = 2000
"""Characters of an advice, of whose lines each is cut as well."""
_TAIL = 1_000
"""Bytes kept free for what says what was left out."""
_MARKS = {"error": "**error**", "warning": "warning", "note": "note"}


def render(document: Mapping[str, Any], *, color: bool = False) -> str:  # noqa: ARG001
    """Counts, remarks, and a table of the changes, the most important first; at most LIMIT bytes.

    Whatever the reports hold is shown as text: no markup, link, mention or HTML of its own.
    """
    lines: list[str] = []
    room, left_out = LIMIT - _TAIL, 0
    for line, needed in _lines(document):
        length = len(line.encode("utf-8", "backslashreplace")) + 1
        if not needed and length > room:
            left_out += 1
            continue
        room -= length
        lines.append(line)
    if left_out:
        lines.append(f"\n{left_out} more {plural(left_out, 'row')} did not fit into this summary.")
    return "\n".join(lines) + "\n"


def _lines(document: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    """Each line, and whether it must not be left out."""
    yield f"## hubpub report diff: {tally(document)}", True
    yield "", True
    yield escaped(title(document)), True
    yield "", True
    yield f"Compared: {escaped(compared(document))}", True
    for remark in document["remarks"]:
        yield f"\n{escaped(remark['message'])}", True
    if said := unlike(document):
        yield f"\nThe runs differ too, so not all may be the release's: {escaped(said)}", True
    for number, (group, left) in enumerate(shown(grouped(document["changes"]))):
        if number == 0:
            yield "\n| | change | what | what to do |\n| --- | --- | --- | --- |", True
        if group is None:
            yield f"| | | {left} more of this kind | the JSON has them all |", False
            continue
        place = [escaped(group.place)] if group.place else []
        lines = short(group.first["help"] or "", _HELP).splitlines()
        what = "<br>".join([escaped(group.said), *place])
        cells = (escaped(group.label), what, "<br>".join(map(escaped, lines)))
        yield f"| {_MARKS[group.first['severity']]} | {' | '.join(cells)} |", False
