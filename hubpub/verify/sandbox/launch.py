"""Run as root only: become a throw-away user before bubblewrap starts. Standard library alone.

A process whose outer user id is 0 may write ``/proc/sys`` although bwrap gave it another id
inside, and ``RLIMIT_NPROC`` does not bind it. So: a private mount namespace in which the paths the
sandbox needs are bound where the throw-away user can reach them (a Python below /root is not
readable for it), then a plain user without groups, capabilities or new privileges, then bwrap.

Usage: ``python -I launch.py '{"uid": N, "sources": ["/path", ...], "argv": ["bwrap", ...]}'``; the
i-th source is bound at :data:`POOL`/i.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys

POOL = "/tmp"
_CLONE_NEWNS = 0x00020000
_MS_REC, _MS_BIND, _MS_PRIVATE = 0x4000, 0x1000, 0x40000
_MS_NOSUID, _MS_NODEV = 0x2, 0x4
_PR_SET_NO_NEW_PRIVS = 38


def pooled(index: int) -> str:
    """Where the ``index``-th source is bound."""
    return f"{POOL}/{index}"


def main() -> None:
    """Read the request from the command line and become bwrap."""
    request = json.loads(sys.argv[1])
    libc = ctypes.CDLL(None, use_errno=True)
    _check(libc.unshare(_CLONE_NEWNS), "unshare")
    _mount(libc, "none", "/", None, _MS_REC | _MS_PRIVATE)
    # Held open first: the tmpfs below may cover the sources themselves.
    held = [os.open(source, os.O_PATH | os.O_CLOEXEC) for source in request["sources"]]
    kinds = [os.path.isdir(source) for source in request["sources"]]
    _mount(libc, "tmpfs", POOL, "tmpfs", _MS_NOSUID | _MS_NODEV)
    for index, (descriptor, is_directory) in enumerate(zip(held, kinds, strict=True)):
        target = pooled(index)
        if is_directory:
            os.mkdir(target)
        else:
            os.close(os.open(target, os.O_CREAT | os.O_EXCL))
        _mount(libc, f"/proc/self/fd/{descriptor}", target, None, _MS_BIND | _MS_REC)
        os.close(descriptor)
    os.setgroups([])
    os.setresgid(request["uid"], request["uid"], request["uid"])
    os.setresuid(request["uid"], request["uid"], request["uid"])
    _check(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl")
    os.chdir("/")
    os.execv(request["argv"][0], request["argv"])


def _mount(libc: ctypes.CDLL, source: str, target: str, kind: str | None, flags: int) -> None:
    name = None if kind is None else kind.encode()
    result = libc.mount(source.encode(), target.encode(), name, ctypes.c_ulong(flags), None)
    _check(result, f"mount {target}")


def _check(result: int, what: str) -> None:
    if result != 0:
        sys.exit(f"hubpub launch: {what}: {os.strerror(ctypes.get_errno())}")


if __name__ == "__main__":
    main()
