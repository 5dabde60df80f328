"""``--locked``: what a run proved against what hubpub.lock says; every difference, and no silence.

Pure functions. A difference fails the ``weights`` axis of the results it is about.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

from hubpub.verify.lock import Cases, Lock, proven
from hubpub.verify.lockreport import Difference, LockReport, NotCompared
from hubpub.verify.report import (
    Axis,
    Entrypoint,
    Finding,
    Result,
    Used,
)

LEFT_OUT = "left out of this run"
_PRESENT = "present"
_FACTS = ("sha256", "size", "format", "urls", "path")
_SHOWN = 3
"""Differences that the reason of an axis names."""
_NAMES, _LONGEST = 20, 500


def compare(
    lock: Lock, entrypoints: Sequence[Entrypoint], listed: frozenset[str] | None
) -> LockReport:
    """Hold what was proven of ``entrypoints`` against ``lock``.

    Args:
        lock: what ``hubpub.lock`` holds.
        entrypoints: the results of this run.
        listed: every name that ``torch.hub.list`` shows, whether it was run or not; None where
            the list could not be made, so that nothing can be called gone.
    """
    found = proven(entrypoints)
    ran = {entrypoint.name: entrypoint for entrypoint in entrypoints}
    rows: list[Difference | NotCompared] = []
    for name in sorted({*lock.entrypoints, *ran}):
        if name in ran:
            rows += _entrypoint(ran[name], lock.entrypoints.get(name), found.get(name, {}))
        elif listed is None:
            rows.append(NotCompared(name, None, "torch.hub.list fails"))
        elif name in listed:
            rows.append(NotCompared(name, None, LEFT_OUT))
        else:
            rows.append(Difference(name, None, None, "entrypoint", _PRESENT, None))
    pairs = [(name, case) for name, cases in lock.entrypoints.items() for case in cases]
    return LockReport(
        compared=sum(case in found.get(name, {}) for name, case in pairs),
        differences=tuple(row for row in rows if isinstance(row, Difference)),
        not_compared=tuple(row for row in rows if isinstance(row, NotCompared)),
    )


def _entrypoint(
    entrypoint: Entrypoint, locked: Cases | None, found: Cases
) -> Iterator[Difference | NotCompared]:
    name, results = entrypoint.name, entrypoint.results
    if all(result.facts is None for result in results):
        yield NotCompared(name, None, f"skipped: {results[0].axes['loads'].reason}")
        return
    if locked is None:
        yield Difference(name, None, None, "entrypoint", None, _PRESENT)
        return
    # Of a case that ran on one device and was skipped on another, the one that ran.
    tried = {item.case: item for item in sorted(results, key=lambda item: item.facts is not None)}
    for case in sorted({*locked, *tried}):
        if case not in tried:
            yield Difference(name, case, None, "case", _PRESENT, None)
        elif case not in locked:
            yield Difference(name, case, None, "case", None, _PRESENT)
        elif case not in found:
            loads = tried[case].axes["loads"]
            why = "does not load" if loads.status == "fail" else "skipped"
            yield NotCompared(name, case, f"{why}: {loads.reason}")
        else:
            for what in _files(locked[case], found[case]):
                yield replace(what, entrypoint=name, case=case)


def _files(locked: Sequence[Used], found: Sequence[Used]) -> Iterator[Difference]:
    """The files of one case; those of one name are held against each other, equal ones aside."""
    before, after = _by_name(locked, set(found)), _by_name(found, set(locked))
    for filename in sorted({*before, *after}):
        pairs = itertools.zip_longest(before.get(filename, ()), after.get(filename, ()))
        for old, new in pairs:
            if old is None or new is None:
                sides = [None if side is None else f"sha256 {side.sha256}" for side in (old, new)]
                yield Difference("", None, filename, "file", *sides)
                continue
            for what in _FACTS:
                was, now = _said(old, what), _said(new, what)
                if was != now:
                    yield Difference("", None, filename, what, was, now)


def _by_name(files: Sequence[Used], but: set[Used]) -> dict[str, list[Used]]:
    found: dict[str, list[Used]] = {}
    for item in files:
        if item not in but:
            found.setdefault(item.filename, []).append(item)
    return found


def _said(item: Used, what: str) -> str | None:
    value = getattr(item, what)
    if what == "urls":
        return " ".join(value) or None
    return None if value is None else str(value)


def marked(entrypoints: Sequence[Entrypoint], compared: LockReport) -> tuple[Entrypoint, ...]:
    """The entrypoints, with the axis ``weights`` failed on each result that a difference is of."""
    rows: dict[str, list[Difference]] = {}
    for row in compared.differences:
        rows.setdefault(row.entrypoint, []).append(row)
    return tuple(_marked_all(item, rows.get(item.name, [])) for item in entrypoints)


def _marked_all(entrypoint: Entrypoint, rows: Sequence[Difference]) -> Entrypoint:
    results = (
        _marked(result, [row for row in rows if row.case in {None, result.case}])
        for result in entrypoint.results
    )
    return replace(entrypoint, results=tuple(results))


def _marked(result: Result, rows: Sequence[Difference]) -> Result:
    before = result.axes["weights"]
    if not rows or result.facts is None or before.status == "fail":
        return result
    said = [f"{row.file or row.case or 'the entrypoint'}: {row.what}" for row in rows[:_SHOWN]]
    more = f", and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
    reason = f"not as hubpub.lock has it: {', '.join(said)}{more}"[:_LONGEST]
    return replace(result, axes={**result.axes, "weights": Axis("fail", reason)})


def findings_of(compared: LockReport) -> list[Finding]:
    """An error for each difference, and a warning for each entrypoint that was not compared.

    What a run of a part left out is one warning: the caller asked for it.
    """
    found = [
        Finding(
            "verify",
            "locked",
            "error",
            f"{_call(row.entrypoint, row.case)}: {_sentence(row)}",
            help="where you know why, write the lock again with --write-lock and look at its diff; "
            "where you do not, somebody changed what your users load",
            entrypoint=row.entrypoint,
            axis="weights",
        )
        for row in compared.differences
    ]
    left = [item.entrypoint for item in compared.not_compared if item.reason == LEFT_OUT]
    if left:
        more = f" and {len(left) - _NAMES} more" if len(left) > _NAMES else ""
        found.append(_not_compared(None, f"{', '.join(left[:_NAMES])}{more}", LEFT_OUT))
    return found + [
        _not_compared(item.entrypoint, _call(item.entrypoint, item.case), item.reason)
        for item in compared.not_compared
        if item.reason != LEFT_OUT
    ]


def _not_compared(entrypoint: str | None, what: str, reason: str) -> Finding:
    return Finding(
        "verify",
        "not-compared",
        "warning",
        f"not compared with the lock: {what}: {reason}",
        help="a change of the weights there would not be seen",
        entrypoint=entrypoint,
        axis="weights",
    )


def _call(entrypoint: str, case: str | None) -> str:
    return entrypoint if case in {None, "default"} else f"{entrypoint} ({case})"


def _sentence(row: Difference) -> str:
    if row.what in {"entrypoint", "case", "file"}:
        thing = "the file " + (row.file or "") if row.what == "file" else f"the {row.what}"
        return f"{thing} is {'not in the lock' if row.locked is None else 'in the lock and gone'}"
    return f"{row.file}: {row.what} is {row.found or 'none'}, the lock has {row.locked or 'none'}"
