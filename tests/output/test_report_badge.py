"""The badge of a report: what shields takes, and never more than was proven."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hubpub.output import reports
from reporting import HOSTILE, document, released

SHIELDS = {
    # https://shields.io/badges/endpoint-badge: the fields, which are needed, and no others.
    "type": "object",
    "required": ["schemaVersion", "label", "message"],
    "additionalProperties": False,
    "properties": {
        "schemaVersion": {"const": 1},
        "label": {"type": "string"},
        "message": {"type": "string", "minLength": 1},
        "color": {"type": "string"},
        "labelColor": {"type": "string"},
        "isError": {"type": "boolean"},
        "namedLogo": {"type": "string"},
        "logoSvg": {"type": "string"},
        "logoColor": {"type": "string"},
        "logoSize": {"type": "string"},
        "style": {"type": "string"},
        "cacheSeconds": {"type": "integer", "minimum": 300},
    },
}
COLORS = {"brightgreen", "yellow", "red", "lightgrey"}
NAMES = [f"net{number}" for number in range(12)]
ERROR = {
    **document("x")["findings"][0],
    "name": "loads", "message": "net0: it broke", "entrypoint": "net0", "axis": "loads",
}  # fmt: skip
WHOLE_RUN = {**ERROR, "name": "cache-name-clash", "entrypoint": None, "axis": "weights"}


def badge(report: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(reports.render("badge", report))
    jsonschema.validate(found, SHIELDS)
    assert found["color"] in COLORS
    assert found["label"] == "torch.hub"
    assert found.get("isError", False) == (found["color"] != "brightgreen")
    return found


def selected(count: int) -> dict[str, Any]:
    listed = sorted([*NAMES, *(f"more{number}" for number in range(count))])
    return {"patterns": [], "shard": "1/2", "listed": listed, "whole": False}


def nothing_ran() -> list[dict[str, Any]]:
    entrypoints: list[dict[str, Any]] = released(["net"])["entrypoints"]
    return [{**item, "results": item["results"][1:]} for item in entrypoints]


@pytest.mark.parametrize(
    ("names", "changes", "message", "color"),
    [
        (NAMES, {}, "12 entrypoints proven", "brightgreen"),
        (NAMES[:1], {}, "1 entrypoint proven", "brightgreen"),
        (NAMES, {"selection": None}, "12 entrypoints proven", "brightgreen"),
        (NAMES, {"selection": selected(3)}, "12 of 15 entrypoints proven", "yellow"),
        (NAMES, {"status": "fail", "findings": [ERROR]}, "1 of 12 fail", "red"),
        (NAMES, {"findings": [ERROR]}, "1 of 12 fail", "red"),
        (NAMES, {"status": "fail", "findings": [WHOLE_RUN]}, "fails", "red"),
        (NAMES, {"status": "interrupted"}, "interrupted", "lightgrey"),
        (NAMES, {"status": "interrupted", "findings": [ERROR]}, "interrupted", "lightgrey"),
        (NAMES, {"status": "error"}, "not proven", "lightgrey"),
        ([], {"status": "fail", "findings": [WHOLE_RUN]}, "not proven", "lightgrey"),
        (["net"], {"status": "pass", "entrypoints": nothing_ran()}, "not proven", "lightgrey"),
        (
            NAMES,
            {"sandbox": {"tier": "none", "features": {}}},
            "12 entrypoints proven without a sandbox",
            "yellow",
        ),
        (
            NAMES,
            {"reference": {**released([])["reference"], "kind": "worktree"}},
            "12 entrypoints proven in a working tree",
            "yellow",
        ),
        (
            NAMES,
            {"options": {"checkpoints": True}},
            "12 entrypoints proven with supplied files",
            "yellow",
        ),
        (
            NAMES,
            {"options": {"skip": ["weights", "device", "forward"]}},
            "12 entrypoints proven without asking forward and weights",
            "yellow",
        ),
        (NAMES, {"options": {"skip": ["device"]}}, "12 entrypoints proven", "brightgreen"),
    ],
)
def test_it_says_what_was_proven(
    names: list[str], changes: dict[str, Any], message: str, color: str
) -> None:
    found = badge(released(names, **changes))
    assert (found["message"], found["color"]) == (message, color)


def test_one_that_does_not_load_is_counted_without_a_finding() -> None:
    report = released(NAMES, status="fail")
    ran = report["entrypoints"][3]["results"][0]
    broken = {"status": "fail", "reason": "it broke"}
    report["entrypoints"][3]["results"][0] = {**ran, "axes": {**ran["axes"], "loads": broken}}
    assert badge(report)["message"] == "1 of 12 fail"


@given(said=st.text(min_size=1, max_size=30))
@example(said=HOSTILE)
def test_nothing_of_the_repository_is_in_it(said: str) -> None:
    assert badge(document(said)) == badge(document("net"))
