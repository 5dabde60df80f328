"""The axis ``pickles``: from where a model was loaded to a process that is spawned."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hubpub.verify import again
from hubpub.verify.jobs import Done
from hubpub.verify.report import Facts
from proving import Prove

needs_sandbox = pytest.mark.proof
pytest.importorskip("torch", reason="the verify extra is not installed")

NETS = '''
class Here(torch.nn.Linear):
    pass


def plain():
    """A class that torch brings."""
    return torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.ReLU())


def in_hubconf():
    """A class of a module that is never in sys.modules."""
    return Here(1, 1)


def in_module():
    """A class of a module that only the loader's sys.path leads to."""
    from mynet.layers import Net
    return Net()


def stays_on_path():
    """The same, of a repository that puts itself on the path to stay."""
    place = os.path.dirname(os.path.abspath(__file__))
    sys.path.insert(0, place)
    sys.path.append(place)
    from mynet.layers import Net
    return Net()


def closure():
    """A function that has no name."""
    return lambda x: x


def dies():
    """Ends the process that unpickles it."""
    from mynet.layers import Dies
    sys.path.append(os.path.dirname(os.path.abspath(__file__)))
    return Dies()


def leaves_a_process():
    """One that has all that was open, and never ends."""
    if os.fork() == 0:
        while True:
            time.sleep(1)
    return torch.nn.Linear(1, 1)


def leaves_one_there():
    """Unpickling it leaves such a process."""
    from mynet.layers import Forks
    sys.path.append(os.path.dirname(os.path.abspath(__file__)))
    return Forks()


def broken():
    """Loads nowhere."""
    raise ValueError("no")
'''
LAYERS = """\
import os
import torch


class Net(torch.nn.Linear):
    def __init__(self):
        super().__init__(1, 1)


class Dies:
    def __reduce__(self):
        return os._exit, (7,)
"""
LAYERS += """
import time


def fork():
    if os.fork() == 0:
        while True:
            time.sleep(1)
    return torch.nn.Linear(1, 1)


class Forks:
    def __reduce__(self):
        return fork, ()
"""
SPAWNED = "cannot be unpickled in a spawned process: "
EXPECTED = {
    "plain": ("pass", ""),
    "stays_on_path": ("pass", ""),
    "in_hubconf": ("fail", "cannot be pickled: PicklingError"),
    "in_module": ("fail", f"{SPAWNED}ModuleNotFoundError: No module named 'mynet'"),
    "closure": ("fail", "cannot be pickled: "),
    "dies": ("fail", f"{SPAWNED}WorkerEnded: the worker process ended with 7"),
    "leaves_a_process": ("pass", ""),
    "leaves_one_there": ("pass", ""),
    "broken": ("skipped", "did not load"),
}


@needs_sandbox
def test_each_publisher_gets_its_verdict(prove: Prove) -> None:
    run = prove(NETS, files={"mynet/__init__.py": "", "mynet/layers.py": LAYERS})
    for name, (status, words) in EXPECTED.items():
        found, reason = run.axis(name, "pickles")
        assert (found, words in reason) == (status, True), (name, reason)
        assert run.axis(name)[0] == ("fail" if name == "broken" else "pass")
    severities = {item["severity"] for item in run.report["findings"] if item["axis"] == "pickles"}
    assert severities == {"note"}


@needs_sandbox
def test_what_is_too_large_to_be_tried_is_not_called_broken(prove: Prove) -> None:
    body = 'def net():\n    "x"\n    return torch.nn.Linear(2000, 2000)\n'
    run = prove(body, "--disk", "4MiB")
    assert run.axis("net") == ("pass", "")
    status, reason = run.axis("net", "pickles")
    assert status == "skipped", reason
    assert reason.startswith("it could not be tried: ")


def done(claims: dict[str, Any] | None, ended: str = "exit") -> Done:
    code = 0 if claims and claims["ok"] else 1
    facts = Facts(code if ended == "exit" else None, None, 0.1, 0.1, 1, ended)
    return Done(facts, claims, (), (), Path("/nowhere"), "/scratch/job2", "/tree/x")


ERROR = {"type": "E", "message": "m"}


@pytest.mark.parametrize(
    ("second", "status", "words"),
    [
        (None, "skipped", "deadline"),
        (done({"ok": True}), "pass", ""),
        (done({"ok": False, "reason": "pickled", "error": ERROR}), "fail", "pickled: E: m"),
        (done({"ok": False, "reason": "unpickled", "error": ERROR}), "fail", "process: E: m"),
        (done({"ok": False, "error": ERROR}), "skipped", "could not be tried: E: m"),
        (done(None, "memory"), "skipped", "stopped: memory"),
        (done({"ok": False, "reason": "pickled", "error": ERROR}, "memory"), "skipped", "memory"),
        (done(None), "skipped", "status 1"),
    ],
)
def test_the_verdict(second: Done | None, status: str, words: str) -> None:
    verdict = again.pickles(second)
    assert verdict.status == status
    assert words in (verdict.reason or "")
