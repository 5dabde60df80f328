"""What a job does with a model on a device, with torch's device ``meta`` in a GPU's place.

It holds no numbers, so that memory is for the tests on a GPU; but what moves there really moves.
"""

from __future__ import annotations

from typing import Any

import pytest

from hubpub.verify.worker import device

torch = pytest.importorskip("torch", reason="the verify extra is not installed")
META = {"device": "meta", "kind": "load"}


def describe(error: BaseException, request: dict[str, Any]) -> dict[str, Any]:
    return {"type": type(error).__name__, "message": str(error)}


def stays() -> Any:
    class Stays(torch.nn.Linear):  # type: ignore[name-defined, misc]
        def to(self, *_: object, **__: object) -> Any:
            return self

    return Stays(1, 1)


def raises() -> Any:
    class Raises(torch.nn.Linear):  # type: ignore[name-defined, misc]
        def to(self, *_: object, **__: object) -> Any:
            raise RuntimeError("not today")

    return Raises(1, 1)


def deep() -> Any:
    return torch.nn.Sequential(torch.nn.Linear(1, 1), *(stays() for _ in range(4)))


def half() -> Any:
    """Its second layer is a module that takes no part in ``.to``, as a wrapper may do it."""
    model = torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.BatchNorm1d(1))
    model[1]._apply = lambda *_, **__: model[1]
    return model


@pytest.mark.parametrize(
    ("make", "claims"),
    [
        (lambda: torch.nn.Linear(1, 1), {"moved": True}),
        (deep, {"moved": True}),
        (
            stays,
            {
                "moved": True,
                "device_error": {
                    "type": "NotMoved",
                    "message": "weight, bias stayed where they were",
                },
            },
        ),
        (
            half,
            {
                "moved": True,
                "device_error": {
                    "type": "NotMoved",
                    "message": "1.weight, 1.bias, 1.running_mean, 1.running_var, "
                    "1.num_batches_tracked stayed where they were",
                },
            },
        ),
        (raises, {"device_error": {"type": "RuntimeError", "message": "not today"}}),
        (lambda: "a tokenizer", {}),
        (lambda: torch.zeros(1), {}),
    ],
)
def test_what_moves_and_what_does_not(make: Any, claims: dict[str, Any]) -> None:
    assert device.arrive(make(), META, describe) == claims


def test_a_long_list_of_what_stayed_is_cut() -> None:
    model = torch.nn.Sequential(*(torch.nn.Linear(1, 1) for _ in range(10)))
    model._apply = lambda *_, **__: model
    message = device.arrive(model, META, describe)["device_error"]["message"]
    assert message.endswith("2.weight and 15 more stayed where they were")


def test_nothing_is_done_on_the_cpu() -> None:
    cpu = META | {"device": "cpu"}
    assert device.arrive(raises(), cpu, describe) == {}
    assert device.leave(cpu, describe) == {}


def test_leaving_a_device_without_memory_leaves_none_behind() -> None:
    assert device.leave(META, describe) == {"device_left_bytes": 0}
    assert device.leave(META | {"kind": "device"}, describe) == {}


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU works")
def test_a_device_that_does_not_start_is_an_error_and_its_memory_none() -> None:
    cuda = META | {"device": "cuda"}
    found = device.arrive(torch.nn.Linear(1, 1), cuda, describe)
    assert "CUDA" in found["device_error"]["message"] or "NVIDIA" in str(found)
    assert device.leave(cuda, describe) == {"device_peak_bytes": 0, "device_left_bytes": 0}
    with pytest.raises((AssertionError, RuntimeError), match=r"CUDA|NVIDIA"):
        device.probe(cuda | {"kind": "device"})


def test_the_probe_computes_on_the_device_and_is_wrong_where_that_is() -> None:
    assert device.probe({"device": "cpu", "kind": "device"})["ok"] is True
