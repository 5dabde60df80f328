"""docs/pytest.md: every command runs, what is configured is understood, every id is of a test."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from sessions import CLEAN, session

from conftest import ROOT
from hubpub import pytesting
from publishing import Files, write_files

PAGE = (ROOT / "docs" / "pytest.md").read_text(encoding="utf-8")
COMMANDS = [
    line.removeprefix("$ ").partition("  #")[0].rstrip()
    for block in re.findall(r"^```console\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
]
UNET: Files = {
    **CLEAN,
    "hubconf.py": (
        'dependencies = ["torch"]\nimport torch as _torch\n\n\n'
        'def unet(pretrained=False):\n    """A net."""\n    return _torch.nn.Linear(1, 2)\n'
    ),
}


def test_there_are_commands() -> None:
    assert len(COMMANDS) >= 9


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_understood(command: str, tmp_path: Path, home: Path) -> None:
    """Collected, as what they run is what other tests of this folder are about."""
    folder = tmp_path / "net"
    write_files(folder, UNET)
    program, *arguments = shlex.split(command)
    assert program == "pytest"
    done = session(folder, *arguments, "--collect-only", "-q", home=home)
    assert done.code == 0, done.text + done.errors
    assert ("::verify::" in done.text) is ("--hubpub-verify" in command)


def test_the_configuration_and_the_ids(tmp_path: Path, home: Path) -> None:
    (table,) = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    folder = tmp_path / "above"
    write_files(folder, {f"net/{name}": text for name, text in UNET.items()})
    write_files(folder, {"pyproject.toml": table})
    done = session(folder, "--hubpub-verify", "--collect-only", "-q", home=home)
    assert done.code == 0, done.text + done.errors
    ids = re.findall(r"^\| `(hubconf\.py::\S+)` \|", PAGE, re.MULTILINE)
    assert len(ids) == 3
    for name in ids:
        assert f"net/{name}\n" in done.text
    assert "-cuda]" not in done.text  # --device cpu was heeded


def test_every_option_is_on_the_page() -> None:
    source = Path(pytesting.__file__).read_text(encoding="utf-8")
    options = re.findall(r'"(--hubpub[a-z-]*|hubpub_[a-z]+)"', source)
    assert len(options) == 6
    for option in options:
        assert option in PAGE
