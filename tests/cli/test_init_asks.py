"""``hubpub init`` on a real terminal: what it asks, and what becomes of the answers."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from publishing import clean_environment, write_files

NET = """from torch import nn

class SkyNet(nn.Module):
    def __init__(self, classes):
        super().__init__()

class Other(nn.Module):
    def __init__(self):
        super().__init__()
"""
SECONDS = 60
"""A run that says nothing for so long hangs."""


class Terminal:
    """A ``hubpub`` whose standard streams are a terminal."""

    def __init__(self, folder: Path, home: Path, *arguments: str) -> None:
        self.master, slave = pty.openpty()
        self.seen = ""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "hubpub", *arguments],
            cwd=folder,
            env=clean_environment(home) | {"TERM": "dumb", "COLUMNS": "200"},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)

    def _read(self) -> bool:
        """Take what it says; whether there can be more."""
        ready, _, _ = select.select([self.master], [], [], SECONDS)
        assert ready, f"it hangs after: {self.seen}"
        try:
            data = os.read(self.master, 65536)
        except OSError:  # the other side is closed
            return False
        self.seen += data.decode()
        return bool(data)

    def until(self, pattern: str) -> None:
        """Wait for a question, and forget what came before its end."""
        while (match := re.search(pattern, self.seen)) is None:
            assert self._read(), f"no {pattern!r} in: {self.seen}"
        self.seen = self.seen[match.end() :]

    def answer(self, question: str, text: str) -> None:
        """Wait for ``question`` and type ``text``."""
        self.until(question)
        os.write(self.master, text.encode() + b"\n")

    def interrupt(self) -> None:
        """Press Ctrl-C until it is heard: Python misses one between the question and the wait."""
        heard: list[int] = []
        while not heard:
            self.process.send_signal(signal.SIGINT)
            heard, _, _ = select.select([self.master], [], [], 2)

    def end(self) -> tuple[int, str]:
        """Wait for the end; the exit status and what was said since the last question."""
        while self._read():
            pass
        return self.process.wait(), self.seen


Start = Callable[..., Terminal]


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Start]:
    """``terminal("init", ...)`` in the folder ``skynet``, which is made."""
    started: list[Terminal] = []
    folder = tmp_path / "skynet"
    folder.mkdir()

    def start(*arguments: str) -> Terminal:
        started.append(Terminal(folder, tmp_path / "home", *arguments))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.wait()
        os.close(one.master)


def files(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_what_is_not_known_is_asked_and_checked_at_once(terminal: Start, tmp_path: Path) -> None:
    run = terminal("init")
    run.answer(r"Kind \(--kind\) \[in-tree\]: ", "nonsense")
    run.until(r"Error: --kind 'nonsense' is not known \(one of ")
    run.answer(r"Kind .*: ", "")
    run.answer(r"\(--name\) \[skynet\]: ", "utils")
    run.until("Error: the package name 'utils': many repositories use it")
    run.answer(r"\(--name\) \[skynet\]: ", "")
    run.answer(r"\(--entrypoint\) \[skynet\]: ", "class")
    run.until("Error: the entrypoint name 'class' cannot be")
    run.answer(r"\(--entrypoint\) .*: ", "sky_small")
    run.answer(r"GitHub account \(--owner\) \[OWNER\]: ", "octo/cat")
    run.until("Error: 'octo/cat' is not a GitHub account name")
    run.answer(r"\(--owner\) .*: ", "octo")
    run.answer(r"\(--repo\) \[skynet\]: ", "")
    run.answer(r"\(--description\): ", "Ein Netz für den Himmel")
    run.answer(r"\(--with\) \[readme,licence,test,settings\]: ", "readme, licence, citation")
    run.answer(r"\(--licence\) \[BSD-3-Clause\]: ", "MIT")
    run.answer(r"\(--holder\) \[octo\]: ", "Ädä Œuvre")
    status, said = run.end()
    assert status == 0, said
    folder = tmp_path / "skynet"
    assert [path for path in files(folder) if path.startswith("tests/")] == []
    assert "Ein Netz für den Himmel" in (folder / "README.md").read_text("utf-8")
    assert "Ädä Œuvre" in (folder / "LICENSE").read_text("utf-8")
    assert "MIT" in (folder / "LICENSE").read_text("utf-8")
    assert "license: MIT" in (folder / "CITATION.cff").read_text("utf-8")
    hubconf = (folder / "hubconf.py").read_text("utf-8")
    assert "def sky_small(" in hubconf
    assert 'torch.hub.load("octo/skynet:v1.0", "sky_small"' in hubconf


def test_what_is_known_is_not_asked(terminal: Start, tmp_path: Path) -> None:
    write_files(
        tmp_path / "skynet",
        {
            ".git/config": '[remote "origin"]\n\turl = https://github.com/octo/sky\n',
            ".git/HEAD": "ref: refs/heads/main\n",
            "LICENSE": "Mine.\n",
        },
    )
    run = terminal(
        "init", "--kind", "custom", "--name", "skynet", "--entrypoint", "sky",
        "--description", "x", "--with", "test",
    )  # fmt: skip
    status, said = run.end()
    assert status == 0, said
    assert "(--" not in said.replace("(--from-checkpoint", "")
    assert '"octo/sky:v1.0"' in (tmp_path / "skynet/hubconf.py").read_text()


def test_yes_asks_nothing(terminal: Start, tmp_path: Path) -> None:
    status, said = terminal("init", "--yes").end()
    assert status == 0, said
    assert "[" not in said
    assert "hubconf.py" in files(tmp_path / "skynet")


def test_networks_and_what_they_need_are_asked_for(terminal: Start, tmp_path: Path) -> None:
    write_files(tmp_path / "skynet", {"clouds.py": NET})
    given = ("--owner", "octo", "--repo", "sky", "--description", "", "--without", "licence")
    run = terminal("init", *given)
    run.answer(r"\(--model\) \[clouds.SkyNet,clouds.Other\]: ", "Nowhere")
    run.until("Error: there is no network called 'Nowhere'")
    run.answer(r"\(--model\) .*: ", "SkyNet")
    run.answer(r"\(--entrypoint\) \[skynet\]: ", "")
    run.answer(r"SkyNet.classes has no default.*\(--value\): ", "ten")
    run.until("Error: --value SkyNet.classes: 'ten' is no literal")
    run.answer(r"\(--value\): ", "10")
    status, said = run.end()
    assert status == 0, said
    text = (tmp_path / "skynet/hubconf.py").read_text()
    assert "def skynet(classes=10, checkpoint=None):" in text
    assert "Other" not in text


@pytest.mark.parametrize("answer", ["y", "n", ""])
def test_a_patch_is_written_only_when_that_is_wanted(
    terminal: Start, tmp_path: Path, answer: str
) -> None:
    old = "from torch import nn\n\ndef net():\n    return nn.Linear(2, 2)\n"
    write_files(tmp_path / "skynet", {"hubconf.py": old})
    run = terminal("init", "--owner", "octo", "--repo", "sky", "--without", "readme")
    run.answer(r"Write this\? \[y/N\]: ", answer)
    status, said = run.end()
    new = (tmp_path / "skynet/hubconf.py").read_text()
    assert (status, new == old) == ((0, False) if answer == "y" else (1, True)), said


@pytest.mark.parametrize("how", ["interrupt", "end of input", "signal"])
@pytest.mark.parametrize("questions", [1, 3])
def test_leaving_writes_nothing(terminal: Start, tmp_path: Path, how: str, questions: int) -> None:
    run = terminal("init")
    for flag in ("--kind", "--name", "--entrypoint")[: questions - 1]:
        run.answer(rf"\({flag}\) .*: ", "")
    run.until(r"\(--[a-z]+\) .*: ")
    if how == "interrupt":
        run.interrupt()
    elif how == "end of input":
        os.write(run.master, b"\x04")
    else:
        run.process.terminate()
    status, said = run.end()
    if how == "signal":
        assert status == -signal.SIGTERM
    else:
        assert status == 130
        assert "interrupted: nothing was written; run it again" in said
    assert files(tmp_path / "skynet") == []


def test_without_a_terminal_nothing_is_asked(tmp_path: Path) -> None:
    (tmp_path / "skynet").mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "hubpub", "init"],
        cwd=tmp_path / "skynet",
        env=clean_environment(tmp_path / "home"),
        input="custom\nother\n",
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "(--kind)" not in done.stderr
    assert "skynet/network.py" in files(tmp_path / "skynet")
