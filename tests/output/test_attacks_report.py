"""A report that a stranger wrote: what it repeats or draws out does not fill the memory."""

from __future__ import annotations

import json

import pytest

from hubpub.output import reports
from reporting import document

LIMITED = [name for name in reports.FORMATS if name != "json"]


@pytest.mark.parametrize("name", LIMITED)
def test_a_long_name_of_many_results_is_not_repeated_whole(name: str) -> None:
    """Two MB of report made 200 of text; 256 would have made terabytes."""
    report = document("x")
    (entrypoint,) = report["entrypoints"]
    facts = {**entrypoint["results"][0]["facts"], "retried": "crashed"}
    result = {**entrypoint["results"][0], "facts": facts}
    report["entrypoints"] = [{"name": "a" * 100_000, "results": [result] * 1000}]
    assert len(reports.render(name, report)) < 4 * len(json.dumps(report))


@pytest.mark.parametrize("name", LIMITED)
def test_axes_that_each_result_names_for_itself_do_not_multiply(name: str) -> None:
    report = document("x")
    (entrypoint,) = report["entrypoints"]
    first = entrypoint["results"][0]
    results = [
        {**first, "axes": {**first["axes"], f"a{number}": {"status": "pass", "reason": None}}}
        for number in range(300)
    ]
    report["entrypoints"] = [{**entrypoint, "results": results}]
    report["network"] = []
    assert len(reports.render(name, report)) < 4 * len(json.dumps(report))


@pytest.mark.parametrize("name", LIMITED)
@pytest.mark.parametrize("said", ["a", "\x1b", "\n", "\n\u2028", "`|", "@"])
def test_a_long_text_is_cut(name: str, said: str) -> None:
    report = document(said * 100_000)
    assert len(reports.render(name, report)) < 500_000


@pytest.mark.parametrize("name", LIMITED)
def test_a_flood_of_findings_and_checkpoints_is_no_larger_than_it_came(name: str) -> None:
    report = document("x")
    (finding, *_), (checkpoint, *_) = report["findings"], report["checkpoints"]
    long = "\x1b|@" * 300
    report["findings"] = [
        {**finding, "name": f"{number}{long}", "message": f"{number}{long}", "help": long}
        for number in range(1000)
    ]
    use = {"entrypoint": "x", "stamp": checkpoint["stamp"], "url": None, "path": None}
    report["checkpoints"] = [
        {**checkpoint, "uses": [{**use, "filename": f"{number}{long}"} for number in range(1000)]}
    ]
    assert len(reports.render(name, report)) < 4 * len(json.dumps(report))


@pytest.mark.parametrize("name", LIMITED)
def test_more_axes_than_there_are_do_no_harm(name: str) -> None:
    report = document("x")
    (entrypoint,) = report["entrypoints"]
    more = {f"axis{number}": {"status": "pass", "reason": None} for number in range(1000)}
    results = [{**item, "axes": item["axes"] | more} for item in entrypoint["results"]]
    report["entrypoints"] = [{**entrypoint, "results": results * 10}]
    assert len(reports.render(name, report)) < 4 * len(json.dumps(report))
