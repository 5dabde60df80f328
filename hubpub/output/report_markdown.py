"""A verification report as a summary in Markdown, as GitHub renders it: for the page of a job.

What a reviewer needs comes first and is short enough for a phone; the rest is folded below it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from hubpub.output import tables
from hubpub.output.escape import short
from hubpub.output.links import encoded
from hubpub.output.markdown import LIMIT, escaped
from hubpub.output.origin import github_url
from hubpub.output.report_findings import gathered
from hubpub.output.report_results import (
    FIRST,
    TALLY_COLUMNS,
    axes,
    cost,
    limits,
    ran,
    severities,
    tally,
)
from hubpub.output.report_text import (
    LOCK_COLUMNS,
    lock_summary,
    not_compared,
    partial,
    plural,
    size,
)
from hubpub.output.sections import Section, fitted

_HELP, _PATH = 4000, 600
"""Characters of an advice, of whose lines each is cut as well, and of a path that is linked to."""
_OPEN, _NAMED = 20, 3
"""Results that pass and are shown without being unfolded, and names of what was skipped."""
_AXES = 20
"""Columns of the grid: a report that anybody wrote may name more axes than there are."""
_SHA256 = re.compile(r"[0-9a-f]{64}")
_STATUS = {
    "pass": "✅ pass",
    "fail": "❌ fail",
    "error": "❌ error",
    "interrupted": "⚠️ interrupted",
}
_SEVERITY = {"error": "❌", "warning": "⚠️", "note": "💬"}
_MARK = {"pass": "✅", "fail": "❌", "skipped": "–"}
_STAMP = {
    "match": "✅ match",
    "mismatch": "❌ mismatch",
    "vacuous": "⚠️ vacuous",
    "absent": "– none",
}

Finding = Mapping[str, Any]


def render(report: Mapping[str, Any], *, color: bool = False) -> str:  # noqa: ARG001
    """The summary of a job: at most a million bytes."""
    return rendered(report, LIMIT)


def rendered(report: Mapping[str, Any], limit: int) -> str:
    """Verdict, what fails and a line for each result, then folded all else.

    Whatever the repository wrote is shown as text: no markup, link, mention or HTML of its own.
    The only links are to the commit and to lines of its files, on github.com.

    Args:
        report: the documented JSON object.
        limit: bytes that the text may have. Where it would have more, passing results, measures
            and checkpoints are left out before anything that failed, and how many is said.
    """
    files = _commit_url(report, "blob")
    return fitted(
        [
            Section(0, f"{_head(report)}\n\n{_counts(report)}\n{_warning(report)}"),
            *_findings(report, files),
            *_results(report),
            *_lock(report),
            *_network(report),
            *_checkpoints(report),
            *_axes(report),
            Section(0, tables.folded("This run", f"{_environment(report)}\n")),
        ],
        limit,
    )


# --- the first lines ------------------------------------------------------------------------------


def _head(report: Mapping[str, Any]) -> str:
    """Verdict, reference and commit, and whether it is of a part."""
    reference = report["reference"]
    name = f"{short(reference['owner'], _PATH)}/{short(reference['repo'], _PATH)}"
    ref = f":{reference['ref']}" if reference["ref"] else ""
    part = partial(report)
    status = _STATUS[report["status"]]
    less = [*([part] if part else []), *limits(report)]
    if less:
        status = status.replace("✅", "⚠️")
    parts = [f"## hubpub verify: {status}", escaped(f"{name}{ref}")]
    if report["commit"]:
        commit = f"`{report['commit'][:12]}`"
        url = _commit_url(report, "commit")
        parts.append(f"commit [{commit}]({url})" if url else f"commit {commit}")
    return ", ".join([*parts, *(f"**{each}**" for each in less)])


def _commit_url(report: Mapping[str, Any], what: str) -> str:
    """Where the commit, or its files, are shown on github.com; empty where they are not."""
    url = github_url(report)
    return f"{url}/{what}/{report['commit']}" if url and report["commit"] else ""


def _counts(report: Mapping[str, Any]) -> str:
    results = [item for entry in report["entrypoints"] for item in entry["results"]]
    ran = [item for item in results if item["facts"] is not None]
    loaded = sum(item["axes"]["loads"]["status"] == "pass" for item in ran)
    entries, files = len(report["entrypoints"]), len(report["checkpoints"])
    environment = report["environment"]
    torch = f"torch {environment['torch']}" if environment["torch"] else "torch not started"
    return (
        f"{entries} {plural(entries, 'entrypoint')}, {loaded} of {len(ran)} "
        f"{plural(len(ran), 'job')} loaded, {files} {plural(files, 'checkpoint')}; "
        f"{escaped(torch)}, sandbox {escaped(report['sandbox']['tier'])}"
    )


def _warning(report: Mapping[str, Any]) -> str:
    if report["sandbox"]["tier"] != "none":
        return ""
    return "\n⚠️ **Nothing kept this code from the machine: it ran without a sandbox.**\n"


# --- findings -------------------------------------------------------------------------------------


def _findings(report: Mapping[str, Any], files: str) -> Iterator[Section]:
    """What fails the run, open; all else, the worst first, folded."""
    found = gathered(report["findings"])
    fatal = [item for item in found if _fatal(item)]
    order = list(_SEVERITY)
    rest = sorted(
        (item for item in found if not _fatal(item)), key=lambda item: order.index(item["severity"])
    )

    def row(item: Finding) -> str:
        return _finding(item, files)

    if fatal:
        yield Section(1, f"\n### What fails ({len(fatal)})\n\n", fatal, row, word="findings")
    if rest:
        counts = ", ".join(
            f"{count} {plural(count, word)}"
            for word in order
            if (count := sum(item["severity"] == word for item in rest))
        )
        before, after = tables.fold(f"Further findings: {counts}")
        yield Section(4, before, rest, row, after, "findings")


def _fatal(item: Finding) -> bool:
    return bool(item["code"] == "verify" and item["severity"] == "error")


def _finding(item: Finding, files: str) -> str:
    code = item["name"] if item["code"] == "verify" else item["code"]
    advice = "".join(
        f"<br>{escaped(line)}" for line in short(item["help"] or "", _HELP).splitlines()
    )
    name = f"{_SEVERITY[item['severity']]} <strong>{escaped(code)}</strong>"
    place = "" if _nowhere(item) else f"<br>{_place(item['path'], item['line'], files)}"
    return f"- {name} {escaped(item['message'])}{advice}{place}\n"


def _nowhere(item: Finding) -> bool:
    """Whether a finding of verify stands where those stand that have no place."""
    return bool(item["code"] == "verify" and (item["path"], item["line"]) == ("hubconf.py", 1))


def _place(path: str, line: int, files: str) -> str:
    text = escaped(f"{path}:{line}")
    inside = not path.startswith("/") and ".." not in path.split("/") and len(path) <= _PATH
    return f"[{text}]({files}/{encoded(path)}#L{line})" if files and inside else text


# --- results --------------------------------------------------------------------------------------


def _results(report: Mapping[str, Any]) -> Iterator[Section]:
    """A line for each result that ran: those that fail first, many that pass folded.

    What was skipped for one reason is one line.
    """
    worst = severities(report)
    passing: list[tuple[str, Mapping[str, Any]]] = []
    failing: list[tuple[str, Mapping[str, Any]]] = []
    for each in ran(report):
        (failing if _failed(*each, worst)["error"] else passing).append(each)

    def row(each: tuple[str, Mapping[str, Any]]) -> str:
        return tables.row(_result(*each, worst))

    heading = tables.heading(("entrypoint", "result", "time", "memory"))
    shown = failing if len(passing) > _OPEN else failing + passing
    if shown:
        yield Section(2, f"\n{heading}", shown, row, word="results")
    skipped = _skipped(report)
    if skipped:
        yield Section(3, "\n", list(skipped.items()), _skip, word="reasons of skips")
    if len(shown) < len(failing) + len(passing):
        before, after = tables.fold(f"{len(passing)} results that pass")
        yield Section(9, f"{before}{heading}", passing, row, after, "results")


def _skipped(report: Mapping[str, Any]) -> Mapping[tuple[str, str], list[str]]:
    """Device and reason -> the calls that did not run."""
    found: dict[tuple[str, str], list[str]] = {}
    for entry in report["entrypoints"]:
        for result in entry["results"]:
            if result["facts"] is None:
                why = (result["device"], str(result["axes"][FIRST]["reason"]))
                found.setdefault(why, []).append(entry["name"])
    return found


def _skip(each: tuple[tuple[str, str], list[str]]) -> str:
    (device, reason), names = each
    named = ", ".join(escaped(name) for name in list(dict.fromkeys(names))[:_NAMED])
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"- skipped on {escaped(device)}, {escaped(reason)}: {named}{more}\n"


def _failed(
    name: str, result: Mapping[str, Any], worst: Mapping[tuple[str | None, str | None], str]
) -> dict[str, list[str]]:
    """The axes that failed, by what a failure of them is for this entrypoint."""
    failed: dict[str, list[str]] = {severity: [] for severity in _SEVERITY}
    for axis, item in result["axes"].items():
        if item["status"] == "fail":
            unsaid = "error" if axis == FIRST else "warning"
            failed[worst.get((name, axis), unsaid)].append(axis)
    return failed


def _result(
    name: str, result: Mapping[str, Any], worst: Mapping[tuple[str | None, str | None], str]
) -> tables.Cells:
    facts, axes_ = result["facts"], result["axes"]
    failed = _failed(name, result, worst)
    passed = sum(item["status"] == "pass" for item in axes_.values())
    said = [
        f"{_SEVERITY[severity]} {escaped(', '.join(failed[severity]))}"
        for severity in ("error", "warning")
        if failed[severity]
    ]
    if not failed["error"]:
        said.insert(0, f"✅ {passed} {'axis passes' if passed == 1 else 'axes pass'}")
    measures = (f"{facts['wall_s']:.2f} s", size(facts["peak_bytes"]))
    # A number and its unit stay on one line, however narrow the screen is.
    kept = (measure.replace(" ", "\N{NO-BREAK SPACE}") for measure in measures)
    return [_call(name, result), "; ".join(said), *kept]


def _call(name: str, result: Mapping[str, Any]) -> str:
    case = "" if result["case"] == "default" else f" ({escaped(result['case'])})"
    device = "" if result["device"] == "cpu" else f" on {escaped(result['device'])}"
    return f"{escaped(name)}{case}{device}"


def _axes(report: Mapping[str, Any]) -> Iterator[Section]:
    """Each axis over all results, and the grid of both, folded."""
    columns = axes(report)[:_AXES]
    rows = list(ran(report))
    counted = tally(report)
    if counted:
        before, after = tables.fold("Axes: how often each passed, failed and was skipped")
        yield Section(
            8, f"{before}{tables.heading(TALLY_COLUMNS)}", counted, _tallied, after, "axes"
        )

    def row(each: tuple[str, Mapping[str, Any]]) -> str:
        name, result = each
        marks = [
            _MARK[result["axes"][axis]["status"]] if axis in result["axes"] else ""
            for axis in columns
        ]
        return tables.row([_call(name, result), *marks])

    if rows:
        before, after = tables.fold("Grid: ✅ pass, ❌ fail, – skipped")
        heading = tables.heading(("entrypoint", *(escaped(short(axis, _PATH)) for axis in columns)))
        yield Section(10, f"{before}{heading}", rows, row, after, "results")


def _tallied(each: Any) -> str:
    counts = (each.passed, f"**{each.failed}**" if each.failed else 0, each.skipped)
    return tables.row([escaped(each.axis), *map(str, counts), escaped(each.why)])


# --- what was used --------------------------------------------------------------------------------


def _checkpoints(report: Mapping[str, Any]) -> Iterator[Section]:
    found = report["checkpoints"]
    if found:
        stamped = sum(item["stamp"]["status"] == "match" for item in found)
        word = plural(len(found), "checkpoint")
        before, after = tables.fold(f"{len(found)} {word}, {stamped} with a stamp that matches")
        columns = ("file", "sha256", "size", "stamp", "weights_only", "used by", "from")
        yield Section(
            5, f"{before}{tables.heading(columns)}", found, _checkpoint, after, "checkpoints"
        )


def _checkpoint(item: Mapping[str, Any]) -> str:
    places = [item["path"]] if item["path"] else item["urls"]
    only = item["weights_only"]["status"]
    return tables.row(
        [
            escaped(item["filename"]),
            f"`{item['sha256']}`",
            size(item["size"]),
            _STAMP[item["stamp"]["status"]],
            f"{_MARK[only]} {only}",
            escaped(", ".join(short(name, _PATH) for name in item["entrypoints"][:_OPEN])),
            "<br>".join(escaped(place) for place in places[:_OPEN]),
        ]
    )


def _lock(report: Mapping[str, Any]) -> Iterator[Section]:
    lock = report.get("lock")
    if lock is None:
        return
    yield Section(0, f"\n{escaped(lock_summary(lock))}\n")
    if lock["differences"]:
        before = f"\n### Not as hubpub.lock has it\n\n{tables.heading(LOCK_COLUMNS)}"
        yield Section(3, before, lock["differences"], _difference, word="differences")
    left = list(not_compared(lock))
    if left:
        before, after = tables.fold("Not compared with hubpub.lock")
        heading = tables.heading(("why", "entrypoints"))
        yield Section(7, f"{before}{heading}", left, tables.cells, after, "reasons")


def _difference(item: Mapping[str, Any]) -> str:
    return tables.row([_or_sha256(item[name] or "-") for name in LOCK_COLUMNS])


def _or_sha256(text: str) -> str:
    """A sha256 whole, to be copied: other text is parted where GitHub sees a commit in it."""
    return f"`{text}`" if _SHA256.fullmatch(text) else escaped(text)


def _network(report: Mapping[str, Any]) -> Iterator[Section]:
    refused = Counter(
        (item["url"], item.get("reason") or item["decision"])
        for item in report["network"]
        if item["decision"] != "allowed" or item["status"] is None
    )
    if refused:
        count = refused.total()
        before, after = tables.fold(f"{count} {plural(count, 'request')} without an answer")
        heading = tables.heading(("request", "why"))
        rows = [
            (f"{url} ({times} times)" if times > 1 else url, why)
            for (url, why), times in refused.items()
        ]
        yield Section(6, f"{before}{heading}", rows, tables.cells, after, "requests")


def _environment(report: Mapping[str, Any]) -> str:
    environment, sandbox = report["environment"], report["sandbox"]
    made = f"hubpub {environment['hubpub']}, Python {environment['python']}"
    lines = [escaped(f"{made}, {environment['platform']}")]
    if report["tree"]:
        lines.append(f"tree `{report['tree']}`")
    if sandbox.get("packages"):
        lines.append(escaped(f"packages: {sandbox['packages']}"))
    if said := cost(report):
        lines.append(escaped(said))
    return "<br>".join(lines)
