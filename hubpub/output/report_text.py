"""A verification report for a person at a terminal: what ran, what it used, what needs action."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hubpub.output.escape import short, visible
from hubpub.output.report_findings import gathered
from hubpub.output.report_results import FIRST, TALLY_COLUMNS, cost, failing, limits, ran, tally

_LONGEST, _CELL, _WIDEST = 4000, 300, 60
"""Characters of a text and of one in a table, and the width that a table's column is filled to."""
_DIGITS = 16
_URLS = 5
"""Addresses that are named for one reason."""
_LIMITS = {"timeout_s", "memory_bytes", "disk_bytes", "files", "processes"}
_STYLES = {"pass": "32", "fail": "31;1", "error": "31;1", "warning": "33", "note": "36", "-": "2"}


def render(report: Mapping[str, Any], *, color: bool = False) -> str:
    """The report (the documented JSON object) as text, ended by one line with the verdict."""
    sections = (_head, _results, _axes, _checkpoints, _lock, _network, _findings, _verdict)
    blocks = ["\n".join(section(report, color)) for section in sections]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _shown(text: str, most: int = _LONGEST) -> str:
    return visible(short(text, most))


def title(report: Mapping[str, Any]) -> str:
    """What was verified: the reference, its kind, commit and tree. Not escaped."""
    reference = report["reference"]
    name = f"{reference['owner']}/{reference['repo']}"
    ref = f":{reference['ref']}" if reference["ref"] else ""
    parts = [f"{name}{ref}", reference["kind"] or "unresolved"]
    if report["commit"]:
        parts.append(f"commit {report['commit'][:12]}")
    if report["tree"]:
        parts.append(f"tree {report['tree'][:12]}")
    part = partial(report)
    return ", ".join([*parts, part] if part else parts)


def partial(report: Mapping[str, Any]) -> str:
    """``PARTIAL: 3 of 12 entrypoints`` where not all were run; else nothing.

    A report that an earlier version wrote has no selection, and is of all.
    """
    selection = report.get("selection")
    ran, listed = len(report["entrypoints"]), len(selection["listed"]) if selection else 0
    return f"PARTIAL: {ran} of {listed} entrypoints" if ran < listed else ""


def _head(report: Mapping[str, Any], color: bool) -> Iterator[str]:
    environment = report["environment"]
    yield _shown(title(report))
    torch = f"torch {environment['torch']}" if environment["torch"] else "torch not started"
    yield _shown(
        f"hubpub {environment['hubpub']}, {torch}, Python {environment['python']}, "
        f"sandbox {report['sandbox']['tier']}"
    )
    yield from _sandbox(report["sandbox"], color)


def _sandbox(sandbox: Mapping[str, Any], color: bool) -> Iterator[str]:
    """What held the code; of a report that an earlier version wrote, what it has of that."""
    warning = _shown(sandbox.get("warning") or "")
    if warning:
        yield _paint(warning, "fail") if color else warning
    for lacking in sandbox.get("not_held", ()):
        yield _shown(f"  not held: {lacking}")
    features = sandbox["features"]
    if not features:
        return
    built = [f"built by {sandbox['tier']} {sandbox['version']}"] if sandbox.get("version") else []
    user = [f"user {sandbox['outer_uid']} outside"] if sandbox.get("outer_uid") is not None else []
    for word, wanted in (("holds", True), ("lacks", False)):
        names = [name for name, value in features.items() if value is wanted]
        found = [*built, *user, *_features(names)] if wanted else _features(names)
        if found:
            yield _shown(f"  {word}: {', '.join(found)}")
    if sandbox.get("packages"):
        yield _shown(f"  packages: {sandbox['packages']}")
    limits = sandbox.get("limits")
    if limits and limits.keys() >= _LIMITS:
        yield (
            f"  limits of a job: {limits['timeout_s']:g} s, {size(limits['memory_bytes'])} memory, "
            f"{size(limits['disk_bytes'])} disk, {limits['files']} files, "
            f"{limits['processes']} processes; kept by the {sandbox.get('limited_by') or 'watcher'}"
        )


def _features(names: Sequence[str]) -> list[str]:
    """Their names in words, the namespaces as one."""
    kinds = [name.removesuffix("_namespace") for name in names if name.endswith("_namespace")]
    spaces = [f"namespaces ({' '.join(kinds)})"] if kinds else []
    return spaces + [name.replace("_", " ") for name in names if not name.endswith("_namespace")]


