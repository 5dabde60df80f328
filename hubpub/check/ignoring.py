"""``--add-ignore``: comments that suppress what a check finds, so that the next one is clean."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from hubpub.check.judging import CheckResult, check
from hubpub.check.suppression import META
from hubpub.config import Settings
from hubpub.diagnostic import Diagnostic
from hubpub.errors import UsageError
from hubpub.source.overlay import Overlaid
from hubpub.source.text import Text


@dataclass(frozen=True)
class IgnoreResult:
    """A check after comments were written.

    ``changed`` are the paths that were, ``suppressed`` counts the findings, ``left`` says what to
    do about those that no comment can suppress, ``problems`` which files were not written.
    """

    result: CheckResult
    changed: tuple[str, ...]
    suppressed: int
    left: tuple[str, ...]
    problems: tuple[str, ...]


def add_ignores(root: Path, settings: Settings, reason: str) -> IgnoreResult:
    """Write a comment with ``reason`` for every finding that one can suppress.

    What is written is checked in memory first: a file is left alone unless the check then finds
    nothing more of what was to be suppressed, and nothing else.

    Raises:
        UsageError: ``root`` is not a directory, or ``reason`` cannot stand in a comment.
    """
    from hubpub.source import edits, suppressing

    problem = suppressing.unfit(reason)
    if problem is not None:
        raise UsageError(f"the reason cannot be written as a comment: {problem}")
    before = check(root, settings)
    wanted: dict[str, list[Diagnostic]] = {}
    for item in before.diagnostics:
        if item.code not in META:
            wanted.setdefault(item.path, []).append(item)
    problems = []
    texts: dict[str, str] = {}
    for path, items in wanted.items():
        source = before.sources.get(path)
        if source is None:
            continue
        asked = [suppressing.Wanted(item.code, item.span) for item in items]
        text = suppressing.add(path, source, asked, " ".join(reason.split()))
        obstacle = None if text is None else edits.obstacle(root, path, source)
        if obstacle is not None:
            problems.append(f"{path} was not changed: {obstacle}")
        elif text is not None:
            texts[path] = text
    texts, after = _proven(root, settings, before, texts)
    written = []
    for path, text in texts.items():
        obstacle = edits.write(root, path, before.sources[path], text)
        if obstacle is not None:
            problems.append(f"{path} was not changed: {obstacle}")
        else:
            written.append(path)
    if len(written) < len(texts):
        after = check(root, settings)
    count = sum(len(wanted[path]) for path in written)
    named = {line.partition(" ")[0] for line in problems}
    left = tuple(
        dict.fromkeys(
            _advice(item, settings, reason) for item in after.diagnostics if item.path not in named
        )
    )
    return IgnoreResult(after, tuple(written), count, left, tuple(problems))


def _proven(
    root: Path, settings: Settings, before: CheckResult, texts: Mapping[str, str]
) -> tuple[dict[str, str], CheckResult]:
    """Those of ``texts`` with which the check finds less and nothing new, and that check."""
    kept = dict(texts)
    while kept:
        over = _encoded(before.sources, kept)
        kept = {path: kept[path] for path in over}
        after = check(root, settings, files=Overlaid(root, over=over))
        known = Counter((item.path, item.code, item.message) for item in before.diagnostics)
        wrong = {
            item.path
            for item in after.diagnostics
            if (item.path in kept and item.code not in META)
            or not known[item.path, item.code, item.message]
        }
        if not wrong:
            return kept, after
        kept = {path: text for path, text in kept.items() if path not in wrong and wrong & {*kept}}
    return {}, before


def _encoded(sources: Mapping[str, Text], texts: Mapping[str, str]) -> Mapping[str, bytes]:
    """The bytes of ``texts``, without those that their file's encoding cannot hold."""
    found = {}
    for path, text in texts.items():
        with contextlib.suppress(UnicodeEncodeError):
            found[path] = sources[path].encode(text)
    return MappingProxyType(found)


def _advice(item: Diagnostic, settings: Settings, reason: str) -> str:
    """What to do about a finding that no comment suppresses."""
    if item.code == "HUB002":
        return f"{item.path}: {item.code} is not suppressed; --fix removes the comment"
    if item.code in META:
        return f"{item.path}: {item.code} is not suppressed; correct the name of the rule"
    table = "ignore" if settings.path == "hubpub.toml" else "tool.hubpub.ignore"
    name = settings.path or "pyproject.toml"
    return (
        f"{item.path}: no comment can suppress {item.code} there; "
        f"in {name} below [{table}] write {item.code} = {json.dumps(reason)}"
    )
