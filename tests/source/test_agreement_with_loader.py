"""What is read statically is what torch 2's own loader lists, on repositories of our own."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from hubpub.source import read
from publishing import clean_environment

pytest.importorskip("torch", reason="the real loader is the oracle, and torch is not installed")


def cases() -> dict[str, dict[str, str]]:
    """Case -> path -> text, from listing_cases.txt: ``=== case``, ``--- path``, then the file.

    The cases are run by the real loader, so they must be harmless and need torch alone.
    """
    text = (Path(__file__).parent / "listing_cases.txt").read_text(encoding="utf-8")
    found: dict[str, dict[str, str]] = {}
    for case in text.split("=== ")[1:]:
        name, *files = case.split("--- ")
        found[name.strip()] = dict(file.split("\n", 1) for file in files)
    return found


CASES = cases()
LOADER = """
import json, os, sys, warnings
import torch, torch.hub
warnings.simplefilter("ignore")
torch.set_num_threads(1)
found = {}
for path in sys.argv[1:]:
    out, into = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(out)
        torch.hub._get_cache_or_reload = lambda *args, **kwargs: path
        try:
            answer = torch.hub.list("owner/name", trust_repo=True)
        except BaseException as error:
            answer = f"{type(error).__name__}: {error}"
        with os.fdopen(into, "w") as file:
            json.dump(answer, file)
        os._exit(0)
    os.close(into)
    with os.fdopen(out) as file:
        found[path] = json.load(file)
    os.waitpid(pid, 0)
json.dump(found, sys.stdout)
"""


def write(root: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    return root


STANDARD = [
    "argparse",
    "textwrap",
    "enum",
    "functools",
    "contextlib",
    "difflib",
    "fractions",
    "statistics",
    "random",
    "string",
    "copy",
    "pprint",
    "inspect",
    "tokenize",
    "pathlib",
    "posixpath",
    "glob",
    "heapq",
    "queue",
    "threading",
    "datetime",
    "calendar",
    "types",
    "weakref",
    "csv",
    "configparser",
    "gettext",
    "optparse",
    "shlex",
    "sched",
    "uuid",
    "ipaddress",
    "base64",
    "plistlib",
]
"""Modules of the standard library: code that nobody wrote with hubpub in mind, and harmless."""
for _name in STANDARD:
    _place = Path(sysconfig.get_paths()["stdlib"]) / f"{_name}.py"
    if _place.is_file():
        CASES[f"the standard module {_name}"] = {"hubconf.py": _place.read_text(encoding="utf-8")}


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """Case -> what the real ``torch.hub.list`` returned, in one process per case."""
    base = tmp_path_factory.mktemp("cases")
    roots = {
        name: write(base / str(index), files) for index, (name, files) in enumerate(CASES.items())
    }
    empty = base / "empty"
    empty.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", LOADER, *map(str, roots.values())],
        capture_output=True,
        text=True,
        check=True,
        cwd=empty,
        env=clean_environment(empty),
        timeout=120,
    )
    answers = json.loads(done.stdout[done.stdout.index('{"') :])
    return {name: answers[str(root)] for name, root in roots.items()}


@pytest.mark.parametrize("name", CASES)
def test_exactly_the_names_of_the_real_loader(
    name: str, listed: dict[str, object], tmp_path: Path
) -> None:
    repo = read(write(tmp_path / "r", CASES[name]))
    if "standard" not in name:
        assert not repo.dynamic
    assert [item.name for item in repo.entrypoints] == sorted(listed[name])  # type: ignore[call-overload]
