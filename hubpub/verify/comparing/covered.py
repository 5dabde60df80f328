"""What of two reports can be held against each other: a part of a release proves only that part.

Nothing is called gone that a run was not asked for, or did not come to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from hubpub.verify.comparing.change import Document, Remark

_NOT_ALL, _NO_LIST, _NONE = "too-many-entrypoints", "cannot-list", "no-entrypoints"
_PART, _CUT = "partial-run", "deadline"
_SHOWN, _LONGEST = 3, 60


@dataclass(frozen=True)
class Side:
    """One report, read once: what it ran, what it saw, what it says of itself."""

    name: str
    document: Document

    @cached_property
    def ran(self) -> Mapping[str, Mapping[str, Any]]:
        """Entrypoint -> its entry, but for those that the run's deadline cut off."""
        found: dict[str, Mapping[str, Any]] = {}
        for item in self.document["entrypoints"]:
            if item["name"] not in self.cut:
                found.setdefault(item["name"], item)
        return found

    @cached_property
    def cut(self) -> frozenset[str]:
        """Entrypoints that were not run to their end."""
        return frozenset(item["entrypoint"] for item in self.own(_CUT) if item["entrypoint"])

    @cached_property
    def listed(self) -> frozenset[str] | None:
        """Every entrypoint that there is, run or not; None where the report does not know."""
        document, selection = self.document, self.document.get("selection")
        if document["status"] == "error" or self.own(_NOT_ALL) or self.own(_NO_LIST):
            return None
        if selection:
            known = bool(selection["listed"] or self.own(_NONE))
            return frozenset(selection["listed"]) | self.ran.keys() if known else None
        if document["status"] == "interrupted" or self.own(_PART):
            return None
        return frozenset(self.ran) | self.cut

    @property
    def known(self) -> frozenset[str]:
        """The entrypoints that this report has seen to be there."""
        return frozenset(self.ran) | self.cut | (self.listed or frozenset())

    @property
    def repository(self) -> str:
        """``owner/repo``, as GitHub compares it."""
        reference = self.document["reference"]
        return f"{reference['owner']}/{reference['repo']}".casefold()

    @cached_property
    def verdicts(self) -> Mapping[tuple[str, str], Mapping[str, Any]]:
        """The findings that say what an axis failed for, by axis and message."""
        return {
            (item["axis"], item["message"]): item
            for item in reversed(self.document["findings"])
            if item["code"] == "verify" and item["axis"] is not None
        }

    def own(self, name: str) -> list[Mapping[str, Any]]:
        """The findings of verify itself that are called ``name``."""
        return [
            item
            for item in self.document["findings"]
            if item["code"] == "verify" and item["name"] == name
        ]


@dataclass(frozen=True)
class Pair:
    """One result that stands in both reports; ``device`` is that of NEW."""

    entrypoint: str
    case: str
    device: str
    old: Mapping[str, Any]
    new: Mapping[str, Any]

    @property
    def subject(self) -> str:
        """As verify names it: the case where it is not the default, another device than the CPU."""
        return named(self.entrypoint, self.case, self.device)

    @property
    def load(self) -> bool:
        """Whether it ran and loaded in both."""
        return loads(self.old) and loads(self.new)


def named(entrypoint: str, case: str, device: str) -> str:
    """An entrypoint with its case and device, as findings have it."""
    call = entrypoint if case == "default" else f"{entrypoint} ({case})"
    return call if device == "cpu" else f"{call} on {device}"


def placed(finding: Mapping[str, Any]) -> str:
    """Where a finding is, for a person."""
    return f"{finding['path']}:{finding['line']}"


def loads(result: Mapping[str, Any]) -> bool:
    """Whether a result ran and loaded."""
    return result["facts"] is not None and result["axes"]["loads"]["status"] == "pass"


def keyed(entry: Mapping[str, Any]) -> dict[tuple[str, str], Mapping[str, Any]]:
    """The results of an entrypoint by case and device.

    Which of several GPUs it had (``--device all`` deals them out by the names that there are) does
    not count where it had one: ``cuda:1`` is ``cuda`` then.
    """
    devices = {result["device"] for result in entry["results"]}
    kinds = Counter(device.partition(":")[0] for device in devices)
    found: dict[tuple[str, str], Mapping[str, Any]] = {}
    for result in entry["results"]:
        kind = result["device"].partition(":")[0]
        device = kind if kinds[kind] == 1 else result["device"]
        found.setdefault((result["case"], device), result)
    return found


@dataclass(frozen=True)
class Both:
    """OLD and NEW, and what they have in common."""

    old: Side
    new: Side

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The entrypoints that both ran."""
        return tuple(sorted(self.old.ran.keys() & self.new.ran.keys()))

    @cached_property
    def pairs(self) -> tuple[Pair, ...]:
        """The results of both, in order."""
        found = []
        for name in self.names:
            old, new = keyed(self.old.ran[name]), keyed(self.new.ran[name])
            for case, kind in sorted(old.keys() & new):
                result = new[case, kind]
                found.append(Pair(name, case, result["device"], old[case, kind], result))
        return tuple(found)

    @cached_property
    def gone(self) -> frozenset[str]:
        """Entrypoints that OLD has and NEW knows not to be there."""
        return frozenset() if self.new.listed is None else self.old.known - self.new.listed

    @cached_property
    def added(self) -> frozenset[str]:
        """Entrypoints that NEW has and OLD knows not to have been there."""
        return frozenset() if self.old.listed is None else self.new.known - self.old.listed

    @cached_property
    def left(self) -> frozenset[str]:
        """Entrypoints that are neither compared nor gone nor new."""
        known = self.old.known | self.new.known
        return known - self.gone - self.added - frozenset(self.names)

    def remarks(self) -> Iterator[Remark]:
        """What the comparison cannot see, and what it takes for granted."""
        old, new = self.old, self.new
        if old.repository != new.repository:
            yield Remark(
                "other-repository",
                f"{_reference(old)} and {_reference(new)} are different repositories: what both "
                "call the same is compared",
            )
        for side in (old, new):
            status = side.document["status"]
            if status == "interrupted":
                yield Remark("interrupted", f"{side.name} is of a run that was interrupted")
            if status == "error":
                reasons = [item["message"] for item in side.own("not-verified")]
                said = f": {reasons[0]}" if reasons else ""
                yield Remark("error", f"{side.name} is of a run that could prove nothing{said}")
            if said := _part(side):
                yield Remark("part", f"{side.name} is of a part of the entrypoints ({said})")
            if side.cut:
                yield Remark("deadline", f"{side.name} ran out of time at {_few(side.cut)}")
        if self.left and self.new.document["status"] != "error":
            yield Remark("not-compared", f"not compared, as both did not run them: {self._left()}")

    def _left(self) -> str:
        return f"{len(self.left)} entrypoint{'s' * (len(self.left) != 1)} ({_few(self.left)})"


def _reference(side: Side) -> str:
    reference = side.document["reference"]
    return f"{reference['owner']}/{reference['repo']}"


def _part(side: Side) -> str:
    """The selection of a run of a part, as on its command line; empty for a whole one."""
    selection = side.document.get("selection")
    if not selection or selection["whole"]:
        return ""
    words = [f"--entrypoint {pattern}" for pattern in selection["patterns"][:_SHOWN]]
    words += [f"--shard {selection['shard']}"] if selection["shard"] else []
    return " ".join(words)


def _few(names: frozenset[str]) -> str:
    shown = ", ".join(name[:_LONGEST] for name in sorted(names)[:_SHOWN])
    return shown + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
