"""What ``hubpub check`` was asked for, done: one repository, many, or the text of an editor."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from hubpub.check import publishers
from hubpub.check.work import Outcome, Work, run, run_text
from hubpub.diagnostic import Diagnostic
from hubpub.errors import UsageError
from hubpub.output.escape import visible
from hubpub.source.files import MAX_BYTES

CI = ("CI", "GITHUB_ACTIONS", "TF_BUILD")
"""Set where what a pipe carries ends up in a log that obeys some of its lines."""
SHOWN = 5
"""So many names are listed before the rest is counted."""


@dataclass(frozen=True)
class Report:
    """The outcomes in their order. ``text``: what becomes of the standard input."""

    work: Work
    outcomes: tuple[Outcome, ...]
    several: bool = False
    remarks: tuple[str, ...] = ()
    errors: tuple[tuple[str, str | None], ...] = ()
    text: bytes | None = None
    lines: Mapping[tuple[str, int], str] = field(default_factory=dict)

    @property
    def diagnostics(self) -> list[Diagnostic]:
        """Every finding, repository by repository."""
        return [item for outcome in self.outcomes for item in outcome.diagnostics]

    @property
    def roots(self) -> tuple[str, ...]:
        """The way to every repository that was checked."""
        return tuple(outcome.root for outcome in self.outcomes)

    @property
    def judged(self) -> bool:
        """Whether anything could be."""
        return any(not outcome.error and not outcome.defect for outcome in self.outcomes)

    @property
    def unsafe(self) -> bool:
        """Whether --fix would make unsafe fixes too."""
        return any(outcome.unsafe_fixes for outcome in self.outcomes)

    def line(self, location: str, number: int) -> str:
        """A source line of a location, as far as a finding points near it."""
        return self.lines.get((location, number), "")

    def status(self, *, exit_zero: bool) -> int:
        """The exit status: the worst of all repositories."""
        failed = any(
            outcome.changed if self.work.mode == "diff" else outcome.failed
            for outcome in self.outcomes
        )
        return max(
            1 if failed and not exit_zero else 0,
            2 if self.errors or any(outcome.error for outcome in self.outcomes) else 0,
            3 if any(outcome.defect for outcome in self.outcomes) else 0,
        )


def work(options: Mapping[str, Any]) -> Work:
    """The work that the options ask for.

    Raises:
        UsageError: two options contradict each other.
    """
    reason = options["reason"]
    if reason is not None and (options["mend"] or options["show"]):
        raise UsageError("--add-ignore goes with neither --fix nor --diff", help="run --fix first")
    if options["config_file"] is not None and options["isolated"]:
        raise UsageError("--config and --isolated contradict each other")
    if options["allow_hosts"] and not options["online"]:
        raise UsageError("--allow-host says whom to ask", help="add --online")
    mode = "add-ignore" if reason is not None else "diff" if options["show"] else "check"
    return Work(
        mode="fix" if options["mend"] and mode == "check" else mode,
        select=split(options["select"]),
        extend_select=split(options["extend_select"]),
        ignore=split(options["ignore"]),
        fail_on=options["fail_on"],
        unsafe_fixes=options["unsafe_fixes"],
        config=options["config_file"],
        isolated=options["isolated"],
        reason=reason or "",
        cached=not options["no_cache"],
        online=options["online"],
        allow_hosts=options["allow_hosts"],
    )


def split(words: Iterable[str]) -> tuple[str, ...]:
    """The parts of words that may hold several, with commas."""
    return tuple(part.strip() for word in words for part in word.split(",") if part.strip())


def check_paths(work: Work, options: Mapping[str, Any]) -> Report:
    """Check the repositories that the paths of the command line mean.

    Raises:
        UsageError: a path is not there, or an option names no rule.
        ConfigError: there is one repository, and its configuration is broken.
    """
    excluded = split(options["exclude"])

    def patterns(top: Path) -> tuple[str, ...]:
        return (*excluded, *work.settings(top).exclude)

    found = publishers.find(options["paths"] or (".",), patterns, recursive=options["recursive"])
    several = found.searched or len(found.roots) > 1
    if several:
        from hubpub.check import crowd

        # What is wrong with the command line itself is said once, and not by every repository.
        Work(select=work.select, extend_select=work.extend_select, ignore=work.ignore,
             isolated=work.config is None, config=work.config).settings(Path())  # fmt: skip
        jobs = min(options["jobs"] or cpus(), len(found.roots))
        outcomes = crowd.run_all(work, found.roots, jobs=jobs)
    else:
        outcomes = [run(work, root) for root in found.roots]
    errors = tuple((error.message, error.help) for error in found.errors)
    lines = {key: line for outcome in outcomes for key, line in outcome.lines.items()}
    return Report(work, tuple(outcomes), several, tuple(found.remarks), errors, lines=lines)


def cpus() -> int:
    """The CPUs that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def check_stdin(work: Work, filename: str | None) -> Report:
    """Check one file whose text is on the standard input; the rest of its repository is read.

    Raises:
        UsageError: the file's name is not given, or it belongs to no repository.
        ConfigError: the configuration of its repository is broken.
    """
    if filename is None:
        raise UsageError("- needs the name of the file", help="--stdin-filename path/hubconf.py")
    if work.mode == "add-ignore":
        raise UsageError("--add-ignore needs files on the disk")
    path = Path(filename).absolute()
    root = _root_above(path)
    if root is None:
        raise UsageError(f"no hubconf.py in the folders above {filename}")
    data = sys.stdin.buffer.read(MAX_BYTES + 1)
    inside = Path(os.path.normpath(path)).relative_to(root).as_posix()
    outcome = run_text(work, root, inside, data)
    text = outcome.text if work.mode == "fix" else None
    return Report(work, (outcome,), text=text, lines=outcome.lines)


