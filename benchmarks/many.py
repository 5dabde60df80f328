"""What many publishers cost, as ratios: one process against all of them, and against a bare start.

    python benchmarks/many.py [PUBLISHERS [ROUNDS]]

`hubpub check` of a folder of small publishers (500 without arguments), nothing cached, with one
process and with one for each CPU, in turn; and as many times one `python -c pass`, the least that a
run for each of them would cost. Medians of the rounds.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HUBCONF = '''"""Publisher {number}."""

dependencies = ["torch"]

from net_{number}.network import build as _build


def net(pretrained=False):
    """A net. ``pretrained`` loads its checkpoint."""
    import torch

    model = _build()
    if pretrained:
        state = torch.hub.load_state_dict_from_url(
            "https://example.org/net_{number}-0a1b2c3d.pth",
            map_location="cpu", check_hash=True, weights_only=True,
        )
        model.load_state_dict(state)
    return model
'''
NETWORK = "import numpy\n\n\ndef build():\n    from torch import nn\n    return nn.Linear(2, 1)\n"
README = '# net\n\n    torch.hub.load("octo/net_{number}:v1.0", "net", trust_repo=True)\n'


def publish(folder: Path, count: int) -> None:
    """Write ``count`` publishers that differ by name."""
    for number in range(count):
        root = folder / f"publisher_{number:04}"
        package = root / f"net_{number}"
        package.mkdir(parents=True)
        (root / "hubconf.py").write_text(HUBCONF.format(number=number))
        (root / "README.md").write_text(README.format(number=number))
        (package / "__init__.py").write_text("")
        (package / "network.py").write_text(NETWORK)


def seconds(command: list[str], status: int) -> float:
    """The wall time of one run, which must end with ``status``."""
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    taken = time.perf_counter() - start
    if done.returncode != status:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr}")
    return taken


def main() -> None:
    """Publish, measure, print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    cpus = len(os.sched_getaffinity(0))
    check = [sys.executable, "-m", "hubpub", "check", "--no-cache", "--jobs"]
    with tempfile.TemporaryDirectory() as name:
        publish(Path(name), count)
        taken: dict[str, list[float]] = {"one": [], "all": [], "start": []}
        for _ in range(rounds):
            taken["one"].append(seconds([*check, "1", name], 1))
            taken["all"].append(seconds([*check, str(cpus), name], 1))
            starts = [seconds([sys.executable, "-c", "pass"], 0) for _ in range(20)]
            taken["start"].append(statistics.median(starts))
    one, many, start = (statistics.median(taken[name]) for name in ("one", "all", "start"))
    print(f"{count} publishers, 1 process: {one:.2f} s ({one / count * 1000:.1f} ms each)")
    print(f"{count} publishers, {cpus} processes: {many:.2f} s; ratio {many / one:.2f}")
    floor = start * count
    print(f"{count} x python -c pass: {floor:.2f} s; ratio {one / floor:.2f}, {many / floor:.2f}")
    print(f"medians of {rounds} rounds in turn")


if __name__ == "__main__":
    main()
