"""Renaming checkpoints and rewriting files together: all of it or nothing, and never over a file.

Every file is first ready under a temporary name. What follows are renames and links only, with
signals held back, and each has its undoing, which runs when a later one fails.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hubpub.errors import UsageError
from hubpub.linking import link, rename
from hubpub.signals import held
from hubpub.stamping.content import Identity, identity


@dataclass(frozen=True)
class Move:
    """The file ``source``, which must still be ``identity``, gets the name ``target``."""

    source: Path
    target: Path
    identity: Identity


@dataclass(frozen=True)
class Swap:
    """The file ``place`` becomes what ``ready``, a file beside it, holds.

    ``before`` are the bytes that ``place`` must still hold.
    """

    place: Path
    ready: Path
    before: bytes


def spare(folder: Path) -> Path:
    """A name in ``folder`` for a file that is not finished."""
    return folder / f".hubpub-{secrets.token_hex(8)}.tmp"


def place(moves: Sequence[Move], swaps: Sequence[Swap] = ()) -> None:
    """Make all of ``moves`` and ``swaps``.

    Raises:
        UsageError: a file changed meanwhile, a name is taken, or the file system refuses; then
            everything stands as before, as far as the file system lets it be put back.
    """
    try:
        with held(), contextlib.ExitStack() as spares, contextlib.ExitStack() as undo:
            old = [item for move in moves if (item := _name(move, undo)) is not None]
            for swap in swaps:
                _swap(swap, undo, spares)
            for source, target in old:
                source.unlink()
                undo.callback(quietly, link, target, source)
            undo.pop_all()
    except FileExistsError as error:
        taken = error.filename2 or error.filename
        raise UsageError(
            f"{os.fspath(taken)} is already there, and stamp never overwrites",
            help="nothing was changed",
        ) from error
    except OSError as error:
        where = error.filename2 or error.filename or moves[0].target
        raise UsageError(
            f"{os.fspath(where)} cannot be made or changed: {error.strerror or error}",
            help="nothing was changed",
        ) from error


def _name(move: Move, undo: contextlib.ExitStack) -> tuple[Path, Path] | None:
    """Give a file its new name; the names of one that still has its old one as well."""
    source, target = move.source, move.target
    _same(move, source)
    if not link(source, target):
        rename(source, target)
        undo.callback(quietly, _back, target, source)
        return None
    undo.callback(quietly, _unlink, target, source)
    _same(move, target)
    return source, target


def _same(move: Move, path: Path) -> None:
    if identity(path.lstat()) != move.identity:
        raise UsageError(
            f"{move.source} changed after it was read",
            help="nothing was changed; wait until it is written, and try again",
        )


def _swap(swap: Swap, undo: contextlib.ExitStack, spares: contextlib.ExitStack) -> None:
    if swap.place.read_bytes() != swap.before:
        raise UsageError(
            f"{swap.place} changed meanwhile", help="nothing was changed; save it, and try again"
        )
    kept = spare(swap.place.parent)
    spares.callback(quietly, kept.unlink)
    if not link(swap.place, kept):
        with kept.open("xb") as file:
            file.write(swap.before)
        kept.chmod(swap.place.stat().st_mode & 0o7777)
    undo.callback(quietly, kept.replace, swap.place)
    swap.ready.replace(swap.place)


def _unlink(target: Path, source: Path) -> None:
    """Take the new name away, as long as the old one leads to the same file."""
    if target.samefile(source):
        target.unlink()


def _back(target: Path, source: Path) -> None:
    if not os.path.lexists(source):
        target.replace(source)


def quietly(step: object, *arguments: object) -> None:
    """One step of undoing; where it fails, the others are still worth it."""
    with contextlib.suppress(OSError):
        step(*arguments)  # type: ignore[operator]
