"""What a job may use. Every figure has a flag; the repository under test can widen none."""

from __future__ import annotations

from dataclasses import dataclass

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30


@dataclass(frozen=True)
class Limits:
    """Bounds of one run. Seconds, bytes and counts; per job unless said otherwise."""

    timeout_s: float = 600.0
    deadline_s: float = 3600.0
    """Of the whole run."""
    cpu_s: int = 1200
    memory_bytes: int = 8 * GIB
    """Of the process tree: proportional set size."""
    disk_bytes: int = 16 * GIB
    files: int = 20_000
    processes: int = 256
    output_bytes: int = 64 * MIB
    """Written to stdout and stderr together before the job is killed."""
    download_bytes: int = 16 * GIB
    """Received through the proxy."""
    max_entrypoints: int = 1000
    """Of the whole run; more is a finding."""
