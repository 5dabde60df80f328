"""What users install: the wheel, the hook, and nothing of torch with either."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from conftest import ROOT
from publishing import Mirror, Repository, clean_environment

HEAVY = {"torch", "gitpython", "rich", "numpy"}
"""Distributions that the base install must not bring; lower case."""


def environment(home: Path) -> dict[str, str]:
    """A clean one that still knows which package index this machine uses."""
    kept = re.compile(r"PIP_.*|.*_proxy|.*_PROXY|SSL_CERT_FILE|REQUESTS_CA_BUNDLE")
    index = {key: value for key, value in os.environ.items() if kept.fullmatch(key)}
    return clean_environment(home) | index


def run(
    *command: str | Path, home: Path, cwd: Path, extra: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment(home) | dict(extra or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist of this tree, and the wheel made from that sdist."""
    folder = tmp_path_factory.mktemp("dist")
    home = tmp_path_factory.mktemp("home")
    done = run(sys.executable, "-m", "build", "--outdir", folder, ROOT, home=home, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def only(folder: Path, pattern: str) -> Path:
    (path,) = folder.glob(pattern)
    return path


@pytest.mark.slow
def test_the_wheel_holds_what_runs_and_nothing_else(built: Path) -> None:
    with zipfile.ZipFile(only(built, "*.whl")) as wheel:
        names = set(wheel.namelist())
        metadata = wheel.read(next(name for name in names if name.endswith("/METADATA"))).decode()
    in_tree = {
        f"hubpub/{path.relative_to(ROOT / 'hubpub').as_posix()}"
        for path in (ROOT / "hubpub").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    templates = {
        f"hubpub/templates/{path.relative_to(ROOT / 'templates').as_posix()}"
        for path in (ROOT / "templates").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {"hubpub/py.typed", "hubpub/schemas/config.json"} <= in_tree
    assert "hubpub/templates/shared/network/{{package}}/network.py" in templates
    assert "hubpub/templates/around/workflow/.github/workflows/hubpub.yml" in templates
    with zipfile.ZipFile(only(built, "*.whl")) as wheel:
        (points,) = (
            wheel.read(name).decode() for name in names if name.endswith("/entry_points.txt")
        )
    assert "[pytest11]\nhubpub = hubpub.pytesting\n" in points
    info = {name for name in names if ".dist-info/" in name}
    assert names - info == in_tree | templates
    assert any(name.endswith("licenses/LICENSE") for name in info)
    assert "License-Expression: BSD-3-Clause" in metadata
    required = re.findall(r"^Requires-Dist: ([\w-]+)([^;\n]*)(.*)$", metadata, re.MULTILINE)
    base = {name.lower() for name, _, marker in required if "extra ==" not in marker}
    assert base == {"click", "jinja2", "jsonschema", "libcst", "tomli"}
    extra = {name.lower() for name, _, marker in required if "verify" in marker}
    assert extra == {"gitpython", "h11", "rich", "torch"}
    extra = {name.lower() for name, _, marker in required if "plan" in marker}
    assert extra == {"gitpython"}
    extra = {name.lower() for name, _, marker in required if "card" in marker}
    assert extra == {"markdown-it-py", "pyyaml"}
    for name, versions, _ in required:
        assert versions.startswith(">="), name
        assert "<" not in versions, f"{name} has an upper cap"


@pytest.mark.slow
def test_the_wheel_works_in_an_empty_environment(built: Path, tmp_path: Path, home: Path) -> None:
    programs = tmp_path / "venv" / "bin"
    python = programs / "python"

    def ok(*command: str | Path) -> str:
        done = run(*command, home=home, cwd=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    # virtualenv brings its own pip: not every Python comes with ensurepip.
    ok(sys.executable, "-m", "virtualenv", "--quiet", tmp_path / "venv")
    ok(python, "-m", "pip", "install", "--quiet", only(built, "*.whl"))
    installed = ok(python, "-m", "pip", "list", "--format", "freeze").lower()
    assert {"hubpub", "click", "libcst"} <= set(re.findall(r"^[\w.-]+", installed, re.MULTILINE))
    assert not HEAVY & set(re.findall(r"^[\w.-]+", installed, re.MULTILINE))

    assert ok(programs / "hubpub", "--version").startswith("hubpub, version ")
    assert ok(python, "-I", "-m", "hubpub", "--help").startswith("Usage: hubpub ")
    assert "wrote skynet/hubconf.py" in ok(programs / "hubpub", "init", "skynet")
    ok(programs / "hubpub", "check", "skynet")
    assert "skynet" in ok(programs / "hubpub", "list", "skynet")

    # The plugin is there for whoever has pytest, which hubpub itself never needs.
    ok(python, "-m", "pip", "install", "--quiet", "pytest")
    tests = ok(python, "-m", "pytest", "--hubpub", "skynet/hubconf.py")
    assert "hubconf.py ....." in tests
    done = run(python, "-m", "pytest", "--hubpub-verify", "-k", "run", "skynet/hubconf.py",
               home=home, cwd=tmp_path)  # fmt: skip
    assert done.returncode == 1
    assert "1 error" in done.stdout
    assert "hubpub[verify]" in done.stdout

    # verify needs more than this install: it must say what, not fail on an import.
    done = run(programs / "hubpub", "verify", "octo/skynet:v1.0", home=home, cwd=tmp_path)
    assert done.returncode in {2, 4}, done.stderr
    assert "hubpub[verify]" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_hook_manifest_is_valid(home: Path) -> None:
    pre_commit = Path(sys.executable).parent / "pre-commit"
    done = run(pre_commit, "validate-manifest", ".pre-commit-hooks.yaml", home=home, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_hooks_run_commands_that_there_are(home: Path) -> None:
    manifest = (ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
    entries = re.findall(r"^  entry: (.*)$", manifest, re.MULTILINE)
    assert entries == ["hubpub check", "hubpub check --fix", "hubpub verify ."]
    for entry in entries:
        done = run(sys.executable, "-m", *entry.split(), "--help", home=home, cwd=home)
        assert done.returncode == 0, done.stderr
    assert re.search(r"id: hubpub-verify\n(  .*\n)*  stages: \[manual\]", manifest)


@pytest.mark.parametrize(
    ("path", "looked_at"),
    [
        ("hubconf.py", True),
        ("skynet/network.py", True),
        ("README.md", True),
        ("docs/use.rst", True),
        ("pyproject.toml", True),
        ("hubpub.toml", True),
        ("requirements-dev.txt", True),
        ("examples.ipynb", True),
        ("LICENSE", True),
        (".gitattributes", True),
        ("weights.pth", False),
        ("notes.txt", False),
        ("data.toml", False),
    ],
)
def test_which_changes_start_the_hook(path: str, looked_at: bool) -> None:
    manifest = (ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
    (pattern,) = set(re.findall(r"^  files: '(.*)'$", manifest, re.MULTILINE))
    assert bool(re.search(pattern, path)) is looked_at


@pytest.fixture
def tool(built: Path, mirror: Mirror, tmp_path: Path) -> Repository:
    """hubpub as a git repository that pre-commit can clone: what the sdist holds."""
    (tmp_path / "sdist").mkdir()
    archive = only(built, "*.tar.gz")
    run("tar", "-xzf", archive, "-C", tmp_path / "sdist", home=tmp_path, cwd=tmp_path)
    files = {
        path.relative_to(source).as_posix(): path.read_bytes()
        for source in (tmp_path / "sdist").iterdir()
        for path in source.rglob("*")
        if path.is_file()
    }
    return mirror.publish(files, name="tool/hubpub")


@pytest.mark.slow
def test_the_hooks_work_without_torch(tool: Repository, mirror: Mirror, tmp_path: Path) -> None:
    user = mirror.publish({"README.md": "# skynet\n"}, name="octo/skynet")
    log = tmp_path / "pip.log"
    programs = Path(sys.executable).parent

    def hooks() -> subprocess.CompletedProcess[str]:
        user.git("add", "--all")
        return run(
            programs / "pre-commit", "try-repo", tool.path, "--all-files", "--verbose",
            home=mirror.home,
            cwd=user.path,
            extra={"PRE_COMMIT_HOME": str(tmp_path / "pre-commit"), "PIP_LOG": str(log)},
        )  # fmt: skip

    done = hooks()
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stdout.count("HUB004") == 2  # no hubconf.py: it was both hooks that looked
    assert "hubpub verify" not in done.stdout  # only by hand
    installed = re.findall(r"Successfully installed (.*)", log.read_text())
    assert "libcst-" in " ".join(installed)
    for name in HEAVY:
        assert f"{name}-" not in " ".join(installed).lower()

    made = run(
        programs / "hubpub", "init", "--name", "skynet", ".", home=mirror.home, cwd=user.path
    )
    assert made.returncode == 0, made.stderr
    done = hooks()
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("Passed") == 2


CONFIG = """repos:
- repo: {path}
  rev: v1.0
  hooks:
  - id: hubpub-check-fix
    args: [--select, "HUB1,HUB2"]
"""
BROKEN = 'dependencies = "torch"\n\n\ndef net():\n    """A net."""\n    return object()\n'


@pytest.mark.slow
def test_a_commit_with_the_hook(tool: Repository, mirror: Mirror, tmp_path: Path) -> None:
    files = {".pre-commit-config.yaml": CONFIG.format(path=tool.path), "notes.txt": "a\n"}
    user = mirror.publish(files, name="octo/skynet")
    extra = {
        "PRE_COMMIT_HOME": str(tmp_path / "pre-commit"),
        **{f"GIT_{who}_{what}": "ada@example.org" for who in ("AUTHOR", "COMMITTER")
           for what in ("NAME", "EMAIL")},
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }  # fmt: skip

    def git(*arguments: str) -> subprocess.CompletedProcess[str]:
        return run("git", *arguments, home=mirror.home, cwd=user.path, extra=extra)

    assert (
        run("pre-commit", "install", home=mirror.home, cwd=user.path, extra=extra).returncode == 0
    )
    user.write({"hubconf.py": BROKEN, "notes.txt": "b\n"})
    user.git("add", "hubconf.py")
    index = (user.path / ".git" / "index").read_bytes()
    # Only one of the files: git then gives its hooks an index of their own (GIT_INDEX_FILE).
    done = git("commit", "--message", "Second", "hubconf.py")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "files were modified by this hook" in done.stderr
    assert "mended 1 finding in 1 file" in done.stderr
    assert (user.path / "hubconf.py").read_text() == BROKEN.replace('"torch"', '["torch"]')
    assert (user.path / ".git" / "index").read_bytes() == index
    assert user.git("diff", "--name-only") == "hubconf.py\nnotes.txt"
    done = git("commit", "--message", "Second", "hubconf.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert user.git("show", "--name-only", "--format=") == "hubconf.py"
    assert user.git("diff", "--name-only") == "notes.txt"


def test_what_git_tells_its_hooks_misleads_nobody(mirror: Mirror, tmp_path: Path) -> None:
    """GIT_DIR and the like point at the user's repository while another is checked."""
    program = Path(sys.executable).parent / "hubpub"
    user = mirror.publish({"hubconf.py": BROKEN, "a.txt": "a"}, name="octo/user", tags=("v9.9",))
    files = {"hubconf.py": BROKEN, "README.md": "torch.hub.load('octo/net', 'net')\n"}
    other = mirror.publish(files, name="octo/net", tags=("v1.0",))
    user.write({"a.txt": "b", "new.txt": "c"})
    user.git("add", "new.txt")
    index = user.path / ".git" / "index"
    before = index.read_bytes()
    extra = {
        "GIT_DIR": str(user.path / ".git"),
        "GIT_INDEX_FILE": str(index),
        "GIT_WORK_TREE": str(user.path),
        "GIT_PREFIX": "",
    }

    def check(**environment: str) -> str:
        options = ("check", other.path, "--no-cache", "--output-format", "json")
        return run(program, *options, home=mirror.home, cwd=tmp_path, extra=environment).stdout

    assert check(**extra) == check()
    assert "v1.0" in check()
    options = ("check", other.path, "--fix")
    done = run(program, *options, home=mirror.home, cwd=tmp_path, extra=extra)
    assert "mended" in done.stderr
    assert index.read_bytes() == before
    assert user.git("status", "--porcelain") == "M a.txt\nA  new.txt"
    assert other.git("status", "--porcelain") == "M README.md\n M hubconf.py"
