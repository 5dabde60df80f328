"""A checkpoint's sha256, read once and in full, and what it certainly is not."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from hubpub.errors import UsageError
from hubpub.source.published import POINTER, POINTER_BYTES

_CHUNK = 1 << 20
_HEAD = 1024
_OPEN = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
"""O_NONBLOCK: opening a FIFO must not wait for a writer."""
_ZIP, _ZIP_END = b"PK\x03\x04", b"PK\x05\x06"
_ZIP_END_BYTES = 22 + 65_535
"""The end of a zip file: its last record and a comment (PKWARE's APPNOTE.TXT, 4.3.16)."""
_KINDS = {
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}

Identity = tuple[int, int, int, int]
"""Device, inode, size in bytes and time of the last change in ns: which file, and as it was."""


@dataclass(frozen=True)
class Content:
    """A checkpoint as it was read: ``size`` in bytes, ``sha256`` as 64 digits.

    ``suffix`` is what a name without one gets, by what the file begins with. ``source`` is the file
    that will bear the new name, the checkpoint itself or its copy, and ``identity`` which it is.
    """

    path: Path
    size: int
    sha256: str
    suffix: str
    source: Path
    identity: Identity


def identity(status: os.stat_result) -> Identity:
    """Which file that is, and in which state."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def size_of(path: Path) -> int:
    """How many bytes will be read of ``path``; 0 where it cannot be told."""
    try:
        return path.stat().st_size
    except (OSError, ValueError):
        return 0


def read(
    path: Path, tick: Callable[[int], None], copy: Path | None = None, *, follow: bool = False
) -> Content:
    """Read ``path`` in full; with ``copy`` also write what is read to that new file.

    ``tick`` is told the number of bytes after each piece. ``path`` may be a symbolic link only with
    ``follow``. A copy has the mode and the times of the
    original and is on the disk when this returns; the caller removes it where this raises.

    Raises:
        UsageError: the file cannot be read, changed meanwhile, or is certainly no checkpoint.
    """
    try:
        _refuse_kind(path, follow)
        with os.fdopen(os.open(path, _OPEN), "rb", buffering=0) as file:
            before = os.fstat(file.fileno())
            head = file.read(_HEAD) or b""
            _refuse_content(path, before.st_size, head)
            file.seek(0)
            sha256, size = _digest(file, tick, copy)
            _refuse_cut_short(path, file, head, size)
            after = os.fstat(file.fileno())
        named = path.stat() if follow else path.lstat()
        if not identity(before) == identity(after) == identity(named) or size != before.st_size:
            raise UsageError(
                f"{path} changed while it was read", help="wait until it is written, and try again"
            )
        bearer = path if copy is None else _alike(copy, before)
        made = identity(bearer.lstat())
    except (OSError, ValueError) as error:
        raise _unreadable(path, error, copy) from error
    suffix = ".safetensors" if head[8:9] == b"{" and head[4:8] == b"\0\0\0\0" else ".pth"
    return Content(path, size, sha256, suffix, bearer, made)


def _unreadable(path: Path, error: OSError | ValueError, copy: Path | None) -> UsageError:
    if isinstance(error, FileNotFoundError):
        link = path.is_symlink()
        return UsageError(
            f"{path} is a link to nothing" if link else f"there is no file {path}",
            help=None if link else "name a checkpoint, relative to here",
        )
    reason = getattr(error, "strerror", None) or str(error)
    done = "read" if copy is None else "read or copied"
    return UsageError(f"{path} cannot be {done}: {reason}")


def _refuse_kind(path: Path, follow: bool) -> None:
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode):
        if not follow:
            raise UsageError(
                f"{path} is a symbolic link to {path.readlink()}",
                help="name that file itself, or --copy what the link leads to",
            )
        status = path.stat()
    kind = stat.S_IFMT(status.st_mode)
    if kind != stat.S_IFREG:
        raise UsageError(
            f"{path} is {_KINDS.get(kind, 'no plain file')}",
            help="name the checkpoints in it" if kind == stat.S_IFDIR else "name a plain file",
        )


def _refuse_content(path: Path, size: int, head: bytes) -> None:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if size == 0:
        raise UsageError(f"{path} is empty", help="it holds no checkpoint; save or fetch it again")
    if head.startswith(POINTER) and size < POINTER_BYTES:
        raise UsageError(
            f"{path} is a pointer of git LFS, not the checkpoint", help="run `git lfs pull` first"
        )
    if text.startswith((b"<!doctype html", b"<html")) or (
        text.startswith(b"<?xml") and b"<error>" in text
    ):
        raise UsageError(
            f"{path} is a page, not a checkpoint",
            help="a server sent a page or an error instead of the file: fetch it again",
        )


def _refuse_cut_short(path: Path, file: BinaryIO, head: bytes, size: int) -> None:
    if head.startswith(_ZIP):
        file.seek(max(size - _ZIP_END_BYTES, 0))
        if _ZIP_END not in file.read(_ZIP_END_BYTES):
            raise UsageError(
                f"{path} is cut short: it begins as torch.save writes it and has no end",
                help="save or fetch it again",
            )


def _digest(file: BinaryIO, tick: Callable[[int], None], copy: Path | None) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    piece = memoryview(bytearray(_CHUNK))
    if copy is None:
        while count := file.readinto(piece):  # type: ignore[attr-defined]
            digest.update(piece[:count])
            size += count
            tick(count)
        return digest.hexdigest(), size
    with copy.open("xb", buffering=0) as out:
        while count := file.readinto(piece):  # type: ignore[attr-defined]
            digest.update(piece[:count])
            _write(out, piece[:count])
            size += count
            tick(count)
        os.fsync(out.fileno())
    return digest.hexdigest(), size


def _write(out: BinaryIO, data: memoryview) -> None:
    """All of ``data``: a single write may take less."""
    while data:
        data = data[out.write(data) :]


def _alike(copy: Path, status: os.stat_result) -> Path:
    copy.chmod(stat.S_IMODE(status.st_mode) & 0o777)
    os.utime(copy, ns=(status.st_atime_ns, status.st_mtime_ns))
    return copy
