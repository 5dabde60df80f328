"""Diffs: ``git apply`` must give exactly the text that was meant."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubpub.source.patch import diff, patch
from publishing import clean_environment


def applied(folder: Path, name: str, before: bytes, after: bytes) -> bytes:
    """What git makes of ``before`` with the patch to ``after``."""
    place = folder / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(before)
    shown = patch(name, before, after)
    if shown:
        done = subprocess.run(
            ["git", "apply", "-"],
            input=shown,
            cwd=folder,
            env=clean_environment(folder / ".home"),
            capture_output=True,
        )
        assert done.returncode == 0, (shown, done.stderr)
    return place.read_bytes()


CASES = {
    "lf": (b"a\nb\nc\n", b"a\nB\nc\n"),
    "crlf": (b"a\r\nb\r\nc\r\n", b"a\r\nB\r\nc\r\n"),
    "no newline at the end": (b"a\nb", b"a\nc"),
    "a newline at the end is new": (b"a\nb", b"a\nb\nc\n"),
    "a newline at the end is gone": (b"a\nb\n", b"a\nb"),
    "latin-1": (
        b"# coding: latin-1\nx = '\xfc'\ny = 1\n",
        b"# coding: latin-1\nx = '\xfc'\ny = 2\n",
    ),
    "a byte order mark": (b"\xef\xbb\xbfa\nb\n", b"\xef\xbb\xbfc\nb\n"),
    "a form feed and other line ends": (
        "a\x0cb\u2028c\x1cd\ne\n".encode(),
        "a\x0cb\u2028c\x1cd\nf\n".encode(),
    ),
    "carriage returns alone": (b"a\rb\rc\n", b"a\rB\rc\n"),
    "empty": (b"", b"a\n"),
    "becomes empty": (b"a\n", b""),
    "far apart": (b"a\n" + b"x\n" * 50 + b"b\n", b"A\n" + b"x\n" * 50 + b"B\n"),
    "moved on": (b"x\n" * 300 + b"a\n", b"x\n" * 290 + b"a\n"),
    "all new": (b"".join(b"%d\n" % n for n in range(500)), b"y\n" * 400),
    "control characters": (b"\x1b[31m\na\n", b"\x1b[31m\nb\n"),
}


@pytest.mark.parametrize("case", CASES)
def test_git_applies_it(case: str, tmp_path: Path) -> None:
    before, after = CASES[case]
    assert applied(tmp_path, "a.py", before, after) == after


@pytest.mark.parametrize(
    "name", ["a b.py", "größe/模.py", 'qu"ote.py', "back\\slash.py", "tab\there.py", "a/b/c.py"]
)
def test_names(name: str, tmp_path: Path) -> None:
    assert applied(tmp_path, name, b"a\n", b"b\n") == b"b\n"


LINES = st.lists(st.sampled_from([b"a\n", b"b\n", b"\n", b"c\r\n", b"d"]), max_size=60)


@settings(max_examples=60)
@given(LINES, LINES)
def test_any_two_texts(
    tmp_path_factory: pytest.TempPathFactory, one: list[bytes], other: list[bytes]
) -> None:
    folder = tmp_path_factory.mktemp("diff")
    before, after = b"".join(one), b"".join(other)
    assert applied(folder, "a.py", before, after) == after


def test_only_what_differs_is_in_it() -> None:
    before = "".join(f"line {number}\n" for number in range(100))
    after = before.replace("line 50\n", "line fifty\n").replace("line 90\n", "")
    shown = diff("a.py", before, after).splitlines()
    assert [line for line in shown if line[0] in "+-"][2:] == [
        "-line 50",
        "+line fifty",
        "-line 90",
    ]
    assert diff("a.py", before, before) == ""


def test_large_texts_take_little_time() -> None:
    before = "x\n" * 100_000
    after = "y\n" + "x\n" * 50_000 + "z\n" + "x\n" * 50_000
    start = time.process_time()
    assert diff("a.py", before, after)
    assert diff("a.py", before, "z\n" * 100_000)
    assert time.process_time() - start < 20
