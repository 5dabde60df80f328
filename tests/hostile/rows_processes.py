"""Rows about processes and the kernel: endings that are no result, and ways to more rights."""

from __future__ import annotations

import platform
import termios
from fcntl import ioctl

from victim import Row, Victim, counted, terminals

from hubpub.verify.sandbox.seccomp import DENIED

_ENDINGS = """
def exit0():
    "x"
    sys.exit(0)


def os_exit0():
    "x"
    os._exit(0)


def segv():
    "x"
    ctypes.string_at(0)


def abort():
    "x"
    os.abort()


def bufclose():
    "Closes the way to the parent."
    os.close(3)
    return 1


def all_closed():
    "x"
    os.closerange(0, 64)
    return 1


def replaced():
    "Another program ends well in its place."
    os.execv("/bin/true", ["true"])


def killed():
    "x"
    os.kill(os.getpid(), signal.SIGKILL)


def stopped():
    "x"
    if os.fork() == 0:
        while True:  # it works, so that nobody takes it for hung by the fork
            pass
    os.kill(os.getpid(), signal.SIGSTOP)


def innocent():
    "x"
    return torch.nn.Linear(1, 1)
"""


def _endings(victim: Victim) -> str:
    victim.publish(_ENDINGS)
    run = victim.verify("--timeout", "4")
    names = [item["name"] for item in run.report["entrypoints"]]
    assert len(names) == 10
    assert {name: run.axis(name)[0] for name in names} == {
        name: "pass" if name == "innocent" else "fail" for name in names
    }
    ended = {name: run.facts(name) for name in names}
    assert run.axis("exit0")[1].startswith("SystemExit")
    assert (ended["segv"]["signal"], ended["abort"]["signal"], ended["killed"]["signal"]) == (
        11,
        6,
        9,
    )
    assert ended["stopped"]["ended"] == "timeout"
    for name in ("os_exit0", "replaced"):
        assert (ended[name]["exit"], run.axis(name)[1] != "") == (0, True)
    return "none of 9 passes"


_SUPERVISOR = """
def attacks():
    "x"
    found = {f"signal {number.name}": _attempt(os.kill, 1, number) for number in signal.Signals}
    found |= {
        f"group, {number.name}": _attempt(os.killpg, 1, number)
        for number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM)
    }
    time.sleep(0.2)
    import resource

    _tell(
        {name: value for name, value in found.items() if value != "worked: None"}
        | {
            "ptrace": _raw(NUMBERS["ptrace"], 16, 1, 0, 0),
            "process_vm_readv": _raw(NUMBERS["process_vm_readv"], 1, 0, 0, 0, 0, 0),
            "prlimit": _attempt(resource.prlimit, 1, resource.RLIMIT_CPU, (0, 0)),
            "nice": _attempt(os.setpriority, os.PRIO_PROCESS, 1, 19),
            "nice of the user": _attempt(os.setpriority, os.PRIO_USER, 0, 19),
            "scheduler": _attempt(os.sched_setscheduler, 1, os.SCHED_IDLE, os.sched_param(0)),
            "affinity": _attempt(os.sched_setaffinity, 1, {0}),
            **{
                path: _attempt(lambda p: open(p, "rb").read(1), path)
                for path in (
                    "/proc/1/mem",
                    "/proc/1/maps",
                    "/proc/1/environ",
                    "/proc/1/stack",
                    "/proc/1/syscall",
                )
            },
            "/proc/1/fd": _attempt(os.listdir, "/proc/1/fd"),
            "/proc/1/oom_score_adj": _attempt(open, "/proc/1/oom_score_adj", "w"),
            "pidfd": _raw(434, 1, 0)[:6],
        }
    )


def innocent():
    "Served by the supervisor, which lives."
    return torch.nn.Linear(1, 1)
"""


def _numbers() -> dict[str, int]:
    """The denied system calls that this machine has."""
    column = {"x86_64": 0, "aarch64": 1}[platform.machine()]
    return {name: number for name, row in DENIED.items() if (number := row[column]) is not None}


