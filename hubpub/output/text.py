"""Findings for a person: the line, carets below it, what is wrong and what to do."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from hubpub.diagnostic import FILE_START, Diagnostic, Severity, Span
from hubpub.output.escape import visible
from hubpub.output.run import Run

COLORS = {Severity.ERROR: "31", Severity.WARNING: "33", Severity.NOTE: "36"}
WIDTH = 160
"""Longer lines are cut around the place that is shown (characters)."""


def render(diagnostics: Sequence[Diagnostic], run: Run) -> str:
    """Each finding as a block, blocks separated by an empty line."""
    return "".join(f"{_block(item, run)}\n" for item in diagnostics)


def paint(text: str, style: str, run: Run) -> str:
    """``text`` in an ANSI style, where the run has colours."""
    return f"\x1b[{style}m{text}\x1b[0m" if run.color and text else text


def _block(item: Diagnostic, run: Run) -> str:
    head = paint(f"{item.severity.label}[{item.code}]", f"1;{COLORS[item.severity]}", run)
    lines = [f"{head} {item.name}: {paint(visible(item.message), '1', run)}"]
    last = max([item.span.line, *(note.span.line for note in item.notes)])
    margin = len(str(last))
    lines += _snippet(item.location, item.span, "-->", "^", COLORS[item.severity], margin, run)
    for note in item.notes:
        lines += _snippet(
            item.seen_from_here(note.path), note.span, ":::", "-", "34", margin, run, note.message
        )
    pad = " " * margin
    if item.help is not None:
        for index, text in enumerate(item.help.splitlines()):
            word = "help:" if index == 0 else "     "
            lines.append(f"{pad} = {paint(word, '1', run)} {visible(text)}")
    if item.fix is not None and item.fix.safe:
        lines.append(f"{pad} = {paint('fix:', '1', run)} {visible(item.fix.title)} (--fix)")
    return "\n".join(lines) + "\n"


def _snippet(
    path: str,
    span: Span,
    arrow: str,
    mark: str,
    color: str,
    margin: int,
    run: Run,
    label: str = "",
) -> list[str]:
    pad = " " * margin
    bar = paint("|", "34", run)
    where = f"{visible(path)}:{span.line}:{span.column}"
    lines = [f"{pad}{paint(arrow, '34', run)} {where}"]
    text = run.line(path, span.line)
    if not text.strip() or span == FILE_START:
        if label:
            lines.append(f"{pad} = {visible(label)}")
        return lines
    shown, before, width = _window(text, span)
    carets = paint(mark * width, f"1;{color}", run)
    said = f" {visible(label)}" if label else ""
    number = paint(f"{span.line:>{margin}}", "34", run)
    return [
        *lines,
        f"{pad} {bar}",
        f"{number} {bar} {shown}",
        f"{pad} {bar} {' ' * before}{carets}{said}",
    ]


def _window(text: str, span: Span) -> tuple[str, int, int]:
    """The part of a line to show, the width before the carets, and that of the carets."""
    end = span.end_column if span.end_line == span.line else len(text) + 1
    begin, end = min(span.column, len(text) + 1) - 1, min(end, len(text) + 1) - 1
    end = max(end, begin)
    first = 0
    if len(text) > WIDTH:
        first = max(0, min(begin - WIDTH // 4, len(text) - WIDTH))
    cut = text[first : first + WIDTH]
    end = min(end, first + WIDTH)
    parts = [
        _shown(part) for part in (text[first:begin], text[begin:end], text[end : first + len(cut)])
    ]
    ahead = "... " if first else ""
    behind = " ..." if first + WIDTH < len(text) else ""
    before = len(ahead) + _width(parts[0])
    return f"{ahead}{''.join(parts)}{behind}", before, max(_width(parts[1]), 1)


def _shown(text: str) -> str:
    # A line of a file is shown behind a margin, so it can never begin a workflow command; what
    # `visible` does to a leading `::` would only move the carets.
    return "".join(visible(char) if char != ":" else char for char in text.replace("\t", "    "))


def _width(text: str) -> int:
    """The columns that ``text`` takes on a terminal."""
    return sum(
        0
        if unicodedata.combining(char)
        else 2
        if unicodedata.east_asian_width(char) in {"W", "F"}
        else 1
        for char in text
    )


def summary(diagnostics: Sequence[Diagnostic], *, unsafe: bool = False) -> str:
    """One line: how many findings of which severity, and how many can be mended by --fix.

    ``unsafe``: the unsafe fixes are made as well.
    """
    if not diagnostics:
        return "no findings"
    counts = [
        f"{count} {severity.label}{'s' if count != 1 else ''}"
        for severity in sorted(Severity, reverse=True)
        if (count := sum(item.severity is severity for item in diagnostics))
    ]
    fixes = [item.fix for item in diagnostics if item.fix is not None]
    mended = len(fixes) if unsafe else sum(fix.safe for fix in fixes)
    more = len(fixes) - mended
    hint = f"; {mended} can be mended with --fix" if mended else ""
    if more:
        rest = f"{more} more with" if mended else f"; {more} can be mended with --fix"
        hint += f" ({rest} --unsafe-fixes)" if mended else f"{rest} --unsafe-fixes"
    return f"{', '.join(counts)}{hint}"
