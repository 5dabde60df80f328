"""Forked and fresh jobs: what a fork must not inherit, and what is tried again without one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from bench import Bench, bench

from conftest import MakeRepository, RunHubpub
from hubpub.verify.egress import Request
from hubpub.verify.jobs import of_the_fork
from hubpub.verify.sandbox import Outcome

needs_sandbox = pytest.mark.sandbox
pytest.importorskip("torch", reason="the verify extra is not installed")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with bench(tmp_path_factory.mktemp("jobs")) as made:
        yield made


BEFORE_THE_FORK = """
raise RuntimeError(f"{len(os.listdir('/proc/1/task'))} {torch.cuda.is_initialized()}")
"""
FORKED = "open('/proc/self/cmdline').read() == open('/proc/1/cmdline').read()"


def message(done: object) -> str:
    claims = getattr(done, "claims", None) or {}
    return str(claims.get("error", {}).get("message"))


@needs_sandbox
def test_the_zygote_has_computed_nothing(run: Bench) -> None:
    """One thread, before and after it has forked jobs that use several; and no device."""
    for _ in range(2):
        done = run("torch.mm(torch.rand(900, 900), torch.rand(900, 900))\n" + BEFORE_THE_FORK)
        assert message(done) == "1 False"
        assert done.facts.fresh is False


@needs_sandbox
@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_a_job_inherits_no_device(run: Bench, device: str) -> None:
    done = run("raise RuntimeError(torch.cuda._is_in_bad_fork())", device=device)
    assert message(done) == "False"


ONLY_IN_A_FORK = {
    "SIGSEGV": "os.kill(os.getpid(), signal.SIGSEGV)",
    "SIGABRT": "os.abort()",
    "SIGBUS": "os.kill(os.getpid(), signal.SIGBUS)",
    "SIGILL": "os.kill(os.getpid(), signal.SIGILL)",
    "hung": "threading.Event().wait()",
}


@needs_sandbox
@pytest.mark.parametrize("how", list(ONLY_IN_A_FORK))
def test_what_a_fork_can_cause_is_tried_again_without_one(run: Bench, how: str) -> None:
    body = f"if {FORKED}:\n    {ONLY_IN_A_FORK[how]}\nreturn torch.nn.Linear(3, 2)"
    done = run(body, timeout_s=15.0 if how == "hung" else 60.0)
    assert (done.facts.ended, done.facts.exit, done.facts.fresh) == ("exit", 0, True), done
    assert done.claims is not None
    assert done.claims["parameters"] == 8
    retried = "hung in a fork" if how == "hung" else f"ended by {how} in a fork"
    assert done.facts.retried == retried


@needs_sandbox
def test_a_job_that_crashes_anyhow_is_tried_once(run: Bench) -> None:
    done = run('os.write(1, b"x")\nos.abort()')
    assert (done.facts.ended, done.facts.signal, done.facts.fresh) == ("signal", 6, True)
    assert done.facts.retried == "ended by SIGABRT in a fork"


@needs_sandbox
@pytest.mark.parametrize(
    ("body", "ended"),
    [
        ("os._exit(3)", "exit"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "signal"),
        ("while True:\n    pass", "timeout"),
    ],
)
def test_what_no_fork_can_cause_is_not_tried_again(run: Bench, body: str, ended: str) -> None:
    done = run(body, timeout_s=3.0)
    assert (done.facts.ended, done.facts.fresh, done.facts.retried) == (ended, False, None)


def test_a_job_that_waits_for_a_download_does_not_hang_for_the_fork() -> None:
    outcome = Outcome(None, 9, "timeout", 9.0, 0.1, 0, b"", b"", b"", hung=True)
    cut = Request("job1", "GET", "http://h/x", "cut", "ended early")
    whole = Request("job1", "GET", "http://h/x", "allowed", None, 200, 3, 3)
    assert of_the_fork(outcome, (whole,)) == "hung in a fork"
    assert of_the_fork(outcome, (whole, cut)) is None


@needs_sandbox
def test_fresh_runs_every_job_in_an_interpreter_of_its_own(tmp_path: Path) -> None:
    with bench(tmp_path, fresh=True) as run:
        done = run(f"assert not {FORKED}\nassert os.getppid() == 1\nreturn torch.nn.Linear(3, 2)")
        assert (done.facts.exit, done.facts.fresh, done.facts.retried) == (0, True, None), done
        done = run("os.abort()")
        assert (done.facts.signal, done.facts.retried) == (6, None)


@needs_sandbox
def test_the_report_says_what_was_tried_again(
    hubpub: RunHubpub, repository: MakeRepository, tmp_path: Path
) -> None:
    text = 'dependencies = ["torch"]\nimport os\n'
    text += f'def net():\n    "x"\n    if {FORKED}:\n        os.abort()\n    return 1\n'
    repository({"hubconf.py": text})
    outputs = ("--output-format", f"json:{tmp_path / 'r.json'}", "--output-format", "text")
    done = hubpub("verify", "octo/net:v1.0", "--device", "cpu", *outputs)
    assert done.returncode == 0, done.stdout
    line = "net (default, cpu): ended by SIGABRT in a fork, run again in a fresh interpreter"
    assert line in done.stdout
    done = hubpub("verify", "octo/net:v1.0", "--device", "cpu", "--fresh", *outputs)
    assert (done.returncode, "run again" in done.stdout) == (0, False), done.stdout
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["sandbox"]["limited_by"] in {"cgroup", "watcher"}
    (entry,) = report["entrypoints"]
    facts = entry["results"][0]["facts"]
    assert (facts["fresh"], facts["retried"]) == (True, None)
