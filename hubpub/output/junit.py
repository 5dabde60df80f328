"""Findings as JUnit XML, which nearly every CI system shows as tests."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence

from hubpub.diagnostic import Diagnostic
from hubpub.output.escape import visible
from hubpub.output.groups import Group, grouped
from hubpub.output.run import Run


def render(diagnostics: Sequence[Diagnostic], run: Run) -> str:
    """A test suite for each repository, a test case for each rule that speaks of a file.

    A case fails where a finding is severe enough to fail the run; others pass and say what was
    found. A repository without findings has one case, which passes: an empty report is an error
    to some systems.
    """
    roots: dict[str, dict[tuple[str, str], list[Diagnostic]]] = {root: {} for root in run.roots}
    for item in diagnostics:
        roots.setdefault(item.root, {}).setdefault((item.path, item.code), []).append(item)
    suites = [
        _suite(root, [_case(items, run) for items in cases.values()] or [_clean(root)])
        for root, cases in roots.items()
    ]
    failures = sum(int(suite.get("failures", 0)) for suite in suites)
    tests = sum(int(suite.get("tests", 0)) for suite in suites)
    top = ET.Element("testsuites", name="hubpub", tests=str(tests), failures=str(failures))
    top.set("errors", "0")
    top.extend(suites)
    ET.indent(top)
    text = ET.tostring(top, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'


def _suite(root: str, cases: list[ET.Element]) -> ET.Element:
    failures = sum(case.find("failure") is not None for case in cases)
    numbers = {"tests": str(len(cases)), "failures": str(failures), "errors": "0", "skipped": "0"}
    suite = ET.Element("testsuite", {"name": visible(root or "."), **numbers})
    suite.extend(cases)
    return suite


def _clean(root: str) -> ET.Element:
    return ET.Element("testcase", name="no findings", classname=visible(root or "."))


def _case(items: Sequence[Diagnostic], run: Run) -> ET.Element:
    """The findings of one rule in one file; there is at least one."""
    first = items[0]
    case = ET.Element(
        "testcase",
        name=visible(f"{first.code} {first.name}"),
        classname=visible(first.location),
        file=visible(first.location),
    )
    worst = max(item.severity for item in items)
    if worst >= run.fail_on:
        more = f" (and {len(items) - 1} more)" if len(items) > 1 else ""
        said = ET.SubElement(case, "failure", message=visible(first.message) + more)
        said.set("type", worst.label)
    else:
        said = ET.SubElement(case, "system-out")
    said.text = "\n".join(line for group in grouped(items) for line in _lines(group))
    return case


def _lines(group: Group) -> Iterator[str]:
    """A line for each place, then what explains them and what to do."""
    first = group.first
    label = f"{first.severity.label}[{first.code}]"
    for line, column in group.places:
        where = visible(f"{first.location}:{line}:{column}")
        yield f"{where}: {label} {visible(first.message)}"
    for note in group.notes:
        there = visible(f"{first.seen_from_here(note.path)}:{note.span.line}")
        yield f"  {there}: {visible(note.message)}"
    for text in (first.help or "").splitlines():
        yield f"  help: {visible(text)}"
