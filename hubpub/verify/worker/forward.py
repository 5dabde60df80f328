"""One call of what was loaded, with made-up input, and what came out of it: all of it claims.

The numbers of an input are made by whole-number arithmetic on their position, so that they are the
same on every machine and with every torch, which no release of its generators promises.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.util
import itertools
import math
import os
import random
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from . import errors, state

_INPUTS = "hubpub_inputs"
_PIECE = 1 << 20
_BITS = {"float16": 11, "bfloat16": 8}
"""Of a number between 0 and 1, as many as the type keeps; float32 and float64 get 24."""
_MASK = 0xFFFFFFFF
_MOST_LEAVES, _DEPTH, _FIRST, _NAME = 32, 8, 8, 200
_MOST_BYTES = 1 << 28
"""Of a tensor whose numbers are looked at, as float64."""
_MOST_LISTED = 1 << 16
_NUMBERS = (bool, int, float)


def wanted(request: Mapping[str, Any]) -> bool:
    """Whether the parent asked for a call; it does where the repository declares an input."""
    return request["kind"] == "load" and bool(request.get("forward"))


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """What the call came to: ``output``, or ``error`` with the ``stage`` that it was raised in.

    The stages are call (finding what to call), input, forward, output.
    """
    found: dict[str, Any] = {"stage": "call"}
    try:
        _run(request, found)
    except BaseException as error:
        found["error"] = errors.describe(error, request)
    return found


def _run(request: dict[str, Any], found: dict[str, Any]) -> None:
    import torch

    asked, device = request["forward"], request["device"]
    called = _reached(request["loaded"], asked["call"], device)
    if not callable(called):
        raise TypeError(f"{_kind(called)} cannot be called")
    found["stage"] = "input"
    _seed()
    args, kwargs = _inputs(asked, request["tree"])
    args, kwargs = _moved(args, device), _moved(kwargs, device)
    found["stage"] = "forward"
    _seed()
    with torch.no_grad():
        output = called(*args, **kwargs)
        if device != "cpu":
            found.update(_peak(device))
        found["stage"] = "output"
        leaves = list(itertools.islice(_leaves(output, "", 0), _MOST_LEAVES + 1))
        found["more"] = len(leaves) > _MOST_LEAVES
        found["output"] = [_described(at, value) for at, value in leaves[:_MOST_LEAVES]]


def _seed() -> None:
    """A model that samples, and a file that draws, do the same each time on one machine."""
    import torch

    torch.manual_seed(0)
    random.seed(0)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(0)


def _kind(value: object) -> str:
    return errors.text(type.__dict__["__qualname__"].__get__(type(value)))[:_NAME]


def _reached(value: Any, path: str | None, device: str) -> Any:
    """What is called, from what was loaded; each module on the way evaluates, on ``device``."""
    import torch

    for part in [None, *(path.split(".") if path else ())]:
        if part is not None:
            value = _step(value, part)
        if issubclass(type(value), torch.nn.Module):
            value.eval()
            if device != "cpu":
                value.to(device)
    return value


def _step(value: Any, part: str) -> Any:
    if isinstance(value, Mapping):
        return value[part]
    if isinstance(value, (list, tuple)) and part.isdecimal():
        return value[int(part)]
    return getattr(value, part)


def _inputs(asked: dict[str, Any], tree: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Positional arguments and those by name."""
    if asked["file"] is None:
        numbers = itertools.count()
        args = tuple(_tensor(item, next(numbers)) for item in asked["args"])
        return args, {name: _tensor(item, next(numbers)) for name, item in asked["kwargs"].items()}
    path = os.path.join(tree, asked["file"])
    if not os.path.isfile(path):
        raise FileNotFoundError(f"{asked['file']} is not in the repository")
    spec = importlib.util.spec_from_file_location(_INPUTS, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{asked['file']} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[_INPUTS] = module
    spec.loader.exec_module(module)
    made = module.inputs()
    if isinstance(made, dict):
        return (), made
    return (made if isinstance(made, tuple) else (made,)), {}


def _tensor(asked: dict[str, Any], number: int) -> Any:
    """The tensor that is asked for; ``number`` tells those of one input apart."""
    import torch

    name, low, high = asked["dtype"], asked["low"], asked["high"]
    dtype = getattr(torch, name)
    count = math.prod(asked["shape"])
    made = torch.empty(count, dtype=dtype)
    for start in range(0, count, _PIECE):
        end = min(start + _PIECE, count)
        drawn = _mixed(torch.arange(start, end, dtype=torch.int64) + (number + 1) * 0x9E3779B9)
        if dtype.is_floating_point:
            bits = _BITS.get(name, 24)
            made[start:end] = low + (drawn >> (32 - bits)).double() / (1 << bits) * (high - low)
        else:
            made[start:end] = low + drawn % (high - low)
    return made.reshape(asked["shape"])


def _mixed(numbers: Any) -> Any:
    """Each number as another below 2**32, by the last steps of MurmurHash3."""
    numbers = numbers & _MASK
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        numbers = ((numbers ^ numbers >> shift) * factor) & _MASK
    return numbers ^ numbers >> 16


def _moved(value: Any, device: str) -> Any:
    """``value``, in which every tensor of plain tuples, lists and dicts is on ``device``."""
    import torch

    if device == "cpu":
        return value
    if isinstance(value, torch.Tensor):
        return value.to(device)
    if type(value) in (tuple, list):
        return type(value)(_moved(item, device) for item in value)
    if type(value) is dict:
        return {name: _moved(item, device) for name, item in value.items()}
    return value


def _peak(device: str) -> dict[str, int]:
    """The most memory of the device that was in use, where its backend counts it."""
    import torch

    backend = getattr(torch, device.partition(":")[0], None)
    with contextlib.suppress(Exception):
        assert backend is not None
        backend.synchronize()
        return {"device_peak_bytes": int(backend.max_memory_allocated(device))}
    return {}


def _leaves(value: Any, at: str, depth: int) -> Iterator[tuple[str, Any]]:
    """Each value that holds no others, with its place: names and indexes joined by dots."""
    items = _items(value) if depth < _DEPTH else None
    if items is None:
        yield at, value
        return
    for name, item in items:
        text = errors.text(name)
        yield from _leaves(item, f"{at}.{text}" if at else text, depth + 1)


def _items(value: Any) -> Iterator[tuple[Any, Any]] | None:
    """What a container holds by name or index; None of what is none, or a list of numbers."""
    if isinstance(value, Mapping):
        return iter(value.items())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value)]
        return ((name, getattr(value, name, None)) for name in names)
    if not isinstance(value, (list, tuple)):
        return None
    fields = getattr(value, "_fields", None)  # of a named tuple
    if isinstance(fields, (list, tuple)) and len(fields) == len(value):
        return zip(fields, value, strict=False)
    return None if _is_numbers(value) else iter(enumerate(value))


