"""Files that a job leaves so that the parent, which nobody watches, reads them for hours."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bench import Bench, bench

from hubpub.verify import axes, checkpoints, jobs
from hubpub.verify.checkpoints import Ledger
from hubpub.verify.egress import Request
from hubpub.verify.harvest import LeftFile, left_files
from hubpub.verify.jobs import Done
from hubpub.verify.report import Facts
from proving import Prove

MIB = 1 << 20
FACTS = Facts(0, None, 1.0, 1.0, 1, "exit")


class Steps:
    """Counts how often it is asked: once for each file, once for each MiB."""

    def __init__(self, most: int = 1 << 30) -> None:
        self.count, self.most = 0, most

    def __call__(self) -> str | None:
        self.count += 1
        return None if self.count <= self.most else "is late"


def test_ten_thousand_names_of_one_file_are_read_once(tmp_path: Path) -> None:
    """The links of huggingface_hub's cache cost a job nothing: 78 hours for one of 16 GiB."""
    model = tmp_path / "home/.cache/huggingface/hub/models--octo--net"
    (model / "snapshots/c").mkdir(parents=True)
    (model / "blobs").mkdir()
    (model / "blobs" / ("a" * 64)).write_bytes(bytes(8 * MIB))
    for number in range(900):
        (model / f"snapshots/c/{number}.pt").symlink_to("../../blobs/" + "a" * 64)
    steps = Steps()
    found = left_files(tmp_path, 1 << 30, steps)
    assert {file.sha256 for file in found} == {hashlib.sha256(bytes(8 * MIB)).hexdigest()}
    assert (len({file.path for file in found}), steps.count) == (900, 9)


def test_room_that_a_job_never_wrote_to_is_not_read_beyond_its_limit(tmp_path: Path) -> None:
    """Room is had at once, and terabytes of it before the supervisor looks again."""
    for number in range(50):
        with (tmp_path / f"{number:02}.pt").open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, 3 * MIB)
    steps = Steps()
    found = left_files(tmp_path, 8 * MIB, steps)
    assert [bool(file.sha256) for file in found] == [True, True, *[False] * 48]
    reason = "is larger than the disk limit, together with the files before it"
    assert {file.reason for file in found[2:]} == {reason}
    assert steps.count == 8


def test_what_ends_the_reading_is_said_of_the_rest(tmp_path: Path) -> None:
    for name in ("a.pt", "b.pt", "c.pt"):
        (tmp_path / name).write_bytes(bytes(4 * MIB))
    found = left_files(tmp_path, 1 << 30, Steps(7))
    assert [(file.sha256 is None, file.reason) for file in found] == [
        (False, None), (True, "is late"), (True, "is late"),
    ]  # fmt: skip


def test_a_job_leaves_no_more_checkpoints_than_a_report_can_hold(tmp_path: Path) -> None:
    for number in range(1500):
        (tmp_path / f"{number:04}.pt").write_bytes(b"%d" % number)
    found = left_files(tmp_path, 1 << 30)
    assert len(found) == 1001
    assert found[-1] == LeftFile(
        "1000.pt", 0, None, "is one of more than 1000 checkpoints of one job"
    )


def _left(folder: Path, count: int, **fields: Any) -> Done:
    folder.mkdir()
    files = []
    for number in range(count):
        data = fields.get("data", b"%d" % number)
        (folder / f"{number:04}.pt").write_bytes(data)
        files.append(LeftFile(f"{number:04}.pt", 1, hashlib.sha256(data).hexdigest()))
    requests = fields.get("requests", ())
    return Done(FACTS, {"ok": True}, requests, tuple(files), folder, "/scratch/job1", "/tree")


def _pass(path: str) -> dict[str, str]:
    return {"weights_only": "pass"}


def test_ten_thousand_urls_of_a_thousand_files_are_entered_at_once(tmp_path: Path) -> None:
    """Each URL was compared with each of them, for each file: six hours for 20 000 files."""
    sha256 = hashlib.sha256(b"w").hexdigest()
    log = tuple(
        Request("job1", "GET", f"https://x/{'a' * 700}/{i}", "allowed", status=200, sha256=sha256)
        for i in range(10_000)
    )
    begun = time.monotonic()
    done = _left(tmp_path / "job1", 1000, data=b"w", requests=log)
    ledger = Ledger(frozenset())
    ledger.enter("net", done, tmp_path, _pass)
    assert [len(item.urls) for item in ledger.all()] == [10_000]
    assert time.monotonic() - begun < 60


def test_a_run_keeps_no_more_checkpoints_than_a_report_can_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "_MOST", 5)
    ledger = Ledger(frozenset())
    first = ledger.enter("a", _left(tmp_path / "job1", 3), tmp_path, _pass)
    second = ledger.enter("b", _left(tmp_path / "job2", 9), tmp_path, _pass)
    assert [len(found.checkpoints) for found in (first, second)] == [3, 5]
    assert [file.path for file in second.refused] == [f"{i:04}.pt" for i in (5, 6, 7, 8)]
    assert len(ledger.all()) == 5


