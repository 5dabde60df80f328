"""``hubpub stamp``: what became of each file, as lines and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from hubpub.output.escape import visible
from hubpub.output.json import dumps

VERSION = 1


@dataclass(frozen=True)
class Place:
    """A place that names the file as it is called now."""

    path: str
    line: int
    old: str
    new: str


@dataclass(frozen=True)
class Row:
    """One file as the contract has it. ``help`` belongs to ``error``."""

    path: str
    new: str | None
    status: str
    sha256: str | None
    size: int | None
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    changes: tuple[Place, ...]
    error: str | None
    help: str | None


def render_json(rows: Sequence[Row], *, dry: bool) -> str:
    """Version 1 of the contract, one JSON object."""
    return dumps({"version": VERSION, "dry_run": dry, "files": [asdict(row) for row in rows]})


def render_line(row: Row) -> str:
    """``old -> new``; nothing for a file that failed."""
    return "" if row.new is None else f"{visible(row.path)} -> {visible(row.new)}\n"
