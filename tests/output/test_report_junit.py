"""The JUnit form of a verification report, read back with an XML parser."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import Any

import junitparser
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hubpub.output import reports
from hubpub.output.escape import visible
from hubpub.verify.report import AXES, validate
from reporting import HOSTILE, document

FORM = {
    # element -> attributes that it has, those that it may have, elements in it. What Jenkins'
    # junit-10.xsd has of them, and "file" and "line" for GitLab and for readers of GitHub Actions.
    "testsuites": (set(), {"name", "tests", "failures", "errors", "time"}, {"testsuite"}),
    "testsuite": (
        {"name", "tests", "failures", "errors"},
        {"skipped", "time"},
        {"properties", "testcase"},
    ),
    "properties": (set(), set(), {"property"}),
    "property": ({"name", "value"}, set(), set()),
    "testcase": (
        {"name"},
        {"classname", "time", "file", "line"},
        {"failure", "error", "skipped", "system-out"},
    ),
    "failure": (set(), {"message", "type"}, set()),
    "error": (set(), {"message", "type"}, set()),
    "skipped": (set(), {"message"}, set()),
    "system-out": (set(), set(), set()),
}  # fmt: skip
TIME = re.compile(r"[0-9]+\.[0-9]{3}")
COUNTED = {"failures": "failure", "errors": "error", "skipped": "skipped"}


def read(report: dict[str, Any]) -> ET.Element:
    """The report as XML; its form is what readers know, and its numbers are right."""
    top = ET.fromstring(reports.render("junit", report))
    assert top.tag == "testsuites"
    for element in top.iter():
        needed, allowed, children = FORM[element.tag]
        assert needed <= set(element.keys()) <= needed | allowed
        assert {child.tag for child in element} <= children
        assert TIME.fullmatch(element.get("time", "0.000"))
    for element in (top, *top.findall("testsuite")):
        cases = list(element.iter("testcase"))
        assert element.get("tests") == str(len(cases))
        for attribute, tag in COUNTED.items():
            count = str(sum(case.find(tag) is not None for case in cases))
            assert element.get(attribute, count) == count
    names = [(case.get("classname"), case.get("name")) for case in top.iter("testcase")]
    assert len(set(names)) == len(names)
    return top


@given(said=st.text(max_size=30))
@example(said=HOSTILE)
@example(said="".join(map(chr, range(256))))
@example(said="\ufffe\uffff\ud800]]></failure><testcase name='x'/><!--")
def test_hostile_text_is_text(said: str) -> None:
    cases = list(read(document(said)).iter("testcase"))
    assert [case.get("classname") for case in cases][:2] == [visible(said)] * 2
    assert cases[0].get("name") == visible(f"{said} ({said}, {said})")
    failure = cases[0].find("failure")
    assert failure is not None
    assert failure.get("message") == visible(f"loads: {said or 'x'}")
    skipped = cases[1].find("skipped")
    assert skipped is not None
    assert skipped.get("message") == visible(said or "x")


def result(device: str, case: str, axes: dict[str, Any], *, ran: bool = True) -> dict[str, Any]:
    facts = {"exit": 0, "signal": None, "wall_s": 1.25, "cpu_s": 1, "peak_bytes": 1,
             "ended": "exit"}  # fmt: skip
    passed = {"status": "pass", "reason": None}
    return {
        "device": device, "case": case, "axes": dict.fromkeys(AXES, passed) | axes,
        "facts": facts if ran else None, "claims": {}, "checkpoints": [],
    }  # fmt: skip


def finding(name: str, severity: str, entrypoint: str | None, axis: str | None) -> dict[str, Any]:
    first: dict[str, Any] = document("x")["findings"][0]
    return first | {
        "name": name, "severity": severity, "entrypoint": entrypoint, "axis": axis,
        "message": f"{name} happened",
    }  # fmt: skip


FAIL = {"status": "fail", "reason": "it broke"}
SKIP = {"status": "skipped", "reason": "no CUDA here"}


def made(**fields: Any) -> dict[str, Any]:
    net = [
        result("cpu", "default", {}),
        result("cpu", "pretrained", {"loads": FAIL, "documented": FAIL}),
        result("cuda", "default", dict.fromkeys(AXES, SKIP), ran=False),
    ]
    report = document("x") | {
        "entrypoints": [{"name": "net", "results": net}],
        "findings": [
            finding("loads", "error", "net", "loads"),
            finding("documented", "warning", "net", "documented"),
            finding("cache-name-clash", "error", None, "weights"),
        ],
        **fields,
    }
    validate(report)
    return report


def test_a_case_for_each_entrypoint_case_and_device() -> None:
    top = read(made())
    cases = {str(case.get("name")): case for case in top.iter("testcase")}
    assert list(cases) == [
        "net (default, cpu)", "net (pretrained, cpu)", "net (default, cuda)", "cache-name-clash",
    ]  # fmt: skip
    assert top.get("time") == "2.500"
    assert [child.tag for child in cases["net (default, cpu)"]] == ["system-out"]
    failure = cases["net (pretrained, cpu)"].find("failure")
    assert failure is not None
    assert (failure.get("type"), failure.get("message")) == ("loads", "loads: it broke")
    output = cases["net (pretrained, cpu)"].find("system-out")
    assert output is not None
    assert "documented fail: it broke" in str(output.text)  # a warning does not fail a case
    skipped = cases["net (default, cuda)"].find("skipped")
    assert skipped is not None
    assert skipped.get("message") == "no CUDA here"
    assert cases["cache-name-clash"].get("classname") == "the run"


def test_a_reader_of_junit_reads_it() -> None:
    """Case for case, with the place and the next step that GitLab and readers for GitHub show."""
    places = {"path": "net/models.py", "line": 12, "help": "mend\nit"}
    other = finding("loads", "error", "net", "loads") | {"message": "net: another"}
    mine = other | places | {"message": "net (pretrained): it broke"}
    lost = [finding("locked", "error", "net", "weights") for _ in range(2)]
    text = reports.render("junit", made(findings=[other, mine, *lost]))
    (suite,) = junitparser.JUnitXml.fromstring(text)
    assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (5, 3, 0, 1)
    (sandbox,) = suite._elem.findall("properties/property[@name='sandbox']")
    assert sandbox.get("value") == "bwrap"
    default, pretrained, cuda, first, second = suite
    assert (default.is_passed, cuda.is_skipped) == (True, True)
    (failure,) = pretrained.result
    assert failure.text.split("\n") == [
        "net/models.py:12: loads: it broke", "  help: mend", "  help: it",
    ]  # fmt: skip
    attributes = pretrained._elem.attrib
    assert (attributes["file"], attributes["line"]) == ("net/models.py", "12")
    assert (first.name, second.name) == ("locked", "locked #2")
    assert "file" not in default._elem.attrib


@pytest.mark.parametrize(
    ("fields", "tag", "message"),
    [
        ({"status": "interrupted", "findings": []}, "error", "the run ended as interrupted"),
        (
            {"status": "error", "entrypoints": [], "findings": [finding("x", "error", None, None)]},
            "error",
            "x happened",
        ),
        (
            {"selection": {"patterns": [], "shard": "1/2", "listed": ["a", "net"], "whole": False}},
            "skipped",
            "PARTIAL: 1 of 2 entrypoints",
        ),
    ],
)
def test_a_run_that_is_not_whole_does_not_look_whole(
    fields: dict[str, Any], tag: str, message: str
) -> None:
    *_, last = read(made(**fields)).iter("testcase")
    assert last.get("classname") == "the run"
    said = last.find(tag)
    assert said is not None
    assert said.get("message") == message
