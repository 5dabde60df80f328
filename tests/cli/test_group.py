"""What every command shares: help, errors, exit codes, streams that cannot be written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import RunHubpub
from hubpub import cli
from publishing import clean_environment


def test_help_lists_every_command(hubpub: RunHubpub) -> None:
    done = hubpub("--help")
    assert (done.returncode, done.stderr) == (0, "")
    for name, line in cli.COMMANDS.items():
        assert f"  {name} " in done.stdout
        assert line in done.stdout
    assert hubpub("-h").stdout == done.stdout


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_has_help(hubpub: RunHubpub, name: str) -> None:
    done = hubpub(name, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"Usage: hubpub {name} ")


def test_python_m(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hubpub", "--version"],
        env=clean_environment(tmp_path / "home"),
        capture_output=True,
        text=True,
    )
    assert done.stdout.startswith("hubpub, version ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("chekc",), "no such command 'chekc'; did you mean 'check'?"),
        (("zzz",), "no such command 'zzz'; one of init, check, list, verify, plan, stamp, report"),
        (("--nonsense",), "--nonsense"),
        (("init", "--nmae", "x"), "--name"),
        (("\x1b[31m::",), "\\x1b[31m::"),
        (("init", "--\x1b[31m"), "\\x1b[31m"),
    ],
)
def test_usage_errors_are_exit_2_and_escaped(
    hubpub: RunHubpub, arguments: tuple[str, ...], message: str
) -> None:
    done = hubpub(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert "\x1b" not in done.stderr
    assert "Traceback" not in done.stderr


def run_with_stdout(
    *arguments: str, stdout: int, home: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "hubpub", *arguments],
        env=clean_environment(home) | environment,
        stdout=stdout,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
    )


def test_a_reader_that_goes_away_is_no_traceback_and_no_success(home: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = run_with_stdout("--help", stdout=writing, home=home)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")


def test_a_full_disk_behind_stdout_is_said(home: Path) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    done = run_with_stdout("--help", stdout=full, home=home)
    os.close(full)
    assert done.returncode == 2
    assert done.stderr == "error: the output cannot be written: No space left on device\n"


def test_a_terminal_that_lacks_a_character_gets_its_number(home: Path, tmp_path: Path) -> None:
    done = run_with_stdout(
        "init", str(tmp_path / "größe模"), "--name", "skynet",
        stdout=subprocess.PIPE, home=home, PYTHONIOENCODING="cp437", PYTHONUTF8="0",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "e\\u6a21/hubconf.py" in done.stdout


def test_a_defect_is_exit_3_with_a_report(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(cli.COMMANDS, "absent", "A command whose module is missing.")
    assert cli.run(["absent"]) == 3
    shown = capsys.readouterr().err
    assert "this is a defect" in shown
    assert "ModuleNotFoundError" in shown
