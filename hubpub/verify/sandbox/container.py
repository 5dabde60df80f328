"""The tier ``container``: the same supervisor and proxy in a container of Docker or Podman.

Untried: it has tests for its command lines and for the handshake, and has met no engine yet. What
the engine builds is probed like every other sandbox, and refused where it lacks something.

Without an image of the caller's the container is empty but for the same read-only mounts that
bubblewrap would make; nothing is downloaded for it. An engine hands over no descriptors, so the
supervisor reaches the parent through a socket that is bound into the container and is gone once
it is used.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import secrets
import shutil
import socket
import struct
import subprocess
import tarfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from hubpub.errors import CannotVerifyError
from hubpub.verify.limits import GIB, MIB, Limits
from hubpub.verify.sandbox import bubblewrap, command, enter
from hubpub.verify.sandbox.tier import START_S, WORKER, NotUp, Plan, Started

ENGINES = ("podman", "docker")
EMPTY_IMAGE = "hubpub-empty:1"
_CONTROL, _ENTER = "/control", "/worker/enter.py"
_MARGIN_BYTES = GIB  # of the supervisor, and of what the kernel charges beside a job's own memory
_CREDENTIALS = struct.Struct("=3i")  # struct ucred

_INSTALL = """\
Debian, Ubuntu: sudo apt-get install podman
Fedora: sudo dnf install podman
or leave --sandbox container out: bubblewrap needs no engine"""
_START = {
    "docker": """\
sudo systemctl start docker
and, as an ordinary user: sudo usermod -aG docker "$USER", then log in again""",
    "podman": "look at: podman info",
}


@dataclass(frozen=True)
class Container:
    """``engine`` is docker's or podman's path; ``image`` one with a Python and torch, or None."""

    engine: str
    version: str
    image: str | None
    memory_bytes: int
    processes: int
    name: str = "container"
    # A container shares the user namespace of the machine unless the engine is set up otherwise.
    optional: frozenset[str] = frozenset({"user_namespace"})
    warning: str | None = None
    hides_packages: bool = False
    not_held: tuple[str, ...] = ("a bug in the container engine, which may run as root",)

    @property
    def podman(self) -> bool:
        """Whether it speaks podman's dialect."""
        return Path(self.engine).name == "podman"

    @property
    def features(self) -> dict[str, bool]:
        """None beside those that the probe finds."""
        return {}

    def scratch(self, folder: Path) -> str:  # noqa: ARG002 - the same for every sandbox
        """Where the scratch lies inside."""
        return command.SCRATCH

    def tree(self, root: Path) -> str:
        """Where the tree lies inside."""
        return f"{command.TREE}/{root.name}"

    def advice(self, stderr: str) -> str | None:  # noqa: ARG002 - engines word it each their way
        """The other tier, which needs no engine."""
        return "try --sandbox bwrap, or look at what the engine said"

    def start(self, plan: Plan) -> Started:
        """Run a container and wait for its supervisor to call.

        Raises:
            NotUp: it did not call in time, or another user did.
            CannotVerifyError: the empty image cannot be made.
        """
        if self.image is None:
            self._make_empty_image()
        name = f"hubpub-{secrets.token_hex(8)}"
        owner = plan.scratch.stat().st_uid
        folder = plan.folder / "control"
        folder.mkdir()
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as waiting:
            waiting.bind(str(folder / "socket"))
            (folder / "socket").chmod(0o666)  # its folder's random name and the check below keep it
            waiting.listen(1)
            process = subprocess.Popen(
                self.arguments(plan, name, owner),
                stdin=subprocess.DEVNULL,
                stdout=plan.stderr,
                stderr=plan.stderr,
            )
            try:
                control = _called(waiting, process, owner)
            except NotUp:
                self._remove(name)
                process.kill()
                process.wait()
                raise
            finally:
                (folder / "socket").unlink()
        return Started(process, control, _caller(control)[0])

    def arguments(self, plan: Plan, name: str, owner: int) -> list[str]:
        """The whole command line of ``run``; ``owner`` is the user id inside."""
        line = [
            *(self.engine, "run", "--rm", "--name", name, "--hostname", "hubpub"),
            *("--network", "none", "--ipc", "private", "--read-only", "--cap-drop", "ALL"),
            *("--security-opt", "no-new-privileges", "--security-opt", "label=disable"),
            *("--pids-limit", str(2 * self.processes)),
            *("--memory", str(self.memory_bytes + _MARGIN_BYTES)),
            *("--memory-swap", str(self.memory_bytes + _MARGIN_BYTES)),
            *("--user", f"{owner}:{owner}", "--workdir", "/"),
        ]
        if self.podman:
            line += ["--read-only-tmpfs=false"]
            line += ["--userns", "keep-id"] if os.geteuid() != 0 else []
        line += ["--shm-size", str(256 * MIB)]
        for target, size in (("/tmp", 256 * MIB), ("/home", MIB)):  # noqa: S108
            line += ["--tmpfs", f"{target}:rw,nosuid,nodev,size={size},mode=1777"]
        for mount in self._mounts(plan):
            line += _mount(mount)
        executable = "python3" if self.image else plan.interpreter.executable
        image = self.image or EMPTY_IMAGE
        return [*line, "--entrypoint", executable, image, "-I", "-B", _ENTER, _request(self, plan)]

    def _mounts(self, plan: Plan) -> Iterable[command.Mount]:
        yield command.Mount(str(plan.scratch), command.SCRATCH, writable=True)
        yield command.Mount(str(WORKER), f"{command.WORKER}/hubpub_worker")
        yield command.Mount(enter.__file__, _ENTER)
        yield command.Mount(str(plan.folder / "control"), _CONTROL)
        for path in sorted((plan.folder / "etc").iterdir()):
            if path.name != "hosts":  # engines write their own
                yield command.Mount(str(path), f"/etc/{path.name}")
        if self.image is None:
            yield from command.system_mounts()
            for prefix in plan.interpreter.prefixes:
                yield command.Mount(prefix, prefix)
        for mount in plan.mounts:
            if not mount.optional or Path(mount.source).exists():
                yield mount

    def _make_empty_image(self) -> None:
        """Import the empty image, once; no registry is asked."""
        if _ask(self.engine, "image", "inspect", EMPTY_IMAGE).returncode == 0:
            return
        made = _ask(self.engine, "import", "-", EMPTY_IMAGE, data=empty_image())
        if made.returncode != 0:
            said = made.stderr.decode(errors="replace").strip()
            raise CannotVerifyError(f"{self.engine} import: {said}", help=_START[self._dialect])

    @property
    def _dialect(self) -> str:
        return "podman" if self.podman else "docker"

    def _remove(self, name: str) -> None:
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            _ask(self.engine, "rm", "--force", name)


