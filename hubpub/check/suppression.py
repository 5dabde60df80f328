"""Suppression comments: what they hide, and which of them are wrong or needed no more."""

from __future__ import annotations

from hubpub import rules
from hubpub.check.selection import unknown
from hubpub.config import Settings
from hubpub.diagnostic import Diagnostic, Edit, Fix, Span
from hubpub.source.facts import Comment, Place, Repo

META = ("HUB002", "HUB003")
"""Rules about suppression itself: no comment suppresses them."""


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
        for name, advice in unknown(names):
            place = Place(settings.path)
            found.append(_meta("HUB003", f"there is no rule {name!r}", place, advice))
    for comment in repo.comments:
        for name, advice in unknown(comment.selectors):
            found.append(_meta("HUB003", f"there is no rule {name!r}", comment.place, advice))
        if not comment.selectors:
            message = "the comment names no rule, so it suppresses nothing"
            found.append(
                _meta("HUB003", message, comment.place, "write ignore[HUB402] or its name")
            )
    return found


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
    kept, used = [], set()
    for item in found:
        hits = [
            (comment, selector)
            for comment in repo.comments
            for selector in comment.selectors
            if _covers(comment, item) and _names(selector, item)
        ]
        used.update(hits)
        if not hits:
            kept.append(item)
    return kept, used


def _covers(comment: Comment, item: Diagnostic) -> bool:
    if comment.place.path != item.path or item.code in META:
        return False
    return comment.file or item.span.line in comment.lines


def _names(selector: str, item: Diagnostic) -> bool:
    return selector.upper() == item.code or selector.lower() == item.name


def unused(repo: Repo, used: set[tuple[Comment, str]]) -> list[Diagnostic]:
    """HUB002: comments, or parts of them, that suppressed nothing."""
    found = []
    for comment in repo.comments:
        idle = [
            selector
            for selector in comment.selectors
            if (comment, selector) not in used and rules.is_known(selector)
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
    left = [selector for selector in comment.selectors if selector not in idle]
    if left:
        begin, end = span.column - 1, span.end_column - 1
        shown = text.line(span.line)[begin:end]
        head, _, rest = shown.partition("[")
        edit = Edit(comment.place.path, span, f"{head}[{', '.join(left)}]{rest.partition(']')[2]}")
        return Fix("Remove what is not needed", True, (edit,))
    before = text.line(span.line)[: span.column - 1]
    if before.strip():
        column = len(before.rstrip()) + 1
        place = Span(span.line, column, span.line, span.end_column)
    elif span.line < len(text.starts):
        place = Span(span.line, 1, span.line + 1, 1)
    else:
        place = Span(span.line, 1, span.line, span.end_column)
    return Fix("Remove the comment", True, (Edit(comment.place.path, place, ""),))
