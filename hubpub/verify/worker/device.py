"""A device other than the CPU, inside a job: is it there, what goes to it, what stays on it.

``torch.accelerator`` speaks of every kind of device; the module of the kind itself (``torch.cuda``)
is asked where this torch does not offer that.
"""

from __future__ import annotations

import contextlib
import gc
import itertools
from collections.abc import Callable
from typing import Any

Describe = Callable[[BaseException, dict[str, Any]], dict[str, Any]]
"""An error as the job's claims have it."""
_SIDE = 64
"""Of the square matrices that the probe multiplies."""
_WORKSPACES = 64 << 20
"""Bytes that libraries of the driver may keep where this torch cannot clear them."""
_SHOWN = 5


def probe(request: dict[str, Any]) -> dict[str, Any]:
    """Start the driver, allocate, compute, and tell what the device is; no code of a repository.

    Raises:
        Exception: whatever torch raises where the device does not work in here.
    """
    import torch

    kind = request["device"]
    if kind == "cuda":
        torch.cuda.init()  # says why not, where is_available() says no
    ones = torch.ones(_SIDE, _SIDE, device=kind)
    product = float((ones @ ones).sum().item())
    if product != float(_SIDE**3):
        return _failed("WrongResult", f"a product of ones is {product}, not {_SIDE**3}")
    return {"ok": True, "accelerator": _described(kind)}


def _failed(kind: str, message: str) -> dict[str, Any]:
    return {"ok": False, "error": {"type": kind, "message": message}}


def _described(kind: str) -> dict[str, Any]:
    """What the device calls itself; what this torch does not tell is left out."""
    import torch

    told: dict[str, Any] = {}
    with contextlib.suppress(Exception):
        told["runtime"] = str(torch.version.cuda if kind == "cuda" else torch.version.xpu)
    with contextlib.suppress(Exception):
        properties = getattr(torch, kind).get_device_properties(0)
        told["name"] = str(properties.name)
        told["total_bytes"] = int(properties.total_memory)
    with contextlib.suppress(Exception):
        told["capability"] = ".".join(map(str, torch.cuda.get_device_capability(0)))
    return told


def _ask(kind: str, *names: str) -> Callable[[], Any] | None:
    """The first function of these names, of torch.accelerator or of the kind's own module."""
    import torch

    modules = [getattr(torch, kind, None)]
    general = getattr(torch, "accelerator", None)
    current = general.current_accelerator() if general is not None else None
    if current is not None and current.type == kind:
        modules.insert(0, general)
    for module in modules:
        for name in names:
            found: Callable[[], Any] | None = getattr(module, name, None)
            if found is not None:
                return found
    return None


def _synchronize(kind: str) -> None:
    ask = _ask(kind, "synchronize")
    if ask is not None:
        ask()


def arrive(value: Any, request: dict[str, Any], describe: Describe) -> dict[str, Any]:
    """Move what was loaded as its user would, and claim what of it did not come along.

    Nothing where the job runs on the CPU, or ``value`` is no module.
    """
    import torch

    kind = request["device"]
    if kind == "cpu" or not issubclass(type(value), torch.nn.Module):
        return {}
    try:
        value.to(kind)
        _synchronize(kind)
        stayed = _elsewhere(value, kind)
    except Exception as error:
        return {"device_error": describe(error, request)}
    if not stayed:
        return {"moved": True}
    return {"moved": True, "device_error": {"type": "NotMoved", "message": stayed}}


def leave(request: dict[str, Any], describe: Describe) -> dict[str, Any]:
    """The most memory that tensors of this process had on the device, and have still (bytes).

    Call it last: the model is let go of here, and the process began with none.
    """
    request.pop("loaded", None)
    kind = request["device"]
    if kind == "cpu" or request["kind"] == "device":
        return {}
    claims: dict[str, Any] = {}
    started = _ask(kind, "is_initialized")
    if started is not None and not started():
        return {"device_peak_bytes": 0, "device_left_bytes": 0}
    try:
        _synchronize(kind)
        if peak := _ask(kind, "max_memory_allocated"):
            claims["device_peak_bytes"] = int(peak())
        gc.collect()
        claims["device_left_bytes"] = _held(kind)
    except Exception as error:
        return {"device_error": describe(error, request)}
    return claims


def _held(kind: str) -> int:
    """Without what the driver's libraries keep for the process."""
    import torch

    clear = getattr(torch._C, "_cuda_clearCublasWorkspaces", None)  # noqa: SLF001
    if clear is not None:
        clear()
    if empty := _ask(kind, "empty_cache"):
        empty()
    ask = _ask(kind, "memory_allocated", "current_allocated_memory")
    held = int(ask()) if ask else 0
    return held if clear or held > _WORKSPACES else 0


def _elsewhere(value: Any, kind: str) -> str:
    """The parameters and buffers that are on another device, in words; empty where none is."""
    import torch

    named = itertools.chain(
        torch.nn.Module.named_parameters(value), torch.nn.Module.named_buffers(value)
    )
    stayed = [name for name, tensor in named if tensor.device.type != kind]
    more = f" and {len(stayed) - _SHOWN} more" if len(stayed) > _SHOWN else ""
    return f"{', '.join(stayed[:_SHOWN])}{more} stayed where they were" if stayed else ""
