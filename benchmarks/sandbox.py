"""What the sandbox costs: its start beside a bare Python, and forked jobs beside fresh ones.

    python benchmarks/sandbox.py [RUNS]

Prints the smallest of RUNS (5) times of each, and ratios within the same run; machines are noisy.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from hubpub.verify.limits import Limits
from hubpub.verify.sandbox import Sandbox, interpreter, prepare, tiers

ENTRYPOINTS = 20
HUBCONF = 'dependencies = ["torch"]\nimport torch\n\n\n' + "\n\n".join(
    f'def net{number}():\n    """A linear layer."""\n    return torch.nn.Linear(2, {number + 1})\n'
    for number in range(ENTRYPOINTS)
)
PLAIN = (
    "import torch.hub as hub\n"
    f"for number in range({ENTRYPOINTS}):\n    hub.load('.', f'net{{number}}', source='local')\n"
)


def smallest(runs: int, action: Callable[[], None]) -> float:
    """Seconds of the quickest of ``runs``."""
    found = []
    for _ in range(runs):
        begun = time.perf_counter()
        action()
        found.append(time.perf_counter() - begun)
    return min(found)


def run(*command: str, cwd: Path) -> None:
    """Run a program to its end; its failure ends the benchmark with its words."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")


def start(folder: Path, tier: object) -> None:
    """Start a sandbox, prove it, and end it."""
    own = Path(tempfile.mkdtemp(dir=folder))
    own.chmod(0o711)
    prepare(own)
    Sandbox(own, interpreter.current(), (), tier, only_proven=True).close()  # type: ignore[arg-type]


def main() -> None:
    """Measure and print."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o711)
        tree = folder / "net"
        tree.mkdir()
        (tree / "hubconf.py").write_text(HUBCONF)
        for command in (("init", "-q"), ("add", "."), ("commit", "-qm", "first")):
            run("git", "-c", "user.name=a", "-c", "user.email=a@example.org", *command, cwd=tree)
        tier = tiers.choose(tiers.Wanted(), interpreter.current(), Limits())
        bare = smallest(runs, lambda: run(sys.executable, "-I", "-c", "pass", cwd=tree))
        boxed = smallest(runs, lambda: start(folder, tier))
        print(f"start: python {bare:.3f} s, a proven sandbox {boxed:.3f} s, {boxed - bare:+.3f} s")
        floor = smallest(runs, lambda: run(sys.executable, "-c", PLAIN, cwd=tree))

        def verify(times: int, *options: str) -> float:
            report = folder / "report.json"
            command = (sys.executable, "-m", "hubpub", "verify", str(tree), "--device", "cpu")
            output = ("--output-format", f"json:{report}")
            taken = smallest(times, lambda: run(*command, *output, *options, cwd=folder))
            assert len(json.loads(report.read_text())["entrypoints"]) == ENTRYPOINTS
            return taken

        forked, two, fresh = verify(runs), verify(runs, "--jobs", "2"), verify(1, "--fresh")
        print(f"{ENTRYPOINTS} entrypoints, in one process without any sandbox: {floor:.2f} s")
        print(f"forked: {forked:.2f} s, {forked / floor:.2f} of that")
        print(f"forked, two at a time: {two:.2f} s, {two / floor:.2f} of that")
        print(f"in fresh interpreters: {fresh:.2f} s, {fresh / forked:.2f} of forked")


if __name__ == "__main__":
    os.environ.pop("GIT_DIR", None)
    main()
