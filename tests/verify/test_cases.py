"""Which calls prove an entrypoint, on which devices, under which limits, and which are left out."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hubpub import config
from hubpub.config import EntrypointSettings, Skip
from hubpub.config.entrypoints import CaseSettings, Expected, Input, Tensor
from hubpub.verify.cases import Case, cases
from hubpub.verify.limits import GIB, Limits
from proving import ONCE, Prove
from publishing import write_files

needs_sandbox = pytest.mark.proof
TODAY = dt.date(2027, 1, 31)
SWITCH = {"pretrained": True}
NEEDS = {"required": ["size"]}
ONE, TWO = Input((Tensor((1,)),)), Input((Tensor((2,)),))
SKIP = Skip("moving", TODAY)


def said(**fields: Any) -> EntrypointSettings:
    return EntrypointSettings(**fields)


def case(name: str, **fields: Any) -> CaseSettings:
    return CaseSettings(name, **fields)


@pytest.mark.parametrize(
    ("listing", "settings", "expected"),
    [
        ({}, said(), {"default": ((), {})}),
        (SWITCH, said(), {"default": ((), {}), "pretrained": ((), {"pretrained": True})}),
        ({"weights": True}, said(args=(3,)),
         {"default": ((3,), {}), "pretrained": ((3,), {"weights": "DEFAULT"})}),
        (SWITCH, said(kwargs={"pretrained": False}), {"default": ((), {"pretrained": False})}),
        (NEEDS, said(), {"default": ((), {})}),
        # Only the declared ones can be called.
        (NEEDS, said(cases=(case("s", args=(1,)), case("l", args=(9,)))),
         {"s": ((1,), {}), "l": ((9,), {})}),
        ({**NEEDS, **SWITCH}, said(cases=(case("s", args=(1,)),)),
         {"pretrained": ((), {"pretrained": True}), "s": ((1,), {})}),
        (NEEDS, said(args=(5,), cases=(case("l", args=(9,)),)),
         {"default": ((5,), {}), "l": ((9,), {})}),
        # What a case does not say is as the entrypoint has it.
        ({}, said(args=(5,), kwargs={"a": 1}, cases=(case("l", kwargs={"b": 2}), case("m"))),
         {"default": ((5,), {"a": 1}), "l": ((5,), {"b": 2}), "m": ((5,), {"a": 1})}),
        # A case of hubpub's own says more of it, where it stands.
        (SWITCH, said(cases=(case("x"), case("pretrained"), case("default", args=(2,)))),
         {"default": ((2,), {}), "pretrained": ((), {"pretrained": True}), "x": ((), {})}),
        (SWITCH, said(cases=(case("old", kwargs={"pretrained": "v1"}),)),
         {"default": ((), {}), "old": ((), {"pretrained": "v1"})}),
    ],
)  # fmt: skip
def test_the_calls(
    listing: dict[str, Any],
    settings: EntrypointSettings,
    expected: dict[str, tuple[tuple[Any, ...], dict[str, Any]]],
) -> None:
    found = {item.name: (item.args, dict(item.kwargs)) for item in cases(listing, settings)}
    assert found == expected
    assert list(found) == list(expected)


def test_what_a_case_takes_from_its_entrypoint() -> None:
    settings = said(
        input=ONE, call="a", expect=(Expected(mean=1),), devices=("cpu",), limits={"timeout": 5},
        skip=SKIP, cases=(case("same"), case("pretrained"), case("own", input=TWO, call="b",
        expect=(Expected(mean=2),), devices=("cuda",), limits={}, args=())),
    )  # fmt: skip
    default, pretrained, same, own = cases(SWITCH, settings)
    for item in (default, pretrained, same):
        assert (item.input, item.call, item.devices) == (ONE, "a", ("cpu",))
        assert (item.limits, item.skip) == ({"timeout": 5}, SKIP)
    assert default.expect == pretrained.expect == (Expected(mean=1),)
    assert same.expect == ()  # other weights give other numbers
    assert (own.input, own.call, own.devices, own.limits) == (TWO, "b", ("cuda",), {})
    assert own.expect == (Expected(mean=2),)
    assert (default.declared, own.declared) == (False, True)


@pytest.mark.parametrize(
    ("found", "device", "today", "words"),
    [
        (Case("a"), "cpu", TODAY, None),
        (Case("a", skip=SKIP), "cpu", TODAY, "moving (until 2027-01-31)"),
        (Case("a", skip=SKIP), "cpu", TODAY + dt.timedelta(1), None),
        (Case("a", devices=("cuda",)), "cuda:1", TODAY, None),
        (Case("a", devices=("cuda",)), "cpu", TODAY, "runs on cuda"),
        (Case("a", devices=("cpu", "mps")), "cuda", TODAY, "runs on cpu, mps"),
    ],
)
def test_what_is_left_out(found: Case, device: str, today: dt.date, words: str | None) -> None:
    reason = found.off(device, today)
    assert (reason is None) == (words is None)
    assert words is None or words in str(reason)


@pytest.mark.parametrize(
    ("wanted", "lower", "higher"),
    [
        ({}, {}, {}),
        ({"timeout": 600}, {"timeout_s": 600}, {}),
        ({"timeout": 601}, {}, {"timeout": 601}),
        ({"memory": GIB, "files": 1 << 40}, {"memory_bytes": GIB}, {"files": 1 << 40}),
        ({"cpu-time": 1, "disk": 1, "processes": 1, "output-limit": 1, "download-limit": 1},
         {"cpu_s": 1, "disk_bytes": 1, "processes": 1, "output_bytes": 1, "download_bytes": 1}, {}),
    ],
)  # fmt: skip
def test_a_repository_can_only_lower_limits(
    wanted: dict[str, float], lower: dict[str, float], higher: dict[str, float]
) -> None:
    limits = Limits()
    found, refused = limits.lowered(wanted)
    assert refused == higher
    assert found == replace(limits, **lower)  # type: ignore[arg-type]
    assert all(value <= getattr(limits, name) for name, value in vars(found).items())


NETS = '''
def net(size=2, pretrained=False):
    """A network."""
    if size == 13:
        raise ValueError("thirteen")
    return torch.nn.Linear(3, size)


def needs(size, kind):
    """One that is called with something."""
    return torch.nn.Linear(size, size)


def declared(size):
    """One whose cases have it."""
    return torch.nn.Linear(3, size)


def gpu():
    """One that is for another device."""
    return torch.nn.Linear(1, 1)


def hungry(size=1):
    """One that is given less than it takes."""
    return torch.zeros(size << 20, 8)


def downloads():
    """More than its settings allow."""
    return _get("URL/net.bin", "net.bin") and torch.nn.Linear(1, 1)
'''
SETTINGS = """
[verify.entrypoints.net]
input = { shape = [1, 3] }
expect = { shape = [1, 2] }
[[verify.entrypoints.net.cases]]
name = "large"
args = [9]
expect = { shape = [1, 9] }
[[verify.entrypoints.net.cases]]
name = "wrong"
args = [4]
expect = { shape = [1, 5] }
[[verify.entrypoints.net.cases]]
name = "unlucky"
args = [13]
[[verify.entrypoints.net.cases]]
name = "later"
skip = { reason = "its host is moving", until = 2999-12-31 }
[[verify.entrypoints.net.cases]]
name = "overdue"
skip = { reason = "it was moving", until = 2001-01-01 }
[[verify.entrypoints.declared.cases]]
name = "one"
args = [1]
[verify.entrypoints.gpu]
devices = ["cuda"]
[[verify.entrypoints.hungry.cases]]
name = "small"
args = [4]
limits = { memory = "600MiB" }
[[verify.entrypoints.hungry.cases]]
name = "large"
args = [40]
limits = { memory = "600MiB" }
"""


@needs_sandbox
def test_every_case_is_a_result_of_its_own(prove: Prove, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="the verify extra is not installed")
    run = prove(NETS.partition("def downloads")[0], *ONCE, files={"hubpub.toml": SETTINGS})
    assert run.code == 1
    results = {
        (entry["name"], result["case"]): result
        for entry in run.report["entrypoints"]
        for result in entry["results"]
    }
    status = {
        key: (result["axes"]["loads"]["status"], result["axes"]["forward"]["status"])
        for key, result in results.items()
    }
    loaded = ("pass", "skipped")
    assert status == {
        ("net", "default"): ("pass", "pass"),
        ("net", "pretrained"): ("pass", "pass"),
        ("net", "large"): ("pass", "pass"),
        ("net", "wrong"): ("pass", "fail"),
        ("net", "unlucky"): ("fail", "skipped"),
        ("net", "later"): ("skipped", "skipped"),
        ("net", "overdue"): ("pass", "pass"),
        ("needs", "default"): ("fail", "skipped"),
        ("declared", "one"): loaded,
        ("gpu", "default"): ("skipped", "skipped"),
        ("hungry", "default"): loaded,
        ("hungry", "small"): loaded,
        ("hungry", "large"): ("fail", "skipped"),
    }
    assert results["net", "later"]["axes"]["loads"]["reason"].startswith("its host is moving")
    assert "runs on cuda" in results["gpu", "default"]["axes"]["forward"]["reason"]
    reason = results["hungry", "large"]["axes"]["loads"]["reason"]
    assert "more memory than the limit" in reason
    errors = {
        (item["name"], item["message"].partition(":")[0])
        for item in run.report["findings"]
        if item["severity"] == "error" and item["code"] == "verify"
    }
    assert errors == {
        ("forward", "net (wrong)"),
        ("loads", "net (unlucky)"),
        ("loads", "needs"),
        ("loads", "hungry (large)"),
        ("expired-skip", "the skip of net (overdue) ended on 2001-01-01"),
    }
    (needs,) = [item for item in run.report["findings"] if item["entrypoint"] == "needs"
                and item["axis"] == "loads"]  # fmt: skip
    lines = needs["help"].partition("pyproject.toml:\n")[2]
    write_files(tmp_path, {"pyproject.toml": lines})
    kwargs = config.load(tmp_path).entrypoints["needs"].kwargs
    assert kwargs == {"size": "...", "kind": "..."}


@needs_sandbox
def test_a_download_beyond_its_own_limit_is_cut(prove: Prove, http_server: Any) -> None:
    pytest.importorskip("torch", reason="the verify extra is not installed")
    from proving import DOWNLOAD

    http_server.serve({"/net.bin": b"x" * 100_000})
    body = DOWNLOAD + "def downloads" + NETS.partition("def downloads")[2]
    run = prove(
        body.replace("URL", http_server.url("")), "--allow-host", http_server.host, *ONCE,
        files={"hubpub.toml": "[verify.entrypoints.downloads]\nlimits.download-limit = '10KiB'\n"},
    )  # fmt: skip
    status, reason = run.axis("downloads")
    assert status == "fail"
    assert "the download limit is spent" in reason
