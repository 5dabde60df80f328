"""Which packages are in sight: what is declared, what that requires, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import MakeRepository, RunHubpub
from hubpub.verify.sandbox import packages
from hubpub.verify.sandbox.interpreter import Interpreter
from hubpub.verify.sandbox.packages import CannotTellError, Installed, fewest, needed


def dist(name: str, *requires: str, files: str | None = "", editable: bool = False) -> Installed:
    listed = None
    if files is not None:
        words = files.split() or [f"{name}/__init__.py", f"{name}-1.dist-info/RECORD"]
        listed = tuple(tuple(word.split("/")) for word in words)
    return Installed(name, "/site", listed, requires, editable)


EVERYTHING = (
    dist("torch", "filelock", "sympy>=1.13; python_version > '3.8'", "optree; extra == 'optree'"),
    dist("filelock"),
    dist("sympy", "mpmath<1.4,>=1.1"),
    dist("mpmath"),
    dist("optree"),
    dist("numpy"),
    dist("pyyaml", files="yaml/__init__.py _yaml.so PyYAML-6.dist-info/RECORD"),
    dist("timm", "torch", "Hub_Client[fast] (>=1)", "nowhere"),
    dist("hub-client", 'speed ; extra == "fast"', "slow; extra=='slow'", "a.loop"),
    dist("speed"),
    dist("slow"),
    dist("a-loop", "hub.client"),
)
TORCH = {"torch", "filelock", "sympy", "mpmath"}


@pytest.mark.parametrize(
    ("declared", "more"),
    [
        ([], set()),
        (["torch"], set()),
        (["numpy"], {"numpy"}),
        (["yaml"], {"pyyaml"}),
        (["pyyaml"], set()),  # dependencies are modules: this one is missing, as for a user
        (["yaml.representer"], {"pyyaml"}),
        (["os", "json"], set()),
        (["nowhere"], set()),
        (["timm"], {"timm", "hub-client", "speed", "a-loop"}),
    ],
)
def test_what_is_needed(declared: list[str], more: set[str]) -> None:
    assert needed(EVERYTHING, declared) == TORCH | more


@pytest.mark.parametrize(
    ("everything", "said"),
    [
        ((dist("torch", "numpy"), dist("numpy", files=None)), "numpy was installed without"),
        ((dist("torch", files=None),), "torch was installed without a list"),
        ((dist("torch"), dist("mine", editable=True)), "mine is installed to be edited"),
        ((dist("torch"), dist("yaml-of-debian", files=None)), "yaml-of-debian was installed"),
    ],
)
def test_where_it_cannot_be_told_it_says_why(everything: tuple[Installed, ...], said: str) -> None:
    with pytest.raises(CannotTellError, match=said):
        needed(everything, ["mine", "yaml"])


def test_an_unreadable_list_shows_everything() -> None:
    python = Interpreter("/python", ("/usr",), ())
    assert packages.restricted(python, None) == (
        python,
        "all: dependencies cannot be read without running it",
    )


PARTS = st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map(tuple)


@given(st.dictionaries(PARTS, st.booleans(), max_size=30))
def test_the_fewest_paths_show_all_that_is_wanted_and_nothing_else(
    owners: dict[tuple[str, ...], bool],
) -> None:
    # A file is no folder as well.
    files = {
        path: wanted
        for path, wanted in owners.items()
        if not any(other[: len(path)] == path and other != path for other in owners)
    }
    found = fewest(list(files.items()))
    for path, wanted in files.items():
        shown = any(path[: len(top)] == top for top in found)
        assert shown is wanted, path
    for one in found:
        assert not any(one != other and one[: len(other)] == other for other in found)


def test_a_file_of_two_owners_is_shown_for_the_one_that_is_wanted() -> None:
    entries = [(("a", "__init__.py"), True), (("a", "__init__.py"), False), (("a", "b"), False)]
    assert fewest(entries) == [("a", "__init__.py")]


SEES = """
dependencies = DEPENDENCIES
import importlib.util, json, os, sys


def look():
    "x"
    import torch

    folder = os.path.dirname(os.path.dirname(torch.__file__))
    try:
        open(os.path.join(folder, "x"), "w")
        wrote = "wrote"
    except OSError:
        wrote = "read-only"
    names = ("numpy", "click", "hubpub", "jinja2", "typing_extensions", "yaml", "git")
    found = [name for name in names if importlib.util.find_spec(name)]
    raise RuntimeError(json.dumps([wrote, found, "click" in os.listdir(folder)]))
"""


def looked(
    hubpub: RunHubpub, repository: MakeRepository, file: Path, dependencies: str, *args: str
) -> tuple[list[Any], str]:
    repository({"hubconf.py": SEES.replace("DEPENDENCIES", dependencies)})
    output = ("--output-format", f"json:{file}")
    done = hubpub("verify", "octo/net:v1.0", "--device", "cpu", *output, *args)
    assert done.returncode == 1, done.stderr
    report = json.loads(file.read_text())
    message = report["entrypoints"][0]["results"][0]["claims"]["error"]["message"]
    return json.loads(message), report["sandbox"]["packages"]


@pytest.mark.sandbox
@pytest.mark.parametrize(
    ("dependencies", "args", "found", "said"),
    [
        ('["torch"]', (), ["jinja2", "typing_extensions"], "declared: "),
        ('["torch", "yaml"]', (), ["jinja2", "typing_extensions", "yaml"], "pyyaml"),
        ('["torch", "numpy"]', (), ["numpy", "jinja2", "typing_extensions"], "numpy"),
        ('sorted(["torch"] + [])', ("--all-packages",), None, "all: --all-packages"),
        ("__import__('json').loads('[]')", (), None, "all: dependencies cannot be read"),
    ],
)
def test_only_what_is_declared_can_be_imported(
    hubpub: RunHubpub,
    repository: MakeRepository,
    tmp_path: Path,
    dependencies: str,
    args: tuple[str, ...],
    found: list[str] | None,
    said: str,
) -> None:
    file = tmp_path / "report.json"
    (wrote, names, listed), visible = looked(hubpub, repository, file, dependencies, *args)
    assert wrote == "read-only"
    assert said in visible
    if found is None:
        assert {"numpy", "click", "yaml"} <= set(names)
    else:
        assert names == found
        assert not listed


@pytest.mark.sandbox
def test_an_undeclared_package_is_missing_as_for_a_user(
    hubpub: RunHubpub, repository: MakeRepository
) -> None:
    body = 'def net():\n    "A net."\n    import yaml\n    return yaml\n'
    repository({"hubconf.py": f'dependencies = ["torch"]\n{body}'})
    done = hubpub("verify", "octo/net:v1.0", "--device", "cpu")
    assert done.returncode == 1
    assert "No module named 'yaml'" in done.stdout
    assert hubpub("verify", "octo/net:v1.0", "--device", "cpu", "--all-packages").returncode == 0
