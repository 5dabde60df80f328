"""Many repositories at once, each in a process that may die without hiding the others."""

from __future__ import annotations

import contextlib
import multiprocessing
import pickle
import signal
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerContext, SpawnContext
from pathlib import Path

from hubpub.check.work import Outcome, Work, attempt, seen_from_here

LIMIT_S = 300.0
"""Seconds that one repository may take; after that its process is ended."""
_PRELOADED = ["hubpub.check.work", "hubpub.source.repository", "hubpub.source.cache"]

Context = ForkServerContext | SpawnContext


@dataclass
class _Worker:
    """A process, and the repository that it is busy with since ``started``."""

    process: multiprocessing.process.BaseProcess
    index: int
    started: float


def run_all(
    work: Work, roots: Sequence[Path], *, jobs: int, limit_s: float = LIMIT_S
) -> list[Outcome]:
    """Do ``work`` with every repository of ``roots``; the outcomes stand in the same order.

    ``jobs`` processes share the repositories. One that dies, or works at a repository for more than
    ``limit_s`` seconds, is replaced, and that repository's outcome is a defect.
    """
    context = _context()
    waiting = deque(range(len(roots)))
    outcomes: dict[int, Outcome] = {}
    busy: dict[Connection, _Worker] = {}
    try:
        while waiting and len(busy) < jobs:
            _start(context, work, busy, waiting.popleft(), roots)
        while busy:
            ended = min(worker.started for worker in busy.values()) + limit_s
            ready = wait(list(busy), max(ended - time.monotonic(), 0) + 0.01)
            for connection in ready:
                assert isinstance(connection, Connection)  # noqa: S101 - nothing else is waited for
                worker = busy[connection]
                outcome = _received(connection, worker, roots[worker.index])
                outcomes[worker.index] = outcome
                alive = outcome.defect is None
                if not alive:
                    _end(busy, connection)
                if waiting and alive:
                    _hand(connection, worker, waiting.popleft(), roots)
                elif waiting:
                    _start(context, work, busy, waiting.popleft(), roots)
                elif alive:
                    _end(busy, connection)
            for connection, worker in list(busy.items()):
                if time.monotonic() - worker.started > limit_s:
                    text = f"it took more than {limit_s:g} seconds"
                    outcomes[worker.index] = _lost(roots[worker.index], text)
                    _end(busy, connection)
                    if waiting:
                        _start(context, work, busy, waiting.popleft(), roots)
    finally:
        for connection in list(busy):
            _end(busy, connection)
    return [outcomes[index] for index in range(len(roots))]


def _context() -> Context:
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    return context


def _start(
    context: Context,
    work: Work,
    busy: dict[Connection, _Worker],
    index: int,
    roots: Sequence[Path],
) -> None:
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, work), daemon=True)
    process.start()
    theirs.close()
    worker = _Worker(process, index, 0.0)
    busy[ours] = worker
    _hand(ours, worker, index, roots)


def _hand(connection: Connection, worker: _Worker, index: int, roots: Sequence[Path]) -> None:
    worker.index, worker.started = index, time.monotonic()
    try:
        connection.send(str(roots[index]))
    except OSError:
        return  # it is dead: waiting for its answer says so


def _received(connection: Connection, worker: _Worker, root: Path) -> Outcome:
    try:
        outcome = connection.recv()
    except (EOFError, OSError, pickle.UnpicklingError):
        worker.process.join(5)
        code = worker.process.exitcode
        how = f"with status {code}"
        if code is not None and code < 0:
            how = f"by signal {-code} ({signal.strsignal(-code)})"
        return _lost(root, f"the process that read it was ended {how}")
    assert isinstance(outcome, Outcome)  # noqa: S101 - what _serve sends
    return outcome


def _lost(root: Path, reason: str) -> Outcome:
    return Outcome(seen_from_here(root), defect=reason)


def _end(busy: dict[Connection, _Worker], connection: Connection) -> None:
    worker = busy.pop(connection)
    connection.close()
    worker.process.kill()
    worker.process.join(5)


def _serve(connection: Connection, work: Work) -> None:
    """A worker: one repository after the other, until nobody asks any more."""
    # Ctrl-C reaches the whole group; the parent ends its workers itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(EOFError, OSError):
        while True:
            connection.send(attempt(work, Path(connection.recv())))
