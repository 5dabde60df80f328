"""Is this a sandbox? Asked of every one before any code of the repository can run in it.

What the parent can read of the sandbox's first process it reads itself, from ``/proc``; the rest
(interfaces, ``/proc/sys``) the supervisor reports while it is still alone and trusted.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_NAMESPACES = ("user", "pid", "net", "mnt", "ipc", "uts")


@dataclass(frozen=True)
class Surroundings:
    """What was found: feature -> whether it holds, and the user id outside (never 0)."""

    features: Mapping[str, bool]
    outer_uid: int

    @property
    def missing(self) -> tuple[str, ...]:
        """The features that do not hold; a sandbox that lacks one is refused."""
        return tuple(name for name, holds in self.features.items() if not holds)


def surroundings(pid: int, hello: Mapping[str, Any]) -> Surroundings:
    """Look at the sandbox whose first process is ``pid`` here and said ``hello``.

    Raises:
        OSError: the process is gone.
    """
    status = _status(pid)
    outer_uid = int(status["Uid"].split()[0])
    features = {f"{name}_namespace": _own_namespace(pid, name) for name in _NAMESPACES}
    features |= {
        "first_process": hello["pid"] == 1,
        "no_network_but_loopback": hello["interfaces"] == ["lo"],
        "proc_sys_read_only": not hello["proc_sys_writable"],
        "seccomp": status.get("Seccomp") == "2",
        "no_new_privileges": status.get("NoNewPrivs") == "1",
        "no_capabilities": int(status["CapEff"], 16) == 0 and int(status["CapBnd"], 16) == 0,
        "outer_user_is_not_root": outer_uid != 0,
    }
    return Surroundings(features, outer_uid)


def _own_namespace(pid: int, name: str) -> bool:
    theirs = os.readlink(f"/proc/{pid}/ns/{name}")  # noqa: PTH115
    return theirs != os.readlink(f"/proc/self/ns/{name}")  # noqa: PTH115


def _status(pid: int) -> dict[str, str]:
    text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace")
    pairs = (line.split(":", 1) for line in text.splitlines() if ":" in line)
    return {key: value.strip() for key, value in pairs}
