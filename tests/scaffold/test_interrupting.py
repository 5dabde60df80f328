"""Real signals, real read-only folders, a process killed half-way: nothing is left half-written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pytest

from hubpub.errors import UsageError
from hubpub.scaffold import PlannedFile, answer, init, plan, write
from hubpub.scaffold.writing import CopiedFile
from publishing import clean_environment, write_files

PIPED = """
import sys
from pathlib import Path
from hubpub.cli.init import held
from hubpub.scaffold import answer, plan, write
from hubpub.scaffold.writing import CopiedFile

# One file more, whose bytes come from a pipe that the test holds open: it waits in the middle.
folder, pipe = map(Path, sys.argv[1:])
files = [*plan(answer(folder)), CopiedFile("zz.bin", pipe)]
sys.exit(held(lambda stopped: write(folder, files, stopped))[1])
"""


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@dataclass(frozen=True)
class Waiting:
    """A process that has written all but its last file, and waits for the bytes of that one."""

    process: subprocess.Popen[str]
    pipe: BinaryIO

    def end(self) -> tuple[int, str]:
        """Let it go on; its exit status, and what it said."""
        self.pipe.close()
        _, said = self.process.communicate()
        return self.process.returncode, said


@pytest.fixture
def waiting(tmp_path: Path) -> Iterator[Waiting]:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    write_files(tmp_path / "skynet", {"notes.txt": "mine"})
    process = subprocess.Popen(
        [sys.executable, "-c", PIPED, "skynet", str(pipe)],
        cwd=tmp_path,
        env=clean_environment(tmp_path / "home"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with pipe.open("wb") as stream:  # waits until the other side opens it
        yield Waiting(process, stream)
    process.kill()
    process.communicate()


@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
)
@pytest.mark.parametrize("times", [1, 3])
def test_a_signal_in_the_middle_leaves_nothing(
    waiting: Waiting, tmp_path: Path, number: int, status: int, times: int
) -> None:
    waiting.pipe.write(b"some bytes")
    for _ in range(times):
        waiting.process.send_signal(number)
    assert waiting.end() == (status, "interrupted: nothing was written; run it again\n")
    assert tree(tmp_path / "skynet") == {"notes.txt": b"mine"}
    assert sorted(path.name for path in (tmp_path / "skynet").iterdir()) == ["notes.txt"]


def test_without_a_signal_all_is_written(waiting: Waiting, tmp_path: Path) -> None:
    waiting.pipe.write(b"some bytes")
    assert waiting.end() == (0, "")
    assert (tmp_path / "skynet/zz.bin").read_bytes() == b"some bytes"


def test_a_killed_one_can_be_run_again(waiting: Waiting, tmp_path: Path) -> None:
    waiting.process.kill()
    waiting.process.wait()
    left = {path.name for path in (tmp_path / "skynet").iterdir() if path.is_file()}
    assert "hubconf.py" not in left
    assert any(name.endswith(".tmp") for name in left)
    outcome = init(tmp_path / "skynet")
    assert "hubconf.py" in outcome.written
    assert (tmp_path / "skynet/notes.txt").read_text() == "mine"


@pytest.mark.slow
def test_a_signal_at_any_time_leaves_all_or_nothing(tmp_path: Path) -> None:
    whole = {file.path for file in plan(answer(tmp_path / "skynet"))}
    ends = set()
    for step in range(14):
        folder = tmp_path / str(step) / "skynet"
        process = subprocess.Popen(
            [sys.executable, "-m", "hubpub", "init", str(folder)],
            env=clean_environment(tmp_path / "home"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(step * 0.03)
        process.terminate()
        ends.add(process.wait())
        assert not folder.exists() or set(tree(folder)) == whole, step
    assert ends <= {0, 143, -signal.SIGTERM}


def test_hubconf_comes_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, seen = os.link, []

    def link(source: Path, target: Path) -> None:
        seen.append(target.name)
        real(source, target)

    monkeypatch.setattr(os, "link", link)
    init(tmp_path / "skynet")
    assert seen[-1] == "hubconf.py"


def test_what_is_there_as_planned_is_in_nobodys_way(tmp_path: Path) -> None:
    files = plan(answer(tmp_path / "skynet"))
    done = {file.path: file.text for file in files[: len(files) // 2]}
    write_files(tmp_path / "skynet", done)
    outcome = init(tmp_path / "skynet")
    assert outcome.same == tuple(sorted(done))
    assert set(outcome.written) == {file.path for file in files} - set(done)
    assert write(tmp_path / "skynet", files).written == ()


@pytest.mark.parametrize("half", ["", "x", "dependencies"])
def test_half_of_a_file_is_the_users_own(tmp_path: Path, half: str) -> None:
    write_files(tmp_path / "skynet", {"skynet/network.py": half})
    with pytest.raises(UsageError, match=r"never overwrites: skynet/network\.py$"):
        init(tmp_path / "skynet")
    assert tree(tmp_path / "skynet") == {"skynet/network.py": half.encode()}


def test_what_a_killed_one_left_is_named(tmp_path: Path) -> None:
    left = ".hubpub-0123456789abcdef.tmp"
    write_files(tmp_path / "skynet", {"hubconf.py": "mine", left: ""})
    with pytest.raises(UsageError) as refused:
        init(tmp_path / "skynet")
    assert f"has left {left}: remove it" in (refused.value.help or "")


# --- copies ---------------------------------------------------------------------------------------


def test_a_file_is_copied_and_never_moved(tmp_path: Path) -> None:
    source = tmp_path / "net.pth"
    source.write_bytes(bytes(range(256)) * 8192)
    copy = CopiedFile("weights/net-0a1b2c3d.pth", source)
    assert write(tmp_path / "new", [copy]).written == (copy.path,)
    assert (tmp_path / "new" / copy.path).read_bytes() == source.read_bytes()
    assert write(tmp_path / "new", [copy]).same == (copy.path,)
    source.write_bytes(bytes(256) * 8192)
    with pytest.raises(UsageError, match="already there"):
        write(tmp_path / "new", [copy])
    source.unlink()
    with pytest.raises(UsageError, match=r"cannot write .*net\.pth") as refused:
        write(tmp_path / "other", [PlannedFile("a.txt", "a"), copy])
    assert (refused.value.help or "").startswith("nothing was written")
    assert not (tmp_path / "other").exists()


def test_stopping_is_asked_for_between_the_bytes_of_a_copy(tmp_path: Path) -> None:
    source = tmp_path / "net.pth"
    source.write_bytes(bytes(5 << 20))
    asked = []

    def stopped() -> bool:
        asked.append(True)
        return len(asked) == 4

    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "new", [CopiedFile("net.pth", source)], stopped)
    assert not (tmp_path / "new").exists()


# --- read-only folders: run as an ordinary user too -----------------------------------------------


@pytest.mark.sandbox  # for its marker alone: these tests are run again as an ordinary user
@pytest.mark.skipif(os.geteuid() == 0, reason="modes do not bind root")
@pytest.mark.parametrize("inside", ["", "skynet", "tests"])
def test_a_read_only_folder_stays_as_it_is(tmp_path: Path, inside: str) -> None:
    folder = tmp_path / "skynet"
    write_files(folder, {"notes.txt": "mine", "skynet/data.txt": "", "tests/data.txt": ""})
    (folder / inside).chmod(0o555)
    before = tree(folder)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "hubpub", "init", str(folder)],
            env=clean_environment(tmp_path / "home"),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        assert (done.returncode, done.stdout) == (2, "")
        assert "cannot write" in done.stderr
        assert "Permission denied" in done.stderr
        assert "nothing was written; choose a folder that you may write to" in done.stderr
        assert tree(folder) == before
        assert not [path for path in folder.rglob("*") if path.name.endswith(".tmp")]
    finally:
        (folder / inside).chmod(0o755)
