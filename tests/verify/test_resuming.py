"""An interrupted run leaves what it proved, and another goes on from there."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from conftest import MakeRepository, RunHubpub
from hubpub.verify import resuming
from hubpub.verify.report import validate
from proving import ONCE, without_times
from publishing import Mirror, Server, clean_environment, running

pytestmark = pytest.mark.proof
torch = pytest.importorskip("torch", reason="the verify extra is not installed")

HUBCONF = """
dependencies = ["torch"]
import time
import urllib.request

import torch


def {kind}(name, wait):
    def entrypoint():
        "A net."
        torch.hub.download_url_to_file("{url}" + name, torch.hub.get_dir() + name, progress=False)
        if wait and urllib.request.urlopen("{url}/wait").read() == b"yes":
            time.sleep(600)
        return torch.nn.Linear(1, 1)
    return entrypoint


a, b, c, d = {kind}("/a", 0), {kind}("/b", 0), {kind}("/c", 1), {kind}("/d", 0)
"""


class Stop:
    """Ends a run of four entrypoints while the third one waits."""

    def __init__(self, mirror: Mirror, folder: Path, server: Server) -> None:
        self.mirror, self.folder, self.server = mirror, folder, server
        self.file = folder / "part.json"
        self.temporary = folder / "tmp"
        self.temporary.mkdir(mode=0o711)
        server.serve({f"/{name}": name.encode() for name in "abcd"} | {"/wait": b"yes"})

    def __call__(self, number: signal.Signals, *options: str) -> tuple[int, dict[str, Any]]:
        process = subprocess.Popen(
            [sys.executable, "-m", "hubpub", "verify", "octo/net:v1.0", "--device", "cpu",
             "--allow-host", self.server.host, "--output-format", f"json:{self.file}",
             "--output-format", f"text:{self.file.with_suffix('.txt')}", *options],
            env=clean_environment(self.mirror.home)
            | {"HUBPUB_GITHUB_URL": self.mirror.url, "TMPDIR": str(self.temporary)},
            stderr=subprocess.PIPE, text=True, cwd=self.folder,
        )  # fmt: skip
        until = time.monotonic() + 60
        while not any(request.target == "/wait" for request in self.server.requests):
            assert time.monotonic() < until, "the third entrypoint has not started"
            time.sleep(0.05)
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
        assert "Traceback" not in said
        assert list(self.temporary.iterdir()) == []
        assert running(str(self.temporary)) == []
        report = json.loads(self.file.read_text())
        validate(report)
        return process.returncode, report


@pytest.fixture
def stop(mirror: Mirror, repository: MakeRepository, tmp_path: Path, http_server: Server) -> Stop:
    text = HUBCONF.format(kind="_make", url=http_server.url(""))
    repository({"hubconf.py": text, "LICENSE": "BSD"})
    return Stop(mirror, tmp_path, http_server)


def names(report: dict[str, Any]) -> list[str]:
    return [item["name"] for item in report["entrypoints"]]


@pytest.mark.parametrize(
    ("number", "code", "jobs"), [(signal.SIGINT, 130, "1"), (signal.SIGTERM, 143, "2")]
)
def test_what_was_proven_is_kept_and_the_rest_is_run(
    stop: Stop, hubpub: RunHubpub, number: signal.Signals, code: int, jobs: str
) -> None:
    ended, part = stop(number, "--jobs", jobs)
    assert (ended, part["status"]) == (code, "interrupted")
    # With two lanes one may be at work on its entrypoint while the third begins in the other.
    assert ({"a", "b"} if jobs == "1" else set()) <= set(names(part)) <= {"a", "b", "d"}
    assert names(part)
    assert part["commit"]
    text = stop.file.with_suffix(".txt").read_text()
    assert f"PARTIAL: {len(names(part))} of 4 entrypoints" in text
    seen = len(stop.server.requests)
    stop.server.serve({"/wait": b"no"})

    whole, file = stop.folder / "whole.json", stop.folder / "resumed.json"
    command = ("verify", "octo/net:v1.0", "--device", "cpu", "--allow-host", stop.server.host)
    done = hubpub(*command, "--resume", stop.file, "--output-format", f"json:{file}")
    assert done.returncode == 0, done.stderr
    assert f"resumed: {len(names(part))} of 4 entrypoints are proven already" in done.stderr
    asked = {request.target for request in stop.server.requests[seen:]}
    assert asked == {"/wait", *(f"/{name}" for name in "abcd" if name not in names(part))}
    assert hubpub(*command, "--output-format", f"json:{whole}").returncode == 0
    found = json.loads(file.read_text())
    assert without_times(found) == without_times(json.loads(whole.read_text()))


def test_a_run_can_be_interrupted_again(stop: Stop) -> None:
    _, part = stop(signal.SIGINT, "--entrypoint", "[abc]")
    assert (names(part), part["selection"]["whole"]) == (["a", "b"], False)
    part["entrypoints"].pop()
    earlier = stop.folder / "earlier.json"
    earlier.write_text(json.dumps(part))
    stop.server.requests.clear()
    code, again = stop(signal.SIGINT, "--entrypoint", "[abc]", "--resume", str(earlier))
    assert (code, again["status"], names(again)) == (130, "interrupted", ["a", "b"])
    # Each is asked for again by the axes that load it once more.
    assert list(dict.fromkeys(item["url"][-2:] for item in again["network"])) == ["/a", "/b"]
    asked = list(dict.fromkeys(request.target for request in stop.server.requests))
    assert asked == ["/b", "/c", "/wait"]
    assert [item["name"] for item in again["findings"]].count("partial-run") == 1


def test_what_cannot_be_gone_on_with_is_refused(
    stop: Stop, hubpub: RunHubpub, mirror: Mirror
) -> None:
    stop(signal.SIGINT)
    stop.server.serve({"/wait": b"no"})
    command = ["verify", "octo/net:v1.0", "--device", "cpu", "--resume", str(stop.file)]
    host = ["--allow-host", stop.server.host]
    for options, said in (
        ([], f'options allow_hosts is ["{stop.server.host}"], not []'),
        ([*host, "--timeout", "9"], "limits timeout_s is 600.0, not 9.0"),
        ([*host, "--shard", "1/2"], "its --shard is None, not 1/2"),
    ):
        done = hubpub(*command, *options)
        assert done.returncode == 2, done.stderr
        assert said in done.stderr, done.stderr
    before = stop.file.read_bytes()
    done = hubpub("verify", "octo/gone", "--resume", stop.file, "--output-format",
                  f"json:{stop.file}")  # fmt: skip
    assert (done.returncode, stop.file.read_bytes()) == (4, before)
    (stop.folder / "none.json").write_text("{}")
    done = hubpub("verify", "octo/net", "--resume", stop.folder / "none.json")
    assert (done.returncode, "is no report of this version" in done.stderr) == (2, True)
    published = stop.mirror.root / "octo" / "net"
    subprocess.run(
        ["git", "-C", published, "-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-qm",
         "more", "--allow-empty"],
        check=True, env=clean_environment(mirror.home),
    )  # fmt: skip
    subprocess.run(["git", "-C", published, "tag", "-f", "v1.0"], check=True, capture_output=True)
    done = hubpub(*command, *host)
    assert done.returncode == 2
    assert "does not belong to this run: commit is" in done.stderr


LACKING = """
dependencies = ["torch"]
import time
import urllib.request

