"""Applying fixes: string edits, checked by the parser, written without ever losing a file."""

from __future__ import annotations

import bisect
import contextlib
import json
import os
import stat
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from hubpub.diagnostic import Edit, Fix
from hubpub.source import modules
from hubpub.source.files import Files
from hubpub.source.text import Text, Unreadable, of

MAX_ATTEMPTS = 200
"""So often a text is parsed to find fixes that would break it; what is left then waits."""

Change = tuple[int, int, str]
"""From which offset, to which, and what stands there then."""


def apply(texts: Mapping[str, Text], fixes: Iterable[Fix]) -> dict[str, str]:
    """The new text of each file that ``fixes`` change; see :func:`choose`."""
    return choose(texts, list(fixes))[0]


def choose(texts: Mapping[str, Text], fixes: Sequence[Fix]) -> tuple[dict[str, str], list[int]]:
    """The new text of each file that ``fixes`` change, and which of them were made, by index.

    Fixes are taken in order; one whose edits overlap those of an earlier one waits for the next
    round, as does one after which a Python file would not parse or which the file's encoding cannot
    hold. A change that two fixes share is made once. Line ends follow the file's own.
    """
    taken: dict[str, _Taken] = {}
    plans: list[tuple[int, list[tuple[str, Change]]]] = []
    for index, fix in enumerate(fixes):
        if any(edit.path not in texts for edit in fix.edits):
            continue
        wanted = [(edit.path, _change(texts[edit.path], edit)) for edit in fix.edits]
        if any(path in taken and taken[path].clashes(change) for path, change in wanted):
            continue
        for path, change in wanted:
            taken.setdefault(path, _Taken()).add(change)
        plans.append((index, wanted))
    made = _sound(texts, [], plans, [MAX_ATTEMPTS])
    new = {path: text for path, text in _result(texts, made).items() if text != texts[path].text}
    return new, [index for index, _ in made]


class _Taken:
    """The changes of one file that are made, by offset; none of them overlaps another."""

    def __init__(self) -> None:
        self.spans: list[tuple[int, int]] = []
        self.changes: set[Change] = set()

    def clashes(self, change: Change) -> bool:
        """Whether ``change`` touches what another one replaces."""
        begin, end, _ = change
        if change in self.changes:
            return False
        # Spans do not overlap, so that only the nearest on either side can; insertions at the
        # very beginning are passed over.
        left = bisect.bisect_left(self.spans, (begin, begin)) - 1
        right = bisect.bisect_right(self.spans, (begin, begin))
        return (left >= 0 and self.spans[left][1] > begin) or (
            right < len(self.spans) and self.spans[right][0] < end
        )

    def add(self, change: Change) -> None:
        """Make ``change`` as well."""
        if change not in self.changes:
            self.changes.add(change)
            bisect.insort(self.spans, change[:2])


def _sound(
    texts: Mapping[str, Text],
    kept: list[tuple[int, list[tuple[str, Change]]]],
    plans: list[tuple[int, list[tuple[str, Change]]]],
    left: list[int],
) -> list[tuple[int, list[tuple[str, Change]]]]:
    """``kept`` and those of ``plans`` with which every file still parses: by halving."""
    if not plans or left[0] <= 0:
        return kept
    left[0] -= 1
    attempt = [*kept, *plans]
    touched = {path for _, wanted in plans for path, _ in wanted}
    results = _result(texts, [item for item in attempt if touched & {path for path, _ in item[1]}])
    if all(_holds(path, texts[path], results[path]) for path in touched if path in results):
        return attempt
    if len(plans) == 1:
        return kept
    half = len(plans) // 2
    return _sound(texts, _sound(texts, kept, plans[:half], left), plans[half:], left)


def _result(
    texts: Mapping[str, Text], plans: Iterable[tuple[int, list[tuple[str, Change]]]]
) -> dict[str, str]:
    changes: dict[str, list[Change]] = {}
    seen: dict[str, set[Change]] = {}
    for _, wanted in plans:
        for path, change in wanted:
            if change in seen.setdefault(path, set()) and _shared(change):
                continue
            seen[path].add(change)
            changes.setdefault(path, []).append(change)
    return {path: _apply(texts[path].text, items) for path, items in changes.items()}


