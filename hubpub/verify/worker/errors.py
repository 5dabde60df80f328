"""What was raised, as claims: by its type, its words, and its place in the repository."""

from __future__ import annotations

import contextlib
import os
import traceback
from typing import Any

TEXT = 2000
_CHAIN = 10


def text(value: object) -> str:
    """``value`` as text, cut short; of something that refuses to be shown, the name of its type."""
    try:
        return str.__str__(str(value))[:TEXT]
    except BaseException:
        return f"<{type.__dict__['__name__'].__get__(type(value))} that cannot be shown>"


def describe(error: BaseException, request: dict[str, Any]) -> dict[str, Any]:
    """The error as a user would quote it, with the last frame inside the repository."""
    name = type.__dict__["__name__"].__get__(type(error))
    described: dict[str, Any] = {"type": name, "message": text(error)}
    with contextlib.suppress(Exception):
        if lacked := _lacked(error):
            described["module"] = text(lacked)
    # What an exception of the repository's own says of its place may be anything.
    with contextlib.suppress(Exception):
        _place(described, error, request)
    return described


def _place(described: dict[str, Any], error: BaseException, request: dict[str, Any]) -> None:
    root = os.path.join(request.get("tree") or "/", "")
    for frame in traceback.extract_tb(error.__traceback__):
        path = os.path.realpath(frame.filename)
        if path.startswith(root):
            described["frame"] = {"path": path[len(root) :], "line": frame.lineno or 1}
    if isinstance(error, SyntaxError) and error.filename:
        path = os.path.realpath(error.filename)
        if path.startswith(root):
            described["frame"] = {"path": path[len(root) :], "line": int(error.lineno or 1)}


def _lacked(error: BaseException) -> str | None:
    """The module that was not found, also where another ImportError was made of that."""
    found: BaseException | None = error
    for _ in range(_CHAIN):
        if not isinstance(found, ImportError):
            return None
        if isinstance(found, ModuleNotFoundError) and found.name:
            return found.name
        found = found.__cause__ or found.__context__
    return None