def _supervisor(victim: Victim) -> str:
    victim.publish(_SUPERVISOR.replace("NUMBERS", repr(_numbers())))
    run = victim.verify()
    found = run.told("attacks")
    assert found.pop("pidfd") in {"worked", "EPERM", "EACCES"}  # a name for it is no power over it
    assert set(found.values()) <= {"EPERM", "EACCES", "ESRCH"}, found
    assert run.axis("innocent") == ("pass", "")
    assert "retried" not in run.text
    return f"it lives; {counted(found)}"


_NAMESPACES = """
def calls():
    "Every call that a sandbox has to deny, and what asks for other rights."
    _tell({name: _raw(number, 0, 0, 0, 0, 0, 0) for name, number in NUMBERS.items()})


def rights():
    "x"
    flags = {
        "user": 0x10000000,
        "mount": 0x20000,
        "pid": 0x20000000,
        "net": 0x40000000,
        "ipc": 0x08000000,
        "uts": 0x04000000,
        "cgroup": 0x02000000,
        "time": 0x80,
    }
    found = {f"unshare {name}": _attempt_libc("unshare", flag) for name, flag in flags.items()}
    found |= {f"setns {name}": _attempt(_joins, name) for name in ("user", "mnt", "net", "pid")}
    found |= {
        "setuid": _attempt(os.setuid, 0),
        "setgid": _attempt(os.setgid, 0),
        "setgroups": _attempt(os.setgroups, [0]),
        "chroot": _attempt(os.chroot, "/tmp"),
        "setresuid": _attempt(os.setresuid, 0, 0, 0),
        "nice": _attempt(os.nice, -5),
        "hostname": _attempt(socket.sethostname, "x"),
    }
    for path in (
        "/dev/vda",
        "/dev/sda",
        "/dev/mem",
        "/dev/kmsg",
        "/dev/fuse",
        "/dev/kvm",
        "/dev/net/tun",
        "/proc/kcore",
        "/proc/kmsg",
        "/sys/kernel/debug",
    ):
        found[path] = _attempt(os.open, path, os.O_RDONLY)
    for path in (
        "/proc/sys/kernel/core_pattern",
        "/proc/sysrq-trigger",
        "/proc/sys/vm/drop_caches",
        "/proc/sys/kernel/hostname",
        "/proc/self/uid_map",
        "/proc/self/loginuid",
        "/proc/sys/net/ipv4/ip_forward",
        "/proc/irq/default_smp_affinity",
        "/sys/fs/cgroup/cgroup.procs",
        "/proc/sys/user/max_user_namespaces",
    ):
        found[path] = _attempt(_writes, path)
    _tell(found)


def _attempt_libc(name, *args):
    return "worked" if getattr(libc, name)(*args) == 0 else errno.errorcode[ctypes.get_errno()]


def _joins(name):
    target = os.open(f"/proc/1/ns/{name}", os.O_RDONLY)
    if libc.setns(target, 0):
        raise OSError(ctypes.get_errno(), "setns")


def _writes(path):
    with open(path, "w") as file:
        file.write("1")


def programs():
    "Those that root lets anybody run."
    found = {}
    for program in ("su", "sudo", "mount", "umount", "passwd", "pkexec", "unshare", "bwrap"):
        arguments = {
            "su": ["-c", "id"],
            "sudo": ["-n", "id"],
            "unshare": ["-r", "id"],
            "bwrap": ["--ro-bind", "/", "/", "id"],
        }.get(program, ["/proc", "/tmp"])
        try:
            done = subprocess.run(
                [program, *arguments], stdin=subprocess.DEVNULL, capture_output=True, timeout=10
            )
            found[program] = f"worked: {done.stdout!r}" if done.returncode == 0 else "refused"
        except OSError as error:
            found[program] = errno.errorcode[error.errno]
    _tell(found | {"id": f"{os.getuid()} {os.geteuid()}"})
"""


def _ns(victim: Victim) -> str:
    victim.publish(_NAMESPACES.replace("NUMBERS", repr(_numbers())))
    run = victim.verify()
    calls, rights, programs = (run.told(name) for name in ("calls", "rights", "programs"))
    assert set(calls.values()) == {"EPERM"}, calls
    assert len(calls) == len(_numbers())
    assert len(rights) == 39
    assert set(rights.values()) <= {"EPERM", "EACCES", "ENOENT", "EROFS", "EINVAL"}, rights
    assert programs.pop("id") == "1000 1000"
    assert set(programs.values()) <= {"refused", "ENOENT"}, programs
    return f"{counted(calls | rights)}; no program helps"


