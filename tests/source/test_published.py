"""What GitHub's zip holds, as git itself says: its index, its attributes, its archives."""

from __future__ import annotations

import os
import string
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import MakeRepository
from hubpub import source
from hubpub.source import gitattributes, gitindex
from hubpub.source.facts_published import Published
from hubpub.source.files import Files
from publishing import Files as PublishedFiles
from publishing import Link, Repository, clean_environment

HUBCONF = 'dependencies = ["torch"]\n\n\ndef net():\n    """A net."""\n    return 1\n'
PATHS = [
    "hubconf.py",
    "a.py",
    "pk/__init__.py",
    "pk/deep/er/m.py",
    "é/ü.txt",
    "sp ace/x",
    "z" * 200,
]


def git_index(repository: Repository) -> gitindex.Index:
    found = Files(repository.path).tracked()
    assert found is not None
    return found


@pytest.mark.parametrize("version", [2, 3, 4])
def test_the_index_holds_what_git_lists(repository: MakeRepository, version: int) -> None:
    made = repository({path: f"{path}\n" for path in PATHS} | {"link": Link("a.py")})
    made.git("update-index", "--index-version", str(version))
    if version == 3:
        made.write({"later.py": ""})
        made.git("add", "--intent-to-add", "later.py")  # the flag that needs version 3
    listed = made.git("-c", "core.quotePath=false", "ls-files").splitlines()
    index = git_index(made)
    assert list(index.files) == sorted(listed)
    assert index.links == ("link",)


def test_the_index_of_sha256(tmp_path: Path, home: Path) -> None:
    made = Repository(tmp_path, home)
    made.git("init", "--quiet", "--object-format=sha256")
    made.commit({"hubconf.py": HUBCONF, "pk/m.py": ""})
    assert git_index(made).files == ("hubconf.py", "pk/m.py")


def test_a_linked_work_tree(repository: MakeRepository, tmp_path: Path) -> None:
    made = repository({"hubconf.py": HUBCONF})
    made.git("worktree", "add", "--quiet", "--detach", str(tmp_path / "linked"))
    found = Files(tmp_path / "linked").tracked()
    assert found is not None
    assert found.files == ("hubconf.py",)


def test_a_split_or_sparse_index_is_not_known(repository: MakeRepository) -> None:
    made = repository({"hubconf.py": HUBCONF})
    made.git("update-index", "--split-index")
    made.commit({"more.py": ""})
    assert Files(made.path).tracked() is None


@pytest.mark.parametrize(
    "text", ["", "gitdir:", "gitdir: /nowhere", "gitdir: ..", "x" * 9999, "gitdir: \0", "gitdir: /"]
)
def test_a_git_file_that_names_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / ".git").write_text(text)
    (tmp_path / "hubconf.py").write_text(HUBCONF)
    assert Files(tmp_path).tracked() is None
    assert not source.read(tmp_path).published.tracked


