"""The source that findings show: of the tree, bounded, and of nothing outside of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubpub.verify import excerpts
from hubpub.verify.excerpts import MOST_CHARACTERS, MOST_LINES, MOST_PLACES
from hubpub.verify.joining import _united
from hubpub.verify.report import Excerpt, Finding

TEN = "".join(f"line {number}\n" for number in range(1, 11))


def at(line: int, column: int = 1, end: int | None = None, path: str = "hubconf.py") -> Finding:
    last = line if end is None else end
    return Finding("HUB201", "x", "error", "no", path, line, column, last, column + 1)


def of(root: Path, finding: Finding) -> Excerpt | None:
    (found,) = excerpts.shown([finding], root)
    return found.excerpt


@pytest.mark.parametrize(
    ("text", "finding", "first", "lines"),
    [
        (TEN, at(5), 3, ["line 3", "line 4", "line 5", "line 6", "line 7"]),
        (TEN, at(1, 2), 1, ["line 1", "line 2", "line 3"]),
        (TEN, at(10), 8, ["line 8", "line 9", "line 10"]),
        ("a\n\nb\n\nc\n", at(3), 1, ["a", "", "b", "", "c"]),
        ("\n\nb\n\n\n\n", at(3), 3, ["b"]),
        ("a\r\nb\rc", at(2), 1, ["a", "b", "c"]),
        ("a\f\u2028b\nc", at(2), 1, ["a\f\u2028b", "c"]),
        ("\ufeffa\nb", at(1, 1, 2), 1, ["a", "b"]),
    ],
)
def test_lines_around_the_place(
    tmp_path: Path, text: str, finding: Finding, first: int, lines: list[str]
) -> None:
    (tmp_path / "hubconf.py").write_bytes(text.encode())
    assert of(tmp_path, finding) == Excerpt(first, 1, tuple(lines))


def test_long_lines_and_long_places_are_cut(tmp_path: Path) -> None:
    wide = "x" * 5000 + "HERE" + "y" * 5000
    (tmp_path / "hubconf.py").write_text("\n".join([wide] * 100))
    found = of(tmp_path, at(50, 5001, 90))
    assert found is not None
    assert (found.first_line, len(found.lines)) == (48, MOST_LINES)
    assert {len(line) for line in found.lines} == {MOST_CHARACTERS}
    assert found.lines[0].index("HERE") == 5001 - found.first_column
    near = of(tmp_path, at(50, 3))
    assert near is not None
    assert near.first_column == 1


def test_only_so_many_places_are_shown(tmp_path: Path) -> None:
    (tmp_path / "hubconf.py").write_text("x\n" * (MOST_PLACES + 50))
    found = excerpts.shown([at(line, 2) for line in range(2, MOST_PLACES + 40)], tmp_path)
    assert sum(item.excerpt is not None for item in found) == MOST_PLACES


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "../secret", "a/../../secret", "link", "folder/secret", "pipe", "folder", "",
     "a\0b", "gone.py", "x" * 5000, "nul.bin", "large.py", "\udcff"],
)  # fmt: skip
def test_nothing_outside_of_the_tree_and_nothing_but_text_is_read(
    tmp_path: Path, path: str
) -> None:
    (tmp_path / "secret").write_text("secret\n" * 5)
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "link").symlink_to("../secret")
    (tree / "folder").symlink_to("..")
    os.mkfifo(tree / "pipe")
    (tree / "nul.bin").write_bytes(b"a\nb\0\nc\n")
    (tree / "large.py").write_bytes(b"a\n" * (1 << 20))
    assert of(tree, at(2, path=path)) is None


@pytest.mark.parametrize(("line", "column", "end"), [(1, 1, 1), (3, 1, 3), (99, 1, 99)])
def test_no_place_no_source(tmp_path: Path, line: int, column: int, end: int) -> None:
    (tmp_path / "hubconf.py").write_text("a\nb\n \n")
    finding = Finding("verify", "x", "error", "no", "hubconf.py", line, column, end, column)
    assert of(tmp_path, finding) is None


@given(
    text=st.text(max_size=400),
    line=st.integers(1, 9),
    column=st.integers(1, 600),
    end=st.integers(1, 1 << 40),
)
def test_any_place_of_any_text_keeps_within_the_bounds(
    tmp_path_factory: pytest.TempPathFactory, text: str, line: int, column: int, end: int
) -> None:
    root = tmp_path_factory.mktemp("tree")
    (root / "hubconf.py").write_bytes(text.encode("utf-8", "surrogatepass"))
    found = of(root, Finding("x", "x", "note", "x", "hubconf.py", line, column, end, 1))
    if found is not None:
        assert 1 <= found.first_line <= line < found.first_line + len(found.lines)
        assert 1 <= len(found.lines) <= MOST_LINES
        assert all(len(part) <= MOST_CHARACTERS for part in found.lines)


def test_shards_that_show_the_source_of_one_finding_or_not_say_it_once() -> None:
    bare = {"code": "HUB201", "message": "no"}
    source = {**bare, "excerpt": {"first_line": 1, "first_column": 1, "lines": ["x"]}}
    assert _united([[source], [bare], [{**bare, "excerpt": None}]]) == [source]
