"""``pytest --hubpub-verify``: what verify proves, as tests, from one run of the real thing."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sessions import CLEAN, Session, command, environment, session

from proving import ONCE
from publishing import Mirror, Repository, family, running

HUBCONF = '''\
dependencies = ["torch"]
import os as _os
import torch as _torch


def good(pretrained: bool = False):
    """Loads, and has weights."""
    net = _torch.nn.Linear(1, 2)
    if pretrained:
        here = _os.path.dirname(__file__)
        net.load_state_dict(_torch.load(_os.path.join(here, "w-WORD.pth"), weights_only=True))
    return net


def wrong():
    """Takes another input than is declared."""
    return _torch.nn.Linear(3, 2)


def crash():
    """Ends the process."""
    _os._exit(3)


def off():
    """Is not run."""
    return 1


def later(pretrained: bool = False):
    """Loads without weights only."""
    if pretrained:
        raise ValueError("\\x1b[31mno weights\\u202e ::error::here")
    return _torch.nn.Linear(1, 2)


globals()["a::b[c]\\x1b[2J"] = wrong
for _word in open(__file__).read(12).split():
    globals()[_word.upper()] = crash
'''
SETTINGS = """
[verify.entrypoints.wrong]
input = { shape = [1, 4] }

[verify.entrypoints.off]
skip = { reason = "its host is moving", until = 2999-01-31 }
"""
FILES = {
    **CLEAN,
    "hubconf.py": HUBCONF,
    "hubpub.toml": SETTINGS,
    "pytest.ini": "[pytest]\ntestpaths = tests\nfilterwarnings = error\naddopts = -W error\n",
}
ARGS = f"--hubpub-args=--device cpu {' '.join(ONCE)}"
ODD = "a\\x3a\\x3ab\\x5bc\\x5d\\x1b\\x5b2J"


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """The repository that all sessions here are of, with weights in its tree."""
    home = tmp_path_factory.mktemp("home")
    root = tmp_path_factory.mktemp("mirror")
    made = Mirror(root, home).publish(FILES)
    weights = "import torch; torch.save(torch.nn.Linear(1, 2).state_dict(), 'w.pth')"
    subprocess.run([sys.executable, "-c", weights], cwd=made.path, check=True)
    import hashlib

    digest = hashlib.sha256((made.path / "w.pth").read_bytes()).hexdigest()
    (made.path / "w.pth").rename(made.path / f"w-{digest[:8]}.pth")
    made.commit({"hubconf.py": HUBCONF.replace("WORD", digest[:8])})
    return made


@pytest.fixture(scope="module")
def whole(there: Repository, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    """All tests of it, shared out among two processes; each run of verify says so in a pipe."""
    pipe = tmp_path_factory.mktemp("pipe") / "runs"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
    try:
        done = session(
            there.path, "--hubpub-verify", f"{ARGS} --output-format junit:{pipe}", "-n", "2",
            "-k", "not check", "-p", "no:cacheprovider", home=there.home,
        )  # fmt: skip
        runs = os.read(reader, 1 << 20)
    finally:
        os.close(reader)
    assert runs.count(b'<testsuites name="hubpub verify"') == 1
    yield done
    assert left(there.home) == []


def left(home: Path) -> list[str]:
    """What sessions have left of hubpub's own."""
    return [path.name for path in (home / "tmp").iterdir() if path.name.startswith("hubpub")]


@pytest.mark.sandbox
def test_each_result_is_a_test(whole: Session) -> None:
    assert whole.code == 1
    assert whole.of("passed") == {
        "test_mine", "good[default-cpu]", "good[pretrained-cpu]", "later[default-cpu]",
        f"{ODD}[default-cpu]",
    }  # fmt: skip
    # What the static list does not know fails in the test of the run.
    assert whole.of("failed") == {
        "run", "crash[default-cpu]", "wrong[default-cpu]", "later[pretrained-cpu]",
    }  # fmt: skip
    assert whole.of("skipped") == {"off[default-cpu]"}
    assert "hubconf.py:25: its host is moving (until 2999-01-31)" in whole.said["off[default-cpu]"]
    assert "Traceback" not in whole.text
    assert not set("\x1b\u202e") & set(whole.text)


@pytest.mark.sandbox
@pytest.mark.parametrize(
    ("test", "said"),
    [
        ("run", "loads: DEPENDENCIES: the process left with status 3"),
        ("crash[default-cpu]", "loads: crash: the process left with status 3"),
        ("wrong[default-cpu]", "forward: wrong: called with its input: RuntimeError: mat1"),
        ("wrong[default-cpu]", "\n  help: does the `shape` of its input fit?"),
        ("later[pretrained-cpu]", "ValueError: \\x1b[31mno weights\\u202e ::error::here"),
        ("later[pretrained-cpu]", "\n  hubconf.py:33"),
    ],
)
def test_what_failed_tests_say(whole: Session, test: str, said: str) -> None:
    assert said in whole.said[test]


