"""Load, judge, suppress, and mend: what ``hubpub check`` does, as functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from hubpub import rules, source
from hubpub.config import Settings
from hubpub.diagnostic import Diagnostic, Edit, Fix, Severity, Span
from hubpub.errors import UsageError
from hubpub.source.facts import Comment, Place, Repo
from hubpub.source.text import Text

if TYPE_CHECKING:
    from hubpub.source.cache import Cache

ROUNDS = 10
"""Fixes that uncover others are applied at most so often."""
META = ("HUB002", "HUB003")


@dataclass(frozen=True)
class CheckResult:
    """What a check found. ``sources`` are the files that diagnostics point at, for rendering."""

    diagnostics: tuple[Diagnostic, ...]
    repo: Repo
    sources: Mapping[str, Text] = field(compare=False)

    def failed(self, at: Severity) -> bool:
        """Whether a finding is at least as severe as ``at``."""
        return any(item.severity >= at for item in self.diagnostics)


@dataclass(frozen=True)
class FixResult:
    """A check after fixing: ``changed`` maps paths to texts before and after, in order."""

    result: CheckResult
    changed: Mapping[str, tuple[Text, str]]
    applied: int
    problems: tuple[str, ...] = ()


def check(root: Path, settings: Settings | None = None, cache: Cache | None = None) -> CheckResult:
    """Judge the repository at ``root`` (the directory that holds hubconf.py).

    With a ``cache``, facts are taken from it where nothing that was read has changed.

    Raises:
        UsageError: ``root`` is not a directory.
    """
    root = Path(root)
    if not root.is_dir():
        raise UsageError(
            f"{root} is not a directory", help="give the root of a repository, or nothing for ."
        )
    return judge(source.read(root, cache), settings or Settings())


def judge(repo: Repo, settings: Settings) -> CheckResult:
    """The findings of every selected rule, after suppression, sorted."""
    every = [_diagnostic(rule, found) for rule in rules.all_rules() for found in rule.check(repo)]
    every += _unknown_selectors(repo, settings)
    kept, used = _suppress(every, repo)
    kept += _unused(repo, used)
    selected = {rule.code for rule in rules.all_rules() if is_selected(rule, settings)}
    chosen = {item for item in kept if item.code in selected}
    return CheckResult(tuple(sorted(chosen, key=_order)), repo, repo.texts)


def _order(item: Diagnostic) -> tuple[object, ...]:
    return (item.path, item.span, item.code, item.message)


def _diagnostic(rule: rules.Rule, found: rules.Finding) -> Diagnostic:
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


def is_selected(rule: rules.Rule, settings: Settings) -> bool:
    """Whether the settings select a rule: the longest selector that names it decides."""
    chosen = [
        *(settings.select if settings.select is not None else ("HUB",)),
        *settings.extend_select,
    ]
    wanted = max((rules.matches(selector, rule) for selector in chosen), default=0)
    dropped = max((rules.matches(selector, rule) for selector in settings.ignore), default=0)
    return wanted > dropped


def unknown(selectors: Iterable[str]) -> list[tuple[str, str]]:
    """The selectors that name no rule, each with what to do about it."""
    found = []
    for selector in selectors:
        if not rules.is_known(selector):
            near = rules.nearest(selector)
            advice = f"did you mean {near}?" if near else "`hubpub rule --all` lists the rules"
            found.append((selector, advice))
    return found


def _unknown_selectors(repo: Repo, settings: Settings) -> list[Diagnostic]:
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
    return _diagnostic(rule, rules.Finding(message, place, help=advice, fix=fix))


def _suppress(
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


def _unused(repo: Repo, used: set[tuple[Comment, str]]) -> list[Diagnostic]:
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


def fix(root: Path, settings: Settings | None = None, *, write: bool = True) -> FixResult:
    """Apply every safe fix, check again, and go on until nothing is left to mend.

    With ``write`` False the files stay as they are and ``changed`` says what would become of them;
    then only one round is made, because the second would need the first on the disk.

    Raises:
        UsageError: ``root`` is not a directory.
    """
    from hubpub.source import edits

    result = check(root, settings)
    first: dict[str, Text] = {}
    changed: dict[str, tuple[Text, str]] = {}
    applied = 0
    problems: list[str] = []
    for _ in range(ROUNDS if write else 1):
        fixes = [item.fix for item in result.diagnostics if item.fix is not None and item.fix.safe]
        texts = edits.apply(result.sources, fixes)
        done = 0
        for path, text in texts.items():
            before = result.sources[path]
            problem = edits.write(Path(root), path, before, text) if write else None
            if problem is not None:
                problems.append(f"{path} was not changed: {problem}")
                continue
            changed[path] = (first.setdefault(path, before), text)
            done += 1
        if not done or not write:
            break
        before_count = len(result.diagnostics)
        result = check(root, settings)
        applied += max(before_count - len(result.diagnostics), 0)
    return FixResult(result, MappingProxyType(changed), applied, tuple(dict.fromkeys(problems)))


def with_options(
    settings: Settings,
    *,
    select: tuple[str, ...] = (),
    ignore: tuple[str, ...] = (),
    extend_select: tuple[str, ...] = (),
    fail_on: str | None = None,
) -> Settings:
    """``settings`` with what the command line says instead or in addition.

    Raises:
        UsageError: a selector names no rule.
    """
    for name, advice in unknown((*select, *ignore, *extend_select)):
        raise UsageError(f"there is no rule {name!r}", help=advice)
    changed = replace(
        settings,
        extend_select=(*settings.extend_select, *extend_select),
        ignore=MappingProxyType({**settings.ignore, **dict.fromkeys(ignore, "")}),
    )
    if select:
        changed = replace(changed, select=select)
    if fail_on is not None:
        changed = replace(changed, fail_on=Severity.from_label(fail_on))
    return changed
