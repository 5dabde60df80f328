"""Make sure that hubpub's sandbox starts on this runner, and say in the log what that took.

The sandbox is tried first, with nothing of a repository in it. Only where it does not start, and
only on a machine that GitHub throws away after the job, something is changed: bubblewrap is
installed, and AppArmor told to let it make user namespaces, which Ubuntu 23.10 and later keep from
ordinary programs. That is allowed to bubblewrap alone: a profile for its path, loaded into the
kernel until the machine ends, with no file in /etc. Ubuntu 24.04 ships no such profile that is
active; later releases do, and then the first try succeeds. Turning the restriction off for every
program (the sysctl that most recipes name) is what is left where the profile changes nothing.

A self-hosted runner stays as it is, for it outlives the job: its owner is told what to do once.
This step never fails: verify tries the sandbox again, and refuses to run without one.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import inputs
import workflow
from hubpub.errors import CannotVerifyError
from hubpub.verify.limits import Limits
from hubpub.verify.sandbox import interpreter, tiers

RESTRICTION = "kernel.apparmor_restrict_unprivileged_userns"
PROFILE = """\
abi <abi/4.0>,
include <tunables/global>
profile hubpub-bwrap {path} flags=(unconfined) {{
  userns,
}}
"""
_PLAIN_PATH = re.compile(r"/[\w/.+-]+")
_MOST_SECONDS = 300


@dataclass(frozen=True)
class Refusal:
    """Why the sandbox does not start, and what hubpub would do about it."""

    message: str
    help: str


def main() -> int:
    """Prepare the sandbox; the exit status is always 0."""
    if _other_tier(inputs.lines(os.environ, "INPUT_ARGS")):
        workflow.say("args choose another sandbox than bubblewrap: nothing to prepare")
        return 0
    with workflow.group("Prepare the sandbox"):
        refusal = _prepare()
        workflow.say("the sandbox starts" if refusal is None else f"no sandbox: {refusal.message}")
    if refusal is not None:
        workflow.notice(f"the sandbox does not start on this runner\n{refusal.help}")
    return 0


def _other_tier(args: tuple[str, ...]) -> bool:
    """Whether ``--sandbox`` asks for something that is not bubblewrap."""
    text = "\n".join(args)
    found = re.findall(r"^--sandbox[=\n](.*)$", text, re.MULTILINE)
    return bool(found) and found[-1] not in ("auto", "bwrap")


def _prepare() -> Refusal | None:
    """Try, mend, try again; what is in the way still, or None."""
    refusal = _try()
    if refusal is None:
        return None
    if os.environ.get("RUNNER_ENVIRONMENT") != "github-hosted":
        workflow.say("this runner is self-hosted: nothing on it is changed")
        return refusal
    if shutil.which("bwrap") is None:
        if not _install_bubblewrap():
            return refusal
        refusal = _try()
    if refusal is not None and _output("sysctl", "-n", RESTRICTION) == "1":
        refusal = _allow_bubblewrap(refusal)
    return refusal


def _try() -> Refusal | None:
    """Start hubpub's own sandbox as verify does before it fetches anything."""
    try:
        tiers.choose(tiers.Wanted(), interpreter.current(), Limits())
    except CannotVerifyError as error:
        return Refusal(error.message, error.help or "")
    except OSError as error:  # a disk that is full, say: verify meets it too, and reports it
        return Refusal(str(error), "verify will say what to do")
    return None


def _install_bubblewrap() -> bool:
    if shutil.which("apt-get") is None:
        return False
    workflow.say("bubblewrap is not installed: install Ubuntu's package")
    if not (
        _as_root("apt-get", "update", "-qq")
        and _as_root("apt-get", "install", "-qq", "--yes", "--no-install-recommends", "bubblewrap")
    ):
        return False
    workflow.notice("bubblewrap was installed on this runner, with apt-get")
    return True


def _allow_bubblewrap(refusal: Refusal) -> Refusal | None:
    """Let bubblewrap make user namespaces, or, where that is not enough, every program."""
    bwrap = os.path.realpath(shutil.which("bwrap") or "")
    profile = Path(tempfile.mkdtemp(dir=os.environ["RUNNER_TEMP"])) / "hubpub-bwrap"
    profile.write_text(PROFILE.format(path=bwrap), encoding="utf-8")
    if _PLAIN_PATH.fullmatch(bwrap) and _as_root("apparmor_parser", "--replace", str(profile)):
        found = _try()
        if found is None:
            workflow.notice(
                f"AppArmor lets {bwrap} make user namespaces on this runner until it ends;"
                " other programs stay restricted"
            )
            return None
        refusal = found
        _as_root("apparmor_parser", "--remove", str(profile))
    workflow.say("a profile for bubblewrap alone does not help here")
    if not _as_root("sysctl", "-q", "-w", f"{RESTRICTION}=0"):
        return refusal
    found = _try()
    if found is None:
        workflow.notice(
            f"every program may make user namespaces on this runner until it ends: {RESTRICTION}=0"
        )
        return None
    _as_root("sysctl", "-q", "-w", f"{RESTRICTION}=1")
    return found


def _as_root(*command: str) -> bool:
    """Run a command as root, shown in the log; whether it went well."""
    whole = command if os.geteuid() == 0 else ("sudo", "--non-interactive", *command)
    workflow.say(f"$ {' '.join(whole)}")
    try:
        done = subprocess.run(whole, check=False, stdin=subprocess.DEVNULL, timeout=_MOST_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        workflow.say(f"{whole[0]}: {type(error).__name__}")
        return False
    return done.returncode == 0


def _output(*command: str) -> str:
    try:
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=_MOST_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
