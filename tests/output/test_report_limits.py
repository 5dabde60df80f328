"""What passed with less than a proof: every format says so where it says that it passed."""

from __future__ import annotations

from typing import Any

import pytest

from hubpub.errors import UsageError
from hubpub.output import attestation, reports
from hubpub.output.report_page import entries, verdict
from hubpub.output.report_results import axes, limits
from reporting import document, released

SUPPLIED = {"method": "GET", "url": "https://x.example/a.pth", "status": 200, "bytes": 1,
            "sha256": None, "decision": "allowed", "source": "supplied"}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, []),
        ({"options": {"skip": ["device", "pickles"], "checkpoints": False}}, []),
        ({"options": {"skip": {"weights": 1}, "require": 3}}, []),
        ({"options": {"skip": ["weights", 3, "forward"]}}, ["without asking forward and weights"]),
        ({"options": {"checkpoints": True}}, ["with supplied files"]),
        ({"network": [SUPPLIED]}, ["with supplied files"]),
        ({"sandbox": {"tier": "none", "features": {}}}, ["without a sandbox"]),
    ],
)
def test_what_passed_with_less_says_so(changes: dict[str, Any], said: list[str]) -> None:
    report = released(["a", "b"], **changes)
    assert limits(report) == said
    text, page = (reports.render(name, report) for name in ("text", "html"))
    last = text.splitlines()[-1]
    assert last.startswith("pass: ")
    head = page[page.index("<header") : page.index("<h1")]
    assert ('"k p">Passed<' in head) == (not said)
    for each in said:
        assert last.endswith(each.upper())
        assert f">Passed, {each}<" in head
        assert f"**{each}**" in reports.render("markdown", report).splitlines()[0]


def test_the_top_of_the_page_says_what_to_do_first() -> None:
    report = released(["a"], status="fail", findings=[
        {**document("x")["findings"][0], "help": "push the tag\nor ask"},
    ])  # fmt: skip
    page = reports.render("html", report)
    head = page[page.index("<header") : page.index('class="tiles"')]
    assert '<p class="next">push the tag</p>' in head


def test_what_fails_the_run_stands_before_what_check_found() -> None:
    own = {**document("x")["findings"][0], "message": "it broke"}
    report = released(["a"], status="fail", findings=[
        *({**own, "code": "HUB402", "message": f"no stamp {number}"} for number in range(5)), own,
    ])  # fmt: skip
    page = reports.render("html", report)
    assert "it broke" in page[page.index("<header") : page.index('class="tiles"')]
    assert page.rindex("it broke") < page.rindex("no stamp 0")


def test_what_did_not_run_is_not_said_to_load() -> None:
    report = released(["a", "b", "c"])
    for item in report["entrypoints"][1:]:
        item["results"] = item["results"][1:]
    said = verdict(report, entries(report, axes(report))).sentence
    assert "Each of the 1 job of 1 entrypoint loads" in said
    assert said.endswith("2 entrypoints did not run: nothing is proven of them.")


def idle(names: list[str]) -> list[dict[str, Any]]:
    found = released(names)["entrypoints"]
    return [{**item, "results": item["results"][1:]} for item in found]


BROKEN = released(["a"])
BROKEN["entrypoints"][0]["results"][0]["axes"] = {
    **BROKEN["entrypoints"][0]["results"][0]["axes"],
    "loads": {"status": "fail", "reason": "it broke"},
}


@pytest.mark.parametrize(
    ("report", "why"),
    [
        (released(["a"], options={"skip": ["weights"]}), "with --skip weights"),
        (released(["a"], options={"checkpoints": True}), "with --checkpoints"),
        (released(["a"], entrypoints=idle(["a"])), "no entrypoint was proven"),
        (released([], selection=released(["a"])["selection"]), "0 of 1 entrypoint"),
        (BROKEN, "1 of its entrypoints fail"),
    ],
)
def test_what_passed_with_less_is_not_attested(report: dict[str, Any], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        attestation.statement(report)
