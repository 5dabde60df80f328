"""The driver is tried inside the sandbox first: here, where there is none, the probe really fails.

A device that does not work in the sandbox is never the model's fault, and no code of the repository
takes part.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bench import Bench, bench

from hubpub.errors import CannotVerifyError
from hubpub.verify import drivers
from hubpub.verify.checkout import Checkout
from hubpub.verify.devices import Offer, Plan
from hubpub.verify.egress import Egress
from hubpub.verify.events import Event
from hubpub.verify.gpus import Gpu, Machine, machine
from hubpub.verify.jobs import Done, Jobs
from hubpub.verify.limits import Limits
from hubpub.verify.places import Places
from hubpub.verify.reference import Resolved
from hubpub.verify.report import Facts
from hubpub.verify.sandbox import interpreter, tiers

pytest.importorskip("torch", reason="the verify extra is not installed")
pytestmark = [
    # What has the mark `sandbox` must not be skipped.
    pytest.mark.skipif(True, reason="there is an NVIDIA GPU: see test_gpu.py")
    if machine({}).cuda
    else pytest.mark.sandbox,
]
ABSENT = Gpu("cuda", None, 0, "GPU-11111111")
"""One that no device node stands for, so that a sandbox can be built for it here."""


def places(folder: Path) -> Places:
    """A lane on an empty tree, with a sandbox for the CPU and one for each GPU it is asked for."""
    import time

    tree = folder / "octo_net_v1.0"
    tree.mkdir()
    (tree / "hubconf.py").write_text("raise RuntimeError('code of the repository ran')\n")
    resolved = Resolved("v1.0", "tag", "refs/tags/v1.0")
    checkout = Checkout(tree, None, "0" * 40, resolved, 1)
    python, limits = interpreter.current(), Limits(timeout_s=120)
    tier = tiers.choose(tiers.Wanted(), python, limits)
    numbers = itertools.count()

    def start(gpu: Gpu | None) -> Jobs:
        own = folder / f"lane{next(numbers)}"
        own.mkdir(mode=0o711)
        return Jobs(
            own, checkout, "octo/net:v1.0", Egress((), 1 << 20), limits, time.monotonic() + 600,
            lambda: None, tier, python, gpu=gpu, hide_gpus=True,
        )  # fmt: skip

    folder.chmod(0o711)
    return Places(start)


def test_a_gpu_that_does_not_work_is_skipped_or_refused_and_the_sandbox_named(
    tmp_path: Path,
) -> None:
    told: list[Event] = []
    with places(tmp_path) as lane:
        auto = Plan((Offer("cpu"), Offer("cuda", ABSENT)))
        plan = drivers.tried(auto, lane, Machine(), told.append)
        assert plan.names == ("cpu",)
        reason = plan.offers[1].off or ""
        assert reason.startswith("it does not work in the sandbox, without any code of the repos")
        assert "CUDA" in reason or "NVIDIA" in reason
        assert "code of the repository ran" not in reason
        asked = Plan((Offer("cuda", ABSENT, asked=True),))
        with pytest.raises(CannotVerifyError, match="--device cuda: it does not work") as refused:
            drivers.tried(asked, lane, Machine(), told.append)
    assert "nvidia-smi" in (refused.value.help or "")
    assert not told


def test_a_sandbox_that_cannot_show_the_device_is_the_reason(tmp_path: Path) -> None:
    with places(tmp_path) as lane:
        missing = Gpu("xpu", 99999)  # no such render node can be bound
        plan = drivers.tried(Plan((Offer("xpu", missing),)), lane, Machine(), lambda _: None)
    assert "no sandbox with it can be started" in (plan.offers[0].off or "")


def test_a_job_on_the_cpu_is_told_of_no_gpu_and_one_on_a_gpu_of_its_own(tmp_path: Path) -> None:
    body = "raise RuntimeError(str({k: os.environ.get(k) for k in ('CUDA_VISIBLE_DEVICES',)}))"

    def said(run: Callable[..., Done], device: str = "cpu") -> str:
        claims = run(body, device=device).claims or {}
        return str(claims["error"]["message"])

    told: list[tuple[dict[str, Any], str]] = [
        ({}, "None"),
        ({"hide_gpus": True}, "''"),
        ({"gpu": ABSENT}, "'GPU-11111111'"),
    ]
    for number, (options, value) in enumerate(told):
        folder = tmp_path / str(number)
        folder.mkdir()
        made: Bench
        with bench(folder, **options) as made:
            device = "cuda:1" if "gpu" in options else "cpu"
            assert value in said(made, device)


SEEN = {"name": "NVIDIA T1000", "capability": "7.5", "runtime": "12.6", "total_bytes": 1 << 32}


def done(claims: dict[str, object] | None, ended: str = "exit", code: int | None = 0) -> Done:
    facts = Facts(code, 11 if ended == "signal" else None, 1.0, 1.0, 1, ended)
    return Done(facts, claims, (), (), Path(), "", "")


def test_what_a_working_gpu_is_goes_into_the_report() -> None:
    offer = Offer("cuda:1", Gpu("cuda", 1, 1))
    seen = drivers.judge(done({"ok": True, "accelerator": SEEN}), offer, "550.54.15")
    assert not isinstance(seen, str)
    assert (seen.device, seen.name, seen.driver) == ("cuda:1", "NVIDIA T1000", "550.54.15")
    intel = drivers.judge(done({"accelerator": {}}), Offer("xpu", Gpu("xpu", 128)), "550.54.15")
    assert not isinstance(intel, str)
    assert intel.driver is None


@pytest.mark.parametrize(
    ("ended", "said"),
    [
        (done(None, code=1), "left with status 1"),
        (done(None, "signal", None), "ended: signal 11"),
        (done(None, "timeout", None), "ended: timeout"),
        (done({"accelerator": SEEN}, "exit", 1), "left with status 1"),
        (done({"error": {"type": "RuntimeError", "message": "cuInit 304"}}, code=1), "cuInit 304"),
    ],
)
def test_a_probe_that_did_not_end_well_says_how(ended: Done, said: str) -> None:
    reason = drivers.judge(ended, Offer("cuda", ABSENT), None)
    assert isinstance(reason, str)
    assert "without any code of the repository" in reason
    assert said in reason
