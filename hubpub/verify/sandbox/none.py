"""The tier ``none``: the same supervisor and proxy with no walls, for code that is trusted.

What a process can give up by itself it gives up: new privileges, system calls, resources. It still
sees what the user sees.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

from hubpub.errors import CannotVerifyError
from hubpub.verify.sandbox import bubblewrap, enter
from hubpub.verify.sandbox.tier import WORKER, Plan, Started, scratch
from hubpub.verify.worker import kin

NOT_HELD = (
    "reading this user's files and tokens, and writing to them",
    "the network: the proxy is offered, not enforced; the machine's loopback is open",
    "signals to, and memory of, this user's other processes, hubpub's own included",
    "a job that changes the tree, or what later jobs find in /tmp",
    "processes that outlive a killed hubpub",
)
_WITHOUT = (
    *(f"{name}_namespace" for name in ("user", "pid", "net", "mnt", "ipc", "uts")),
    *("first_process", "no_network_but_loopback", "proc_sys_read_only", "no_capabilities"),
)


@dataclass(frozen=True)
class NoSandbox:
    """No program builds it."""

    name: str = "none"
    version: str | None = None
    optional: frozenset[str] = frozenset(_WITHOUT)
    hides_packages: bool = False
    not_held: tuple[str, ...] = NOT_HELD
    warning: str | None = (
        "NO SANDBOX: the code ran as this user, with this user's files and network (--sandbox none)"
    )

    @property
    def features(self) -> dict[str, bool]:
        """None beside those that the probe finds."""
        return {}

    def scratch(self, folder: Path) -> str:
        """Where it is."""
        return str(scratch(folder))

    def tree(self, root: Path) -> str:
        """Where it is."""
        return str(root)

    def advice(self, stderr: str) -> str | None:  # noqa: ARG002
        """As root the throw-away user may lack the way to what it needs."""
        return "run hubpub as an ordinary user" if os.geteuid() == 0 else None

    def start(self, plan: Plan) -> Started:
        """Start the supervisor in a session of its own; asked by root, as the throw-away user.

        Raises:
            CannotVerifyError: the throw-away user cannot run this Python.
        """
        worker = plan.folder / "worker"
        worker.mkdir()
        (worker / "hubpub_worker").symlink_to(WORKER)
        control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        owner = plan.scratch.stat().st_uid if os.geteuid() == 0 else None
        python = plan.interpreter.executable
        try:
            process = subprocess.Popen(
                [python, "-I", "-B", enter.__file__, self._request(plan, theirs.fileno(), worker)],
                stdin=subprocess.DEVNULL,
                stdout=plan.stderr,
                stderr=plan.stderr,
                pass_fds=(theirs.fileno(),),
                env={},
                cwd="/",
                start_new_session=True,
                user=owner,
                group=owner,
                extra_groups=None if owner is None else [],
            )
        except OSError as error:
            control.close()
            raise CannotVerifyError(
                f"{python} cannot be run by the user that stands in for root: {error.strerror}",
                help=self.advice(""),
            ) from error
        finally:
            theirs.close()
        return Started(process, control, process.pid, lambda: _end_family(process.pid))

    def _request(self, plan: Plan, control: int, worker: Path) -> str:
        request = {
            "control": control,
            "filter": bubblewrap.filter_program(own_pids=False).hex(),
            "environment": {
                "PATH": "/usr/bin:/bin",
                "LANG": "C.UTF-8",
                "HOME": self.scratch(plan.folder),
            },
            "worker": str(worker),
            "paths": list(plan.interpreter.paths),
            "port": 0,
        }
        return json.dumps(request)


def _end_family(root: int) -> None:
    """Kill until nothing is left that could fork again; a few rounds do."""
    for _ in range(100):
        if not kin.others(root):
            return
        kin.kill(root)
