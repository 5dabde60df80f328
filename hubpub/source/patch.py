"""Unified diffs that ``git apply`` takes, byte by byte, in time that grows with the files only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

CONTEXT = 3
"""Unchanged lines around a change."""
WINDOW = 60
"""So many lines further, on both sides, is looked for where two texts agree again."""
_AGREE = 3

Span = tuple[int, int, int, int]
"""Old lines from, to, and new lines from, to (0-based, the last one excluded) that differ."""


def patch(path: str, before: bytes, after: bytes) -> bytes:
    """The diff of one file, or nothing where it did not change.

    Lines end at LF alone, as git has it, and keep their bytes whatever the encoding is; a name that
    git would quote is quoted. ``path`` is where ``git apply -p1`` looks for the file.
    """
    shown = diff(path, before.decode("latin-1"), after.decode("latin-1"))
    return shown.encode("latin-1")


def diff(path: str, before: str, after: str) -> str:
    """As :func:`patch`, of texts."""
    old, new = _lines(before), _lines(after)
    spans = _differences(old, new)
    if not spans:
        return ""
    lines = [f"--- {_name(f'a/{path}')}\n", f"+++ {_name(f'b/{path}')}\n"]
    for group in _groups(spans):
        lines += _hunk(old, new, group)
    return "".join(lines)


def _lines(text: str) -> list[str]:
    lines = [f"{line}\n" for line in text.split("\n")]
    if lines[-1] == "\n":
        return lines[:-1]
    return [*lines[:-1], lines[-1][:-1]]


def _name(path: str) -> str:
    r"""A path as git writes it in a header: ``"a/\\303\\244.py"`` where it is no plain ASCII."""
    data = path.encode("utf-8", "surrogateescape")
    if all(0x20 <= byte < 0x7F and byte not in b'"\\' for byte in data):
        # A tab after a name with spaces says where it ends.
        return f"{path}\t" if " " in path else path
    marks = {0x22: '\\"', 0x5C: "\\\\", 0x0A: "\\n", 0x09: "\\t"}
    shown = (marks.get(b) or (chr(b) if 0x20 <= b < 0x7F else f"\\{b:03o}") for b in data)
    return f'"{"".join(shown)}"'


def _differences(old: Sequence[str], new: Sequence[str]) -> list[Span]:
    """The stretches that differ, in order.

    Fixes are small and far apart: walk both texts, and where they part look a little ahead for
    where they meet again. Where they do not, the rest is one stretch, its common end aside.
    """
    spans = []
    left = right = 0
    end = _common_end(old, new)
    last, final = len(old) - end, len(new) - end
    while left < last or right < final:
        if left < last and right < final and old[left] == new[right]:
            left, right = left + 1, right + 1
            continue
        far = 2 * WINDOW
        ahead = _meeting(old[left : min(last, left + far)], new[right : min(final, right + far)])
        spans.append((left, left + ahead[0], right, right + ahead[1]))
        left, right = left + ahead[0], right + ahead[1]
    return spans


def _common_end(old: Sequence[str], new: Sequence[str]) -> int:
    most = min(len(old), len(new))
    return next((index for index in range(most) if old[-1 - index] != new[-1 - index]), most)


def _meeting(old: Sequence[str], new: Sequence[str]) -> tuple[int, int]:
    """How far each side goes until both agree again."""
    for distance in range(1, 2 * WINDOW):
        for skipped in range(max(0, distance - WINDOW), min(distance, WINDOW) + 1):
            one, other = skipped, distance - skipped
            if one > len(old) or other > len(new):
                continue
            if old[one : one + _AGREE] == new[other : other + _AGREE]:
                return one, other
    return len(old), len(new)


def _groups(spans: Sequence[Span]) -> Iterator[list[Span]]:
    """Stretches whose contexts touch belong to one hunk."""
    group: list[Span] = []
    for span in spans:
        if group and span[0] - group[-1][1] > 2 * CONTEXT:
            yield group
            group = []
        group.append(span)
    yield group


def _hunk(old: Sequence[str], new: Sequence[str], group: Sequence[Span]) -> list[str]:
    first, last = group[0], group[-1]
    ahead = min(CONTEXT, first[0])
    behind = min(CONTEXT, len(old) - last[1])
    begin, end = first[0] - ahead, last[1] + behind
    start, stop = first[2] - ahead, last[3] + behind
    lines = [f"@@ -{_range(begin, end)} +{_range(start, stop)} @@\n"]
    at = begin
    for from_, to, new_from, new_to in group:
        lines += [f" {line}" for line in old[at:from_]]
        lines += [f"-{line}" for line in old[from_:to]]
        lines += [f"+{line}" for line in new[new_from:new_to]]
        at = to
    lines += [f" {line}" for line in old[at:end]]
    ended = "\n\\ No newline at end of file\n"
    return [line if line.endswith("\n") else f"{line}{ended}" for line in lines]


def _range(begin: int, end: int) -> str:
    count = end - begin
    return f"{begin if count == 0 else begin + 1},{count}"
