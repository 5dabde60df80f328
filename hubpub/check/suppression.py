"""Suppression comments: what they hide, and which of them are wrong or needed no more."""

from __future__ import annotations

import bisect
import functools
import itertools
from collections.abc import Collection, Iterable

from hubpub import rules
from hubpub.check.selection import unknown
from hubpub.config import Settings
from hubpub.diagnostic import Diagnostic, Edit, Fix, Span
from hubpub.source.facts import Comment, Place, Repo

META = ("HUB002", "HUB003")
"""Rules about suppression itself: no comment suppresses them."""

SHOWN = 5
"""So many names are listed before the rest is counted."""
MAX_PLACED = 20
"""Only so many unknown selectors of a configuration are looked for in its text."""

_find = functools.lru_cache(maxsize=4096)(rules.find)


def diagnostic(rule: rules.Rule, found: rules.Finding) -> Diagnostic:
    """What ``rule`` found, as it is said."""
    return Diagnostic(
        found.place.path,
        found.place.span,
        rule.code,
        rule.name,
        found.severity or rule.severity,
        found.message,
        found.help,
        found.notes,
        found.fix,
    )


def unknown_selectors(repo: Repo, settings: Settings) -> list[Diagnostic]:
    """HUB003: selectors of the settings and of comments that name no rule."""
    found = []
    if settings.path is not None:
        names = [*(settings.select or ()), *settings.extend_select, *settings.ignore]
        for number, (name, advice) in enumerate(unknown(names)):
            line = settings.line(name) if number < MAX_PLACED else 1
            place = Place(settings.path, Span(line, 1, line, 1))
            found.append(_meta("HUB003", f"there is no rule {name!r}", place, advice))
    words = dict.fromkeys(word for comment in repo.comments for word in comment.selectors)
    wrong = dict(unknown(words))
    wide = {word for word in words if word not in wrong and _find(word) is None}
    for comment in repo.comments:
        names = [word for word in comment.selectors if word in wrong]
        if names:
            message = f"there is no rule {_listed(names)}"
            found.append(_meta("HUB003", message, comment.place, wrong[names[0]]))
        names = [word for word in comment.selectors if word in wide]
        if names:
            message = f"{_listed(names)} names several rules; a comment suppresses one by one"
            found.append(_meta("HUB003", message, comment.place, "write whole codes or names"))
        if not comment.selectors:
            message = "the comment names no rule, so it suppresses nothing"
            advice = "write ignore[HUB402] or its name"
            found.append(_meta("HUB003", message, comment.place, advice))
    return found


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(map(repr, names[:SHOWN])) + more


def _meta(
    code: str, message: str, place: Place, advice: str | None, fix: Fix | None = None
) -> Diagnostic:
    rule = rules.find(code)
    assert rule is not None  # noqa: S101 - both codes are in the registry
    return diagnostic(rule, rules.Finding(message, place, help=advice, fix=fix))


def suppress(
    found: list[Diagnostic], repo: Repo
) -> tuple[list[Diagnostic], set[tuple[Comment, str]]]:
    """What no comment suppresses, and which selectors of which comments did."""
    comments: dict[tuple[str, str], list[tuple[Comment, str]]] = {}
    for comment in repo.comments:
        for selector in comment.selectors:
            rule = _find(selector)
            if rule is not None and rule.code not in META:
                key = comment.place.path, rule.code
                comments.setdefault(key, []).append((comment, selector))
    kept = []
    lines: dict[tuple[str, str], list[int]] = {}
    covers = {key: _Cover(comment for comment, _ in group) for key, group in comments.items()}
    for item in found:
        key = item.path, item.code
        if key in covers:
            lines.setdefault(key, []).append(item.span.line)
        if key not in covers or not covers[key].holds(item.span.line):
            kept.append(item)
    used: set[tuple[Comment, str]] = set()
    for key, there in lines.items():
        there.sort()
        used.update(pair for pair in comments[key] if _hits(pair[0], there))
    return kept, used


class _Cover:
    """The lines that some comments speak for, asked about in logarithmic time."""

    def __init__(self, comments: Iterable[Comment]) -> None:
        self.every = False
        spans = []
        for comment in comments:
            self.every = self.every or comment.file
            spans.append((comment.lines.start, comment.lines.stop))
        spans.sort()
        self.starts = [start for start, _ in spans]
        self.stops = list(itertools.accumulate((stop for _, stop in spans), max))

    def holds(self, line: int) -> bool:
        """Whether one of the comments speaks for ``line``."""
        before = bisect.bisect_right(self.starts, line)
        return self.every or (before > 0 and line < self.stops[before - 1])


def _hits(comment: Comment, lines: list[int]) -> bool:
    if comment.file:
        return True
    after = bisect.bisect_left(lines, comment.lines.start)
    return after < len(lines) and lines[after] < comment.lines.stop


def unused(
    repo: Repo, used: set[tuple[Comment, str]], ran: Collection[rules.Rule]
) -> list[Diagnostic]:
    """HUB002: comments, or parts of them, that suppressed nothing though their rules ran.

    Where a file that hubconf.py needs could not be read, what is missing may be what a comment
    speaks of: then nothing is said of any.
    """
    if repo.hubconf is None or repo.problems:
        return []
    codes = {rule.code for rule in ran}
    found = []
    for comment in repo.comments:
        idle = [
            selector
            for selector in comment.selectors
            if (comment, selector) not in used
            and (rule := _find(selector)) is not None
            and rule.code in codes
        ]
        if idle:
            shown = ", ".join(idle)
            fix = _without(repo, comment, idle)
            message = f"nothing here needs to be suppressed for {shown}"
            found.append(_meta("HUB002", message, comment.place, "remove it", fix))
    return found


def _without(repo: Repo, comment: Comment, idle: list[str]) -> Fix:
    """The fix that takes ``idle`` selectors, or the whole comment, away."""
    text, span = repo.texts[comment.place.path], comment.place.span
    line = text.line(span.line)
    before, after = line[: span.column - 1], line[span.end_column - 1 :]
    left = [selector for selector in comment.selectors if selector not in idle]
    if left:
        head, _, rest = line[span.column - 1 : span.end_column - 1].partition("[")
        new = f"{head}[{', '.join(left)}]{rest.partition(']')[2]}"
        return Fix("Remove what is not needed", True, (Edit(comment.place.path, span, new),))
    if after.strip():
        gap = len(after) - len(after.lstrip())
        place = Span(span.line, span.column, span.line, span.end_column + gap)
    elif before.strip():
        place = Span(span.line, len(before.rstrip()) + 1, span.line, len(line) + 1)
    elif span.line < len(text.starts):
        place = Span(span.line, 1, span.line + 1, 1)
    else:
        place = Span(span.line, 1, span.line, len(line) + 1)
    return Fix("Remove the comment", True, (Edit(comment.place.path, place, ""),))
