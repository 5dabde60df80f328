"""What a user pays for a load: time, memory, download. Judged by factor and amount, both.

The CPU time decides: a busy machine or a slow server stretches only the other. Where that alone has
grown, five times the amount is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hubpub.verify.comparing.change import Change, Remark, Thresholds, change
from hubpub.verify.comparing.covered import Both, Pair, Side, keyed

_WAITING = 5
"""How many times the floor the wall time has to have grown by, where the CPU time has not."""


_SEVERAL, _NEARLY = 3, 0.8
"""How many loads, and what part of all, make it likely that it is the machine."""


def grew(old: float, new: float, ratio: float, floor: float) -> int:
    """1 where ``new`` is more than ``old`` by both, -1 where it is less by both, else 0."""
    less, more = sorted((old, new))
    if more - less < floor or more < less * ratio or more == less:
        return 0
    return 1 if new > old else -1


def of_results(both: Both, limits: Thresholds) -> Iterator[Change]:
    """Time and memory of each result that loads in both, in the same kind of process."""
    for pair in both.pairs:
        old, new = pair.old["facts"], pair.new["facts"]
        if not pair.load or bool(old.get("fresh")) != bool(new.get("fresh")):
            continue
        words = {1: "slower", -1: "faster"}
        for what, times in (("cpu_s", 1), ("wall_s", _WAITING)):
            floor = limits.time_floor * times
            if way := grew(old[what], new[what], limits.time_ratio, floor):
                yield _measured(words[way], pair, what)
                break
        what = "peak_bytes"
        if way := grew(old[what], new[what], limits.memory_ratio, limits.memory_floor):
            yield _measured({1: "heavier", -1: "lighter"}[way], pair, what)


def _measured(kind: str, pair: Pair, what: str) -> Change:
    return change(
        kind,
        pair.subject,
        pair.entrypoint,
        case=pair.case,
        device=pair.device,
        what=what,
        old=pair.old["facts"][what],
        new=pair.new["facts"][what],
    )


def all_slower(both: Both, changes: Sequence[Change]) -> Iterator[Remark]:
    """A word of caution where it is hardly the release that is slower."""
    slower, count = sum(each.kind == "slower" for each in changes), sum(p.load for p in both.pairs)
    if slower >= _SEVERAL and slower >= count * _NEARLY:
        said = f"{slower} of {count} loads are slower: it may be the machine, or an import of all"
        yield Remark("all-slower", said)


def of_downloads(both: Both, limits: Thresholds) -> Iterator[Change]:
    """What each entrypoint takes from the network, where all it does is in both, and loads.

    Reports of earlier versions do not say who asked: of such a one nothing is known here.
    """
    if not all(_says_who(side) for side in (both.old, both.new)):
        return
    loading: dict[str, bool] = {
        name: keyed(both.old.ran[name]).keys() == keyed(both.new.ran[name]).keys()
        for name in both.names
    }
    for pair in both.pairs:
        alike = pair.load or pair.old["facts"] is pair.new["facts"] is None
        loading[pair.entrypoint] &= alike
    old, new = _downloads(both.old), _downloads(both.new)
    for name, each in loading.items():
        before, after = sum(old.get(name, {}).values()), sum(new.get(name, {}).values())
        way = grew(before, after, limits.download_ratio, limits.download_floor)
        if each and way:
            kind = "larger" if way > 0 else "smaller"
            yield change(kind, name, name, what="download_bytes", old=before, new=after)


def _says_who(side: Side) -> bool:
    return all("entrypoint" in request for request in side.document["network"])


def _downloads(side: Side) -> Mapping[str, Mapping[str, int]]:
    """Bytes of each body that an entrypoint was sent, once however often a run loads its cases."""
    found: dict[str, dict[str, int]] = {}
    for request in side.document["network"]:
        name: Any = request.get("entrypoint")
        if name is None or request["decision"] != "allowed":
            continue
        bodies = found.setdefault(name, {})
        body = request["sha256"] or request["url"]
        bodies[body] = max(bodies.get(body, 0), request["bytes"])
    return found
