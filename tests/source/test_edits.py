"""Fixes are string edits: exact, in order, whole or not at all."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubpub import check
from hubpub.config import Settings
from hubpub.diagnostic import Edit, Fix, Span
from hubpub.source import edits, text
from hubpub.source.patch import diff

ALONE = Settings(ignore={"HUB605": "no licence here", "HUB606": "no README here"})


def fix(root: Path) -> check.FixResult:
    """Mend what a hubconf.py by itself can be told."""
    return check.fix(root, ALONE)


def edit(line: int, column: int, end: int, new: str, *, path: str = "a.py") -> Edit:
    return Edit(path, Span(line, column, line, end), new)


def apply(code: str, *fixes: tuple[Edit, ...], path: str = "a.py") -> str:
    source = {path: text.of(code)}
    made = [Fix("fix", True, changes) for changes in fixes]
    return edits.apply(source, made).get(path, code)


def test_edits_in_any_order_and_at_one_place() -> None:
    assert apply("a = 1\nb = 2\n", (edit(2, 5, 6, "4"),), (edit(1, 5, 6, "3"),)) == "a = 3\nb = 4\n"
    assert apply("x = []\n", (edit(1, 6, 6, "1"),), (edit(1, 6, 6, ", 2"),)) == "x = [1, 2]\n"


def test_an_overlapping_fix_waits() -> None:
    assert apply("a = 123\n", (edit(1, 5, 8, "4"),), (edit(1, 6, 7, "9"),)) == "a = 4\n"


def test_a_fix_that_breaks_the_file_is_left_out() -> None:
    assert apply("a = 1\nb = 2\n", (edit(1, 5, 6, "("),), (edit(2, 5, 6, "3"),)) == "a = 1\nb = 3\n"


def test_the_edits_of_a_fix_belong_together() -> None:
    both = (edit(1, 5, 6, "9"), edit(2, 5, 6, "("))
    assert apply("a = 1\nb = 2\n", both) == "a = 1\nb = 2\n"


def test_line_ends_follow_the_file() -> None:
    assert apply("a = 1\r\nb = 2\r\n", (edit(2, 1, 1, "c = 3\n"),)) == "a = 1\r\nc = 3\r\nb = 2\r\n"
    assert apply("a = 1", (edit(2, 1, 1, "c = 3\n"),)) == "a = 1\nc = 3\n"


@given(st.text(max_size=80), st.text(max_size=10), st.integers(0, 90), st.integers(0, 90))
def test_only_the_span_changes(content: str, new: str, one: int, other: int) -> None:
    source = text.of(content)
    begin, end = sorted((min(one, len(content)), min(other, len(content))))
    span = Span(*source.position(begin), *source.position(end))
    made = edits.apply({"a.md": source}, [Fix("fix", True, (Edit("a.md", span, new),))])
    expected = content[:begin] + new.replace("\n", edits.newline(content)) + content[end:]
    at_end = begin == end == len(content)
    if not (at_end and new.endswith("\n")):
        assert made.get("a.md", content) == expected


def test_positions_and_offsets_are_inverse() -> None:
    source = text.of("a\r\nbé\r日\n\nlast")
    for offset in range(len(source.text) + 1):
        assert source.offset(*source.position(offset)) == offset


BYTES = {
    "bom": b"\xef\xbb\xbfdependencies = 'torch'\ndef a():\n    'A.'; return 1\n",
    "crlf": b"dependencies = 'torch'\r\ndef a():\r\n    'A.'; return 1\r\n",
    "latin-1": b"# coding: latin-1\ndependencies = 'torch'\ndef a():\n    'A \xfc.'; return 1\n",
    "no newline at the end": b"def a():\n    'A.'; return 1\ndependencies = 'torch'",
}


@pytest.mark.parametrize("name", BYTES)
def test_every_other_byte_stays(name: str, tmp_path: Path) -> None:
    path = tmp_path / "hubconf.py"
    path.write_bytes(BYTES[name])
    path.chmod(0o754)
    assert fix(tmp_path).result.diagnostics == ()
    assert path.read_bytes() == BYTES[name].replace(b"'torch'", b'["torch"]')
    assert stat.S_IMODE(path.stat().st_mode) == 0o754
    assert [item.name for item in tmp_path.iterdir()] == ["hubconf.py"]


def test_a_file_that_changed_meanwhile_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text("a = 2\n")
    problem = edits.write(tmp_path, "a.py", text.of("a = 1\n"), "a = 3\n")
    assert problem == "the file changed while it was checked"
    assert path.read_text() == "a = 2\n"


def test_a_symlink_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "b.py").write_text("a = 1\n")
    (tmp_path / "a.py").symlink_to("b.py")
    assert edits.write(tmp_path, "a.py", text.of("a = 1\n"), "a = 3\n") is not None
    assert (tmp_path / "b.py").read_text() == "a = 1\n"


def test_what_the_encoding_cannot_say_is_not_written(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(b"# coding: latin-1\na = 1\n")
    before = text.decode(b"# coding: latin-1\na = 1\n")
    assert isinstance(before, text.Text)
    assert "iso-8859-1" in str(
        edits.write(tmp_path, "a.py", before, "# coding: latin-1\na = '日'\n")
    )


def test_nothing_is_left_where_the_disk_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.py"
    path.write_text("a = 1\n")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert edits.write(tmp_path, "a.py", text.of("a = 1\n"), "a = 3\n") == "No space left on device"
    assert path.read_text() == "a = 1\n"
    assert [item.name for item in tmp_path.iterdir()] == ["a.py"]


def test_git_applies_the_diff(tmp_path: Path) -> None:
    before, after = "a = 1\nb = 2", "a = 1\nb = 3\nc = 4"
    (tmp_path / "a.py").write_text(before)
    patch = diff("a.py", before, after)
    subprocess.run(["git", "apply"], input=patch, text=True, check=True, cwd=tmp_path)
    assert (tmp_path / "a.py").read_text() == after


def test_a_checkpoint_path_is_anchored(tmp_path: Path) -> None:
    (tmp_path / "a-0a1b2c3d.pth").write_bytes(b"x")
    path = tmp_path / "hubconf.py"
    path.write_text(
        '"""Hub."""\nfrom __future__ import annotations\nimport torch\ndependencies = ["torch"]\n'
        'def net():\n    "A net."\n'
        '    return torch.load("a-0a1b2c3d.pth", "cpu", weights_only=True)\n'
    )
    assert fix(tmp_path).result.diagnostics == ()
    assert path.read_text() == (
        '"""Hub."""\nfrom __future__ import annotations\nimport os\nimport torch\n'
        'dependencies = ["torch"]\ndef net():\n    "A net."\n    return torch.load('
        'os.path.join(os.path.dirname(__file__), "a-0a1b2c3d.pth"), "cpu", weights_only=True)\n'
    )


def test_dependencies_are_added_after_the_docstring(tmp_path: Path) -> None:
    path = tmp_path / "hubconf.py"
    path.write_text(
        '"""Hub."""\nimport numpy as np\nimport yaml\ndef net():\n    "A net."; return 1\n'
    )
    left = fix(tmp_path).result.diagnostics
    assert {item.code for item in left} == {"HUB109"}  # what no edit of the list mends
    assert path.read_text().startswith(
        '"""Hub."""\n\ndependencies = ["torch", "numpy", "yaml"]\n\nimport numpy as np\n'
    )
