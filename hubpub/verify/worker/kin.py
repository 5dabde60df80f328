"""Which processes a job is made of: in a pid namespace all others, without one the descendants.

Without a pid namespace ``kill(-1)`` would reach everything of the user's, so nothing here ever
signals a process that was not started, at whatever remove, by the given one.
"""

from __future__ import annotations

import contextlib
import os
import signal

FIRST = 1


def others(root: int) -> list[int]:
    """The processes below ``root``, which is the caller or the first process of a sandbox."""
    if root == FIRST:
        return [int(name) for name in os.listdir("/proc") if name.isdigit() and name != "1"]
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            children.setdefault(_parent(name), []).append(int(name))
    found, below = [], [root]
    while below:
        own = children.pop(below.pop(), [])
        found += own
        below += own
    return found


def kill(root: int) -> None:
    """Send SIGKILL to every process below ``root``."""
    if root == FIRST:
        with contextlib.suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)
        return
    for pid in others(root):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def _parent(pid: str) -> int:
    """The parent of ``pid``; 0 where it is gone."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/stat", "rb") as file:
        # The name of a program may hold anything, also brackets: the fields follow the last one.
        return int(file.read().rpartition(b")")[2].split()[1])
    return 0
