"""A place to run strangers' code: a supervisor as its first process, one forked job at a time.

What builds it is a tier (:mod:`~hubpub.verify.sandbox.tiers`). A sandbox is proven before it is
used (:mod:`~hubpub.verify.sandbox.probe`) and never weaker in silence: what cannot be built is
refused with the mend (:mod:`~hubpub.verify.sandbox.advice`).
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from hubpub.errors import CannotVerifyError
from hubpub.verify.limits import KIB, Limits
from hubpub.verify.sandbox import advice, cgroup, channel, command
from hubpub.verify.sandbox.interpreter import Interpreter
from hubpub.verify.sandbox.probe import Surroundings, surroundings
from hubpub.verify.sandbox.tier import START_S, NotStarted, NotUp, Plan, Tier, scratch

# systemd keeps this range for users that exist only while a service runs.
_THROW_AWAY_UIDS = range(61184, 65520)
_IMPORT_S, _GRACE_S = 180.0, 2.0
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
        tier: Tier,
        *,
        limits: Limits | None = None,
        only_proven: bool = False,
    ) -> None:
        """Start it, prove it, import torch in it.

        Args:
            folder: an empty directory of ours; its ``scratch`` becomes the only writable place.
            interpreter: the Python that runs the loader.
            mounts: what to show beside the system: the tree, devices.
            tier: what builds it.
            limits: of its jobs, for a control group around it where one can be made.
            only_proven: stop before torch is imported, for a probe.

        Raises:
            NotStarted: it was refused, or what came up lacks what the tier must have.
            CannotVerifyError: what the tier takes is not here.
        """
        self.tier = tier
        self.scratch = tier.scratch(folder)
        self._stderr = folder / "sandbox.log"
        self._closers = contextlib.ExitStack()
        self._first = -1
        self._limits = limits or Limits()
        self._group: cgroup.Group | None = None
        self.alive = False
        try:
            with self._stderr.open("wb") as stderr:
                self._start(Plan(folder, interpreter, mounts, stderr))
            self._prove()
            if not only_proven:
                self._import_torch()
        except BaseException:
            self.close()
            raise

    def _start(self, plan: Plan) -> None:
        try:
            self._started = self.tier.start(plan)
        except NotUp as error:
            raise self._refused(str(error)) from error
        except (FileNotFoundError, PermissionError) as error:  # it was there when it was chosen
            raise self._refused(f"{self.tier.name} cannot be started: {error.strerror}") from error
        self.control = self._started.control
        self._closers.enter_context(self.control)
        self._closers.callback(self._end)
        self._first = os.pidfd_open(self._started.pid)
        self._closers.callback(os.close, self._first)
        self._closers.callback(self._kill)

    def _prove(self) -> None:
        """Take the listener, and look whether this is what the tier must be."""
        hello, descriptors = channel.receive(self.control, START_S)
        if hello is None or len(descriptors) != 1:
            raise self._refused("the sandbox did not come up")
        self.listener = socket.socket(fileno=descriptors[0])
        self._closers.enter_context(self.listener)
        try:
            seen = surroundings(self._started.pid, hello)
        except OSError as error:
            raise self._refused(f"its first process cannot be looked at: {error}") from error
        self.surroundings = Surroundings({**seen.features, **self.tier.features}, seen.outer_uid)
        missing = [name for name in self.surroundings.missing if name not in self.tier.optional]
        if missing:
            what = f"what {self.tier.name} built is not a sandbox: {', '.join(missing)} missing"
            raise self._refused(what)
        self.python = str(hello["python"])
        self._group = cgroup.around(self._started.pid, self._limits, cgroup.parent())
        self._closers.callback(self._leave_group)

    def _import_torch(self) -> None:
        channel.send(self.control, {"op": "go"})
        ready, _ = channel.receive(self.control, _IMPORT_S)
        if ready is None:
            raise self._refused("torch cannot be imported in the sandbox")
        self.torch = str(ready["torch"])
        self.alive = True

    @property
    def proxy(self) -> str:
        """Where code inside finds the listener that the parent answers."""
        return "http://{}:{}".format(*self.listener.getsockname()[:2])

    def _refused(self, what: str) -> NotStarted:
        self._kill()
        text = self._stderr.read_text(encoding="utf-8", errors="replace").strip()
        last = text.splitlines()[-1] if text else "no message"
        return NotStarted(f"{what}: {last}", stderr=text, help=self.tier.advice(text))

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
                    with contextlib.suppress(OSError):  # it may have died since it was looked at
                        channel.send(self.control, {"op": "kill", "reason": "output"})
                    told = True
                tick()
        return None

    def _kill(self) -> None:
        """Kill the first process: the kernel then kills everything in its pid namespace."""
        if self._first >= 0:
            self._started.kill_family()
            with contextlib.suppress(OSError):
                signal.pidfd_send_signal(self._first, signal.SIGKILL)

    def _leave_group(self) -> None:
        if self._group is not None:
            self._kill()
            self._group.remove()

    @property
    def limited_by(self) -> str:
        """What keeps the limits beside the supervisor's watch: ``cgroup``, or ``watcher`` alone."""
        return "watcher" if self._group is None else "cgroup"

    def _end(self) -> None:
        """Let the tier's program reap what it started and leave; kill it where it does not."""
        process = self._started.process
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_S if self._first >= 0 else 0)
        process.kill()
        process.wait()

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


def prepare(folder: Path) -> None:
    """Make the directories of a sandbox in ``folder``, for the user that will run inside it.

    Raises:
        CannotVerifyError: asked by root of a user namespace in which no other user exists.
    """
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
        try:
            os.chown(scratch(folder), uid, uid)
        except OSError as error:
            what = f"user {uid} cannot stand in for root here: {error.strerror}"
            raise CannotVerifyError(what, help=advice.MENDS["few ids"]) from error