def test_a_pipe_for_an_index(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    os.mkfifo(tmp_path / ".git" / "index")
    assert Files(tmp_path).tracked() is None


@given(st.binary(max_size=400))
def test_any_bytes_are_no_index(data: bytes) -> None:
    gitindex.parse(data)
    gitindex.parse(b"DIRC" + data)


def test_a_damaged_index_is_none(repository: MakeRepository) -> None:
    made = repository({path: path for path in PATHS})
    made.git("update-index", "--index-version", "4")
    data = (made.path / ".git" / "index").read_bytes()
    assert gitindex.parse(data) is not None
    for size in range(0, len(data), 7):
        assert gitindex.parse(data[:size]) is None
    skipped = data[:-20] + bytes(20)  # index.skipHash
    assert gitindex.parse(skipped) == gitindex.parse(data)
    for offset in range(0, len(data) - 20, 11):  # whatever stands there, nothing is raised
        gitindex.parse(skipped[:offset] + b"\xff" + skipped[offset + 1 :])


def test_an_index_that_spells_out_much_from_little_is_refused() -> None:
    entry = bytes(24) + (0o100644).to_bytes(4, "big") + bytes(32) + b"\0\0"
    first, rest = entry + b"\0" + b"a" * 4000 + b"\0", (entry + b"\0b\0") * 30_000
    data = b"DIRC" + (4).to_bytes(4, "big") + (30_001).to_bytes(4, "big") + first + rest
    assert gitindex.parse(data + bytes(20)) is None


# --- attributes -----------------------------------------------------------------------------------

CHARACTERS = "ab/*?[]!-^\\.é"
TREE = (
    "a",
    "b",
    "ab",
    "a/b",
    "a/a/b",
    "b/ab/a",
    "a.b",
    "é",
    "a-b",
    "a/é/b",
    "]",
    "a/[",
    "\\",
    "!a",
)


@pytest.fixture(scope="module")
def judge_of(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("attributes")
    subprocess.run(["git", "init", "-q", str(root)], check=True, env=clean_environment(root / "h"))
    return root


def git_says(root: Path, text: str, paths: tuple[str, ...], attribute: str) -> dict[str, str]:
    (root / ".gitattributes").write_bytes(text.encode())
    done = subprocess.run(
        ["git", "-C", str(root), "check-attr", "--stdin", "-z", attribute],
        input=b"".join(path.encode() + b"\0" for path in paths),
        env=clean_environment(root / "h"),
        capture_output=True,
        check=True,
    )
    words = done.stdout.decode().split("\0")
    return dict(zip(words[0::3], words[2::3], strict=False))


def we_say(text: str, paths: tuple[str, ...], attribute: str) -> dict[str, str]:
    lines = gitattributes.read({"": text})[attribute]
    shown = {True: "set", False: "unset", None: "unspecified"}
    found = {path: gitattributes.judge(lines, path) for path in paths}
    return {path: said if isinstance(said, str) else shown[said] for path, said in found.items()}


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pattern=st.text(CHARACTERS, min_size=1, max_size=9))
def test_patterns_match_as_in_git(judge_of: Path, pattern: str) -> None:
    inside = False  # git does not let a class hold a slash; we do not look for one there
    for char in pattern:
        inside = (inside or char == "[") and char != "]"
        if inside and char == "/":
            return
    text = f"{pattern} export-ignore\n"
    ours, theirs = (
        we_say(text, TREE, "export-ignore"),
        git_says(judge_of, text, TREE, "export-ignore"),
    )
    assert ours == theirs


LINES = st.lists(
    st.sampled_from(
        [
            "*.py export-ignore", "a -export-ignore", "a !export-ignore", "*.py private", "b",
            "[attr]private export-ignore", "a private", "a -private", "# a export-ignore",
            '"a" export-ignore', '"\\141" export-ignore', '"a export-ignore', "a/** export-ignore",
            "**/b export-ignore=true", "ab export-ignore -export-ignore", "!ab export-ignore",
            "a\texport-ignore", "a export-ignore\r", f"a {'x' * 2040} export-ignore", "b x\x0by",
        ]
    ),
    max_size=6,
)  # fmt: skip


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=LINES)
def test_lines_mean_what_they_mean_to_git(judge_of: Path, lines: list[str]) -> None:
    text = "\n".join(lines)
    paths = ("a", "b", "ab", "a.py", "a/b", "a/c.py")
    assert we_say(text, paths, "export-ignore") == git_says(judge_of, text, paths, "export-ignore")


def test_a_hostile_pattern_is_judged_in_time() -> None:
    lines = gitattributes.read({"": "*a*a*a*a*a*a*a*a*a*a*a*a*b export-ignore\n" * 300})
    deep = "/".join(["a" * 200] * 20)
    Published(ignores=lines["export-ignore"]).export_ignored(deep)
    stars = gitattributes.read({"": "**/a/" * 400 + "b export-ignore\n"})["export-ignore"]
    assert gitattributes.judge(stars, "a/" * 2000 + "c") is None


@given(st.text(string.printable, max_size=80))
def test_any_text_is_read(text: str) -> None:
    lines = gitattributes.read({"": text, "a": text})
    gitattributes.judge(lines["filter"], "a/b.py")


