"""What code in the sandbox sees: an inventory taken from inside, compared with exact lists.

The inventory is hostile in what it looks for and harmless in what it does. Canaries are planted
where a person keeps secrets: in the environment, in HOME, in the caller's directory, on sockets.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import MakeRepository, RunHubpub
from hubpub.verify.limits import MIB
from hubpub.verify.sandbox import command, interpreter
from publishing import Server

pytestmark = pytest.mark.proof

CANARY = "canary-5d41402abc4b"
SECRETS = (
    ".ssh/id_ed25519", ".netrc", ".git-credentials", ".config/gh/hosts.yml", ".aws/credentials",
    ".docker/config.json", ".cache/huggingface/token", ".pypirc", ".npmrc", ".gitconfig",
    ".kube/config", ".bash_history", ".torch/hub/trusted_list",
)  # fmt: skip

INVENTORY = '''
dependencies = ["torch"]
import ctypes, errno, json, os, socket, stat, sys, time
WANTED = json.loads(r"""WANTED""")


def _try(call, *args):
    try:
        return ["worked", str(call(*args))[:80]]
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))


def _connect(family, address, kind=socket.SOCK_STREAM):
    with socket.socket(family, kind) as s:
        s.settimeout(2)
        s.connect(address)
        return "connected"


def _walk():
    """Every path that is neither the system's nor the interpreter's, and what it holds."""
    found, skipped = [], ("/proc", "/usr", *WANTED["prefixes"])
    for folder, folders, files in os.walk("/"):
        folders[:] = [name for name in folders if os.path.join(folder, name) not in skipped
                      and not folder.startswith("/etc/ssl/certs")]
        found += [os.path.join(folder, name) for name in folders + files]
    return found


def _contents():
    held = []
    for path in _walk() + [f"/proc/{pid}/{name}" for pid in ("1", "self")
                           for name in ("environ", "cmdline", "mountinfo")]:
        try:
            if stat.S_ISREG(os.stat(path).st_mode):
                with open(path, "rb") as file:
                    if WANTED["canary"].encode() in file.read(1 << 20):
                        held.append(path)
        except OSError:
            pass
    return held


def _mounts():
    found = []
    for line in open("/proc/self/mountinfo"):
        before, after = line.split(" - ")
        fields = before.split()
        size = os.statvfs(fields[4])
        writable = "rw" in fields[5].split(",") and "rw" in after.split()[2].split(",")
        found.append([fields[3], fields[4], after.split()[0], writable,
                      size.f_blocks * size.f_frsize])
    return found


def _loopback():
    found = {name: _try(_connect, getattr(socket, family), tuple(address))
             for name, family, address in WANTED["addresses"]}
    for name, path in WANTED["sockets"]:
        found[name] = _try(_connect, socket.AF_UNIX, path.replace("@", "\\0"))
    return found


def _writes():
    found = {}
    for place in WANTED["places"] + [os.path.dirname(__file__)]:
        found[place] = _try(open, os.path.join(place, "x"), "w")
        if found[place][0] == "worked":
            os.unlink(os.path.join(place, "x"))
    return found


SEEN = {
    "environment": lambda: dict(os.environ),
    "root": lambda: sorted(os.listdir("/")),
    "etc": lambda: sorted(os.listdir("/etc")),
    "ssl": lambda: sorted(os.listdir("/etc/ssl")),
    "dev": lambda: sorted(os.listdir("/dev")),
    "processes": lambda: [sorted(int(n) for n in os.listdir("/proc") if n.isdigit()), os.getpid()],
    "secrets": lambda: [_try(open, path) for path in WANTED["secrets"]],
    "held": _contents,
    "listed": lambda: [path for path in _walk() if WANTED["canary"] in path],
    "name": lambda: [os.uname().nodename, os.getuid(), os.getgid(), os.getgroups()],
    "words": lambda: [open(f"/etc/{name}").read() for name in ("passwd", "group", "hosts")],
    "loopback": _loopback,
    "writes": _writes,
    "site": lambda: sorted({os.path.dirname(os.path.dirname(sys.modules["torch"].__file__))}),
    "descriptors": lambda: sorted(int(n) for n in os.listdir("/proc/self/fd"))[:-1],
    "status": lambda: [line.split() for line in open("/proc/self/status")
                       if line.startswith(("Seccomp:", "NoNewPrivs:", "Cap"))],
    "first": lambda: {name: _try(open, f"/proc/1/{name}") for name in ("environ", "mem", "maps")}
                     | {"root": _try(os.listdir, "/proc/1/root"),
                        "cwd": _try(os.readlink, "/proc/1/cwd")},
}


def _ask(name):
    def entrypoint():
        raise RuntimeError(json.dumps(SEEN[name]()))
    entrypoint.__doc__ = "Look."
    return entrypoint


def _part(number):
    def entrypoint():
        raise RuntimeError(json.dumps(_mounts())[number * 1900:(number + 1) * 1900])
    entrypoint.__doc__ = "Look."
    return entrypoint


globals().update({f"see_{name}": _ask(name) for name in SEEN})
globals().update({f"mounts_{number:02d}": _part(number) for number in range(12)})
'''


@contextlib.contextmanager
def listening(address: str) -> Iterator[list[bytes]]:
    """A Unix socket that notes who came."""
    met: list[bytes] = []
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(address)
        server.listen()
        server.settimeout(0.1)
        ended = threading.Event()

        def serve() -> None:
            while not ended.is_set():
                with contextlib.suppress(TimeoutError):
                    connection, _ = server.accept()
                    connection.close()
                    met.append(b"came")

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield met
        finally:
            ended.set()
            thread.join()


class Inventory:
    """What each look found."""

    def __init__(self, report: dict[str, Any]) -> None:
        messages = {}
        for entry in report["entrypoints"]:
            error = entry["results"][0]["claims"]["error"]
            assert error["type"] == "RuntimeError", (entry["name"], error)
            messages[entry["name"]] = error["message"]
        names = sorted(name for name in messages if name.startswith("mounts_"))
        self.mounts: list[list[Any]] = json.loads("".join(messages[name] for name in names))
        self.sandbox = report["sandbox"]
        self._messages = messages

    def __getitem__(self, name: str) -> Any:
        return json.loads(self._messages[f"see_{name}"])


def plant(home: Path, caller: Path) -> list[str]:
    for name in SECRETS:
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(f"password {CANARY}\n")
    caller.mkdir()
    (caller / f"{CANARY}.txt").write_text(CANARY)
    return [*(str(home / name) for name in SECRETS), str(caller / f"{CANARY}.txt")]


@pytest.fixture
def inventory(
    hubpub: RunHubpub,
    repository: MakeRepository,
    home: Path,
    tmp_path: Path,
    http_server: Server,
) -> Inventory:
    caller = tmp_path / "caller"
    secrets = plant(home, caller)
    port = int(http_server.host.split(":")[1])
    agent, hidden = str(tmp_path / "agent"), f"@hubpub-test-{port}"
    python = interpreter.current()
    wanted = {
        "canary": CANARY,
        "prefixes": python.prefixes,
        "secrets": [*secrets, "/etc/shadow", "/etc/hostname", "/etc/resolv.conf", "/etc/machine-id",
                    "/proc/sys/kernel/core_pattern/x", "/root/.ssh", "/var/run/secrets"],
        "addresses": [["loopback", "AF_INET", ["127.0.0.1", port]],
                      ["loopback6", "AF_INET6", ["::1", port]],
                      ["metadata", "AF_INET", ["169.254.169.254", 80]],
                      ["resolver", "AF_INET", ["127.0.0.53", 53]]],
        "sockets": [["agent", agent], ["abstract", hidden], ["docker", "/var/run/docker.sock"],
                    ["docker_run", "/run/docker.sock"], ["bus", "/run/dbus/system_bus_socket"],
                    ["user_bus", f"/run/user/{os.getuid()}/bus"], ["x11", "/tmp/.X11-unix/X0"],
                    ["x11_abstract", "@/tmp/.X11-unix/X0"], ["log", "/dev/log"]],
        "places": ["/", "/usr", "/usr/lib", "/etc", "/dev", "/worker", "/tree", "/proc/sys/kernel",
                   str(Path(os.__file__).parent), *python.prefixes],
    }  # fmt: skip
    repository({"hubconf.py": INVENTORY.replace('WANTED"', json.dumps(wanted) + '"', 1)})
    file = tmp_path / "report.json"
    environment = {
        "GITHUB_TOKEN": CANARY, "HF_TOKEN": CANARY, "AWS_SECRET_ACCESS_KEY": CANARY,
        "SSH_AUTH_SOCK": agent, "DBUS_SESSION_BUS_ADDRESS": f"unix:path={agent}",
        "DOCKER_HOST": f"unix://{agent}", "DISPLAY": ":0", "PYTHONPATH": str(caller),
        "LD_PRELOAD_CANARY": CANARY, "USER": CANARY, "PIP_INDEX_URL": f"https://{CANARY}@x",
    }  # fmt: skip
    with listening(agent) as met, listening(hidden.replace("@", "\0")) as met_hidden:
        done = hubpub(
            *("verify", "octo/net:v1.0", "--device", "cpu", "--output-format", f"json:{file}"),
            cwd=caller,
            env=environment,
        )
    assert done.returncode == 1, done.stderr
    assert CANARY not in file.read_text().replace(f"{CANARY}.txt", "")
    assert not met
    assert not met_hidden
    assert not http_server.requests
    assert os.listdir(caller) == [f"{CANARY}.txt"]  # noqa: PTH208
    assert all(Path(path).read_text().strip().endswith(CANARY) for path in secrets)
    return Inventory(json.loads(file.read_text()))


def test_only_what_is_named_is_seen(inventory: Inventory) -> None:
    check_environment(inventory["environment"])
    check_places(inventory)
    check_secrets(inventory)
    check_processes(inventory)
    check_writes(inventory)
    check_mounts(inventory.mounts)


def check_environment(found: dict[str, str]) -> None:
    job = found["HOME"].removesuffix("/home")
    assert job.startswith("/scratch/job")
    proxy = "http://127.0.0.1:3128"
    assert found == {
        "HOME": f"{job}/home", "TMPDIR": f"{job}/tmp", "TORCH_HOME": f"{job}/torch",
        "XDG_CACHE_HOME": f"{job}/home/.cache", "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8",
        "PWD": "/", "http_proxy": proxy, "https_proxy": proxy, "HTTP_PROXY": proxy,
        "HTTPS_PROXY": proxy,
    }  # fmt: skip


def check_places(inventory: Inventory) -> None:
    tops = {path.split("/")[1] for path in interpreter.current().prefixes}
    links = {Path(name).name for name, _ in command.root_links()}
    system = {mount.target.split("/")[1] for mount in command.system_mounts()}
    fixed = {"dev", "etc", "home", "proc", "scratch", "tmp", "tree", "worker"}
    assert set(inventory["root"]) == fixed | tops | links | system
    shown = {mount.target for mount in command.system_mounts()}
    etc = {path.split("/")[2] for path in shown if path.startswith("/etc/")}
    assert set(inventory["etc"]) == etc | {"passwd", "group", "hosts"}
    assert set(inventory["ssl"]) <= {"certs", "openssl.cnf"}
    assert inventory["dev"] == [
        "core", "fd", "full", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin", "stdout",
        "tty", "urandom", "zero",
    ]  # fmt: skip
    assert inventory["name"][:3] == ["hubpub", 1000, 1000]
    passwd, group, hosts = inventory["words"]
    assert passwd == "user:x:1000:1000::/scratch:/bin/sh\n"
    assert group == "user:x:1000:\n"
    assert hosts == "127.0.0.1 localhost\n::1 localhost\n"


def check_secrets(inventory: Inventory) -> None:
    answers = inventory["secrets"]
    assert len(answers) > len(SECRETS)
    assert set(answers) <= {"ENOENT", "EACCES", "ENOTDIR"}, answers
    # The inventory knows what it looks for: it finds itself, and nothing else.
    assert inventory["held"] == ["/tree/octo_net_v1.0/hubconf.py"]
    assert inventory["listed"] == []
    for name, answer in inventory["loopback"].items():
        assert answer in {"ECONNREFUSED", "ENETUNREACH", "ENOENT", "EADDRNOTAVAIL"}, (name, answer)
    assert {inventory["loopback"][name] for name in ("loopback", "abstract")} == {"ECONNREFUSED"}


def check_processes(inventory: Inventory) -> None:
    processes, own = inventory["processes"]
    assert processes == [1, own]
    assert inventory["descriptors"] == [0, 1, 2, 3]
    assert set(inventory["first"].values()) == {"EACCES"}, inventory["first"]
    status = dict(inventory["status"])
    assert status.pop("Seccomp:") == "2"
    assert status.pop("NoNewPrivs:") == "1"
    assert {int(value, 16) for value in status.values()} == {0}


def check_writes(inventory: Inventory) -> None:
    for place, answer in inventory["writes"].items():
        assert answer in {"EROFS", "EACCES", "ENOENT"}, (place, answer)
    assert inventory["writes"]["/usr"] == "EROFS"
    (site,) = inventory["site"]
    assert any(site.startswith(f"{root}/") or site == root for root in roots())


def roots() -> list[str]:
    return [*interpreter.current().prefixes, "/usr"]


def check_mounts(mounts: list[list[Any]]) -> None:
    """Each is read-only or bounded, and none names a place that it does not have to."""
    nodes = {f"/dev/{name}" for name in ("full", "null", "random", "tty", "urandom", "zero")}
    bounded = {"/tmp": 256 * MIB, "/dev/shm": 256 * MIB, "/home": MIB}
    kernel = {"/proc": "proc", "/dev/pts": "devpts"}
    for source, target, kind, writable, size in mounts:
        if target in bounded:
            assert (kind, size) == ("tmpfs", bounded[target]), target
        elif target in kernel:
            assert kind == kernel[target]
        elif target in nodes or target == "/scratch":
            assert writable, target
        else:
            assert not writable, (target, kind)
        assert CANARY not in source
    assert sum(target == "/scratch" for _, target, *_ in mounts) == 1
    assert {target for _, target, *_ in mounts} >= {*bounded, *kernel, "/scratch", "/proc/sys"}


def test_a_home_that_holds_the_python_shows_nothing_else(inventory: Inventory) -> None:
    """A prefix below a home makes bubblewrap create its parents: they hold that alone."""
    seen = {target for _, target, *_ in inventory.mounts}
    assert str(Path.home()) not in seen - set(interpreter.current().prefixes)
    assert sys.prefix in seen or any(sys.prefix.startswith(f"{root}/") for root in seen)
