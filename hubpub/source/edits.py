"""Applying fixes: string edits, checked by libcst, written without ever losing a file."""

from __future__ import annotations

import contextlib
import difflib
import os
import stat
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import libcst as cst

from hubpub.diagnostic import Edit, Fix
from hubpub.source.files import Files
from hubpub.source.text import Text, Unreadable


def apply(texts: Mapping[str, Text], fixes: Iterable[Fix]) -> dict[str, str]:
    """The new text of each file that ``fixes`` change.

    Fixes are taken in order; one whose edits overlap those of an earlier one waits for the next
    round, as does one after which a Python file would not parse. Line ends follow the file's own.
    """
    taken: dict[str, list[tuple[int, int, str]]] = {}
    for fix in fixes:
        if any(edit.path not in texts for edit in fix.edits):
            continue
        wanted = [(edit.path, _offsets(texts[edit.path], edit)) for edit in fix.edits]
        if any(_overlaps(edit, taken.get(path, [])) for path, edit in wanted):
            continue
        attempt = {path: [*taken.get(path, [])] for path, _ in wanted}
        for path, edit in wanted:
            if edit not in attempt[path] or edit[0] != edit[1] or not edit[2].startswith("import "):
                attempt[path].append(edit)
        if all(_parses(path, _apply(texts[path].text, edits)) for path, edits in attempt.items()):
            taken.update(attempt)
    changed = {path: _apply(texts[path].text, edits) for path, edits in taken.items()}
    return {path: text for path, text in changed.items() if text != texts[path].text}


def _offsets(text: Text, edit: Edit) -> tuple[int, int, str]:
    begin = text.offset(edit.span.line, edit.span.column)
    end = text.offset(edit.span.end_line, edit.span.end_column)
    new = edit.text
    if begin == end == len(text.text) and text.text and not text.text.endswith(("\n", "\r")):
        new = f"\n{new}" if new.endswith("\n") else new
    return begin, end, new.replace("\n", newline(text.text))


def newline(text: str) -> str:
    """The line end that most lines of ``text`` have: LF or CRLF."""
    return "\r\n" if text.count("\r\n") * 2 > text.count("\n") else "\n"


def _overlaps(edit: tuple[int, int, str], others: list[tuple[int, int, str]]) -> bool:
    begin, end, _ = edit
    return any(
        (edit != other and begin < other[1] and other[0] < end)
        or (begin == other[0] and (begin < end) and (other[0] < other[1]))
        for other in others
    )


def _apply(text: str, edits: list[tuple[int, int, str]]) -> str:
    parts, last = [], 0
    for begin, end, new in sorted(edits, key=lambda item: item[:2]):
        parts += [text[last:begin], new]
        last = max(last, end)
    return "".join([*parts, text[last:]])


def _parses(path: str, text: str) -> bool:
    if not path.endswith(".py"):
        return True
    try:
        cst.parse_module(text)
    except (cst.ParserSyntaxError, RecursionError):
        return False
    return True


def diff(path: str, before: str, after: str) -> str:
    """A unified diff that ``patch -p1`` and ``git apply`` take."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    lines = difflib.unified_diff(old, new, f"a/{path}", f"b/{path}")
    unended = "\n\\ No newline at end of file\n"
    return "".join(line if line.endswith("\n") else f"{line}{unended}" for line in lines)


def write(root: Path, path: str, before: Text, text: str) -> str | None:
    """Replace ``path`` by ``text`` in its own encoding; why not, where it cannot be.

    The file keeps its mode, its byte order mark and its line ends. It is written under a temporary
    name beside it and then renamed, so that it is whole at every moment. A file that changed since
    it was read, or that is reached through a symlink, is left alone.
    """
    place = root / path
    try:
        data = before.encode(text)
    except UnicodeEncodeError:
        return f"the fix cannot be written in {before.encoding}"
    current = Files(root).text(path)
    if isinstance(current, Unreadable) or current.text != before.text:
        return "the file changed while it was checked"
    if Path(os.path.realpath(place)) != Path(os.path.realpath(root)) / path:
        return "the file is reached through a symlink"
    try:
        mode = stat.S_IMODE(place.stat().st_mode)
        handle, temporary = tempfile.mkstemp(prefix=f".{place.name}.", dir=place.parent)
    except OSError as error:
        return error.strerror or str(error)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(mode)
        Path(temporary).replace(place)
    except OSError as error:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        return error.strerror or str(error)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise
    return None