# --- archives -------------------------------------------------------------------------------------

ARCHIVED: PublishedFiles = {
    ".gitattributes": "tests export-ignore\ndocs/ export-ignore\n*.md export-ignore\n"
    "[attr]hidden export-ignore\n/top.py hidden\n*.bin filter=lfs\n",
    "pk/.gitattributes": "README.md -export-ignore\n/only.py export-ignore\ndocs !export-ignore\n",
    "hubconf.py": HUBCONF,
    "tests/a.py": "",
    "docs/b.py": "",
    "pk/tests/c.py": "",
    "pk/docs/d.py": "",
    "pk/README.md": "",
    "pk/only.py": "",
    "pk/er/only.py": "",
    "top.py": "",
    "pk/top.py": "",
    "README.md": "",
    "link.py": Link("pk/top.py"),
    "linked": Link("pk"),
    "w/x.bin": "plain",
    "w/y.dat": "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n",
}


def test_what_the_archive_holds(repository: MakeRepository) -> None:
    made = repository(ARCHIVED)
    made.write({"new.py": "", "fresh/x.py": "", "pk/new.py": ""})
    archived = subprocess.run(
        ["git", "-C", str(made.path), "archive", "HEAD"],
        env=clean_environment(made.home),
        capture_output=True,
        check=True,
    ).stdout
    listed = subprocess.run(["tar", "-t"], input=archived, capture_output=True, check=True)
    held = {path for path in listed.stdout.decode().split("\n") if path and path[-1] != "/"}
    published = source.read(made.path).published
    assert published.tracked
    for path in ARCHIVED:
        assert published.export_ignored(path) == (path not in held), path
    reasons = {path: published.why_absent(path) for path in published.files}
    assert reasons["link.py"] == published.why_absent("linked/top.py") == "symlink"
    assert published.why_absent("w/x.bin") == "lfs"
    assert published.why_absent("tests") == published.why_absent("tests/") == "export-ignored"
    assert published.untracked == ("fresh/x.py", "new.py", "pk/new.py")
    assert {published.why_absent(path) for path in ("new.py", "fresh", "fresh/x.py")} == {
        "untracked"
    }
    assert published.why_absent("pk") is published.why_absent("pk/er/only.py") is None
    assert published.why_absent("nowhere.py") is None
    assert published.holds("pk")
    assert published.holds("pk/top.py")
    assert not published.holds("nowhere.py")
    assert not published.holds("new.py")


def test_a_submodule_with_its_files(repository: MakeRepository) -> None:
    inner = repository({"tiny.py": ""}, name="octo/inner")
    made = repository({"hubconf.py": HUBCONF})
    made.git(
        *("-c", "protocol.file.allow=always", "submodule", "--quiet"),
        *("add", str(inner.path), "third/inner"),
    )
    published = source.read(made.path).published
    assert published.submodules == ("third/inner",)
    assert published.why_absent("third/inner/tiny.py") == "submodule"
    assert published.why_absent("third") is None
    assert published.untracked == ()


def test_submodules_without_git(tmp_path: Path) -> None:
    (tmp_path / "hubconf.py").write_text(HUBCONF)
    listed = "".join(f'[submodule "{n}"]\n\tpath = {n}\n' for n in ("empty", "full", "../out"))
    (tmp_path / ".gitmodules").write_text(listed)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a.py").write_text("")
    published = source.read(tmp_path).published
    assert published.submodules == ("empty",)
    assert not published.tracked
    assert published.why_absent("full/a.py") is None


def test_nothing_is_untracked_before_hubconf_is_added(repository: MakeRepository) -> None:
    made = repository({"README.md": ""})
    made.write({"hubconf.py": HUBCONF, "new.py": ""})
    published = source.read(made.path).published
    assert not published.tracked
    assert published.untracked == ()


def test_the_environment_of_a_hook_changes_nothing(
    repository: MakeRepository, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = repository({"hubconf.py": HUBCONF})
    for name in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"):
        monkeypatch.setenv(name, "/nowhere")
    assert source.read(made.path).published.tracked