import torch


def a():
    "A net."
    return torch.nn.Linear(1, 1)


def b():
    "Waits, and leaves a file, so that the next job needs another sandbox."
    while urllib.request.urlopen("{url}/go").read() != b"yes":
        time.sleep(0.05)
    open("/dev/shm/left", "w").close()
    return torch.nn.Linear(1, 1)


c = d = a
"""


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_sandbox_that_starts_no_more_takes_no_result_away(
    mirror: Mirror,
    repository: MakeRepository,
    hubpub: RunHubpub,
    tmp_path: Path,
    http_server: Server,
    jobs: str,
) -> None:
    repository({"hubconf.py": LACKING.format(url=http_server.url("")), "LICENSE": "BSD"})
    http_server.serve({"/go": b"no"})
    programs, file = tmp_path / "bin", tmp_path / "part.json"
    programs.mkdir()
    bwrap = shutil.which("bwrap")
    assert bwrap
    shutil.copy(bwrap, programs)
    command = ("verify", "octo/net:v1.0", "--device", "cpu", "--allow-host", http_server.host)
    environment = clean_environment(mirror.home) | {"HUBPUB_GITHUB_URL": mirror.url}
    process = subprocess.Popen(
        [sys.executable, "-m", "hubpub", *command, *ONCE, "--jobs", jobs,
         "--output-format", f"json:{file}"],
        env=environment | {"PATH": f"{programs}:{environment['PATH']}"},
        stderr=subprocess.PIPE, text=True, cwd=tmp_path,
    )  # fmt: skip
    until = time.monotonic() + 60
    while not any(request.target == "/go" for request in http_server.requests):
        assert time.monotonic() < until, "the second entrypoint has not started"
        time.sleep(0.05)
    (programs / "bwrap").unlink()  # as where a package is taken away, or a disk
    http_server.serve({"/go": b"yes"})
    _, said = process.communicate(timeout=120)
    assert "Traceback" not in said
    assert (process.returncode, "error: " in said) == (4, True), said
    part = json.loads(file.read_text())
    validate(part)
    assert part["status"] == "interrupted"
    assert "a" in names(part)
    if jobs == "1":
        assert "c" not in names(part)
        (found,) = [item for item in part["findings"] if item["severity"] == "error"]
        assert (found["name"], "--resume FILE" in found["help"]) == ("stopped", True)

    done = hubpub(*command, *ONCE, "--resume", file, "--output-format", f"json:{file}")
    assert done.returncode == 0, done.stderr
    whole = json.loads(file.read_text())
    assert (whole["status"], names(whole)) == ("pass", ["a", "b", "c", "d"])


SLOW = """
import time
import torch

dependencies = ["torch"]

def slow():
    "Waits for longer than the run may take."
    time.sleep(600)
"""


def test_what_the_deadline_cut_in_its_middle_is_run_again(
    repository: MakeRepository, hubpub: RunHubpub, tmp_path: Path
) -> None:
    """It is the only job of its entrypoint: no later one could say that time was up."""
    repository({"hubconf.py": SLOW, "LICENSE": "BSD"})
    file = tmp_path / "part.json"
    command = ("verify", "octo/net:v1.0", "--device", "cpu", *ONCE)
    done = hubpub(*command, "--deadline", "12", "--output-format", f"json:{file}")
    assert done.returncode == 1, done.stderr
    found = json.loads(file.read_text())
    (cut,) = [item for item in found["findings"] if item["name"] == "deadline"]
    assert (cut["entrypoint"], "--deadline" in cut["help"]) == ("slow", True)
    assert resuming.kept(found, found) == frozenset()
