"""The rooms of hubpub: who may import whom, what each may load, and what things are called.

The rules are tables; one function judges one module's source against them, so that the last tests
can show it judging modules that break each rule.
"""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from carding import HUGGINGFACE, two
from conftest import ROOT
from publishing import clean_environment

PACKAGE = ROOT / "hubpub"
MODULES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))

LEAVES = {"diagnostic", "errors", "config", "hosts", "linking", "signals"}
FIRST_PARTY: dict[str, set[str]] = {
    # room -> the rooms it may import; every room may import itself and the version.
    "__init__": set(),
    "__main__": {"cli"},
    "cli": {
        "card",
        "check",
        "verify",
        "scaffold",
        "stamping",
        "output",
        "rules",
        "source",
        *LEAVES,
    },
    # The other door: it asks the command line's own parser, and runs it in a process of its own.
    "pytesting": {"cli", "check", "verify", "output", "rules", "source", *LEAVES},
    "card": {"source/facts", "source/facts_entry", "output", *LEAVES},
    "check": {"rules", "source", *LEAVES},
    "verify": {"check", "source/facts", *LEAVES},
    "verify/worker": set(),
    "scaffold": {"check", "source", "stamping/naming", *LEAVES},
    "stamping": {"rules/cached", "source", *LEAVES},
    "output": {"config", "diagnostic", "errors"},
    "rules": {
        "source/facts",
        "source/facts_entry",
        "source/facts_loading",
        "source/facts_published",
        "source/packages",
        "source/text",
        *LEAVES,
    },
    "source": LEAVES,
    "config": {"diagnostic", "errors"},
    "diagnostic": set(),
    "errors": set(),
    "hosts": {"errors"},
    "linking": set(),
    "signals": set(),
}
THIRD_PARTY: dict[str, set[str]] = {
    # package -> the only places that may import it.
    "click": {"cli"},
    # pytest is no dependency of hubpub: it is what loads this room.
    "pytest": {"pytesting"},
    "_pytest": {"pytesting/nodes.py"},  # the types of what a failed test shows
    "rich": {"cli", "output"},
    "jinja2": {"scaffold", "output"},
    "jsonschema": {"config", "verify"},
    "tomli": {"config"},
    "tomllib": {"config"},  # the standard library has it from Python 3.11 on
    "libcst": {"source/hubconf.py", "source/edits.py"},
    "yaml": {"card/reading.py", "card/citation.py"},
    "markdown_it": {"card/reading.py"},
    "torch": {"verify/worker"},
    "git": {"verify/git.py"},
    "h11": {
        "verify/egress/__init__.py",
        "verify/egress/connection.py",
        "verify/egress/exchange.py",
        "verify/egress/forward.py",
        "verify/egress/passing.py",
        "verify/egress/stocked.py",
        "verify/egress/tunnel.py",
    },
}
PROGRAMS = {"verify/sandbox/enter.py", "verify/sandbox/launch.py"}
"""Run as processes of their own by verify, like the worker: they exit, and say why."""
MAX_LINES = 400
WORDS = {"manager", "helper", "helpers", "util", "utils", "base"}
"""Names that say nothing: a class, function or module is called after what it does."""


def room_of(module: str) -> str:
    """The room of ``module``, a path below hubpub: its first folder, or its own name."""
    if module.startswith("verify/worker/"):
        return "verify/worker"
    return module.removesuffix(".py").split("/")[0]