def _root_above(path: Path) -> Path | None:
    """The nearest folder with a hubconf.py; a folder with a .git is the last that is looked at."""
    place = Path(os.path.normpath(path))
    if place.name == publishers.HUBCONF:
        return place.parent
    with contextlib.suppress(OSError):  # a name that is too long, for one
        for folder in place.parents:
            if (folder / publishers.HUBCONF).is_file():
                return folder
            if (folder / ".git").exists():
                break
    return None


def say(report: Report) -> None:
    """What people should know beside the findings, to stderr; a fixed text to stdout."""
    from hubpub.cli import say_error

    for remark in report.remarks:
        click.echo(f"note: {visible(remark)}", err=True)
    for message, advice in report.errors:
        say_error(message, advice)
    for outcome in report.outcomes:
        _say_one(outcome, report)
    done = sum(outcome.done for outcome in report.outcomes)
    files = sum(len(outcome.changed) for outcome in report.outcomes)
    verbs = {"fix": "mended", "add-ignore": "suppressed"}
    if report.work.mode in verbs and files:
        verb = verbs[report.work.mode]
        click.echo(f"{verb} {_count(done, 'finding')} in {_count(files, 'file')}", err=True)
    if report.text is not None:
        _write(report.text)


def _say_one(outcome: Outcome, report: Report) -> None:
    from hubpub.cli import say_defect, say_error

    where = outcome.root or "."
    if outcome.error is not None:
        message, advice = outcome.error
        say_error(f"{where}: {message}", advice)
        return
    if outcome.defect is not None:
        say_defect(outcome.defect, where)
        return
    prefix = f"{where}: " if report.several else ""
    for line in outcome.said:
        click.echo(f"note: {visible(f'{prefix}{line}')}", err=True)
    if report.work.mode in {"fix", "add-ignore"}:
        for path in outcome.changed:
            inside = f"{outcome.root}/{path}" if outcome.root else path
            click.echo(f"changed {visible(inside)}", err=True)
    if outcome.unfollowed:
        names = ", ".join(outcome.unfollowed[:SHOWN])
        more = len(outcome.unfollowed) - SHOWN
        rest = f" and {more} more" if more > 0 else ""
        text = f"{prefix}not followed to the end, so not judged whole: {names}{rest}"
        click.echo(visible(text), err=True)


def write_patch(report: Report) -> None:
    """The diffs to stdout, and how many files they are of."""
    show_patch(b"".join(outcome.patch for outcome in report.outcomes))
    count = sum(len(outcome.changed) for outcome in report.outcomes)
    click.echo(f"{_count(count, 'file')} would change", err=True)


def show_patch(patch: bytes) -> None:
    """A diff to stdout, byte for byte; on a terminal and in a CI log no control characters."""
    shown = patch
    if sys.stdout.isatty() or (_is_pipe() and any(os.environ.get(name) for name in CI)):
        from hubpub.output.diff import render

        shown = render(patch.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
    _write(shown)
    if shown != patch:
        text = "note: some lines are escaped here; written to a file, the diff can be applied"
        click.echo(text, err=True)


def _is_pipe() -> bool:
    import stat

    try:
        return stat.S_ISFIFO(os.fstat(sys.stdout.fileno()).st_mode)
    except (OSError, ValueError):
        return True


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _write(data: bytes) -> None:
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
