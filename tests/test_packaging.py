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
from publishing import Mirror, clean_environment

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
    assert "hubpub/templates/{{package}}/network.py" in templates
    info = {name for name in names if ".dist-info/" in name}
    assert names - info == in_tree | templates
    assert any(name.endswith("licenses/LICENSE") for name in info)
    assert "License-Expression: BSD-3-Clause" in metadata
    required = re.findall(r"^Requires-Dist: ([\w-]+)([^;\n]*)(.*)$", metadata, re.MULTILINE)
    base = {name.lower() for name, _, marker in required if "extra ==" not in marker}
    assert base == {"click", "jinja2", "jsonschema", "libcst", "tomli"}
    extra = {name.lower() for name, _, marker in required if "verify" in marker}
    assert extra == {"gitpython", "rich", "torch"}
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

    # verify needs more than this install: it must say what, not fail on an import.
    done = run(programs / "hubpub", "verify", "octo/skynet:v1.0", home=home, cwd=tmp_path)
    assert done.returncode in {2, 4}, done.stderr
    assert "hubpub[verify]" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_hook_manifest_is_valid(home: Path) -> None:
    pre_commit = Path(sys.executable).parent / "pre-commit"
    done = run(pre_commit, "validate-manifest", ".pre-commit-hooks.yaml", home=home, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


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
        ("weights.pth", False),
        ("notes.txt", False),
        ("data.toml", False),
    ],
)
def test_which_changes_start_the_hook(path: str, looked_at: bool) -> None:
    manifest = (ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
    (pattern,) = re.findall(r"^  files: '(.*)'$", manifest, re.MULTILINE)
    assert bool(re.search(pattern, path)) is looked_at


@pytest.mark.slow
def test_the_hook_works_without_torch(built: Path, mirror: Mirror, tmp_path: Path) -> None:
    (tmp_path / "sdist").mkdir()
    archive = only(built, "*.tar.gz")
    run("tar", "-xzf", archive, "-C", tmp_path / "sdist", home=tmp_path, cwd=tmp_path)
    tool = mirror.publish(
        {
            path.relative_to(source).as_posix(): path.read_bytes()
            for source in (tmp_path / "sdist").iterdir()
            for path in source.rglob("*")
            if path.is_file()
        },
        name="tool/hubpub",
    )
    user = mirror.publish({"README.md": "# skynet\n"}, name="octo/skynet")
    log = tmp_path / "pip.log"
    programs = Path(sys.executable).parent

    def hook() -> subprocess.CompletedProcess[str]:
        user.git("add", "--all")
        return run(
            programs / "pre-commit", "try-repo", tool.path, "hubpub-check", "--all-files",
            "--verbose",
            home=mirror.home,
            cwd=user.path,
            extra={"PRE_COMMIT_HOME": str(tmp_path / "pre-commit"), "PIP_LOG": str(log)},
        )  # fmt: skip

    done = hook()
    assert done.returncode == 1, done.stdout + done.stderr
    assert "HUB004" in done.stdout  # no hubconf.py: it was this hook that looked
    installed = re.findall(r"Successfully installed (.*)", log.read_text())
    assert "libcst-" in " ".join(installed)
    for name in HEAVY:
        assert f"{name}-" not in " ".join(installed).lower()

    made = run(
        programs / "hubpub", "init", "--name", "skynet", ".", home=mirror.home, cwd=user.path
    )
    assert made.returncode == 0, made.stderr
    done = hook()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Passed" in done.stdout
