"""``--require AXIS`` and ``--skip AXIS``: what decides a run, and what is not asked."""

from __future__ import annotations

import pytest

from conftest import RunHubpub
from hubpub.errors import UsageError
from hubpub.verify.axes import PASS, Verdict
from hubpub.verify.demands import Demands
from hubpub.verify.report import AXES, Finding
from proving import Prove

needs_sandbox = pytest.mark.proof
pytest.importorskip("torch", reason="the verify extra is not installed")

# Three axes fail: no docstring, a class that cannot be pickled, a module of a common name.
NET = """
class _Net(torch.nn.Linear):
    pass


def net():
    from utils import scale
    return _Net(scale, 1)
"""
BOTH = {"coexists", "documented"}
FAILING = ("documented", "coexists", "pickles")


@needs_sandbox
@pytest.mark.parametrize(
    ("options", "code", "errors", "skipped"),
    [
        ((), 0, set(), set()),
        (("--require", "pickles"), 1, {"pickles"}, set()),
        (("--require", "coexists", "--require", "documented"), 1, BOTH, set()),
        (("--require", "offline"), 0, set(), set()),  # skipped for a reason is no failure
        (("--skip", "coexists", "--skip", "pickles"), 0, set(), {"coexists", "pickles"}),
        (("--skip", "listed", "--require", "pickles"), 1, {"pickles"}, {"listed"}),
    ],
)  # fmt: skip
def test_what_decides(
    prove: Prove, options: tuple[str, ...], code: int, errors: set[str], skipped: set[str]
) -> None:
    run = prove(NET, *options, files={"utils.py": "scale = 1\n"})
    assert run.code == code, run.text
    assert run.report["status"] == ("fail" if code else "pass")
    own = [item for item in run.report["findings"] if item["code"] == "verify"]
    assert {item["axis"] for item in own if item["severity"] == "error"} == errors
    for axis in FAILING:
        expected = "skipped" if axis in skipped else "fail"
        assert run.axis("net", axis)[0] == expected
    for axis in skipped:
        assert run.axis("net", axis) == ("skipped", f"left out with --skip {axis}")
        assert axis not in {item["axis"] for item in own}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--require", "speed"), "there is no axis speed"),
        (("--skip", "speed"), "the axes are listed"),
        (("--skip", "loads"), "without it nothing is proven"),
        (("--skip", "offline", "--require", "offline"), "contradict"),
    ],
)
def test_what_contradicts_itself_is_refused(
    hubpub: RunHubpub, options: tuple[str, ...], words: str
) -> None:
    done = hubpub("verify", "octo/net:v1.0", *options)
    assert done.returncode == 2
    assert words in done.stderr


def test_each_axis_can_be_required_and_all_but_one_left_out() -> None:
    for axis in AXES:
        Demands(require=frozenset({axis})).check()
        assert axis in Demands(require=frozenset({axis})).required
        left_out = Demands(skip=frozenset({axis}))
        if axis == "loads":
            with pytest.raises(UsageError):
                left_out.check()
            continue
        left_out.check()
        assert axis not in left_out.required
        verdicts = left_out.apply({axis: Verdict("fail", "x"), "loads": PASS})
        assert verdicts["loads"] is PASS
        assert verdicts[axis].status == "skipped"


def test_findings_of_what_is_left_out_go_with_it() -> None:
    found = [
        Finding("verify", "not-listed", "error", "x", axis="listed"),
        Finding("verify", "no-entrypoints", "error", "x", axis="listed"),
        Finding("verify", "cache-name-clash", "error", "x", axis="weights"),
        Finding("verify", "deadline", "error", "x"),
    ]
    demands = Demands(skip=frozenset({"listed", "weights"}))
    assert [item.name for item in demands.keep(found)] == ["no-entrypoints", "deadline"]
    assert Demands().keep(found) == found
