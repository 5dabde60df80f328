"""Sessions of the real pytest, each a process of its own, and what their JUnit files say."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from publishing import AROUND, Files, clean_environment

CLEAN: Files = {
    **AROUND,
    "hubconf.py": (
        'dependencies = ["torch"]\nimport torch as _torch\n\n\n'
        'def net():\n    """A net."""\n    return _torch.nn.Linear(1, 2)\n'
    ),
    "README.md": 'model = torch.hub.load("octo/net:v1.0", "net", trust_repo=True)\n',
    "tests/test_mine.py": "def test_mine():\n    pass\n",
}
"""A repository of which there is nothing to say, with one test of its own."""


@dataclass(frozen=True)
class Session:
    """One session: exit code, all that was printed, and the outcome of each test by its id.

    ``failures`` has what each test that did not pass said, ``properties`` what was recorded of it,
    and ``errors`` what pytest said on stderr.
    """

    code: int
    text: str
    errors: str
    outcomes: Mapping[str, str] = field(default_factory=dict)
    said: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def counts(self) -> dict[str, int]:
        """How many tests came to which outcome."""
        return dict(Counter(self.outcomes.values()))

    def of(self, outcome: str) -> set[str]:
        """The tests that came to it, by the last part of their ids."""
        return {name.rpartition("::")[2] for name, found in self.outcomes.items()
                if found == outcome}  # fmt: skip


def environment(home: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """A clean one, in which temporary files stay below ``home``."""
    temporary = home / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    return clean_environment(home) | {"TMPDIR": str(temporary), **(extra or {})}


def command(*arguments: str | Path) -> list[str]:
    """How pytest is started. The entry point is what an install writes: ``pip install -e .``."""
    points = importlib.metadata.entry_points(group="pytest11")
    assert "hubpub" in {point.name for point in points}, "install hubpub anew: pip install -e ."
    # What the session does not use costs it a third of its time.
    unused = ("no:hypothesispytest", *([] if "-n" in arguments else ["no:xdist"]))
    flags = [word for name in unused for word in ("-p", name)]
    return [sys.executable, "-m", "pytest", *flags, *map(str, arguments)]


def session(
    folder: Path,
    *arguments: str | Path,
    home: Path,
    extra: Mapping[str, str] | None = None,
) -> Session:
    """Run pytest in ``folder``."""
    junit = home / "junit.xml"
    junit.unlink(missing_ok=True)
    done = subprocess.run(
        command(f"--junitxml={junit}", *arguments),
        cwd=folder,
        env=environment(home, extra),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
    )
    assert "INTERNALERROR" not in done.stdout, done.stdout
    return Session(done.returncode, done.stdout, done.stderr, *_read(junit))


def _read(
    junit: Path,
) -> tuple[dict[str, str], dict[str, str], dict[str, dict[str, str]]]:
    outcomes: dict[str, str] = {}
    said: dict[str, str] = {}
    properties: dict[str, dict[str, str]] = {}
    for case in ET.parse(junit).iter("testcase") if junit.exists() else ():
        name = f"{case.get('classname')}::{case.get('name')}"
        assert name not in outcomes, f"two tests are called {name}"
        outcomes[name] = "passed"
        for child in case:
            if child.tag in {"failure", "error", "skipped"}:
                outcomes[name] = {"failure": "failed"}.get(child.tag, child.tag)
                said[name.rpartition("::")[2]] = f"{child.get('message')}\n{child.text}"
        found = {item.get("name", ""): item.get("value", "") for item in case.iter("property")}
        properties[name.rpartition("::")[2]] = found
    return outcomes, said, properties
