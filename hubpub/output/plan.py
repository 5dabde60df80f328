"""``hubpub plan``: the parts of one verification, for people, programs and GitHub's matrix."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hubpub.output.escape import short, visible
from hubpub.output.json import dumps

FORMATS = ("text", "json", "github-matrix")
"""The names, the default first."""
_SHOWN = 5
_NAME = 60


@dataclass(frozen=True)
class Row:
    """Part ``index`` of ``total``, and the names in it."""

    index: int
    total: int
    names: tuple[str, ...]

    @property
    def cell(self) -> dict[str, Any]:
        """What a job is told of it: figures and words of ours, nothing of the repository's."""
        shard = f"{self.index}/{self.total}"
        name = f"{self.index} of {self.total}"
        return {"shard": shard, "index": self.index, "total": self.total, "name": name}


@dataclass(frozen=True)
class Planned:
    """A plan as it is said. ``doubts`` are why verify may deal other names to a part."""

    reference: str
    kind: str
    commit: str | None
    rows: tuple[Row, ...]
    certain: int
    doubts: tuple[str, ...] = ()


def render(name: str, planned: Planned) -> str:
    """The plan in the format ``name``, one of :data:`FORMATS`; ends with a newline."""
    if name == "github-matrix":
        return matrix(planned.rows)
    return _json(planned) if name == "json" else _text(planned)


def matrix(rows: Sequence[Row]) -> str:
    """One line of JSON in ASCII, for ``fromJSON`` in ``strategy.matrix``.

    No name of an entrypoint is in it: they are the repository's text, and whatever is in a matrix
    stands in the names of jobs and, in careless workflows, in shell scripts.
    """
    return json.dumps({"include": [row.cell for row in rows]}) + "\n"


def _json(planned: Planned) -> str:
    return dumps(
        {
            "version": 1,
            "reference": planned.reference,
            "kind": planned.kind,
            "commit": planned.commit,
            "certain": planned.certain,
            "exact": not planned.doubts,
            "doubts": list(planned.doubts),
            "shards": [row.cell | {"entrypoints": list(row.names)} for row in planned.rows],
        }
    )


def _text(planned: Planned) -> str:
    count = sum(len(row.names) for row in planned.rows)
    what = f"{planned.kind} {planned.commit}" if planned.commit else planned.kind
    entrypoints = f"{count} entrypoint{'' if count == 1 else 's'}"
    shards = f"{len(planned.rows)} shard{'' if len(planned.rows) == 1 else 's'}"
    lines = [f"{visible(planned.reference)} ({what}): {entrypoints} in {shards}"]
    width = len(f"{len(planned.rows)}/{len(planned.rows)}")
    for row in planned.rows:
        shown = ", ".join(visible(short(name, _NAME)) for name in row.names[:_SHOWN])
        more = f" and {len(row.names) - _SHOWN} more" if len(row.names) > _SHOWN else ""
        lines.append(f"  --shard {row.cell['shard']:{width}}  {shown}{more}".rstrip())
    lines += [f"note: {visible(text)}" for text in planned.doubts]
    return "".join(f"{line}\n" for line in lines)
