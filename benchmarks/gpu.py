"""What a GPU costs a run, and that it is given back: figures for a machine that has one.

    python benchmarks/gpu.py [DEVICE]

One publisher of two entrypoints, verified on the CPU alone, and on the CPU and DEVICE (cuda).
Prints the seconds of the runs and their ratio, what the GPU is, and for each result on it the
seconds of its job, the most memory on the device, what the model left of it, and what the driver
says was not given back.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROUNDS = 3
HUBCONF = '''dependencies = ["torch"]
import torch


def small():
    """A thousand weights."""
    return torch.nn.Linear(32, 32)


def large():
    """A gigabyte of weights."""
    return torch.nn.Sequential(*(torch.nn.Linear(8192, 8192) for _ in range(4)))
'''
ONCE = [
    word for axis in ("coexists", "offline", "reproducible", "pickles") for word in ("--skip", axis)
]


def main(device: str) -> int:
    """Measure and print; 1 where a run did not pass."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder, "publisher")
        tree.mkdir()
        (tree / "hubconf.py").write_text(HUBCONF, encoding="utf-8")
        subprocess.run(["git", "init", "--quiet", tree], check=True)
        took: dict[str, list[float]] = {"cpu": [], f"cpu,{device}": []}
        for _ in range(ROUNDS):
            for devices, seconds in took.items():
                started = time.monotonic()
                report = verified(tree, devices)
                seconds.append(time.monotonic() - started)
                if report is None:
                    return 1
    medians = [statistics.median(seconds) for seconds in took.values()]
    print(f"cpu alone {medians[0]:.1f} s, with {device} {medians[1]:.1f} s, ", end="")
    print(f"ratio {medians[1] / medians[0]:.2f} (median of {ROUNDS})")
    assert report is not None
    for gpu in report["environment"]["accelerators"]:
        print(json.dumps(gpu))
    for entry in report["entrypoints"]:
        for result in entry["results"]:
            if result["device"] != "cpu":
                told(entry["name"], result)
    return 0


def told(name: str, result: dict[str, Any]) -> None:
    """One line of figures."""
    facts, claims, axis = result["facts"] or {}, result["claims"], result["axes"]["device"]
    print(
        f"{name} on {result['device']}: {axis['status']} {axis['reason'] or ''}, "
        f"{facts.get('wall_s')} s, peak {claims.get('device_peak_bytes')} bytes, "
        f"left by the model {claims.get('device_left_bytes')}, "
        f"not given back {facts.get('gpu_left_bytes')}"
    )


def verified(tree: Path, devices: str) -> dict[str, Any] | None:
    """The report of one run; None, and why, where nothing was proven."""
    file = tree.parent / "report.json"
    command = [sys.executable, "-m", "hubpub", "verify", str(tree), "--working-tree"]
    command += ["--device", devices, "--output-format", f"json:{file}", *ONCE]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        print(done.stdout + done.stderr, file=sys.stderr)
        return None
    report: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return report


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2] or ["cuda"]))
