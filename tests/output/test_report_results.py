"""What reports count and gather: every axis, what a run cost, and what many entrypoints share."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubpub.output import reports
from hubpub.output.report_findings import gathered
from hubpub.output.report_results import cost, downloaded, tally
from hubpub.verify.report import AXES, validate
from reporting import document

WIDTH = 80


def result(case: str, **failed: str) -> dict[str, Any]:
    axes = {axis: {"status": "pass", "reason": None} for axis in AXES}
    axes["offline"] = {"status": "skipped", "reason": "nothing was downloaded"}
    axes |= {axis: {"status": "fail", "reason": reason} for axis, reason in failed.items()}
    facts = {"exit": 0, "signal": None, "wall_s": 1.25, "cpu_s": 1, "peak_bytes": 5 << 20,
             "ended": "exit"}  # fmt: skip
    return {"device": "cpu", "case": case, "axes": axes, "facts": facts, "claims": {},
            "checkpoints": []}  # fmt: skip


def finding(entrypoint: str | None, message: str, **fields: Any) -> dict[str, Any]:
    first: dict[str, Any] = document("x")["findings"][0]
    named = {"entrypoint": entrypoint, "message": message, "help": "mend it", "name": "pickles"}
    return {**first, **named, "path": "hubconf.py", "axis": "pickles", **fields}


def made(count: int, **fields: Any) -> dict[str, Any]:
    names = [f"net{number:03}" for number in range(count)]
    asked = {"method": "GET", "url": "https://x.example/a.pth", "status": 200, "bytes": 1 << 20,
             "sha256": None, "decision": "allowed", "reason": None}  # fmt: skip
    report = document("x") | {
        "entrypoints": [
            {"name": name, "wall_s": 2.5 + number, "results": [result("default", pickles="no")]}
            for number, name in enumerate(names)
        ],
        "findings": [finding(name, f"{name}: no") for name in names],
        "checkpoints": [],
        "network": [{**asked, "entrypoint": name} for name in names],
        **fields,
    }
    del report["lock"]
    validate(report)
    return report


@pytest.mark.parametrize("count", [1, 5, 200])
def test_each_axis_has_its_line_whatever_the_number_of_entrypoints(count: int) -> None:
    text = reports.render("text", made(count))
    lines = text.splitlines()
    assert sum(line.startswith(("net0", "net1")) for line in lines) == count
    for axis in AXES:
        (found,) = [line.split() for line in lines if line.startswith(f"{axis} ")]
        counts = {"offline": ["-", "-", str(count)], "pickles": ["-", str(count), "-"]}
        assert found[1:4] == counts.get(axis, [str(count), "-", "-"])
    assert text.count("mend it") == 1
    table = [line for line in lines if line.startswith(("net0", "entrypoint", *AXES))]
    assert max(map(len, table)) <= WIDTH


@pytest.mark.parametrize("name", ["text", "markdown", "html", "junit"])
def test_every_format_tells_every_axis_that_fails(name: str) -> None:
    for axis in AXES:
        report = made(1)
        report["entrypoints"][0]["results"] = [result("default", **{axis: "broken"})]
        shown = reports.render(name, report).replace("\\", "")
        assert axis in shown
    assert "loads" in shown


def test_what_a_run_cost() -> None:
    report = made(5)
    assert cost(report) == (
        "cost: 22.5 s in jobs, 5.0 MiB downloaded; longest: net004 6.5 s, net003 5.5 s, "
        "net002 4.5 s; largest: net000 1.0 MiB, net001 1.0 MiB, net002 1.0 MiB"
    )
    assert cost(made(1)) == "cost: 2.5 s in jobs, 1.0 MiB downloaded"
    assert downloaded(report)["net003"] == 1 << 20
    for name in ("text", "markdown", "html"):
        assert "22.5 s" in reports.render(name, report).replace("\\", "")
    earlier = made(1)
    del earlier["entrypoints"][0]["wall_s"]
    assert cost(earlier).startswith("cost: 1.2 s")
    assert cost(made(0)) == ""


def test_reasons_are_counted_and_the_commonest_named() -> None:
    report = made(4)
    for number, entrypoint in enumerate(report["entrypoints"]):
        reason = ("b", "b", "a", "c")[number]
        entrypoint["results"][0]["axes"]["weights"] = {"status": "skipped", "reason": reason}
    (found,) = [item for item in tally(report) if item.axis == "weights"]
    assert (found.skipped, found.why) == (4, "b (2), a (1), 1 other reason")


@pytest.mark.parametrize(
    ("second", "messages"),
    [
        (finding("b", "b: no"), ["a, b: no"]),
        (finding("b", "b (pretrained): no"), ["a, b (pretrained): no"]),
        (finding("b", "b on cuda:0: no"), ["a, b on cuda:0: no"]),
        (finding("b", "b: another"), ["a: no", "b: another"]),
        (finding("b", "b: no", line=2), ["a: no", "b: no"]),
        (finding("b", "b: no", help="other"), ["a: no", "b: no"]),
        (finding("b", "b: no", severity="note"), ["a: no", "b: no"]),
        (finding("b", "c: no"), ["a: no", "c: no"]),
        (finding(None, "a: no"), ["a: no", "a: no"]),
        (finding("b", "b: no", code="HUB201"), ["a: no", "b: no"]),
        (finding("a", "a: no"), ["a: no"]),
    ],
)
def test_what_is_the_same_thing_to_mend(second: dict[str, Any], messages: list[str]) -> None:
    assert [item["message"] for item in gathered([finding("a", "a: no"), second])] == messages


def test_addresses_that_cannot_be_reached_are_one_thing_to_mend() -> None:
    each = [finding(name, f"{name}: no", cause="network", help=f"{name}.pth") for name in "abcde"]
    (found,) = gathered(each)
    assert (found["message"], found["help"]) == ("a, b, c and 2 more: no", "a.pth")


@given(st.lists(st.tuples(st.text(max_size=5), st.text(max_size=5)), max_size=8))
def test_nothing_is_lost_and_nothing_repeated(said: list[tuple[str, str]]) -> None:
    findings = [finding(name, f"{name}: {reason}") for name, reason in said]
    found = gathered(findings)
    assert len(found) <= len(findings)
    kept = {(item["entrypoint"], item["message"]) for item in found}
    assert len(kept) == len(found) or "" in dict(said)


def test_axes_that_each_result_names_itself_are_counted_once_each() -> None:
    report = made(3)
    for number, item in enumerate(report["entrypoints"]):
        item["results"][0]["axes"][f"own{number}"] = {"status": "fail", "reason": "x"}
    found = {each.axis: (each.passed, each.failed, each.skipped) for each in tally(report)}
    assert found["pickles"] == (0, 3, 0)
    assert [found[f"own{number}"] for number in range(3)] == [(0, 1, 0)] * 3
