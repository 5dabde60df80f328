"""The system calls that code under test may not make, as a classic BPF program for bwrap.

A deny-list on top of namespaces, an empty capability set and ``no_new_privs``: it takes away
kernel surface that a model never needs, and the few calls that would let a job reach its
supervisor, which runs under the same user (``ptrace``, ``prlimit64`` and ``setpriority`` on another
process). Numbers are from the kernel's ``syscall_64.tbl`` and ``asm-generic/unistd.h``; layout from
``linux/seccomp.h`` and ``linux/bpf_common.h``.
"""

from __future__ import annotations

import errno
import struct

AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_ARCH_COLUMN = {"x86_64": 0, "aarch64": 1}

_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_LOAD, _JEQ, _JGE, _JSET, _RET = 0x20, 0x15, 0x35, 0x45, 0x06
_NR, _ARCH = 0, 4
_ARG = (16, 24)  # low words of the first two arguments, little endian

_X32_BIT = 0x40000000
_CLONE_NEW = 0x7E020080  # every CLONE_NEW* flag
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
_FAMILIES = (1, 2, 10)  # AF_UNIX, AF_INET, AF_INET6

# name -> (x86_64, aarch64); None where the architecture has no such call.
DENIED: dict[str, tuple[int | None, int | None]] = {
    "acct": (163, 89),
    "add_key": (248, 217),
    "adjtimex": (159, 171),
    "bpf": (321, 280),
    "chroot": (161, 51),
    "clock_adjtime": (305, 266),
    "clock_settime": (227, 112),
    "delete_module": (176, 106),
    "fanotify_init": (300, 262),
    "finit_module": (313, 273),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "init_module": (175, 105),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "ioperm": (173, None),
    "iopl": (172, None),
    "ioprio_set": (251, 30),
    "kcmp": (312, 272),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "migrate_pages": (256, 238),
    "mknod": (133, None),
    "mknodat": (259, 33),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "move_pages": (279, 239),
    "mq_open": (240, 180),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "perf_event_open": (298, 241),
    "personality": (135, 92),
    "pidfd_getfd": (438, 438),
    "pivot_root": (155, 41),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "reboot": (169, 142),
    "request_key": (249, 218),
    "setdomainname": (171, 162),
    "sethostname": (170, 161),
    "setns": (308, 268),
    "settimeofday": (164, 170),
    "swapoff": (168, 225),
    "swapon": (167, 224),
    "syslog": (103, 116),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "userfaultfd": (323, 282),
    "vhangup": (153, 58),
}
# Calls that are allowed on the caller itself (first argument 0) and on nobody else.
SELF_ONLY: dict[str, tuple[int, int]] = {
    "prlimit64": (302, 261),
    "sched_setattr": (314, 274),
    "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119),
}
_KILL_CALL, _ALL = (62, 129), 0xFFFFFFFF  # kill(-1, ...)
_CLONE, _CLONE3 = (56, 220), (435, 435)
_SETSID = (112, 157)
_SETAFFINITY = (203, 122)
_SOCKET, _IOCTL, _SETPRIORITY = (41, 198), (16, 29), (141, 140)


def program(machine: str, *, own_pids: bool = True) -> bytes:
    """The BPF program for ``machine`` (``os.uname().machine``), as ``bwrap --seccomp`` reads it.

    Without a pid namespace of its own (``own_pids``) a process may not signal all others at once.

    Raises:
        KeyError: an architecture whose system call numbers are not known here.
    """
    column = _ARCH_COLUMN[machine]
    code = [_op(_LOAD, _ARCH), _op(_JEQ, AUDIT_ARCH[machine], 1, 0), _op(_RET, _KILL)]
    code.append(_op(_LOAD, _NR))
    if machine == "x86_64":
        code += [_op(_JGE, _X32_BIT, 0, 1), _op(_RET, _KILL)]
    for numbers in DENIED.values():
        number = numbers[column]
        if number is not None:
            code += _when(number, [_deny(errno.EPERM)])
    # glibc falls back to clone, whose flags a filter can read; clone3 keeps them in memory.
    code += _when(_CLONE3[column], [_deny(errno.ENOSYS)])
    code += _when(
        _CLONE[column],
        [_op(_LOAD, _ARG[0]), _op(_JSET, _CLONE_NEW, 0, 1), _deny(errno.EPERM), _allow()],
    )
    # Does nothing and says it worked: programs that ask for a session need none, but where the
    # kernel shares the CPU out by session (autogroup) each would get as much as the supervisor.
    code += _when(_SETSID[column], [_deny(0)])
    code += _when(_SOCKET[column], [_op(_LOAD, _ARG[0]), *_one_of(_FAMILIES, errno.EAFNOSUPPORT)])
    for calls in SELF_ONLY.values():
        code += _when(calls[column], [_op(_LOAD, _ARG[0]), *_one_of((0,), errno.EPERM)])
    if not own_pids:
        everyone = [_op(_LOAD, _ARG[0]), _op(_JEQ, _ALL, 0, 1), _deny(errno.EPERM), _allow()]
        code += _when(_KILL_CALL[column], everyone)
    # Not on the supervisor; a thread of one's own has a number.
    code += _when(
        _SETAFFINITY[column],
        [_op(_LOAD, _ARG[0]), _op(_JEQ, 1, 0, 1), _deny(errno.EPERM), _allow()],
    )
    code += _when(
        _SETPRIORITY[column],
        [
            _op(_LOAD, _ARG[0]),
            _op(_JEQ, 0, 1, 0),
            _deny(errno.EPERM),
            _op(_LOAD, _ARG[1]),
            *_one_of((0,), errno.EPERM),
        ],
    )
    code += _when(
        _IOCTL[column],
        [
            _op(_LOAD, _ARG[1]),
            _op(_JEQ, _TIOCSTI, 1, 0),
            _op(_JEQ, _TIOCLINUX, 0, 1),
            _deny(errno.EPERM),
            _allow(),
        ],
    )
    return b"".join([*code, _allow()])


def _op(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)


def _allow() -> bytes:
    return _op(_RET, _ALLOW)


def _deny(error: int) -> bytes:
    return _op(_RET, _ERRNO | error)


def _when(number: int, body: list[bytes]) -> list[bytes]:
    """``body``, which always returns, for one system call; jumped over for every other."""
    return [_op(_JEQ, number, 0, len(body)), *body]


def _one_of(values: tuple[int, ...], error: int) -> list[bytes]:
    """Allow the loaded word when it is one of ``values``, else fail with ``error``."""
    tests = [_op(_JEQ, value, len(values) - index) for index, value in enumerate(values)]
    return [*tests, _deny(error), _allow()]
