"""What the report says of a GPU that jobs ran on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Accelerator:
    """A GPU as a probe in the sandbox saw it, and the driver's version as the parent reads it."""

    device: str
    name: str | None = None
    capability: str | None = None
    driver: str | None = None
    runtime: str | None = None
    total_bytes: int | None = None
