"""What hubpub costs beside what it cannot do without, as ratios.

    python benchmarks/startup.py [ROUNDS]

`hubpub check` of the example, the first time and again with its cache of facts, against importing
libcst and click; `hubpub verify` of its three entrypoints against importing torch. Each round runs
all commands once, in turn, so that whatever else the machine does hits them alike; the figures are
medians, with the ratio of the fastest runs in brackets.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "examples"))

import demo  # noqa: E402  (the example is published as `make demo` publishes it)

HUBPUB = [sys.executable, "-m", "hubpub"]


FIRST = "hubpub check, first"
AGAIN = "hubpub check, again"
VERIFY = "hubpub verify"
LIBCST = "import libcst, click"
TORCH = "import torch"


def seconds(command: list[str], environment: dict[str, str]) -> float:
    """The wall time of one run; a run that fails ends the benchmark with its words."""
    start = time.perf_counter()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    taken = time.perf_counter() - start
    if done.returncode != 0:
        shown = f"{done.stdout}{done.stderr}"
        sys.exit(f"{' '.join(command)} failed with exit code {done.returncode}:\n{shown}")
    return taken


def measure(commands: dict[str, list[str]], rounds: int, folder: Path) -> dict[str, list[float]]:
    """Run every command once unmeasured, then ``rounds`` times in turn."""
    cache = folder / "cache"
    environment = os.environ | {
        "HUBPUB_GITHUB_URL": folder.as_uri(),
        "HUBPUB_CACHE_DIR": str(cache),
    }
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for number in range(rounds + 1):
        for name, command in commands.items():
            if name == FIRST:
                shutil.rmtree(cache, ignore_errors=True)
            elapsed = seconds(command, environment)
            if number:
                taken[name].append(elapsed)
    return taken


def report(taken: dict[str, list[float]], name: str, floor: str) -> None:
    """One line: both times and their ratio."""
    one, other = taken[name], taken[floor]
    ratio = statistics.median(one) / statistics.median(other)
    fastest = min(one) / min(other)
    print(
        f"{name}: {statistics.median(one):.3f} s; {floor}: {statistics.median(other):.3f} s; "
        f"ratio {ratio:.2f} ({fastest:.2f})"
    )


def main() -> None:
    """Publish the example, measure, print."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    with tempfile.TemporaryDirectory() as name, demo.released() as address:
        folder = Path(name)
        tiny = folder / "demo" / "tiny"
        demo.publish(tiny, f"http://{address}")
        verify = [*HUBPUB, "verify", "demo/tiny:v1.0", "--allow-host", address]
        commands = {
            FIRST: [*HUBPUB, "check", str(tiny)],
            AGAIN: [*HUBPUB, "check", str(tiny)],
            LIBCST: [sys.executable, "-c", LIBCST],
            VERIFY: verify,
            TORCH: [sys.executable, "-c", TORCH],
        }
        taken = measure(commands, rounds, folder)
    report(taken, FIRST, LIBCST)
    report(taken, AGAIN, LIBCST)
    report(taken, VERIFY, TORCH)
    print(f"medians of {rounds} interleaved rounds; in brackets the ratio of the fastest runs")


if __name__ == "__main__":
    main()
