"""docs/stamp.md: its names become what it says, its commands run, and it names every option."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT
from hubpub.cli.stamp import command
from hubpub.output.stamped import Place, Row
from hubpub.stamping.naming import stamped
from publishing import clean_environment, write_files

PAGE = (ROOT / "docs/stamp.md").read_text(encoding="utf-8")
SHA = "0a1b2c3d" + "4e5f6071" * 7
NAMES = re.findall(r"^\| `([^`]+)` \| `([^`]+)` \|", PAGE, re.MULTILINE)
COMMANDS = re.findall(r"^\$ (hubpub stamp [^#\n]+)", PAGE, re.MULTILINE)


def test_the_page_shows_something() -> None:
    assert len(NAMES) >= 13
    assert len(COMMANDS) >= 7


@pytest.mark.parametrize(("name", "new"), NAMES)
def test_its_names(name: str, new: str) -> None:
    assert stamped(name, SHA).name == new


@pytest.mark.parametrize("shown", COMMANDS)
def test_its_commands_run(shown: str, tmp_path: Path) -> None:
    text = 'import torch\nU = "https://h/unet.pth"\n'
    write_files(tmp_path, {"hubconf.py": text, "weights/unet.pth": b"weights" * 1000})
    done = subprocess.run(
        ["bash", "-c", shown.replace("hubpub", f'"{sys.executable}" -m hubpub', 1)],
        cwd=tmp_path,
        env=clean_environment(tmp_path / "home"),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "unet-9bdd2b10" in done.stdout
    if shown == COMMANDS[0]:
        assert done.stdout in PAGE


def test_it_names_every_option_and_field() -> None:
    options = {name for item in command.params for name in item.opts if name.startswith("--")}
    for name in options - {"--help"}:
        assert f"`{name}" in PAGE or f" {name} " in PAGE, name
    for field in (*Row.__dataclass_fields__, *Place.__dataclass_fields__):
        assert f"`{field}`" in PAGE, field
