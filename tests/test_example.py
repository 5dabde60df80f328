"""The example publisher is honest, and the demo of it does what it says and leaves nothing."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT, RunHubpub
from publishing import clean_environment

TINY = ROOT / "examples" / "tiny"
CHECKPOINTS = sorted([*ROOT.glob("examples/release/*.pth"), *TINY.rglob("*.pth")])

SAME_NUMBERS = """
import sys, torch
one, two = (torch.load(path, weights_only=True) for path in sys.argv[1:])
assert one.keys() == two.keys()
for name in one:
    torch.testing.assert_close(one[name], two[name])
"""


def test_the_stamps_are_true() -> None:
    assert len(CHECKPOINTS) == 2
    for path in CHECKPOINTS:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        assert path.stem.rpartition("-")[2] == digest[:8]
        assert path.name in (TINY / "hubconf.py").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_checkpoints_are_what_the_script_makes(tmp_path: Path, home: Path) -> None:
    shutil.copytree(TINY, tmp_path / "tiny", ignore=shutil.ignore_patterns("*.pth", "__pycache__"))

    def python(*arguments: str | Path) -> str:
        done = subprocess.run(
            [sys.executable, *map(str, arguments)],
            env=clean_environment(home),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    made = python(tmp_path / "tiny" / "train.py", tmp_path / "release").split()
    for committed, again in zip(CHECKPOINTS, sorted(map(Path, made), key=str), strict=True):
        assert re.sub("-.*", "", committed.name) == re.sub("-.*", "", again.name)
        python("-c", SAME_NUMBERS, committed, again)


def test_check_has_nothing_to_say(hubpub: RunHubpub) -> None:
    done = hubpub("check", "--output-format", "json", TINY)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["diagnostics"] == []


def test_list_shows_the_three_entrypoints(hubpub: RunHubpub) -> None:
    done = hubpub("list", "--output-format", "json", TINY)
    assert done.returncode == 0, done.stderr
    listed = json.loads(done.stdout)
    assert [entry["name"] for entry in listed["entrypoints"]] == ["bigram", "tokenizer", "unigram"]
    assert not any(entry["leak"] for entry in listed["entrypoints"])
    assert listed["dynamic"] == []


def start_demo(tmp_path: Path, home: Path) -> subprocess.Popen[str]:
    """The demo in a session of its own, so that a signal can reach all of it as Ctrl-C does."""
    (tmp_path / "scratch").mkdir()
    return subprocess.Popen(
        [sys.executable, str(ROOT / "examples" / "demo.py")],
        env=clean_environment(home) | {"TMPDIR": str(tmp_path / "scratch")},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


@pytest.mark.sandbox
def test_the_demo(tmp_path: Path, home: Path) -> None:
    shown, _ = (process := start_demo(tmp_path, home)).communicate(timeout=120)
    assert process.returncode == 0, shown
    assert "demo: the JSON report says: pass, commit " in shown
    for path in CHECKPOINTS:
        assert f"{path.name} has sha256 {hashlib.sha256(path.read_bytes()).hexdigest()}" in shown
    assert list((tmp_path / "scratch").iterdir()) == []


@pytest.mark.sandbox
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_the_demo_interrupted_leaves_nothing(
    tmp_path: Path, home: Path, how: signal.Signals
) -> None:
    process = start_demo(tmp_path, home)
    assert process.stdout is not None
    shown = []
    for line in process.stdout:
        shown.append(line)
        if line.startswith("sandbox: "):
            break
    # Ctrl-C goes to every process of the terminal; TERM goes to the one that was named.
    if how is signal.SIGINT:
        os.killpg(process.pid, how)
    else:
        process.send_signal(how)
    rest, _ = process.communicate(timeout=60)
    assert process.returncode == (130 if how is signal.SIGINT else 143), "".join(shown) + rest
    assert "Traceback" not in rest
    assert list((tmp_path / "scratch").iterdir()) == []
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
