"""Mending: rounds in memory, files written whole, and nothing that was not meant."""

from __future__ import annotations

import ast
import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import hypothesmith
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from hubpub import check, rules
from hubpub.check.work import Work, run
from hubpub.config import Settings
from hubpub.diagnostic import Edit, Fix, Severity, Span
from hubpub.rules import Finding
from hubpub.source import edits
from hubpub.source.facts import Place, Repo
from publishing import clean_environment, write_files

SAFE = Settings(select=("HUB002", "HUB101", "HUB102", "HUB103", "HUB105", "HUB302", "HUB411"))
BROKEN = """import numpy
from os import path
dependencies = "torch"  # hubpub: ignore[HUB105] was needed once


def net():
    \"\"\"A net.\"\"\"
    import cv2
    return cv2
"""


@pytest.fixture
def extra_rule(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """A rule HUB999 whose findings a test decides: ``rule["check"] = function of the facts``."""
    made: dict[str, object] = {}

    def judge(repo: Repo) -> Iterator[Finding]:
        yield from made["check"](repo)  # type: ignore[operator]

    extra = rules.Rule("HUB999", "made-up", Severity.WARNING, judge, "## What it does\n\nNothing.")
    every = (*rules.all_rules(), extra)
    monkeypatch.setattr(rules, "all_rules", lambda: every)
    return made


def edit(line: int, column: int, end: int, new: str, path: str = "hubconf.py") -> Edit:
    return Edit(path, Span(line, column, line, end), new)


def finding(message: str, *changes: Edit, safe: bool = True) -> Finding:
    return Finding(message, Place("hubconf.py"), fix=Fix("mend it", safe, changes))


ONLY = Settings(select=("HUB999",))


def test_rounds_go_on_until_nothing_is_left(tmp_path: Path) -> None:
    write_files(tmp_path, {"hubconf.py": BROKEN})
    fixed = check.fix(tmp_path, SAFE)
    assert fixed.result.diagnostics == ()
    assert (tmp_path / "hubconf.py").read_text() == BROKEN.replace(
        '"torch"  # hubpub: ignore[HUB105] was needed once', '["torch", "numpy", "cv2"]'
    )
    assert fixed.applied == 4
    assert check.fix(tmp_path, SAFE).changed == {}


def test_a_diff_is_what_a_fix_does(tmp_path: Path) -> None:
    files = {
        "hubconf.py": BROKEN,
        "README.md": '\ufefftorch.hub.load("octo/net", "net", trust_repo=True)\r\n',
        ".git/config": '[remote "origin"]\n\turl = https://github.com/octo/net\n',
        ".git/refs/tags/v1.0": "0" * 40,
    }
    one, other = tmp_path / "one", tmp_path / "other"
    write_files(one, files)
    write_files(other, files)
    shown = check.fix(one, SAFE, write=False)
    assert (one / "hubconf.py").read_text() == BROKEN
    done = check.fix(other, SAFE)
    assert shown.changed == done.changed
    assert sorted(done.changed) == ["README.md", "hubconf.py"]
    assert shown.applied == done.applied
    assert shown.result.diagnostics == done.result.diagnostics
    patch = run(Work(mode="diff", select=SAFE.select or ()), one).patch
    subprocess.run(
        ["git", "apply", "-"], input=patch, cwd=one, check=True,
        env=clean_environment(tmp_path / "home") | {"GIT_DIR": str(tmp_path / "none")},
    )  # fmt: skip
    for name in ("hubconf.py", "README.md"):
        assert (one / name).read_bytes() == (other / name).read_bytes()


@pytest.mark.parametrize("reach", ["symlink", "read-only", "not utf-8"])
def test_a_file_that_cannot_be_changed_is_named_and_the_others_go_on(
    reach: str, tmp_path: Path
) -> None:
    shown = 'torch.hub.load("octo/net", "net", trust_repo=True)\n'
    write_files(
        tmp_path,
        {
            "hubconf.py": BROKEN,
            "README.md": shown.encode() + (b"\xff\n" if reach == "not utf-8" else b""),
            ".git/config": '[remote "origin"]\n\turl = https://github.com/octo/net\n',
            ".git/refs/tags/v1.0": "0" * 40,
        },
    )
    readme = tmp_path / "README.md"
    if reach == "symlink":
        readme.rename(tmp_path / "real")
        readme.symlink_to("real")
    if reach == "read-only":
        readme.chmod(0o444)
    before = readme.read_bytes()
    for write in (False, True):
        fixed = check.fix(tmp_path, SAFE, write=write)
        assert list(fixed.changed) == ["hubconf.py"]
        assert len(fixed.problems) == 1
        assert fixed.problems[0].startswith("README.md was not changed: ")
    assert readme.read_bytes() == before
    assert [item.code for item in fixed.result.diagnostics] == ["HUB302"]


def test_a_write_that_fails_is_no_fix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_files(tmp_path, {"hubconf.py": BROKEN})

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    fixed = check.fix(tmp_path, SAFE)
    assert (fixed.changed, fixed.applied) == ({}, 0)
    assert fixed.problems == ("hubconf.py was not changed: No space left on device",)
    assert fixed.result.diagnostics == check.check(tmp_path, SAFE).diagnostics
    assert (tmp_path / "hubconf.py").read_text() == BROKEN


def test_unsafe_fixes_are_made_where_they_are_asked_for(
    tmp_path: Path, extra_rule: dict[str, object]
) -> None:
    def judge(repo: Repo) -> Iterator[Finding]:
        if "def net" in repo.texts["hubconf.py"].text:
            yield finding("hide it", edit(1, 5, 8, "_net"), safe=False)

    extra_rule["check"] = judge
    write_files(tmp_path, {"hubconf.py": "def net(): pass\n"})
    assert check.fix(tmp_path, ONLY).changed == {}
    fixed = check.fix(tmp_path, Settings(select=("HUB999",), unsafe_fixes=True))
    assert fixed.applied == 1
    assert (tmp_path / "hubconf.py").read_text() == "def _net(): pass\n"


def test_a_safe_fix_that_changes_what_can_be_called_is_taken_back(
    tmp_path: Path, extra_rule: dict[str, object]
) -> None:
    def judge(repo: Repo) -> Iterator[Finding]:
        text = repo.texts["hubconf.py"].text
        if "def net" in text:
            yield finding("hide it", edit(1, 5, 8, "_net"))
        if "def b" not in text:
            yield finding("name it", edit(2, 9, 10, "2"))
        if "= 1" in text:
            yield finding("count it", edit(3, 5, 6, "2"))

    extra_rule["check"] = judge
    text = "def net(): pass\ndef b(): pass\nx = 1\n"
    write_files(tmp_path, {"hubconf.py": text})
    fixed = check.fix(tmp_path, ONLY)
    assert (tmp_path / "hubconf.py").read_text() == text.replace("1", "2")
    assert [item.message for item in fixed.result.diagnostics] == ["hide it"]
    assert fixed.applied == 1


def test_a_fix_that_mends_nothing_is_taken_back(
    tmp_path: Path, extra_rule: dict[str, object]
) -> None:
    extra_rule["check"] = lambda repo: [finding("more", edit(1, 1, 1, "# more\n"))]
    write_files(tmp_path, {"hubconf.py": "def net(): pass\n"})
    fixed = check.fix(tmp_path, ONLY)
    assert (fixed.changed, fixed.applied) == ({}, 0)
    assert (tmp_path / "hubconf.py").read_text() == "def net(): pass\n"


def test_fixes_that_clash_wait_for_the_next_round(
    tmp_path: Path, extra_rule: dict[str, object]
) -> None:
    def judge(repo: Repo) -> Iterator[Finding]:
        text = repo.texts["hubconf.py"].text
        if "1" in text:
            yield finding("one", edit(2, 6, 9, text.split("\n")[1][5:8].replace("1", "a")))
        if "2" in text:
            yield finding("two", edit(2, 6, 9, text.split("\n")[1][5:8].replace("2", "b")))

    extra_rule["check"] = judge
    write_files(tmp_path, {"hubconf.py": "def net(): pass\nx = '123'\n"})
    fixed = check.fix(tmp_path, ONLY)
    assert fixed.applied == 2
    assert (tmp_path / "hubconf.py").read_text() == "def net(): pass\nx = 'ab3'\n"


def test_many_fixes_of_which_one_is_wrong(tmp_path: Path) -> None:
    from hubpub.source import text

    source = {"a.py": text.of("x = 1\n" * 500)}
    fixes = [
        Fix("f", True, (edit(n, 5, 6, "(" if n == 250 else "2", "a.py"),)) for n in range(1, 501)
    ]
    new, made = edits.choose(source, fixes)
    assert len(made) == 499
    assert new["a.py"].count("x = 2") == 499


def test_a_shared_change_is_made_once_and_counts_for_both() -> None:
    from hubpub.source import text

    both = [Fix("f", True, (edit(1, 5, 6, "2", "a.py"),)) for _ in range(2)]
    assert edits.choose({"a.py": text.of("x = 1\n")}, both) == ({"a.py": "x = 2\n"}, [0, 1])


PARTS = st.lists(
    st.sampled_from(
        [
            "dependencies = 'torch'",
            'dependencies = "opencv-python"',
            "dependencies = ('torch', 'sklearn',)  # two of them",
            "dependencies = [\n    'torch',\n]",
            "dependencies = []",
            "import numpy",
            "import yaml  # hubpub: ignore[HUB203] once",
            "from PIL import Image as _Image",
            "def net():\n\t'''A net.'''\n\timport cv2\n\treturn cv2",
            "def other(big=False):\n    'B.'\n    import torch\n    return torch.load('a.pth')",
            "x = 1  # hubpub: ignore[HUB102, HUB105]",
            "# hubpub: file-ignore[HUB999, HUB402] why",
            "if True:\n    import scipy",
            "x = '''\nnot # hubpub: ignore[HUB102] a comment\n'''",
        ]
    ),
    max_size=6,
    unique=True,
)
ENDS = st.sampled_from(["\n", "\r\n"])


@pytest.mark.filterwarnings("ignore::SyntaxWarning", "ignore::DeprecationWarning")
@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(PARTS, hypothesmith.from_grammar(), ENDS, st.booleans(), st.booleans())
@example(parts=[], strange="\n\\\n", end="\r\n", bom=False, strange_first=False)
def test_what_a_fix_never_does(
    tmp_path_factory: pytest.TempPathFactory,
    parts: list[str],
    strange: str,
    end: str,
    bom: bool,
    strange_first: bool,
) -> None:
    """Any module with mistakes: mended as far as it can be, and not a byte more."""
    around = [strange.replace("\r", ""), *parts] if strange_first else [*parts, strange]
    content = "\n".join(around).replace("\r", "").replace("\n", end)
    data = (b"\xef\xbb\xbf" if bom else b"") + content.encode("utf-8", "replace")
    assume(b"\0" not in data)
    root = tmp_path_factory.mktemp("r")
    write_files(root, {"hubconf.py": data})
    path = root / "hubconf.py"
    path.chmod(0o751)
    before = check.check(root, SAFE)
    fixed = check.fix(root, SAFE)
    after = path.read_bytes()
    assert check.fix(root, SAFE).changed == {}
    assert path.read_bytes() == after
    assert stat.S_IMODE(path.stat().st_mode) == 0o751
    assert [item.name for item in root.iterdir()] == ["hubconf.py"]
    assert not [item for item in fixed.result.diagnostics if item.fix and item.fix.safe]
    names = [{item.name for item in result.repo.entrypoints} for result in (before, fixed.result)]
    assert names[0] == names[1]
    if not fixed.changed:
        assert after == data
        return
    ast.parse(after)
    assert after.startswith(b"\xef\xbb\xbf") == bom
    if b"\r\n" in data:
        assert after.replace(b"\r\n", b"").count(b"\n") == data.replace(b"\r\n", b"").count(b"\n")
