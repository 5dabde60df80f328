"""The sandbox against code that tries to get out. Every case runs in it, after its probe.

Each entrypoint raises what it found, so that the report's reason is the observation.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from conftest import MakeRepository, RunHubpub
from hubpub.verify.sandbox import command
from hubpub.verify.sandbox.probe import Surroundings
from publishing import Server, running

needs_sandbox = pytest.mark.sandbox

HOSTILE = '''
dependencies = ["torch"]
import ctypes, errno, os, resource, signal, socket, subprocess, sys, time
_libc = ctypes.CDLL(None, use_errno=True)


def _try(call, *args):
    """The errno name of a failed call, or 'worked'."""
    try:
        call(*args)
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))
    return "worked"


def _raw(result):
    return "worked" if result >= 0 else errno.errorcode[ctypes.get_errno()]


def _say(*found):
    raise RuntimeError("found: " + " ".join(map(str, found)))


def reads():
    "x"
    seen = {}
    for path in ("/root", "/home", "/etc/shadow", "/proc/1/environ", "/proc/1/mem", "CALLER"):
        try:
            seen[path] = os.listdir(path) if os.path.isdir(path) else open(path).read()
        except OSError as error:
            seen[path] = errno.errorcode[error.errno]
    _say(sorted(seen.items()), sorted(os.environ), os.getcwd())


def writes():
    "x"
    places = ("/", "/usr", "/etc", "/dev", "/tree", os.path.dirname(__file__), "/worker",
              os.path.dirname(os.__file__), "/proc/sys/kernel/core_pattern", "/sys")
    _say([_try(os.open, os.path.join(place, "x") if os.path.isdir(place) else place,
               os.O_WRONLY | os.O_CREAT) for place in places])


def network():
    "x"
    def tcp(host, port, family=socket.AF_INET):
        with socket.socket(family) as s:
            s.settimeout(2)
            s.connect((host, port))
    _say(_try(tcp, "127.0.0.1", PORT), _try(tcp, "169.254.169.254", 80), _try(tcp, "1.1.1.1", 53),
         _try(tcp, "::1", PORT, socket.AF_INET6), _try(socket.socket, 16, 3),
         _try(socket.socket, 17, 3))


def supervisor():
    "x"
    for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGSEGV, signal.SIGSTOP):
        os.kill(1, number)
    time.sleep(0.2)
    ptrace = _raw(_libc.ptrace(16, 1, 0, 0))
    limits = _try(resource.prlimit, 1, resource.RLIMIT_CPU, (0, 0))
    nice = _try(os.setpriority, os.PRIO_PROCESS, 1, 19)
    user = _try(os.setpriority, os.PRIO_USER, 0, 19)
    idle = _try(os.sched_setscheduler, 1, os.SCHED_IDLE, os.sched_param(0))
    _say(ptrace, limits, nice, user, idle, os.getppid())


def namespaces():
    "x"
    _say(_raw(_libc.unshare(0x10000000)), _raw(_libc.setns(0, 0)), _try(os.chroot, "/"),
         _raw(_libc.mount(b"none", b"/tmp", b"tmpfs", 0, None)), _try(os.setuid, 0),
         _try(os.mknod, "device", 0o600 | 0o020000, os.makedev(1, 3)))


def bomb():
    "x"
    while True:
        try:
            os.fork()
        except OSError:
            pass


def disk():
    "x"
    for number in range(1000):
        with open(str(number), "wb") as file:
            file.write(bytes(1 << 20))


def files():
    "x"
    for number in range(100_000):
        open(str(number), "w").close()


def memory():
    "x"
    held = []
    for _ in range(16):
        if os.fork() == 0:
            while True:
                held.append(bytearray(os.urandom(1 << 20)))
    time.sleep(60)


def daemon():
    "x"
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execv(sys.executable, [sys.executable, "-c", "import time; time.sleep(600) # MARK"])
        os._exit(0)
    time.sleep(0.3)
    return object


def innocent():
    "Still served after all of the above."
    return object
'''


@pytest.fixture
def run(
    hubpub: RunHubpub, repository: MakeRepository, tmp_path: Path, http_server: Server
) -> dict[str, dict[str, Any]]:
    """name -> the CPU result of each hostile entrypoint."""
    caller = tmp_path / "caller"
    caller.mkdir()
    (caller / "canary").write_text("untouched")
    text = HOSTILE.replace("CALLER", str(caller)).replace("PORT", http_server.host.split(":")[1])
    repository({"hubconf.py": text.replace("MARK", tmp_path.name)})
    bounds = ("--timeout", "25", "--processes", "60", "--disk", "64MiB", "--files", "2000")
    file = tmp_path / "report.json"
    started = time.monotonic()
    done = hubpub(
        *("verify", "octo/net:v1.0", *bounds, "--memory", "1GiB", "--device", "cpu"),
        *("--output-format", f"json:{file}"),
        cwd=caller,
        env={"SECRET_TOKEN": "s3cr3t", "GITHUB_TOKEN": "s3cr3t"},
    )
    assert done.returncode == 1, done.stderr
    assert time.monotonic() - started < 100
    assert "s3cr3t" not in file.read_text() + done.stderr
    assert os.listdir(caller) == ["canary"]  # noqa: PTH208
    assert (caller / "canary").read_text() == "untouched"
    assert not http_server.requests
    assert not running("time.sleep(600)", tmp_path.name)
    report = json.loads(file.read_text())
    return {item["name"]: item["results"][0] for item in report["entrypoints"]}


@needs_sandbox
def test_hostile_entrypoints_reach_nothing(run: dict[str, dict[str, Any]]) -> None:
    def found(name: str) -> str:
        return str(run[name]["axes"]["loads"]["reason"])

    reads = found("reads")
    assert "SECRET_TOKEN" not in reads
    assert (
        "('/home', [])" in reads or "('/home', ['" in reads
    )  # a Python below a home shows its parent
    for path in ("/etc/shadow", "/proc/1/environ", "/proc/1/mem"):
        assert f"('{path}', 'E" in reads, path
    assert "canary" not in reads
    assert "worked" not in found("writes")
    assert "worked" not in found("network")
    assert found("supervisor") == "RuntimeError: found: EPERM EPERM EPERM EPERM EPERM 1"
    assert "worked" not in found("namespaces")
    ended = {name: run[name]["facts"]["ended"] for name in ("bomb", "disk", "files", "memory")}
    assert ended == {"bomb": "pids", "disk": "disk", "files": "files", "memory": "memory"}
    assert run["bomb"]["facts"]["wall_s"] < 25
    assert run["daemon"]["axes"]["loads"]["status"] == "pass"
    assert run["innocent"]["axes"]["loads"]["status"] == "pass"


def test_without_bubblewrap_nothing_runs(
    hubpub: RunHubpub, repository: MakeRepository, tmp_path: Path
) -> None:
    """Never weaker in silence: exit 4, the command to run, and no job."""
    pytest.importorskip("torch", reason="the verify extra is not installed")
    repository({"hubconf.py": "def net():\n    return 1\n"})
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("git", "env", "timeout", "chmod", "rm"):
        (programs / name).symlink_to(str(shutil.which(name)))
    done = hubpub("verify", "octo/net:v1.0", env={"PATH": str(programs)})
    assert done.returncode == 4, done.stderr
    assert "bubblewrap is not installed" in done.stderr
    assert "apt-get install bubblewrap" in done.stderr


def test_what_lacks_a_feature_is_named() -> None:
    found = Surroundings({"seccomp": False, "pid_namespace": True}, outer_uid=0)
    assert found.missing == ("seccomp",)


def layout(*mounts: command.Mount) -> list[str]:
    return command.arguments(
        command.Layout(mounts, {"PATH": "/usr/bin"}, ("python", "-I"), seccomp_fd=7, info_fd=8)
    )


def test_the_command_line_hides_everything_but_what_is_named() -> None:
    arguments = layout(command.Mount("/a", "/tree"), command.Mount("/b", "/scratch", writable=True))
    text = " ".join(arguments)
    for wanted in ("--unshare-all", "--disable-userns", "--cap-drop ALL", "--clearenv"):
        assert wanted in text
    assert "--ro-bind /a /tree" in text
    assert "--bind /b /scratch" in text
    assert "--remount-ro / " in text
    assert "--share-net" not in text
    # A prefix may lie below /tmp: a later mount covers an earlier one.
    assert text.index("--tmpfs /tmp") < text.index("/a /tree") < text.index("--remount-ro")
    assert arguments[arguments.index("--") + 1 :] == ["python", "-I"]


def test_nvidia_devices_are_device_binds(tmp_path: Path) -> None:
    (tmp_path / "dev").mkdir()
    assert command.nvidia_mounts(tmp_path) == ()
    for name in ("nvidiactl", "nvidia-uvm", "nvidia0"):
        (tmp_path / "dev" / name).touch()
    text = " ".join(layout(*command.nvidia_mounts(tmp_path)))
    assert f"--dev-bind {tmp_path}/dev/nvidia0 /dev/nvidia0" in text
    assert "--ro-bind /sys /sys" in text
