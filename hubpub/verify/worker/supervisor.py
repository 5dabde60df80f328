"""The first process (PID 1) of the sandbox: trusted until it forks, never runs a model itself.

It talks to the parent over a ``SOCK_SEQPACKET`` socket, one JSON object per message:

* ``{"op": "hello", ...}`` with the proxy's listening socket attached: what the sandbox looks like
  from inside, before anything of the repository can run. The parent answers ``{"op": "go"}``.
* ``{"op": "ready", "torch": "2.13.0+cpu", "forks": true}`` once torch is imported; ``forks`` is
  false where the import started a thread or opened a device, and then no job is forked.
* ``{"op": "job", ...}`` from the parent, with the write ends of three pipes (claims, stdout,
  stderr); answered by ``{"op": "done", ...}`` when every process of the job is dead.
* ``{"op": "kill", "reason": "output"}`` from the parent ends the running job.

Everything in ``done`` is a fact: exit status, signal, times and peak memory are read here, not
reported by the code under test.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from . import job, kin, watch

MESSAGE_BYTES = 1 << 17
PROXY_PORT = 3128
_PR_SET_DUMPABLE = 4
_POLL_S = (0.002, 0.03)  # quick at first, because many a job is
_FRESH = (
    "import sys; sys.path.insert(0, sys.argv[1]); sys.path.extend(sys.argv[2:]); "
    "from hubpub_worker.job import main_fresh; main_fresh()"
)
_OPENBLAS = "OPENBLAS_NUM_THREADS"


def main() -> None:
    """Serve jobs until the parent closes the socket."""
    control = socket.socket(fileno=int(sys.argv[1]))
    sys.path.extend(sys.argv[2:])
    # A job runs under the same user: leave it no handler to trigger here and no memory to read.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", PROXY_PORT))
        listener.listen(64)
        _send(control, {"op": "hello", **_surroundings()}, [listener.fileno()])
    if _receive(control)[0] is None:
        return
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    os.environ[_OPENBLAS] = "1"  # numpy's starts its threads when it is imported
    import torch
    import torch.hub

    # A parent that has run OpenMP with several threads makes its forked children hang.
    torch.set_num_threads(1)
    del os.environ[_OPENBLAS]
    shared = watch.Shared()
    _send(control, {"op": "ready", "torch": str(torch.__version__), "forks": _can_fork()})
    while True:
        message, descriptors = _receive(control)
        if message is None:
            return
        if message["op"] == "job":
            shared.begin(message["directory"])
            done = _run(control, message, descriptors)
            _send(control, {**done, "clean": shared.untouched()})


def _surroundings() -> dict[str, Any]:
    """What the parent's probe compares with what a sandbox must look like."""
    with open("/proc/net/dev", encoding="ascii") as file:
        interfaces = sorted(line.split(":")[0].strip() for line in file if ":" in line)
    return {
        "pid": os.getpid(),
        "interfaces": interfaces,
        "proc_sys_writable": os.access("/proc/sys/kernel/core_pattern", os.W_OK),
        "python": ".".join(map(str, sys.version_info[:3])),
    }


def _send(control: socket.socket, message: dict[str, Any], descriptors: Sequence[int] = ()) -> None:
    socket.send_fds(control, [json.dumps(message).encode()], list(descriptors))


def _receive(control: socket.socket) -> tuple[dict[str, Any] | None, list[int]]:
    data, descriptors, _, _ = socket.recv_fds(control, MESSAGE_BYTES, 3)
    if not data:
        return None, []
    for descriptor in descriptors:
        os.set_inheritable(descriptor, False)
    return json.loads(data), list(descriptors)


def _run(control: socket.socket, request: dict[str, Any], descriptors: list[int]) -> dict[str, Any]:
    """Start one job, watch it, and return its facts once nothing of it is alive."""
    guard = watch.Watch(request)
    fresh = bool(request.get("fresh")) or not _can_fork()
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        _become_job(request, descriptors, fresh)
    for descriptor in descriptors:
        os.close(descriptor)
    guard.peak = watch.pages(child)[0]
    dead = _Dead(child)
    reason, pause = "", _POLL_S[0]
    over = False
    while not over and not reason:
        readable, _, _ = select.select([control], [], [], pause)
        pause = min(pause * 1.2, _POLL_S[1])
        if readable:
            message, _ = _receive(control)
            reason = message.get("reason", "killed") if message else "killed"
        over = dead.reap()
        guard.reaped_s = dead.cpu_s
        if not over and not reason:
            reason = guard.exceeded()
    hung = reason == "timeout" and guard.hung
    wall = time.monotonic() - started
    dead.kill_everything()
    facts = {"wall_s": wall, "cpu_s": dead.cpu_s, "peak_bytes": guard.peak}
    return {"op": "done", **_facts(dead.status, reason), **facts, "fresh": fresh, "hung": hung}


def _can_fork() -> bool:
    """Whether a fork of this process is whole: no other thread, no device that it has opened.

    A fork copies the thread that calls it alone, and a CUDA context does not survive one.
    """
    import torch

    return len(os.listdir("/proc/self/task")) == 1 and not torch.cuda.is_initialized()


class _Dead:
    """The processes that were reaped: the job's own status, and the CPU seconds of all."""

    def __init__(self, child: int) -> None:
        self._child = child
        self.status: int | None = None
        self.cpu_s = 0.0

    def reap(self) -> bool:
        """Reap every process that is dead by now; whether the job's own is among the dead."""
        with contextlib.suppress(ChildProcessError):
            while self._wait(os.WNOHANG):
                pass
        return self.status is not None

    def kill_everything(self) -> None:
        """Kill all other processes of the job and wait until none is left."""
        with contextlib.suppress(ChildProcessError):
            while True:
                kin.kill(os.getpid())
                self._wait(0)

    def _wait(self, flags: int) -> bool:
        pid, status, used = os.wait4(-1, flags)
        self.cpu_s += used.ru_utime + used.ru_stime
        if pid == self._child:
            self.status = status
        return pid != 0


def _facts(status: int | None, reason: str) -> dict[str, Any]:
    code = os.waitstatus_to_exitcode(status) if status is not None else None
    died = code is not None and code < 0
    return {
        "exit": None if died else code,
        "signal": -code if died and code is not None else None,
        "ended": reason or ("signal" if died else "exit"),
    }


def _become_job(request: dict[str, Any], descriptors: list[int], fresh: bool) -> None:
    """Turn this forked child into the job; never returns into the supervisor's loop."""
    leave: Callable[[int], object] = os._exit
    kill, myself = os.kill, os.getpid()
    code = 70
    try:
        os.setpgid(0, 0)  # a session of its own would be a share of the CPU of its own
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0)
        claims, out, err = (os.dup(descriptor) for descriptor in descriptors)
        first = _as_file(request) if fresh else os.open(os.devnull, os.O_RDONLY)
        for source, target in ((first, 0), (out, 1), (err, 2), (claims, 3)):
            os.dup2(source, target)
        os.closerange(4, 1 << 16)
        if fresh:
            worker = os.path.dirname(os.path.dirname(__file__))
            command = [sys.executable, "-I", "-B", "-c", _FRESH, worker, *sys.argv[2:]]
            os.execv(sys.executable, command)
        code = job.main(request)
    finally:
        # Not `raise`, not `return`: code under test may have patched what they would run into.
        leave(code)
        kill(myself, signal.SIGKILL)


def _as_file(request: dict[str, Any]) -> int:
    """A descriptor from which ``request`` can be read: a pipe would not hold it."""
    descriptor = os.memfd_create("request")
    os.write(descriptor, json.dumps(request).encode())
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor
