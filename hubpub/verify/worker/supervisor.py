"""The first process (PID 1) of the sandbox: trusted until it forks, never runs a model itself.

It talks to the parent over a ``SOCK_SEQPACKET`` socket, one JSON object per message:

* ``{"op": "hello", ...}`` with the proxy's listening socket attached: what the sandbox looks like
  from inside, before anything of the repository can run. The parent answers ``{"op": "go"}``.
* ``{"op": "ready", "torch": "2.13.0+cpu"}`` once torch is imported.
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
    import torch
    import torch.hub

    # A parent that has run OpenMP with several threads makes its forked children hang.
    torch.set_num_threads(1)
    shared = watch.Shared()
    _send(control, {"op": "ready", "torch": str(torch.__version__)})
    while True:
        message, descriptors = _receive(control)
        if message is None:
            return
        if message["op"] == "job":
            done = _run(control, message, descriptors)
            _send(control, {**done, "clean": shared.untouched(message["directory"])})


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
    """Fork one job, watch it, and return its facts once nothing of it is alive."""
    os.mkdir(request["directory"], 0o700)
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        _become_job(request, descriptors)
    for descriptor in descriptors:
        os.close(descriptor)
    guard = watch.Watch(request, child)
    status = usage = None
    reason, pause = "", _POLL_S[0]
    while status is None and not reason:
        readable, _, _ = select.select([control], [], [], pause)
        pause = min(pause * 1.2, _POLL_S[1])
        if readable:
            message, _ = _receive(control)
            reason = message.get("reason", "killed") if message else "killed"
        status, usage = _reap(child)
        if status is None and not reason:
            reason = guard.exceeded()
    wall = time.monotonic() - started
    status, usage = _kill_everything(child, status, usage)
    return {"op": "done", **_facts(status, usage, reason), "wall_s": wall, "peak_bytes": guard.peak}


def _reap(child: int) -> tuple[int | None, Any]:
    """Reap every dead process; the job's own status and usage when it is among them."""
    found: tuple[int | None, Any] = (None, None)
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status, usage = os.wait4(-1, os.WNOHANG)
            if pid == 0:
                break
            if pid == child:
                found = (status, usage)
    return found


def _kill_everything(child: int, status: int | None, usage: Any) -> tuple[int | None, Any]:
    """Kill all other processes of the job and wait until none is left."""
    while True:
        kin.kill(os.getpid())
        try:
            pid, ended, used = os.wait4(-1, 0)
        except ChildProcessError:
            return status, usage
        if pid == child:
            status, usage = ended, used


def _facts(status: int | None, usage: Any, reason: str) -> dict[str, Any]:
    code = os.waitstatus_to_exitcode(status) if status is not None else None
    died = code is not None and code < 0
    return {
        "exit": None if died else code,
        "signal": -code if died and code is not None else None,
        "ended": reason or ("signal" if died else "exit"),
        "cpu_s": usage.ru_utime + usage.ru_stime if usage is not None else 0.0,
    }


def _become_job(request: dict[str, Any], descriptors: list[int]) -> None:
    """Turn this forked child into the job; never returns into the supervisor's loop."""
    leave: Callable[[int], object] = os._exit
    kill, myself = os.kill, os.getpid()
    code = 70
    try:
        os.setsid()
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0)
        claims, out, err = (os.dup(descriptor) for descriptor in descriptors)
        null = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((null, 0), (out, 1), (err, 2), (claims, 3)):
            os.dup2(source, target)
        os.closerange(4, 1 << 16)
        code = job.main(request)
    finally:
        # Not `raise`, not `return`: code under test may have patched what they would run into.
        leave(code)
        kill(myself, signal.SIGKILL)
