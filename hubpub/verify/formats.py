"""What a checkpoint is by its content. Parses, with bounds, and runs nothing."""

from __future__ import annotations

import json
import os
import pickletools
import struct
from pathlib import Path
from typing import BinaryIO

_MOST_DIRECTORY_BYTES = 16 << 20
_MOST_FOLDERS = 1000
_MOST_HEADER_BYTES = 16 << 20
_NEED_A_VALUE = {"STACK_GLOBAL", "BINPERSID", "STOP"}
_IMPORTS = {"GLOBAL", "INST", "STACK_GLOBAL", "BINPERSID"}
"""Codes of a pickle by which an unpickler gets something to call. By EXT it does not: neither
Python nor torch registers an extension (``copyreg.add_extension``)."""
_MOST_CODES = 10_000
_END_BYTES = 22 + 65_535 + 76  # the end of a zip: its record, a comment, those of zip64


def file_format(path: Path) -> str:
    """What a file is by its content, running nothing.

    zip, torchscript, legacy-zip, safetensors, legacy, unknown, or html: a page saved as weights.
    """
    with path.open("rb") as file:
        head = file.read(512)
        is_safetensors = _is_safetensors(file, head)
    if head.startswith(b"PK\x03\x04"):
        return _zip_format(path)
    if is_safetensors:
        return "safetensors"
    if head.lstrip()[:1] == b"<":
        return "html"
    # torch.serialization.MAGIC_NUMBER, pickled: how a file of torch < 1.6 begins.
    if head[:1] == b"\x80" and (0x1950A86A20F9469CFC6C).to_bytes(10, "little") in head[:32]:
        return "legacy"
    return "unknown"


def _is_safetensors(file: BinaryIO, head: bytes) -> bool:
    """Whether a file is one of safetensors and nothing that pickle would run.

    Of what is, nobody asks whether it loads without code. A header is JSON; but a pickle can begin
    with a text that holds one, so that what could be both does not count.
    """
    length = int.from_bytes(head[:8], "little")
    if head[8:9] != b"{" or length > _MOST_HEADER_BYTES:
        return False
    file.seek(8)
    header = file.read(length)
    try:
        whole = len(header) == length and bool(json.loads(header))
    except (ValueError, RecursionError):
        return False
    return whole and not _may_run(_Bounded(file))


class _Bounded:
    """A file from its start for ``pickletools``, which would read all that a code asks for.

    ``beyond`` says that it asked for more than :data:`_MOST_HEADER_BYTES` of what is there.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._size, self.beyond = file, file.seek(0, os.SEEK_END), False
        file.seek(0)

    def tell(self) -> int:
        """Where it stands."""
        return self._file.tell()

    def read(self, count: int) -> bytes:
        """``count`` bytes, or fewer: what then comes of them is an error."""
        if self.tell() + count > self._size:
            return b""
        self.beyond = self.beyond or self.tell() + count > _MOST_HEADER_BYTES
        return b"" if self.beyond else self._file.read(count)

    def readline(self) -> bytes:
        """A line, or what there is of it."""
        line = self._file.readline(_MOST_HEADER_BYTES)
        self.beyond = self.beyond or len(line) == _MOST_HEADER_BYTES
        return line


def _may_run(stream: _Bounded) -> bool:
    """Whether an unpickler can get from the start of a file to something that it would import.

    It needs that to run anything. Parses, runs nothing; where it is not clear, it may.
    """
    marked = False
    try:
        codes = pickletools.genops(stream)  # type: ignore[arg-type]  # needs these three methods
        for number, (code, _, _) in enumerate(codes):
            ends = code.name == "PERSID" or (number == 0 and code.name in _NEED_A_VALUE)
            if ends:  # torch knows nothing by a text, and there is no value yet
                return False
            marked = marked or code.name == "MARK"
            runs = code.name in _IMPORTS and (marked or code.name != "INST")
            if runs or code.name == "STOP" or number > _MOST_CODES:
                return True
    except ValueError:
        return stream.beyond
    return True


def _zip_format(path: Path) -> str:
    with path.open("rb") as file:
        directory = _zip_directory(file)
    if b"/constants.pkl" in directory:
        return "torchscript"
    if b"/data.pkl" in directory:
        return "zip"
    return "legacy-zip" if _holds_one(directory) else "unknown"


def _zip_directory(file: BinaryIO) -> bytes:
    """The central directory of a zip; nothing where there is none, or one of a suspicious size.

    Not zipfile's: that makes an object of every entry, however many a hostile file has, and reads
    a size that can stand in the file more than once. ZIP specification 4.3.14 to 4.3.16.
    """
    length = file.seek(0, os.SEEK_END)
    from_end = min(length, _END_BYTES)
    file.seek(length - from_end)
    tail = file.read(from_end)
    end = len(tail) - 22 if tail[-22:-18] == b"PK\x05\x06" else tail.rfind(b"PK\x05\x06")
    if end < 0:
        return b""
    size = int.from_bytes(tail[end + 12 : end + 16], "little")
    if end >= 76 and tail[end - 20 : end - 16] == b"PK\x06\x07":
        end -= 76
        size = int.from_bytes(tail[end + 40 : end + 48], "little")
    start = length - from_end + end - size
    if start < 0 or size > _MOST_DIRECTORY_BYTES:
        return b""
    file.seek(start)
    return file.read(size)


def _holds_one(directory: bytes) -> bool:
    """Whether a zip holds one file, beside folders."""
    at = files = 0
    for _ in range(_MOST_FOLDERS):
        if directory[at : at + 4] != b"PK\x01\x02" or len(directory) < at + 46:
            break
        name, extra, comment = struct.unpack_from("<3H", directory, at + 28)
        files += directory[at + 46 + name - 1 : at + 46 + name] != b"/"
        at += 46 + name + extra + comment
    return files == 1 and at >= len(directory)
