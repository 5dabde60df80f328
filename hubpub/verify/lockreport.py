"""What a run came to when it was held against a lock: a part of the report."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Difference:
    """One fact that is not as it was locked; None on the side that does not have it.

    ``what`` is entrypoint, case, file, sha256, size, format, urls or path. ``case`` is None where
    all of the entrypoint is meant, ``file`` (a name) where all of the case is.
    """

    entrypoint: str
    case: str | None
    file: str | None
    what: str
    locked: str | None
    found: str | None


@dataclass(frozen=True)
class NotCompared:
    """An entrypoint, or one case of it, of which this run proved nothing to compare."""

    entrypoint: str
    case: str | None
    reason: str


@dataclass(frozen=True)
class LockReport:
    """What ``--locked`` came to; ``compared`` counts cases of entrypoints."""

    compared: int
    differences: tuple[Difference, ...] = ()
    not_compared: tuple[NotCompared, ...] = ()