def imports(module: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Every import of ``module`` as (line, dotted name), relative ones made absolute."""
    package = ["hubpub", *module.split("/")[:-1]]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            stem = ".".join([*start, *([node.module] if node.module else [])])
            if stem == "hubpub":
                yield from ((node.lineno, f"hubpub.{alias.name}") for alias in node.names)
            else:
                yield node.lineno, stem


def judge_import(module: str, name: str) -> str | None:
    """Why ``module`` may not import ``name``, or None."""
    room = room_of(module)
    top, *rest = name.split(".")
    if top == "hubpub":
        target = "/".join(rest)
        # `from hubpub import __version__`, and a module's own room.
        own = target == room or target.startswith(f"{room}/")
        if own or (room != "verify/worker" and target in {"", "__version__"}):
            return None
        for allowed in FIRST_PARTY[room]:
            if target == allowed or target.startswith(f"{allowed}/"):
                return None
        return f"{room} may not import {name}"
    if top in sys.stdlib_module_names:
        return None
    places = THIRD_PARTY.get(top)
    if places is None:
        return f"{name} is no dependency of hubpub"
    if module in places or room in places:
        return None
    return f"{name} may be imported in {', '.join(sorted(places))} only"


def judge_words(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", node.name)
            if WORDS & {part.lower() for part in parts}:
                yield node.lineno, f"{node.name} says nothing about what it does"


def judge_calls(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Printing and exiting; whatever returns or raises leaves both to the command line."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="print" | "exit" | "quit" as name)):
                yield node.lineno, f"{name}() outside cli"
            case ast.Attribute(value=ast.Name(id="sys"), attr="exit" | "stdout" | "stderr" as name):
                yield node.lineno, f"sys.{name} outside cli"
            case ast.Raise(
                exc=ast.Name(id="SystemExit") | ast.Call(func=ast.Name(id="SystemExit"))
            ):
                yield node.lineno, "SystemExit outside cli"


def judge(module: str, source: str) -> list[str]:
    """What is wrong with ``source`` as ``module``, a path below hubpub, one line each."""
    tree = ast.parse(source)
    found = [
        (line, reason)
        for line, name in imports(module, tree)
        if (reason := judge_import(module, name)) is not None
    ]
    found += judge_words(tree)
    if room_of(module) not in {"cli", "verify/worker"} and module not in PROGRAMS:
        found += judge_calls(tree)
    if WORDS & set(re.split(r"[/_.]", module)):
        found.append((1, "a module's name says nothing about what is in it"))
    if (lines := source.count("\n")) > MAX_LINES:
        found.append((lines, f"{lines} lines, more than {MAX_LINES}"))
    return [f"hubpub/{module}:{line}: {reason}" for line, reason in sorted(found)]


@pytest.mark.parametrize("module", MODULES)
def test_module(module: str) -> None:
    found = judge(module, (PACKAGE / module).read_text(encoding="utf-8"))
    assert not found, "\n".join(found)


def test_the_tables_know_every_room() -> None:
    assert {room_of(module) for module in MODULES} <= set(FIRST_PARTY)
    places = {place for allowed in THIRD_PARTY.values() for place in allowed}
    assert {place for place in places if place.endswith(".py")} <= {*MODULES, "source/edits.py"}


def test_imports_only_go_down() -> None:
    """The table itself has no circle, so no order of imports can ever matter."""
    done: set[str] = set()

    def visit(room: str, above: tuple[str, ...]) -> None:
        assert room not in above, " -> ".join([*above, room])
        for below in {target.split("/")[0] for target in FIRST_PARTY[room]} - done:
            visit(below, (*above, room))
        done.add(room)

    for room in FIRST_PARTY:
        visit(room, ())


@pytest.mark.parametrize(
    ("module", "source", "reason"),
    [
        ("output/x.py", "from hubpub.rules import registry", "output may not import hubpub.rules"),
        ("output/x.py", "def f():\n    import hubpub.verify", "may not import hubpub.verify"),
        ("output/x.py", "from hubpub import source", "output may not import hubpub.source"),
        ("output/x.py", "from .. import source", "output may not import hubpub.source"),
        ("output/x.py", "from ..check import check", "output may not import hubpub.check"),
        ("rules/x.py", "from hubpub.source.hubconf import read", "may not import hubpub.source.h"),
        ("source/x.py", "import hubpub.rules.registry", "source may not import hubpub.rules"),
        ("source/x.py", "import libcst", "libcst may be imported in source/edits.py, source/hub"),
        ("source/x.py", "from libcst.matchers import m", "libcst.matchers may be imported in"),
        ("verify/x.py", "if True:\n    import torch", "torch may be imported in verify/worker"),
        ("verify/x.py", "from git import Git", "git may be imported in verify/git.py only"),
        ("verify/x.py", "import click", "click may be imported in cli only"),
        ("verify/x.py", "import requests", "requests is no dependency of hubpub"),
        ("verify/worker/x.py", "from hubpub.errors import E", "verify/worker may not import hubp"),
        ("verify/worker/x.py", "from hubpub import __version__", "verify/worker may not import"),
        ("verify/worker/x.py", "import jsonschema", "jsonschema may be imported in config, ver"),
        ("diagnostic.py", "from hubpub.errors import E", "diagnostic may not import hubpub.err"),
        ("errors.py", "import hubpub.cli", "errors may not import hubpub.cli"),
        ("check.py", "from hubpub.cli import main", "check may not import hubpub.cli"),
        ("check.py", "print('x')", "print() outside cli"),
        ("check.py", "import sys\nsys.exit(1)", "sys.exit outside cli"),
        ("check.py", "raise SystemExit(1)", "SystemExit outside cli"),
        ("source/x.py", "class SourceManager: ...", "SourceManager says nothing"),
        ("source/x.py", "class HTTPBase: ...", "HTTPBase says nothing"),
        ("source/x.py", "async def path_helper(): ...", "path_helper says nothing"),
        ("source/utils.py", "", "a module's name says nothing"),
        ("source/x.py", "x = 1\n" * 401, "401 lines, more than 400"),
    ],
)
def test_a_module_that_breaks_a_rule_is_found(module: str, source: str, reason: str) -> None:
    assert any(reason in line for line in judge(module, source)), judge(module, source)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("cli/x.py", "import click, sys\nfrom hubpub import __version__\nprint()\nsys.exit(1)"),
        ("verify/worker/x.py", "import torch, os, sys\nsys.stdout.write('')"),
        ("source/hubconf.py", "import libcst as cst\nfrom hubpub.source import facts"),
        ("rules/x.py", "from hubpub.source.facts import Repo\nfrom .registry import rule"),
        ("source/x.py", "class Basis: ...\ndef database(): ...\ndef utility(): ..."),
        ("source/x.py", "x = 1\n" * 400),
    ],
)
def test_a_module_that_keeps_the_rules_is_not(module: str, source: str) -> None:
    assert judge(module, source) == []


# --- the import budget ----------------------------------------------------------------------------

NEVER = {"torch", "git", "rich", "jinja2", "asyncio", "libcst.matchers"}
"""What no run of check, list or rule may load: each costs more than the work. (libcst.metadata
costs as much, but libcst imports it by itself.)"""

LOADED = """
import sys
before = set(sys.modules)
from hubpub.cli import run
code = run(sys.argv[1:])
sys.stderr.write("\\nLOADED " + " ".join(sorted(set(sys.modules) - before)) + "\\n")
sys.exit(code)
"""


def loaded(home: Path, *arguments: str | Path, code: int = 0) -> set[str]:
    """The modules that ``hubpub arguments`` imports."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *map(str, arguments)],
        cwd=home,
        env=clean_environment(home),
        capture_output=True,
        text=True,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return set(done.stderr.rpartition("\nLOADED ")[2].split())


def third_party(modules: set[str]) -> set[str]:
    """The packages among ``modules`` that do not come with Python, compiled parts aside."""
    tops = {module.split(".")[0] for module in modules}
    return {top for top in tops if top not in sys.stdlib_module_names and "__" not in top}


def publisher(folder: Path, extra: str = "") -> Path:
    """A copy of the example, with more in its pyproject.toml."""
    target = folder / "tiny"
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "examples" / "tiny", target, ignore=ignore)
    if extra:
        (target / "pyproject.toml").write_text(extra)
    return target


