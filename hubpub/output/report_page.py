"""What the page of a verification report says: verdict, counts, rows of the grid, details."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hubpub.output.escape import short
from hubpub.output.report_results import FIRST, demanded, left_out, limits, ran
from hubpub.output.report_text import partial, plural

Report = Mapping[str, Any]

ASKS = {
    "listed": "torch.hub.list shows what hubpub reads without running it",
    "documented": "torch.hub.help shows something",
    "loads": "torch.hub.load ends well, with every download whole",
    "forward": "a call with the declared input gives what is expected",
    "device": "on a GPU the model moves there whole, and its memory is free again afterwards",
    "weights": "every stamp in a file name agrees with the sha256, and so does the lock",
    "weights_only": "every checkpoint loads without unpickling code",
    "dependencies": "no package is imported that hubconf.py leaves out",
    "coexists": "it loads beside another repository's modules, under another directory name",
    "offline": "a second load needs no network",
    "reproducible": "two loads with different seeds give the same weights",
    "late_imports": "a call imports no module of the repository for the first time",
    "pickles": "a spawned worker process can take it over",
}
"""What each axis passes for."""
FEW = 40
"""Results in one table; of more, those without a failure are folded away."""
_NAME, _VALUE, _CLAIMS = 200, 300, 16
"""Characters of a name in the grid and of a claim, and claims of a result."""


@dataclass(frozen=True)
class Verdict:
    """The first thing that is read: ``word``, and what that means in ``sentence``."""

    status: str
    word: str
    sentence: str


@dataclass(frozen=True)
class Reason:
    """What failed or was not asked for one reason: ``axes``, and whether that decides."""

    kind: str
    axes: tuple[str, ...]
    text: str


@dataclass(frozen=True)
class Row:
    """One result: ``cells`` holds a kind for each axis of the page (see :func:`_kind`)."""

    anchor: str
    case: str
    device: str
    cells: tuple[str, ...]
    passed: tuple[str, ...]
    reasons: tuple[Reason, ...]
    result: Mapping[str, Any]
    claims: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Entry:
    """One entrypoint and its results.

    ``kind`` is f where what decides failed, w where something else did, s where nothing ran, else
    p.
    """

    anchor: str
    name: str
    kind: str
    rows: tuple[Row, ...]
    idle: tuple[tuple[str, str], ...]
    """Where it did not run: case and device, and why."""
    document: Mapping[str, Any]

    @property
    def failed(self) -> tuple[str, ...]:
        """The axes that failed in any of its results."""
        found = (a for row in self.rows for r in row.reasons if r.kind != "s" for a in r.axes)
        return tuple(dict.fromkeys(found))


@dataclass(frozen=True)
class Group:
    """Entrypoints that came to the same, in the order of the report."""

    title: str
    kind: str
    entries: tuple[Entry, ...]
    folded: bool


def verdict(report: Report, entries: Sequence[Entry]) -> Verdict:
    """The status in words."""
    jobs = [result for _, result in ran(report)]
    loaded = sum(result["axes"][FIRST]["status"] == "pass" for result in jobs)
    part = partial(report)
    count = len(entries)
    idle = sum(not entry.rows for entry in entries)
    status = str(report["status"])
    if status == "pass":
        word = ", ".join(["Passed", *(["in part"] if part else []), *limits(report)])
        those = _counted(count - idle, "entrypoint")
        said = (
            f"Each of the {_counted(loaded, 'job')} of {those} loads "
            "through the real torch.hub, and nothing that decides has failed."
        )
        if idle:
            said += f" {_counted(idle, 'entrypoint')} did not run: nothing is proven of "
            said += "it." if idle == 1 else "them."
    elif status == "interrupted":
        word, said = (
            "Interrupted",
            f"The run ended early, with {_counted(count, 'entrypoint')} through: no proof.",
        )
    elif status == "error":
        word, said = "Nothing proven", "The run could not be made. What stopped it stands below."
    else:
        failed = sum(entry.kind == "f" for entry in entries)
        said = f"{failed} of {_counted(count, 'entrypoint')} failed in what decides; "
        said += f"{loaded} of {_counted(len(jobs), 'job')} loaded."
        word = "Failed"
    if part:
        said += " A part of the entrypoints is no whole proof."
    return Verdict(status, word, said)


def _counted(count: int, word: str) -> str:
    return f"{count:,} {plural(count, word)}"


def counts(entries: Sequence[Entry]) -> Mapping[str, int]:
    """Entrypoints by what they came to: passed (with or without remarks), failed, skipped."""
    kinds = Counter(entry.kind for entry in entries)
    return {"passed": kinds["p"] + kinds["w"], "failed": kinds["f"], "skipped": kinds["s"]}


def decides(report: Report) -> tuple[list[str], list[str]]:
    """The axes that decide, and those that were left out."""
    return demanded(report), left_out(report)


def entries(report: Report, axes: Sequence[str]) -> list[Entry]:
    """Every entrypoint of the report with its results, as rows over ``axes``."""
    weighed: dict[tuple[str | None, str | None], str] = {}
    heavy: set[str | None] = set()
    for item in report["findings"]:
        if item["code"] != "verify":
            continue
        key = (item["entrypoint"], item["axis"])
        if weighed.get(key) != "error":
            weighed[key] = item["severity"]
        if item["severity"] == "error":
            heavy.add(item["entrypoint"])
    return [
        _entry(f"e{number}", item, axes, weighed, heavy)
        for number, item in enumerate(report["entrypoints"], 1)
    ]


def _entry(
    anchor: str,
    item: Mapping[str, Any],
    axes: Sequence[str],
    weighed: Mapping[tuple[str | None, str | None], str],
    heavy: set[str | None],
) -> Entry:
    name = item["name"]
    rows, idle = [], []
    for result in item["results"]:
        where = f"{result['case']}, {result['device']}"
        if result["facts"] is None:
            idle.append((where, result["axes"][FIRST]["reason"] or ""))
            continue
        cells = tuple(
            _kind(result["axes"][axis]["status"], weighed.get((name, axis)))
            if axis in result["axes"]
            else "s"
            for axis in axes
        )
        kinds = dict(zip(axes, cells, strict=True))
        rows.append(
            Row(
                anchor,
                result["case"],
                result["device"],
                cells,
                tuple(axis for axis in axes if kinds[axis] == "p"),
                tuple(_reasons(result, kinds)),
                result,
                tuple(_claims(result["claims"])),
            )
        )
    if name in heavy or any("f" in row.cells for row in rows):
        kind = "f"
    elif not rows:
        kind = "s"
    else:
        said = {weighed.get((name, axis)) for row in rows for axis in _failed(row)}
        kind = "w" if "warning" in said else "p"
    return Entry(anchor, name, kind, tuple(rows), tuple(idle), item)


def _kind(status: str, severity: str | None) -> str:
    """Which of p (pass), s (skipped), f (failed, decides) and w (failed, does not decide)."""
    if status == "fail":
        return "f" if severity == "error" else "w"
    return "p" if status == "pass" else "s"


def _failed(row: Row) -> Iterator[str]:
    for reason in row.reasons:
        if reason.kind != "s":
            yield from reason.axes


def _reasons(result: Mapping[str, Any], kinds: Mapping[str, str]) -> Iterator[Reason]:
    """Why axes failed, then why they were skipped; what has one reason is said once."""
    found: dict[tuple[str, str], list[str]] = {}
    for axis, kind in kinds.items():
        if kind != "p" and axis in result["axes"]:
            text = result["axes"][axis]["reason"] or ""
            found.setdefault((kind, text), []).append(axis)
    for (kind, text), axes in sorted(found.items(), key=lambda item: "fws".index(item[0][0])):
        yield Reason(kind, tuple(axes), text)


def _claims(claims: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in list(claims.items())[:_CLAIMS]:
        text = value if isinstance(value, str) else json.dumps(value)
        if isinstance(value, int) and not isinstance(value, bool):
            text = f"{value:,}"
        yield short(key, _NAME), short(text, _VALUE)
    if len(claims) > _CLAIMS:
        yield "more", f"{len(claims) - _CLAIMS} in the JSON report"


_TITLES = {
    "f": "Failed in what decides",
    "w": "Passed, with warnings",
    "p": "Nothing failed that counts",
    "s": "Not run",
}


def groups(found: Sequence[Entry]) -> list[Group]:
    """All in one group where they are few; else by what they came to, the worst first."""
    if sum(len(entry.rows) or 1 for entry in found) <= FEW:
        return [Group("", "", tuple(found), False)] if found else []
    return [
        Group(title, kind, same, kind in {"p", "s"})
        for kind, title in _TITLES.items()
        if (same := tuple(entry for entry in found if entry.kind == kind))
    ]


def idle(found: Sequence[Entry]) -> list[tuple[str, int]]:
    """Why results of entrypoints did not run, and how many for each reason."""
    reasons = Counter(
        f"{result['device']}: {result['axes'][FIRST]['reason']}"
        for entry in found
        for result in entry.document["results"]
        if result["facts"] is None
    )
    return reasons.most_common()
