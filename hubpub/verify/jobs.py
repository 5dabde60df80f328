"""Jobs of one run: a sandbox that is replaced when it dies, the proxy, and what each job left."""

from __future__ import annotations

import contextlib
import itertools
import os
import secrets
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any

from hubpub.verify import claims as claiming
from hubpub.verify import sandbox
from hubpub.verify.checkout import Checkout
from hubpub.verify.egress import Egress, Request
from hubpub.verify.harvest import GoOn, LeftFile, left_files, remove
from hubpub.verify.limits import Limits
from hubpub.verify.offer import Offer, Store
from hubpub.verify.report import Facts
from hubpub.verify.sandbox import command, interpreter
from hubpub.verify.sandbox.tier import Tier, scratch

_MOST_THREADS = 4
_FRESH_S = 30.0
"""What an interpreter of its own has beyond the limit of a job, to import torch."""
_READ_S, _TICK_S = 10.0, 0.1
"""For what a job left, even where the run's deadline passes; and between two ticks."""
_CRASHES = {signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL}


@dataclass(frozen=True)
class Done:
    """A job that has ended: facts, what it claimed, what it asked the network, what it left.

    ``folder`` is the job's directory as the parent sees it, until :meth:`Jobs.forget`; where jobs
    see it, it is ``directory``, and the tree is ``tree``.
    """

    facts: Facts
    claims: dict[str, Any] | None
    requests: tuple[Request, ...]
    files: tuple[LeftFile, ...]
    folder: Path
    directory: str
    tree: str


class Jobs:
    """Runs jobs on one tree, one after the other. A context manager: leaving it kills all."""

    def __init__(
        self,
        folder: Path,
        checkout: Checkout,
        reference: str,
        egress: Egress,
        limits: Limits,
        deadline: float,
        tick: Callable[[], None],
        tier: Tier,
        python: interpreter.Interpreter,
        *,
        fresh: bool = False,
    ) -> None:
        self._fresh, self._tier = fresh, tier
        self._folder = folder
        self._reference = reference
        self._egress = egress
        self._limits = self._of_jobs = limits
        self._tick = tick
        self._tree = tier.tree(checkout.root)
        self._differs = sorted(checkout.differs)
        # No tree has this name: each has the underscores of owner_repo_ref.
        self._store = Store(folder / "offered")
        self._offered = tier.tree(self._store.folder)
        self._mounts = (
            command.Mount(str(checkout.root), self._tree),
            command.Mount(str(self._store.folder), self._offered),
            *command.nvidia_mounts(),
        )
        self._deadline = deadline
        self._numbers = itertools.count(1)
        self._interpreter = python
        self.box = self._start()

    def _start(self) -> sandbox.Sandbox:
        folder = self._folder / f"sandbox{next(self._numbers)}"
        folder.mkdir()
        sandbox.prepare(folder)
        self._scratch = scratch(folder)
        self._tainted = False
        box = sandbox.Sandbox(
            folder, self._interpreter, self._mounts, self._tier, limits=self._limits
        )
        self._egress.serve(box.listener)
        return box

    @property
    def left_s(self) -> float:
        """Seconds until the run's deadline."""
        return self._deadline - time.monotonic()

    def run(self, kind: str, *, device: str = "cpu", **fields: Any) -> Done:
        """Run one job; its kinds and their fields stand in ``worker/job.py``.

        What is ``warm`` finds the offer in its caches, what is ``offline`` gets no answer.

        What a fork itself can cause is tried once more in an interpreter of its own.
        """
        done, outcome = self._once(kind, device, self._fresh, fields)
        suspicion = None if outcome.fresh else of_the_fork(outcome, done.requests)
        if suspicion is None or self.left_s <= 0:
            return done
        self.forget(done)
        again, _ = self._once(kind, device, True, fields)
        facts = replace(again.facts, retried=suspicion)
        return replace(again, facts=facts, requests=(*done.requests, *again.requests))

    def _once(
        self, kind: str, device: str, fresh: bool, fields: Mapping[str, Any]
    ) -> tuple[Done, sandbox.Outcome]:
        if self._tainted and kind != "inspect":
            self.box.close()
        if not self.box.alive:
            self.box = self._start()
        name = f"job{next(self._numbers)}"
        if self._tainted:
            name += f"-{secrets.token_hex(8)}"  # what was left may stand under the next name
        nonce = secrets.token_hex(16)
        limits = self._of_jobs
        timeout = limits.timeout_s + (_FRESH_S if fresh else 0.0)
        timeout = min(timeout, max(1.0, self.left_s))
        message = {
            "kind": kind,
            "device": device,
            "nonce": nonce,
            "directory": f"{self.box.scratch}/{name}",
            "tree": self._tree,
            "reference": self._reference,
            "seed": 0,
            "most": self._limits.max_entrypoints,
            "offered": self._offered if fields.get("warm") else None,
            "environment": _environment(self.box.proxy, online=kind != "inspect"),
            "limits": _limits(limits, timeout, device),
            "fresh": fresh,
            "differs": self._differs,
            **fields,
        }
        self._egress.begin(
            name, offline=bool(fields.get("offline")), down_bytes=limits.download_bytes
        )
        outcome = self.box.run(sandbox.Request(message, timeout, limits.output_bytes), self._tick)
        self._egress.settle()
        # What one job leaves, another must not find: the next one gets a sandbox of its own.
        self._tainted = self._tainted or not outcome.clean
        claims = claiming.read(outcome.claims, nonce, forward=bool(fields.get("forward")))
        if outcome.ended != "exit" and "forward" not in (claims or {}):
            claims = None  # but for a model that had loaded, and was then called
        return self._done(kind, name, claims, outcome), outcome

    def _done(
        self, kind: str, name: str, claims: dict[str, Any] | None, outcome: sandbox.Outcome
    ) -> Done:
        """What is known of the job ``name``, from its outcome and from what it left."""
        requests = self._egress.requests(name)
        folder = self._scratch / name
        facts = Facts(
            outcome.exit,
            outcome.signal,
            round(outcome.wall_s, 3),
            round(outcome.cpu_s, 3),
            outcome.peak_bytes,
            _ended(outcome, claims, requests),
            outcome.fresh,
        )
        files: tuple[LeftFile, ...] = ()
        if kind == "load":
            files = left_files(folder, self._of_jobs.disk_bytes, self._reading())
        inside = f"{self.box.scratch}/{name}"
        return Done(facts, claims, requests, files, folder, inside, self._tree)

    @contextlib.contextmanager
    def lowered(self, limits: Limits) -> Iterator[None]:
        """Run jobs under ``limits``, none of which is above the run's, while this is open."""
        self._of_jobs = limits
        try:
            yield
        finally:
            self._of_jobs = self._limits

    def _reading(self) -> GoOn:
        """What ends the reading of files: an interrupt, or the run's deadline."""
        until = time.monotonic() + max(self.left_s, _READ_S)
        told = 0.0

        def go_on() -> str | None:
            nonlocal told
            now = time.monotonic()
            if now > told + _TICK_S:
                told = now
                self._tick()
            return None if now < until else "is not read to its end: the run's deadline has passed"

        return go_on

    def offer(self, done: Done) -> Offer:
        """Offer what ``done`` left in its caches to the ``warm`` jobs that follow."""
        hashed = {file.path: file.sha256 for file in done.files}
        own = f"torch/hub/{Path(self._tree).name}"
        return self._store.fill(done.folder, hashed, self._limits.disk_bytes, own, self._reading())

    def withdraw(self) -> None:
        """Offer nothing any more."""
        self._store.clear()

    def forget(self, done: Done) -> None:
        """Delete what a job left, so that a run needs the disk of one job, not of all."""
        remove(done.folder)

    def inspect(self, path: str) -> Mapping[str, Any] | None:
        """Re-read a checkpoint in a job without any code of the repository; its claims."""
        if self.left_s <= 0:
            reason = "the run's deadline has passed (--deadline)"
            return {"weights_only": "skipped", "reason": reason}
        done = self.run("inspect", checkpoint=path)
        self.forget(done)
        return done.claims if done.facts.exit == 0 else None

    def __enter__(self) -> Jobs:  # noqa: PYI034 - typing.Self is not in 3.10
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._egress.close()
        with contextlib.suppress(OSError):
            self.box.close()


