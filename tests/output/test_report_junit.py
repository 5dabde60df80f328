"""The JUnit form of a verification report, read back with an XML parser."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hubpub.output import reports
from hubpub.output.escape import visible
from hubpub.verify.report import AXES, validate
from reporting import HOSTILE, document

ALLOWED = {
    # element -> its attributes, and the elements in it: what the common readers know.
    "testsuites": ({"name", "tests", "failures", "errors", "skipped", "time"}, {"testsuite"}),
    "testsuite": ({"name", "tests", "failures", "errors", "skipped", "time"}, {"testcase"}),
    "testcase": (
        {"name", "classname", "time"},
        {"failure", "error", "skipped", "system-out"},
    ),
    "failure": ({"message", "type"}, set()),
    "error": ({"message", "type"}, set()),
    "skipped": ({"message"}, set()),
    "system-out": (set(), set()),
}
COUNTED = {"failures": "failure", "errors": "error", "skipped": "skipped"}


def read(report: dict[str, Any]) -> ET.Element:
    """The report as XML; its form is what readers know, and its numbers are right."""
    top = ET.fromstring(reports.render("junit", report))
    assert top.tag == "testsuites"
    for element in top.iter():
        attributes, children = ALLOWED[element.tag]
        assert set(element.keys()) <= attributes
        assert {child.tag for child in element} <= children
    for element in (top, *top.findall("testsuite")):
        cases = list(element.iter("testcase"))
        assert element.get("tests") == str(len(cases))
        for attribute, tag in COUNTED.items():
            assert element.get(attribute) == str(sum(case.find(tag) is not None for case in cases))
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
