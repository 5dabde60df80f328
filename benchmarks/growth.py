"""How reading grows: with the code that hubconf.py reaches, not with the repository.

    python benchmarks/growth.py

Makes two repositories whose hubconf.py reaches the same ten modules, one of eleven files and one of
5,000, reads both in turn, and prints the ratio of the medians, which .py files were opened in the
large one, and what 1,000 reached lines cost in time and memory.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from hubpub.source import repository
from hubpub.source.cache import Observed

REACHED, FILES, ROUNDS = 10, 5_000, 7
FUNCTION = '''

def layer_{0}(width=8, depth=2):
    """A layer."""
    items = [width * number for number in range(depth)]
    if depth > 3:
        return {{"width": width, "items": items}}
    return sum(items)
'''


def module(number: int, functions: int = 20) -> str:
    """A module of ``functions`` functions that imports the next one, up to the last reached."""
    head = f"from pk import reached_{number + 1}\n" if number + 1 < REACHED else "import math\n"
    return head + "".join(FUNCTION.format(index) for index in range(functions))


def make(root: Path, files: int, functions: int = 20) -> None:
    package = root / "pk"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    hubconf = 'dependencies = ["torch"]\nfrom pk import reached_0\n\n\ndef net():\n    """x"""\n'
    (root / "hubconf.py").write_text(hubconf + "    return reached_0.layer_0()\n")
    for number in range(REACHED):
        (package / f"reached_{number}.py").write_text(module(number, functions))
    for number in range(files - REACHED - 2):
        folder = package / f"part_{number % 50}"
        folder.mkdir(exist_ok=True)
        (folder / f"other_{number}.py").write_text(module(REACHED))


def read(root: Path) -> tuple[float, list[str]]:
    """Seconds, and the .py files that were opened."""
    files = Observed(root)
    start = time.perf_counter()
    repository.read(files)
    seconds = time.perf_counter() - start
    opened = [str(key[1][0]) for key in files.observations if key[0] == "data"]
    return seconds, [path for path in opened if path.endswith(".py")]


def peak(root: Path) -> int:
    """Peak resident bytes of a process that reads ``root`` and does nothing else."""
    # VmHWM and not ru_maxrss, which a child inherits from the process that started it.
    program = (
        "import sys; from pathlib import Path; from hubpub.source import read; "
        "read(Path(sys.argv[1])); status = Path('/proc/self/status').read_text(); "
        "print(status.split('VmHWM:')[1].split()[0])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(root)], capture_output=True, text=True, check=True
    )
    return int(done.stdout) << 10


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        roots = {
            "small": Path(folder, "small"),
            "large": Path(folder, "large"),
            "long": Path(folder, "long"),
        }
        make(roots["small"], REACHED + 2)
        make(roots["large"], FILES)
        make(roots["long"], REACHED + 2, functions=400)
        times: dict[str, list[float]] = {name: [] for name in roots}
        for _ in range(ROUNDS):
            for name, root in roots.items():
                times[name].append(read(root)[0])
        median = {name: statistics.median(values) for name, values in times.items()}
        lines = {
            name: sum(len(path.read_text().splitlines()) for path in root.glob("pk/reached_*.py"))
            for name, root in roots.items()
        }
        opened = read(roots["large"])[1]
        cost = (median["long"] - median["small"]) / (lines["long"] - lines["small"]) * 1e6
        memory = (peak(roots["long"]) - peak(roots["small"])) / (lines["long"] - lines["small"])
    print(f"{FILES} files, {len(opened)} of them opened: {sorted(opened)[:2]} ...")
    print(f"large {median['large'] * 1e3:.0f} ms, small {median['small'] * 1e3:.0f} ms")
    print(f"ratio {median['large'] / median['small']:.2f} for {FILES / (REACHED + 2):.0f} x files")
    print(
        f"per 1,000 reached lines: {cost:.1f} ms, {memory * 1000 / (1 << 20):.1f} MiB at the peak"
    )


if __name__ == "__main__":
    main()
