"""Control groups, on directories shaped like the kernel's: detection and what is written.

No machine of ours has a version 2 whose memory controller could be used, so no kernel has judged
this yet (docs/verify.md says so).
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hubpub.verify.limits import GIB, MIB, Limits
from hubpub.verify.sandbox import cgroup

ordinary = pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")


class Tree:
    """``/proc/self`` and a mounted hierarchy, of ordinary files."""

    def __init__(self, folder: Path, own: str, *, kind: str = "cgroup2", root: str = "/") -> None:
        self.proc, self.root = folder / "proc", folder / "cgroup fs"
        self.proc.mkdir()
        mount = str(self.root).replace(" ", "\\040")
        (self.proc / "cgroup").write_text(f"4:memory:/x\n0::{own}\n")
        (self.proc / "mountinfo").write_text(
            "24 1 8:1 / / rw - ext4 /dev/sda rw\n"
            f"30 24 0:26 {root} {mount} rw,nosuid shared:4 - {kind} none rw\n"
        )
        self.group("", "")

    def group(self, name: str, handed_on: str) -> Path:
        path = self.root / name
        path.mkdir(parents=True, exist_ok=True)
        (path / "cgroup.subtree_control").write_text(handed_on + "\n")
        (path / "cgroup.procs").write_text("")
        return path


def test_the_nearest_group_that_hands_both_on_is_taken(tmp_path: Path) -> None:
    tree = Tree(tmp_path, "/user.slice/app.slice/shell.scope")
    tree.group("user.slice", "cpu memory pids")
    wanted = tree.group("user.slice/app.slice", "memory pids")
    tree.group("user.slice/app.slice/shell.scope", "")
    assert cgroup.parent(tree.proc) == wanted
    (wanted / "cgroup.subtree_control").write_text("memory\n")
    assert cgroup.parent(tree.proc) == tree.root / "user.slice"


@pytest.mark.parametrize(
    ("own", "options"),
    [
        ("/a", {"kind": "cgroup"}),  # version 1
        ("/a", {"root": "/elsewhere"}),  # a part of the hierarchy, bound
        ("/a/../b", {}),  # a group outside of this namespace
    ],
)
def test_what_is_no_usable_hierarchy_is_not_taken(
    tmp_path: Path, own: str, options: dict[str, str]
) -> None:
    tree = Tree(tmp_path, own, **options)
    tree.group("a", "memory pids")
    tree.group("b", "memory pids")
    assert cgroup.parent(tree.proc) is None


def test_a_machine_without_any_is_no_error(tmp_path: Path) -> None:
    assert cgroup.parent(tmp_path) is None
    assert cgroup.around(os.getpid(), Limits(), None) is None


@ordinary
@pytest.mark.sandbox  # so that it runs in the gate of the ordinary user
def test_a_group_that_is_not_ours_is_not_taken(tmp_path: Path) -> None:
    tree = Tree(tmp_path, "/a")
    path = tree.group("a", "memory pids")
    (path / "cgroup.procs").chmod(0o444)
    assert cgroup.parent(tree.proc) is None


def test_limits_are_written(tmp_path: Path) -> None:
    for name in ("memory.max", "memory.swap.max", "pids.max", "cgroup.procs"):
        (tmp_path / name).write_text("")
    group = cgroup.Group(tmp_path)
    group.bound(Limits(memory_bytes=2 * GIB, processes=100))
    group.join(4321)
    written = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert written == {
        "memory.max": str(2 * GIB + 1024 * MIB),
        "memory.swap.max": "0",
        "pids.max": "236",
        "cgroup.procs": "4321",
    }


def test_kills_are_read(tmp_path: Path) -> None:
    group = cgroup.Group(tmp_path)
    assert group.kills() == 0
    (tmp_path / "memory.events").write_text("low 0\nhigh 1\noom 3\noom_kill 2\noom_group_kill 0\n")
    assert group.kills() == 2


def test_a_kernel_that_refuses_leaves_no_group_behind(tmp_path: Path) -> None:
    """A plain directory has no memory.max, as a group without the controller has none."""
    assert cgroup.around(os.getpid(), Limits(), tmp_path) is None
    assert list(tmp_path.iterdir()) == []
