"""Many repositories at once: the same answers, in order, whatever happens to one of them."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from hubpub.check import crowd
from hubpub.check.work import AROUND, LONG, Work, attempt, run, seen_from_here
from hubpub.config import Settings
from publishing import write_files

NET = 'dependencies = ["torch"]\n\n\ndef net():\n    return object()\n'


class Deadly(Work):
    """Work that ends, or hangs, as the name of the repository says."""

    def settings(self, root: Path) -> Settings:
        match root.name:
            case "killed":
                os.kill(os.getpid(), signal.SIGKILL)
            case "exits":
                os._exit(7)
            case "hangs":
                time.sleep(60)
            case "memory":
                raise MemoryError
            case "recursion":
                return self.settings(root)
            case "slow":
                time.sleep(0.5)
        return super().settings(root)


@pytest.fixture
def roots(tmp_path: Path) -> list[Path]:
    names = ["slow", "b", "killed", "c", "hangs", "exits", "broken", "memory", "recursion", "d"]
    for name in names:
        write_files(tmp_path, {f"{name}/hubconf.py": NET.replace("net", f"net_{name}")})
    write_files(tmp_path, {"broken/hubpub.toml": "selct = []\n"})
    return [tmp_path / name for name in names]


@pytest.mark.parametrize("jobs", [1, 4])
def test_one_that_dies_hides_no_other(roots: list[Path], jobs: int) -> None:
    work = Deadly(select=("HUB201",), cached=False)
    start = time.monotonic()
    outcomes = crowd.run_all(work, roots, jobs=jobs, limit_s=3)
    assert time.monotonic() - start < 40
    assert [Path(outcome.root).name for outcome in outcomes] == [root.name for root in roots]
    found = {Path(outcome.root).name: outcome for outcome in outcomes}
    for name in ("slow", "b", "c", "d"):
        (item,) = found[name].diagnostics
        assert item.message == f"the entrypoint net_{name} has no docstring"
        assert found[name].failed
    assert "signal 9" in (found["killed"].defect or "")
    assert "status 7" in (found["exits"].defect or "")
    assert "more than 3 seconds" in (found["hangs"].defect or "")
    assert "MemoryError" in (found["memory"].defect or "")
    assert "RecursionError" in (found["recursion"].defect or "")
    error = found["broken"].error
    assert error is not None
    assert error[0].startswith("hubpub.toml: top level: unknown key 'selct'")


def test_no_process_is_left(roots: list[Path]) -> None:
    import multiprocessing

    crowd.run_all(Work(cached=False), roots, jobs=3)
    assert multiprocessing.active_children() == []


def test_an_outcome_in_another_process_is_the_same(tmp_path: Path) -> None:
    write_files(tmp_path, {"hubconf.py": NET, "README.md": "torch.hub.load('a/b', 'net')\n"})
    (outcome,) = crowd.run_all(Work(cached=False), [tmp_path], jobs=1)
    assert outcome == attempt(Work(cached=False), tmp_path)


def test_only_lines_near_findings_travel(tmp_path: Path) -> None:
    filler = "# filler\n" * 1000
    long = "def net(\n" + "    # a parameter\n" * 500 + "    a=1,\n):\n    return a\n"
    write_files(tmp_path, {"hubconf.py": f"{filler}{long}{filler}import pathlib\n{filler}"})
    outcome = run(Work(select=("HUB201", "HUB203"), cached=False), tmp_path)
    numbers = {number for _, number in outcome.lines}
    for item in outcome.diagnostics:
        assert {item.span.line - 1, item.span.line, item.span.line + 1} <= numbers
    most = 2 * LONG + 2 * AROUND + 1
    assert len(numbers) <= most * len(outcome.diagnostics)


def test_the_way_to_a_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert seen_from_here(Path()) == ""
    assert seen_from_here(tmp_path) == ""
    assert seen_from_here(Path("a/b")) == "a/b"
    assert seen_from_here(tmp_path / "a" / "..b") == "a/..b"
    assert seen_from_here(Path("..")) == tmp_path.parent.as_posix()
    assert seen_from_here(Path("a/../..x")) == "..x"
