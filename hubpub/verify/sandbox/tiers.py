"""Which tier runs: the one asked for, after a start in which nothing of a repository can run.

``auto`` is bubblewrap or nothing: a weaker tier is only ever taken by its name.
"""

from __future__ import annotations

import dataclasses
import platform
import tempfile
from pathlib import Path

from hubpub.errors import CannotVerifyError, UsageError
from hubpub.verify import sandbox
from hubpub.verify.harvest import remove
from hubpub.verify.limits import Limits
from hubpub.verify.sandbox import advice, bubblewrap, command, container
from hubpub.verify.sandbox.interpreter import Interpreter
from hubpub.verify.sandbox.none import NoSandbox
from hubpub.verify.sandbox.tier import NotStarted, Tier

NAMES = ("auto", "bwrap", "container", "none")


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What the caller asks for: ``--sandbox``, ``--i-trust-this-code``, ``--image``."""

    name: str = "auto"
    trusted: bool = False
    image: str | None = None

    def check(self) -> None:
        """Refuse what contradicts itself.

        Raises:
            UsageError: no such tier, ``none`` without trust, an image without a container.
        """
        if self.name not in NAMES:
            raise UsageError(f"{self.name!r} is no sandbox", help=f"one of {', '.join(NAMES)}")
        if self.name == "none" and not self.trusted:
            raise UsageError(
                "--sandbox none runs the repository's code as you: it can read and change "
                "everything that you can, and use your network",
                help="add --i-trust-this-code if you do, or leave --sandbox none out",
            )
        if self.image is not None and self.name != "container":
            raise UsageError("--image is for --sandbox container")


def choose(wanted: Wanted, interpreter: Interpreter, limits: Limits) -> Tier:
    """The tier that is wanted, proven to hold here.

    Raises:
        UsageError: see :meth:`Wanted.check`.
        CannotVerifyError: it cannot be had here; the help says what to do.
    """
    wanted.check()
    _only_on_linux()
    tier: Tier
    if wanted.name == "none":
        tier = NoSandbox()
    elif wanted.name == "container":
        tier = container.find(wanted.image, limits)
    else:
        return _bubblewrap(interpreter)
    _prove(tier, interpreter)
    return tier


def _only_on_linux() -> None:
    if platform.system() != "Linux":
        raise CannotVerifyError(
            f"hubpub verify needs Linux, not {platform.system()}",
            help="run it in CI (a Linux runner), in a virtual machine, or in WSL",
        )


def _bubblewrap(interpreter: Interpreter) -> Tier:
    """The bwrap on the PATH, without the dispensable flags that it turns out not to know."""
    tier = bubblewrap.find()
    while (flag := _refused_flag(tier, interpreter)) is not None:
        tier = dataclasses.replace(tier, without=tier.without | {flag})
    return tier


def _refused_flag(tier: bubblewrap.Bubblewrap, interpreter: Interpreter) -> str | None:
    """The dispensable flag that keeps ``tier`` from starting; None when it has proven itself."""
    try:
        _prove(tier, interpreter)
    except NotStarted as error:
        flag = advice.unknown_option(error.stderr)
        if flag is None or flag not in command.DISPENSABLE - tier.without:
            raise
        return flag
    return None


def _prove(tier: Tier, interpreter: Interpreter) -> None:
    """Start it once with nothing of a repository in it; it proves itself or raises."""
    folder = Path(tempfile.mkdtemp(prefix="hubpub-"))
    try:
        sandbox.prepare(folder)
        sandbox.Sandbox(folder, interpreter, (), tier, only_proven=True).close()
    finally:
        remove(folder)
