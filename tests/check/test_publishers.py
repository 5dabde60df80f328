"""Which repositories a path means."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from hubpub.check import publishers
from hubpub.errors import ConfigError, UsageError
from publishing import Files, Link, write_files

TREE: Files = {
    "many/b/hubconf.py": "",
    "many/a/hubconf.py": "",
    "many/a/vendored/hubconf.py": "",
    "many/deep/er/c/hubconf.py": "",
    "many/.git/hubconf.py": "",
    "many/b2/node_modules/x/hubconf.py": "",
    "many/link": Link("deep"),
    "many/folder/hubconf.py/x": "",
    "one/hubconf.py": "",
    "one/sub/hubconf.py": "",
    "lost/.git/config": "",
    "lost/src/hubconf.py": "",
    "project/pyproject.toml": "",
    "project/src/hubconf.py": "",
    "empty/README.md": "",
}
TREE = {name: content for name, content in TREE.items() if not name.startswith("many/.git")}


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_files(tmp_path, TREE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def find(*paths: str, recursive: bool = False, exclude: Sequence[str] = ()) -> list[str]:
    found = publishers.find(paths, lambda top: exclude, recursive=recursive)
    return [root.as_posix() for root in found.roots]


MANY = ["many/a", "many/b", "many/deep/er/c"]


@pytest.mark.parametrize(
    ("paths", "recursive", "expected"),
    [
        (["one"], False, ["one"]),
        (["one/hubconf.py"], False, ["one"]),
        (["one/sub"], False, ["one/sub"]),
        (["one"], True, ["one", "one/sub"]),
        (["many"], False, MANY),
        (["many"], True, ["many/a", "many/a/vendored", "many/b", "many/deep/er/c"]),
        (["lost"], False, ["lost"]),
        (["lost"], True, ["lost/src"]),
        (["project"], False, ["project"]),
        (["empty"], False, ["empty"]),
        (["empty"], True, ["empty"]),
        (["many", "one", "many/b", "./one/"], False, [*MANY, "one"]),
        (["many/link"], False, ["many/link/er/c"]),
    ],
)
def test_find(tree: Path, paths: list[str], recursive: bool, expected: list[str]) -> None:
    assert find(*paths, recursive=recursive) == expected


@pytest.mark.parametrize(
    ("exclude", "expected"),
    [
        (["a"], ["many/b", "many/deep/er/c"]),
        (["deep/er"], ["many/a", "many/b"]),
        (["deep/*"], ["many/a", "many/b"]),
        (["er/"], ["many/a", "many/b"]),
        (["many"], MANY),
        (["?"], ["many"]),
    ],
)
def test_exclude(tree: Path, exclude: list[str], expected: list[str]) -> None:
    found = find("many", exclude=exclude)
    assert found == expected


def test_what_is_named_is_not_excluded(tree: Path) -> None:
    assert find("many/a", exclude=["a"]) == ["many/a"]


def test_a_broken_configuration_of_the_folder_hides_nothing(tree: Path) -> None:
    def broken(top: Path) -> Sequence[str]:
        raise ConfigError("it is broken")

    found = publishers.find(["many"], broken)
    assert len(found.roots) == 3
    assert [error.message for error in found.errors] == ["many: it is broken"]


def test_the_search_is_bounded(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishers, "MAX_FOLDERS", 3)
    found = publishers.find(["many"], lambda top: ())
    assert len(found.roots) < 3
    assert "is not searched" in found.remarks[0]


@pytest.mark.parametrize("path", ["nowhere", "empty/README.md", "a\0b", "x" * 5000])
def test_what_is_not_there(tree: Path, path: str) -> None:
    with pytest.raises(UsageError):
        find(path)