def _shared(change: Change) -> bool:
    """Whether two fixes that ask for the same change mean one: insertions may be two items."""
    begin, end, new = change
    return begin != end or new.startswith("import ")


def _change(text: Text, edit: Edit) -> Change:
    begin = text.offset(edit.span.line, edit.span.column)
    end = text.offset(edit.span.end_line, edit.span.end_column)
    new = edit.text
    if begin == end == len(text.text) and text.text and not text.text.endswith(("\n", "\r")):
        new = f"\n{new}" if new.endswith("\n") else new
    return begin, end, new.replace("\n", newline(text.text))


def newline(text: str) -> str:
    """The line end that most lines of ``text`` have: LF or CRLF."""
    return "\r\n" if text.count("\r\n") * 2 > text.count("\n") else "\n"


def _apply(text: str, edits: list[Change]) -> str:
    parts, last = [], 0
    for begin, end, new in sorted(edits, key=lambda item: item[:2]):
        parts += [text[last:begin], new]
        last = max(last, end)
    return "".join([*parts, text[last:]])


def _holds(path: str, before: Text, text: str) -> bool:
    """Whether ``text`` may take the place of ``before``: it can be written, and it compiles.

    Python's own parser judges, as the loader's would; libcst refuses some of what that one takes.
    """
    try:
        before.encode(text)
    except UnicodeEncodeError:
        return False
    if path.lower().endswith(".ipynb"):
        return _is_json(text) or not _is_json(before.text)
    if not path.endswith(".py"):
        return True
    return not isinstance(modules.parse(of(text), compiled=True), Unreadable)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def obstacle(root: Path, path: str, before: Text) -> str | None:
    """Why a file may not be changed at all; None where it may.

    ``before`` is what was read of it: where bytes were replaced in reading, they would be lost.
    """
    place = root / path
    if Path(os.path.realpath(place)) != Path(os.path.realpath(root)) / path:
        return "the file is reached through a symlink"
    try:
        if not place.stat().st_mode & 0o222:
            return "the file is read-only"
        if place.read_bytes() != before.encode(before.text):
            return f"not every byte of it is valid {before.encoding}"
    except (OSError, ValueError) as error:
        return getattr(error, "strerror", None) or str(error)
    return None


def write(root: Path, path: str, before: Text, text: str) -> str | None:
    """Replace ``path`` by ``text`` in its own encoding; why not, where it cannot be.

    The file keeps its mode and owner, its byte order mark and its line ends. It is written under a
    temporary name beside it and then renamed, so that it is whole at every moment. A file that
    changed since it was read, or that is reached through a symlink, is left alone.
    """
    current = Files(root).text(path)
    if isinstance(current, Unreadable) or current.text != before.text:
        return "the file changed while it was checked"
    ready = prepare(root, path, before, text)
    if isinstance(ready, str):
        return ready
    try:
        ready.replace(root / path)
    except OSError as error:
        _remove(ready)
        return error.strerror or str(error)
    except BaseException:
        _remove(ready)
        raise
    return None


def prepare(root: Path, path: str, before: Text, text: str) -> Path | str:
    """A new file beside ``path`` with what :func:`write` would write; why not, where it cannot be.

    Renamed to ``path``, it takes its place.
    """
    place = root / path
    try:
        data = before.encode(text)
    except UnicodeEncodeError:
        return f"the fix cannot be written in {before.encoding}"
    if Path(os.path.realpath(place)) != Path(os.path.realpath(root)) / path:
        return "the file is reached through a symlink"
    try:
        status = place.stat()
        handle, name = tempfile.mkstemp(prefix=f".{place.name}.", dir=place.parent)
    except OSError as error:
        return error.strerror or str(error)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(OSError):
            os.chown(temporary, status.st_uid, status.st_gid)
        temporary.chmod(stat.S_IMODE(status.st_mode))
    except OSError as error:
        _remove(temporary)
        return error.strerror or str(error)
    except BaseException:
        _remove(temporary)
        raise
    return temporary


def _remove(temporary: Path) -> None:
    with contextlib.suppress(OSError):
        temporary.unlink()
