"""What is read statically is what torch 2's own loader lists, on repositories of our own."""

from __future__ import annotations

import sysconfig
from pathlib import Path

import pytest

import loader
from hubpub.source import read

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
    return loader.answers(
        tmp_path_factory.mktemp("cases"),
        CASES,
        'answer = torch.hub.list("owner/name", trust_repo=True)',
        'f"{type(error).__name__}: {error}"',
    )


@pytest.mark.parametrize("name", CASES)
def test_exactly_the_names_of_the_real_loader(
    name: str, listed: dict[str, object], tmp_path: Path
) -> None:
    repo = read(loader.write(tmp_path / "r", CASES[name]))
    if "standard" not in name:
        assert not repo.dynamic
    assert [item.name for item in repo.entrypoints] == sorted(listed[name])  # type: ignore[call-overload]
