"""The table of the hostile suite: what each row came to, as root and as an ordinary user.

    python benchmarks/hostile.py

An ordinary user who runs it gets the column of that user alone. Exits 1 where a row lost something.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OPTIONS = ("-q", "-n", str(os.cpu_count() or 1), "-p", "no:cacheprovider")


def outcomes(become: list[str], folder: Path) -> tuple[dict[str, str], float]:
    """Row -> what it came to, and the seconds of all of them."""
    file = folder / f"{'user' if become else 'self'}.xml"
    command = [sys.executable, "-m", "pytest", "tests/hostile", *OPTIONS, f"--junitxml={file}"]
    begun = time.perf_counter()
    done = subprocess.run(
        [*become, *command], check=False, cwd=ROOT, capture_output=True, text=True
    )
    seconds = time.perf_counter() - begun
    if not file.is_file():
        sys.exit(done.stdout + done.stderr)
    found = {}
    for case in ET.parse(file).iter("testcase"):
        test, _, row = str(case.get("name")).partition("[")
        if test == "test_nothing_is_lost":
            found[row.rstrip("]")] = outcome(case)
    return found, seconds


def outcome(case: ET.Element) -> str:
    """Of one test, as its row tells it."""
    if case.find("skipped") is not None:
        return f"not run: {case.find('skipped').get('message')}"  # type: ignore[union-attr]
    if case.find("failure") is not None or case.find("error") is not None:
        return "LOST"
    return str(case.findall("properties/property[@name='outcome']")[0].get("value"))


def main() -> int:
    """Run the suite for each user, and print the table."""
    columns: dict[str, dict[str, str]] = {}
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        folder.chmod(0o777)
        users = [("root", []), ("user", [str(ROOT / ".ci/as-user"), ".venv"])]
        for user, become in users if os.geteuid() == 0 else [("user", [])]:
            columns[user], seconds = outcomes(become, folder)
            print(f"{user}: {len(columns[user])} rows in {seconds:.0f} s\n")
    rows = next(iter(columns.values()))
    print("| row | " + " | ".join(columns) + " |\n|" + " --- |" * (len(columns) + 1))
    for row in sorted(rows, key=lambda name: int(name.split()[0])):
        print(f"| {row} | " + " | ".join(column[row] for column in columns.values()) + " |")
    return int(any("LOST" in column.values() for column in columns.values()))


if __name__ == "__main__":
    sys.exit(main())
