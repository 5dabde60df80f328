"""The system call filter, run by a small interpreter of classic BPF written for this test."""

from __future__ import annotations

import errno
import struct

import pytest

from hubpub.verify.sandbox.seccomp import AUDIT_ARCH, DENIED, SELF_ONLY, program

ALLOW, KILL = 0x7FFF0000, 0x80000000
EPERM, ENOSYS = 0x50000 | errno.EPERM, 0x50000 | errno.ENOSYS
EAFNOSUPPORT = 0x50000 | errno.EAFNOSUPPORT
COLUMN = {"x86_64": 0, "aarch64": 1}
MACHINES = sorted(AUDIT_ARCH)


def run(code: bytes, arch: int, number: int, *arguments: int) -> int:
    """The filter's verdict on one system call (semantics of linux/bpf_common.h)."""
    padded = [*arguments, *[0] * (6 - len(arguments))]
    data = struct.pack("=IIQ6Q", number, arch, 0, *padded)
    counter = value = 0
    while True:
        operation, if_true, if_false, constant = struct.unpack_from("=HBBI", code, counter * 8)
        counter += 1
        if operation == 0x20:
            (value,) = struct.unpack_from("=I", data, constant)
        elif operation == 0x06:
            return int(constant)
        else:
            holds = {
                0x15: value == constant,
                0x35: value >= constant,
                0x45: bool(value & constant),
            }[operation]
            counter += if_true if holds else if_false


@pytest.mark.parametrize("machine", MACHINES)
def test_every_denied_call_is_denied(machine: str) -> None:
    code = program(machine)
    for name, numbers in DENIED.items():
        number = numbers[COLUMN[machine]]
        if number is not None:
            assert run(code, AUDIT_ARCH[machine], number) == EPERM, name


@pytest.mark.parametrize("machine", MACHINES)
def test_a_call_on_another_process_is_denied_and_on_itself_is_not(machine: str) -> None:
    code, arch = program(machine), AUDIT_ARCH[machine]
    for name, numbers in SELF_ONLY.items():
        number = numbers[COLUMN[machine]]
        assert run(code, arch, number, 0) == ALLOW, name
        assert run(code, arch, number, 1) == EPERM, name


@pytest.mark.parametrize(
    ("call", "arguments", "verdict"),
    [
        ("read", (0,), ALLOW),
        ("clone", (0x11,), ALLOW),
        ("clone", (0x10000000,), EPERM),  # CLONE_NEWUSER
        ("clone", (0x00020000 | 0x11,), EPERM),  # CLONE_NEWNS
        ("clone", (0x00000080,), EPERM),  # CLONE_NEWTIME
        ("clone3", (0,), ENOSYS),
        ("socket", (1,), ALLOW),
        ("socket", (2,), ALLOW),
        ("socket", (10,), ALLOW),
        ("socket", (16,), EAFNOSUPPORT),  # AF_NETLINK
        ("socket", (17,), EAFNOSUPPORT),  # AF_PACKET
        ("socket", (40,), EAFNOSUPPORT),  # AF_VSOCK
        ("ioctl", (0, 0x5401), ALLOW),  # TCGETS
        ("ioctl", (0, 0x5412), EPERM),  # TIOCSTI
        ("ioctl", (0, 0x541C), EPERM),  # TIOCLINUX
        ("setpriority", (0, 0), ALLOW),
        ("setpriority", (0, 1), EPERM),
        ("setpriority", (2, 0), EPERM),  # PRIO_USER: the supervisor's user too
    ],
)
@pytest.mark.parametrize("machine", MACHINES)
def test_arguments_decide(
    machine: str, call: str, arguments: tuple[int, ...], verdict: int
) -> None:
    numbers = {
        "read": (0, 63),
        "clone": (56, 220),
        "clone3": (435, 435),
        "socket": (41, 198),
        "ioctl": (16, 29),
        "setpriority": (141, 140),
    }[call]
    found = run(program(machine), AUDIT_ARCH[machine], numbers[COLUMN[machine]], *arguments)
    assert found == verdict


@pytest.mark.parametrize("machine", MACHINES)
def test_without_pids_of_its_own_nobody_signals_everyone(machine: str) -> None:
    number, everyone = {"x86_64": 62, "aarch64": 129}[machine], (1 << 64) - 1
    for own_pids, pid, verdict in (
        (True, everyone, ALLOW),
        (False, everyone, EPERM),
        (False, 0xFFFFFFFF, EPERM),  # an int in the low half of the register
        (False, 1234, ALLOW),
    ):
        code = program(machine, own_pids=own_pids)
        assert run(code, AUDIT_ARCH[machine], number, pid, 9) == verdict


def test_another_architecture_and_x32_are_killed() -> None:
    code = program("x86_64")
    assert run(code, 0x40000003, 1) == KILL  # i386: int 0x80
    assert run(code, AUDIT_ARCH["x86_64"], 0x40000000 | 1) == KILL


def test_an_unknown_machine_has_no_filter() -> None:
    with pytest.raises(KeyError):
        program("sparc")
