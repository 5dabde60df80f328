"""What the code under test may say of itself: fields of a known type and a bounded length.

Everything here is hostile, for the code shares the interpreter with the loader and can write
anything. A field of another type is dropped, so that nobody after this has to look twice.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

_TEXT = 4000
_MOST_TEXTS = 1000
_MOST_NUMBER = (1 << 63) - 1
_MOST_LEAVES, _NAME = 32, 200
_SHA256 = re.compile(r"[0-9a-f]{64}")

Field = Callable[[Any], bool]


def read(data: bytes, nonce: str, *, forward: bool = False) -> dict[str, Any] | None:
    """A job's claims, or None where they are no JSON object that carries this job's nonce.

    Where the job was asked for a ``forward``, a second line may follow. What it says of that
    stands in ``forward``, which is empty where loading was told and that line never came.
    """
    lines = data.split(b"\n")
    if len(lines) > 1 and not lines[-1]:
        del lines[-1]
    known = _line(lines[0], nonce)
    if known is None or len(lines) > (2 if forward else 1):
        return None
    known.pop("forward", None)
    if not forward or known.get("ok") is not True:
        return known if len(lines) == 1 else None
    known["forward"] = {}
    # One that is cut off is none: whatever wrote it was ended.
    more = _line(lines[1], nonce) if len(lines) > 1 else None
    if more is not None:
        known.update({name: more[name] for name in _LISTS if name in more})
        answer = more.get("forward", {})
        known["forward"] = answer if more.get("ok") else {"error": more.get("error", {})}
    return known


def _line(data: bytes, nonce: str) -> dict[str, Any] | None:
    try:
        claims = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(claims, dict) or claims.get("nonce") != nonce:
        return None
    known = _typed(claims, _CLAIMS)
    if "error" in known:
        known["error"] = _error(known["error"])
    if "forward" in known:
        known["forward"] = _forward(known["forward"])
    if "entrypoints" in known:
        entries = (_typed(item, _ENTRY) for item in known["entrypoints"] if isinstance(item, dict))
        named = [entry for entry in entries if entry.get("name")]
        known["entrypoints"] = list({entry["name"]: entry for entry in named}.values())
    if "imports" in known:
        listed = (_typed(item, _IMPORT) for item in known["imports"] if isinstance(item, dict))
        known["imports"] = [item for item in listed if len(item) == len(_IMPORT)]
    return known


def _error(error: dict[str, Any]) -> dict[str, Any]:
    known = _typed(error, _ERROR)
    if "frame" in known:
        known["frame"] = _typed(known["frame"], _FRAME)
    return known


def _forward(answer: dict[str, Any]) -> dict[str, Any]:
    known = _typed(answer, _FORWARD)
    if "error" in known:
        known["error"] = _error(known["error"])
    if "output" in known:
        leaves = (_typed(item, _LEAF) for item in known["output"] if isinstance(item, dict))
        known["output"] = [leaf for leaf in leaves if "at" in leaf and "type" in leaf]
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


def _short(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _NAME


def _real(value: object) -> bool:
    """A number that every reader of a report takes: finite, and no larger than its whole ones."""
    return isinstance(value, (int, float)) and type(value) is not bool and _in_range(value)


def _in_range(value: float) -> bool:
    return -_MOST_NUMBER <= value <= _MOST_NUMBER  # nor is what is no number


def _some(most: int, of: Field) -> Field:
    return lambda value: isinstance(value, list) and len(value) <= most and all(map(of, value))


_LISTS = ("opened", "touched", "imports", "present")
"""What a second line says again, of all that was done by then."""
_CLAIMS: dict[str, Field] = {
    "ok": _truth,
    "type": _text,
    "module": _text,
    "parameters": _number,
    "device_peak_bytes": _number,
    "error": _table,
    "forward": _table,
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
_ERROR: dict[str, Field] = {"type": _text, "message": _text, "module": _text, "frame": _table}
_FRAME: dict[str, Field] = {"path": _text, "line": lambda value: _number(value) and value > 0}
_IMPORT: dict[str, Field] = {"module": _text, **_FRAME, "found": _truth}
_ENTRY: dict[str, Field] = {
    "name": _text,
    "help": _truth,
    "help_error": _text,
    "required": _texts,
    "pretrained": _truth,
    "weights": _truth,
}
_FORWARD: dict[str, Field] = {
    "stage": lambda value: value in ("call", "input", "forward", "output"),
    "error": _table,
    "output": lambda value: isinstance(value, list) and len(value) <= _MOST_LEAVES,
    "more": _truth,
    "device_peak_bytes": _number,
}
_LEAF: dict[str, Field] = {
    "at": _short,
    "type": _short,
    "shape": _some(64, _number),
    "dtype": _short,
    "finite": _truth,
    "mean": _real,
    "std": _real,
    "first": _some(8, _real),
    "sha256": lambda value: isinstance(value, str) and bool(_SHA256.fullmatch(value)),
}
