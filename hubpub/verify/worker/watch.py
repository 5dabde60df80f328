"""The supervisor's eyes on a running job: processes, time, memory and disk, cheapest first."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Sequence
from typing import Any

from . import kin, unseen

_LOOK_EVERY_S = 0.1
_BREATH_S = 0.05  # the longest without counting processes
_PAUSE = 4  # a costly look is followed by so many times its own length without another
_PROGRESS_S = 0.05  # less CPU time than this, for half the time limit, is a job that hangs
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_TICKS = os.sysconf("SC_CLK_TCK")
_DEPTH = 64


class Watch:
    """Bounds of one job, and the peak of its memory so far (bytes). Made before the job starts."""

    def __init__(self, request: dict[str, Any]) -> None:
        self._limits = request["limits"]
        # The whole scratch: a job can write beside its own directory.
        self._scratch = os.path.dirname(request["directory"])
        self._device = os.stat(self._scratch).st_dev
        self._before = usage(self._scratch, self._limits["files"])
        self._machine = unseen.machine(self._scratch)
        # Without a sandbox of its own (tier none) a job shares these with the whole machine.
        self._idle = unseen.temporary_bytes() + unseen.segment_bytes(), unseen.socket_bytes()
        self._next_look = self._next_pages = self._progress_at = self._started = time.monotonic()
        self._progress = self._next_glance = self._spared = 0.0
        self._kept = unseen.Unseen(self._device)
        self.reaped_s = 0.0
        """CPU seconds of dead processes that the supervisor reaped."""
        self.peak = 0

    def exceeded(self) -> str:
        """The first limit that the job has passed, or an empty string."""
        pids = processes()
        if len(pids) > self._limits["processes"]:
            return "pids"
        now = time.monotonic()
        self._next_glance = now + _BREATH_S
        cpu = self.reaped_s + sum(map(cpu_seconds, pids))
        if cpu > self._progress + _PROGRESS_S:
            self._progress, self._progress_at = cpu, now
        if now - self._started > self._limits["timeout_s"]:
            return "timeout"
        if cpu > self._limits["cpu_s"]:
            return "cpu"
        return self._memory(pids) or self._look(pids)

    @property
    def hung(self) -> bool:
        """Whether the job has used next to no CPU time for half of its time limit."""
        half_s: float = self._limits["timeout_s"] / 2
        return time.monotonic() - self._progress_at > half_s

    def _memory(self, pids: list[int]) -> str:
        unmapped = unseen.temporary_bytes() + unseen.segment_bytes() - self._idle[0]
        unmapped = self._kept.memory + max(0, unmapped)
        sockets = max(0, unseen.socket_bytes() - self._idle[1])
        # Cheap, and never less than what is really used: pages that are shared count for each.
        most = sum(map(resident_bytes, pids)) + unmapped + sockets
        now = time.monotonic()
        # Where it may be too much, look sooner; never so often that the job gets no turn.
        urgent = most > self._limits["memory_bytes"]
        if now < self._next_pages - (self._spared if urgent else 0.0):
            return ""
        private = shared = 0
        for pid in pids:
            all_pages, shared_pages = pages(pid)
            private += all_pages - shared_pages
            shared += shared_pages
            if reason := self._glance():
                return reason
        ended = time.monotonic()
        self._next_pages = ended + _PAUSE * (ended - now)
        self._spared = (_PAUSE - 1) * (ended - now)
        # What is mapped of these counts once. At worst that halves what a job is charged.
        used = private + max(shared, unmapped)
        self.peak = max(self.peak, used)
        return "memory" if used + sockets > self._limits["memory_bytes"] else ""

    def _glance(self) -> str:
        """Between two steps of what a job can make slow: it must not win time to fork by it.

        To read of a process's memory can wait for that process, which may wait for its turn.
        """
        now = time.monotonic()
        if now < self._next_glance:
            return ""
        self._next_glance = now + _BREATH_S
        if len(processes()) > self._limits["processes"]:
            return "pids"
        return "timeout" if now - self._started > self._limits["timeout_s"] else ""

    def _look(self, pids: list[int]) -> str:
        """What takes longer: the files, with and without a name."""
        started = time.monotonic()
        if started < self._next_look:
            return ""
        self._kept = unseen.Unseen(self._device)
        for pid in pids:
            self._kept.look(pid)
            if reason := self._glance():
                return reason
        before, before_files, _ = self._before
        used, files, closed = usage(self._scratch, self._limits["files"] + before_files)
        ended = time.monotonic()
        self._next_look = ended + max(_LOOK_EVERY_S, _PAUSE * (ended - started))
        if files - before_files > self._limits["files"]:
            return "files"
        if used - before + self._kept.disk > self._limits["disk_bytes"]:
            return "disk"
        return self._hidden(closed)

    def _hidden(self, closed: bool) -> str:
        """Where something cannot be counted, what the machine has less than before decides."""
        now = unseen.machine(self._scratch)
        gone = self._machine.free_disk - now.free_disk
        if (closed or self._kept.hides_disk) and gone > self._limits["disk_bytes"]:
            return "disk"
        grown = now.shared_memory - self._machine.shared_memory
        if self._kept.hides_memory and grown > self._limits["memory_bytes"]:
            return "memory"
        return ""


class Shared:
    """What all jobs of a sandbox can change beside their own directories.

    What a job leaves there (a file in /tmp, a System V segment, a mode) outlives it. The temporary
    file systems count their blocks and inodes, and the kernel stamps a directory at every change
    (``ctime``), which no job can set back; so nothing has to be walked.
    """

    def __init__(self) -> None:
        self._processors = os.sched_getaffinity(0)
        self._before = _state(unseen.TEMPORARY)
        self._mode = -1
        self._scratch = ""
        self._begun: _State = []

    def begin(self, directory: str) -> None:
        """Make a job's directory, whatever an earlier job did to the place where it lies."""
        os.sched_setaffinity(0, self._processors)  # a job inherits it, and can set it
        self._scratch = os.path.dirname(directory)
        mode = os.stat(self._scratch).st_mode & 0o7777
        if self._mode == -1:
            self._mode = mode
        elif mode != self._mode:
            os.chmod(self._scratch, self._mode)
        os.mkdir(directory, 0o700)
        self._begun = _state((self._scratch,))

    def untouched(self) -> bool:
        """Whether the last job changed nothing outside its own directory."""
        if _state((self._scratch,)) != self._begun or _state(unseen.TEMPORARY) != self._before:
            return False
        return not any(map(_segments, ("shm", "sem", "msg")))


