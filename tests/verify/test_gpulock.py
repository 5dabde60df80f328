"""One lock per GPU: real processes that wait for each other, die, and lie in the way."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hubpub.errors import CannotVerifyError
from hubpub.verify import gpulock

HOLDER = """
import sys
from pathlib import Path
from hubpub.verify import gpulock
with gpulock.hold(sys.argv[1], lambda: 1.0, lambda: None, print, Path(sys.argv[2])):
    print("held", flush=True)
    sys.stdin.read()
"""
KEY = "cuda0"


def taken(folder: Path, left_s: Callable[[], float], tick: Callable[[], None]) -> None:
    """Take the GPU and give it back."""
    with gpulock.hold(KEY, left_s, tick, lambda _: None, folder):
        pass


def at_once() -> float:
    return 0.0


def nothing() -> None:
    """Between two tries."""


@contextmanager
def another(folder: Path, key: str = KEY) -> Iterator[subprocess.Popen[str]]:
    """Another process that has the GPU, until its standard input is closed."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, key, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def never_waits(text: str) -> None:
    raise AssertionError(text)


def test_a_free_gpu_is_taken_at_once_and_given_back(tmp_path: Path) -> None:
    for _ in range(2):
        with gpulock.hold(KEY, at_once, nothing, never_waits, tmp_path):
            pass
    (file,) = tmp_path.iterdir()
    assert file.name == "hubpub-gpu-cuda0.lock"
    assert stat.S_IMODE(file.stat().st_mode) == 0o644  # whatever the umask, others can wait for it


def test_two_gpus_do_not_wait_for_each_other(tmp_path: Path) -> None:
    with (
        another(tmp_path),
        another(tmp_path, "cuda1"),
        gpulock.hold("cuda2", at_once, nothing, never_waits, tmp_path),
    ):
        pass


def test_a_gpu_that_another_process_has_is_waited_for(tmp_path: Path) -> None:
    told: list[str] = []
    with another(tmp_path) as process:
        ticks = 0

        def tick() -> None:
            nonlocal ticks
            ticks += 1
            if ticks == 3:
                assert process.stdin is not None
                process.stdin.close()
                process.wait()

        with gpulock.hold(KEY, lambda: 60.0, tick, told.append, tmp_path):
            assert ticks >= 3
    assert len(told) == 1
    assert "another run of hubpub" in told[0]


def test_a_process_that_is_killed_gives_it_back(tmp_path: Path) -> None:
    with another(tmp_path) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
        with gpulock.hold(KEY, at_once, nothing, never_waits, tmp_path):
            pass


def test_waiting_ends_with_the_deadline(tmp_path: Path) -> None:
    left = iter([5.0, 1.0, 0.0])
    with another(tmp_path), pytest.raises(gpulock.BusyError, match="another run of hubpub"):
        taken(tmp_path, lambda: next(left), nothing)


def test_an_interrupt_ends_the_wait(tmp_path: Path) -> None:
    def tick() -> None:
        raise KeyboardInterrupt

    with another(tmp_path), pytest.raises(KeyboardInterrupt):
        taken(tmp_path, lambda: 60.0, tick)


def test_two_lanes_of_one_process_wait_for_each_other_too(tmp_path: Path) -> None:
    with (
        gpulock.hold(KEY, at_once, nothing, never_waits, tmp_path),
        pytest.raises(gpulock.BusyError),
    ):
        taken(tmp_path, at_once, nothing)


@pytest.mark.parametrize("kind", ["link", "dangling link", "fifo", "directory"])
def test_what_lies_in_the_way_is_refused_and_left_alone(tmp_path: Path, kind: str) -> None:
    path, other = tmp_path / "hubpub-gpu-cuda0.lock", tmp_path / "other"
    if kind == "link":
        other.write_text("kept")
    if "link" in kind:
        path.symlink_to(other)
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        path.mkdir()
    with pytest.raises(CannotVerifyError, match="cannot be the lock of a GPU") as refused:
        taken(tmp_path, at_once, nothing)
    assert str(path) in refused.value.message
    assert other.exists() is (kind == "link")
    assert kind != "link" or other.read_text() == "kept"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to be two users")
def test_the_lock_of_one_user_is_waited_for_by_another(tmp_path: Path) -> None:
    """In a directory like /tmp, where the kernel protects files of others (protected_regular)."""
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    file = shared / "hubpub-gpu-cuda0.lock"
    file.touch(0o644)
    os.chown(file, 61184, 61184)
    with (
        gpulock.hold(KEY, at_once, nothing, never_waits, shared),
        pytest.raises(gpulock.BusyError),
    ):
        taken(shared, at_once, nothing)
    assert file.stat().st_uid == 61184


def test_every_user_of_a_machine_has_one_place() -> None:
    folder = gpulock.place()
    assert folder.is_dir()
    shared = [path for path in gpulock._PLACES if path.is_dir() and path.stat().st_mode & 0o1002]
    assert not shared or folder in gpulock._PLACES
