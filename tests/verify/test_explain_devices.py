"""Errors of devices, raised by the torch that is installed where it can raise them here."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from hubpub.verify.explain import explain

torch = pytest.importorskip("torch", reason="the verify extra is not installed")
without_gpu = pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU raises none of these")

SAVED_ON_A_GPU = """
import io, json, sys, warnings, torch
warnings.simplefilter("ignore")
# What torch.save on a GPU writes: the storages are marked as cuda:0.
torch.serialization.register_package(0, lambda storage: "cuda:0", lambda storage, place: None)

def saved(**how):
    file = io.BytesIO()
    torch.save({"w": torch.zeros(2)}, file, **how)
    return io.BytesIO(file.getvalue())

try:
    STATEMENT
except BaseException as error:
    print(json.dumps({"type": type(error).__name__, "message": str(error)}))
"""


def raised(statement: str) -> dict[str, str]:
    """The error of a statement, in a process of its own, as a job would tell it."""
    done = subprocess.run(
        [sys.executable, "-c", SAVED_ON_A_GPU.replace("STATEMENT", statement)],
        capture_output=True,
        text=True,
    )
    assert done.stdout, f"{statement} raises nothing: {done.stderr}"
    error: dict[str, str] = json.loads(done.stdout)
    return error


MAP, OWN, PIN, DEVICES = "map_location='cpu'", "to the user", "is_available()", "register_buffer"


@without_gpu
@pytest.mark.parametrize(
    ("statement", "advice"),
    [
        ("torch.load(saved())", MAP),
        ("torch.load(saved(), weights_only=False)", MAP),
        ("torch.load(saved(), map_location='cuda')", MAP),
        ("torch.load(saved(_use_new_zipfile_serialization=False))", MAP),
        ("torch.zeros(1).cuda()", OWN),
        ("torch.nn.Linear(1, 1).to('cuda:1')", OWN),
        ("torch.zeros(1, device='cuda')", OWN),
        ("torch.cuda.current_device()", OWN),
        ("torch.cuda.set_device(0)", OWN),
        ("torch.cuda.Stream()", OWN),
        ("torch.cuda.FloatTensor(3)", OWN),
        ("torch.set_default_tensor_type('torch.cuda.FloatTensor')", OWN),
        ("torch.zeros(1).pin_memory()", PIN),
    ],
)
def test_what_fails_without_a_gpu_is_the_publisher_s(statement: str, advice: str) -> None:
    found = explain(raised(statement), ())
    assert found.cause == "publisher"
    assert found.help is not None
    assert advice in found.help


@pytest.mark.parametrize(
    ("statement", "advice"),
    [
        # The meta device stands for a second one, which every machine has.
        ("torch.nn.Linear(2, 2, device='meta')(torch.zeros(1, 2))", DEVICES),
        ("torch.zeros(2, device='meta') + torch.zeros(2)", DEVICES),
        ("torch.nn.Linear(2, 2, device='meta').to('cpu')", "never loaded"),
    ],
)
def test_what_two_devices_cause_is_the_publisher_s(statement: str, advice: str) -> None:
    found = explain(raised(statement), ())
    assert found.cause == "publisher"
    assert found.help is not None
    assert advice in found.help


@pytest.mark.parametrize(
    ("kind", "message", "cause", "said"),
    [
        # What a build for CUDA says, which is not installed here.
        ("RuntimeError", "No CUDA GPUs are available", "publisher", OWN),
        ("RuntimeError", "Found no NVIDIA driver on your system. Please", "publisher", OWN),
        (
            "RuntimeError",
            "Attempting to deserialize object on CUDA device 1 but torch.cuda.device_count() is 1.",
            "publisher",
            MAP,
        ),
        (
            "RuntimeError",
            "Expected all tensors to be on the same device, but found at least two devices, cuda:0",
            "publisher",
            DEVICES,
        ),
        (
            "RuntimeError",
            "Input type (torch.cuda.HalfTensor) and weight type (HalfTensor) should be the same",
            "publisher",
            DEVICES,
        ),
        ("RuntimeError", "Cannot re-initialize CUDA in forked subprocess.", "publisher", "spawn"),
        ("OutOfMemoryError", "CUDA out of memory. Tried to", "limit", "nvidia-smi"),
        ("RuntimeError", "CUDA error: out of memory", "limit", "nvidia-smi"),
        (
            "AcceleratorError",
            "CUDA error: no kernel image is available for execution on the device",
            "environment",
            "no code for this GPU",
        ),
    ],
)
def test_what_only_a_gpu_can_raise(kind: str, message: str, cause: str, said: str) -> None:
    found = explain({"type": kind, "message": message}, ())
    assert found.cause == cause
    assert found.help is not None
    assert said in found.help


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("AttributeError", "module 'models' has no attribute '_cuda_net'"),
        ("RuntimeError", "out of memory"),
        ("ValueError", "No CUDA GPUs are available"),
    ],
)
def test_what_only_looks_like_it_has_no_advice(kind: str, message: str) -> None:
    found = explain({"type": kind, "message": message}, ())
    assert (found.cause, found.help) == ("publisher", None)
