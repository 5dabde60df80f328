"""How much of a GPU's memory is taken, as the driver tells ``nvidia-smi``.

A fact, for no job has a part in it; of all processes on the GPU, which need not be hubpub's.
"""

from __future__ import annotations

import shutil
import subprocess
import time

from hubpub.verify.gpus import Gpu
from hubpub.verify.limits import MIB

_ASK_S, _FREE_S, _POLL_S = 20.0, 3.0, 0.2
"""For an answer; for a driver that takes back the memory of a process that has just died."""


def used(gpu: Gpu) -> int | None:
    """Bytes in use; None where nobody can tell: not NVIDIA's, a part of a GPU, no nvidia-smi."""
    program = shutil.which("nvidia-smi")
    if program is None or gpu.kind != "cuda" or gpu.number is None:
        return None
    which = gpu.uuid or str(gpu.position)
    line = [program, "--id", which, "--query-gpu=memory.used", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(
            line, stdin=subprocess.DEVNULL, capture_output=True, timeout=_ASK_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return read(done.stdout) if done.returncode == 0 else None


def read(answer: bytes) -> int | None:
    """The answer of ``nvidia-smi``, one number of MiB, as bytes; None for ``[N/A]``."""
    text = answer.decode("ascii", "replace").strip()
    return int(text) * MIB if text.isascii() and text.isdecimal() and len(text) < 10 else None


def left(gpu: Gpu, before: int | None) -> int | None:
    """Bytes in use that were not ``before``, once the driver has had a moment."""
    if before is None:
        return None
    until = time.monotonic() + _FREE_S
    while True:
        now = used(gpu)
        if now is None:
            return None
        if now <= before or time.monotonic() > until:
            return max(0, now - before)
        time.sleep(_POLL_S)
