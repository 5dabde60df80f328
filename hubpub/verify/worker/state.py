"""The digest of a model's ``state_dict``: whether two loads gave the same weights.

sha256 over its entries in the order of their names. An entry is the sha256 of its name, dtype and
shape, each ended by a zero byte, and of the tensor's bytes as they lie in memory when contiguous on
the CPU (so little-endian on all machines that torch runs on). What is no tensor counts with its
type, and with its value where that is a number, a text or None.
"""

from __future__ import annotations

import ctypes
import hashlib
from typing import Any

_MOST_NAMES, _NAME = 1000, 200
_PLAIN = (bool, int, float, str, type(None))


def digest(model: Any) -> dict[str, Any]:
    """``digest`` of the whole, and ``tensors``: each entry's own, then its name.

    Raises:
        Exception: whatever the model's own ``state_dict`` raises, and for tensors without bytes.
    """
    state = model.state_dict()
    whole = hashlib.sha256()
    tensors: list[str] = []
    for name in sorted(state):
        one = entry(name, state[name])
        whole.update(one)
        if len(tensors) < _MOST_NAMES:
            tensors.append(f"{one.hex()[:16]} {name[:_NAME]}")
    return {"digest": whole.hexdigest(), "tensors": tensors}


def entry(name: str, value: Any) -> bytes:
    """The digest of one entry. Raises ValueError of a tensor that is larger than its storage."""
    import torch

    found = hashlib.sha256()
    if not isinstance(value, torch.Tensor):
        shown = repr(value) if type(value) in _PLAIN else ""
        found.update(f"{name}\0{type(value).__qualname__}\0{shown}\0".encode())
        return found.digest()
    found.update(f"{name}\0{value.dtype}\0{tuple(value.shape)}\0".encode())
    size = value.numel() * value.element_size()
    if size > value.untyped_storage().nbytes():
        raise ValueError(f"{name} is larger than its storage")  # expanded: no end of memory
    plain = value.detach().cpu().resolve_conj().resolve_neg().contiguous()
    if size:
        found.update((ctypes.c_char * size).from_address(plain.data_ptr()))
    return found.digest()
