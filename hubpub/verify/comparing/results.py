"""Entrypoints, cases, devices and axes: what is gone, new, broken, mended or no longer proven."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hubpub.verify.comparing.change import Change, change
from hubpub.verify.comparing.covered import Both, Pair, Side, keyed, loads, named, placed
from hubpub.verify.report import AXES, REQUIRED

_LOADS = "loads"
Axis = Mapping[str, Any]


def of_entrypoints(both: Both) -> Iterator[Change]:
    """Whole entrypoints, and the list itself."""
    failed = both.new.own("cannot-list")
    if failed and both.old.known and not both.old.own("cannot-list"):
        yield change(
            "cannot-list", "torch.hub.list", reason=failed[0]["message"],
            place=placed(failed[0]), advice=failed[0]["help"],
        )  # fmt: skip
    moved = _moved_tag(both)
    if moved is not None:
        yield moved
    for name in both.gone:
        yield change("entrypoint-gone", name, name)
    for name in both.added:
        yield _added(both, name)
    if not both.pairs and not both.gone and not failed:
        yield change("nothing-compared", "OLD and NEW")


def _added(both: Both, name: str) -> Change:
    """A new entrypoint; where a case of it fails in what decides, that is what there is to say."""
    decides = _required(both.new)
    results = keyed(both.new.ran.get(name, {"results": ()}))
    for (case, device), result in sorted(results.items()):
        for axis in AXES:
            said = result["axes"].get(axis)
            if said and axis in decides and said["status"] == "fail":
                return change(
                    "new-fails", name, name, case=case, device=device, what=axis, new="fail",
                    reason=said["reason"],
                )  # fmt: skip
    return change("entrypoint-new", name, name)


def _moved_tag(both: Both) -> Change | None:
    """A tag that names another commit: whoever pinned it gets other code."""
    old, new = (side.document["commit"] for side in (both.old, both.new))
    here, there = (side.document["reference"] for side in (both.old, both.new))
    same = both.old.repository == both.new.repository and here["ref"] == there["ref"]
    tags = here["kind"] == there["kind"] == "tag"
    if not (same and tags and old and new and old != new):
        return None
    return change("tag-moved", str(here["ref"]), what="commit", old=old, new=new)


def of_cases(both: Both) -> Iterator[Change]:
    """Cases and devices of the entrypoints that both ran.

    A device that a whole run lacks because its ``--device`` is another is no change of the release
    (:func:`hubpub.verify.comparing.surroundings.unlike` says it).
    """
    asked = [side.document.get("options", {}).get("device") for side in (both.old, both.new)]
    for one, other, word in ((both.old, both.new, "gone"), (both.new, both.old, "new")):
        everywhere = {key[1] for name in both.names for key in keyed(other.ran[name])}
        lacking: dict[str, list[str]] = {}
        for name in both.names:
            here, there = keyed(one.ran[name]), keyed(other.ran[name])
            cases, devices = {key[0] for key in there}, {key[1] for key in there}
            ran = {key for key, result in here.items() if result["facts"] is not None}
            for case, device in sorted(ran - there.keys()):
                if device not in everywhere:
                    lacking.setdefault(device, []).append(name)
                elif device not in devices:
                    yield from _of_device(name, case, device, word)
                elif case not in cases:
                    subject = named(name, case, device)
                    yield change(f"case-{word}", subject, name, case=case, device=device)
        if asked[0] == asked[1]:
            for device, names in sorted(lacking.items()):
                yield change(f"device-{word}", device, *names, device=device)


def _of_device(name: str, case: str, device: str, word: str) -> Iterator[Change]:
    """Once for all cases of the entrypoint: those that are not run on the device follow it."""
    if case == "default":
        yield change(f"device-{word}", f"{name} on {device}", name, device=device)


def of_axes(both: Both) -> Iterator[Change]:
    """Each axis of each result whose status is another."""
    required = _required(both.new)
    for pair in both.pairs:
        if (pair.old["facts"] is None) != (pair.new["facts"] is None):
            yield from _of_skipped(pair, both.new)
        elif pair.new["facts"] is not None:
            yield from _of_result(pair, both.new, required)


def _required(side: Side) -> frozenset[str]:
    """The axes that decide in that run."""
    asked = side.document.get("options", {}).get("require")
    return REQUIRED | frozenset(map(str, asked) if isinstance(asked, list) else ())


def _of_skipped(pair: Pair, new: Side) -> Iterator[Change]:
    """One of both did not run at all: one change, not one for each axis."""
    here, there = ("proof-lost", pair.new) if loads(pair.old) else ("no-longer-asked", pair.new)
    if pair.old["facts"] is None:
        here, there = ("proof-gained", pair.old) if loads(pair.new) else ("now-fails", pair.new)
    yield _axis_change(here, pair, new, _LOADS, reason=there["axes"][_LOADS]["reason"])


def _of_result(pair: Pair, side: Side, required: frozenset[str]) -> Iterator[Change]:
    old, new = pair.old["axes"], pair.new["axes"]
    names = [axis for axis in AXES if axis in old and axis in new]
    if {"pass", "fail"} == {old[_LOADS]["status"], new[_LOADS]["status"]}:
        names = [_LOADS]  # of what does not load, every other axis is skipped
    for axis in names:
        kind = _kind(axis, old[axis], new[axis], required)
        if kind is not None:
            failed = new[axis] if new[axis]["status"] != "pass" else old[axis]
            yield _axis_change(kind, pair, side, axis, reason=failed["reason"])


def _kind(axis: str, old: Axis, new: Axis, required: frozenset[str]) -> str | None:
    match old["status"], new["status"]:
        case ("pass" | "skipped", "fail"):
            if axis == _LOADS:
                return "no-longer-loads" if old["status"] == "pass" else "now-fails"
            return "now-fails" if axis in required else "optional-now-fails"
        case ("pass", "skipped"):
            return "proof-lost"
        case ("fail", "skipped"):
            return "no-longer-asked"
        case ("fail", "pass"):
            return "mended"
        case ("skipped", "pass"):
            return "proof-gained"
        case ("fail", "fail") if axis in required and old["reason"] != new["reason"]:
            return "fails-otherwise"
    return None


def _axis_change(kind: str, pair: Pair, new: Side, axis: str, reason: str | None) -> Change:
    finding = new.verdicts.get((axis, f"{pair.subject}: {reason}"))
    return change(
        kind,
        pair.subject,
        pair.entrypoint,
        case=pair.case,
        device=pair.device,
        what=axis,
        old=pair.old["axes"][axis]["status"],
        new=pair.new["axes"][axis]["status"],
        reason=reason,
        place=placed(finding) if finding else None,
        advice=finding["help"] if finding else None,
    )
