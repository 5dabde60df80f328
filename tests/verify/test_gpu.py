"""On a real NVIDIA GPU: what loads, moves, computes, and is given back. Skipped without one."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conftest import MakeRepository, RunHubpub
from hubpub.verify.gpus import machine
from proving import HEAD, ONCE

GPUS = machine(os.environ).cuda
pytestmark = [
    # Not `sandbox`: what has that mark must not be skipped.
    pytest.mark.gpu,
    pytest.mark.skipif(not GPUS, reason="there is no NVIDIA GPU that may be used"),
]
MIB = 1 << 20
HUBCONF = """
_kept = []


def good():
    "A megabyte and a half of weights, and a buffer."
    model = torch.nn.Sequential(torch.nn.Linear(512, 768), torch.nn.BatchNorm1d(768))
    return model


def second():
    "Another."
    return torch.nn.Linear(1024, 1024)


def keeps():
    "It keeps what it made: its user can never have the memory back."
    model = torch.nn.Linear(2048, 2048)
    _kept.append(model)
    sys.modules["kept_by_net"] = _kept
    return model


def stays():
    "A layer that does not follow the model."
    class Stays(torch.nn.Linear):
        def _apply(self, *_, **__):
            return self
    return torch.nn.Sequential(torch.nn.Linear(2, 2), Stays(2, 2))


def raises():
    "It cannot be moved."
    class Raises(torch.nn.Linear):
        def _apply(self, *_, **__):
            raise RuntimeError("Expected all tensors to be on the same device")
    return Raises(2, 2)


def text():
    "No module."
    return "a tokenizer"


def takes():
    "All memory of the GPU, and no end."
    if torch.cuda.is_available():
        held = []
        try:
            while True:
                held.append(torch.empty(256 << 20, dtype=torch.uint8, device="cuda"))
        except RuntimeError:
            pass
        while True:
            pass
    return torch.nn.Linear(1, 1)


def sees():
    "How many GPUs there are for a job."
    model = torch.nn.Linear(1, 1)
    if torch.cuda.is_available():
        assert torch.cuda.device_count() == 1, torch.cuda.device_count()
    return model
"""
Verified = Callable[..., dict[str, Any]]


@pytest.fixture
def verified(hubpub: RunHubpub, repository: MakeRepository, tmp_path: Path) -> Verified:
    def run(*args: str, code: int | None = None, env: dict[str, str] | None = None) -> Any:
        repository({"hubconf.py": HEAD + HUBCONF})
        file = tmp_path / "report.json"
        output = ("--output-format", f"json:{file}")
        done = hubpub("verify", "octo/net:v1.0", *output, *ONCE, *args, timeout=900, env=env)
        assert code is None or done.returncode == code, done.stdout + done.stderr
        return json.loads(file.read_text())

    return run


def result(report: dict[str, Any], name: str, device: str) -> dict[str, Any]:
    (entry,) = [item for item in report["entrypoints"] if item["name"] == name]
    found: dict[str, Any]
    (found,) = [item for item in entry["results"] if item["device"] == device]
    return found


def test_two_entrypoints_load_move_and_give_their_memory_back(verified: Verified) -> None:
    report = verified("--device", "cpu,cuda", "--entrypoint", "good", "--entrypoint", "second")
    assert report["environment"]["devices"] == ["cpu", "cuda"]
    (gpu,) = report["environment"]["accelerators"]
    assert gpu["name"]
    assert gpu["total_bytes"] > 0
    for name, least in (("good", 512 * 768 * 4), ("second", 1024 * 1024 * 4)):
        on_gpu, on_cpu = (result(report, name, device) for device in ("cuda", "cpu"))
        assert on_gpu["axes"]["loads"]["status"] == "pass", on_gpu["axes"]
        assert on_gpu["axes"]["device"] == {"status": "pass", "reason": None}
        assert least <= on_gpu["claims"]["device_peak_bytes"] < least + 64 * MIB
        assert on_gpu["claims"]["device_left_bytes"] == 0
        assert on_gpu["facts"]["gpu_left_bytes"] in (None, 0)
        assert on_cpu["axes"]["device"]["reason"] == "ran on the CPU"


@pytest.mark.parametrize(
    ("name", "status", "said"),
    [
        ("keeps", "fail", "MiB of cuda are still taken"),
        ("stays", "fail", "1.weight, 1.bias stayed where they were"),
        ("raises", "fail", "moving it fails: RuntimeError"),
        ("text", "skipped", "no torch.nn.Module"),
        ("sees", "pass", ""),
    ],
)
def test_what_a_model_does_wrong_on_a_gpu(
    verified: Verified, name: str, status: str, said: str
) -> None:
    axes = result(verified("--device", "cuda", "--entrypoint", name), name, "cuda")["axes"]
    assert axes["loads"]["status"] == "pass", axes
    assert axes["device"]["status"] == status, axes
    assert said in (axes["device"]["reason"] or "")


def test_a_failed_move_decides_where_it_is_required(verified: Verified) -> None:
    options = ("--device", "cuda", "--entrypoint", "raises")
    verified(*options, code=0)
    assert verified(*options, "--require", "device", code=1)["status"] == "fail"


def test_a_job_that_takes_the_gpu_is_ended_and_the_next_has_it(verified: Verified) -> None:
    report = verified(
        *("--device", "cuda", "--timeout", "60"),
        *("--entrypoint", "takes", "--entrypoint", "second"),
    )
    taken = result(report, "takes", "cuda")
    assert taken["facts"]["ended"] == "timeout"
    assert taken["facts"]["gpu_left_bytes"] in (None, 0)
    assert result(report, "second", "cuda")["axes"]["device"]["status"] == "pass"


def test_a_job_on_the_cpu_sees_no_gpu(verified: Verified) -> None:
    report = verified("--device", "cpu", "--entrypoint", "takes")
    assert result(report, "takes", "cpu")["axes"]["loads"]["status"] == "pass"


def test_a_gpu_that_the_caller_hides_is_not_used(verified: Verified) -> None:
    report = verified("--device", "cuda", code=4, env={"CUDA_VISIBLE_DEVICES": "-1"})
    assert report["status"] == "error"


@pytest.mark.skipif(len(GPUS) < 2, reason="there are not two GPUs")
def test_all_gpus_are_at_work_and_each_entrypoint_on_one(verified: Verified) -> None:
    report = verified(
        *("--device", "all", "--entrypoint", "good", "--entrypoint", "second"),
        *("--entrypoint", "sees"),
    )
    devices = report["environment"]["devices"]
    assert devices == ["cpu", *(f"cuda:{number}" for number in range(len(GPUS)))]
    for entry in report["entrypoints"]:
        assert len(entry["results"]) == 2
        assert all(item["axes"]["loads"]["status"] == "pass" for item in entry["results"])
