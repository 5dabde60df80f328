"""Git's index: the paths that git tracks, read without git and without trusting the file.

Source of the format: git's Documentation/gitformat-index.txt, versions 2 to 4.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

MAX_BYTES = 32 << 20
"""An index larger than this is not read (bytes)."""
MAX_NAME = 4096
"""No path is longer (bytes); version 4 could otherwise spell out much from little."""
MAX_TEXT = 64 << 20
"""All paths together (bytes)."""

_STAT = 40
"""Bytes of an entry before its object id: two times, six numbers; the mode is at 24."""
_LINK, _SUBMODULE, _DIRECTORY = 0o120000, 0o160000, 0o040000
_UNKNOWN_PARTS = {b"link", b"sdir"}
"""Extensions that say that paths are kept elsewhere: a split index, a sparse one."""


@dataclass(frozen=True)
class Index:
    """Tracked paths, sorted. ``links`` are symlinks, ``submodules`` folders of other commits."""

    files: tuple[str, ...]
    links: tuple[str, ...]
    submodules: tuple[str, ...]


class _Damaged(Exception):  # noqa: N818
    pass


def parse(data: bytes) -> Index | None:
    """The paths in an index; None where it is damaged or does not hold all of them."""
    try:
        return _parse(data)
    except _Damaged:
        return None


def _parse(data: bytes) -> Index:
    version, count = _number(data, 4), _number(data, 8)
    if data[:4] != b"DIRC" or version not in {2, 3, 4}:
        raise _Damaged
    digest = _digest_size(data)
    end = len(data) - digest
    if count > end // (_STAT + digest + 2):
        raise _Damaged
    files: list[str] = []
    links: list[str] = []
    submodules: list[str] = []
    offset, name, spelled = 12, b"", 0
    for _ in range(count):
        mode = _number(data, offset + 24) & 0o170000
        name, offset = _name(data, offset, digest, version, name)
        spelled += len(name)
        if spelled > MAX_TEXT or offset > end or mode == _DIRECTORY:
            raise _Damaged
        text = name.decode("utf-8", "surrogateescape")
        if mode == _SUBMODULE:
            submodules.append(text)
            continue
        files.append(text)
        if mode == _LINK:
            links.append(text)
    _extensions(data, offset, end)
    return Index(*(tuple(sorted(set(paths))) for paths in (files, links, submodules)))


def _number(data: bytes, offset: int, size: int = 4) -> int:
    if offset + size > len(data):
        raise _Damaged
    return int.from_bytes(data[offset : offset + size], "big")


def _digest_size(data: bytes) -> int:
    """20 or 32: the object ids are as long as the checksum at the end (SHA-1 or SHA-256)."""
    for size, algorithm in ((20, "sha1"), (32, "sha256")):
        body, checksum = data[:-size], data[-size:]
        if hashlib.new(algorithm, body, usedforsecurity=False).digest() == checksum:
            return size
    if not any(data[-20:]):  # index.skipHash leaves it out
        return 20
    raise _Damaged


def _name(data: bytes, offset: int, digest: int, version: int, before: bytes) -> tuple[bytes, int]:
    """The path of the entry at ``offset``, and where the next entry begins."""
    start = offset + _STAT + digest
    flags = _number(data, start, 2)
    begin = start + 2
    if flags & 0x4000:
        if version < 3:
            raise _Damaged
        begin += 2
    kept = b""
    if version == 4:
        strip, begin = _varint(data, begin)
        if strip > len(before):
            raise _Damaged
        kept = before[: len(before) - strip]
    stop = data.find(b"\0", begin, begin + MAX_NAME + 1)
    name = kept + data[begin:stop]
    if stop < 0 or not name or len(name) > MAX_NAME:
        raise _Damaged
    if version == 4:
        return name, stop + 1
    return name, offset + (stop - offset) // 8 * 8 + 8


def _varint(data: bytes, offset: int) -> tuple[int, int]:
    """Git's variable width number (varint.c), and where what follows it begins."""
    byte = _number(data, offset, 1)
    value = byte & 0x7F
    while byte & 0x80:
        offset += 1
        byte = _number(data, offset, 1)
        value = ((value + 1) << 7) | (byte & 0x7F)
        if value > MAX_NAME:
            raise _Damaged
    return value, offset + 1


def _extensions(data: bytes, offset: int, end: int) -> None:
    while offset + 8 <= end:
        if data[offset : offset + 4] in _UNKNOWN_PARTS:
            raise _Damaged
        offset += 8 + _number(data, offset + 4)
