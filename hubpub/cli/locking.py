"""What ``hubpub verify`` does with hubpub.lock: read it before the run, write it after one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hubpub.cli.outputs import write_file
from hubpub.errors import UsageError
from hubpub.output.escape import short, visible
from hubpub.output.json import dumps
from hubpub.output.report_text import plural

if TYPE_CHECKING:
    from hubpub.verify.lock import Lock
    from hubpub.verify.reference import Target
    from hubpub.verify.report import Finding, Report

_LONGEST = 300


@dataclass(frozen=True)
class Locking:
    """Where the lock is, whose it is (None: a local path, so anybody's), and what it holds."""

    file: Path
    repository: str | None = None
    held: Lock | None = None


def of_a_part(*, write: bool, locked: bool, part: bool, resumed: bool) -> None:
    """Refuse what would lock, or hold against a lock, less than the whole release.

    Raises:
        UsageError: flags that do not go together.
    """
    if write and (part or resumed):
        raise UsageError(
            "--write-lock takes a whole run", help="leave --entrypoint, --shard, --resume out"
        )
    if locked and resumed:
        raise UsageError("--locked compares one whole run", help="leave --resume out")


def wanted(asked: Target, file: Path | None, *, write: bool, locked: bool) -> Locking:
    """Read the lock that is compared with or written over, before anything runs.

    Raises:
        UsageError: flags that contradict each other, no such lock, or that of another repository.
    """
    from hubpub.verify import lock

    path = file if file is not None else Path(lock.NAME)
    if write and locked:
        raise UsageError(
            "--write-lock and --locked: one writes what the other would compare with",
            help="compare with --locked first; write where you know why it differs",
        )
    if not (write or locked):
        if file is not None:
            raise UsageError("--lock says where the lock is", help="add --locked or --write-lock")
        return Locking(path)
    if write and not path.absolute().parent.is_dir():
        raise UsageError(f"--lock {path}: no directory {path.absolute().parent}")
    repository = None if asked.path is not None else f"{asked.owner}/{asked.repo}"
    if write and not _exists(path):
        return Locking(path, repository)
    held = lock.read(path)
    if not held.fits(repository):
        raise UsageError(
            f"{path} is the lock of {held.repository}, not of {repository}",
            help="--lock FILE takes another; or remove this one, if it is no longer needed",
        )
    return Locking(path, held.repository if repository is None else repository, held)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError as error:
        raise UsageError(f"--lock {path}: {error.strerror}") from None


def write(locking: Locking, report: Report) -> None:
    """Write what ``report`` proved, or say on stderr why not.

    Raises:
        UsageError: it cannot be written.
    """
    from hubpub.verify import lock

    path = visible(str(locking.file))
    if report.status != "pass":
        problem = next((item.message for item in report.findings if _decides(item)), "")
        _say(f"{path} was not written: only a run that passes is locked; {problem}")
        return
    made = lock.Lock(locking.repository, lock.proven(report.entrypoints))
    write_file(locking.file, dumps(lock.to_json(made)))
    names = len(made.entrypoints)
    _say(f"{path} {_since(locking, made)}: {names} {plural(names, 'entrypoint')}")
    for name, reason in _left_out(report, made):
        _say(f"not in it: {name}: {reason}")


def _decides(item: Finding) -> bool:
    return item.code == "verify" and item.severity == "error"


def _since(locking: Locking, made: Lock) -> str:
    if locking.held is None:
        return "is written"
    return "is as it was" if locking.held == made else "is written anew"


def _left_out(report: Report, made: Lock) -> Iterator[tuple[str, str]]:
    for entrypoint in report.entrypoints:
        if entrypoint.name not in made.entrypoints:
            yield entrypoint.name, str(entrypoint.results[0].axes["loads"].reason)


def _say(text: str) -> None:
    click.echo(f"lock: {visible(short(text, _LONGEST))}", err=True)