_SNOOPS = """
def snoops():
    "x"
    pids = sorted(int(name) for name in os.listdir("/proc") if name.isdigit())
    text = ""
    for path in (
        "/proc/1/cmdline",
        "/proc/1/comm",
        "/proc/1/status",
        "/proc/self/mountinfo",
        "/proc/mounts",
        "/proc/self/maps",
        "/proc/self/cgroup",
        "/proc/net/unix",
        "/proc/net/tcp",
        "/proc/keys",
        "/proc/sysvipc/shm",
        "/etc/passwd",
        "/etc/hosts",
        "/proc/sys/kernel/hostname",
    ):
        try:
            text += open(path).read()
        except OSError:
            pass
    _tell(
        {
            "pids": pids == [1, os.getpid()],
            "says": [
                name
                for name in ("home", "caller", "unix", "abstract")
                if AT[name].strip("\\0") in text
            ],
            "host": os.uname().nodename,
            "others": [
                line for line in open("/proc/net/tcp").readlines()[1:] if ":0C38" not in line
            ],
        }
    )
"""


def _snoop(victim: Victim) -> str:
    victim.publish(_SNOOPS)
    found = victim.verify().told("snoops")
    assert found == {"pids": True, "says": [], "host": "hubpub", "others": []}
    return "two processes; paths of mounts, see docs/verify.md"


_TERMINAL = r"""
import fcntl, termios


def types():
    "Types into the terminal of the one who verifies."
    found = {
        "/dev/tty": _attempt(os.open, "/dev/tty", os.O_RDWR),
        "ctermid": _attempt(os.open, os.ctermid(), os.O_RDWR),
    }
    for descriptor in (0, 1, 2):
        for name, request in (("TIOCSTI", termios.TIOCSTI), ("TIOCLINUX", 0x541C)):
            for letter in b"touch pwned\n":
                found[f"{name} on {descriptor}"] = _attempt(
                    fcntl.ioctl, descriptor, request, bytes([letter])
                )
    for path in ("/proc/1/fd/0", "/proc/1/fd/1", "/dev/console", "/dev/tty0", "/dev/vcs"):
        found[path] = _attempt(os.open, path, os.O_RDWR)
    _tell(found | {f"isatty {n}": "no" for n in (0, 1, 2) if not os.isatty(n)})
"""


def _tiocsti(victim: Victim) -> str:
    victim.publish(_TERMINAL)
    with terminals() as (_, theirs):
        run = victim.verify(terminal=theirs)
        waiting = bytearray(4)
        ioctl(theirs, termios.FIONREAD, waiting)
        assert not any(waiting)
    found = run.told("types")
    assert [found.pop(f"isatty {number}", "") for number in (0, 1, 2)] == ["no"] * 3
    assert set(found.values()) <= {"EPERM", "ENXIO", "ENOENT", "EACCES"}, found
    return counted(found)


_SOCKETS = """
def connects():
    "x"
    found = {}
    for address in (
        AT["abstract"],
        AT["unix"],
        "/run/docker.sock",
        "/var/run/docker.sock",
        "/run/podman/podman.sock",
        "/run/dbus/system_bus_socket",
        f"/run/user/{os.getuid()}/bus",
        "/tmp/.X11-unix/X0",
        "\\0/tmp/.X11-unix/X0",
        "/dev/log",
        "/run/systemd/private",
        "/run/containerd/containerd.sock",
    ):
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            with socket.socket(socket.AF_UNIX, kind) as one:
                found[f"{kind.name} {address.strip(chr(0))}"] = _attempt(one.connect, address)
    _tell(found)
"""


def _unix(victim: Victim) -> str:
    victim.publish(_SOCKETS)
    found = victim.verify().told("connects")
    assert set(found.values()) == {"ECONNREFUSED", "ENOENT"}, found
    return counted(found)


ROWS: tuple[Row, ...] = (
    Row(18, "end in every way but the right one", _endings),
    Row(19, "kill, trace or starve the supervisor", _supervisor),
    Row(22, "reach the sockets of the machine", _unix),
    Row(23, "type into the terminal", _tiocsti),
    Row(24, "get other namespaces, rights, devices", _ns),
    Row(25, "look at other processes", _snoop),
)
