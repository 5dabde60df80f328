"""What the worker makes of a declared input and of whatever a call returns, without a sandbox."""

from __future__ import annotations

import collections
import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("torch", reason="the verify extra is not installed")

import torch

from hubpub.verify import claims
from hubpub.verify.worker import forward

SPEC: dict[str, Any] = {"args": [], "kwargs": {}, "file": None, "call": None}
ONE = {"shape": [2, 3], "dtype": "float32", "low": 0, "high": 1}


def answer(value: Any, device: str = "cpu", tree: str = "/", **asked: Any) -> dict[str, Any]:
    """What the job tells of a call of ``value``, as the parent reads it."""
    request = {"loaded": value, "device": device, "tree": tree, "forward": {**SPEC, **asked}}
    line = json.dumps({"nonce": "n", "ok": True, "forward": forward.answer(request)})
    known = claims.read(f'{{"nonce": "n", "ok": true}}\n{line}\n'.encode(), "n", forward=True)
    assert known is not None
    found: dict[str, Any] = known["forward"]
    return found


def output(made: Any) -> list[dict[str, Any]]:
    """What is told of an output."""
    found = answer(lambda: made)
    assert "error" not in found, found
    told: list[dict[str, Any]] = found["output"]
    return told


@pytest.mark.parametrize(
    ("dtype", "low", "high"),
    [
        ("float16", 0, 1), ("bfloat16", 0, 1), ("float32", -2, 2), ("float64", 0, 1e9),
        ("int8", -128, 128), ("uint8", 0, 256), ("int16", 0, 10), ("int32", -5, 5),
        ("int64", 1, 30522), ("int64", -(1 << 53), 1 << 53), ("bool", 0, 2), ("int64", 7, 8),
    ],
)  # fmt: skip
def test_numbers_are_within_their_bounds_and_spread(dtype: str, low: float, high: float) -> None:
    spec = {"shape": [40, 50], "dtype": dtype, "low": low, "high": high}
    made = forward._tensor(spec, 0)
    assert (str(made.dtype), tuple(made.shape)) == (f"torch.{dtype}", (40, 50))
    plain = made.double()
    assert float(plain.min()) >= low
    assert float(plain.max()) < high
    assert len(plain.unique()) >= min(high - low, 250) * 0.9 or dtype == "bfloat16"
    assert torch.equal(made, forward._tensor(spec, 0))
    if high - low > 1:
        assert not torch.equal(made, forward._tensor(spec, 1))


def test_numbers_do_not_depend_on_the_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = forward._tensor(ONE | {"shape": [1000]}, 2)
    monkeypatch.setattr(forward, "_PIECE", 7)
    assert torch.equal(whole, forward._tensor(ONE | {"shape": [1000]}, 2))
    assert forward._tensor(ONE | {"shape": [0, 4]}, 0).shape == (0, 4)
    assert forward._tensor(ONE | {"shape": []}, 0).shape == ()


@given(st.lists(st.integers(0, (1 << 40)), min_size=1, max_size=20))
def test_the_arithmetic_is_that_of_whole_numbers(numbers: list[int]) -> None:
    def mixed(number: int) -> int:
        number %= 1 << 32
        number = (number ^ number >> 16) * 0x85EBCA6B % (1 << 32)
        number = (number ^ number >> 13) * 0xC2B2AE35 % (1 << 32)
        return number ^ number >> 16

    assert forward._mixed(torch.tensor(numbers)).tolist() == [mixed(each) for each in numbers]


@dataclasses.dataclass
class Output:
    logits: Any
    loss: Any = None


class Ordered(collections.OrderedDict[str, Any]):
    pass


class Liar:
    __class__ = torch.Tensor  # type: ignore[assignment]
    shape = property(lambda self: 1 / 0)


class Angry(dict[str, Any]):
    def items(self) -> Any:
        raise RuntimeError("no")


Pair = collections.namedtuple("Pair", "one two")  # noqa: PYI024
T = torch.ones(2, 3)


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (T, {"": [2, 3]}),
        ((T, T[0]), {"0": [2, 3], "1": [3]}),
        ([{"boxes": T, "labels": T[0]}], {"0.boxes": [2, 3], "0.labels": [3]}),
        (Output(T), {"logits": [2, 3], "loss": None}),
        (Ordered(logits=T), {"logits": [2, 3]}),
        (Pair(T, 1), {"one": [2, 3], "two": []}),
        ({1: T, None: "x"}, {"1": [2, 3], "None": None}),
        ([1, 2, 3], {"": [3]}),
        ([1, "a"], {"0": [], "1": None}),
        ([True, 2.5], {"": [2]}),
        (7, {"": []}),
        (None, {"": None}),
        ("text", {"": None}),
        (Output, {"": None}),
        ((), {}),
        ({}, {}),
        ([1 << 70], {"": None}),
        (Liar(), {"": None}),
        (torch.empty(0, 4), {"": [0, 4]}),
        (T.to("meta"), {"": [2, 3]}),
        (T.to_sparse(), {"": [2, 3]}),
        (T.to(torch.complex64), {"": [2, 3]}),
        (torch.ones(1).expand(1 << 40), {"": [1 << 40]}),
    ],
)  # fmt: skip
def test_the_places_of_an_output(made: Any, expected: dict[str, list[int] | None]) -> None:
    assert {leaf["at"]: leaf.get("shape") for leaf in output(made)} == expected


