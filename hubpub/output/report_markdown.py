"""A verification report as a summary in Markdown: for a CI job's page, or a comment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hubpub.output.escape import short
from hubpub.output.markdown import LIMIT, escaped
from hubpub.output.report_findings import gathered
from hubpub.output.report_results import FIRST, TALLY_COLUMNS, cost, failing, tally
from hubpub.output.report_text import (
    LOCK_COLUMNS,
    lock_summary,
    not_compared,
    plural,
    size,
    title,
)

_TAIL = 1_000
"""Bytes kept free for what says what was left out."""
_HELP = 4000
"""Characters of an advice, of whose lines each is cut as well."""
_MARKS = {"pass": "✓", "fail": "**✗ fail**", "skipped": "–"}

Cells = Sequence[str]


def render(report: Mapping[str, Any], *, color: bool = False) -> str:  # noqa: ARG001
    """Verdict, grid of entrypoints and axes, checkpoints, network, findings; at most LIMIT bytes.

    Whatever the repository wrote is shown as text: no markup, link, mention or HTML of its own.
    """
    lines: list[str] = []
    room, left_out = LIMIT - _TAIL, 0
    for line, needed in _lines(report):
        length = len(line.encode("utf-8", "backslashreplace")) + 1
        if not needed and length > room:
            left_out += 1
            continue
        room -= length
        lines.append(line)
    if left_out:
        lines.append(f"\n{left_out} more {plural(left_out, 'row')} did not fit into this summary.")
    return "\n".join(lines) + "\n"


def _lines(report: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    """Each line, and whether it must not be left out."""
    yield f"## hubpub verify: {report['status']}", True
    yield "", True
    yield escaped(title(report)), True
    yield "", True
    yield f"Sandbox: {escaped(report['sandbox']['tier'])}", True
    if report["sandbox"]["tier"] == "none":
        yield "", True
        yield "**Nothing kept this code from the machine: it ran without a sandbox.**", True
    if report.get("lock") is not None:
        yield "", True
        yield escaped(lock_summary(report["lock"])), True
    if said := cost(report):
        yield "", True
        yield escaped(said), True
    for heading, columns, rows in (
        ("Entrypoints", _RESULT, _results(report)),
        ("Axes", TALLY_COLUMNS, _axes(report)),
        ("Checkpoints", _CHECKPOINT, _checkpoints(report)),
        ("Not as hubpub.lock has it", LOCK_COLUMNS, _differences(report)),
        ("Not compared with hubpub.lock", ("why", "entrypoints"), _not_compared(report)),
        ("Refused by the network", ("request", "why"), _refused(report)),
        ("Findings", ("place", "finding", "what to do"), _findings(report)),
    ):
        for number, cells in enumerate(rows):
            if number == 0:
                yield f"\n### {heading}\n", True
                yield _row(columns), True
                yield _row(["---"] * len(columns)), True
            yield _row(cells), False


def _row(cells: Cells) -> str:
    return f"| {' | '.join(cells)} |"


_RESULT = ("entrypoint", "case", "device", FIRST, "also fails", "time", "memory")


def _results(report: Mapping[str, Any]) -> Iterator[Cells]:
    for entrypoint in report["entrypoints"]:
        for result in entrypoint["results"]:
            names = map(escaped, (entrypoint["name"], result["case"], result["device"]))
            mark = _MARKS[result["axes"][FIRST]["status"]]
            facts = result["facts"]
            measures = (
                (f"{facts['wall_s']:.2f} s", size(facts["peak_bytes"])) if facts else ("", "")
            )
            yield [*names, mark, escaped(", ".join(failing(result))), *measures]


def _axes(report: Mapping[str, Any]) -> Iterator[Cells]:
    for each in tally(report):
        counts = (each.passed, f"**{each.failed}**" if each.failed else 0, each.skipped)
        yield [escaped(each.axis), *map(str, counts), escaped(each.why)]


_CHECKPOINT = ("file", "size", "sha256", "stamp", "weights_only", "used by", "from")


def _checkpoints(report: Mapping[str, Any]) -> Iterator[Cells]:
    for item in report["checkpoints"]:
        places = [item["path"]] if item["path"] else item["urls"]
        yield [
            escaped(item["filename"]),
            size(item["size"]),
            f"`{item['sha256']}`",
            item["stamp"]["status"],
            _MARKS[item["weights_only"]["status"]],
            escaped(", ".join(item["entrypoints"])),
            "<br>".join(escaped(place) for place in places),
        ]


def _differences(report: Mapping[str, Any]) -> Iterator[Cells]:
    for row in (report.get("lock") or {}).get("differences", ()):
        yield [escaped(row[name] or "-") for name in LOCK_COLUMNS]


def _not_compared(report: Mapping[str, Any]) -> Iterator[Cells]:
    for reason, names in not_compared(report["lock"]) if report.get("lock") else ():
        yield [escaped(reason), escaped(names)]


def _refused(report: Mapping[str, Any]) -> Iterator[Cells]:
    for request in report["network"]:
        if request["decision"] != "allowed" or request["status"] is None:
            yield [escaped(request["url"]), escaped(request.get("reason") or request["decision"])]


def _findings(report: Mapping[str, Any]) -> Iterator[Cells]:
    for item in gathered(report["findings"]):
        code = item["name"] if item["code"] == "verify" else item["code"]
        advice = "<br>".join(
            escaped(line) for line in short(item["help"] or "", _HELP).splitlines()
        )
        yield [
            escaped(f"{item['path']}:{item['line']}"),
            f"{item['severity']} {escaped(code)}: {escaped(item['message'])}",
            advice,
        ]
