"""What a dead job left: files hashed by the parent, and where their bytes came from.

Only called when every process of the job is dead, so nothing changes under the reader. Names and
kinds are hostile all the same: directories are opened relative to their parent without following
links, and whatever is not a plain file is refused by name.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO, TypeAlias
from urllib.parse import urljoin

from hubpub.source.facts import HASH_REGEX
from hubpub.verify.egress import Request

_MOST_FILES, _DEPTH, _PATH_BYTES = 20_000, 32, 2000
_MOST_CHECKPOINTS = 1000
_TOO_MANY = f"is one of more than {_MOST_CHECKPOINTS} checkpoints of one job"
_READ_BYTES = 1 << 20
if hasattr(os, "O_NOFOLLOW"):  # on Windows reports are read and nothing is verified
    _OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_STAMP_DIGITS = 8
_HOPS = 32  # urllib follows ten redirects, requests thirty
_CHECKPOINT_SUFFIXES = frozenset((
    ".pt", ".pth", ".pt2", ".ckpt", ".bin", ".safetensors", ".pkl", ".t7", ".tar", ".npz", ".h5",
    ".onnx", ".weights", ".jit",
))  # fmt: skip
_KINDS = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a directory",
}
_SNAPSHOT = re.compile(r"(?:^|/)models--[^/]+/snapshots/[^/]+/")
_BLOB = re.compile(r"(?:\.\./){2,}blobs/([0-9a-f]{40,64})")

_Levels: TypeAlias = "list[tuple[str, int, Iterator[str]]]"
"""Open directories from the top: the path to each with its slash, its descriptor, what is left."""

GoOn: TypeAlias = "Callable[[], str | None]"
"""Asked after each MiB: why nothing more is to be read; None where all is well."""


@dataclass(frozen=True)
class LeftFile:
    """A file in a job's scratch. ``path`` is relative to the job's directory.

    ``sha256`` is None where the file was refused, for ``reason``.
    """

    path: str
    size: int
    sha256: str | None
    reason: str | None = None


@dataclass(frozen=True)
class Stamp:
    """The hash prefix in a file name, as the loader reads it, against the file's own sha256.

    ``status`` is match, mismatch or absent.
    """

    prefix: str | None
    status: str


@dataclass
class _Reader:
    """Hashes files of one job, each content on the disk once, and no more than ``left`` bytes.

    Names of one file cost a job nothing, nor does room for files that it never writes.
    """

    most_bytes: int
    go_on: GoOn
    left: int
    files: int = 0
    _known: dict[tuple[int, int], LeftFile] = field(default_factory=dict)

    def hash_at(self, folder: int, name: str, path: str) -> LeftFile:
        """The file ``name`` of an open directory, hashed or refused."""
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        kind = stat.S_IFMT(found.st_mode)
        if kind != stat.S_IFREG:
            return LeftFile(path, 0, None, f"is {_KINDS.get(kind, 'not a plain file')}")
        key = (found.st_dev, found.st_ino)
        if key not in self._known:
            self._known[key] = self._read(folder, name, path)
        return replace(self._known[key], path=path)

    def _read(self, folder: int, name: str, path: str) -> LeftFile:
        descriptor = os.open(name, _OPEN, dir_fd=folder)
        with os.fdopen(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            size = found.st_size
            if refusal := self._refusal(found):
                return LeftFile(path, size, None, refusal)
            self.left -= size
            digest = hashlib.sha256()
            while chunk := file.read(_READ_BYTES):
                digest.update(chunk)
                if refusal := self.go_on():
                    return LeftFile(path, size, None, refusal)
            after = os.fstat(descriptor)
            if (after.st_size, after.st_mtime_ns) != (size, found.st_mtime_ns):
                return LeftFile(path, after.st_size, None, "changed while it was read")
            return LeftFile(path, size, digest.hexdigest())

    def _refusal(self, found: os.stat_result) -> str | None:
        """Why a file is not read; None where it is."""
        if not stat.S_ISREG(found.st_mode):
            return "is not a plain file"
        if found.st_nlink != 1:
            return "has several hard links"
        if found.st_size > self.most_bytes:
            return "is larger than the disk limit"
        if found.st_blocks * 512 < found.st_size // 2:
            return "is sparse"
        if found.st_size > self.left:
            return "is larger than the disk limit, together with the files before it"
        return self.go_on()


def left_files(
    directory: Path, most_bytes: int, go_on: GoOn = lambda: None
) -> tuple[LeftFile, ...]:
    """Every checkpoint-like file a job left below ``directory``, hashed, and what is none.

    A symlink is not followed, with one exception: the cache of huggingface_hub keeps each file
    under its hash and links its name to it, so that the file is read where such a link says that it
    lies. What is too deep, or has a name that cannot be shown, is refused by name.

    Args:
        directory: the job's directory, as the parent sees it.
        most_bytes: what is larger, alone or with those read before it, is refused unread (the disk
            limit of the job).
        go_on: what it returns, unless None, is why the files from then on are refused.
    """
    try:
        top = os.open(directory, _OPEN | os.O_DIRECTORY)
    except OSError as error:
        return (LeftFile(".", 0, None, f"cannot be read: {error.strerror}"),)
    reader = _Reader(most_bytes, go_on, most_bytes)
    return tuple(sorted(_walk(top, reader), key=lambda file: file.path))


def _walk(top: int, reader: _Reader) -> Iterator[LeftFile]:
    seen = 0
    # One open directory a level, so that a wide tree takes no more descriptors than a deep one.
    levels: _Levels = [("", top, iter(sorted(os.listdir(top))))]
    while levels:
        prefix, descriptor, names = levels[-1]
        name = next(names, None)
        if name is None or seen > _MOST_FILES:
            levels.pop()
            os.close(descriptor)
            continue
        seen += 1
        path = f"{prefix}{name}"
        if seen > _MOST_FILES:
            yield LeftFile(path, 0, None, f"is one of more than {_MOST_FILES} files")
            continue
        try:
            kind = os.stat(name, dir_fd=descriptor, follow_symlinks=False).st_mode
            if stat.S_ISDIR(kind):
                if len(levels) > _DEPTH or len(os.fsencode(path)) >= _PATH_BYTES:
                    yield LeftFile(path, 0, None, "is too deep to be looked into")
                    continue
                folder = os.open(name, _OPEN | os.O_DIRECTORY, dir_fd=descriptor)
                inside = iter(sorted(os.listdir(folder)))  # noqa: PTH208
                levels.append((path + "/", folder, inside))
                continue
            if not _is_checkpoint(path):
                continue
            reader.files += 1
            if reader.files > _MOST_CHECKPOINTS:
                yield LeftFile(path, 0, None, _TOO_MANY)
                seen = _MOST_FILES + 1
            elif not path.isprintable():
                yield LeftFile(path, 0, None, "has a name with characters that cannot be shown")
            elif stat.S_ISLNK(kind):
                yield _linked(levels, name, path, reader)
            else:
                yield reader.hash_at(descriptor, name, path)
        except OSError as error:
            yield LeftFile(path, 0, None, f"cannot be read: {error.strerror}")


def _linked(levels: _Levels, name: str, path: str, reader: _Reader) -> LeftFile:
    """A symlink: refused, unless it is a name in the cache of huggingface_hub.

    There ``snapshots/COMMIT/NAME`` leads to ``blobs/HASH`` beside it (huggingface_hub: its guide to
    the cache). The way is gone folder by folder through the open ones, and never through a link.
    """
    target = os.readlink(name, dir_fd=levels[-1][1])
    match = _BLOB.fullmatch(target)
    up = target.count("../")
    if match is None or up >= len(levels) or not _SNAPSHOT.search(path):
        return LeftFile(path, 0, None, "is a symbolic link")
    folder = os.open("blobs", _OPEN | os.O_DIRECTORY, dir_fd=levels[-1 - up][1])
    try:
        return reader.hash_at(folder, match[1], path)
    finally:
        os.close(folder)


def _is_checkpoint(path: str) -> bool:
    """The hub cache holds checkpoints whatever they are called; elsewhere the suffix tells."""
    in_cache = path.startswith("torch/hub/checkpoints/") and not path.endswith(".partial")
    return in_cache or is_checkpoint_name(path)


def is_checkpoint_name(path: str) -> bool:
    """Whether the suffix is one that checkpoints have."""
    return Path(path).suffix.lower() in _CHECKPOINT_SUFFIXES


def sha256_of(file: BinaryIO) -> str:
    """The sha256 of an open file from where it stands, as 64 hex digits."""
    digest = hashlib.sha256()
    while chunk := file.read(1 << 20):
        digest.update(chunk)
    return digest.hexdigest()


def stamp(filename: str, sha256: str) -> Stamp:
    """The stamp of ``filename``, read as ``torch.hub.load_state_dict_from_url`` reads it.

    Fewer than eight digits, or a date, is text that the loader would take for a hash by mistake,
    not a stamp that a publisher made; it counts as absent unless it agrees.
    """
    found = HASH_REGEX.search(filename)
    prefix = found.group(1) if found else ""
    if not prefix:
        return Stamp(None, "absent")
    if sha256.startswith(prefix):
        return Stamp(prefix, "match" if len(prefix) >= _STAMP_DIGITS else "absent")
    is_date = re.fullmatch(r"(19|20)\d\d(0[1-9]|1[0-2])([0-2]\d|3[01])", prefix)
    if len(prefix) < _STAMP_DIGITS or is_date:
        return Stamp(None, "absent")
    return Stamp(prefix, "mismatch")


def origins(requests: Sequence[Request]) -> dict[str, tuple[str, ...]]:
    """Body's sha256 -> every URL that led to it, redirects included, first asked first.

    In one pass: a job can make ten thousand requests.
    Of a chain of redirects the last :data:`_HOPS` count; no client follows more.
    """
    found: dict[str, dict[str, None]] = {}
    for sha256, chain in _chains(requests):
        found.setdefault(sha256, {}).update(dict.fromkeys(chain))
    return {sha256: tuple(urls) for sha256, urls in found.items()}


def asked(requests: Sequence[Request]) -> dict[str, tuple[str, ...]]:
    """Body's sha256 -> the URLs that led to it and that no redirect named, sorted.

    These are the publisher's own; where they redirect to is the server's affair, and often signed.
    """
    found: dict[str, set[str]] = {}
    for sha256, chain in _chains(requests):
        found.setdefault(sha256, set()).add(chain[0])
    return {sha256: tuple(sorted(urls)) for sha256, urls in found.items()}


def _chains(requests: Sequence[Request]) -> Iterator[tuple[str, list[str]]]:
    """Each whole body's sha256 with its chain of redirects, the URL asked first at its head."""
    before: list[int | None] = []  # of each request the one that redirected to its URL
    redirected: dict[str, int] = {}
    for number, request in enumerate(requests):
        before.append(redirected.get(request.url))
        if request.location and 300 <= (request.status or 0) < 400:
            redirected[urljoin(request.url, request.location)] = number
        if request.sha256 is None or request.status != 200 or request.method != "GET":
            continue
        chain: list[str] = []
        step: int | None = number
        while step is not None and len(chain) <= _HOPS:
            chain.append(requests[step].url)
            step = before[step]
        yield request.sha256, chain[::-1]


def remove(folder: Path) -> None:
    """Delete ``folder`` whatever a job made of it: no permissions, or depth past any recursion."""
    if not hasattr(os, "geteuid"):  # Windows, where no job made anything of it
        shutil.rmtree(folder, ignore_errors=True)
        return
    commands = [["rm", "-rf", "--", str(folder)]]
    # A job may have put a link in the place of its directory, and chmod follows what it is given.
    if os.geteuid() != 0 and not folder.is_symlink():
        commands.insert(0, ["chmod", "-R", "u+rwx", "--", str(folder)])
    for command in commands:
        subprocess.run(command, check=False, stdin=subprocess.DEVNULL, capture_output=True)
