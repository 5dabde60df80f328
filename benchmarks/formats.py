"""What it costs to say a long report in each format.

    python benchmarks/formats.py [ENTRYPOINTS [ROUNDS]]

A report of ENTRYPOINTS (1000) entrypoints, of which each has a checkpoint and every tenth does not
load, on two devices. Each round renders every format once, in turn. The figures are the fastest
seconds, those of twice as many entrypoints as a ratio (2 is what grows with them), and the bytes.
"""

from __future__ import annotations

import sys
import time
from typing import Any

from hubpub.output import reports
from hubpub.verify.report import AXES, validate

PASSED = {"status": "pass", "reason": None}
BROKEN = {"status": "fail", "reason": "TypeError: missing 1 required positional argument"}
FACTS = {
    "exit": 0, "signal": None, "wall_s": 1.25, "cpu_s": 1.1, "peak_bytes": 213 << 20,
    "ended": "exit",
}  # fmt: skip


def entrypoint(number: int) -> dict[str, Any]:
    """One with two results."""
    loads = PASSED if number % 10 else BROKEN
    axes = dict.fromkeys(AXES, PASSED) | {"loads": loads}
    result = {"case": "default", "axes": axes, "facts": FACTS, "claims": {}, "checkpoints": []}
    results = [{**result, "device": device} for device in ("cpu", "cuda:0")]
    return {"name": f"net{number:05}", "results": results}


def finding(number: int) -> dict[str, Any]:
    """What a load that failed is told as."""
    name = f"net{number:05}"
    return {
        "code": "verify", "name": "loads", "severity": "error",
        "message": f"{name}: {BROKEN['reason']} {number}", "path": "hubconf.py", "line": number + 1,
        "column": 1, "end_line": number + 1, "end_column": 1, "help": "say what to call it with",
        "fix": None, "entrypoint": name, "axis": "loads",
    }  # fmt: skip


def checkpoint(number: int) -> dict[str, Any]:
    """A stamped download."""
    digest = f"{number:08x}" * 8
    name = f"net{number:05}-{digest[:8]}.pth"
    return {
        "filename": name, "sha256": digest, "size": 1 << 20,
        "stamp": {"prefix": digest[:8], "status": "match"}, "urls": [f"https://e.org/{name}"],
        "entrypoints": [f"net{number:05}"], "weights_only": PASSED, "unsafe_globals": [],
        "format": "zip", "path": None,
    }  # fmt: skip


def document(count: int) -> dict[str, Any]:
    """The report of ``count`` entrypoints."""
    made = {
        "version": 1, "status": "fail",
        "reference": {"owner": "octo", "repo": "net", "ref": "v1.0", "kind": "tag",
                      "requested": "v1.0", "url": "https://github.com/octo/net"},
        "commit": "0123456789abcdef0123456789abcdef01234567", "tree": None,
        "environment": {"hubpub": "0", "python": "3", "torch": "2", "platform": "", "devices": []},
        "sandbox": {"tier": "bwrap", "features": {}},
        "entrypoints": [entrypoint(number) for number in range(count)],
        "checkpoints": [checkpoint(number) for number in range(count)],
        "network": [], "findings": [finding(number) for number in range(0, count, 10)],
    }  # fmt: skip
    validate(made)
    return made


def fastest(name: str, report: dict[str, Any], rounds: int) -> tuple[float, int]:
    """Seconds of the fastest rendering, and its bytes."""
    taken, size = [], 0
    for _ in range(rounds):
        start = time.perf_counter()
        text = reports.render(name, report)
        taken.append(time.perf_counter() - start)
        size = len(text.encode())
    return min(taken), size


def main(words: list[str]) -> int:
    """Print a line for each format."""
    count = int(words[0]) if words else 1000
    rounds = int(words[1]) if len(words) > 1 else 3
    once, twice = document(count), document(2 * count)
    print(f"{count} entrypoints, 2 results each, fastest of {rounds}")
    print(f"{'format':18}{'seconds':>9}{'twice':>7}{'bytes':>12}")
    for name in reports.FORMATS:
        seconds, size = fastest(name, once, rounds)
        print(f"{name:18}{seconds:9.3f}{fastest(name, twice, rounds)[0] / seconds:7.1f}{size:12,}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
