"""What a job may use. Every figure has a flag; the repository under test can widen none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

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

    def lowered(self, wanted: Mapping[str, float]) -> tuple[Limits, dict[str, float]]:
        """These limits, lower where ``wanted`` is; and what of it is higher, which does not count.

        Args:
            wanted: seconds, bytes and counts of a job, by the name of the flag.
        """
        lower, higher = {}, {}
        for flag, value in wanted.items():
            if value > self.of(flag):
                higher[flag] = value
            else:
                lower[_OF_A_JOB[flag]] = value
        return replace(self, **lower), higher  # type: ignore[arg-type]

    def of(self, flag: str) -> float:
        """The limit of a job that ``flag`` sets."""
        found: float = getattr(self, _OF_A_JOB[flag])
        return found


_OF_A_JOB = {
    "timeout": "timeout_s",
    "cpu-time": "cpu_s",
    "memory": "memory_bytes",
    "disk": "disk_bytes",
    "files": "files",
    "processes": "processes",
    "output-limit": "output_bytes",
    "download-limit": "download_bytes",
}
