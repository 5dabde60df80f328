"""A place to run strangers' code: bubblewrap, a supervisor as PID 1, one forked job at a time.

A sandbox is proven before it is used (:mod:`~hubpub.verify.sandbox.probe`) and never weaker in
silence: what cannot be built is refused with the mend (:mod:`~hubpub.verify.sandbox.advice`).
"""

from __future__ import annotations

import contextlib
import os
import platform
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from hubpub.errors import CannotVerifyError
from hubpub.verify.limits import KIB, Limits
from hubpub.verify.sandbox import advice, cgroup, channel, command, launch, seccomp
from hubpub.verify.sandbox.interpreter import Interpreter
from hubpub.verify.sandbox.probe import Surroundings, surroundings

_WORKER = Path(__file__).parent.parent / "worker"
_MAIN = "import sys; sys.path.insert(0, '{0}'); from hubpub_worker.supervisor import main; main()"
# systemd keeps this range for users that exist only while a service runs.
_THROW_AWAY_UIDS = range(61184, 65520)
_START_S, _IMPORT_S, _GRACE_S = 20.0, 180.0, 2.0
CLAIM_BYTES = 1024 * KIB
_KEPT_OUTPUT = 64 * KIB


@dataclass(frozen=True)
class Outcome:
    """What became of one job. All of it fact but ``claims``, ``out`` and ``err``.

    ``ended`` is one of exit, signal, timeout, cpu, memory, pids, disk, files, output, download.
    """

    exit: int | None
    signal: int | None
    ended: str
    wall_s: float
    cpu_s: float
    peak_bytes: int
    claims: bytes
    out: bytes
    err: bytes
    clean: bool = False
    """Whether the job left nothing in the sandbox outside its own directory."""
    fresh: bool = False
    """Whether it ran in an interpreter of its own, not in a fork of the supervisor."""
    hung: bool = False
    """Whether it ended in a timeout after a long time without using the CPU."""


@dataclass(frozen=True)
class Request:
    """One job for the supervisor: the message it gets, and the bounds the parent keeps itself."""

    message: Mapping[str, Any]
    timeout_s: float
    output_bytes: int


