"""What ``hubpub check`` does with one repository, as values that can go to another process."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from hubpub import config
from hubpub.check import fixing, ignoring
from hubpub.check.judging import CheckResult, check
from hubpub.check.selection import unknown, with_options
from hubpub.config import Settings
from hubpub.diagnostic import Diagnostic, Severity, Span
from hubpub.errors import ConfigError, HubpubError
from hubpub.source.overlay import Overlaid
from hubpub.source.patch import patch
from hubpub.source.text import Text

if TYPE_CHECKING:
    from hubpub.check.online import Asker

AROUND = 3
"""Lines around a finding that a renderer may show."""
LONG = 40
"""Of a longer stretch, so many of its first and of its last lines."""


@dataclass(frozen=True)
class Work:
    """What is asked of every repository: the command line without its paths.

    ``mode`` is check, fix, diff or add-ignore; ``reason`` is that of add-ignore. ``config`` is a
    file to read instead of the repository's own settings; ``isolated`` reads none.
    """

    mode: str = "check"
    select: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    fail_on: str | None = None
    unsafe_fixes: bool | None = None
    config: Path | None = None
    isolated: bool = False
    reason: str = ""
    cached: bool = True
    online: bool = False
    allow_hosts: tuple[str, ...] = ()

    def asker(self) -> Asker | None:
        """Who asks the hosts of checkpoints; None where nothing may leave the machine.

        Raises:
            UsageError: a host that may be asked is not written as one.
        """
        if not self.online:
            return None
        from hubpub.check.online import Asker

        return Asker.allowing(self.allow_hosts)

    def settings(self, root: Path) -> Settings:
        """The settings of the repository at ``root``, as the command line changes them.

        Raises:
            ConfigError: the file that holds them is broken.
            UsageError: the command line names a rule that does not exist.
        """
        found = Settings()
        if self.config is not None:
            found = config.load_file(self.config)
            names = [*(found.select or ()), *found.extend_select, *found.ignore]
            for name, advice in unknown(names):
                where = f"{self.config}: line {found.line(name)}"
                raise ConfigError(f"{where}: there is no rule {name!r}", help=advice)
        elif not self.isolated:
            found = config.load(root)
        return with_options(
            found,
            select=self.select,
            ignore=self.ignore,
            extend_select=self.extend_select,
            fail_on=self.fail_on,
            unsafe_fixes=self.unsafe_fixes,
        )


@dataclass(frozen=True)
class Outcome:
    """What became of one repository.

    ``root`` is the way to it from the current directory, empty where that is it. ``lines`` holds
    the source lines that a renderer may ask for, by location and number. ``said`` is for people.
    ``error`` is a user's mistake with its advice, ``defect`` the report of a failure of ours: with
    either there is nothing else.
    """

    root: str
    diagnostics: tuple[Diagnostic, ...] = ()
    lines: Mapping[tuple[str, int], str] = field(default_factory=dict)
    failed: bool = False
    fail_on: Severity = Severity.WARNING
    unsafe_fixes: bool = False
    unfollowed: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    done: int = 0
    patch: bytes = b""
    text: bytes | None = None
    error: tuple[str, str | None] | None = None
    defect: str | None = None


def seen_from_here(root: Path) -> str:
    """The way to ``root`` from the current directory; absolute where it lies outside."""
    absolute = os.path.abspath(root)  # noqa: PTH100 - a symlink in the way stays in it
    try:
        relative = os.path.relpath(absolute)
    except ValueError:  # another drive
        relative = os.pardir
    if os.pardir in Path(relative).parts[:1]:
        return Path(absolute).as_posix()
    return "" if relative == os.curdir else Path(relative).as_posix()


def run(work: Work, root: Path) -> Outcome:
    """Do ``work`` with the repository at ``root``.

    Raises:
        ConfigError: its configuration is broken.
        UsageError: the command line asks for something that cannot be done.
    """
    settings, asker = work.settings(root), work.asker()
    if work.mode in {"fix", "diff"}:
        fixed = fixing.fix(root, settings, write=work.mode == "fix", asker=asker)
        return _untold(_mended(fixed, settings, root, show=work.mode == "diff"), asker)
    if work.mode == "add-ignore":
        ignored = ignoring.add_ignores(root, settings, work.reason)
        outcome = _outcome(ignored.result, settings, root, (*ignored.problems, *ignored.left))
        return replace(outcome, changed=ignored.changed, done=ignored.suppressed)
    from hubpub.source.cache import Cache

    result = check(root, settings, Cache() if work.cached else None, asker=asker)
    return _untold(_outcome(result, settings, root), asker)


def _untold(outcome: Outcome, asker: Asker | None) -> Outcome:
    """The outcome with what no host would tell."""
    untold = asker.untold.items() if asker is not None else ()
    said = [f"could not be asked: {url}: {reason}" for url, reason in untold]
    return replace(outcome, said=(*outcome.said, *said))


def attempt(work: Work, root: Path) -> Outcome:
    """As :func:`run`, with what is raised as part of the outcome."""
    try:
        return run(work, root)
    except HubpubError as error:
        return Outcome(seen_from_here(root), error=(error.message, error.help))
    except Exception:  # noqa: BLE001 - one repository must not hide the others
        import traceback

        return Outcome(seen_from_here(root), defect=traceback.format_exc())


def run_text(work: Work, root: Path, path: str, data: bytes) -> Outcome:
    """Do ``work`` with one file, of which ``data`` are the bytes; the others are on the disk.

    Only findings in that file are kept, and only it is changed: ``text`` is what becomes of it.

    Raises:
        ConfigError: the configuration of the repository is broken.
    """
    settings, asker = work.settings(root), work.asker()
    over = {path: data}
    text = data
    if work.mode in {"fix", "diff"}:
        fixed = fixing.fix(root, settings, write=False, over=over, only={path}, asker=asker)
        outcome = _mended(fixed, settings, root, show=True)
        if path in fixed.changed:
            before, after = fixed.changed[path]
            text = before.encode(after)
        reached = path in fixed.result.sources
    else:
        result = check(root, settings, files=Overlaid(root, over=over), asker=asker)
        outcome = _outcome(result, settings, root)
        reached = path in result.sources
    kept = tuple(item for item in outcome.diagnostics if item.path == path)
    said = _untold(outcome, asker).said
    if not reached:
        said = (*said, f"hubconf.py does not reach {path}, so nothing in it is judged")
    failed = any(item.severity >= outcome.fail_on for item in kept)
    return replace(outcome, diagnostics=kept, failed=failed, text=text, said=said)


def _mended(fixed: fixing.FixResult, settings: Settings, root: Path, *, show: bool) -> Outcome:
    outcome = _outcome(fixed.result, settings, root, fixed.problems)
    shown = b""
    if show:
        inside = outcome.root and not Path(outcome.root).is_absolute()
        prefix = f"{outcome.root}/" if inside else ""
        shown = b"".join(
            patch(f"{prefix}{path}", before.encode(before.text), before.encode(after))
            for path, (before, after) in fixed.changed.items()
        )
    return replace(outcome, changed=tuple(fixed.changed), done=fixed.applied, patch=shown)


def _outcome(
    result: CheckResult, settings: Settings, root: Path, said: Iterable[str] = ()
) -> Outcome:
    here = seen_from_here(root)
    remark = () if settings.remark is None else (settings.remark,)
    diagnostics = tuple(replace(item, root=here) for item in result.diagnostics)
    return Outcome(
        here,
        diagnostics,
        _lines(diagnostics, result.sources),
        result.failed(settings.fail_on),
        settings.fail_on,
        settings.unsafe_fixes,
        result.repo.unfollowed,
        (*remark, *said),
    )


def _lines(
    diagnostics: Iterable[Diagnostic], sources: Mapping[str, Text]
) -> dict[tuple[str, int], str]:
    found: dict[tuple[str, int], str] = {}
    for item in diagnostics:
        places = [(item.path, item.span), *((note.path, note.span) for note in item.notes)]
        for path, span in places:
            source = sources.get(path)
            for number in _numbers(span) if source is not None else ():
                key = item.seen_from_here(path), number
                if key not in found and source is not None:
                    found[key] = source.line(number)
    return found


def _numbers(span: Span) -> Iterable[int]:
    """The lines of a span, and those around it; of a long one the ends."""
    first, last = max(span.line - AROUND, 1), span.end_line + AROUND
    if last - first <= 2 * LONG:
        return range(first, last + 1)
    return (*range(first, first + LONG), *range(last - LONG, last + 1))
