"""Lanes under attack: the guilty alone is blamed, the report is in order, and nothing is left."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conftest import MakeRepository
from proving import DOWNLOAD, HEAD, ONCE, Prove
from publishing import Mirror, Server, clean_environment, running

pytestmark = pytest.mark.sandbox

ATTACKS = """
import signal, socket, subprocess, tempfile

def a0_floods():
    "x"
    while True:
        os.write(1, b"::error::x" * 6000)

def a1_innocent():
    "x"
    time.sleep(1)
    return torch.nn.Linear(1, 1)

def a2_bombs():
    "x"
    while True:
        try:
            os.fork()
        except OSError:
            pass

def a3_innocent():
    "x"
    return a1_innocent()

def a4_kills():
    "x"
    for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV, signal.SIGSTOP):
        for target in (1, -1, os.getppid()):
            if target != -1 or number != signal.SIGKILL:
                try:
                    os.kill(target, number)
                except OSError:
                    pass
    return 1

def a5_innocent():
    "x"
    return a1_innocent()

def a6_takes():
    "x"
    for number in range(3000):
        try:
            os.mkdir(f"/scratch/job{number}")
        except OSError:
            pass
    taken = []
    for port in range(1, 65536):
        try:
            server = socket.socket()
            server.bind(("127.0.0.1", port))
            server.listen()
            taken.append(server)
        except OSError:
            pass
        if len(taken) > 1000:
            break
    time.sleep(2)
    return 1

def a7_downloads():
    "x"
    _get("URL", "m.pth")
    time.sleep(1)
    return 1

def a8_claims():
    "x"
    os.write(3, b"x" * (2 << 20))
    os._exit(0)

def a9_innocent():
    "x"
    return a7_downloads()
"""


def test_only_the_guilty_are_blamed(prove: Prove, http_server: Server) -> None:
    http_server.serve({"/m.pth": b"x" * 100_000})
    hubconf = DOWNLOAD + ATTACKS.replace("URL", http_server.url("/m.pth"))
    proof = prove(
        hubconf, "--jobs", "3", "--timeout", "60", "--processes", "60",
        "--allow-host", http_server.host, *ONCE,
    )  # fmt: skip
    names = [item["name"] for item in proof.report["entrypoints"]]
    assert names == sorted(names)
    assert {name: proof.axis(name)[0] for name in names if "innocent" in name} == {
        f"a{number}_innocent": "pass" for number in (1, 3, 5, 9)
    }
    assert proof.axis("a7_downloads") == ("pass", "")
    facts = [item["results"][0]["facts"]["ended"] for item in proof.report["entrypoints"]]
    assert (facts[0], facts[2]) == ("output", "pids")
    assert proof.axis("a8_claims")[0] == "fail"
    assert {entry["url"] for entry in proof.report["network"]} == {http_server.url("/m.pth")}


HANGING = """
import ctypes, signal, subprocess

def b0_hangs():
    "x"
    for number in set(range(1, 65)) - {9, 19, 32, 33}:
        signal.signal(number, signal.SIG_IGN)
    while True:
        os.write(2, b"x" * 4096)
        time.sleep(0.1)

def b1_forks():
    "x"
    for _ in range(40):
        if os.fork() == 0:
            os.setpgid(0, 0)
            ctypes.CDLL(None).prctl(15, b"lane-attacker", 0, 0, 0)
            while True:
                pass
    time.sleep(600)

def b2_leaves():
    "x"
    with open("m.pth", "wb") as file:
        os.posix_fallocate(file.fileno(), 0, 8 << 30)
    return 1

def b3_leaves():
    "x"
    return b2_leaves()
"""


@pytest.mark.parametrize(("number", "times"), [(signal.SIGINT, 30), (signal.SIGTERM, 1)])
def test_an_interrupt_under_attack_leaves_nothing(
    mirror: Mirror, repository: MakeRepository, tmp_path: Path, number: int, times: int
) -> None:
    repository({"hubconf.py": HEAD + HANGING})
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
    time.sleep(5)  # all lanes are at work: one of them reads what a job left
    for _ in range(times):
        process.send_signal(number)
        time.sleep(0.03)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert "Traceback" not in said
    assert json.loads(file.read_text())["status"] == "interrupted"
    assert list(temporary.iterdir()) == []
    assert running(str(temporary)) == []