class Sandbox:
    """One running sandbox. Use as a context manager: leaving it kills everything inside."""

    def __init__(
        self,
        folder: Path,
        interpreter: Interpreter,
        mounts: tuple[command.Mount, ...],
        limits: Limits | None = None,
    ):
        """Start it, probe it, import torch in it.

        Args:
            folder: an empty directory of ours; its ``scratch`` becomes the only writable place.
            interpreter: the Python that runs the loader.
            mounts: what to show beside the system: the tree, devices.
            limits: of its jobs, for a control group around it where one can be made.

        Raises:
            CannotVerifyError: bubblewrap is missing, refused, or what came up is no sandbox.
        """
        self._stderr = folder / "sandbox.log"
        self._closers = contextlib.ExitStack()
        self._first = -1
        self._limits = limits or Limits()
        self._group: cgroup.Group | None = None
        self.alive = False
        try:
            self._start(folder, interpreter, mounts)
        except BaseException:
            self.close()
            raise

    def _start(
        self, folder: Path, interpreter: Interpreter, mounts: tuple[command.Mount, ...]
    ) -> None:
        _only_on_linux()
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._closers.enter_context(self.control)
        info, info_theirs = os.pipe2(os.O_CLOEXEC)
        self._closers.callback(os.close, info)
        filter_fd = os.memfd_create("seccomp", os.MFD_CLOEXEC)
        with theirs, self._stderr.open("wb") as stderr:
            try:
                os.write(filter_fd, _seccomp_program())
                os.lseek(filter_fd, 0, os.SEEK_SET)
                argv = _argv(folder, interpreter, mounts, (theirs.fileno(), filter_fd, info_theirs))
                self.process = subprocess.Popen(
                    argv,
                    stdin=subprocess.DEVNULL,
                    stdout=stderr,
                    stderr=stderr,
                    pass_fds=(theirs.fileno(), filter_fd, info_theirs),
                    env={},
                    cwd="/",
                )
            finally:
                os.close(filter_fd)
                os.close(info_theirs)
        self._closers.callback(self._end)
        self._meet(info)

    def _meet(self, info: int) -> None:
        """Take the kill switch, prove the sandbox, and let the supervisor import torch."""
        found = channel.read_info(info, _START_S)
        if found is None:
            raise self._refused("bubblewrap did not start")
        self._first = os.pidfd_open(found["child-pid"])
        self._closers.callback(os.close, self._first)
        self._closers.callback(self._kill_namespace)
        hello, descriptors = channel.receive(self.control, _START_S)
        if hello is None or len(descriptors) != 1:
            raise self._refused("the sandbox did not come up")
        self.listener = socket.socket(fileno=descriptors[0])
        self._closers.enter_context(self.listener)
        self.surroundings: Surroundings = surroundings(found["child-pid"], hello)
        if self.surroundings.missing:
            missing = ", ".join(self.surroundings.missing)
            raise self._refused(f"what bubblewrap built is not a sandbox: {missing} missing")
        self.python = str(hello["python"])
        self._group = cgroup.around(found["child-pid"], self._limits, cgroup.parent())
        self._closers.callback(self._leave_group)
        channel.send(self.control, {"op": "go"})
        ready, _ = channel.receive(self.control, _IMPORT_S)
        if ready is None:
            raise self._refused("torch cannot be imported in the sandbox")
        self.torch = str(ready["torch"])
        self.alive = True

    def _refused(self, what: str) -> CannotVerifyError:
        self._kill_namespace()
        text = self._stderr.read_text(encoding="utf-8", errors="replace").strip()
        last = text.splitlines()[-1] if text else "no message"
        return CannotVerifyError(f"{what}: {last}", help=advice.for_stderr(text))

    def run(self, request: Request, tick: Callable[[], None] = lambda: None) -> Outcome:
        """Run one job to its end and return what became of it; never raises for what it does.

        ``tick`` is called a few times a second. When even the supervisor does not answer in time
        the whole sandbox is killed, and :attr:`alive` turns false.
        """
        claims, claims_end = channel.pipe(CLAIM_BYTES)
        out, out_end = channel.pipe(_KEPT_OUTPUT)
        err, err_end = channel.pipe(_KEPT_OUTPUT)
        captures, ends = (claims, out, err), (claims_end, out_end, err_end)
        kills = self._group.kills() if self._group else 0
        started = time.monotonic()
        try:
            with contextlib.suppress(ConnectionError, TimeoutError):
                channel.send(self.control, {"op": "job", **request.message}, ends)
            for end in ends:
                os.close(end)
            done = self._wait(captures, request, tick)
            for capture in captures:
                # Every writer is dead when the job is done, so what is left is little.
                while done is not None and capture.read():
                    pass
        finally:
            for capture in captures:
                os.close(capture.descriptor)
        texts = (bytes(claims.kept), bytes(out.kept), bytes(err.kept))
        if claims.total > CLAIM_BYTES:
            texts = (b"", *texts[1:])
        if done is None:
            self.close()
            wall = time.monotonic() - started
            if wall < request.timeout_s:
                # Only the kernel can kill the first process: out of memory on this machine.
                return Outcome(None, signal.SIGKILL.value, "signal", wall, 0.0, 0, *texts)
            return Outcome(None, None, "timeout", wall, 0.0, 0, *texts)
        killed = self._group is not None and self._group.kills() > kills
        return Outcome(
            done["exit"],
            done["signal"],
            "memory" if killed and done["ended"] in {"exit", "signal"} else done["ended"],
            done["wall_s"],
            done["cpu_s"],
            done["peak_bytes"],
            *texts,
            clean=done["clean"],
            fresh=done["fresh"],
            hung=done["hung"],
        )

    def _wait(
        self,
        captures: tuple[channel.Capture, ...],
        request: Request,
        tick: Callable[[], None],
    ) -> dict[str, Any] | None:
        """Drain the job's pipes until the supervisor says it is done, or the last deadline."""
        import selectors

        deadline = time.monotonic() + request.timeout_s + _GRACE_S
        told = False
        with selectors.DefaultSelector() as selector:
            selector.register(self.control, selectors.EVENT_READ)
            for capture in captures:
                selector.register(capture.descriptor, selectors.EVENT_READ, capture)
            while time.monotonic() < deadline:
                for key, _ in selector.select(0.1):
                    if key.data is None:
                        return channel.receive(self.control, _GRACE_S)[0]
                    if not key.data.read():
                        selector.unregister(key.fd)
                if not told and sum(capture.total for capture in captures) > request.output_bytes:
                    channel.send(self.control, {"op": "kill", "reason": "output"})
                    told = True
                tick()
        return None

    def _kill_namespace(self) -> None:
        """Kill the first process: the kernel then kills everything in its pid namespace."""
        with contextlib.suppress(ProcessLookupError, OSError):
            signal.pidfd_send_signal(self._first, signal.SIGKILL)

    def _leave_group(self) -> None:
        if self._group is not None:
            self._kill_namespace()
            self._group.remove()

    @property
    def limited_by(self) -> str:
        """What keeps the limits beside the supervisor's watch: ``cgroup``, or ``watcher`` alone."""
        return "watcher" if self._group is None else "cgroup"

    def _end(self) -> None:
        """Let bwrap reap what it started and leave; kill it where it does not."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(_GRACE_S if self._first >= 0 else 0)
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        """Kill everything inside and wait for it. Safe to call twice."""
        self.alive = False
        self._closers.close()

    def __enter__(self) -> Sandbox:  # noqa: PYI034 - typing.Self is not in 3.10
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def scratch(folder: Path) -> Path:
    """The directory of ``folder`` that a sandbox may write to, as the parent sees it."""
    return folder / "scratch"


def prepare(folder: Path) -> None:
    """Make the directories of a sandbox in ``folder``, for the user that will run inside it."""
    folder.chmod(0o711)
    (folder / "etc").mkdir()
    (folder / "etc").chmod(0o755)
    for name, text in (
        ("passwd", "user:x:1000:1000::/scratch:/bin/sh\n"),
        ("group", "user:x:1000:\n"),
        ("hosts", "127.0.0.1 localhost\n::1 localhost\n"),
    ):
        (folder / "etc" / name).write_text(text, encoding="ascii")
        (folder / "etc" / name).chmod(0o644)
    scratch(folder).mkdir()
    if os.geteuid() == 0:
        uid = random.choice(_THROW_AWAY_UIDS)  # noqa: S311 - to avoid clashes, not a secret
        os.chown(scratch(folder), uid, uid)


def _only_on_linux() -> None:
    if platform.system() != "Linux":
        raise CannotVerifyError(
            f"hubpub verify needs Linux, not {platform.system()}",
            help="run it in CI (a Linux runner), in a virtual machine, or in WSL",
        )


def _seccomp_program() -> bytes:
    machine = platform.machine()
    try:
        return seccomp.program(machine)
    except KeyError as error:
        raise CannotVerifyError(
            f"no system call filter for {machine}",
            help=f"hubpub verify runs on {' and '.join(seccomp.AUDIT_ARCH)} Linux",
        ) from error


def _argv(
    folder: Path,
    interpreter: Interpreter,
    mounts: tuple[command.Mount, ...],
    descriptors: tuple[int, int, int],
) -> list[str]:
    """The command that starts the sandbox: bwrap, or as root the launcher that becomes it."""
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        raise CannotVerifyError("bubblewrap is not installed", help=advice.for_missing())
    control, filter_fd, info = descriptors
    own = [
        command.Mount(str(scratch(folder)), command.SCRATCH, writable=True),
        command.Mount(str(_WORKER), f"{command.WORKER}/hubpub_worker"),
    ]
    own += [command.Mount(str(path), f"/etc/{path.name}") for path in (folder / "etc").iterdir()]
    own += [command.Mount(prefix, prefix) for prefix in interpreter.prefixes]
    layout = command.Layout(
        mounts=(*own, *mounts),
        environment={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": command.SCRATCH},
        command=(
            *(interpreter.executable, "-I", "-B", "-c", _MAIN.format(command.WORKER)),
            *(str(control), *interpreter.paths),
        ),
        seccomp_fd=filter_fd,
        info_fd=info,
    )
    if os.geteuid() != 0:
        return [bwrap, *command.arguments(layout)]
    return _as_throw_away_user(bwrap, layout, scratch(folder).stat().st_uid)


def _as_throw_away_user(bwrap: str, layout: command.Layout, uid: int) -> list[str]:
    """The launcher's command line; every source is reached through its pool of bound paths."""
    import dataclasses
    import json

    here = [mount for mount in layout.mounts if not mount.optional or Path(mount.source).exists()]
    moved = tuple(
        dataclasses.replace(mount, source=launch.pooled(index)) for index, mount in enumerate(here)
    )
    request = {
        "uid": uid,
        "sources": [mount.source for mount in here],
        "argv": [bwrap, *command.arguments(dataclasses.replace(layout, mounts=moved))],
    }
    return [sys.executable, "-I", launch.__file__, json.dumps(request)]
