"""A verification report's findings as SARIF 2.1.0, for GitHub code scanning.

What GitHub takes of a file: https://docs.github.com/en/code-security/code-scanning ("SARIF support
for code scanning"): at most 10 MB compressed, and of the results of a run the first 5,000 by
severity.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from hubpub.diagnostic import FILE_START, Diagnostic, Severity, Span
from hubpub.output import sarif
from hubpub.output.escape import short, visible
from hubpub.output.links import HOME, rule_url
from hubpub.output.origin import repository_url
from hubpub.output.report_findings import called
from hubpub.output.report_text import partial
from hubpub.output.rule import Described, family
from hubpub.output.run import Run
from hubpub.output.verify_rules import UNKNOWN, described, url

ID = "hubpub/verify/"
"""The category of an upload; that of ``hubpub check`` is another, so that neither replaces it."""
RESULTS = 5_000
TEXT = 7_000_000
"""Characters of all messages together: what cannot be compressed still fits into 10 MB."""
_LONGEST, _NAME, _PATH = 2_000, 200, 1_000
_MOST = (1 << 31) - 1
_OWN = "verify"
_PLACE = "hubconf.py"
"""Where a finding stands that has no place in the tree: GitHub shows none without a file."""

Finding = Mapping[str, Any]


def render(report: Mapping[str, Any], *, color: bool = False) -> str:  # noqa: ARG001
    """One log with one run: a result for each finding, the worst of them where there are too many.

    The id of a rule of check is its code, and of verify's own findings ``verify/NAME``. Paths are
    relative to the root of the tree.
    """
    findings, left = _fitting(report["findings"])
    marks = dict(zip(map(id, report["findings"]), _marks(report["findings"]), strict=True))
    rules = {_code(item): _rule(item) for item in reversed(findings)}
    run = Run(
        rules=rules, version=visible(short(report["environment"]["hubpub"], _NAME)), rule_url=_url
    )
    kinds = [_kinds(item, marks[id(item)]) for item in findings]
    shown = sarif.found([_diagnostic(item) for item in findings], run, kinds)
    shown["automationDetails"] = {"id": ID}
    shown["originalUriBaseIds"] = {
        sarif.SOURCES: {"description": {"text": "The root of the tree that was verified."}}
    }
    shown["invocations"] = [_invocation(report, left)]
    repository = repository_url(report)
    if repository is not None and report["commit"] is not None:
        shown["versionControlProvenance"] = [
            {"repositoryUri": repository, "revisionId": report["commit"]}
        ]
    return sarif.log(shown)


def _fitting(findings: Sequence[Finding]) -> tuple[list[Finding], int]:
    """The findings that fit, in their order, and how many do not: the mildest, the last ones."""
    ranked = sorted(
        range(len(findings)), key=lambda index: -Severity.from_label(findings[index]["severity"])
    )
    room, kept = TEXT, []
    for index in ranked[:RESULTS]:
        item = _diagnostic(findings[index])
        room -= len(f"{item.message}{item.help}{item.path}{item.code}{item.name}")
        if room < 0:
            break
        kept.append(index)
    return [findings[index] for index in sorted(kept)], len(findings) - len(kept)


def _marks(findings: Sequence[Finding]) -> Iterator[str]:
    """What tells one finding from all others, and is the same in the next run.

    A reason can hold a time or a path of one run, so of verify's own findings it does not count:
    what they concern does, and which of several such findings it is. A line may move.
    """
    seen: Counter[tuple[str, ...]] = Counter()
    for item in findings:
        own = item["code"] == _OWN
        whom = called(item) if own else item["message"]
        about = (str(item["entrypoint"]), str(item["axis"])) if own else ("", "")
        key = (_code(item), item["path"], *about, whom)
        data = "\0".join((*key, str(seen[key])))
        seen[key] += 1
        yield hashlib.sha256(data.encode("utf-8", "surrogatepass")).hexdigest()


def _kinds(item: Finding, mark: str) -> Mapping[str, str]:
    """The fingerprints of a finding, by their kind.

    Code scanning looks at ``primaryLocationLineHash`` alone, which ``upload-sarif`` makes of the
    line where there is none. What is not about a line must not become one alert because it stands
    at the same: so verify's own findings have theirs, and those of check that of their line, as in
    an upload of check.
    """
    kinds = {"hubpubFinding/v1": mark}
    return kinds | {"primaryLocationLineHash": f"{mark[:16]}:1"} if item["code"] == _OWN else kinds


def _code(item: Finding) -> str:
    code = f"{_OWN}/{item['name']}" if item["code"] == _OWN else item["code"]
    return visible(short(code, _NAME))


def _rule(item: Finding) -> Described:
    code, name = _code(item), visible(short(item["name"], _NAME))
    if item["code"] == _OWN:
        return described(code, name, item["severity"])
    document = f"## What it does\n\n`hubpub rule {code}` explains it." if _known(code) else UNKNOWN
    return Described(code, name, item["severity"], name or code, document, family(code))


def _known(code: str) -> bool:
    """Whether a code has the form of those of check: others are anybody's words."""
    return re.fullmatch(r"HUB[0-9]{3}", code) is not None


def _url(code: str, name: str) -> str:
    if code.startswith(f"{_OWN}/"):
        return url(name)
    return rule_url(code, name) if _known(code) else HOME


def _diagnostic(item: Finding) -> Diagnostic:
    path, span = item["path"], _span(item)
    if not _inside(path):
        path, span = _PLACE, FILE_START
    return Diagnostic(
        path=path,
        span=span,
        code=_code(item),
        name=visible(short(item["name"], _NAME)),
        severity=Severity.from_label(item["severity"]),
        message=short(item["message"], _LONGEST),
        help=short(item["help"], _LONGEST) if item["help"] else None,
    )


def _inside(path: str) -> bool:
    """Whether a path names a file below the root."""
    way = PurePosixPath(path)
    outside = way.is_absolute() or ".." in way.parts or not way.parts
    return not outside and len(path) <= _PATH and "\0" not in path


def _span(item: Finding) -> Span:
    """Where it stands: no end before the beginning, and no number that a reader may refuse."""
    line, column = min(item["line"], _MOST), min(item["column"], _MOST)
    end = max(min(item["end_line"], _MOST), line)
    last = min(item["end_column"], _MOST)
    return Span(line, column, end, last if end > line else max(last, column))


def _invocation(report: Mapping[str, Any], left: int) -> dict[str, Any]:
    """Whether the run came to its end, and what a reader of its results has to know."""
    status = report["status"]
    ended = status in {"pass", "fail"}
    said = [] if ended else [("error", f"the run ended as {status}: nothing more is proven")]
    if part := partial(report):
        said.append(("warning", part))
    if left:
        said.append(("warning", f"{left} more findings are in the JSON report only"))
    shown: dict[str, Any] = {"executionSuccessful": ended}
    if said:
        shown["toolExecutionNotifications"] = [
            {"level": level, "message": {"text": text}} for level, text in said
        ]
    return shown