def _is_numbers(value: Any) -> bool:
    few = 0 < len(value) <= _MOST_LISTED
    return few and all(type(item) in _NUMBERS for item in value)


def _described(at: str, value: Any) -> dict[str, Any]:
    """One value of the output: its type, and of a tensor its shape and what its numbers are."""
    import torch

    found: dict[str, Any] = {"at": at[:_NAME], "type": _kind(value)}
    if type(value) in _NUMBERS or (isinstance(value, (list, tuple)) and _is_numbers(value)):
        with contextlib.suppress(Exception):  # of whole numbers that no tensor holds
            value = torch.tensor(value)
    elif found["type"] == "ndarray":
        with contextlib.suppress(Exception):  # of texts, or of objects
            value = torch.from_numpy(value)
    if not issubclass(type(value), torch.Tensor):  # not what it says of its class
        return found
    found.update(shape=list(value.shape), dtype=str(value.dtype).removeprefix("torch."))
    with contextlib.suppress(Exception):  # sparse ones, quantized ones, those without a place
        found.update(_numbers(value))
    with contextlib.suppress(Exception):
        found["sha256"] = state.entry("", value).hex()
    return found


def _numbers(value: Any) -> dict[str, Any]:
    import torch

    if value.numel() * 8 > _MOST_BYTES:
        return {}
    plain = value.detach().cpu().resolve_conj().resolve_neg()
    plain = torch.view_as_real(plain) if plain.is_complex() else plain
    plain = plain.double().flatten()
    finite = bool(torch.isfinite(plain).all())
    found: dict[str, Any] = {"finite": finite}
    if finite and len(plain):
        found.update(mean=float(plain.mean()), std=float(plain.std(correction=0)))
        found["first"] = plain[:_FIRST].tolist()
    return found
