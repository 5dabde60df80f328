"""What the code under test may say of itself: fields of a known type and a bounded length.

Everything here is hostile, for the code shares the interpreter with the loader and can write
anything. A field of another type is dropped, so that nobody after this has to look twice.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

_TEXT = 4000
_MOST_TEXTS = 1000
_MOST_NUMBER = (1 << 63) - 1

Field = Callable[[Any], bool]


def read(data: bytes, nonce: str) -> dict[str, Any] | None:
    """A job's claims, or None where they are no JSON object that carries this job's nonce."""
    try:
        claims = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(claims, dict) or claims.get("nonce") != nonce:
        return None
    known = _typed(claims, _CLAIMS)
    if "error" in known:
        known["error"] = _typed(known["error"], _ERROR)
        if "frame" in known["error"]:
            known["error"]["frame"] = _typed(known["error"]["frame"], _FRAME)
    if "entrypoints" in known:
        entries = (_typed(item, _ENTRY) for item in known["entrypoints"] if isinstance(item, dict))
        named = [entry for entry in entries if entry.get("name")]
        known["entrypoints"] = list({entry["name"]: entry for entry in named}.values())
    if "imports" in known:
        listed = (_typed(item, _IMPORT) for item in known["imports"] if isinstance(item, dict))
        known["imports"] = [item for item in listed if len(item) == len(_IMPORT)]
    return known


def _typed(values: Mapping[str, Any], fields: Mapping[str, Field]) -> dict[str, Any]:
    return {name: values[name] for name in fields if name in values and fields[name](values[name])}


def _text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _TEXT


def _texts(value: object) -> bool:
    return isinstance(value, list) and len(value) <= _MOST_TEXTS and all(map(_text, value))


def _number(value: object) -> bool:
    return type(value) is int and 0 <= value <= _MOST_NUMBER


def _truth(value: object) -> bool:
    return isinstance(value, bool)


def _table(value: object) -> bool:
    return isinstance(value, dict)


_CLAIMS: dict[str, Field] = {
    "ok": _truth,
    "type": _text,
    "module": _text,
    "parameters": _number,
    "device_peak_bytes": _number,
    "error": _table,
    "opened": _texts,
    "touched": _texts,
    "count": _number,
    "entrypoints": lambda value: isinstance(value, list),
    "imports": lambda value: isinstance(value, list) and len(value) <= _MOST_TEXTS,
    "present": _texts,
    "digest": _text,
    "tensors": _texts,
    "weights_only": lambda value: value in ("pass", "fail"),
    "reason": _text,
    "globals": _texts,
}
_ERROR: dict[str, Field] = {
    "type": _text,
    "message": _text,
    "module": _text,
    "frame": _table,
    "elsewhere": _truth,
}
_FRAME: dict[str, Field] = {"path": _text, "line": lambda value: _number(value) and value > 0}
_IMPORT: dict[str, Field] = {"module": _text, **_FRAME, "found": _truth}
_ENTRY: dict[str, Field] = {
    "name": _text,
    "help": _truth,
    "help_error": _text,
    "required": _texts,
    "passes_on": _truth,
    "pretrained": _truth,
    "weights": _truth,
}
