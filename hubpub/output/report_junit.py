"""A verification report as JUnit XML: a test case for each entrypoint, case and device.

The form is the common one that GitHub's, GitLab's and Jenkins' readers share: ``testsuites``,
``testsuite``, ``testcase`` with ``failure``, ``error`` or ``skipped``, and ``system-out``. ``file``
and ``line`` of a case that fails are what GitLab and readers for GitHub link to; the schema of
Jenkins' xUnit plugin (junit-10.xsd) has all but these two.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hubpub.output.escape import short, visible
from hubpub.output.report_findings import called
from hubpub.output.report_text import partial, title

_LONGEST, _NAME = 4000, 300
_RUN = "the run"
"""The class of what concerns no single result."""

Findings = Mapping["tuple[str | None, str | None]", Sequence[Mapping[str, Any]]]
"""Entrypoint and axis -> the errors of verify about them."""


def render(report: Mapping[str, Any], *, color: bool = False) -> str:  # noqa: ARG001
    """One suite: a case for each result, and one for each error that is of the run as a whole.

    A case fails where one of its axes failed that fails the run, and is skipped where nothing ran.
    Other axes that failed are in its output. A part of the entrypoints, and a run that was ended,
    is a case of its own, so that it does not look whole.
    """
    suite = ET.Element("testsuite", name=_shown(title(report), _NAME))
    suite.append(_properties(report))
    failing: dict[tuple[str | None, str | None], list[Mapping[str, Any]]] = {}
    for item in report["findings"]:
        if item["code"] == "verify" and item["severity"] == "error":
            failing.setdefault((item["entrypoint"], item["axis"]), []).append(item)
    told: set[tuple[str | None, str | None]] = set()
    for entrypoint in report["entrypoints"]:
        for result in entrypoint["results"]:
            suite.append(_case(entrypoint["name"], result, failing, told))
    suite.extend(_of_the_run(report, told))
    cases = suite.findall("testcase")
    _numbered(cases)
    numbers = {
        "tests": len(cases),
        "failures": len(suite.findall("testcase/failure")),
        "errors": len(suite.findall("testcase/error")),
        "skipped": len(suite.findall("testcase/skipped")),
    }
    seconds = sum(float(case.get("time", 0)) for case in cases)
    counted = {**{name: str(number) for name, number in numbers.items()}, "time": f"{seconds:.3f}"}
    top = ET.Element("testsuites", {"name": "hubpub verify", **counted})
    del top.attrib["skipped"]
    suite.attrib.update(counted)
    top.append(suite)
    ET.indent(top)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(top, encoding="unicode")}\n'


def _numbered(cases: list[ET.Element]) -> None:
    """Names that differ: of several cases with one name GitLab reads the first alone."""
    seen: Counter[tuple[str | None, str | None]] = Counter()
    for case in cases:
        key = (case.get("classname"), case.get("name"))
        seen[key] += 1
        if seen[key] > 1:
            case.set("name", f"{case.get('name')} #{seen[key]}")


def _properties(report: Mapping[str, Any]) -> ET.Element:
    """What was run where, as far as it is known."""
    known = {
        "commit": report["commit"],
        "tree": report["tree"],
        "status": report["status"],
        "torch": report["environment"]["torch"],
        "python": report["environment"]["python"],
        "sandbox": report["sandbox"]["tier"],
        "hubpub": report["environment"]["hubpub"],
    }
    found = ET.Element("properties")
    for name, value in known.items():
        if value is not None:
            ET.SubElement(found, "property", name=name, value=_shown(value, _NAME))
    return found


def _shown(text: str, most: int = _LONGEST) -> str:
    """As text that XML can hold: what it forbids, and what acts on a reader, is spelled out."""
    return visible(short(text, most))


def _case(
    name: str,
    result: Mapping[str, Any],
    failing: Findings,
    told: set[tuple[str | None, str | None]],
) -> ET.Element:
    """The case of one result; the findings that it tells of are added to ``told``."""
    facts = result["facts"]
    words = [short(text, _NAME) for text in (name, result["case"], result["device"])]
    case = ET.Element(
        "testcase",
        name=visible("{} ({}, {})".format(*words)),
        classname=_shown(name, _NAME),
        time=f"{facts['wall_s'] if facts else 0:.3f}",
    )
    failed = {axis: item for axis, item in result["axes"].items() if item["status"] == "fail"}
    told.update((name, axis) for axis in failed)
    if facts is None:
        ET.SubElement(case, "skipped", message=_shown(str(result["axes"]["loads"]["reason"])))
        return case
    fatal = [axis for axis in failed if (name, axis) in failing]
    if fatal:
        errors = {axis: _error(name, result, failing[name, axis]) for axis in fatal}
        case.set("file", _shown(errors[fatal[0]]["path"], _NAME))
        case.set("line", str(errors[fatal[0]]["line"]))
        message = f"{fatal[0]}: {failed[fatal[0]]['reason']}"
        said = ET.SubElement(case, "failure", message=_shown(message), type=_shown(fatal[0], _NAME))
        said.text = "\n".join(
            line for axis in fatal for line in _failure(axis, failed[axis], errors[axis])
        )
    others = [axis for axis in result["axes"] if axis not in fatal]
    ET.SubElement(case, "system-out").text = "\n".join(_axes(result["axes"], others))
    return case


def _error(
    name: str, result: Mapping[str, Any], errors: Sequence[Mapping[str, Any]]
) -> Mapping[str, Any]:
    """Of the errors of an entrypoint and an axis the one that names this case and device."""
    call = name if result["case"] == "default" else f"{name} ({result['case']})"
    whom = call if result["device"] == "cpu" else f"{call} on {result['device']}"
    return next((item for item in errors if called(item) == whom), errors[0])


def _failure(axis: str, item: Mapping[str, Any], error: Mapping[str, Any]) -> Iterator[str]:
    """Place, reason and next step: the place as readers for GitHub look for it."""
    place = f"{short(error['path'], _NAME)}:{error['line']}"
    yield _shown(f"{place}: {short(axis, _NAME)}: {item['reason']}")
    for line in short(error["help"] or "", _LONGEST).splitlines():
        yield _shown(f"  help: {line}")


def _axes(axes: Mapping[str, Any], names: list[str]) -> Iterator[str]:
    for name in names:
        reason = f": {axes[name]['reason']}" if axes[name]["reason"] else ""
        yield _shown(f"{name} {axes[name]['status']}{reason}")


def _of_the_run(
    report: Mapping[str, Any], told: set[tuple[str | None, str | None]]
) -> Iterator[ET.Element]:
    """What no result tells: the run's errors, that it was ended, and that it is a part."""
    status = report["status"]
    kind = "failure" if status in {"pass", "fail"} else "error"
    count = 0
    for item in report["findings"]:
        own = item["code"] == "verify" and item["severity"] == "error"
        if own and (item["entrypoint"], item["axis"]) not in told:
            case = ET.Element("testcase", name=_shown(item["name"], _NAME), classname=_RUN)
            said = ET.SubElement(
                case, kind, message=_shown(item["message"]), type=_shown(item["name"], _NAME)
            )
            said.text = _shown(f"{item['path']}:{item['line']}: {item['help'] or ''}")
            count += 1
            yield case
    if count == 0 and status in {"error", "interrupted"}:
        case = ET.Element("testcase", name=status, classname=_RUN)
        ET.SubElement(case, "error", message=f"the run ended as {status}", type=status)
        yield case
    part = partial(report)
    if part:
        case = ET.Element("testcase", name="all entrypoints", classname=_RUN)
        ET.SubElement(case, "skipped", message=part)
        yield case
