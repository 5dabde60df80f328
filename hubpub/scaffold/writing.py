"""Put planned files down together or not at all, without ever replacing one."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from hubpub.errors import UsageError
from hubpub.linking import link
from hubpub.scaffold.rendering import PlannedFile

CHUNK = 1 << 20
"""So much of a file is copied at once (bytes)."""
LAST = "hubconf.py"
"""It is put down last: a folder that has it has the rest."""
_LEFT = re.compile(r"\.hubpub-[0-9a-f]{16}\.tmp\Z")


@dataclass(frozen=True)
class CopiedFile:
    """A file to write that is another one's copy, such as a checkpoint; see PlannedFile."""

    path: str
    source: Path
    like: tuple[str, ...] = ()

    @property
    def companion(self) -> bool:
        """Whether the user's own file of this kind is as good: it is not."""
        return False


@dataclass(frozen=True)
class Outcome:
    """What :func:`write` did; paths relative to the folder, sorted.

    ``kept`` are the user's own files that stand where a companion would have gone, ``same`` those
    that are there already with exactly what was to be written.
    """

    written: tuple[str, ...]
    kept: tuple[str, ...]
    same: tuple[str, ...] = ()


def write(
    directory: Path,
    files: Sequence[PlannedFile | CopiedFile],
    stopped: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Write ``files`` under ``directory``, which is made when it is not there.

    Every file is first written in full under a temporary name, then all are linked to their own
    names, which fails where something has appeared there meanwhile. Whatever stops this on the
    way, Ctrl-C and a full disk included, what was made so far is removed again. ``stopped`` is
    asked between the steps; whoever answers it from a signal handler is spared an exception at a
    place where nobody can undo anything.

    Raises:
        UsageError: a file is in the way, or the folder cannot be written. Nothing has changed.
        KeyboardInterrupt: ``stopped`` said so. Nothing has changed.
    """
    try:
        survey = look_around(directory, files)
        undo = _Undo()
        with undo:
            _put(directory, survey.wanted, undo, stopped)
    except OSError as error:
        place = error.filename2 or error.filename or directory
        raise UsageError(
            f"cannot write {os.fspath(place)}: {error.strerror or error}",
            help=f"nothing was written; {_advice(error)}",
        ) from error
    written = tuple(sorted(file.path for file in survey.wanted))
    return Outcome(written, survey.kept, survey.same)


def _advice(error: OSError) -> str:
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return "make room, and run it again"
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return "choose a folder that you may write to, or change its mode"
    if error.errno == errno.EEXIST:
        return "something put it there meanwhile: look at it, and run it again"
    return "mend that, and run it again"


@dataclass(frozen=True)
class Survey:
    """The files to write, the user's files to keep, and those that are there as planned."""

    wanted: tuple[PlannedFile | CopiedFile, ...]
    kept: tuple[str, ...]
    same: tuple[str, ...]


def look_around(directory: Path, files: Sequence[PlannedFile | CopiedFile]) -> Survey:
    """What :func:`write` would do.

    Raises:
        UsageError: a file is in the way; the message names all that are.
        OSError: the folder cannot be read.
    """
    if os.path.lexists(directory) and not directory.is_dir():
        raise UsageError(f"{directory} is not a folder", help="name a folder, new or existing")
    present = [entry.name for entry in directory.iterdir()] if directory.is_dir() else []
    wanted: list[PlannedFile | CopiedFile] = []
    kept, same, blocked = [], [], []
    for file in files:
        own = [name for name in present if file.companion and name.lower().startswith(file.like)]
        if _is_same(directory, file):
            same.append(file.path)
        elif own:
            kept.append(min(own))
        elif (obstacle := _obstacle(directory, file.path)) is not None:
            blocked.append(obstacle)
        else:
            wanted.append(file)
    if blocked:
        left = sorted(name for name in present if _LEFT.match(name))
        killed = f"\nan init that was killed has left {', '.join(left)}: remove it" if left else ""
        raise UsageError(
            f"already there, and init never overwrites: {', '.join(sorted(set(blocked)))}",
            help="nothing was written; move them away, or choose another folder or --name" + killed,
        )
    return Survey(tuple(wanted), tuple(sorted(kept)), tuple(sorted(same)))


def _is_same(directory: Path, file: PlannedFile | CopiedFile) -> bool:
    """Whether a regular file is there that holds exactly what is planned."""
    place = directory / file.path
    if _obstacle(directory, file.path) != file.path or place.is_symlink() or not place.is_file():
        return False
    if isinstance(file, PlannedFile):
        data = file.content
        return place.stat().st_size == len(data) and place.read_bytes() == data
    if place.stat().st_size != file.source.stat().st_size:
        return False
    with place.open("rb") as one, file.source.open("rb") as other:
        while chunk := one.read(CHUNK):
            if chunk != other.read(CHUNK):
                return False
    return True


def _obstacle(directory: Path, path: str) -> str | None:
    """What stands where ``path``, or a folder on the way to it, is to be made."""
    *folders, name = path.split("/")
    place = directory
    for index, folder in enumerate(folders):
        place /= folder
        # Through a link the file would land somewhere else than where the plan says.
        if place.is_symlink() or (place.exists() and not place.is_dir()):
            return "/".join(folders[: index + 1])
    return path if os.path.lexists(place / name) else None


@dataclass
class _Undo:
    """Remember what was made; remove it, last first, when the block does not end well."""

    folders: list[Path] = field(default_factory=list)
    temporary: list[Path] = field(default_factory=list)
    linked: list[tuple[Path, Path]] = field(default_factory=list)
    copied: list[Path] = field(default_factory=list)

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, value: object, trace: object) -> None:
        if kind is not None:
            for target in self.copied:
                with contextlib.suppress(OSError):
                    target.unlink()
            for temporary, target in reversed(self.linked):
                # Only what is ours: the same file as the temporary one beside it.
                with contextlib.suppress(OSError):
                    if target.samefile(temporary):
                        target.unlink()
        for temporary in self.temporary:
            with contextlib.suppress(OSError):
                temporary.unlink()
        if kind is not None:
            for folder in reversed(self.folders):
                with contextlib.suppress(OSError):
                    folder.rmdir()


