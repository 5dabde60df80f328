"""``hubpub list``: what ``torch.hub.list`` would show, as a table or as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hubpub.output.escape import visible
from hubpub.output.json import dumps


@dataclass(frozen=True)
class Listed:
    """An entrypoint as the contract has it. ``docstring``: whether help() shows one."""

    name: str
    kind: str
    certainty: str
    origin: str
    path: str
    line: int
    docstring: bool
    required: tuple[str, ...]
    leak: bool


@dataclass(frozen=True)
class Unseen:
    """A place where names are made that cannot be read."""

    path: str
    line: int
    reason: str


def render_json(listed: Sequence[Listed], unseen: Sequence[Unseen]) -> str:
    """Version 1 of the contract, one JSON object."""
    entrypoints: list[dict[str, Any]] = [
        {
            "name": item.name,
            "kind": item.kind,
            "certainty": item.certainty,
            "origin": item.origin,
            "path": item.path,
            "line": item.line,
            "docstring": item.docstring,
            "required": list(item.required),
            "leak": item.leak,
        }
        for item in listed
    ]
    dynamic = [{"path": item.path, "line": item.line, "reason": item.reason} for item in unseen]
    return dumps({"version": 1, "entrypoints": entrypoints, "dynamic": dynamic})


def render_text(listed: Sequence[Listed], unseen: Sequence[Unseen]) -> str:
    """A table; remarks say what a publisher would want to know."""
    rows = [
        (visible(item.name), item.kind, f"{visible(item.path)}:{item.line}", _remarks(item))
        for item in listed
    ]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
    lines = [
        "  ".join(
            [*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]]
        ).rstrip()
        for row in rows
    ]
    lines += [
        f"{visible(item.path)}:{item.line}: more names may be made here: {visible(item.reason)}"
        for item in unseen
    ]
    return "".join(f"{line}\n" for line in lines)


def _remarks(item: Listed) -> str:
    remarks = []
    if item.leak:
        remarks.append("leak")
    if item.certainty != "certain":
        remarks.append("possible")
    if not item.docstring:
        remarks.append("no docstring")
    if item.required:
        remarks.append(f"needs {', '.join(visible(name) for name in item.required)}")
    return ", ".join(remarks)