def of_the_fork(outcome: sandbox.Outcome, requests: tuple[Request, ...]) -> str | None:
    """How the job ended, where that can be the fork's doing; None where it cannot.

    A fork has one thread of its parent's, so that a lock of another is never opened again and
    OpenMP waits for workers that are not there: the job waits without using the CPU, or crashes.
    One that waits for a download does so too, and its request was cut when it ended.
    """
    if outcome.ended == "signal" and outcome.signal in _CRASHES:
        return f"ended by {signal.Signals(outcome.signal).name} in a fork"
    if outcome.hung and not any(entry.short or entry.decision == "cut" for entry in requests):
        return "hung in a fork"
    return None


def _environment(proxy: str, *, online: bool) -> dict[str, str]:
    """The job's variables beside those of its own directories."""
    names = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")
    return dict.fromkeys(names, proxy) if online else {}


def _limits(limits: Limits, timeout: float, device: str) -> dict[str, Any]:
    return {
        "timeout_s": timeout,
        "cpu_s": limits.cpu_s,
        "memory_bytes": limits.memory_bytes,
        "disk_bytes": limits.disk_bytes,
        "files": limits.files,
        "processes": limits.processes,
        "threads": min(_MOST_THREADS, os.cpu_count() or 1),
        "address_space": device == "cpu",
    }


def _ended(
    outcome: sandbox.Outcome, claims: Mapping[str, Any] | None, requests: tuple[Request, ...]
) -> str:
    """How the job ended, with what only the parent knows: a download cut short.

    The kernel ends a process at its CPU time by a signal of its own, before the watch sees it.
    """
    if outcome.ended == "signal" and outcome.signal == signal.SIGXCPU:
        return "cpu"
    if outcome.ended == "exit" and any(
        entry.short or entry.decision == "cut" for entry in requests
    ):
        return "download"
    error = claims.get("error") if claims else None
    if outcome.ended == "exit" and isinstance(error, dict):
        text = f"{error.get('type')}: {error.get('message')}"
        if text.startswith("MemoryError") or "DefaultCPUAllocator: can't allocate memory" in text:
            return "memory"
    return outcome.ended
