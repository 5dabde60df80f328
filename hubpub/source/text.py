"""Bytes to text, and offsets to lines and columns, as Python itself counts them."""

from __future__ import annotations

import bisect
import io
import re
import tokenize
from dataclasses import dataclass

from hubpub.diagnostic import FILE_START, Span

_LINE_END = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True)
class Text:
    """The text of a file without its byte order mark, and what is needed to write it back.

    ``encoding`` is a Python codec name; ``bom`` whether a UTF-8 byte order mark preceded.
    """

    text: str
    encoding: str
    bom: bool
    starts: tuple[int, ...]

    def position(self, offset: int) -> tuple[int, int]:
        """1-based line and column (in characters) of a 0-based offset."""
        line = bisect.bisect_right(self.starts, offset)
        return line, offset - self.starts[line - 1] + 1

    def offset(self, line: int, column: int) -> int:
        """The 0-based offset of a 1-based line and column; kept inside the text."""
        if line > len(self.starts):
            return len(self.text)
        return min(self.starts[max(line, 1) - 1] + column - 1, len(self.text))

    def line(self, number: int) -> str:
        """Line ``number`` (1-based) without its end; empty past the end of the file."""
        if not 1 <= number <= len(self.starts):
            return ""
        end = self.starts[number] if number < len(self.starts) else len(self.text)
        return self.text[self.starts[number - 1] : end].rstrip("\r\n")

    def encode(self, text: str) -> bytes:
        """``text`` as bytes in this file's encoding; raises ``UnicodeEncodeError``."""
        data = text.encode(self.encoding)
        return b"\xef\xbb\xbf" + data if self.bom else data


@dataclass(frozen=True)
class Unreadable:
    """Why a file has no text, or its text no tree; ``span`` says where."""

    reason: str
    span: Span = FILE_START


def of(text: str, encoding: str = "utf-8", *, bom: bool = False) -> Text:
    """``text`` with its line table. Line ends are those of Python: LF, CRLF and CR."""
    starts = (0, *(match.end() for match in _LINE_END.finditer(text)))
    return Text(text, encoding, bom, starts)


def decode(data: bytes) -> Text | Unreadable:
    """The text of a Python file: byte order mark, encoding cookie (PEP 263), else UTF-8."""
    if b"\0" in data:
        line = len(_LINE_END.findall(data[: data.index(b"\0")].decode("latin-1"))) + 1
        return Unreadable("the file holds a nul byte", Span(line, 1, line, 1))
    bom = data.startswith(b"\xef\xbb\xbf")
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    except SyntaxError as error:
        return Unreadable(str(error))
    encoding = "utf-8" if encoding == "utf-8-sig" else encoding
    try:
        text = data[3:].decode(encoding) if bom else data.decode(encoding)
    except UnicodeDecodeError as error:
        line = len(_LINE_END.findall(data[: error.start].decode("latin-1"))) + 1
        return Unreadable(
            f"byte {data[error.start]:#04x} is not valid {encoding}", Span(line, 1, line, 1)
        )
    except (UnicodeError, LookupError) as error:
        return Unreadable(f"the encoding {encoding!r} cannot be read: {error}")
    return of(text, encoding, bom=bom)
