"""Stamping: a checkpoint gets the name that ``check_hash=True`` reads, and its code follows.

``naming`` finds the name, ``content`` reads the file, ``mentions`` and ``updating`` find and
rewrite what names it, ``placing`` makes all of it or nothing.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from hubpub.errors import UsageError
from hubpub.signals import held
from hubpub.source.facts import RELEASE_LIMIT
from hubpub.stamping.content import Content, read, size_of
from hubpub.stamping.naming import LEAST_DIGITS, MOST_DIGITS, Stamped, stamped
from hubpub.stamping.placing import Move, place, quietly, spare

if TYPE_CHECKING:
    from hubpub.stamping.updating import Change, Code

__all__ = ["LEAST_DIGITS", "MOST_DIGITS", "Outcome", "Watch", "stamp"]

Watch = Callable[[Path, int], AbstractContextManager[Callable[[int], None]]]
"""Called with a file and its size in bytes, gives what is told the bytes of each piece read."""


_TOO_LARGE = (
    "split it, store it in half precision, or host it elsewhere, such as on the Hugging Face Hub"
)


@dataclass(frozen=True)
class Outcome:
    """What became of one file.

    ``status`` is renamed, copied, unchanged (it has a right stamp) or failed; in a dry run what it
    would be. ``new`` is where it is now, ``sha256`` and ``size`` (bytes) what it holds: None where
    it failed. ``notes`` tell what about the name changed and why, ``warnings`` what will go wrong
    later, each with what to do. ``changes`` are the places that name it now.
    """

    path: Path
    status: str
    new: Path | None = None
    sha256: str | None = None
    size: int | None = None
    notes: tuple[str, ...] = ()
    warnings: tuple[tuple[str, str | None], ...] = ()
    changes: tuple[Change, ...] = ()
    error: str | None = None
    help: str | None = None


def stamp(
    paths: Sequence[Path],
    *,
    digits: int = LEAST_DIGITS,
    copy: bool = False,
    dry: bool = False,
    code: Code | None = None,
    watch: Watch,
) -> Iterator[Outcome]:
    """Stamp ``paths``, one after the other; with ``code`` all at once, when all have been read.

    Args:
        paths: the checkpoints.
        digits: how many digits of the sha256 a stamp has, 8 to 64.
        copy: leave the files, and make copies with the new names.
        dry: change nothing.
        code: what is to name the files as they are called then.
        watch: see :data:`Watch`.

    Whatever ends this, an exception of the caller's included, each file has its old name or its new
    one, and no unfinished one is left.
    """
    paths = list({os.path.abspath(path): path for path in paths}.values())  # noqa: PTH100
    groups = [[path] for path in paths] if code is None else [paths]
    for group in groups:
        with contextlib.ExitStack() as spares:
            run = _Run(digits, copy, dry, code, watch, spares, set())
            yield from run.together(group)


@dataclass(frozen=True)
class _Run:
    """Files that are stamped together; ``taken`` are their new names.

    ``spares`` removes what is left of unfinished files.
    """

    digits: int
    copy: bool
    dry: bool
    code: Code | None
    watch: Watch
    spares: contextlib.ExitStack
    taken: set[Path]

    def together(self, paths: Sequence[Path]) -> list[Outcome]:
        pairs = [self._one(path) for path in paths]
        moves = [move for _, move in pairs if move is not None]
        try:
            if not self.dry:
                with held():
                    place(moves, self.code.prepare(self.spares) if self.code else ())
        except UsageError as error:
            return [
                item if item.status == "failed" else _failed(item.path, error) for item, _ in pairs
            ]
        return [self._told(item) for item, _ in pairs]

    def _one(self, path: Path) -> tuple[Outcome, Move | None]:
        try:
            return self._planned(path)
        except UsageError as error:
            return _failed(path, error), None

    def _planned(self, path: Path) -> tuple[Outcome, Move | None]:
        """What is to become of ``path``, nothing of which has happened yet."""
        content = self._read(path)
        found = stamped(path.name, content.sha256, self.digits, content.suffix)
        target = path.with_name(found.name)
        if not found.right and (target in self.taken or os.path.lexists(target)):
            raise UsageError(
                f"{target} is already there, and stamp never overwrites",
                help=f"{path} was left as it is; if both hold the same, remove one of them",
            )
        changes, remarks = self.code.rename(path, found) if self.code else ((), ())
        self.taken.add(target)
        status = "unchanged" if found.right else "copied" if self.copy else "renamed"
        outcome = Outcome(
            path,
            status,
            target,
            content.sha256,
            content.size,
            (*_notes(path, found), *remarks),
            _warnings(content, found),
            changes,
        )
        move = Move(content.source, target, content.identity)
        return outcome, None if found.right else move

    def _read(self, path: Path) -> Content:
        copy = spare(path.parent) if self.copy and not self.dry else None
        if copy is not None:
            self.spares.callback(quietly, copy.unlink)
        with self.watch(path, size_of(path)) as tick:
            return read(path, tick, copy, follow=self.copy)

    def _told(self, item: Outcome) -> Outcome:
        """``item`` with what can be said of its code only when all of that has changed."""
        if self.code is None or item.new is None:
            return item
        reason = self.code.unread(item.new.name)
        return item if reason is None else replace(item, warnings=(*item.warnings, (reason, None)))


def _failed(path: Path, error: UsageError) -> Outcome:
    return Outcome(path, "failed", error=error.message, help=error.help)


def _notes(path: Path, found: Stamped) -> tuple[str, ...]:
    notes = []
    if found.right:
        notes.append("it has the stamp of its content already")
    if found.replaced:
        notes.append(f"the stamp {found.replaced} was of other content, and is replaced")
    for part in found.misread:
        what = f"take {part[1:-1]} for the stamp" if part[1:-1] else "see an empty stamp"
        notes.append(f"the loader would {what} at {part!r}: _ takes the place of -")
    if found.suffix:
        notes.append(f"the loader reads a stamp before a full stop only: {found.suffix} is added")
    return tuple(f"{path.name}: {note}" for note in notes)


def _warnings(content: Content, found: Stamped) -> tuple[tuple[str, str | None], ...]:
    warnings: list[tuple[str, str | None]] = []
    if content.size > RELEASE_LIMIT:
        size = f"{content.size / (1 << 30):.1f} GiB"
        what = f"{content.path} is {size}, more than a release asset holds (HUB401)"
        warnings.append((what, _TOO_LARGE))
    if found.special:
        warnings.append(
            (
                f"GitHub may put full stops for {found.special!r} in the name of a release asset",
                "rename it before to letters, digits and . _ - alone, or take the URL from GitHub",
            )
        )
    return tuple(warnings)
