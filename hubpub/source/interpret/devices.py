"""Calls that put something on a CUDA device: ``.cuda()``, ``.to("cuda")``, ``device="cuda"``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hubpub.source.interpret.machine import Place
from hubpub.source.interpret.values import (
    Choice,
    External,
    Instance,
    Literal,
    Unknown,
    Value,
)

if TYPE_CHECKING:
    from hubpub.source.interpret.calls import Given

KEYWORDS = ("device", "map_location", "device_map")
"""Parameters that name a device, whatever function has them."""
POSITIONS = {
    "torch.load": 1,
    "torch.jit.load": 1,
    "torch.set_default_device": 0,
    "torch.set_default_tensor_type": 0,
}
"""Functions of torch that take a device (or what tells one) by position."""

Device = tuple[bool, Place | None]
"""Whether it is certainly CUDA, and where the text stands that says so."""


def of_call(name: str, given: Given) -> Device | None:
    """What a call of ``name`` does with a CUDA device; None where it does nothing of the kind.

    ``name`` is dotted; a method of an object that is not known has ``?`` for its owner.
    """
    if name == "?.cuda" and len(given.positional) <= 1:
        return True, None
    values = [given.keywords.get(keyword) for keyword in KEYWORDS]
    index = 0 if name == "?.to" else POSITIONS.get(name)
    if index is not None and index < len(given.positional):
        values.append(given.positional[index])
    if name == "torch.device" or name.endswith((".autocast", ".Generator")):
        return None
    for value in values:
        found = None if value is None else device(value)
        if found is not None:
            return found
    return None


def device(value: Value, depth: int = 0) -> Device | None:
    """Whether ``value`` means a CUDA device: certainly, possibly, or (None) not."""
    if isinstance(value, Literal):
        text = value.value
        if isinstance(text, str) and text.startswith(("cuda", "torch.cuda.")):
            return True, value.place
        return None
    if isinstance(value, External):
        cuda = value.name.startswith("torch.cuda.") and value.name.endswith("Tensor")
        return (True, None) if cuda and not value.called else None
    if isinstance(value, Unknown):
        found = None if value.default is None else device(value.default, depth + 1)
        return None if found is None else (False, found[1])
    if isinstance(value, Choice) and depth < 5:
        every = [device(option, depth + 1) for option in value.options]
        some = [item for item in every if item is not None]
        certain = len(some) == len(every) and all(item[0] for item in some)
        return (certain, some[0][1]) if some else None
    if isinstance(value, Instance) and isinstance(value.type, External) and depth < 5:
        made = value.type.name == "torch.device" and value.arguments
        return device(value.arguments[0], depth + 1) if made else None
    return None
