"""The checksums of a report, read by sha256sum itself."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hubpub.output import reports
from reporting import HOSTILE, released

sha256sum = pytest.mark.skipif(
    shutil.which("sha256sum") is None, reason="sha256sum of GNU coreutils is not installed"
)


def checkpoint(name: str, data: bytes, **fields: Any) -> dict[str, Any]:
    first: dict[str, Any] = released(["net"])["checkpoints"][0]
    return {**first, "filename": name, "sha256": hashlib.sha256(data).hexdigest(), **fields}


def text(*checkpoints: dict[str, Any]) -> str:
    return reports.render("checksums", released(["net"], checkpoints=list(checkpoints)))


def checked(lines: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sha256sum", "--check", "--strict"],
        input=lines, cwd=folder, capture_output=True, text=True, env={"LC_ALL": "C.UTF-8"},
    )  # fmt: skip


NAMES = [
    "net-0a1b2c3d.pth", "with space.pth", " leading.pth", "*star.pth", "-", "-dash.pth", "a\\b.pth",
    "a\nb.pth", "a\rb.pth", "\\", "a\\nb.pth", "größe 模型.pth", "trailing ", "#hash.pth",
]  # fmt: skip


@sha256sum
def test_sha256sum_finds_every_file_right(tmp_path: Path) -> None:
    made = []
    for number, name in enumerate(NAMES):
        data = f"weights {number}".encode()
        (tmp_path / name).write_bytes(data)
        made.append(checkpoint(name, data))
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "in tree.pth").write_bytes(b"x")
    made.append(checkpoint("in tree.pth", b"x", path="net/in tree.pth", urls=[]))
    lines = text(*made)
    assert lines.count("\n") == len(made)
    done = checked(lines, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count(": OK\n") == len(made)
    (tmp_path / NAMES[0]).write_bytes(b"replaced")
    done = checked(lines, tmp_path)
    assert done.returncode == 1
    assert f"{NAMES[0]}: FAILED\n" in done.stdout


@sha256sum
def test_two_contents_under_one_name_are_two_lines_and_one_of_them_fails(tmp_path: Path) -> None:
    (tmp_path / "net.pth").write_bytes(b"one")
    lines = text(checkpoint("net.pth", b"two"), checkpoint("net.pth", b"one"))
    assert lines.count("  net.pth\n") == 2
    done = checked(lines, tmp_path)
    assert done.returncode == 1
    assert sorted(done.stdout.splitlines()) == ["net.pth: FAILED", "net.pth: OK"]


@sha256sum
@pytest.mark.parametrize("name", ["a\x1b[2Jb.pth", "a\u202eb.pth", "##[error]x"])
def test_a_name_that_would_act_on_a_terminal_names_no_file(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"x")
    done = checked(text(checkpoint(name, b"x")), tmp_path)
    assert done.returncode == 1
    assert "No such file" in done.stderr


def test_every_name_of_a_checkpoint_is_there_once_and_sorted() -> None:
    use = {"entrypoint": "net", "stamp": {"prefix": None, "status": "absent"}, "url": None}
    uses = [
        {**use, "filename": "b.pth", "path": None}, {**use, "filename": "z.pth", "path": None},
        {**use, "filename": "c.pth", "path": "w/c.pth"},
    ]  # fmt: skip
    lines = text(checkpoint("z.pth", b"1", uses=uses), checkpoint("a.pth", b"2"))
    names = [line.split("  ", 1)[1] for line in lines.splitlines()]
    assert names == ["a.pth", "b.pth", "w/c.pth", "z.pth"]
    assert text() == ""


@given(name=st.text(min_size=1, max_size=20))
@example(name=HOSTILE)
@example(name="\\")
def test_a_line_is_a_digest_and_a_name(name: str) -> None:
    """As coreutils reads it: a backslash before the digest says that the name is escaped."""
    (line,) = text(checkpoint(name, b"x")).splitlines()
    escaped = line.startswith("\\")
    digest, shown = line.removeprefix("\\").split("  ", 1)
    assert digest == hashlib.sha256(b"x").hexdigest()
    if escaped:
        marks = iter(shown)
        read = "".join(
            {"\\": "\\", "n": "\n", "r": "\r"}[next(marks)] if char == "\\" else char
            for char in marks
        )
        assert any(char in read for char in "\\\n\r")
    else:
        assert "\\" not in shown
        assert shown in {name, "./-"}


def subjects(lines: str) -> list[tuple[str, str]]:
    """As actions/attest reads subject-checksums: to the first space, one flag, the name."""
    found = []
    for line in filter(None, lines.split("\n")):
        digest, rest = line.split(" ", 1)
        assert re.fullmatch(r"[0-9a-fA-F]{64}", digest), line
        found.append((rest[1:] if rest[0] in "* " else rest, digest))
    return found


def test_each_line_is_a_subject_of_an_attestation() -> None:
    plain = [name for name in NAMES if not any(char in name for char in "\\\n\r")]
    made = [checkpoint(name, name.encode()) for name in plain]
    read = dict(subjects(text(*made)))
    expected = {name: hashlib.sha256(name.encode()).hexdigest() for name in plain}
    assert read == {("./-" if name == "-" else name): mark for name, mark in expected.items()}
    with pytest.raises(AssertionError):  # as docs/formats.md says
        subjects(text(checkpoint("a\\b", b"x")))
