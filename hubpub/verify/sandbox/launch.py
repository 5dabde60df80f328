"""Run before bubblewrap where that alone is not enough. Standard library alone.

As root: become a throw-away user. A process whose outer user id is 0 may write ``/proc/sys``
although bwrap gave it another id inside, and ``RLIMIT_NPROC`` does not bind it. So: a private mount
namespace in which the paths the sandbox needs are bound where the throw-away user can reach them (a
Python below /root is not readable for it), then a plain user without groups, capabilities or new
privileges, then bwrap.

As an ordinary user, for a bwrap that cannot bound the size of a file system in memory: the same in
a user namespace of its own, in which those are mounted.

Usage: ``python -I launch.py '{"uid": N, "sources": ["/path", ...], "sized": [BYTES, ...],
"argv": ["bwrap", ...]}'``; the i-th source is bound at :data:`POOL`/i, the i-th file system of that
size at :data:`POOL`/si. Without a ``uid`` the user stays who it is.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys

POOL = "/tmp"
_CLONE_NEWNS, _CLONE_NEWUSER = 0x00020000, 0x10000000
_MS_REC, _MS_BIND, _MS_PRIVATE = 0x4000, 0x1000, 0x40000
_MS_NOSUID, _MS_NODEV = 0x2, 0x4
_PR_SET_NO_NEW_PRIVS = 38


def pooled(index: int) -> str:
    """Where the ``index``-th source is bound."""
    return f"{POOL}/{index}"


def sized(index: int) -> str:
    """Where the ``index``-th file system of a given size is mounted."""
    return f"{POOL}/s{index}"


def main() -> None:
    """Read the request from the command line and become bwrap."""
    request = json.loads(sys.argv[1])
    uid = request["uid"]
    libc = ctypes.CDLL(None, use_errno=True)
    if uid is None:
        _own_user_namespace(libc)
    else:
        _check(libc.unshare(_CLONE_NEWNS), "unshare")
    _mount(libc, "none", "/", None, _MS_REC | _MS_PRIVATE)
    # Held open first: the tmpfs below may cover the sources themselves.
    sources = [*request["sources"], request["argv"][0]]
    held = [os.open(source, os.O_PATH | os.O_CLOEXEC) for source in sources]
    kinds = [os.path.isdir(source) for source in sources]
    _mount(libc, "tmpfs", POOL, "tmpfs", _MS_NOSUID | _MS_NODEV)
    for index, (descriptor, is_directory) in enumerate(zip(held, kinds, strict=True)):
        target = pooled(index)
        if is_directory:
            os.mkdir(target)
        else:
            os.close(os.open(target, os.O_CREAT | os.O_EXCL))
        _mount(libc, f"/proc/self/fd/{descriptor}", target, None, _MS_BIND | _MS_REC)
        os.close(descriptor)
    for index, size in enumerate(request["sized"]):
        os.mkdir(sized(index))
        options = f"size={size},mode=1777"
        _mount(libc, "tmpfs", sized(index), "tmpfs", _MS_NOSUID | _MS_NODEV, options)
    if uid is not None:
        _become(uid)
    _check(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl")
    os.chdir("/")
    program = request["argv"][0]
    if not os.access(program, os.X_OK):  # below /root, or covered
        program = pooled(len(sources) - 1)
    # No environment: this Python may have set LC_CTYPE for itself.
    os.execve(program, request["argv"], {})


def _own_user_namespace(libc: ctypes.CDLL) -> None:
    uid, gid = os.geteuid(), os.getegid()
    _check(libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNS), "unshare")
    try:
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", f"{uid} {uid} 1"),
            ("gid_map", f"{gid} {gid} 1"),
        ):
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
                file.write(text)
    except OSError as error:
        # AppArmor of Ubuntu 23.10 refuses here, as it refuses bwrap.
        sys.exit(f"hubpub launch: setting up uid map: {error.strerror}")


def _become(uid: int) -> None:
    try:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    except OSError as error:
        sys.exit(f"hubpub launch: become user {uid}: {error.strerror}")


def _mount(
    libc: ctypes.CDLL, source: str, target: str, kind: str | None, flags: int, options: str = ""
) -> None:
    name = None if kind is None else kind.encode()
    data = options.encode() or None
    result = libc.mount(source.encode(), target.encode(), name, ctypes.c_ulong(flags), data)
    _check(result, f"mount {target}")


def _check(result: int, what: str) -> None:
    if result != 0:
        sys.exit(f"hubpub launch: {what}: {os.strerror(ctypes.get_errno())}")


if __name__ == "__main__":
    main()
