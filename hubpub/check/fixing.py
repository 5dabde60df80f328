"""Mending: fixes are applied round by round until nothing is left that can be mended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from hubpub.check.judging import CheckResult, check
from hubpub.config import Settings
from hubpub.source.text import Text

ROUNDS = 10
"""Fixes that uncover others are applied at most so often."""


@dataclass(frozen=True)
class FixResult:
    """A check after fixing: ``changed`` maps paths to texts before and after, in order."""

    result: CheckResult
    changed: Mapping[str, tuple[Text, str]]
    applied: int
    problems: tuple[str, ...] = ()


def fix(
    root: Path, settings: Settings | None = None, *, write: bool = True, unsafe: bool = False
) -> FixResult:
    """Apply every safe fix, check again, and go on until nothing is left to mend.

    With ``unsafe`` also those that change what users can call, or that leave something to be done.
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
        fixes = [
            item.fix
            for item in result.diagnostics
            if item.fix is not None and (item.fix.safe or unsafe)
        ]
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
