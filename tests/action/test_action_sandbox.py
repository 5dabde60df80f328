"""The step that prepares the sandbox, on machines that lack something: what it changes and says.

The sandbox is the real one. Only ``bwrap`` is one of the test's own: it refuses as Ubuntu's
AppArmor makes it refuse, until something lets it: then the real one stands there.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from acting import Done, Job
from hubpub.verify.sandbox import advice

pytestmark = pytest.mark.sandbox
STEP = "Prepare the sandbox"
REAL = shutil.which("bwrap")
REFUSES = "echo 'bwrap: setting up uid map: Permission denied' >&2; exit 1"


class Machine:
    """A runner with programs of its own, and what ran that changes something."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.programs = folder, folder / "bin"
        self.programs.mkdir()
        self.log = folder / "log"
        self.log.touch()
        for tool in ("bash", "chmod", "rm"):
            self.link(tool)
        # As an ordinary user, sudo stands before each; as root, it is not asked.
        self.program("sudo", f'shift; exec "{self.programs}/$1" "${{@:2}}"')
        self.program("sysctl", "exit 255")

    @property
    def writes(self) -> str:
        return f'echo "${{0##*/}} $*" >>{self.log}'

    def link(self, tool: str) -> None:
        path = shutil.which(tool)
        assert path is not None
        (self.programs / tool).symlink_to(path)

    def program(self, name: str, script: str) -> None:
        path = self.programs / name
        path.write_text(f"#!/bin/bash\nPATH=/usr/bin:/bin\n{script}\n")
        path.chmod(0o755)

    @property
    def allow(self) -> str:
        """What ends the refusals of bwrap: the real one takes its place."""
        return f"ln -sf {REAL} {self.programs}/bwrap"

    def apparmor(self, *, profile: bool, setting: bool) -> None:
        """An Ubuntu that restricts, and what of these two lets bwrap go."""
        self.program("bwrap", f'[ "$1" != --version ] || exec {REAL} --version\n{REFUSES}')
        self.program(
            "apparmor_parser",
            f'{self.writes}\ncp "$2" {self.folder}/profile\n{self.allow if profile else ""}',
        )
        lifts = f'case "$*" in *=0) {self.allow} ;; esac' if setting else ""
        self.program("sysctl", f'[ "$1" != -n ] || {{ echo 1; exit; }}\n{self.writes}\n{lifts}')

    def changes(self) -> list[str]:
        """What ran to change something, without the paths of temporary files."""
        lines = self.log.read_text().splitlines()
        return [line.partition(" /")[0] for line in lines]

    def prepare(self, folder: Path, *, runner: str = "github-hosted", args: str = "") -> Done:
        job = Job(folder / "job", RUNNER_ENVIRONMENT=runner)
        job.variables["PATH"] = str(self.programs)
        context = job.context(command="verify", args=args)
        context.steps["install"] = {"python": str(job.python)}
        return job.step(STEP, context)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_nothing_is_changed_where_the_sandbox_starts(machine: Machine, tmp_path: Path) -> None:
    machine.link("bwrap")
    done = machine.prepare(tmp_path)
    assert done.code == 0
    assert "the sandbox starts" in done.log
    assert machine.changes() == []
    assert done.said("notice") == ""


def test_bubblewrap_is_installed_where_it_is_missing(machine: Machine, tmp_path: Path) -> None:
    installs = f'case "$1" in install) {machine.allow} ;; esac'
    machine.program("apt-get", f"{machine.writes}\n{installs}")
    done = machine.prepare(tmp_path)
    assert done.code == 0
    update, install = machine.changes()
    assert update.startswith("apt-get update")
    assert install.endswith(" --yes --no-install-recommends bubblewrap")
    assert "bubblewrap was installed" in done.said("notice")
    assert "the sandbox starts" in done.log
    assert install in done.log


def test_apparmor_lets_bubblewrap_alone(machine: Machine, tmp_path: Path) -> None:
    machine.apparmor(profile=True, setting=True)
    done = machine.prepare(tmp_path)
    assert done.code == 0
    assert machine.changes() == ["apparmor_parser --replace"]
    profile = (machine.folder / "profile").read_text()
    assert f"profile hubpub-bwrap {machine.programs}/bwrap flags=(unconfined) {{" in profile
    assert "  userns,\n" in profile
    assert "other programs stay restricted" in done.said("notice")
    assert "the sandbox starts" in done.log


def test_the_restriction_is_lifted_where_a_profile_does_not_help(
    machine: Machine, tmp_path: Path
) -> None:
    machine.apparmor(profile=False, setting=True)
    done = machine.prepare(tmp_path)
    assert done.code == 0
    assert machine.changes() == [
        "apparmor_parser --replace",
        "apparmor_parser --remove",
        "sysctl -q -w kernel.apparmor_restrict_unprivileged_userns=0",
    ]
    assert "every program may make user namespaces" in done.said("notice")
    assert "the sandbox starts" in done.log


def test_what_does_not_help_is_undone(machine: Machine, tmp_path: Path) -> None:
    machine.apparmor(profile=False, setting=False)
    done = machine.prepare(tmp_path)
    assert done.code == 0
    assert machine.changes()[-1] == "sysctl -q -w kernel.apparmor_restrict_unprivileged_userns=1"
    assert "the sandbox does not start" in done.said("notice")
    assert "the sandbox starts" not in done.log


@pytest.mark.parametrize("runner", ["self-hosted", ""])
def test_a_machine_that_outlives_the_job_is_left_alone(
    machine: Machine, tmp_path: Path, runner: str
) -> None:
    machine.apparmor(profile=True, setting=True)
    done = machine.prepare(tmp_path, runner=runner)
    assert done.code == 0
    assert machine.changes() == []
    assert "nothing on it is changed" in done.log
    assert "the sandbox does not start" in done.said("notice")


def test_where_root_may_not_be_had_the_advice_stands(machine: Machine, tmp_path: Path) -> None:
    machine.program("apt-get", "exit 100")
    machine.program("sudo", "exit 1")
    done = machine.prepare(tmp_path)
    assert done.code == 0
    assert machine.changes() == []
    assert advice.INSTALL in done.said("notice")


@pytest.mark.parametrize(
    ("args", "prepared"),
    [
        ("--sandbox=none\n--i-trust-this-code", False),
        ("--sandbox\ncontainer", False),
        ("--sandbox=bwrap", True),
        ("--sandbox=none\n--sandbox=auto", True),
        ("--jobs=2", True),
    ],
)
def test_another_sandbox_needs_nothing(
    machine: Machine, tmp_path: Path, args: str, prepared: bool
) -> None:
    machine.link("bwrap")
    done = machine.prepare(tmp_path, args=args)
    assert done.code == 0
    assert ("the sandbox starts" in done.log) == prepared
