"""What `hubpub stamp` costs beside `sha256sum` of the same file, as a ratio.

    python benchmarks/stamp.py [MIB [ROUNDS]]

A file of MIB MiB (1024) of random bytes is made; each round runs every command once, in turn, so
that whatever else the machine does hits them alike. Most read from the page cache: what is measured
is hashing and what `hubpub` adds to it. `hashlib` is the floor: the same digest in a bare Python.
Those from the disk read a file that was put out of the page cache before, beside `cat` of the same.
The figures are medians, with the ratio of the fastest runs in brackets. Stamping one byte shows
what starting costs.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HASH = """
import hashlib, sys
with open(sys.argv[1], "rb", buffering=0) as file:
    digest, piece = hashlib.sha256(), memoryview(bytearray(1 << 20))
    while count := file.readinto(piece):
        digest.update(piece[:count])
print(digest.hexdigest())
"""
STAMP = "hubpub stamp"
COPY = "hubpub stamp --copy"
START = "hubpub stamp, 1 byte"
FLOOR = "sha256sum"
COLD = "hubpub stamp, from the disk"
CAT = "cat, from the disk"
PYTHON = "hashlib"


def seconds(command: list[str], folder: Path) -> float:
    """The wall time of one run; a run that fails ends the benchmark with its words."""
    start = time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    taken = time.perf_counter() - start
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return taken


def evict(path: Path) -> None:
    """Put a file out of the page cache."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def restore(folder: Path) -> None:
    """Give the files their first names back, and remove what was copied."""
    for path in folder.glob("*-*.pth"):
        name = f"{path.name.split('-')[0]}.pth"
        if (folder / name).exists():
            path.unlink()
        else:
            path.rename(folder / name)


def measure(folder: Path, rounds: int) -> dict[str, list[float]]:
    """Run every command once unmeasured, then ``rounds`` times in turn."""
    hubpub = [sys.executable, "-m", "hubpub", "stamp"]
    commands = {
        STAMP: [*hubpub, "large.pth"],
        COPY: [*hubpub, "--copy", "large.pth"],
        START: [*hubpub, "small.pth"],
        FLOOR: ["sha256sum", "large.pth"],
        PYTHON: [sys.executable, "-c", HASH, "large.pth"],
        COLD: [*hubpub, "large.pth"],
        CAT: ["sh", "-c", "cat large.pth > /dev/null"],
    }
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for number in range(rounds + 1):
        for name, command in commands.items():
            if name in {COLD, CAT}:
                evict(folder / "large.pth")
            elapsed = seconds(command, folder)
            restore(folder)
            if number:
                taken[name].append(elapsed)
    return taken


def main() -> None:
    """Make the file, measure, print."""
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 1024
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with (folder / "large.pth").open("wb") as file:
            for _ in range(size):
                file.write(os.urandom(1 << 20))
        (folder / "small.pth").write_bytes(b"x")
        taken = measure(folder, rounds)
    for one, other in ((STAMP, FLOOR), (COPY, FLOOR), (PYTHON, FLOOR), (COLD, CAT)):
        ratio = statistics.median(taken[one]) / statistics.median(taken[other])
        fastest = min(taken[one]) / min(taken[other])
        print(
            f"{one}: {statistics.median(taken[one]):.2f} s; {other}: "
            f"{statistics.median(taken[other]):.2f} s; ratio {ratio:.2f} ({fastest:.2f})"
        )
    print(f"{START}: {statistics.median(taken[START]):.2f} s")
    print(f"{size} MiB; medians of {rounds} interleaved rounds; in brackets the fastest runs")


if __name__ == "__main__":
    main()
