"""What `make` runs on a machine that lacks something: it says so in words, and stops."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from conftest import ROOT
from publishing import clean_environment


def program(folder: Path, name: str, script: str) -> None:
    """Put an executable shell script on the PATH of a machine under test."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A PATH with little on it, and a user who is root."""
    folder = tmp_path / "bin"
    program(folder, "id", "echo ${UNDER_TEST_UID:-0}")
    for tool in ("mktemp", "rm", "cat", "sed"):
        program(folder, tool, f'exec /usr/bin/env PATH=/usr/bin:/bin {tool} "$@"')
    return folder


def run(
    script: str, *arguments: str | Path, path: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", str(ROOT / ".ci" / script), *map(str, arguments)],
        env={"PATH": str(path), **environment},
        cwd=path.parent,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_nothing_is_done_where_nothing_is_missing(machine: Path) -> None:
    program(machine, "bwrap", "")
    program(machine, "git", "")
    done = run("system", "git", "bwrap", path=machine)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_root_installs_what_is_missing(machine: Path, tmp_path: Path) -> None:
    program(machine, "git", "")
    program(machine, "apt-get", f'echo "$@" >>{tmp_path}/log')
    done = run("system", "git", "bwrap", path=machine)
    assert done.returncode == 0, done.stderr
    update, install = (tmp_path / "log").read_text().splitlines()
    assert update.startswith("update")
    assert install.endswith(" bubblewrap")


def test_a_failing_installer_is_shown(machine: Path) -> None:
    program(machine, "apt-get", "echo no such mirror; exit 100")
    done = run("system", "bwrap", path=machine)
    assert done.returncode == 1
    assert "no such mirror" in done.stderr
    assert "could not install bubblewrap" in done.stderr


@pytest.mark.parametrize(
    ("uid", "installer", "command"),
    [
        ("0", "dnf", "run: dnf install git bubblewrap"),
        ("0", "pacman", "run: pacman -S git bubblewrap"),
        ("1000", "apt-get", "run: sudo apt-get install git bubblewrap"),
        ("1000", None, "package manager: git bubblewrap"),
    ],
)
def test_who_may_not_install_is_told_the_one_command(
    machine: Path, uid: str, installer: str | None, command: str
) -> None:
    if installer is not None:
        program(machine, installer, "echo must not run >&2")
    done = run("system", "git", "bwrap", path=machine, UNDER_TEST_UID=uid)
    assert done.returncode == 1
    assert command in done.stderr
    assert "must not run" not in done.stderr


NO_BROWSER = (
    """case "$*" in -) cat >/dev/null; exit 1;; *) echo "$@" >>{log}; exit {status};; esac"""
)


def test_a_browser_on_the_path_is_taken(machine: Path) -> None:
    program(machine, "chromium-browser", "")
    program(machine, "python", "echo must not run >&2; exit 9")
    done = run("browser", "python", path=machine)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_playwright_s_own_browser_is_taken(machine: Path) -> None:
    program(machine, "python", 'case "$*" in -) cat >/dev/null; exit 0;; esac; exit 9')
    done = run("browser", "python", path=machine)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("candidate", "uid", "installer"),
    [
        ("147.0.1-1~deb12u1", "0", "apt-get"),
        ("2:1snap1-0ubuntu2", "0", "playwright"),
        ("(none)", "0", "playwright"),
        ("147.0.1-1~deb12u1", "1000", "playwright"),
        (None, "0", "playwright"),
    ],
)
def test_a_browser_comes_from_debian_or_from_playwright(
    machine: Path, tmp_path: Path, candidate: str | None, uid: str, installer: str
) -> None:
    log = tmp_path / "log"
    program(machine, "python", NO_BROWSER.format(log=log, status=0))
    if candidate is not None:
        program(machine, "apt-get", f'echo "$@" >>{log}')
        program(machine, "apt-cache", f"echo '  Candidate: {candidate}'")
    done = run("browser", "python", path=machine, UNDER_TEST_UID=uid)
    assert done.returncode == 0, done.stderr
    assert f"install chromium with {installer}" in done.stdout
    last = log.read_text().splitlines()[-1]
    wanted = {"apt-get": "install -y -qq --no-install-recommends chromium"}
    assert last == wanted.get(installer, "-m playwright install chromium")


def test_who_gets_no_browser_is_told_the_commands(machine: Path, tmp_path: Path) -> None:
    program(machine, "python", NO_BROWSER.format(log="/dev/stderr", status=1))
    done = run("browser", "python", path=machine)
    assert done.returncode == 1
    assert "-m playwright install chromium" in done.stderr
    assert "run: apt-get install chromium" in done.stderr
    assert "python -m playwright install --with-deps chromium" in done.stderr


def test_no_python(machine: Path) -> None:
    done = run("setup", "python3", "venv", path=machine)
    assert done.returncode == 1
    assert "there is no python3" in done.stderr
    assert "make PYTHON=" in done.stderr


def test_a_python_that_is_too_old(machine: Path) -> None:
    program(machine, "python3", '[ "$1" = -V ] && echo Python 3.9.2; exit 1')
    done = run("setup", "python3", "venv", path=machine)
    assert done.returncode == 1
    assert "python3 is Python 3.9.2, and hubpub needs Python 3.10 or newer" in done.stderr


def test_a_python_that_can_make_no_environment(machine: Path, tmp_path: Path) -> None:
    script = 'case "$*" in *version_info*) exit 0;; -V) echo Python 3.12.3;; *) exit 1;; esac'
    program(machine, "python3", script)
    done = run("setup", "python3", "venv", path=machine)
    assert done.returncode == 1
    assert "apt-get install python3-venv" in done.stderr
    assert not (tmp_path / "venv").exists()


def test_help_lists_every_target(home: Path) -> None:
    # A clean environment: `make test` runs this, and would tell this make that it is its child.
    env = clean_environment(home)
    done = subprocess.run(["make", "help"], cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0
    listed = {line.split()[1] for line in done.stdout.splitlines()}
    phony = next(
        line for line in (ROOT / "Makefile").read_text().splitlines() if line.startswith(".PHONY")
    )
    assert listed == set(phony.split()[1:]) - {"system", "browser"}


@pytest.mark.parametrize("target", ["test", "fuzz", "picture"])
def test_what_opens_pages_has_a_browser(home: Path, target: str) -> None:
    done = subprocess.run(
        ["make", "--dry-run", target], cwd=ROOT, env=clean_environment(home), capture_output=True,
        text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert ".ci/browser " in done.stdout