_State = list[tuple[int, int, int, int]]


def _state(places: Sequence[str]) -> _State:
    """Mode and last change of each directory; of a file system in memory also what is free."""
    found = []
    for place in places:
        own, whole = os.stat(place), os.statvfs(place)
        free = (whole.f_bfree, whole.f_ffree) if place in unseen.TEMPORARY else (0, 0)
        found.append((own.st_mode, own.st_ctime_ns, *free))
    return found


def _segments(kind: str) -> int:
    with open(f"/proc/sysvipc/{kind}", "rb") as file:
        return sum(1 for _ in file) - 1


def processes() -> list[int]:
    """Every process of the job."""
    return kin.others(os.getpid())


def cpu_seconds(pid: int) -> float:
    """CPU time of ``pid`` and of those of its children that it has waited for; 0 when gone."""
    with contextlib.suppress(OSError, ValueError, IndexError), open(f"/proc/{pid}/stat", "rb") as f:
        # The name in brackets may hold anything, brackets and spaces too.
        fields = f.read().rpartition(b")")[2].split()
        return sum(map(int, fields[11:15])) / _TICKS
    return 0.0


def pages(pid: int) -> tuple[int, int]:
    """Bytes of ``pid`` in memory, and those of them that are shared memory.

    Each page is divided by the number of processes that share it. Falls back to the resident size
    where the process hides its maps, and to 0 when it is gone.
    """
    gone = contextlib.suppress(OSError, ValueError, IndexError)
    found = {b"Pss:": 0, b"Pss_Shmem:": 0}
    with gone, open(f"/proc/{pid}/smaps_rollup", "rb") as file:
        for line in file:
            name, _, rest = line.partition(b" ")
            if name in found:
                found[name] = int(rest.split()[0]) << 10
        if found[b"Pss:"]:
            return found[b"Pss:"], found[b"Pss_Shmem:"]
    return resident_bytes(pid), 0


def resident_bytes(pid: int) -> int:
    """Resident set of ``pid``; 0 when it is gone."""
    with (
        contextlib.suppress(OSError, ValueError, IndexError),
        open(f"/proc/{pid}/statm", "rb") as f,
    ):
        return int(f.read().split()[1]) * _PAGE_BYTES
    return 0


def usage(directory: str, most_files: int) -> tuple[int, int, bool]:
    """Bytes on disk and files below ``directory``, and whether a part of it is closed to us.

    No link is followed: directories are opened relative to their parent, so one that is swapped for
    a link while the walk goes on is refused. Stops early past ``most_files``.
    """
    used, files, closed = 0, 0, False
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    # One open directory a level, so that a wide tree takes no more descriptors than a deep one.
    levels: list[tuple[int, Iterator[os.DirEntry[str]]]] = []

    def enter(name: str, folder: int | None) -> bool:
        """Whether it may be read, or is gone."""
        try:
            descriptor = os.open(name, flags, dir_fd=folder)
        except OSError as error:
            return not isinstance(error, PermissionError)
        levels.append((descriptor, os.scandir(descriptor)))
        return True

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
            used += entry.stat(follow_symlinks=False).st_blocks * unseen.BLOCK_BYTES
            if entry.is_dir(follow_symlinks=False):
                if len(levels) > _DEPTH:
                    files = most_files + 1  # too deep to be watched: a way to hide from the count
                else:
                    closed |= not enter(entry.name, descriptor)
    return used, files, closed
