"""Several entrypoints at a time: the same report, every request its own job's, and one end."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from conftest import MakeRepository, RunHubpub
from hubpub.verify.lanes import StoppedError, each
from proving import without_times
from publishing import Mirror, Server, clean_environment


class Lane:
    def __init__(self, check: Callable[[], None] | None = None) -> None:
        self.check, self.thread, self.closed = check, threading.get_ident(), False


class Lanes:
    """Opens lanes and remembers them."""

    def __init__(self) -> None:
        self.opened: list[Lane] = []

    @contextlib.contextmanager
    def __call__(self, check: Callable[[], None]) -> Iterator[Lane]:
        lane = Lane(check)
        self.opened.append(lane)
        try:
            yield lane
        finally:
            assert threading.get_ident() == lane.thread
            lane.closed = True


@pytest.mark.parametrize("count", [1, 2, 5, 50])
def test_results_come_in_the_order_of_the_items(count: int) -> None:
    lanes, together = Lanes(), threading.Barrier(min(count, 20))

    def do(lane: Lane, item: int) -> int:
        assert threading.get_ident() == lane.thread
        if item < together.parties:
            together.wait(10)  # only passes where so many run at a time
        time.sleep((item * 7 % 5) / 1000)
        return item * item

    assert each(range(20), do, Lane(), lanes, count) == [item * item for item in range(20)]
    assert len(lanes.opened) == min(count, 20) - 1
    assert all(lane.closed for lane in lanes.opened)


def test_nothing_to_do_opens_nothing() -> None:
    lanes = Lanes()
    assert each([], lambda lane, item: item, Lane(), lanes, 9) == []
    assert lanes.opened == []


@pytest.mark.parametrize("where", ["first", "other"])
def test_a_failure_ends_every_lane(where: str) -> None:
    lanes, first = Lanes(), Lane()
    begun = threading.Barrier(3)
    waited: list[int] = []

    def do(lane: Lane, item: int) -> None:
        begun.wait(10)
        if (lane is first) == (where == "first") and (where == "first" or item == 1):
            raise KeyboardInterrupt
        for _ in range(1000):
            if lane.check is not None:
                lane.check()
            elif where == "other":
                return
            time.sleep(0.01)
        waited.append(item)

    with pytest.raises(KeyboardInterrupt):
        each(range(3) if where == "first" else [0, 1, 1], do, first, lanes, 3)
    assert waited == []
    assert all(lane.closed for lane in lanes.opened)


def test_a_signal_that_comes_when_the_first_lane_is_done_ends_the_others() -> None:
    """Its thread then only waits for them, and is the one that gets the signal."""
    lanes, first, begun = Lanes(), Lane(), threading.Barrier(2)
    waited: list[int] = []

    def do(lane: Lane, item: int) -> None:
        begun.wait(10)
        if lane is first:
            threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
            return
        assert lane.check is not None
        for _ in range(1000):
            lane.check()
            time.sleep(0.01)
        waited.append(item)

    with pytest.raises(KeyboardInterrupt):
        each([0, 1], do, first, lanes, 2)
    assert waited == []
    assert [lane.closed for lane in lanes.opened] == [True]


class Refused:
    """A lane that never opens."""

    def __init__(self, check: Callable[[], None]) -> None:
        self.check = check

    def __enter__(self) -> Lane:
        raise OSError("no sandbox")

    def __exit__(self, *_: object) -> None:
        raise AssertionError


def test_a_lane_that_cannot_be_opened_is_raised() -> None:
    with pytest.raises(OSError, match="no sandbox"):
        each(range(9), lambda lane, item: time.sleep(0.05), Lane(), Refused, 2)
    assert issubclass(StoppedError, Exception)


HEAD = 'dependencies = ["torch"]\nimport os, time, urllib.request\nimport torch\n'


ENTRY = """
def net{number}():
    '''A net.'''
    path = os.path.join(torch.hub.get_dir(), "checkpoints", "{name}")
    os.makedirs(os.path.dirname(path))
    torch.hub.download_url_to_file("{url}", path, progress=False)
    if {number} == 3:
        raise ValueError("three")
    time.sleep(0.6 if {number} % 2 else 0.1)
    return torch.nn.Linear(2, {number} + 1)
"""


@pytest.mark.sandbox
def test_two_at_a_time_report_what_one_does(
    hubpub: RunHubpub, repository: MakeRepository, http_server: Server, tmp_path: Path
) -> None:
    pytest.importorskip("torch", reason="the verify extra is not installed")
    data = b"x" * 1000
    stamp = hashlib.sha256(data).hexdigest()[:8]
    entries = []
    for number in range(5):
        name = f"m{number}-{stamp}.pth"
        http_server.serve({f"/{name}": data})
        entries.append(ENTRY.format(name=name, url=http_server.url(f"/{name}"), number=number))
    repository({"hubconf.py": HEAD + "\n\n".join(entries), "LICENSE": "BSD"})
    found = []
    for jobs in ("1", "3"):
        file = tmp_path / f"report{jobs}.json"
        done = hubpub(
            "verify", "octo/net:v1.0", "--device", "cpu", "--jobs", jobs,
            "--allow-host", http_server.host, "--output-format", f"json:{file}",
        )  # fmt: skip
        assert done.returncode == 1, done.stderr
        found.append(without_times(json.loads(file.read_text())))
    assert [item["name"] for item in found[1]["entrypoints"]] == [f"net{n}" for n in range(5)]
    assert [item["url"].rpartition("/")[2][:2] for item in found[1]["network"]] == [
        "m0", "m1", "m2", "m3", "m4",
    ]  # fmt: skip
    assert found[0] == found[1]


@pytest.mark.sandbox
def test_an_interrupt_ends_every_sandbox(
    mirror: Mirror, repository: MakeRepository, tmp_path: Path
) -> None:
    pytest.importorskip("torch", reason="the verify extra is not installed")
    entry = 'def net{}():\n    "A net."\n    time.sleep(600)\n    return torch\n'
    repository({"hubconf.py": HEAD + "\n\n".join(map(entry.format, range(3)))})
    temporary = tmp_path / "tmp"
    temporary.mkdir(mode=0o711)
    file = tmp_path / "report.json"
    process = subprocess.Popen(
        [sys.executable, "-m", "hubpub", "verify", "octo/net:v1.0", "--device", "cpu", "--jobs",
         "3", "--output-format", f"json:{file}"],
        env=clean_environment(mirror.home)
        | {"HUBPUB_GITHUB_URL": mirror.url, "TMPDIR": str(temporary)},
        stderr=subprocess.PIPE, text=True, cwd=tmp_path,
    )  # fmt: skip
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("listed"):
            break
    time.sleep(4)  # the other two sandboxes start
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert json.loads(file.read_text())["status"] == "interrupted"
    assert list(temporary.iterdir()) == []