def find(image: str | None, limits: Limits) -> Container:
    """The engine on the PATH, podman before docker.

    Raises:
        CannotVerifyError: there is none, or it does not answer.
    """
    engine = next(filter(None, map(shutil.which, ENGINES)), None)
    if engine is None:
        raise CannotVerifyError("neither podman nor docker is installed", help=_INSTALL)
    dialect = "podman" if Path(engine).name == "podman" else "docker"
    field = "{{.Server.Version}}" if dialect == "docker" else "{{.Client.Version}}"
    try:
        asked = _ask(engine, "version", "--format", field)
    except (OSError, subprocess.SubprocessError) as error:
        raise CannotVerifyError(f"{engine} does not run: {error}", help=_START[dialect]) from error
    if asked.returncode != 0:
        said = (asked.stderr.decode(errors="replace").strip().splitlines() or ["no message"])[-1]
        raise CannotVerifyError(f"{engine} does not answer: {said}", help=_START[dialect])
    version = f"{dialect} {asked.stdout.decode(errors='replace').strip()}"
    return Container(engine, version, image, limits.memory_bytes, limits.processes)


def empty_image() -> bytes:
    """A tar of the folders that mounts need, and the links that this machine has in its root."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        for name in ("dev", "etc", "home", "proc", "sys", "tmp", "usr"):
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(entry)
        for name, target in command.root_links():
            entry = tarfile.TarInfo(name.lstrip("/"))
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            tar.addfile(entry)
    return file.getvalue()


def _ask(engine: str, *arguments: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [engine, *arguments], input=data, capture_output=True, timeout=START_S, check=False
    )


def _mount(mount: command.Mount) -> list[str]:
    if mount.device:
        return ["--device", f"{mount.source}:{mount.target}"]
    value = f"type=bind,source={mount.source},target={mount.target}"
    if "," in mount.source or '"' in mount.source:
        raise CannotVerifyError(
            f"a path with a comma or a quote cannot be shown to a container: {mount.source}",
            help="move it, or use --sandbox bwrap",
        )
    return ["--mount", value if mount.writable else f"{value},readonly"]


def _request(tier: Container, plan: Plan) -> str:
    request = {
        "control": f"{_CONTROL}/socket",
        "filter": bubblewrap.filter_program().hex(),
        "environment": {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": command.SCRATCH},
        "worker": command.WORKER,
        "paths": [] if tier.image else list(plan.interpreter.paths),
        "port": 3128,
    }
    return json.dumps(request)


def _called(waiting: socket.socket, process: subprocess.Popen[bytes], owner: int) -> socket.socket:
    """The first connection, from the user that the container runs as."""
    deadline = time.monotonic() + START_S
    waiting.settimeout(0.1)
    while time.monotonic() < deadline:
        try:
            control, _ = waiting.accept()
        except TimeoutError:
            if process.poll() is not None:
                raise NotUp("the container did not start") from None
            continue
        pid, user, _ = _caller(control)
        if user == owner and pid > 0:
            return control
        control.close()
        raise NotUp(f"process {pid} of user {user} called instead of the supervisor")
    raise NotUp("the supervisor in the container did not call")


def _caller(control: socket.socket) -> tuple[int, int, int]:
    """The process at the other end: its id here, its user, its group."""
    data = control.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, user, group = _CREDENTIALS.unpack(data)
    return pid, user, group