def _results(report: Mapping[str, Any], color: bool) -> Iterator[str]:
    found = list(ran(report))
    several = len({result["device"] for _, result in found}) > 1
    if found:
        where = ["device"] if several else []
        rows = [_row(name, result, several=several) for name, result in found]
        yield from _table(["entrypoint", "case", *where, FIRST, *_MEASURES], rows, color)
    for name, result in found:
        if result["facts"].get("retried"):
            again = f"{short(name, _CELL)} ({result['case']}, {result['device']})"
            why = result["facts"]["retried"]
            yield _shown(f"{again}: {why}, run again in a fresh interpreter")
    skipped: dict[str, int] = {}
    for entrypoint in report["entrypoints"]:
        for result in entrypoint["results"]:
            if result["facts"] is None:
                reason = f"{result['device']}: {result['axes'][FIRST]['reason']}"
                skipped[reason] = skipped.get(reason, 0) + 1
    for reason, count in skipped.items():
        yield _shown(f"skipped {count} {plural(count, 'result')} on {reason}")


_MEASURES = ("time", "memory", "also fails", "says it is")


def _row(name: str, result: Mapping[str, Any], *, several: bool) -> list[str]:
    facts = result["facts"]
    where = [result["device"]] if several else []
    measures = [f"{facts['wall_s']:.2f} s", size(facts["peak_bytes"])]
    others = " ".join(failing(result)) or "-"
    loads = _short(result["axes"][FIRST]["status"])
    return [name, result["case"], *where, loads, *measures, others, _claim(result["claims"])]


def _axes(report: Mapping[str, Any], color: bool) -> Iterator[str]:
    """Each axis over all results, and what the run cost."""
    rows = [
        [each.axis, *(_count(n) for n in (each.passed, each.failed, each.skipped)), each.why]
        for each in tally(report)
    ]
    if rows:
        yield from _table(TALLY_COLUMNS, rows, color)
        yield _shown(cost(report))


def _count(number: int) -> str:
    return str(number) if number else "-"


def _short(status: str) -> str:
    return "-" if status == "skipped" else status


def _claim(claims: Mapping[str, Any]) -> str:
    """What the code said of itself, in a column whose heading says that it did."""
    kind, count = claims.get("type"), claims.get("parameters")
    if not isinstance(kind, str):
        return ""
    return f"{kind}, {count:,} parameters" if isinstance(count, int) else kind


def _table(heading: Sequence[str], rows: Sequence[Sequence[str]], color: bool) -> Iterator[str]:
    cells = [[_shown(cell, _CELL) for cell in row] for row in (heading, *rows)]
    columns = zip(*cells, strict=True)
    widths = [min(max(map(len, column)), _WIDEST) for column in columns]
    for number, row in enumerate(cells):
        padded = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        if color and number == 0:
            padded = [f"\x1b[1m{cell}\x1b[0m" for cell in padded]
        elif color:
            padded = [_paint(cell, cell.strip()) for cell in padded]
        yield "  ".join(padded).rstrip()


def _paint(text: str, style: str) -> str:
    code = _STYLES.get(style)
    return f"\x1b[{code}m{text}\x1b[0m" if code else text


def _checkpoints(report: Mapping[str, Any], color: bool) -> Iterator[str]:  # noqa: ARG001
    for number, checkpoint in enumerate(report["checkpoints"]):
        if number == 0:
            yield "checkpoints"
        stamp = checkpoint["stamp"]
        yield _shown(
            f"  {checkpoint['filename']}  {size(checkpoint['size'])}  {checkpoint['format']}  "
            f"stamp {stamp['status']}  weights_only {checkpoint['weights_only']['status']}"
        )
        yield f"    sha256 {checkpoint['sha256']}"
        if checkpoint["path"]:
            yield _shown(f"    in the tree: {checkpoint['path']}")
        for url in checkpoint["urls"]:
            yield _shown(f"    {url}")
        yield _shown(f"    used by {', '.join(checkpoint['entrypoints'])}")
        if checkpoint["unsafe_globals"]:
            yield _shown(f"    unsafe globals: {', '.join(checkpoint['unsafe_globals'])}")


def _lock(report: Mapping[str, Any], color: bool) -> Iterator[str]:
    """What differs from hubpub.lock, as a table, and what was not compared."""
    lock = report.get("lock")
    if lock is None:
        return
    yield lock_summary(lock)
    rows = [
        [row["entrypoint"], row["case"] or "", row["file"] or "", row["what"], *_sides(row)]
        for row in lock["differences"]
    ]
    if rows:
        yield from _table(LOCK_COLUMNS, rows, color)
    for reason, names in not_compared(lock):
        yield _shown(f"  not compared, {reason}: {names}")


