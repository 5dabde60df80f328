"""``hubpub init`` as it is typed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import RunHubpub
from publishing import Mirror, Repository, clean_environment


def test_init_says_what_it_wrote_and_what_comes_next(hubpub: RunHubpub, tmp_path: Path) -> None:
    done = hubpub("init", "skynet", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        f"wrote skynet/{path}"
        for path in (
            "LICENSE",
            "README.md",
            "hubconf.py",
            "hubpub.toml",
            "skynet/__init__.py",
            "skynet/network.py",
            "skynet/weights/skynet-189fd9da.pth",
            "tests/test_hubconf.py",
        )
    ]
    steps = (
        "cd skynet",
        "git init && git add . && hubpub check",
        "git commit -m 'First' && hubpub verify .",
    )
    assert "".join(f"  {step}\n" for step in steps) in done.stderr
    assert "replace OWNER" in done.stderr


def test_init_here_is_the_default(hubpub: RunHubpub, tmp_path: Path) -> None:
    (tmp_path / "skynet").mkdir()
    done = hubpub("init", "--owner", "octo", cwd=tmp_path / "skynet")
    assert done.stdout.startswith("wrote LICENSE\n")
    assert "cd " not in done.stderr
    assert "OWNER" not in done.stderr


def test_a_kept_readme_is_told_what_to_show(hubpub: RunHubpub, tmp_path: Path) -> None:
    (tmp_path / "README").write_text("mine")
    done = hubpub("init", "--owner", "octo", "--repo", "r", "--name", "skynet", cwd=tmp_path)
    assert "kept README, which is yours" in done.stderr
    assert 'torch.hub.load("octo/r:v1.0", "skynet", trust_repo=True)' in done.stderr
    assert (tmp_path / "README").read_text() == "mine"


def test_a_second_init_changes_nothing(hubpub: RunHubpub, tmp_path: Path) -> None:
    hubpub("init", "skynet", cwd=tmp_path)
    hubconf = tmp_path / "skynet/hubconf.py"
    hubconf.write_text("mine = 1\n")
    done = hubpub("init", "skynet", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert "hubconf.py is there, so this is a proposal" in done.stderr
    assert hubconf.read_text() == "mine = 1\n"


def test_a_file_in_the_way_is_named(hubpub: RunHubpub, tmp_path: Path) -> None:
    (tmp_path / "skynet/skynet").mkdir(parents=True)
    (tmp_path / "skynet/skynet/network.py").write_text("mine")
    done = hubpub("init", "skynet", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "error: already there, and init never overwrites: skynet/network.py" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("init", "models"),
        ("init", "--name", "\x1b]0;title\x07", "skynet"),
        ("init", "skynet", "--owner", "::error::"),
        ("init", "--no-such-option"),
        ("init", "a", "b"),
        ("init", b"\xff\xfe".decode("utf-8", "surrogateescape")),
    ],
)
def test_bad_input_is_exit_2_without_a_traceback(
    hubpub: RunHubpub, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    done = hubpub(*arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert not set(done.stderr + done.stdout) & set("\x1b\x07")
    assert not any(line.startswith("::") for line in done.stderr.splitlines())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "mirror"]


def test_a_folder_with_a_hostile_name_is_shown_escaped(hubpub: RunHubpub, tmp_path: Path) -> None:
    done = hubpub("init", "red\x1b[31m\u202e", cwd=tmp_path)
    assert done.returncode == 0
    assert "wrote red\\x1b[31m\\u202e/hubconf.py" in done.stdout
    assert "\x1b" not in done.stdout + done.stderr


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    # A limit on the size of a file stands in for the disk: the README is larger than one block.
    script = f'ulimit -f 1; exec "{sys.executable}" -m hubpub init skynet'
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        # Python would keep bytecode that is cut at the limit, and every later run would fail.
        env=clean_environment(tmp_path / "home") | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2, done.stderr
    assert "cannot write" in done.stderr
    assert not (tmp_path / "skynet").exists()


def test_what_init_writes_passes_check(hubpub: RunHubpub, tmp_path: Path) -> None:
    hubpub("init", "skynet", cwd=tmp_path)
    done = hubpub("check", "--output-format", "json", "skynet", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["diagnostics"] == []


def test_what_init_writes_lists_its_one_entrypoint(hubpub: RunHubpub, tmp_path: Path) -> None:
    hubpub("init", "skynet", cwd=tmp_path)
    done = hubpub("list", "--output-format", "json", "skynet", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    listed = json.loads(done.stdout)
    assert [(entry["name"], entry["leak"]) for entry in listed["entrypoints"]] == [
        ("skynet", False)
    ]
    assert listed["dynamic"] == []


@pytest.mark.slow
def test_the_smoke_test_init_writes_passes(hubpub: RunHubpub, tmp_path: Path) -> None:
    hubpub("init", "skynet", cwd=tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path / "skynet",
        env=clean_environment(tmp_path / "home"),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout


@pytest.mark.sandbox
def test_what_init_writes_passes_verify(hubpub: RunHubpub, mirror: Mirror, tmp_path: Path) -> None:
    folder = mirror.root / "octo" / "skynet"
    hubpub("init", "--owner", "octo", folder)
    published = Repository(folder, mirror.home)
    published.git("init", "--quiet", "--initial-branch=main")
    published.commit({}, "First")
    published.git("tag", "v1.0")
    report = tmp_path / "report.json"
    done = hubpub("verify", "octo/skynet:v1.0", "--output-format", f"json:{report}", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    verified = json.loads(report.read_text())
    assert verified["status"] == "pass"
    assert [entry["name"] for entry in verified["entrypoints"]] == ["skynet"]
    assert verified["findings"] == []
    assert verified["network"] == []