def test_help_loads_click_only(home: Path) -> None:
    assert third_party(loaded(home, "--help")) == {"click", "hubpub"}


@pytest.mark.parametrize(
    "extra", ["", "[project]\nname = 'tiny'\n"], ids=["no pyproject", "a pyproject of others"]
)
def test_check_adds_libcst(home: Path, tmp_path: Path, extra: str) -> None:
    modules = loaded(home, "check", publisher(tmp_path, extra))
    assert "libcst" in modules
    assert not modules & {*NEVER, "jsonschema"}


def test_check_adds_jsonschema_where_there_are_settings(home: Path, tmp_path: Path) -> None:
    table = "[tool.hubpub]\nfail-on = 'note'\n"
    modules = loaded(home, "check", publisher(tmp_path, table))
    assert "jsonschema" in modules
    assert not modules & NEVER


def test_list_stays_in_the_same_budget(home: Path, tmp_path: Path) -> None:
    modules = loaded(home, "list", publisher(tmp_path))
    assert not modules & {*NEVER, "jsonschema"}


def test_rule_stays_in_the_same_budget(home: Path) -> None:
    modules = loaded(home, "rule", "HUB402")
    assert not modules & {*NEVER, "jsonschema"}


def test_card_loads_its_readers_only_where_it_checks(home: Path, tmp_path: Path) -> None:
    card, report = tmp_path / "README.md", tmp_path / "report.json"
    card.write_text(HUGGINGFACE)
    report.write_text(json.dumps(two()))
    readers = {"yaml", "markdown_it"}
    checking = loaded(home, "card", "--check", card)
    assert not checking & {*NEVER, "jsonschema", "libcst"}
    assert checking & readers == readers
    there = ("--report", report, "--output", tmp_path / "card.md")
    writing = loaded(home, "card", publisher(tmp_path), *there)
    assert not writing & {*NEVER, *readers}


