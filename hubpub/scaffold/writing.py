"""Put planned files down together or not at all, without ever replacing one."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hubpub.errors import UsageError
from hubpub.linking import link
from hubpub.scaffold.rendering import PlannedFile


@dataclass(frozen=True)
class Outcome:
    """What :func:`write` did; paths relative to the folder, sorted.

    ``kept`` are the user's own files that stand where a companion would have gone.
    """

    written: tuple[str, ...]
    kept: tuple[str, ...]


def write(directory: Path, files: Sequence[PlannedFile]) -> Outcome:
    """Write ``files`` under ``directory``, which is made when it is not there.

    Every file is first written in full under a temporary name, then all are linked to their own
    names, which fails where something has appeared there meanwhile. Whatever stops this on the
    way, Ctrl-C and a full disk included, what was made so far is removed again.

    Raises:
        UsageError: a file is in the way, or the folder cannot be written. Nothing has changed.
    """
    try:
        wanted, kept = _survey(directory, files)
        undo = _Undo()
        with undo:
            _put(directory, wanted, undo)
    except OSError as error:
        place = error.filename2 or error.filename or directory
        raise UsageError(
            f"cannot write {os.fspath(place)}: {error.strerror or error}",
            help="nothing was written",
        ) from error
    return Outcome(tuple(sorted(file.path for file in wanted)), tuple(sorted(kept)))


def _survey(
    directory: Path, files: Sequence[PlannedFile]
) -> tuple[tuple[PlannedFile, ...], tuple[str, ...]]:
    """The files to write and the user's files to keep; an error names what is in the way."""
    if os.path.lexists(directory) and not directory.is_dir():
        raise UsageError(f"{directory} is not a folder", help="name a folder, new or existing")
    present = [entry.name for entry in directory.iterdir()] if directory.is_dir() else []
    wanted, kept, blocked = [], [], []
    for file in files:
        own = [name for name in present if file.companion and name.lower().startswith(file.like)]
        if own:
            kept.append(min(own))
        elif (obstacle := _obstacle(directory, file.path)) is not None:
            blocked.append(obstacle)
        else:
            wanted.append(file)
    if blocked:
        raise UsageError(
            f"already there, and init never overwrites: {', '.join(sorted(set(blocked)))}",
            help="nothing was written; move them away, or choose another folder or --name",
        )
    return tuple(wanted), tuple(kept)


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


def _put(directory: Path, files: Sequence[PlannedFile], undo: _Undo) -> None:
    pairs = []
    for file in files:
        target = directory / file.path
        _make_folder(target.parent, undo)
        temporary = target.parent / f".hubpub-{secrets.token_hex(8)}.tmp"
        undo.temporary.append(temporary)
        with temporary.open("xb") as stream:
            stream.write(file.content)
        pairs.append((temporary, target))
    for temporary, target in pairs:
        undo.linked.append((temporary, target))
        _link(temporary, target, undo)


def _make_folder(folder: Path, undo: _Undo) -> None:
    if folder.is_dir():
        return
    _make_folder(folder.parent, undo)
    undo.folders.append(folder)
    folder.mkdir()


def _link(temporary: Path, target: Path, undo: _Undo) -> None:
    """Give ``temporary`` its own name; unlike a rename, this never replaces what is there."""
    if not link(temporary, target):
        with target.open("xb") as stream:
            undo.copied.append(target)
            stream.write(temporary.read_bytes())
