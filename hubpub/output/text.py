"""Findings for a person: the line, carets below it, what is wrong and what to do."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from hubpub.diagnostic import Diagnostic
from hubpub.output.escape import visible
from hubpub.output.groups import Group, grouped, tally
from hubpub.output.run import Run
from hubpub.output.snippet import Marked, excerpt
from hubpub.output.style import COLORS, paint

SHOWN = 60
"""How many further places, and how many notes, are shown of one finding."""


def render(diagnostics: Sequence[Diagnostic], run: Run) -> str:
    """Each finding as a block, blocks separated by an empty line."""
    return "".join(f"{_block(group, run)}\n" for group in grouped(diagnostics))


def _block(group: Group, run: Run) -> str:
    item, notes = group.first, group.notes[:SHOWN]
    color = COLORS[item.severity]
    head = paint(f"{item.severity.label}[{item.code}]", f"1;{color}", color=run.color)
    said = paint(visible(item.message), "1", color=run.color)
    lines = [f"{head} {item.name}: {said}"]
    margin = len(str(max([item.span.end_line, *(note.span.end_line for note in notes)])))
    lines += excerpt(Marked(item.location, item.span, "-->", "^", color), margin, run)
    for note in notes:
        location = item.seen_from_here(note.path)
        place = Marked(location, note.span, ":::", "-", "34", note.message)
        lines += excerpt(place, margin, run)
    pad = " " * margin
    for word, text in _remarks(group):
        for index, line in enumerate(text.splitlines() or [""]):
            shown = paint(word, "1", color=run.color) if index == 0 else " " * len(word)
            lines.append(f"{pad} {'=' if index == 0 else ' '} {shown} {visible(line)}")
    return "\n".join(lines) + "\n"


def _remarks(group: Group) -> Iterator[tuple[str, str]]:
    """What is said below the source: a word, and text of one or more lines."""
    further = group.places[1:]
    if further:
        yield "also:", _places(further)
    if len(group.notes) > SHOWN:
        yield "note:", f"{len(group.notes) - SHOWN} more notes"
    if group.first.help is not None:
        yield "help:", group.first.help
    for safe, option in ((True, "--fix"), (False, "--unsafe-fixes")):
        fixes = group.fixes(safe=safe)
        some = f", {len(fixes)} of {len(group.items)}" if len(fixes) < len(group.items) else ""
        for title in list(dict.fromkeys(fix.title for fix in fixes))[:SHOWN]:
            yield "fix:", f"{visible(title)} ({option}{some})"


def _places(places: Sequence[tuple[int, int]]) -> str:
    """``20:13, 31:13 and 44:13``, in lines that fit."""
    shown = [f"{line}:{column}" for line, column in places[:SHOWN]]
    last = f"{len(places) - SHOWN} more" if len(places) > SHOWN else shown.pop()
    text = f"{', '.join(shown)} and {last}" if shown else last
    return "\n".join(textwrap.wrap(text, 88))


def summary(diagnostics: Sequence[Diagnostic], *, unsafe: bool = False) -> str:
    """One line: how many findings of which severity, and how many can be mended by --fix.

    ``unsafe``: the unsafe fixes are made as well.
    """
    if not diagnostics:
        return "no findings"
    fixes = [item.fix for item in diagnostics if item.fix is not None]
    mended = len(fixes) if unsafe else sum(fix.safe for fix in fixes)
    more = len(fixes) - mended
    hint = f"; {mended} can be mended with --fix" if mended else ""
    if more:
        rest = f"{more} more with" if mended else f"; {more} can be mended with --fix"
        hint += f" ({rest} --unsafe-fixes)" if mended else f"{rest} --unsafe-fixes"
    return f"{tally(diagnostics)}{hint}"
