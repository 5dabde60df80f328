"""What a job holds that no directory shows: deleted files, memory files, segments, sockets.

A file without a name lives as long as something refers to it: a descriptor of any thread, a
mapping, a message on its way through a socket. Descriptors tell the size of what they refer to; a
mapping and a message do not. Where there is one of those, or a process that shows nothing of
itself, the job is :attr:`Unseen.hiding` and is judged by what the whole machine has less than
before (:class:`Machine`).
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field

from . import kin

BLOCK_BYTES = 512  # of st_blocks, whatever the file system's own block size is
TEMPORARY = ("/tmp", "/dev/shm", "/home")
_MOST_DESCRIPTORS, _MOST_MAPS_BYTES = 10_000, 4 << 20  # of one look: the supervisor must go on
_FREE_SOCKETS, _SOCKET_BYTES = 256, 1 << 20


@dataclass
class Unseen:
    """One look at the descriptors and mappings of a job. Bytes.

    ``disk`` of deleted files in the scratch, ``memory`` of memory files (memfd). ``hides_disk`` and
    ``hides_memory`` where there is something whose size cannot be read.
    """

    scratch: int
    """Device number of the scratch."""
    disk: int = 0
    memory: int = 0
    hides_disk: bool = False
    hides_memory: bool = False
    _temporary: set[int] = field(default_factory=lambda: {os.stat(at).st_dev for at in TEMPORARY})
    _seen: set[tuple[int, int]] = field(default_factory=set)
    _descriptors: int = 0
    _maps_bytes: int = 0

    def look(self, pid: int) -> None:
        """Count what ``pid`` holds, each file once."""
        if self._descriptors <= _MOST_DESCRIPTORS and self._maps_bytes <= _MOST_MAPS_BYTES:
            for folder in self._tables(pid):
                self._table(folder)
            self._mappings(pid)
        if self._descriptors > _MOST_DESCRIPTORS or self._maps_bytes > _MOST_MAPS_BYTES:
            self._hides()

    def _hides(self) -> None:
        self.hides_disk = self.hides_memory = True

    def _tables(self, pid: int) -> Iterator[str]:
        """The descriptor tables of ``pid``: a thread may have one of its own."""
        with contextlib.suppress(OSError):
            for thread in os.listdir(f"/proc/{pid}/task"):
                yield f"/proc/{pid}/task/{thread}"

    def _table(self, folder: str) -> None:
        try:
            names = os.listdir(f"{folder}/fd")
        except PermissionError:
            self._hides()  # a process can make itself unreadable (PR_SET_DUMPABLE)
            return
        except OSError:
            return
        for name in names:
            self._descriptors += 1
            if self._descriptors > _MOST_DESCRIPTORS:
                return
            with contextlib.suppress(OSError):
                self._descriptor(folder, name)

    def _descriptor(self, folder: str, name: str) -> None:
        found = os.stat(f"{folder}/fd/{name}")
        key = (found.st_dev, found.st_ino)
        if key in self._seen:
            return
        self._seen.add(key)
        if stat.S_ISSOCK(found.st_mode):
            if _in_flight(f"{folder}/fdinfo/{name}"):
                self._hides()
        elif found.st_nlink == 0 and found.st_dev == self.scratch:
            self.disk += found.st_blocks * BLOCK_BYTES
        elif found.st_nlink == 0 and found.st_dev not in self._temporary:
            # Not on a file system that is mounted here: the kernel's own, of memory.
            self.memory += found.st_blocks * BLOCK_BYTES

    def _mappings(self, pid: int) -> None:
        try:
            with open(f"/proc/{pid}/maps", "rb") as file:
                text = file.read(_MOST_MAPS_BYTES + 1)
        except PermissionError:
            self._hides()
            return
        except OSError:
            return
        self._maps_bytes += len(text)
        if b"(deleted)" not in text:
            return
        # Of all that ends a line, the kernel spells this one out in the names of files, no other.
        for line in text.split(b"\n"):
            if line.endswith(b"(deleted)"):
                major, minor = (int(part, 16) for part in line.split()[3].split(b":"))
                if os.makedev(major, minor) == self.scratch:
                    self.hides_disk = True
                else:
                    self.hides_memory = True


def _in_flight(path: str) -> bool:
    """Whether descriptors wait to be received from the socket whose ``fdinfo`` is ``path``."""
    with open(path, "rb") as file:
        for line in file:
            if line.startswith(b"scm_fds:"):
                return int(line.split()[1]) > 0
    return False


def temporary_bytes() -> int:
    """Memory in the temporary file systems of the sandbox, deleted files of theirs included.

    Without a sandbox (tier none) these places are the machine's, and may lie on a disk: nothing.
    """
    if os.getpid() != kin.FIRST:
        return 0
    found = map(os.statvfs, TEMPORARY)
    return sum((place.f_blocks - place.f_bfree) * place.f_frsize for place in found)


def segment_bytes() -> int:
    """Resident memory of the System V segments of this sandbox."""
    total = 0
    with open("/proc/sysvipc/shm", "rb") as file:
        column = file.readline().split().index(b"rss")
        for line in file:
            total += int(line.split()[column])
    return total


def socket_bytes() -> int:
    """The most that the sockets of this sandbox may hold on their way, beyond an honest number.

    The kernel shows no sum for Unix sockets, only how many sockets there are.
    """
    with open("/proc/net/sockstat", "rb") as file:
        used = int(file.readline().split()[2])
    most = _SOCKET_BYTES
    with contextlib.suppress(OSError, ValueError), open("/proc/sys/net/core/wmem_max") as file:
        most = max(most, 2 * int(file.read()))  # the kernel doubles what a program asks for
    return max(0, used - _FREE_SOCKETS) * most


@dataclass(frozen=True)
class Machine:
    """What the whole machine has, for a job that hides: free disk of the scratch, shared memory."""

    free_disk: int
    shared_memory: int


def machine(directory: str) -> Machine:
    """Look at the machine now; ``directory`` lies in the scratch. Bytes."""
    place = os.statvfs(directory)
    shared = 0
    with open("/proc/meminfo", "rb") as file:
        for line in file:
            if line.startswith(b"Shmem:"):
                shared = int(line.split()[1]) << 10
    return Machine(place.f_bfree * place.f_frsize, shared)
