"""What a tier is: how the supervisor is started, where things lie for it, and what has to hold."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from hubpub.errors import CannotVerifyError
from hubpub.verify.sandbox.command import Mount
from hubpub.verify.sandbox.interpreter import Interpreter

WORKER = Path(__file__).parent.parent / "worker"
"""The package that runs inside, as ``hubpub_worker``."""
START_S = 20.0


def scratch(folder: Path) -> Path:
    """The directory of ``folder`` that a sandbox may write to, as the parent sees it."""
    return folder / "scratch"


class NotUp(Exception):  # noqa: N818 - what it is, not what went wrong
    """A supervisor did not come up; why stands in the plan's ``stderr``."""


class NotStarted(CannotVerifyError):  # noqa: N818
    """No sandbox came up; ``stderr`` is what its program said (exit 4)."""

    def __init__(self, message: str, *, stderr: str, help: str | None) -> None:  # noqa: A002
        super().__init__(message, help=help)
        self.stderr = stderr


@dataclass(frozen=True)
class Plan:
    """One sandbox to be started: its folder here, the Python it runs, what it shows beside.

    What its program says goes to ``stderr``, an open file.
    """

    folder: Path
    interpreter: Interpreter
    mounts: tuple[Mount, ...]
    stderr: BinaryIO

    @property
    def scratch(self) -> Path:
        """The directory that the sandbox may write to, as the parent sees it."""
        return scratch(self.folder)


@dataclass(frozen=True)
class Started:
    """A supervisor that runs: the program that keeps it, the channel to it, its process here.

    Killing ``pid`` ends everything inside, where ``kill_family`` was called before.
    """

    process: subprocess.Popen[bytes]
    control: socket.socket
    pid: int
    kill_family: Callable[[], None] = lambda: None


class Tier(Protocol):
    """One way to hold code. A value: starting it twice gives two sandboxes."""

    @property
    def name(self) -> str:
        """As ``--sandbox`` and the report call it."""

    @property
    def version(self) -> str | None:
        """The program that builds it, with its version; None where there is none."""

    @property
    def optional(self) -> frozenset[str]:
        """The features that it may lack, because another covers them or it says that it does."""

    @property
    def features(self) -> dict[str, bool]:
        """Features that the parent knows beside those that the probe finds."""

    @property
    def warning(self) -> str | None:
        """What every rendering must say of this tier."""

    @property
    def hides_packages(self) -> bool:
        """Whether it can show some of the installed packages and hide the rest."""

    @property
    def not_held(self) -> tuple[str, ...]:
        """What it does not stop although a full sandbox would."""

    def start(self, plan: Plan) -> Started:
        """Start a supervisor.

        Raises:
            NotUp: it did not come up.
            CannotVerifyError: what it takes is not here.
        """

    def scratch(self, folder: Path) -> str:
        """Where the scratch of the sandbox in ``folder`` lies for the supervisor."""

    def tree(self, root: Path) -> str:
        """Where the tree that lies in ``root`` here lies for the supervisor."""

    def advice(self, stderr: str) -> str | None:
        """What to do when it does not start and its program said ``stderr``."""
