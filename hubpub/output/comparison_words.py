"""A comparison of two reports in words, as every rendering of it has them. Nothing is escaped here.

What many entrypoints have in common is said once: changes of one kind and one reason are a group.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hubpub.output.escape import short
from hubpub.output.report_text import plural, size

Change = Mapping[str, Any]
SHOWN = 3
"""Of many subjects, those that are named."""
MOST = 10
"""Groups of one kind that are shown one by one."""
_NAME, _LONGEST = 200, 600
_DIGITS = 16
_MEASURES = {"cpu_s": "of CPU time", "wall_s": "of waiting", "peak_bytes": "of memory", "size": "",
             "download_bytes": "to download"}  # fmt: skip
_AXES = {"proof-lost", "proof-gained", "now-fails", "optional-now-fails", "mended",
         "no-longer-asked", "fails-otherwise"}  # fmt: skip
"""Kinds whose ``what`` is an axis that has to be named."""
_FINDINGS = {"finding-new", "finding-mended"}
_FILES = {"checkpoint-replaced", "checkpoint-drifted", "checkpoint-changed", "newly-unsafe",
          "stamp-lost", "host-new"}  # fmt: skip
"""Kinds of which it is said whom they concern."""


@dataclass(frozen=True)
class Group:
    """Changes that are one thing to do something about, the worst first; never empty."""

    items: tuple[Change, ...]

    @property
    def first(self) -> Change:
        """The one that speaks for all."""
        return self.items[0]

    @property
    def label(self) -> str:
        """The kind, with the axis or the rule where there is one."""
        named = self.first["kind"] in _AXES | _FINDINGS
        return f"{self.first['kind']} {self.first['what']}" if named else str(self.first["kind"])

    @property
    def said(self) -> str:
        """Whom it concerns and what changed, in one line."""
        if self.first["what"] in _MEASURES:
            each = [f"{short(item['subject'], _NAME)} {_growth(item)}" for item in self.items]
            head = f"{len(each)} of them, the most: " if len(each) > SHOWN else ""
            return head + ", ".join(each[:SHOWN])
        if self.first["kind"] in _FINDINGS:
            return _few([_finding(item) for item in self.items], "; ")
        who = [short(item["subject"], _NAME) for item in self.items]
        return ": ".join(filter(None, (_few(who, ", "), _detail(self.first))))

    @property
    def place(self) -> str:
        """Where in the tree of NEW, if that is one place."""
        places = {item["place"] for item in self.items}
        known = len(places) == 1 and self.first["kind"] not in _FINDINGS
        return short(self.first["place"] or "", _NAME) if known else ""


def grouped(changes: Sequence[Change]) -> list[Group]:
    """The changes in groups, each where its first one stands."""
    found: dict[tuple[Any, ...], list[Change]] = {}
    for item in changes:
        key: tuple[Any, ...] = (item["severity"], item["kind"], item["what"])
        if item["what"] not in _MEASURES and item["kind"] not in _FINDINGS:
            key += (item["reason"], item["old"], item["new"], item["claim"])
        found.setdefault(key, []).append(item)
    return [
        Group(tuple(sorted(items, key=_ratio) if items[0]["what"] in _MEASURES else items))
        for items in found.values()
    ]


def _few(texts: Sequence[str], between: str) -> str:
    """The first of them, each once, and how many more there are."""
    each = list(dict.fromkeys(texts))
    more = f" and {len(each) - SHOWN} more" if len(each) > SHOWN else ""
    return f"{between.join(each[:SHOWN])}{more}"


def _finding(item: Change) -> str:
    place = item["place"] or item["subject"]
    return f"{short(place, _NAME)}: {short(item['reason'] or '', _LONGEST)}"


def shown(groups: Sequence[Group]) -> Iterator[tuple[Group | None, int]]:
    """Each group with 0; of a kind that has very many, None and how many changes are left out."""
    counts: dict[tuple[str, str], int] = {}
    left: dict[tuple[str, str], int] = {}
    kinds = [(group.first["severity"], group.first["kind"]) for group in groups]
    for number, (group, kind) in enumerate(zip(groups, kinds, strict=True)):
        counts[kind] = counts.get(kind, 0) + 1
        if counts[kind] <= MOST:
            yield group, 0
        else:
            left[kind] = left.get(kind, 0) + len(group.items)
        ends = number + 1 == len(groups) or kinds[number + 1] != kind
        if ends and left.get(kind):
            yield None, left.pop(kind)


def _ratio(item: Change) -> float:
    """The largest growth first, or the largest fall: before it the factor is as good as any."""
    low, high = sorted((float(item["old"]), float(item["new"])))
    return -high / low if low else -float("inf")


def _growth(item: Change) -> str:
    old, new, what = item["old"], item["new"], item["what"]
    seconds = what.endswith("_s")
    sides = [f"{side:.2f} s" if seconds else size(side) for side in (old, new)]
    return " ".join(filter(None, (" -> ".join(sides), _MEASURES[what], _times(old, new))))


def _times(old: float, new: float) -> str:
    """By what factor it grew, or fell; nothing where one of them is 0."""
    low, high = sorted((old, new))
    if not low:
        return ""
    ratio = high / low
    return f"({ratio:.{int(ratio < _DIGITS)}f} times{' less' if new < old else ''})"


def _detail(item: Change) -> str:
    """What changed, and why, after whom it concerns."""
    kind, parts = item["kind"], []
    if kind in {"lock-broken", "lock-mended"}:
        parts.append(f"{item['new']} {plural(item['new'], 'difference')}")
    elif item["what"] == "commit" or kind in {"checkpoint-replaced", "checkpoint-drifted"}:
        parts.append(f"{item['what']} {str(item['old'])[:_DIGITS]} -> {str(item['new'])[:_DIGITS]}")
    elif item["what"] not in {"sha256", "loads"} and kind not in _AXES and _has_sides(item):
        parts.append(_sides(item))
    if item["reason"] is not None:
        parts.append(short(item["reason"], _LONGEST))
    if kind in _FILES and item["entrypoints"]:
        used = [short(name, _NAME) for name in item["entrypoints"]]
        parts.append(f"{'asked by' if kind == 'host-new' else 'used by'} {_few(used, ', ')}")
    return "; ".join(parts)


def _has_sides(item: Change) -> bool:
    return item["old"] is not None and item["new"] is not None


def _sides(item: Change) -> str:
    old, new = (short(_number(item[side]), _NAME) for side in ("old", "new"))
    if item["claim"]:
        return (
            f"claims to be {new}, not {old}"
            if item["what"] == "type"
            else (f"claims {new} {item['what']}, not {old}")
        )
    what = "" if item["what"] in {None, "url"} else f"{item['what']} "
    return f"{what}{old} -> {new}"


def _number(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def title(document: Mapping[str, Any]) -> str:
    """What is compared with what. Not escaped."""
    old, new = document["old"], document["new"]
    here, there = _repository(old), _repository(new)
    if here.casefold() != there.casefold():
        return f"{here}:{_side(old)} -> {there}:{_side(new)}"
    return f"{here}: {_side(old)} -> {_side(new)}"


def _repository(side: Mapping[str, Any]) -> str:
    return f"{side['reference']['owner']}/{side['reference']['repo']}"


def _side(side: Mapping[str, Any]) -> str:
    commit = f"commit {side['commit'][:12]}, " if side["commit"] else ""
    return f"{side['reference']['ref'] or 'HEAD'} ({commit}{side['status']})"


def compared(document: Mapping[str, Any]) -> str:
    """How much was compared."""
    counts = document["compared"]
    return ", ".join(f"{count} {plural(count, word[:-1])}" for word, count in counts.items())


def unlike(document: Mapping[str, Any]) -> str:
    """How the runs differ, in one line; empty where they do not."""
    items = document["unlike"]
    said = [
        f"{item['what']} {short(item['old'], _NAME)} -> {short(item['new'], _NAME)}"
        for item in items[:MOST]
    ]
    more = [f"{len(items) - MOST} more"] if len(items) > MOST else []
    return "; ".join([*said, *more])


def tally(document: Mapping[str, Any]) -> str:
    """``1 error, 2 warnings``; ``nothing changed`` where nothing did."""
    counts = document["counts"]
    said = [f"{count} {plural(count, word)}" for word, count in counts.items() if count]
    return ", ".join(said) or "nothing changed"
