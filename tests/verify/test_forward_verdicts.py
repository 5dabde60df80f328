"""The verdicts of ``forward`` and ``late_imports``, from facts and from hostile claims."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubpub.config.entrypoints import Expected, Input, Tensor
from hubpub.verify import axes, claims, forward
from hubpub.verify.axes import PASS, Evidence, Verdict
from hubpub.verify.cases import Case
from hubpub.verify.report import Facts

INPUT = Input((Tensor((1, 3)),))
LOADED = '{"nonce": "n", "ok": true}'
LEAF = {"at": "", "type": "Tensor", "shape": [2, 3], "dtype": "float32", "finite": True,
        "mean": 0.5, "std": 0.1, "first": [1.0, 2.0]}  # fmt: skip


def facts(ended: str = "exit", code: int | None = 0, signal: int | None = None) -> Facts:
    return Facts(code, signal, 0.1, 0.1, 1, ended)


def evidence(
    told: dict[str, Any] | None, ended: Facts | None = None, case: Case | None = None
) -> Evidence:
    case = Case("default", input=INPUT) if case is None else case
    return Evidence(
        "net", {}, frozenset(), False, False, ended or facts(), told, (), (), (), (), case,
    )  # fmt: skip


def answered(**answer: Any) -> dict[str, Any]:
    return {"ok": True, "forward": answer}


ERROR = {"type": "E", "message": "m"}
BAD_ALLOC = "[enforce fail at alloc_cpu.cpp:1] . DefaultCPUAllocator: can't allocate memory: x"


@pytest.mark.parametrize(
    ("told", "ended", "loads", "status", "words"),
    [
        (answered(output=[LEAF]), facts(), "pass", "pass", ""),
        (answered(output=[]), facts(), "pass", "pass", ""),
        (answered(stage="forward", error=ERROR), facts(), "pass", "fail", "input: E: m"),
        (answered(stage="input", error=ERROR), facts(), "pass", "fail", "cannot be made: E: m"),
        (answered(stage="output", error=ERROR), facts(), "pass", "fail", "cannot be read: E: m"),
        (answered(error={}), facts(), "pass", "fail", "input: error"),
        # It had loaded, and then this.
        (answered(), facts("signal", None, 11), "pass", "fail", "killed by signal 11"),
        (answered(), facts("timeout", None), "pass", "fail", "no end within the time limit"),
        (answered(), facts("memory", None), "pass", "fail", "more memory"),
        (answered(), facts("exit", 3), "pass", "fail", "left with status 3"),
        (answered(), facts("exit", 0), "pass", "fail", "left with status 0"),
        (answered(output=[LEAF]), facts("exit", 3), "pass", "fail", "left with status 3"),
        (answered(output=[LEAF]), facts("timeout", None), "pass", "fail", "no end within"),
        # Which of both began a download, nobody knows.
        (answered(output=[LEAF]), facts("download"), "fail", "skipped", "did not load"),
        # It had not loaded.
        (None, facts("signal", None, 11), "fail", "skipped", "did not load"),
        (None, facts("exit", 3), "fail", "skipped", "did not load"),
        ({"ok": True}, facts("exit", 3), "fail", "skipped", "did not load"),
        ({"ok": True}, facts("timeout", None), "fail", "skipped", "did not load"),
        ({"ok": False, "error": ERROR}, facts("exit", 1), "fail", "skipped", "did not load"),
        ({"ok": True}, facts(), "pass", "fail", "left with status 0"),
    ],
)
def test_a_call_is_judged_apart_from_the_load(
    told: dict[str, Any] | None, ended: Facts, loads: str, status: str, words: str
) -> None:
    known = evidence(told, ended)
    loaded = axes.judge(known)["loads"]
    assert loaded.status == loads
    verdict = forward.forward(known, loaded=loaded.status == "pass")
    assert (verdict.status, words in (verdict.reason or "")) == (status, True), verdict


@pytest.mark.parametrize(
    ("kind", "message", "cause", "words"),
    [
        ("TypeError", "forward() missing 1 required positional argument: 'mask'", "arguments",
         "a list of them"),
        ("TypeError", "forward() got an unexpected keyword argument 'x'", "arguments", "name"),
        ("TypeError", "forward() takes 2 positional arguments but 3 were given", "arguments", ""),
        ("TypeError", "tuple cannot be called", "arguments", "call = '0'"),
        ("TypeError", "'NoneType' object is not iterable", "publisher", ""),
        ("RuntimeError", "mat1 and mat2 shapes cannot be multiplied (1x3 and 4x5)", "arguments",
         "`shape`"),
        ("RuntimeError", "expected input[1, 1, 8, 8] to have 3 channels, but got 1 instead",
         "arguments", "`shape`"),
        ("RuntimeError", "mat1 and mat2 must have the same dtype, but got Long and Float",
         "arguments", "`dtype`"),
        ("IndexError", "index out of range in self", "arguments", "`high`"),
        ("ModuleNotFoundError", "No module named 'x'", "dependency", "x is not installed"),
        ("RuntimeError", BAD_ALLOC, "limit", "--memory"),
        ("MemoryError", "", "limit", "--memory"),
        ("ValueError", "x", "publisher", ""),
    ],
)  # fmt: skip
def test_an_error_of_a_call_is_explained(kind: str, message: str, cause: str, words: str) -> None:
    error = {"type": kind, "message": message, "module": "x"}
    verdict = forward.forward(evidence(answered(stage="forward", error=error)), loaded=True)
    assert (verdict.status, verdict.cause) == ("fail", cause)
    assert words in (verdict.help or "")


@pytest.mark.parametrize(
    ("expected", "leaf", "wrong"),
    [
        (Expected(), {}, None),
        (Expected(shape=(2, 3)), {}, None),
        (Expected(shape=(-1, "N")), {}, None),
        (Expected(shape=("N", "N")), {}, "shape [N, N] expected, [2, 3] found"),
        (Expected(shape=("N", "N")), {"shape": [4, 4]}, None),
        (Expected(shape=(2,)), {}, "shape [2] expected, [2, 3] found"),
        (Expected(shape=()), {"shape": []}, None),
        (Expected(dtype="float32"), {}, None),
        (Expected(dtype="float16"), {}, "dtype float16 expected, float32 found"),
        (Expected(finite=True), {}, None),
        (Expected(finite=True), {"finite": False}, "finite true expected, false found"),
        (Expected(finite=True), {"finite": None}, "finite true expected, nothing found"),
        (Expected(mean=0.5004), {}, None),
        (Expected(mean=0.51), {}, "mean 0.51 expected, 0.5 found"),
        (Expected(mean=0.51, atol=0.02, rtol=0), {}, None),
        (Expected(mean=0.55, atol=0, rtol=0.1), {}, None),
        (Expected(mean=0.5), {"mean": None}, "mean 0.5 expected, none that can be compared found"),
        (Expected(std=0.2), {}, "std 0.2 expected, 0.1 found"),
        (Expected(first=(1, 2)), {}, None),
        (Expected(first=(1, 2, 3)), {}, "number 2 3 expected, none that can be compared found"),
        (Expected(first=(2,)), {}, "number 0 2 expected, 1 found"),
        (Expected(sha256="0a"), {}, "sha256 0a expected, nothing found"),
        (Expected(at="logits"), {}, "no tensor at logits; there is the output itself"),
        (Expected(at="logits", mean=0.5), {"at": "logits"}, None),
        (Expected(at="logits", mean=9), {"at": "logits"}, "logits: mean 9 expected, 0.5 found"),
        (Expected(), {"shape": None}, "no tensor; there is none"),
    ],
)
def test_what_is_expected(expected: Expected, leaf: dict[str, Any], wrong: str | None) -> None:
    told = {name: value for name, value in {**LEAF, **leaf}.items() if value is not None}
    assert forward.compared(expected, [told]) == ([] if wrong is None else [wrong])


def test_a_long_list_of_differences_is_cut() -> None:
    case = Case("default", input=INPUT, expect=tuple(Expected(at=str(n)) for n in range(9)))
    verdict = forward.forward(evidence(answered(output=[]), case=case), loaded=True)
    assert str(verdict.reason).endswith("; and 6 more")


SECOND = '{"nonce": "n", "ok": true, "forward": {"output": [], "more": false}}'
HUGE = "9" * 4000


@pytest.mark.parametrize(
    ("leaf", "kept"),
    [
        ('"shape": [1, 2], "dtype": "int8", "finite": true, "mean": 3', {
            "shape": [1, 2], "dtype": "int8", "finite": True, "mean": 3}),
        ('"mean": NaN, "std": Infinity, "first": [1, NaN]', {}),
        ('"mean": 1e999, "std": -1e999, "first": [1e300]', {}),
        (f'"mean": {HUGE}, "std": -{HUGE}, "first": [{HUGE}], "shape": [{HUGE}]', {}),
        ('"mean": 1e19, "std": true, "first": [false]', {}),
        ('"mean": "1", "std": null, "first": {"0": 1}', {}),
        ('"shape": [-1], "dtype": 3, "finite": 1', {}),
        ('"shape": [1.0], "dtype": ["x"], "finite": "true"', {}),
        ('"shape": [true], "sha256": "ABC"', {}),
        (f'"shape": {[1] * 65}, "first": {[1] * 9}, "dtype": "{"x" * 201}"', {}),
        ('"sha256": "' + "a" * 64 + '\\n"', {}),
        ('"error": "x", "status": "pass"', {}),
    ],
)  # fmt: skip
def test_of_hostile_numbers_only_numbers_are_kept(leaf: str, kept: dict[str, Any]) -> None:
    second = SECOND.replace("[]", f'[{{"at": "", "type": "T", {leaf}}}]')
    known = claims.read(f"{LOADED}\n{second}\n".encode(), "n", forward=True)
    assert known is not None
    assert known["forward"]["output"] == [{"at": "", "type": "T", **kept}]
    everything = Expected(
        shape=(1,), dtype="x", finite=True, mean=1, std=1, first=(1,), sha256="a", atol=1e300
    )
    assert len(forward.compared(everything, known["forward"]["output"])) >= 1


@pytest.mark.parametrize(
    ("data", "asked", "expected"),
    [
        (LOADED, False, {"ok": True}),
        (f"{LOADED}\n", False, {"ok": True}),
        (f"{LOADED}\n{SECOND}\n", False, None),  # nobody asked
        ('{"nonce": "n", "ok": true, "forward": {"output": []}}', False, {"ok": True}),
        (f"{LOADED}\n", True, {"ok": True, "forward": {}}),
        (LOADED[:-1], True, None),
        ('{"nonce": "n", "ok": true, "forward": {"output": []}}', True,
         {"ok": True, "forward": {}}),  # the second line says it, or nothing does
        (f"{LOADED}\n{SECOND}\n", True, {"ok": True, "forward": {"output": [], "more": False}}),
        (f"{LOADED}\n{SECOND[:40]}", True, {"ok": True, "forward": {}}),
        (f"{LOADED}\n\n", True, {"ok": True, "forward": {}}),
        (f"{LOADED}\n{SECOND}\n{SECOND}\n", True, None),
        (LOADED + "\n" + SECOND.replace('"n"', '"m"'), True, {"ok": True, "forward": {}}),
        (f"{LOADED}\n[1]\n", True, {"ok": True, "forward": {}}),
        ('{"nonce": "n", "ok": false}\n' + SECOND, True, None),
        ('{"nonce": "n", "ok": false}\n', True, {"ok": False}),
        (LOADED + '\n{"nonce": "n", "ok": true, "forward": [1]}', True,
         {"ok": True, "forward": {}}),
        (LOADED + '\n{"nonce": "n", "ok": false, "error": {"type": "T", "x": 1}}', True,
         {"ok": True, "forward": {"error": {"type": "T"}}}),
        (LOADED + '\n{"nonce": "n", "ok": true, "opened": ["b"], "type": "Forged"}', True,
         {"ok": True, "forward": {}, "opened": ["b"]}),
        (LOADED + '\n{"nonce": "n", "ok": true, "forward": {"stage": "x", "error": 1, '
         '"device_peak_bytes": -1, "output": [1, {}, {"at": 1, "type": "T"}]}}', True,
         {"ok": True, "forward": {"output": []}}),
    ],
)  # fmt: skip
def test_a_second_line_of_claims(data: str, asked: bool, expected: object) -> None:
    assert claims.read(data.encode(), "n", forward=asked) == expected


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from([
                "output", "error", "stage", "at", "type", "shape", "dtype", "finite", "mean",
                "std", "first", "sha256", "message", "module", "frame", "path", "line", "more",
            ]),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)  # fmt: skip


@given(JSON, st.sampled_from(["exit", "signal", "timeout"]), st.sampled_from([0, 1, None]))
def test_whatever_is_claimed_of_a_call_gives_a_verdict(
    answer: Any, ended: str, code: int | None
) -> None:
    second = json.dumps({"nonce": "n", "ok": True, "forward": answer})
    known = claims.read(f"{LOADED}\n{second}\n".encode(), "n", forward=True)
    case = Case("default", input=INPUT, expect=(Expected(shape=(1,), mean=1, first=(1,)),))
    seen = evidence(known, facts(ended, code), case)
    verdict = forward.forward(seen, loaded=True)
    assert verdict.status in ("pass", "fail")
    late = forward.late_imports(seen, verdict, lambda name: True)
    json.dumps([known, verdict.reason, late.reason], allow_nan=False)


FAILED = Verdict("fail", "x")
LACKS = {"type": "ModuleNotFoundError", "message": "m", "module": "own.part",
         "frame": {"path": "a.py", "line": 3}}  # fmt: skip
SEEN = ("net.py:7: own", "net.py:9: other")


@pytest.mark.parametrize(
    ("told", "called", "seen", "status", "words"),
    [
        (answered(output=[]), PASS, SEEN, "pass", ""),
        (answered(stage="forward", error=LACKS), FAILED, (), "fail", "a.py:3 imports own.part"),
        (answered(stage="forward", error={**LACKS, "module": "else"}), FAILED, (), "skipped",
         "another reason"),
        (answered(stage="input", error=LACKS), FAILED, (), "skipped", "another reason"),
        (answered(stage="forward", error=ERROR), FAILED, SEEN, "skipped", "another reason"),
        (answered(), FAILED, (), "skipped", "another reason"),
        (None, Verdict("skipped", "no input"), (), "skipped", "it was not called: no input"),
        (None, Verdict("skipped", "no input"), SEEN, "skipped", "net.py:7: own, and 1 more"),
    ],
)  # fmt: skip
def test_late_imports(
    told: dict[str, Any] | None, called: Verdict, seen: tuple[str, ...], status: str, words: str
) -> None:
    verdict = forward.late_imports(evidence(told), called, lambda name: name == "own", seen)
    assert (verdict.status, words in (verdict.reason or "")) == (status, True), verdict


@pytest.mark.parametrize(
    ("name", "expected"),
    [("top", True), ("folder", True), ("deep", True), ("none", False), ("../top", False),
     ("top.py", False), ("", False), ("to*", False)],
)  # fmt: skip
def test_a_module_of_the_tree(tmp_path: Path, name: str, expected: bool) -> None:
    (tmp_path / "folder" / "src").mkdir(parents=True)
    (tmp_path / "top.py").touch()
    (tmp_path / "folder" / "src" / "deep.py").touch()
    assert forward.own_modules(tmp_path)(name) is expected
