"""What the renderings of a verification report count: axes over all results, and what a run cost.

A report has more axes than fit beside each other on a line. So each result shows whether it loads
and which other axes failed, and each axis how often it passed, failed and was skipped, and why.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hubpub.output.escape import short

FIRST = "loads"
"""The axis that every result shows by itself."""
DECIDES = ("listed", "loads", "forward", "weights")
"""The axes that fail a run unless it was told otherwise."""
TALLY_COLUMNS = ("axis", "pass", "fail", "skipped", "why skipped")
_REASON, _REASONS = 80, 2
"""Characters of a reason in a table, and reasons of an axis."""
_NAME = 60
_COSTLY = 3
"""Entrypoints that are named for what they cost."""


@dataclass(frozen=True)
class Tally:
    """One axis over all results that ran; ``reasons`` why it was skipped, the commonest first."""

    axis: str
    passed: int
    failed: int
    skipped: int
    reasons: tuple[tuple[str, int], ...]

    @property
    def why(self) -> str:
        """The commonest reasons, and how many others there are; nothing where none was skipped."""
        several = len(self.reasons) > 1
        told = [
            f"{short(text, _REASON)} ({count})" if several else short(text, _REASON)
            for text, count in self.reasons[:_REASONS]
        ]
        rest = len(self.reasons) - _REASONS
        if rest > 0:
            told.append(f"{rest} other {'reason' if rest == 1 else 'reasons'}")
        return ", ".join(told)


def ran(report: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The entrypoint's name with each of its results that ran."""
    for entrypoint in report["entrypoints"]:
        for result in entrypoint["results"]:
            if result["facts"] is not None:
                yield entrypoint["name"], result


def axes(report: Mapping[str, Any]) -> list[str]:
    """The axes of the report, in its order."""
    results = (result for item in report["entrypoints"] for result in item["results"])
    return list(dict.fromkeys(axis for result in results for axis in result["axes"]))


def failing(result: Mapping[str, Any]) -> list[str]:
    """The axes that failed, but for the one that is shown by itself."""
    return [
        axis for axis, item in result["axes"].items() if item["status"] == "fail" and axis != FIRST
    ]


def left_out(report: Mapping[str, Any]) -> list[str]:
    """The axes that the caller left out."""
    return _axes_of(report, "skip")


def demanded(report: Mapping[str, Any]) -> list[str]:
    """The axes that decide, but for those that were left out."""
    left = left_out(report)
    asked = [*DECIDES, *_axes_of(report, "require")]
    return [name for name in dict.fromkeys(asked) if name not in left]


def _axes_of(report: Mapping[str, Any], option: str) -> list[str]:
    """What an option names; a report of another author may hold anything there."""
    found = (report.get("options") or {}).get(option, ())
    return [name for name in found if isinstance(name, str)] if isinstance(found, list) else []


def limits(report: Mapping[str, Any]) -> list[str]:
    """Why what passed is no proof of what users load, in words of ours."""
    found = []
    if report["sandbox"]["tier"] == "none":
        found.append("without a sandbox")
    if with_supplied(report):
        found.append("with supplied files")
    if left := undecided(report):
        found.append(f"without asking {' and '.join(left)}")
    return found


def with_supplied(report: Mapping[str, Any]) -> bool:
    """Whether files of ``--checkpoints`` stood for what servers have."""
    asked = (report.get("options") or {}).get("checkpoints")
    return bool(asked) or any(each.get("source") == "supplied" for each in report["network"])


def undecided(report: Mapping[str, Any]) -> list[str]:
    """The axes that decide for everybody, and were left out."""
    left = left_out(report)
    return [name for name in DECIDES if name in left]


@dataclass(frozen=True)
class Proven:
    """Entrypoints: those that are proven, those that fail, and all that ``torch.hub.list`` shows.

    The rest of them did not run.
    """

    proven: int
    failing: int
    total: int


def proven(report: Mapping[str, Any]) -> Proven:
    """How many entrypoints are proven: at least one result ran, and nothing of it fails the run."""
    errors = {
        item["entrypoint"]
        for item in report["findings"]
        if item["code"] == "verify" and item["severity"] == "error"
    }
    loads: dict[str, list[bool]] = {}
    for name, result in ran(report):
        loads.setdefault(name, []).append(result["axes"][FIRST]["status"] == "pass")
    names = {item["name"] for item in report["entrypoints"]}
    failing = {name for name in names if name in errors or not all(loads.get(name, [True]))}
    selection = report.get("selection")
    listed = len(selection["listed"]) if selection else 0
    return Proven(len(set(loads) - failing), len(failing), max(listed, len(names)))


def severities(report: Mapping[str, Any]) -> Mapping[tuple[str | None, str | None], str]:
    """What a failure of an axis is for an entrypoint, as verify's own findings say: the worst."""
    found: dict[tuple[str | None, str | None], str] = {}
    for severity in ("note", "warning", "error"):
        for item in report["findings"]:
            if item["code"] == "verify" and item["severity"] == severity:
                found[item["entrypoint"], item["axis"]] = severity
    return found


def tally(report: Mapping[str, Any]) -> list[Tally]:
    """Each axis over all results that ran; nothing where none did."""
    items: dict[str, list[Mapping[str, Any]]] = {axis: [] for axis in axes(report)}
    results = [result for _, result in ran(report)]
    for result in results:
        for axis, item in result["axes"].items():
            items[axis].append(item)
    return [_tally(axis, each) for axis, each in items.items()] if results else []


def _tally(axis: str, items: Sequence[Mapping[str, Any]]) -> Tally:
    statuses = Counter(item["status"] for item in items)
    reasons = Counter(item["reason"] or "" for item in items if item["status"] == "skipped")
    return Tally(
        axis, statuses["pass"], statuses["fail"], statuses["skipped"], tuple(reasons.most_common())
    )


def seconds(entrypoint: Mapping[str, Any]) -> float:
    """What all jobs of an entrypoint took; of an earlier report, what its first loads did."""
    whole = entrypoint.get("wall_s")
    if whole is not None:
        return float(whole)
    return sum(float(item["facts"]["wall_s"]) for item in entrypoint["results"] if item["facts"])


def downloaded(report: Mapping[str, Any]) -> Mapping[str | None, int]:
    """Bytes that each entrypoint took from the network; None stands for ``torch.hub.list``."""
    found: Counter[str | None] = Counter()
    for request in report["network"]:
        found[request.get("entrypoint")] += request["bytes"]
    return found


def cost(report: Mapping[str, Any]) -> str:
    """Seconds and bytes of the whole run in one line, with what took most; empty where none ran."""
    from hubpub.output.report_text import size

    took = {item["name"]: seconds(item) for item in report["entrypoints"]}
    if not any(True for _ in ran(report)):
        return ""
    brought = downloaded(report)
    line = f"cost: {sum(took.values()):.1f} s in jobs, {size(sum(brought.values()))} downloaded"
    if len(took) > 1:
        longest = sorted(took, key=lambda name: (-took[name], name))[:_COSTLY]
        named = (f"{short(name, _NAME)} {took[name]:.1f} s" for name in longest)
        line += f"; longest: {', '.join(named)}"
    largest = sorted(
        (name for name, count in brought.items() if name is not None and count),
        key=lambda name: (-brought[name], name),
    )[:_COSTLY]
    if len(took) > 1 and largest:
        named = (f"{short(name, _NAME)} {size(brought[name])}" for name in largest)
        line += f"; largest: {', '.join(named)}"
    return line
