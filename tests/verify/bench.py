"""One sandbox on a tree that the test writes, without git and the command line around it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hubpub.verify.checkout import Checkout
from hubpub.verify.egress import Egress
from hubpub.verify.jobs import Done, Jobs
from hubpub.verify.limits import Limits
from hubpub.verify.reference import Resolved
from hubpub.verify.sandbox import interpreter, tiers

HEAD = """dependencies = ["torch"]
import ctypes, mmap, os, resource, signal, socket, subprocess, sys, threading, time
import torch

libc = ctypes.CDLL(None, use_errno=True)
MIB = 1 << 20


def net():
"""


class Bench:
    """Runs the body of an entrypoint, each time with limits of its own, in one sandbox."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self._tree = folder / "tree" / "octo_net_v1.0"
        self._tree.mkdir(parents=True)
        resolved = Resolved("v1.0", "tag", "refs/tags/v1.0")
        checkout = Checkout(self._tree, None, "0" * 40, resolved, 1)
        egress = Egress((), 1 << 20)
        deadline = time.monotonic() + 600
        python, limits = interpreter.current(), Limits()
        tier = tiers.choose(tiers.Wanted(), python, limits)
        self.jobs = Jobs(
            folder, checkout, "octo/net:v1.0", egress, limits, deadline, lambda: None, tier, python,
            **options,
        )  # fmt: skip

    def __call__(self, body: str, *, device: str = "cpu", **limits: Any) -> Done:
        """Run ``body``, the statements of ``net()``, to its end."""
        lines = "".join(f"    {line}\n" for line in body.strip().splitlines())
        (self._tree / "hubconf.py").write_text(HEAD + lines)
        with self.jobs.lowered(Limits(**{"timeout_s": 60.0, **limits})):
            return self.jobs.run("load", device=device, entrypoint="net", args=[], kwargs={})


@contextlib.contextmanager
def bench(folder: Path, **options: Any) -> Iterator[Bench]:
    """A :class:`Bench` in ``folder``, whose sandbox ends with it."""
    folder.chmod(0o711)
    made = Bench(folder, **options)
    with made.jobs:
        yield made
