"""The inputs of the action, judged before anything is installed, and the command they make."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from workflow import quoted

COMMANDS = ("check", "verify")
SEVERITIES = ("error", "warning", "note")
_TWO_WORDS = re.compile(r"--?[A-Za-z][\w-]*\s")
_FORMAT = re.compile(r"([a-z-]+):.+")


class WrongInputError(Exception):
    """An input that cannot be meant; the message names it and says what can."""


@dataclass(frozen=True)
class Inputs:
    """What the maintainer wrote below ``with:``; of lists, one item a line."""

    command: str
    reference: str
    devices: str
    fail_on: str
    formats: tuple[str, ...]
    args: tuple[str, ...]
    packages: tuple[str, ...]

    def arguments(self, folder: Path) -> list[str]:
        """The arguments for hubpub: reports into ``folder``, annotations to the log.

        After ``--`` nothing is an option, whatever the reference begins with.
        """
        reports = [f"--output-format={name}:{folder / file}" for name, file in REPORTS.items()]
        more = [f"--output-format={line}" for line in self.formats]
        asked = []
        if self.command == "verify" and self.devices:
            asked.append(f"--device={self.devices}")
        if self.fail_on in SEVERITIES:
            asked.append(f"--fail-on={self.fail_on}")
        own = ["--output-format=github", *reports, *more, *asked]
        return [self.command, *own, *self.args, "--", self.reference]

    @property
    def wants_gpu(self) -> bool:
        """Whether ``devices`` names a GPU; the default takes one only where torch can."""
        names = [name.strip() for name in self.devices.split(",")]
        return any(name == "all" or name.startswith(("cuda", "xpu")) for name in names)


REPORTS = {"json": "report.json", "sarif": "hubpub.sarif", "markdown": "summary.md"}
"""The reports of every run: format -> file."""


def read(environment: Mapping[str, str]) -> Inputs:
    """The inputs, from the variables that action.yml makes of them.

    Raises:
        WrongInputError: one of them cannot be meant.
    """
    command = environment.get("INPUT_COMMAND", "")
    if command not in COMMANDS:
        raise WrongInputError(f"command is check or verify, not {quoted(command)}")
    system = environment.get("RUNNER_OS", "Linux")
    if command == "verify" and system != "Linux":
        raise WrongInputError(
            f"verify needs a runner with Linux, such as ubuntu-24.04, and this one is"
            f" {quoted(system)}; check runs on any"
        )
    fail_on = environment.get("INPUT_FAIL_ON", "")
    levels = ("never", *(SEVERITIES if command == "check" else ()))
    if fail_on and fail_on not in levels:
        raise WrongInputError(
            f"fail-on of {command} is {', '.join(levels)} or not given, not {quoted(fail_on)}"
        )
    formats = lines(environment, "INPUT_FORMATS")
    for line in formats:
        if not _FORMAT.fullmatch(line):
            raise WrongInputError(
                f"formats holds {quoted(line)}; each line is NAME:FILE, such as junit:hubpub.xml"
            )
    args = lines(environment, "INPUT_ARGS")
    for line in args:
        if _TWO_WORDS.match(line):
            raise WrongInputError(
                f"args holds {quoted(line)}; each line is one argument: write --option=value"
            )
    reference = environment.get("INPUT_REFERENCE", "") or _own(command, environment)
    devices = environment.get("INPUT_DEVICES", "").strip()
    packages = lines(environment, "INPUT_PACKAGES")
    return Inputs(command, reference, devices, fail_on, formats, args, packages)


def lines(environment: Mapping[str, str], name: str) -> tuple[str, ...]:
    """The lines of an input that say something: no blank ones, no comments."""
    found = (line.strip() for line in environment.get(name, "").split("\n"))
    return tuple(line for line in found if line and not line.startswith("#"))


def own_tag(environment: Mapping[str, str]) -> str | None:
    """The tag that the run is of, as a stranger names it; None where it is of something else."""
    if environment.get("GITHUB_REF_TYPE") != "tag":
        return None
    return f"{environment['GITHUB_REPOSITORY']}:{environment['GITHUB_REF_NAME']}"


def _own(command: str, environment: Mapping[str, str]) -> str:
    """What is meant where no reference is given: on a tag, what a stranger gets of that tag."""
    return (own_tag(environment) if command == "verify" else None) or "."
