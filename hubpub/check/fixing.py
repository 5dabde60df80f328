"""Mending: fixes are applied round by round until nothing is left that can be mended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from hubpub.check.judging import CheckResult, check
from hubpub.config import Settings
from hubpub.diagnostic import Diagnostic
from hubpub.source.overlay import Overlaid
from hubpub.source.text import Text

if TYPE_CHECKING:
    from hubpub.check.online import Asker

ROUNDS = 30
"""Fixes that uncover others are applied at most so often; a round that is taken back counts."""

Key = tuple[str, str, str]


@dataclass(frozen=True)
class FixResult:
    """A check after fixing: ``changed`` maps paths to texts before and after, in order.

    ``applied`` counts the findings whose fixes were made. ``problems`` say what was not.
    """

    result: CheckResult
    changed: Mapping[str, tuple[Text, str]]
    applied: int
    problems: tuple[str, ...] = ()


def fix(
    root: Path,
    settings: Settings | None = None,
    *,
    write: bool = True,
    unsafe: bool | None = None,
    over: Mapping[str, bytes] | None = None,
    only: Collection[str] | None = None,
    asker: Asker | None = None,
) -> FixResult:
    """Apply every safe fix, check again, and go on until nothing is left to mend.

    All rounds are made in memory, and files are written at the end, each whole or not at all; with
    ``write`` False they stay as they are, and ``changed`` says what would become of them. The
    unsafe fixes are made as well where ``unsafe`` or, if it is None, the settings say so. ``over``
    are bytes to read instead of the disk's, as an editor holds them, ``only`` the paths that may
    change.

    A fix that does not mend its finding, and a safe one that changes which entrypoints there are,
    is taken back: it would be a defect of its rule.

    Raises:
        UsageError: ``root`` is not a directory.
    """
    root, settings = Path(root), settings or Settings()
    if unsafe is not None:
        settings = replace(settings, unsafe_fixes=unsafe)
    rounds = _Rounds(root, settings, dict(over or {}), only, asker)
    rounds.run()
    if not write:
        return rounds.outcome(rounds.result)
    written = rounds.write()
    return rounds.outcome(rounds.result if written else check(root, settings, asker=asker))


@dataclass
class _Rounds:
    """The state between rounds: ``over`` are the bytes of files as they would be."""

    root: Path
    settings: Settings
    over: dict[str, bytes]
    only: Collection[str] | None
    asker: Asker | None
    first: dict[str, Text] = field(default_factory=dict)
    last: dict[str, str] = field(default_factory=dict)
    refused: set[Key] = field(default_factory=set)
    obstacles: dict[str, str | None] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    made: list[Diagnostic] = field(default_factory=list)

    def run(self) -> None:
        """Go on until nothing changes; the safe fixes first."""
        self.result = self._check(self.over)
        for _ in range(ROUNDS):
            candidates = [item for item in self.result.diagnostics if self._wanted(item)]
            safe = [item for item in candidates if item.fix is not None and item.fix.safe]
            if not (self._round(safe) or self._round(candidates)):
                break

    def _check(self, over: Mapping[str, bytes]) -> CheckResult:
        files = Overlaid(self.root, over=dict(over)) if over else None
        return check(self.root, self.settings, files=files, asker=self.asker)

    def _wanted(self, item: Diagnostic) -> bool:
        if item.fix is None or not (item.fix.safe or self.settings.unsafe_fixes):
            return False
        return _key(item) not in self.refused and all(
            self._may_change(edit.path) for edit in item.fix.edits
        )

    def _may_change(self, path: str) -> bool:
        from hubpub.source import edits

        if self.only is not None:
            return path in self.only
        if path not in self.obstacles:
            before = self.result.sources.get(path)
            reason = None if before is None else edits.obstacle(self.root, path, before)
            self.obstacles[path] = reason
            if reason is not None:
                self.problems.append(f"{path} was not changed: {reason}")
        return self.obstacles[path] is None

    def _round(self, candidates: Sequence[Diagnostic]) -> bool:
        """Make what can be made of ``candidates`` at once; whether anything came of it."""
        from hubpub.source import edits

        fixes = [item.fix for item in candidates if item.fix is not None]
        texts, chosen = edits.choose(self.result.sources, fixes)
        if not texts:
            return False
        made = [candidates[index] for index in chosen]
        over = self._with(texts)
        result = self._check(over)
        wrong = self._wrong(result, made)
        if wrong and len(made) > 1:
            # Each may be right alone: two that add an item to one empty list, for example.
            return self._round(made[: len(made) // 2])
        if wrong:
            self.refused.update(wrong)
            return True
        for path, text in texts.items():
            self.first.setdefault(path, self.result.sources[path])
            self.last[path] = text
        self.made += made
        self.over, self.result = over, result
        return True

    def _with(self, texts: Mapping[str, str]) -> dict[str, bytes]:
        new = {path: self.result.sources[path].encode(text) for path, text in texts.items()}
        return {**self.over, **new}

    def _wrong(self, result: CheckResult, made: Sequence[Diagnostic]) -> set[Key]:
        """The fixes that did not do what a fix does; empty where all did."""
        before = Counter(map(_key, self.result.diagnostics))
        after = Counter(map(_key, result.diagnostics))
        done = Counter(map(_key, made))
        stuck = {key for key, count in done.items() if after[key] > before[key] - count}
        if stuck or not all(item.fix is not None and item.fix.safe for item in made):
            return stuck
        return set() if self._same_names(result) else set(done)

    def _same_names(self, result: CheckResult) -> bool:
        """Whether users can call the same names; more where importing hubconf.py failed before."""
        before, after = _names(self.result), _names(result)
        if self.result.repo.hubconf is None or self.result.repo.failures:
            # What is only possible there may be a module that the failing import would have bound.
            sure = {
                item.name for item in self.result.repo.entrypoints if item.certainty == "certain"
            }
            return sure <= after
        return before == after

    def write(self) -> bool:
        """Write the files; whether all of them are as they should be."""
        from hubpub.source import edits

        whole = True
        for path, text in list(self.last.items()):
            problem = edits.write(self.root, path, self.first[path], text)
            if problem is not None:
                whole = False
                self.problems.append(f"{path} was not changed: {problem}")
                del self.last[path]
        return whole

    def outcome(self, result: CheckResult) -> FixResult:
        """What became of it."""
        changed = {
            path: (self.first[path], text)
            for path, text in sorted(self.last.items())
            if text != self.first[path].text
        }
        applied = sum(
            item.fix is not None and all(edit.path in self.last for edit in item.fix.edits)
            for item in self.made
        )
        problems = tuple(dict.fromkeys(self.problems))
        return FixResult(result, MappingProxyType(changed), applied, problems)


def _key(item: Diagnostic) -> Key:
    return item.code, item.path, item.message


def _names(result: CheckResult) -> set[str]:
    return {item.name for item in result.repo.entrypoints}
