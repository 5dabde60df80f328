"""The page about init: it names every option and nothing else, and its commands run."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from conftest import ROOT, RunHubpub
from hubpub.cli.init import command
from hubpub.scaffold.kinds import KINDS, LICENCES, PIECES
from publishing import clean_environment, write_files

PAGE = (ROOT / "docs/init.md").read_text(encoding="utf-8")
NET = "from torch import nn\n\n\nclass SkyNet(nn.Module):\n    pass\n"
COMMANDS = [
    line.removeprefix("$ ").partition("  #")[0].rstrip()
    for block in re.findall(r"^```console\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
    if line.startswith("$ hubpub")
]
SAVE = """
import torch, warnings
warnings.simplefilter("ignore")
net = torch.nn.Linear(2, 2)
torch.save(net.state_dict(), "runs/last.pth")
torch.save(net.state_dict(), "runs/best.pth")
torch.jit.save(torch.jit.script(net), "exported.pt")
"""


def test_every_option_is_on_the_page_and_no_other() -> None:
    options = {
        name
        for item in command.params
        if isinstance(item, click.Option)
        for name in item.opts
        if name.startswith("--")
    } - {"--help"}
    shown = set(re.findall(r"--[a-z][a-z-]+", PAGE))
    assert options <= shown
    assert shown - options == {"--fix", "--unsafe-fixes"}  # of check


@pytest.mark.parametrize("names", [KINDS, PIECES, LICENCES], ids=["kinds", "pieces", "licences"])
def test_what_can_be_chosen_is_on_the_page(names: dict[str, str]) -> None:
    assert ", ".join(names) in PAGE


@pytest.mark.slow
@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_runs(hubpub: RunHubpub, tmp_path: Path, line: str) -> None:
    folder = tmp_path / "skynet"
    files = {"runs/notes.txt": ""}
    if "SkyNet" in line:
        files["clouds.py"] = NET
    if "--apply" in line or ">" in line:
        files["hubconf.py"] = "from torch import nn\n\n\ndef net():\n    return nn.Linear(2, 2)\n"
    write_files(folder, files)
    if "--from-" in line:
        clean = clean_environment(tmp_path / "h")
        subprocess.run([sys.executable, "-c", SAVE], cwd=folder, env=clean, check=True)
    done = hubpub(*shlex.split(line.partition(" >")[0])[1:], cwd=folder)
    assert done.returncode == (1 if "--diff" in line or ">" in line else 0), done.stderr
    assert done.stdout
