"""The fixtures themselves: everything else leans on them."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from conftest import MakeRepository, RunHubpub
from publishing import Files, Link, Mirror, Server


def test_the_same_files_give_the_same_commit(mirror: Mirror) -> None:
    files: Files = {
        "hubconf.py": "x = 1\n",
        "weights/m.bin": b"\x00\xff",
        "link": Link("hubconf.py"),
    }
    one = mirror.publish(files, name="a/b")
    two = mirror.publish(files, name="c/d", branch="master", tags=("v1", "v2"), branches=("dev",))
    assert one.git("rev-parse", "HEAD") == two.git("rev-parse", "HEAD")
    assert two.git("tag").split() == ["v1", "v2"]
    assert two.git("branch", "--format=%(refname:short)").split() == ["dev", "master"]
    assert one.git("ls-files", "--stage", "link").startswith("120000")


def test_git_environment_of_the_caller_is_ignored(
    repository: MakeRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", "/nonexistent")
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Somebody Else")
    made = repository({"hubconf.py": "\n"})
    assert made.git("log", "-1", "--format=%an %aI") == "Ada Publisher 2026-01-31T12:00:00+00:00"


def test_hubpub_runs_in_a_clean_environment(
    hubpub: RunHubpub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONVERBOSE", "1")
    done = hubpub("--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("hubpub, version ")


def test_server_answers_and_records(http_server: Server) -> None:
    http_server.serve(
        {
            "/m.pth?x=1": b"weights",
            "/moved": (302, {"Location": "/m.pth?x=1"}, b""),
            "/short": (200, {"Content-Length": "10"}, b"abc"),
        }
    )
    with urllib.request.urlopen(http_server.url("/moved")) as answer:
        assert answer.read() == b"weights"
    with urllib.request.urlopen(http_server.url("/short")) as answer:
        assert answer.read(10) == b"abc"
    with pytest.raises(urllib.error.HTTPError, match="404") as refused:
        urllib.request.urlopen(http_server.url("/none"))
    refused.value.close()
    assert [request.target for request in http_server.requests] == [
        "/moved",
        "/m.pth?x=1",
        "/short",
        "/none",
    ]
    assert http_server.host in http_server.url()


@pytest.mark.parametrize(
    ("option", "body", "code"),
    [
        ((), "pass", 0),
        (("--no-skips",), "pass", 0),
        ((), "pytest.skip('not here')", 0),
        (("--no-skips",), "pytest.skip('not here')", 1),
        (("--no-skips", "-k", "nothing"), "pass", 5),
    ],
)
def test_no_skips_means_it(tmp_path: Path, option: tuple[str, ...], body: str, code: int) -> None:
    (tmp_path / "test_x.py").write_text(f"import pytest\ndef test_x():\n    {body}\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "conftest", "-p", "no:cacheprovider", *option],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == code, done.stdout + done.stderr


STOPPED = """
import os, subprocess, time, urllib.request
from publishing import Server
from rough import Rough

gone = Rough()
time.sleep(0.2)  # its thread waits in accept
gone.close()
server = Server()
server.serve({"/x": b"mine"})
subprocess.run(["sh", "-c", f"kill -STOP {os.getpid()}; sleep 0.2; kill -CONT {os.getpid()}"])
print(urllib.request.urlopen(server.url("/x")).read().decode())
"""


def test_a_closed_server_takes_no_connection_of_the_next() -> None:
    """A process that is stopped and goes on has its waiting calls begun again."""
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    done = subprocess.run(
        [sys.executable, "-c", STOPPED], env=env, capture_output=True, text=True, timeout=30
    )
    assert (done.returncode, done.stdout) == (0, "mine\n"), done.stderr
