"""The axis ``device``: what a job on a GPU claims, judged; and the GPU's memory as a fact."""

from __future__ import annotations

from typing import Any

import pytest

from hubpub.verify import claims as claiming
from hubpub.verify import gpumemory, moved
from hubpub.verify.axes import Evidence
from hubpub.verify.gpus import Gpu
from hubpub.verify.report import Facts

GOOD = {"ok": True, "moved": True, "device_peak_bytes": 1 << 20, "device_left_bytes": 0}
BUFFER = {
    "type": "RuntimeError",
    "message": "Expected all tensors to be on the same device, but found two",
    "frame": {"path": "net.py", "line": 7},
}


def evidence(claims: dict[str, Any] | None) -> Evidence:
    facts = Facts(0, None, 1.0, 1.0, 1, "exit")
    return Evidence(
        "net", {}, frozenset({"net"}), False, False, facts, claims, (), (), (), ()
    )  # fmt: skip


@pytest.mark.parametrize(
    ("device", "claims", "loaded", "status", "said"),
    [
        ("cpu", GOOD, True, "skipped", "ran on the CPU"),
        ("cuda", GOOD, True, "pass", ""),
        ("cuda:1", GOOD, True, "pass", ""),
        ("cuda", {"ok": False}, False, "skipped", "did not load"),
        ("cuda", None, False, "skipped", "did not load"),
        ("cuda", {"ok": True, "device_left_bytes": 0}, True, "skipped", "no torch.nn.Module"),
        ("cuda", {"ok": True, "moved": True}, True, "skipped", "does not say"),
        ("cuda", GOOD | {"device_left_bytes": 3 << 20}, True, "fail", "3.0 MiB of cuda are still"),
        ("cuda", GOOD | {"device_left_bytes": 512}, True, "fail", "512 bytes of cuda are still"),
        ("cuda", GOOD | {"device_error": BUFFER}, True, "fail", "moving it fails: RuntimeError"),
        ("cuda", {"ok": True, "device_error": BUFFER}, True, "fail", "same device"),
        (
            "cuda",
            GOOD | {"device_error": {"type": "NotMoved", "message": "mean stayed"}},
            True,
            "fail",
            "mean stayed",
        ),
        ("cuda", {"ok": True, "device_error": {}}, True, "fail", "moving it fails: error"),
    ],
)
def test_the_verdict(
    device: str, claims: dict[str, Any] | None, loaded: bool, status: str, said: str
) -> None:
    verdict = moved.judge(evidence(claims), device, loaded=loaded)
    assert verdict.status == status
    assert said in (verdict.reason or "")
    assert status == "pass" or verdict.reason


def test_a_failed_move_has_its_place_and_the_mend() -> None:
    verdict = moved.judge(evidence({"ok": True, "device_error": BUFFER}), "cuda", loaded=True)
    assert (verdict.path, verdict.line, verdict.cause) == ("net.py", 7, "publisher")
    assert "register_buffer" in (verdict.help or "")


def test_what_a_job_claims_of_a_device_is_bounded() -> None:
    import json

    hostile = {
        "nonce": "n",
        "ok": True,
        "moved": 1,
        "device_left_bytes": -1,
        "device_peak_bytes": True,
        "device_error": {"type": 3, "message": "x" * 5000, "frame": {"line": 0}, "more": 1},
        "accelerator": {"name": ["x"], "total_bytes": 1 << 70, "capability": "9.0", "more": 1},
    }
    known = claiming.read(json.dumps(hostile).encode(), "n")
    assert known == {
        "ok": True,
        "device_error": {"frame": {}},
        "accelerator": {"capability": "9.0"},
    }


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        (b"512\n", 512 << 20),
        (b" 0 ", 0),
        (b"[N/A]\n", None),
        (b"[Not Supported]", None),
        (b"", None),
        (b"12\n13\n", None),
        (b"-1", None),
        (b"9" * 30, None),
        (b"\xff", None),
    ],
)
def test_what_nvidia_smi_answers(answer: bytes, found: int | None) -> None:
    assert gpumemory.read(answer) == found


def test_memory_that_nobody_can_read_is_no_fact() -> None:
    assert gpumemory.used(Gpu("xpu", 128)) is None
    assert gpumemory.used(Gpu("cuda", None, 0, "MIG-1")) is None
    assert gpumemory.left(Gpu("xpu", 128), None) is None
