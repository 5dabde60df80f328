"""Findings as a summary in Markdown: for a CI job's page, or a comment on a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from hubpub.diagnostic import Diagnostic, Severity, Span
from hubpub.output.escape import visible
from hubpub.output.groups import Group, grouped, tally
from hubpub.output.links import encoded, rule_url
from hubpub.output.run import Run

LIMIT = 1_000_000
"""Bytes of a summary at most. GitHub drops a job summary of more than 1 MiB whole."""
_TAIL = 1_000
"""Bytes kept free for what closes a table and says what was left out."""
_LONGEST = 600
"""Characters of one text; a hostile repository can make longer ones."""
_PLACES = 20
"""How many places of one finding are shown."""
_ACTIVE = re.compile(
    r"(?P<alone>[@$]|\#(?=[0-9])|:(?=[\w+-]+:))"
    r"|(?P<parted>[0-9a-fA-F]{6}(?=[0-9a-fA-F])|[gG][hH](?=-[0-9]))"
    r"|[!#&()*+.:<=>\[\\\]^_`{|}~-]"
)
"""What GitHub makes something of: names after @, formulas, numbers of issues (#12, GH-12), emoji
(:tada:), ids of commits (7 to 40 hexadecimal digits), and the punctuation of Markdown."""


def render(diagnostics: Sequence[Diagnostic], run: Run) -> str:
    """Counts, a table for each severity, and what to do folded below it; at most :data:`LIMIT`."""
    lines: list[str] = []
    room, left_out, cut = LIMIT - _TAIL, 0, False
    for text, lost in _pieces(grouped(diagnostics), run):
        size = len(text.encode("utf-8", "backslashreplace"))
        if lost is not None and size > room:
            left_out, cut = left_out + lost, True
            continue
        room -= size
        lines.append(text)
    if cut:
        lost_text = f"{left_out} more findings" if left_out else "What to do about some findings"
        lines.append(f"\n{lost_text} did not fit into this summary.\n")
    return "".join(lines)


def escaped(text: str) -> str:
    """``text`` as Markdown that shows exactly it: no markup, HTML, link, mention or formula.

    Controls are spelled out as on a terminal, and what is very long is cut.
    """
    cut = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
    return _ACTIVE.sub(_inert, visible(cut).replace("\t", " "))


def _inert(match: re.Match[str]) -> str:
    """Escaped; what GitHub looks for in the text of the page, where no escape is left, parted."""
    text = match[0]
    if match["parted"]:
        return f"{text}<span></span>"
    escape = text if text in "@$" else f"\\{text}"
    return f"<span>{escape}</span>" if match["alone"] else escape


def _pieces(groups: Sequence[Group], run: Run) -> Iterator[tuple[str, int | None]]:
    """Text, and how many findings are lost without it; None for what cannot be left out."""
    yield f"## hubpub check\n\n{_counts(groups, run)}\n", None
    for severity in sorted(Severity, reverse=True):
        chosen = [group for group in groups if group.first.severity is severity]
        if not chosen:
            continue
        count = sum(len(group.items) for group in chosen)
        heading = f"{severity.label.capitalize()}s ({count})"
        folded = severity is Severity.NOTE
        yield f"\n<details><summary>{heading}</summary>\n" if folded else f"\n### {heading}\n", None
        yield "\n| place | rule | finding |\n| --- | --- | --- |\n", None
        for group in chosen:
            yield _row(group, run), len(group.items)
        yield "\n</details>\n" if folded else "", None
    advised = _advised(groups)
    if advised:
        yield "\n<details><summary>What to do</summary>\n\n", None
        for chosen in advised:
            yield _advice(chosen, run), 0
        yield "\n</details>\n", None


def _advised(groups: Sequence[Group]) -> list[list[Group]]:
    """The findings that say what to do or why, those with the same help together, worst first."""
    found: dict[tuple[str, str | None], list[Group]] = {}
    for group in sorted(groups, key=lambda group: -group.first.severity):
        if group.first.help is not None or group.notes:
            found.setdefault((group.first.code, group.first.help), []).append(group)
    return list(found.values())


def _counts(groups: Sequence[Group], run: Run) -> str:
    items = [item for group in groups for item in group.items]
    where = f" in {len(run.roots)} repositories" if len(run.roots) > 1 else ""
    mended = sum(item.fix is not None and item.fix.safe for item in items)
    hint = f" {mended} can be mended with `--fix`." if mended else ""
    return f"**{tally(items) or 'No findings'}**{where}.{hint}"


def _row(group: Group, run: Run) -> str:
    item = group.first
    spans = [item.span, *(other.span for other in group.items[1:_PLACES])]
    first = _place(item.location, item.span, f"{item.location}:{item.span.line}", run)
    further = [_place(item.location, span, str(span.line), run) for span in spans[1:]]
    more = [f"{len(group.items) - _PLACES} more"] if len(group.items) > _PLACES else []
    return f"| {', '.join([first, *further, *more])} | {_rule(item)} | {escaped(item.message)} |\n"


def _rule(item: Diagnostic) -> str:
    return f"[{escaped(item.code)}]({rule_url(item.code, item.name)}) {escaped(item.name)}"


def _place(location: str, span: Span, text: str, run: Run) -> str:
    """A link to a place; where the files' URL is not known, as seen from beside the summary."""
    shown = escaped(text)
    if location.startswith(("/", "../")) or len(location) > _LONGEST:
        return shown
    end = f"-L{span.end_line}" if span.end_line > span.line else ""
    start = f"{run.files_url}/" if run.files_url else ""
    return f"[{shown}]({start}{encoded(location)}#L{span.line}{end})"


def _advice(groups: Sequence[Group], run: Run) -> str:
    """One item of a list: the rule and the help, and below it the places that explain."""
    first = groups[0].first
    advice = "<br>".join(escaped(line) for line in (first.help or "").splitlines())
    shown = f"- {_rule(first)}{': ' if advice else ''}{advice}\n"
    notes = [(group.first, note) for group in groups for note in group.notes]
    for item, note in notes[:_PLACES]:
        there = item.seen_from_here(note.path)
        here = _place(item.location, item.span, f"{item.location}:{item.span.line}", run)
        where = _place(there, note.span, f"{there}:{note.span.line}", run)
        shown += f"  - {here}, see {where}: {escaped(note.message)}\n"
    return shown + (f"  - and {len(notes) - _PLACES} more\n" if len(notes) > _PLACES else "")