LOCK_COLUMNS = ("entrypoint", "case", "file", "what", "locked", "found")


def lock_summary(lock: Mapping[str, Any]) -> str:
    """What a comparison with hubpub.lock came to, in one line."""
    different, compared = len(lock["differences"]), lock["compared"]
    said = f"{different} {plural(different, 'difference')}" if different else "no difference"
    left = len(lock["not_compared"])
    rest = f", {left} not compared" if left else ""
    return f"hubpub.lock: {said}, {compared} {plural(compared, 'case')} compared{rest}"


def not_compared(lock: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each reason why something was not compared, with all that it is the reason for."""
    by_reason: dict[str, list[str]] = {}
    for item in lock["not_compared"]:
        case = f" ({short(item['case'], _CELL)})" if item["case"] else ""
        name = f"{short(item['entrypoint'], _CELL)}{case}"
        by_reason.setdefault(short(item["reason"], _CELL), []).append(name)
    for reason, names in by_reason.items():
        yield reason, ", ".join(names)


def _sides(row: Mapping[str, Any]) -> list[str]:
    """What was locked and what was found, a sha256 by as much as tells two apart on a line."""
    sides = [row["locked"] or "-", row["found"] or "-"]
    return [side[:_DIGITS] for side in sides] if row["what"] == "sha256" else sides


def _network(report: Mapping[str, Any], color: bool) -> Iterator[str]:  # noqa: ARG001
    requests = report["network"]
    if not requests:
        return
    total = sum(request["bytes"] for request in requests)
    count = len(requests)
    yield f"network: {count} {plural(count, 'request')}, {size(total)}"
    for what, urls in _refused(requests).items():
        for url, times in [*urls.items()][:_URLS]:
            often = f" ({times} times)" if times > 1 else ""
            yield _shown(f"  {what[0]}: {url}{often}: {what[1]}")
        if len(urls) > _URLS:
            yield _shown(f"  {what[0]}: {len(urls) - _URLS} more: {what[1]}")


def _refused(requests: Sequence[Mapping[str, Any]]) -> Mapping[tuple[str, str], Counter[str]]:
    """The URLs that were not answered and how often, by what happened and why."""
    found: dict[tuple[str, str], Counter[str]] = {}
    for request in requests:
        decision = request["decision"]
        if decision != "allowed" or request["status"] is None:
            what = "no answer" if decision == "allowed" else decision
            found.setdefault((what, str(request.get("reason"))), Counter())[request["url"]] += 1
    return found


def _findings(report: Mapping[str, Any], color: bool) -> Iterator[str]:
    for number, finding in enumerate(gathered(report["findings"])):
        if number == 0:
            yield "findings"
        severity = finding["severity"]
        label = _paint(severity, severity) if color else severity
        code = finding["code"] if finding["code"] != "verify" else f"verify {finding['name']}"
        yield f"  {label} {_shown(code)}: {_shown(finding['message'])}"
        yield _shown(f"    {finding['path']}:{finding['line']}")
        for line in short(finding["help"] or "", _LONGEST).splitlines():
            yield _shown(f"    help: {line}")


def _verdict(report: Mapping[str, Any], color: bool) -> Iterator[str]:
    status = report["status"]
    results = [result for entry in report["entrypoints"] for result in entry["results"]]
    ran = [result for result in results if result["facts"] is not None]
    loaded = sum(result["axes"]["loads"]["status"] == "pass" for result in ran)
    count = len(report["entrypoints"])
    yield (
        f"{_paint(status, status) if color else status}: "
        f"{count} {plural(count, 'entrypoint')}, {loaded} of {len(ran)} "
        f"{plural(len(ran), 'job')} loaded, "
        f"{len(report['checkpoints'])} {plural(len(report['checkpoints']), 'checkpoint')}"
        f"{''.join(f', {each.upper()}' for each in limits(report))}"
        f"{', ' + part if (part := partial(report)) else ''}"
    )


def plural(count: int, word: str) -> str:
    """``word`` for one, and with an s for any other number."""
    return word if count == 1 else f"{word}s"


def size(count: int) -> str:
    """``count`` bytes for a person: 312 B, 1.5 KiB, 213 MiB, 2.1 GiB."""
    amount, unit = float(count), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if amount < 1024:
            break
        amount, unit = amount / 1024, larger
    return f"{amount:.0f} {unit}" if amount >= 100 or unit == "B" else f"{amount:.1f} {unit}"
