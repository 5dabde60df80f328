"""Becomes the supervisor where bubblewrap does not build its surroundings. Standard library alone.

It gives up new privileges, installs the system call filter, adopts what its children leave behind,
reaches the parent (a descriptor, or the path of a socket that is bound into a container) and runs
the same supervisor as every tier.

Usage: ``python -I -B enter.py '{"control": FD or "/path", "filter": "HEX", "environment": {},
"worker": "/folder", "paths": ["/site-packages"], "port": N}'``; port 0 takes a free one.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import signal
import socket
import sys

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP = 1, 36, 38, 22
_FILTER = 2


class _Program(ctypes.Structure):
    """``struct sock_fprog`` of ``linux/filter.h``."""

    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_char_p))


def main() -> None:
    """Read the request from the command line and serve jobs."""
    request = json.loads(sys.argv[1])
    os.environ.clear()
    os.environ.update(request["environment"])
    control = _connect(request["control"])
    if os.getpid() != 1:
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, "parent's end")
        _prctl(_PR_SET_CHILD_SUBREAPER, 1, "subreaper")
    _prctl(_PR_SET_NO_NEW_PRIVS, 1, "no new privileges")
    code = bytes.fromhex(request["filter"])
    program = _Program(len(code) // 8, code)
    _prctl(_PR_SET_SECCOMP, _FILTER, "seccomp", ctypes.byref(program))
    sys.path.insert(0, request["worker"])
    supervisor = importlib.import_module("hubpub_worker.supervisor")
    setattr(supervisor, "PROXY_PORT", request["port"])  # noqa: B010 - known at run time only
    sys.argv[1:] = [str(control), *request["paths"]]
    supervisor.main()


def _connect(control: int | str) -> int:
    if isinstance(control, int):
        return control
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as parent:
        parent.connect(control)
        return parent.detach()


def _prctl(option: int, value: int, what: str, pointer: object = None) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, ctypes.c_ulong(value), pointer or ctypes.c_ulong(0), 0, 0) != 0:
        sys.exit(f"hubpub enter: {what}: {os.strerror(ctypes.get_errno())}")


if __name__ == "__main__":
    main()