@pytest.mark.sandbox
def test_what_is_recorded_of_a_result(whole: Session, there: Repository) -> None:
    (weights,) = there.path.glob("w-*.pth")
    found = whole.properties["good[pretrained-cpu]"]
    assert found["hubpub_checkpoint"].startswith(f"sha256:{weights.stem[2:]}")
    assert found["hubpub_checkpoint"].endswith(f" {weights.name}")
    assert float(found["hubpub_wall_s"]) > 0
    assert "hubpub_checkpoint" not in whole.properties["good[default-cpu]"]


@pytest.mark.sandbox
def test_only_what_is_selected_is_run(there: Repository, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    there.write({"tests/new.py": "# not committed\n"})
    done = session(
        there.path, "--hubpub-verify", "--hubpub-committed",
        f"{ARGS} --output-format json:{report}",
        "tests", f"hubconf.py::hubpub::verify::{ODD}[default-cpu]",
        "hubconf.py::hubpub::verify::later[default-cpu]", home=there.home,
    )  # fmt: skip
    assert done.code == 0, done.text
    assert done.of("passed") == {"test_mine", "later[default-cpu]", f"{ODD}[default-cpu]"}
    document = json.loads(report.read_text())
    assert [item["name"] for item in document["entrypoints"]] == ["a::b[c]\x1b[2J", "later"]
    assert document["reference"]["kind"] == "branch"


def test_without_a_sandbox_every_test_is_an_error(
    there: Repository, tmp_path: Path, home: Path
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    done = session(
        there.path, "--hubpub-verify", ARGS, "-k", "verify", home=home,
        extra={"PATH": str(programs)},
    )  # fmt: skip
    assert done.code == 1, done.text
    assert set(done.outcomes.values()) == {"error"}
    assert len(done.outcomes) == 9
    assert "bubblewrap" in done.said["run"]
    assert "  help: " in done.said["run"]
    assert "(as above)" in done.said["crash[default-cpu]"]
    assert "  help: " not in done.said["crash[default-cpu]"]
    assert not re.search("Traceback|During handling", done.text)
    assert left(home) == []


@pytest.mark.sandbox
def test_settings_that_verify_refuses_are_an_error(there: Repository, home: Path) -> None:
    done = session(
        there.path, "--hubpub-verify", "--hubpub-args=--device cpu --locked", "-k", "crash",
        home=home,
    )  # fmt: skip
    assert set(done.outcomes.values()) == {"error"}
    assert "hubpub verify did not run: " in done.text
    assert "hubpub.lock" in done.text


SLEEPING = '''\
dependencies = ["torch"]
import time as _time


def slow():
    """Sleeps."""
    _time.sleep(600)
'''


@pytest.mark.sandbox
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=lambda value: value.name)
def test_what_ends_pytest_ends_the_run(number: signal.Signals, mirror: Mirror) -> None:
    """With nothing left; where pytest is killed, nothing that runs, and no tree."""
    there = mirror.publish({**CLEAN, "hubconf.py": SLEEPING})
    process = subprocess.Popen(
        command("--hubpub-verify", ARGS, "-k", "slow"),
        cwd=there.path,
        env=environment(mirror.home),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    # bwrap, the supervisor in it, and the job: only then there is something to be left.
    wait_for(lambda: set(running("hubpub_worker")) >= {*family(process.pid)[-3:]}, process)
    ours = family(process.pid)
    process.send_signal(number)
    said, _ = process.communicate(timeout=120)
    assert "Traceback" not in said
    if number == signal.SIGINT:
        assert process.returncode == 2, said
        assert left(mirror.home) == []
    wait_for(lambda: not [pid for pid in ours if Path("/proc", pid).exists()])
    wait_for(lambda: all(name.startswith("hubpub-pytest-") for name in left(mirror.home)))


TIMEOUT = """\
import signal
import pytest

def _end(*_):
    pytest.fail("too long", pytrace=False)

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    signal.signal(signal.SIGALRM, _end)
    signal.setitimer(signal.ITIMER_REAL, 2)

def pytest_runtest_teardown(item):
    signal.setitimer(signal.ITIMER_REAL, 0)
"""


@pytest.mark.sandbox
def test_a_limit_of_a_test_ends_the_run_once(mirror: Mirror) -> None:
    """As pytest-timeout does it; the next test does not begin it again."""
    there = mirror.publish({**CLEAN, "hubconf.py": SLEEPING, "conftest.py": TIMEOUT})
    done = session(there.path, "--hubpub-verify", ARGS, "-k", "verify", home=mirror.home)
    assert done.outcomes == dict.fromkeys(done.outcomes, "error")
    assert "too long" in done.said["run"]
    assert "ended from outside (as above)" in done.said["slow[default-cpu]"]
    assert left(mirror.home) == []
    assert not running(str(mirror.home / "tmp"))


def wait_for(condition: object, process: subprocess.Popen[str] | None = None) -> None:
    """Wait until it holds; fail after two minutes, or where the process has ended before."""
    assert callable(condition)
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end
        if process is not None:
            assert process.poll() is None, process.communicate()[0]
        time.sleep(0.05)
