"""A control group (version 2) around a sandbox, where this user can make one.

The kernel then keeps the memory and the tasks of everything inside, kernel memory included, which
the supervisor's watch cannot see. The watch goes on: it knows why a job ended, and when.

A group is made below the nearest group of ours that hands memory and pids on to its children
(``cgroup.subtree_control``); a group that has processes of its own cannot, so that is usually the
parent: a systemd user's ``app.slice``, or anything for root.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

from hubpub.verify.limits import MIB, Limits

_NEEDED = {"memory", "pids"}
_OWN_BYTES = 1024 * MIB
"""Beside a job's own: the supervisor with torch in it, and pages on their way to the disk."""
_OWN_TASKS = 128 + 8  # threads count, as they do for RLIMIT_NPROC (worker/job.py)
_EMPTY_S = 2.0


def parent(proc: Path = Path("/proc/self")) -> Path | None:
    """The directory in which a group for a sandbox can be made; None where there is none.

    Args:
        proc: our own directory of ``/proc``, for its ``cgroup`` and ``mountinfo``.
    """
    try:
        lines = (proc / "cgroup").read_text(encoding="utf-8").splitlines()
        mounts = (proc / "mountinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    own = next((line[3:] for line in lines if line.startswith("0::/")), None)
    root = next(filter(None, map(_mounted, mounts)), None)
    if own is None or root is None or ".." in own.split("/"):
        return None
    place = root / own.lstrip("/")
    for group in (place, *place.parents):
        if _usable(group):
            return group
        if group == root:
            break
    return None


def _mounted(line: str) -> Path | None:
    """Where version 2 is mounted, of a line of ``mountinfo``: proc_pid_mountinfo(5)."""
    before, _, after = line.partition(" - ")
    fields = before.split()
    if after.split()[:1] != ["cgroup2"] or len(fields) < 5 or fields[3] != "/":
        return None
    return Path(fields[4].replace("\\040", " "))


def _usable(group: Path) -> bool:
    try:
        handed_on = set((group / "cgroup.subtree_control").read_text(encoding="ascii").split())
    except OSError:
        return False
    # To move a process takes the right to write to the group above both places.
    writable = os.access(group, os.W_OK) and os.access(group / "cgroup.procs", os.W_OK)
    return handed_on >= _NEEDED and writable


@dataclass(frozen=True)
class Group:
    """A group of ours; ``path`` is its directory."""

    path: Path

    def bound(self, limits: Limits) -> None:
        """Set what everything inside may use together.

        Raises:
            OSError: the kernel refuses.
        """
        self._write("memory.max", str(limits.memory_bytes + _OWN_BYTES))
        with contextlib.suppress(OSError):  # where there is no swap there is no such file
            self._write("memory.swap.max", "0")
        self._write("pids.max", str(limits.processes + _OWN_TASKS))

    def join(self, pid: int) -> None:
        """Put a process into it; what it starts from now on is in it too.

        Raises:
            OSError: the kernel refuses, or the process is gone.
        """
        self._write("cgroup.procs", str(pid))

    def kills(self) -> int:
        """How many processes the kernel has killed in it for want of memory."""
        with contextlib.suppress(OSError, ValueError):
            for line in (self.path / "memory.events").read_text(encoding="ascii").splitlines():
                name, _, count = line.partition(" ")
                if name == "oom_kill":
                    return int(count)
        return 0

    def remove(self) -> None:
        """Kill what is left in it and remove it; a group that does not get empty stays."""
        with contextlib.suppress(OSError):
            self._write("cgroup.kill", "1")
        deadline = time.monotonic() + _EMPTY_S
        while not self._gone() and time.monotonic() < deadline:
            time.sleep(0.01)

    def _gone(self) -> bool:
        with contextlib.suppress(OSError):
            self.path.rmdir()
        return not self.path.exists()

    def _write(self, name: str, text: str) -> None:
        # Never creates: a file that is not there is a controller that is not there.
        descriptor = os.open(self.path / name, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(descriptor, text.encode("ascii"))
        finally:
            os.close(descriptor)


def around(pid: int, limits: Limits, above: Path | None) -> Group | None:
    """A group below ``above`` with ``pid`` in it, bounded; None where the kernel refuses."""
    if above is None:
        return None
    group = Group(above / f"hubpub-{os.getpid()}-{secrets.token_hex(4)}")
    try:
        group.path.mkdir()
    except OSError:
        return None
    try:
        group.bound(limits)
        group.join(pid)
    except OSError:
        group.remove()
        return None
    return group
