"""The files of a repository under test, read without trusting them: bounded, never outside."""

from __future__ import annotations

import functools
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from hubpub.source import gitindex
from hubpub.source.gitindex import Index
from hubpub.source.text import Text, Unreadable, decode

MAX_BYTES = 1 << 20
"""A Python file larger than this is not read (bytes): no person wrote it."""
MAX_TEXTS = 16 << 20
"""All Python files that are read (bytes): a tree of them takes a thousand times the memory."""
MAX_ENTRIES = 50_000
"""So many files are looked at; no more, however large the repository is."""
SKIPPED = frozenset({".git", "node_modules", "__pycache__", ".venv", ".pytest_cache"})
"""Directories that are not part of what is published."""


@dataclass
class Files:
    """A repository's files below ``root``. Paths are relative to it, with forward slashes.

    What was read is kept, so that a file is read once. A symlink is followed only to a place inside
    the repository; GitHub's zip holds symlinks as small text files, but a checkout works with them.
    """

    root: Path
    texts: dict[str, Text | Unreadable] = field(default_factory=dict)
    _listings: dict[str, frozenset[str]] = field(default_factory=dict)
    _read_bytes: int = 0

    def text(self, path: str) -> Text | Unreadable:
        """The text of a Python file, or why it has none."""
        if path not in self.texts:
            self.texts[path] = self._read(path)
        return self.texts[path]

    def _read(self, path: str) -> Text | Unreadable:
        data = self.data(path, MAX_BYTES)
        if isinstance(data, Unreadable):
            return data
        self._read_bytes += len(data)
        if self._read_bytes > MAX_TEXTS:
            return Unreadable(f"it is one of more than {MAX_TEXTS >> 20} MiB of Python files")
        return decode(data)

    def data(self, path: str, limit: int) -> bytes | Unreadable:
        """The bytes of a file of at most ``limit`` bytes, or why they cannot be had."""
        place = self.root / path
        try:
            if not self._inside(place):
                return Unreadable("it is a symlink that leaves the repository")
            if place.is_dir():
                return Unreadable("it is a directory")
            return _regular(place, limit)
        except (OSError, ValueError, RuntimeError) as error:
            return Unreadable(getattr(error, "strerror", None) or str(error))

    def tracked(self) -> Index | None:
        """The paths that git tracks here; None where that cannot be told.

        Only git's index is read: git itself would run what its configuration names.
        """
        try:
            own = self._git_folders[0]
            index = _regular(own / "index", gitindex.MAX_BYTES)
        except (OSError, ValueError, RuntimeError):
            return None
        return None if isinstance(index, Unreadable) else gitindex.parse(index)

    def git(self, path: str, limit: int) -> bytes | Unreadable:
        """The bytes of a file of git's own directory, or why they cannot be had.

        Of a linked work tree it is the directory that all of them share.
        """
        try:
            return _regular(self._git_folders[1] / path, limit)
        except (OSError, ValueError, RuntimeError) as error:
            return Unreadable(getattr(error, "strerror", None) or str(error))

    def git_own(self, path: str, limit: int) -> bytes | Unreadable:
        """The bytes of a file of this work tree's own directory of git, or why not."""
        try:
            return _regular(self._git_folders[0] / path, limit)
        except (OSError, ValueError, RuntimeError) as error:
            return Unreadable(getattr(error, "strerror", None) or str(error))

    def git_walk(self, top: str) -> tuple[str, ...]:
        """The files below the folder ``top`` of git's own directory, by path from there."""
        try:
            place = self._git_folders[1] / top
        except (OSError, ValueError, RuntimeError):
            return ()
        return _below(place, MAX_ENTRIES)

    @functools.cached_property
    def _git_folders(self) -> tuple[Path, Path]:
        """Git's directory, and the one that it shares with the main work tree.

        In a linked work tree and in a submodule ``.git`` is a file that names git's directory,
        which lies outside. Raises OSError or ValueError where there is none.
        """
        place = self.root / ".git"
        if not place.is_dir():
            place = self.root / _named(place, b"gitdir: ")
            if not (place / "HEAD").is_file():
                raise ValueError("it is no directory of git's")
        try:
            return place, place / _named(place / "commondir", b"")
        except (OSError, ValueError):
            return place, place

    def is_link(self, path: str) -> bool:
        """Whether ``path`` is a symlink."""
        return self.has(path) and (self.root / path).is_symlink()

    def _inside(self, place: Path) -> bool:
        real = os.path.realpath(place)
        return os.path.commonpath([real, os.path.realpath(self.root)]) == os.path.realpath(
            self.root
        )

    def listing(self, directory: str) -> frozenset[str]:
        """The names in a directory, exactly as they are spelled; empty where it cannot be read."""
        if directory not in self._listings:
            try:
                place = self.root / directory
                names = [item.name for item in place.iterdir()] if self._inside(place) else []
            except (OSError, ValueError):
                names = []
            self._listings[directory] = frozenset(names)
        return self._listings[directory]

    def has(self, path: str) -> bool:
        """Whether the tree holds ``path`` in exactly this spelling of letters."""
        parent, _, name = path.rpartition("/")
        return name in self.listing(parent)

    def is_file(self, path: str) -> bool:
        """Whether ``path`` is a regular file (or a symlink to one)."""
        return self.has(path) and _is(self.root / path, stat.S_ISREG)

    def is_directory(self, path: str) -> bool:
        """Whether ``path`` is a directory; the root is the empty path."""
        return not path or (self.has(path) and _is(self.root / path, stat.S_ISDIR))

    def walk(self) -> tuple[str, ...]:
        """The files of the tree by path; :data:`SKIPPED` and symlinked directories aside."""
        return _below(self.root, MAX_ENTRIES)

    def size(self, path: str) -> int | None:
        """The size of a regular file in bytes; None for anything else."""
        try:
            status = os.stat(self.root / path)  # noqa: PTH116
        except (OSError, ValueError):
            return None
        return status.st_size if stat.S_ISREG(status.st_mode) else None


def _regular(place: Path, limit: int) -> bytes | Unreadable:
    # O_NONBLOCK: opening a FIFO must not wait for a writer.
    handle = os.open(place, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    with open(handle, "rb") as file:  # noqa: PTH123
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            return Unreadable("it is not a regular file")
        data = file.read(limit + 1)
    if len(data) > limit:
        return Unreadable(f"it is larger than {limit >> 20} MiB")
    return data


def _named(place: Path, before: bytes) -> Path:
    """The path that a small file of git's holds after ``before``."""
    data = _regular(place, 4096)
    if isinstance(data, Unreadable) or not data.startswith(before):
        raise ValueError("it names no path")
    return Path(os.fsdecode(data.removeprefix(before).strip()))


def _below(top: Path, most: int) -> tuple[str, ...]:
    found: list[str] = []
    for directory, folders, names in os.walk(top):
        folders[:] = sorted(name for name in folders if name not in SKIPPED)
        base = Path(directory).relative_to(top).as_posix()
        found.extend(name if base == "." else f"{base}/{name}" for name in sorted(names))
        if len(found) >= most:
            break
    return tuple(found[:most])


def _is(place: Path, kind: object) -> bool:
    try:
        return bool(kind(os.stat(place).st_mode))  # type: ignore[operator]  # noqa: PTH116
    except (OSError, ValueError):
        return False


def join(*parts: str) -> str:
    """Parts of a relative path as one; empty parts vanish."""
    return "/".join(part for part in parts if part)
