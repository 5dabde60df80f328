"""Load, judge and suppress: facts become sorted diagnostics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from hubpub import rules, source
from hubpub.check.selection import is_selected
from hubpub.check.suppression import diagnostic, suppress, unknown_selectors, unused
from hubpub.config import Settings
from hubpub.diagnostic import Diagnostic, Severity
from hubpub.errors import UsageError
from hubpub.source.facts import Repo
from hubpub.source.text import Text

if TYPE_CHECKING:
    from hubpub.check.online import Asker
    from hubpub.source.cache import Cache
    from hubpub.source.files import Files

_OWN = "HUB0"
"""How the codes of rules begin that are about the check itself."""
_ASKING = "HUB414"
"""The rule that judges what hosts answer: it ran only where they were asked."""


@dataclass(frozen=True)
class CheckResult:
    """What a check found. ``sources`` are the files that diagnostics point at, for rendering."""

    diagnostics: tuple[Diagnostic, ...]
    repo: Repo
    sources: Mapping[str, Text] = field(compare=False)

    def failed(self, at: Severity) -> bool:
        """Whether a finding is at least as severe as ``at``."""
        return any(item.severity >= at for item in self.diagnostics)


def check(
    root: Path,
    settings: Settings | None = None,
    cache: Cache | None = None,
    *,
    files: Files | None = None,
    asker: Asker | None = None,
) -> CheckResult:
    """Judge the repository at ``root`` (the directory that holds hubconf.py).

    With a ``cache``, facts are taken from it where nothing that was read has changed. ``files``
    are read instead of those at ``root`` itself: what an editor holds, or what a fix would make.
    With an ``asker`` the hosts of checkpoints are asked; without one nothing leaves the machine.

    Raises:
        UsageError: ``root`` is not a directory.
    """
    root = Path(root)
    if not root.is_dir():
        raise UsageError(
            f"{root} is not a directory", help="give the root of a repository, or nothing for ."
        )
    repo = source.read(root, cache) if files is None else source.read_files(files)
    return judge(repo if asker is None else asker.ask(repo), settings or Settings())


def judge(repo: Repo, settings: Settings) -> CheckResult:
    """The findings of every selected rule, after suppression, sorted.

    A suppression is unused where its rule ran. Where only rules about the check itself (HUB0xx)
    are selected, every rule runs for that: ``--select unused-ignore`` asks about all comments.
    """
    selected = [rule for rule in rules.all_rules() if is_selected(rule, settings)]
    codes = {rule.code for rule in selected}
    run = selected
    if all(code.startswith(_OWN) for code in codes):
        run = list(rules.all_rules())
    every = [diagnostic(rule, found) for rule in run for found in rule.check(repo)]
    every += unknown_selectors(repo, settings)
    kept, used = suppress(every, repo)
    kept += unused(repo, used, [rule for rule in run if repo.answers or rule.code != _ASKING])
    chosen = {item for item in kept if item.code in codes}
    return CheckResult(tuple(sorted(chosen, key=_order)), repo, repo.texts)


def _order(item: Diagnostic) -> tuple[object, ...]:
    return (item.path, item.span, item.code, item.message)
