"""The supervisor's eyes on a running job: processes, memory, disk and time, cheapest first."""

from __future__ import annotations

import contextlib
import os
import time
from typing import Any

_DISK_EVERY_S = 0.1
_BLOCK_BYTES = 512  # of st_blocks, whatever the file system's own block size is
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_DEPTH = 64


class Watch:
    """Bounds of one job, and the peak of its memory so far (bytes)."""

    def __init__(self, request: dict[str, Any], child: int) -> None:
        self._limits = request["limits"]
        self._directory = request["directory"]
        self._started = time.monotonic()
        self._next_disk = self._started
        self.peak = proportional_bytes(child)

    def exceeded(self) -> str:
        """The first limit that the job has passed, or an empty string."""
        pids = processes()
        if len(pids) > self._limits["processes"]:
            return "pids"
        now = time.monotonic()
        if now - self._started > self._limits["timeout_s"]:
            return "timeout"
        self.peak = max(self.peak, sum(map(proportional_bytes, pids)))
        if self.peak > self._limits["memory_bytes"]:
            return "memory"
        if now >= self._next_disk:
            reason = self._disk()
            self._next_disk = time.monotonic() + _DISK_EVERY_S
            return reason
        return ""

    def _disk(self) -> str:
        used, files = usage(self._directory, self._limits["files"])
        if files > self._limits["files"]:
            return "files"
        return "disk" if used > self._limits["disk_bytes"] else ""


def processes() -> list[int]:
    """Every process of this pid namespace but the supervisor."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and name != "1"]


def proportional_bytes(pid: int) -> int:
    """Proportional set size of ``pid``: pages shared after a fork count once in a sum.

    Falls back to the resident size where the process hides its maps, and to 0 when it is gone.
    """
    gone = contextlib.suppress(OSError, ValueError, IndexError)
    with gone, open(f"/proc/{pid}/smaps_rollup", "rb") as file:
        for line in file:
            if line.startswith(b"Pss:"):
                return int(line.split()[1]) << 10
    with gone, open(f"/proc/{pid}/statm", "rb") as file:
        return int(file.read().split()[1]) * _PAGE_BYTES
    return 0


def usage(directory: str, most_files: int) -> tuple[int, int]:
    """Bytes on disk and number of files below ``directory``, without following any link.

    Directories are opened relative to their parent, so one that is swapped for a link while the
    walk goes on is refused rather than followed. Stops early past ``most_files``.
    """
    used = files = 0
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    stack: list[tuple[int, int]] = []
    with contextlib.suppress(OSError):
        stack.append((os.open(directory, flags), 0))
    while stack:
        descriptor, depth = stack.pop()
        with contextlib.suppress(OSError), os.scandir(descriptor) as entries:
            for entry in entries:
                files += 1
                with contextlib.suppress(OSError):
                    used += entry.stat(follow_symlinks=False).st_blocks * _BLOCK_BYTES
                    if entry.is_dir(follow_symlinks=False) and depth < _DEPTH:
                        stack.append((os.open(entry.name, flags, dir_fd=descriptor), depth + 1))
                if files > most_files:
                    break
        os.close(descriptor)
        if files > most_files:
            break
    for descriptor, _ in stack:
        os.close(descriptor)
    return used, files
