"""The pages about check: every command that they show runs, every pattern fits what is printed."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT
from hubpub import config
from publishing import AROUND, clean_environment, write_files

BAD = 'dependencies = "torch"\nfrom pathlib import Path\ndef net():\n    return Path()\n'
PAGES = ("docs/check.md", "docs/editors.md")


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(name: str, language: str) -> list[str]:
    """The fenced blocks of a page in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page(name), re.MULTILINE | re.DOTALL)


COMMANDS = [
    (name, line.removeprefix("$ ").partition("  #")[0].rstrip())
    for name in PAGES
    for block in blocks(name, "console")
    for line in block.splitlines()
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = {
        "hubconf.py": BAD, "net/hubconf.py": BAD, "publishers/a/hubconf.py": BAD,
        "publishers/vendored/hubconf.py": BAD, "strict.toml": "select = ['HUB1']\n",
        **{f"net/{path}": text for path, text in AROUND.items()},
    }  # fmt: skip
    write_files(tmp_path, files)
    return tmp_path


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    programs = Path(sys.executable).parent
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=clean_environment(folder / ".home") | {"PATH": path},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(("name", "command"), COMMANDS, ids=lambda value: value[-50:])
def test_every_command_runs(name: str, command: str, folder: Path) -> None:
    assert shlex.split(command)[:2] == ["hubpub", "check"]
    done = run(command, folder)
    # Nothing is left to say after both kinds of fixes, or where all of it is suppressed.
    nothing = "--add-ignore" in command or ("--unsafe-fixes" in command and "--diff" not in command)
    assert done.returncode == (0 if "--exit-zero" in command or nothing else 1), done.stderr
    assert done.stdout or ">" in command or nothing


def test_the_configuration_that_is_shown_is_valid(tmp_path: Path) -> None:
    (table,) = blocks("docs/check.md", "toml")
    write_files(tmp_path, {"pyproject.toml": table})
    found = config.load(tmp_path)
    assert found.path == "pyproject.toml"
    keys = set(config.schema()["properties"]) - {"github-url", "verify"}
    assert {key for key in keys if re.search(rf"^{key} =|\.{key}\]", table, re.MULTILINE)} == keys


def test_the_patterns_for_editors_fit(folder: Path) -> None:
    lines = run("hubpub check net --output-format concise", folder).stdout.splitlines()
    (task,) = blocks("docs/editors.md", "json")
    pattern = json.loads(task)["problemMatcher"]["pattern"]
    for line in lines:
        match = re.match(pattern["regexp"], line)
        assert match is not None, line
        assert match.group(pattern["file"]) == "net/hubconf.py"
        assert match.group(pattern["code"]).startswith("HUB")
    assert len(lines) >= 3


def test_completion_is_printed(folder: Path) -> None:
    for line in "".join(blocks("docs/editors.md", "bash")).splitlines():
        command = line.removeprefix('eval "$(').removesuffix(')"').partition(" |")[0]
        done = run(command, folder)
        assert done.returncode == 0, done.stderr
        assert "_HUBPUB_COMPLETE=" in done.stdout
