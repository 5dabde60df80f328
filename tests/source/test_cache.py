"""The facts cache: the same facts, or none; never in the way."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hubpub import source
from hubpub.check import check
from hubpub.source import cache as module
from hubpub.source.cache import Cache
from publishing import Files, clean_environment, write_files

FILES: Files = {
    "hubconf.py": (
        'dependencies = ["torch"]\n\nfrom pk.net import net\n\n\n'
        'def far(pretrained=False):\n    """Far away."""\n    import torch\n'
        '    return torch.hub.load_state_dict_from_url("https://x.org/far.pth", check_hash=True)\n'
    ),
    "pk/__init__.py": "",
    "pk/net.py": "import numpy\n\n\ndef net():\n    return numpy\n",
    "README.md": '```python\ntorch.hub.load("octo/net", "net")\n```\n',
    "weights/a.pth": b"x",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    write_files(folder, FILES)
    return folder


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


def entries(cache: Cache) -> list[Path]:
    return sorted((cache.folder / "facts").glob("*"))


def test_a_warm_read_gives_the_same_facts(root: Path, cache: Cache) -> None:
    cold = source.read(root)
    assert source.read(root, cache) == cold
    warm = cache.load(root)
    assert warm == cold
    assert warm is not None
    assert dict(warm.texts) == dict(cold.texts)
    assert check(root, None, cache).diagnostics == check(root).diagnostics


@pytest.mark.parametrize(
    "change",
    [
        {"hubconf.py": "dependencies = []\n"},
        {"pk/net.py": "def net():\n    return 2\n"},
        {"README.md": "nothing"},
        {"numpy.py": ""},  # an import that now resolves to the repository
        {"numpy/__init__.py": ""},
        {"weights/b-0a1b2c3d.pth": b"y"},
        {"weights/a.pth": b"longer"},
        {"docs/more.md": 'torch.hub.load("octo/net", "far")'},
        {"deep/er/hubconf.py": ""},
        {".git/packed-refs": "0" * 40 + " refs/tags/v1.0\n"},
        {".git/refs/tags/v2.0": "0" * 40 + "\n"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_any_change_that_matters_is_seen(root: Path, cache: Cache, change: Files) -> None:
    source.read(root, cache)
    write_files(root, change)
    assert cache.load(root) is None
    assert source.read(root, cache) == source.read(root)


@pytest.mark.parametrize("gone", ["pk/net.py", "README.md", "weights/a.pth", "hubconf.py"])
def test_what_disappears_is_seen(root: Path, cache: Cache, gone: str) -> None:
    source.read(root, cache)
    (root / gone).unlink()
    assert source.read(root, cache) == source.read(root)


def test_a_change_that_cannot_matter_keeps_the_facts(root: Path, cache: Cache) -> None:
    write_files(root, {"train.py": "a = 1\n"})
    source.read(root, cache)
    write_files(root, {"train.py": "a = 2\n"})  # not reached from hubconf.py
    os.utime(root / "hubconf.py")
    assert cache.load(root) is not None


@pytest.mark.parametrize(
    "data",
    [b"", b"garbage", pickle.dumps({"repo": 1}), pickle.dumps([]), pickle.dumps(os.getcwd)],
    ids=["empty", "garbage", "wrong fields", "wrong type", "code"],
)
def test_a_damaged_entry_is_no_entry(root: Path, cache: Cache, data: bytes) -> None:
    source.read(root, cache)
    (entry,) = entries(cache)
    entry.write_bytes(data)
    assert cache.load(root) is None
    assert source.read(root, cache) == source.read(root)
    assert cache.load(root) is not None


def test_an_entry_runs_no_code(root: Path, cache: Cache, tmp_path: Path) -> None:
    canary = tmp_path / "canary"

    class Runs:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.system, (f"touch {canary}",)

    source.read(root, cache)
    (entry,) = entries(cache)
    entry.write_bytes(pickle.dumps(Runs()))
    assert cache.load(root) is None
    assert not canary.exists()


def test_a_folder_that_cannot_be_written_is_no_problem(root: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a directory")
    cache = Cache(tmp_path / "file")
    assert source.read(root, cache) == source.read(root)
    assert cache.clear() == 0


def test_the_cache_is_bounded(
    root: Path, cache: Cache, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source.read(root, cache)
    (first,) = entries(cache)
    monkeypatch.setattr(module, "MAX_BYTES", first.stat().st_size * 5 // 2)
    os.utime(first, (1, 1))
    for number in range(3):
        other = tmp_path / f"other{number}"
        write_files(other, FILES)
        source.read(other, cache)
    assert not first.exists()
    assert sum(path.stat().st_size for path in entries(cache)) <= module.MAX_BYTES
    assert cache.clear() == 2
    assert not entries(cache)


def test_runs_at_the_same_time_do_no_harm(root: Path, tmp_path: Path) -> None:
    environment = clean_environment(tmp_path) | {"HUBPUB_CACHE_DIR": str(tmp_path / "shared")}
    command = [sys.executable, "-m", "hubpub", "check", str(root), "--output-format", "json"]
    running = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    outputs = {process.communicate()[0] for process in running}
    assert len(outputs) == 1
    assert all(process.returncode == 1 for process in running)
    assert len(entries(Cache(tmp_path / "shared"))) == 1


def test_a_warm_run_imports_no_parser(root: Path, tmp_path: Path) -> None:
    program = (
        "import sys; from hubpub.cli import run; run(['check', sys.argv[1]]); "
        "print(sorted({'libcst', 'ast', 'tokenize', 'hubpub.source.abstract'} & set(sys.modules)))"
    )
    environment = clean_environment(tmp_path) | {"HUBPUB_CACHE_DIR": str(tmp_path / "warm")}

    def loaded() -> str:
        done = subprocess.run(
            [sys.executable, "-c", program, str(root)],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.splitlines()[-1]

    assert "libcst" in loaded()
    assert "libcst" not in loaded()
    assert "hubpub.source.abstract" not in loaded()


def test_the_command_clears(root: Path, tmp_path: Path) -> None:
    environment = clean_environment(tmp_path) | {"HUBPUB_CACHE_DIR": str(tmp_path / "c")}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "hubpub", *arguments],
            env=environment,
            capture_output=True,
            text=True,
        )

    run("list", str(root), "--no-cache")
    assert "removed 0 entries" in run("cache", "clear").stderr
    run("list", str(root))
    assert run("cache", "dir").stdout.strip() == str(tmp_path / "c")
    assert "removed 1 entry" in run("cache", "clear").stderr