def test_what_is_told_of_numbers() -> None:
    (leaf,) = output(torch.arange(6.0).reshape(2, 3))
    assert (leaf["dtype"], leaf["finite"], leaf["mean"]) == ("float32", True, 2.5)
    assert round(leaf["std"], 6) == 1.707825
    assert leaf["first"] == [0, 1, 2, 3, 4, 5]
    assert leaf["sha256"] == output(torch.arange(6.0).reshape(2, 3))[0]["sha256"]
    assert leaf["sha256"] != output(torch.arange(6.0).reshape(3, 2))[0]["sha256"]
    for number in (float("nan"), float("inf")):
        (leaf,) = output(torch.tensor([1.0, number]))
        assert leaf["finite"] is False
        assert not {"mean", "std", "first"} & set(leaf)
    (leaf,) = output(torch.full((2,), 1e300, dtype=torch.float64))
    assert leaf["finite"] is True
    assert "mean" not in leaf  # no reader of a report takes such a number
    numpy = pytest.importorskip("numpy", reason="numpy is not installed")
    (leaf,) = output(numpy.arange(3))
    assert (leaf["type"], leaf["dtype"], leaf["first"]) == ("ndarray", "int64", [0, 1, 2])


def test_an_output_without_end_is_cut() -> None:
    endless: list[Any] = [T]
    endless.append(endless)
    assert len(output(endless)) == 9
    assert len(output([T] * 10_000)) == 32
    assert answer(lambda: [T] * 33)["more"] is True
    assert answer(lambda: [T] * 32)["more"] is False
    assert len(output({"x" * 5000: T})[0]["at"]) == 200
    angry = answer(lambda: Angry(a=1))
    assert (angry["stage"], angry["error"]["message"]) == ("output", "no")


class Model(torch.nn.Linear):
    def __init__(self) -> None:
        super().__init__(3, 2)

    def encode(self, x: Any) -> Any:
        return {"on": x, "eval": torch.tensor(not self.training), "grad": torch.is_grad_enabled()}


@pytest.mark.parametrize(
    ("made", "call"),
    [
        (Model(), "encode"), ((Model(), "x"), "0.encode"), ({"net": Model()}, "net.encode"),
        ([[Model()]], "0.0.encode"),
    ],
)  # fmt: skip
def test_what_is_called(made: Any, call: str) -> None:
    on, evaluates, grad = answer(made, args=[ONE], call=call)["output"]
    assert (on["at"], on["shape"]) == ("on", [2, 3])
    assert evaluates["first"] == [1]
    assert grad["first"] == [0]


@pytest.mark.parametrize(
    ("made", "asked", "stage", "kind", "words"),
    [
        (T, {}, "call", "TypeError", "Tensor cannot be called"),
        ((Model(), 1), {}, "call", "TypeError", "tuple cannot be called"),
        (Model(), {"call": "nothing"}, "call", "AttributeError", "nothing"),
        ((Model(),), {"call": "3"}, "call", "IndexError", "out of range"),
        ({}, {"call": "a"}, "call", "KeyError", "a"),
        (len, {"args": [ONE, ONE]}, "forward", "TypeError", "exactly one argument"),
        (len, {"file": "none.py"}, "input", "FileNotFoundError", "none.py is not in the"),
        (len, {"file": "empty.py"}, "input", "AttributeError", "inputs"),
        (len, {"file": "broken.py"}, "input", "SyntaxError", "invalid syntax"),
    ],
)
def test_what_cannot_be_called(
    made: Any, asked: dict[str, Any], stage: str, kind: str, words: str, tmp_path: Path
) -> None:
    (tmp_path / "empty.py").touch()
    (tmp_path / "broken.py").write_text("def inputs(:\n")
    found = answer(made, tree=str(tmp_path), **asked)
    assert (found["stage"], found["error"]["type"]) == (stage, kind)
    assert words in found["error"]["message"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("return 1, 2", [(1, 2), {}]),
        ("return {'a': 1}", [(), {"a": 1}]),
        ("return [1, 2]", [([1, 2],), {}]),
        ("return 'text'", [("text",), {}]),
        ("return ()", [(), {}]),
        ("import os; return os.path.basename(__file__)", [("made.py",), {}]),
    ],
)
def test_what_a_file_makes(tmp_path: Path, body: str, expected: list[Any]) -> None:
    (tmp_path / "made.py").write_text(f"def inputs():\n    {body}\n")
    given: list[Any] = []
    found = answer(
        lambda *args, **kwargs: given.extend((args, kwargs)), tree=str(tmp_path), file="made.py"
    )
    assert "error" not in found
    assert given == expected


def test_on_another_device_all_is_moved_there() -> None:
    """The device ``meta`` is one that every torch has: tensors with a shape and no numbers."""
    told = answer(Model(), "meta", args=[ONE], call="encode")["output"]
    assert told[0] == {"at": "on", "type": "Tensor", "shape": [2, 3], "dtype": "float32"}
    nested = [(torch.ones(1), {"a": [torch.ones(1)], "b": "text"})]
    moved = forward._moved(nested, "meta")
    assert (moved[0][0].device.type, moved[0][1]["a"][0].device.type) == ("meta", "meta")
    assert moved[0][1]["b"] == "text"
    assert nested[0][0].device.type == "cpu"
