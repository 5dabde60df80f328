"""From a report to verdicts, on documents made by hand; and the names of nodes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubpub.pytesting.naming import LONGEST, node_name
from hubpub.pytesting.running import _exactly
from hubpub.pytesting.verdicts import Key, Verdict, Verdicts
from hubpub.verify.report import AXES, validate
from hubpub.verify.selection import Selection
from reporting import HOSTILE, document

A: Key = ("a", "default", "cpu")
B: Key = ("a", "pretrained", "cpu")
C: Key = ("c", "default", "cpu")


def result(case: str = "default", *, ran: bool = True, **failed: str) -> dict[str, Any]:
    """One result; each axis in ``failed`` fails for that reason, the others pass."""
    none = {"status": "skipped", "reason": "not today"}
    axes = {axis: {"status": "pass", "reason": None} if ran else none for axis in AXES}
    axes |= {axis: {"status": "fail", "reason": reason} for axis, reason in failed.items()}
    facts = {"exit": 0, "signal": None, "wall_s": 0.5, "cpu_s": 0.4, "peak_bytes": 1 << 20,
             "ended": "exit"} if ran else None  # fmt: skip
    return {"device": "cpu", "case": case, "axes": axes, "facts": facts, "claims": {},
            "checkpoints": []}  # fmt: skip


def finding(
    name: str,
    message: str,
    entrypoint: str | None = None,
    axis: str | None = None,
    severity: str = "error",
) -> dict[str, Any]:
    return {
        "code": "verify", "name": name, "severity": severity, "message": message,
        "path": "hubconf.py", "line": 7, "column": 1, "end_line": 7, "end_column": 1,
        "help": "mend it", "fix": None, "entrypoint": entrypoint, "axis": axis,
    }  # fmt: skip


def report(
    entrypoints: dict[str, list[dict[str, Any]]],
    *findings: dict[str, Any],
    status: str = "fail",
) -> dict[str, Any]:
    made = document("x") | {
        "status": status,
        "entrypoints": [{"name": name, "results": each} for name, each in entrypoints.items()],
        "findings": list(findings),
        "checkpoints": [],
    }
    del made["lock"]
    validate(made)
    return made


def told(verdict: Verdict) -> object:
    """What matters of a verdict, short."""
    if verdict.failures:
        return [problem.name for problem in verdict.failures]
    return "skipped" if verdict.skipped is not None else "passed"


LOADS = finding("loads", "a (pretrained): no", "a", "loads")
STATIC = finding("x", "y", None, None) | {"code": "HUB105"}
ROWS: list[tuple[str, dict[str, Any], Sequence[Key], Sequence[object]]] = [
    # the report, which results have a test -> what becomes of these, and last of the run's
    ("all pass", report({"a": [result()]}, status="pass"), [A], ["passed", "passed"]),
    (
        "one case fails",
        report({"a": [result(), result("pretrained", loads="no")]}, LOADS),
        [A, B], ["passed", ["loads"], "passed"],
    ),
    (
        "a case without a test is judged by the first of its entrypoint",
        report({"a": [result(), result("pretrained", loads="no")]}, LOADS),
        [A], [["loads"], "passed"],
    ),
    (
        "an entrypoint without a test by the run's",
        report({"a": [result(), result("pretrained", loads="no")], "c": [result()]}, LOADS),
        [C], ["passed", ["loads"]],
    ),
    (
        "two cases fail for two reasons",
        report({"a": [result(loads="yes"), result("pretrained", loads="no")]},
               finding("loads", "a: yes", "a", "loads"), LOADS),
        [A, B], [["loads"], ["loads"], "passed"],
    ),
    (
        "a finding in other words than its axis",
        report({"a": [result(loads="no")]}, finding("loads", "something else", "a", "loads")),
        [A], [["loads"], "passed"],
    ),
    ("a failed run without a finding", report({"a": [result()]}), [A], ["passed", ["fail"]]),
    (
        "an axis that is not required",
        report({"a": [result(pickles="no")]},
               finding("pickles", "a: no", "a", "pickles", "note"), status="pass"),
        [A], ["passed", "passed"],
    ),
    (
        "an entrypoint that was skipped",
        report({"a": [result(ran=False)], "c": [result()]}, status="pass"),
        [A, C], ["skipped", "passed", "passed"],
    ),
    (
        "one that was skipped for too long",
        report({"a": [result(ran=False)]}, finding("expired-skip", "a: ended", "a")),
        [A], [["expired-skip"], "passed"],
    ),
    (
        "one whose skip has ended, and that ran",
        report({"a": [result()]}, finding("expired-skip", "a: ended", "a")),
        [A], ["passed", ["expired-skip"]],
    ),
    (
        "nothing ran",
        report({"a": [result(ran=False)]}, finding("nothing-run", "nothing")),
        [A], ["skipped", ["nothing-run"]],
    ),
    (
        "no list",
        report({}, finding("cannot-list", "no numpy", None, "listed")),
        [A, B, C], [*[["cannot-list"]] * 3, ["cannot-list"]],
    ),
    (
        "a name that is not there for sure",
        report({"c": [result()]}, finding("not-listed", "a is not", "a", "listed")),
        [A, C], [["not-listed"], "passed", "passed"],
    ),
    (
        "a name that may be there, and is not",
        report({"c": [result()]}, status="pass"), [A, C], ["skipped", "passed", "passed"],
    ),
    (
        "a case that verify did not make",
        report({"a": [result()]}, status="pass"), [A, B], ["passed", "skipped", "passed"],
    ),
    (
        "the run ended before",
        report({"c": [result()]}, status="interrupted"),
        [A, C], [["interrupted"], "passed", ["interrupted"]],
    ),
    (
        "a clash of the run",
        report({"a": [result()]}, finding("cache-name-clash", "two", None, "weights")),
        [A], ["passed", ["cache-name-clash"]],
    ),
    (
        "what check found is no matter of verify",
        report({"a": [result()]}, STATIC, status="pass"), [A], ["passed", "passed"],
    ),
    (
        "a device that has no test, and did not run",
        report({"a": [result(), result(ran=False) | {"device": "cuda"}]}, status="pass"),
        [A], ["passed", "passed"],
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("made", "tests", "expected"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_what_becomes_of_each_test(
    made: dict[str, Any], tests: Sequence[Key], expected: Sequence[object]
) -> None:
    verdicts = Verdicts(made, tests)
    found = [told(verdicts.of(key)) for key in tests]
    assert [*found, told(verdicts.of_the_run())] == expected


def test_a_run_that_failed_fails_a_test() -> None:
    """Whatever a report says, and whichever tests there are: no failed run looks like success."""
    failing = [row for row in ROWS if row[1]["status"] != "pass"]
    assert len(failing) > 8
    for _, made, _, _ in failing:
        for tests in ([], [A], [B], [A, C], [A, B, C]):
            verdicts = Verdicts(made, tests)
            every = [*map(verdicts.of, tests), verdicts.of_the_run()]
            assert any(verdict.failures for verdict in every)


def test_nothing_of_a_hostile_report_acts() -> None:
    made = document(HOSTILE)
    key = (HOSTILE, HOSTILE, HOSTILE)
    for verdict in (Verdicts(made, [key]).of(key), Verdicts(made, []).of_the_run()):
        assert verdict.failures
        words = [line for problem in verdict.failures for line in problem.lines()]
        words += [*verdict.remarks, *(word for pair in verdict.properties for word in pair)]
        for word in words:
            assert word.isprintable()
            assert not word.lstrip().startswith("::")
            assert "##[" not in word


def test_what_does_not_fail_is_said() -> None:
    note = finding("pickles", "a: no", "a", "pickles", "warning")
    verdict = Verdicts(report({"a": [result(pickles="no")]}, note, status="pass"), [A]).of(A)
    assert verdict.remarks == ("warning pickles: a: no",)


def test_what_has_no_test_is_said() -> None:
    skipped = result(ran=False) | {"device": "cuda"}
    made = report({"a": [result()], "c": [result(), skipped]}, status="pass")
    verdict = Verdicts(made, [A]).of_the_run()
    assert verdict == Verdict(remarks=("c (default, cpu): passed, and has no test of its own",))


TEXT = st.text(st.characters(codec=None), max_size=200)


@given(st.lists(TEXT, min_size=2, max_size=6, unique=True))
def test_two_texts_have_two_names(texts: list[str]) -> None:
    assert len({node_name(text) for text in texts}) == len(texts)


@given(TEXT)
def test_a_name_is_harmless(text: str) -> None:
    name = node_name(text)
    assert name
    assert name.isprintable()
    assert not re.search(r"[\[\]:/@\s]", name)
    assert len(name) <= 2 * LONGEST
    name.encode()


@pytest.mark.parametrize("text", ["unet", "resnet50_v1.5", "größe", "net-18+x", "模型"])
def test_an_ordinary_name_stays(text: str) -> None:
    assert node_name(text) == text


@given(TEXT, st.lists(TEXT, max_size=4))
def test_a_pattern_takes_one_name_alone(text: str, others: list[str]) -> None:
    asked = Selection((_exactly(text),))
    assert asked.matching([text, *(each for each in others if each != text)]) == [text]