def test_a_checkpoint_names_no_more_code_than_can_be_read(tmp_path: Path) -> None:
    names = [f"{number:03}.{'x' * 3000}" for number in range(900)]

    def inspect(path: str) -> dict[str, Any]:
        return {"weights_only": "fail", "reason": "y" * 3000, "globals": names}

    legacy = b"\x80\x02\x8a\n" + (0x1950A86A20F9469CFC6C).to_bytes(10, "little") + b"."
    done = _left(tmp_path / "job1", 1, data=legacy)
    (found,) = Ledger(frozenset()).enter("net", done, tmp_path, inspect).checkpoints
    assert found.weights_only.status == "fail"
    assert (len(found.unsafe_globals), found.unsafe_globals[-1]) == (51, "and 850 more")
    assert len(str(found)) < 10_000


def test_a_reason_names_a_few_files_of_a_thousand(tmp_path: Path) -> None:
    found = Ledger(frozenset()).enter("net", _left(tmp_path / "job1", 900), tmp_path, _pass)
    evidence = axes.Evidence(
        "net", {}, frozenset(), False, False, FACTS, {"ok": True}, (), found.checkpoints, (), ()
    )
    reason = str(axes.judge(evidence)["weights"].axis.reason)
    assert reason.startswith("no stamp to compare with: 0000.pt (absent), ")
    assert reason.endswith(", and 880 more")


def test_a_report_names_a_content_alike_whichever_lane_comes_first(tmp_path: Path) -> None:
    sha256 = hashlib.sha256(b"w").hexdigest()
    dones = []
    for entrypoint, name in zip("abcde", ["z", "y", "x-00000000", "w-11111111", "v"], strict=True):
        folder = tmp_path / entrypoint
        folder.mkdir()
        (folder / f"{name}.pth").write_bytes(b"w")
        log = tuple(
            Request("job", "GET", f"https://x/{url}", "allowed", status=200, sha256=sha256)
            for url in (f"{name}.pth", "all", f"{entrypoint}")
        )
        files = (LeftFile(f"{name}.pth", 1, sha256),)
        done = Done(FACTS, {"ok": True}, log, files, folder, "/scratch/job1", "/tree")
        dones.append((entrypoint, done))
    found = []
    for order in (dones, dones[::-1], dones[2:] + dones[:2], dones[1::2] + dones[::2]):
        ledger = Ledger(frozenset())
        for entrypoint, done in order:
            ledger.enter(entrypoint, done, tmp_path, _pass)
        found.append(ledger.all())
    assert [item.filename for item in found[0]] == ["w-11111111.pth"]
    assert found == [found[0]] * 4


def test_a_checkpoint_that_holds_up_its_lane_holds_up_no_other(tmp_path: Path) -> None:
    """The whole run waited for what one lane read, until its time was over."""
    ledger, begun, go_on = Ledger(frozenset()), threading.Event(), threading.Event()
    slow = b"\x80\x02\x8a\n" + (0x1950A86A20F9469CFC6C).to_bytes(10, "little") + b"."

    def hangs(path: str) -> dict[str, str]:
        begun.set()
        assert go_on.wait(60)
        return {"weights_only": "fail", "reason": "slow"}

    guilty, innocent = _left(tmp_path / "job1", 1, data=slow), _left(tmp_path / "job2", 1)
    lane = threading.Thread(target=ledger.enter, args=("a", guilty, tmp_path, hangs))
    lane.start()
    assert begun.wait(60)
    other = threading.Thread(target=ledger.enter, args=("b", innocent, tmp_path, _pass))
    other.start()
    other.join(30)
    waited = other.is_alive()
    go_on.set()
    lane.join()
    other.join()
    assert not waited
    assert [item.entrypoints for item in ledger.all()] == [("a",), ("b",)]


@pytest.mark.sandbox
def test_a_page_that_the_tree_holds_as_a_checkpoint_is_told(prove: Prove) -> None:
    """The report was none of its own schema: a defect, and nothing was reported."""
    text = (
        'def net():\n    "x"\n    open(os.path.dirname(__file__) + "/m.pth").read()\n    return 1\n'
    )
    proof = prove(text, files={"m.pth": "<!DOCTYPE html>"})
    assert proof.axis("net") == ("fail", "m.pth is an HTML page, not a checkpoint")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with bench(tmp_path_factory.mktemp("left")) as made:
        yield made


@pytest.mark.sandbox
def test_what_a_job_left_is_not_read_beyond_the_runs_deadline(
    run: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "_READ_S", 0.0)
    monkeypatch.setattr(run.jobs, "_deadline", time.monotonic() + 1.5)
    done = run("""
path = os.path.join(torch.hub.get_dir(), "checkpoints")
os.makedirs(path)
with open(path + "/m.pth", "wb") as file:
    os.posix_fallocate(file.fileno(), 0, 6 << 30)
return 1
""")
    assert [file.reason for file in done.files] == [
        "is not read to its end: the run's deadline has passed"
    ]