def _put(
    directory: Path,
    files: Sequence[PlannedFile | CopiedFile],
    undo: _Undo,
    stopped: Callable[[], bool],
) -> None:
    pairs = []
    for file in sorted(files, key=lambda file: (file.path == LAST, file.path)):
        target = directory / file.path
        _make_folder(target.parent, undo)
        temporary = target.parent / f".hubpub-{secrets.token_hex(8)}.tmp"
        undo.temporary.append(temporary)
        with temporary.open("xb") as stream:
            _fill(stream, file, stopped)
        pairs.append((temporary, target))
    for temporary, target in pairs:
        _stop(stopped)
        undo.linked.append((temporary, target))
        _link(temporary, target, undo)


def _fill(stream: BinaryIO, file: PlannedFile | CopiedFile, stopped: Callable[[], bool]) -> None:
    if isinstance(file, PlannedFile):
        _stop(stopped)
        stream.write(file.content)
        return
    with file.source.open("rb") as source:
        while chunk := source.read(CHUNK):
            _stop(stopped)
            stream.write(chunk)


def _stop(stopped: Callable[[], bool]) -> None:
    if stopped():
        raise KeyboardInterrupt


def _make_folder(folder: Path, undo: _Undo) -> None:
    if folder.is_dir():
        return
    _make_folder(folder.parent, undo)
    undo.folders.append(folder)
    folder.mkdir()


def _link(temporary: Path, target: Path, undo: _Undo) -> None:
    """Give ``temporary`` its own name; unlike a rename, this never replaces what is there."""
    if not link(temporary, target):
        with target.open("xb") as stream, temporary.open("rb") as source:
            undo.copied.append(target)
            shutil.copyfileobj(source, stream, CHUNK)
