"""A repository of many entrypoints, made in a loop as chenyaofo's are: one run, bounded memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from conftest import MakeRepository
from publishing import Mirror, clean_environment

pytestmark = pytest.mark.proof

CROWD = '''
dependencies = ["torch"]
import functools

import torch


def _net(width):
    """A linear layer."""
    return torch.nn.Linear(1, width)


for _dataset in ("cifar10", "cifar100"):
    for _width in range({half}):
        _name = f"{{_dataset}}_net{{_width}}"
        globals()[_name] = functools.partial(_net, _width + 1)
        globals()[_name].__doc__ = "A linear layer."
'''
MEASURED = """
import re, sys
from hubpub.cli import run
code = run(sys.argv[1:])
peak = re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())
print("PEAK", peak[1], file=sys.stderr)
sys.exit(code)
"""


def verify(mirror: Mirror, folder: Path, name: str) -> tuple[dict[str, Any], int]:
    """The report of a run, and the most memory of hubpub's own process (KiB)."""
    file = folder / f"{name}.json"
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, "verify", f"octo/{name}:v1.0", "--device", "cpu",
         "--output-format", f"json:{file}"],
        env=clean_environment(mirror.home) | {"HUBPUB_GITHUB_URL": mirror.url},
        cwd=folder, capture_output=True, text=True, timeout=500,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(file.read_text()), int(done.stderr.split("PEAK ")[1].split()[0])


def test_two_hundred_entrypoints_cost_the_parent_what_twenty_do(
    mirror: Mirror, repository: MakeRepository, tmp_path: Path
) -> None:
    pytest.importorskip("torch", reason="the verify extra is not installed")
    peaks = {}
    for count in (20, 200):
        name = f"net{count}"
        repository(
            {"hubconf.py": CROWD.format(half=count // 2), "LICENSE": "BSD"}, name=f"octo/{name}"
        )
        report, peaks[count] = verify(mirror, tmp_path, name)
        names = [item["name"] for item in report["entrypoints"]]
        assert len(names) == count
        assert names == sorted(names) == report["selection"]["listed"]
        assert all(
            result["axes"]["loads"]["status"] == "pass"
            for item in report["entrypoints"]
            for result in item["results"]
        )
    assert peaks[200] < peaks[20] + (16 << 10), peaks
