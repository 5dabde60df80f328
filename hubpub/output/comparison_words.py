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
_MEASURES = {"cpu_s": "s of CPU time", "wall_s": "s", "peak_bytes": "", "size": "",
             "download_bytes": ""}  # fmt: skip
_UNITS = {"peak_bytes": "of memory", "size": "", "download_bytes": "to download"}
_AXES = {"proof-lost", "proof-gained", "now-fails", "optional-now-fails", "mended",
         "no-longer-asked", "fails-otherwise"}  # fmt: skip
"""Kinds whose ``what`` is an axis that has to be named."""


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
        """The kind, with the axis where there is one."""
        axis = f" {self.first['what']}" if self.first["kind"] in _AXES else ""
        return f"{self.first['kind']}{axis}"

    @property
    def said(self) -> str:
        """Whom it concerns and what changed, in one line."""
        if self.first["what"] in _MEASURES:
            return self._measured()
        named = list(dict.fromkeys(short(item["subject"], _NAME) for item in self.items))
        who = ", ".join(named[:SHOWN])
        if len(named) > SHOWN:
            who += f" and {len(named) - SHOWN} more"
        detail = _detail(self.first)
        return f"{who}: {detail}" if detail else who

    def _measured(self) -> str:
        worst = [f"{short(item['subject'], _NAME)} {_growth(item)}" for item in self.items[:SHOWN]]
        left = len(self.items) - SHOWN
        head = f"{len(self.items)} in all, most: " if left > 0 else ""
        return head + ", ".join(worst)


def grouped(changes: Sequence[Change]) -> list[Group]:
    """The changes in groups, each where its first one stands."""
    found: dict[tuple[Any, ...], list[Change]] = {}
    for item in changes:
        key: tuple[Any, ...] = (item["severity"], item["kind"], item["what"])
        if item["what"] not in _MEASURES:
            key += (item["reason"], item["old"], item["new"], item["claim"])
        found.setdefault(key, []).append(item)
    return [
        Group(tuple(sorted(items, key=_ratio) if items[0]["what"] in _MEASURES else items))
        for items in found.values()
    ]


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
    ratio = f" ({new / old:.1f} times)" if old else ""
    if what in _UNITS:
        return " ".join(filter(None, (f"{size(old)} -> {size(new)}{ratio}", _UNITS[what])))
    return f"{old:.2f} -> {new:.2f} {_MEASURES[what]}{ratio}"


def _detail(item: Change) -> str:
    """What changed, and why, after whom it concerns."""
    parts = []
    if item["kind"] == "lock-broken" or item["kind"] == "lock-mended":
        parts.append(f"{item['new']} {plural(item['new'], 'difference')}")
    elif item["what"] == "sha256":
        parts.append(_hashes(item))
    elif item["kind"].startswith("finding-"):
        parts.append(short(item["what"], _NAME))
    elif item["kind"] not in _AXES and item["old"] is not None and item["new"] is not None:
        parts.append(_sides(item))
    if item["reason"] is not None:
        parts.append(short(item["reason"], _LONGEST))
    used = [short(name, _NAME) for name in item["entrypoints"]]
    if item["what"] == "sha256" or item["kind"] in {"newly-unsafe", "host-new", "stamp-lost"}:
        more = f" and {len(used) - SHOWN} more" if len(used) > SHOWN else ""
        parts.append(f"used by {', '.join(used[:SHOWN])}{more}" if used else "")
    return "; ".join(filter(None, parts))


def _hashes(item: Change) -> str:
    sides = [str(item[side])[:_DIGITS] for side in ("old", "new") if item[side] is not None]
    return f"sha256 {' -> '.join(sides)}"


def _sides(item: Change) -> str:
    what = "" if item["what"] in {None, "loads", "url"} else f"{item['what']} "
    said = f"{what}{short(_number(item['old']), _NAME)} -> {short(_number(item['new']), _NAME)}"
    return f"it says {said} (a claim)" if item["claim"] else said


def _number(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def title(document: Mapping[str, Any]) -> str:
    """What is compared with what. Not escaped."""
    old, new = document["old"], document["new"]
    here, there = _repository(old), _repository(new)
    other = "" if here.casefold() == there.casefold() else there
    return f"{here}{_side(old)} -> {other}{_side(new)}"


def _repository(side: Mapping[str, Any]) -> str:
    return f"{side['reference']['owner']}/{side['reference']['repo']}"


def _side(side: Mapping[str, Any]) -> str:
    ref = f":{side['reference']['ref']}" if side["reference"]["ref"] else ""
    commit = f"commit {side['commit'][:12]}, " if side["commit"] else ""
    return f"{ref} ({commit}{side['status']})"


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
