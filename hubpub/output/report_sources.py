"""What the page says of places: source with its marks, requests by host, findings by severity."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from hubpub.output.escape import visible
from hubpub.output.report_findings import gathered

MOST = 500
"""Findings of a severity, and requests of a host, that the page holds."""
_SEVERITIES = ("error", "warning", "note")
_FEW = 10
"""Findings and requests that stand open."""


@dataclass(frozen=True)
class Line:
    """A line of source in three parts; the middle one is what is meant, empty in others."""

    number: int
    before: str
    marked: str
    after: str


@dataclass(frozen=True)
class Severity:
    """The findings of one severity; ``left`` are those that the page has no room for."""

    name: str
    findings: tuple[Mapping[str, Any], ...]
    left: int
    folded: bool


@dataclass(frozen=True)
class Host:
    """The requests to one host, refused ones first."""

    name: str
    requests: tuple[Mapping[str, Any], ...]
    count: int
    refused: int
    bytes: int

    @property
    def folded(self) -> bool:
        """Whether nothing was refused and there is much to read."""
        return not self.refused and self.count > _FEW


@dataclass(frozen=True)
class Checkpoints:
    """Files of weights that are alike in what their stamps and weights_only came to."""

    title: str
    kind: str
    items: tuple[Mapping[str, Any], ...]
    folded: bool


def by_stamp(checkpoints: Sequence[Mapping[str, Any]]) -> list[Checkpoints]:
    """All in one where they are few; else those that a reader has to look at, then the others."""
    if len(checkpoints) <= _FEW:
        return [Checkpoints("", "", tuple(checkpoints), False)]
    good: list[Mapping[str, Any]] = []
    bad: list[Mapping[str, Any]] = []
    for item in checkpoints:
        proven = item["stamp"]["status"] == "match" and item["weights_only"]["status"] == "pass"
        (good if proven else bad).append(item)
    parts = [("To look at", "w", bad, len(bad) > MOST), ("Stamp agrees, and safe", "p", good, True)]
    return [Checkpoints(title, kind, tuple(has), fold) for title, kind, has, fold in parts if has]


def by_severity(report: Mapping[str, Any]) -> list[Severity]:
    """The findings: the errors first, of each severity verify's own, which decide."""
    found = sorted(gathered(report["findings"]), key=lambda item: item["code"] != "verify")
    parted = [(name, [item for item in found if item["severity"] == name]) for name in _SEVERITIES]
    return [
        Severity(
            name,
            tuple(items[:MOST]),
            max(len(items) - MOST, 0),
            name != "error" and len(items) > _FEW,
        )
        for name, items in parted
        if items
    ]


def source(finding: Mapping[str, Any]) -> list[Line]:
    """The lines of a finding's excerpt; nothing where it has none."""
    excerpt = finding.get("excerpt")
    return list(_lines(finding, excerpt)) if excerpt else []


def _lines(finding: Mapping[str, Any], excerpt: Mapping[str, Any]) -> Iterator[Line]:
    shift = excerpt["first_column"] - 1
    whole = (finding["line"], finding["column"]) == (finding["end_line"], finding["end_column"])
    for number, text in enumerate(excerpt["lines"], excerpt["first_line"]):
        begin = end = len(text)
        if finding["line"] <= number <= finding["end_line"]:
            begin, end = len(text) - len(text.lstrip()), len(text.rstrip())
            if number == finding["line"] and not whole:
                begin = max(finding["column"] - 1 - shift, 0)
            if number == finding["end_line"] and not whole:
                end = max(finding["end_column"] - 1 - shift, 0)
            end = max(end, begin)
        parts = (text[:begin], text[begin:end], text[end:])
        yield Line(number, *map(_code, parts))


def _code(text: str) -> str:
    """As :func:`visible`, but for a colon at its start: a margin stands before it."""
    return visible(f"|{text}")[1:]


def refused(request: Mapping[str, Any]) -> bool:
    """Whether it was denied or cut, or had no answer."""
    return request["decision"] != "allowed" or request["status"] is None


def by_host(requests: Sequence[Mapping[str, Any]]) -> list[Host]:
    """The requests by host: those with a refused one first, then by what they brought."""
    hosts: dict[str, list[Mapping[str, Any]]] = {}
    for request in requests:
        hosts.setdefault(_host(request["url"]), []).append(request)
    found = [
        Host(
            name,
            tuple(sorted(items, key=lambda item: not refused(item))[:MOST]),
            len(items),
            sum(map(refused, items)),
            sum(item["bytes"] for item in items),
        )
        for name, items in hosts.items()
    ]
    return sorted(found, key=lambda host: (-host.refused, -host.bytes, host.name))


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or "no host"
    except ValueError:  # what the code asked for need not be an address
        return "no host"