def test_init_adds_jinja2(home: Path, tmp_path: Path) -> None:
    modules = loaded(home, "init", tmp_path / "skynet")
    assert third_party(modules) == {"click", "hubpub", "jinja2", "markupsafe"}


def test_stamp_parses_nothing(home: Path, tmp_path: Path) -> None:
    (tmp_path / "m.pth").write_bytes(b"weights")
    modules = loaded(home, "stamp", tmp_path / "m.pth")
    assert third_party(modules) == {"click", "hubpub"}
    assert not modules & {*NEVER, "hubpub.stamping.updating", "hubpub.source.repository"}


def test_stamp_adds_libcst_where_it_updates(home: Path, tmp_path: Path) -> None:
    (tmp_path / "m.pth").write_bytes(b"weights")
    (tmp_path / "hubconf.py").write_text('U = "https://h/m.pth"\n')
    arguments = ("--update", "--root", tmp_path, tmp_path / "m.pth")
    modules = loaded(home, "stamp", *arguments)
    assert "libcst" in modules
    assert not modules & {*NEVER, "jsonschema"}


@pytest.mark.parametrize("hubconf", [False, True], ids=["a package", "a hubconf.py"])
def test_init_reads_what_is_there_with_libcst_alone(
    home: Path, tmp_path: Path, hubconf: bool
) -> None:
    folder = tmp_path / "sky"
    folder.mkdir()
    (folder / "clouds.py").write_text("import torch\n\n\nclass Net(torch.nn.Module):\n    pass\n")
    if hubconf:
        (folder / "hubconf.py").write_text("def net():\n    return 1\n")
    modules = loaded(home, "init", "--owner", "octo", folder, code=1 if hubconf else 0)
    assert "libcst" in modules
    assert not modules & (NEVER - {"jinja2"})


def test_the_budget_can_be_broken(home: Path) -> None:
    """What is loaded is seen: otherwise the tests above could not fail."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED.replace("from hubpub", "import asyncio\nfrom hubpub"), "-h"],
        env=clean_environment(home),
        capture_output=True,
        text=True,
    )
    assert set(done.stderr.rpartition("\nLOADED ")[2].split()) & NEVER == {"asyncio"}
