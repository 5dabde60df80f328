"""The supervisor's eyes on a running job: processes, memory, disk and time, cheapest first."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from typing import Any

from . import kin

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


class Shared:
    """The places that all jobs of a sandbox can write to beside their own directories.

    What a job leaves there (a file in /tmp, a System V segment) outlives it. The temporary file
    systems count their blocks and inodes, so nothing has to be walked.
    """

    def __init__(self) -> None:
        self._before = _free()
        self._jobs: set[str] = set()

    def untouched(self, directory: str) -> bool:
        """Whether nothing was left outside ``directory``, which the last job was given."""
        folder, name = os.path.split(directory)
        self._jobs.add(name)
        if set(os.listdir(folder)) - self._jobs or _free() != self._before:
            return False
        return not any(map(_segments, ("shm", "sem", "msg")))


def _free() -> list[tuple[int, int]]:
    found = map(os.statvfs, ("/tmp", "/dev/shm", "/home"))
    return [(place.f_bfree, place.f_ffree) for place in found]


def _segments(kind: str) -> int:
    with open(f"/proc/sysvipc/{kind}", "rb") as file:
        return sum(1 for _ in file) - 1


def processes() -> list[int]:
    """Every process of the job."""
    return kin.others(os.getpid())


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
    # One open directory a level, so that a wide tree takes no more descriptors than a deep one.
    levels: list[tuple[int, Iterator[os.DirEntry[str]]]] = []

    def enter(name: str, folder: int | None) -> None:
        with contextlib.suppress(OSError):
            descriptor = os.open(name, flags, dir_fd=folder)
            levels.append((descriptor, os.scandir(descriptor)))

    enter(directory, None)
    while levels:
        descriptor, entries = levels[-1]
        try:
            entry = next(entries, None)
        except OSError:
            entry = None
        if entry is None or files > most_files:
            levels.pop()
            os.close(descriptor)
            continue
        files += 1
        with contextlib.suppress(OSError):
            used += entry.stat(follow_symlinks=False).st_blocks * _BLOCK_BYTES
            if entry.is_dir(follow_symlinks=False):
                if len(levels) > _DEPTH:
                    files = most_files + 1  # too deep to be watched: a way to hide from the count
                else:
                    enter(entry.name, descriptor)
    return used, files
