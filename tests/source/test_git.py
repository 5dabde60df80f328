"""Git's own files against git itself: every fact beside what git says of the same clone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubpub.source import git
from hubpub.source.facts_git import Git
from hubpub.source.files import Files
from publishing import Repository


@pytest.fixture
def upstream(tmp_path: Path) -> Repository:
    """What a remote holds: main, two more branches, one with a slash, and tags of both kinds."""
    repository = Repository(tmp_path / "upstream", tmp_path / "home")
    repository.path.mkdir()
    repository.git("init", "--quiet", "--initial-branch=main")
    repository.commit({"hubconf.py": "x = 1\n"})
    repository.git("tag", "v1.9")
    repository.git("tag", "--annotate", "--message", "ten", "v1.10")
    repository.git("tag", "v1.10rc1")
    for name in ("feature/one", "release"):
        repository.git("branch", name)
    repository.commit({"a.py": "x = 2\n"})
    return repository


def clone(upstream: Repository, name: str, *options: str) -> Repository:
    made = Repository(upstream.path.parent / name, upstream.home)
    upstream.git("clone", "--quiet", *options, upstream.path.as_uri(), str(made.path))
    return made


def names(repository: Repository, *patterns: str) -> set[str]:
    shown = repository.git("for-each-ref", "--format=%(refname:lstrip=2)", *patterns)
    return set(shown.split()) - {"origin/HEAD"}


Prepare = Callable[[Repository], Repository]


def packed(made: Repository) -> Repository:
    made.git("pack-refs", "--all")
    return made


def linked(made: Repository) -> Repository:
    made.git("worktree", "add", "--quiet", "-b", "side", str(made.path.parent / "linked"))
    return Repository(made.path.parent / "linked", made.home)


def submodule(made: Repository) -> Repository:
    around = Repository(made.path.parent / "around", made.home)
    around.path.mkdir()
    around.git("init", "--quiet")
    around.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add",
               made.path.parent.joinpath("upstream").as_uri(), "inner")  # fmt: skip
    return Repository(around.path / "inner", made.home)


@pytest.mark.parametrize("prepare", [lambda made: made, packed, linked, submodule])
def test_refs_are_those_of_git(upstream: Repository, prepare: Prepare) -> None:
    made = prepare(clone(upstream, "made"))
    found = git.read(Files(made.path))
    assert found.tags == ("v1.9", "v1.10rc1", "v1.10")
    assert set(found.tags) == names(made, "refs/tags")
    remote = {name.removeprefix("origin/") for name in names(made, "refs/remotes")}
    assert found.remote_branches == remote == {"main", "feature/one", "release"}
    assert found.branches == names(made, "refs/heads") | remote
    assert found.default == "main"
    assert (found.all_tags, found.all_branches) == (True, True)


@pytest.mark.parametrize(
    ("options", "all_tags", "all_branches"),
    [
        ((), True, True),
        (("--depth", "1"), False, False),
        (("--single-branch",), True, False),
        (("--no-tags",), False, True),
        (("--origin", "theirs"), True, True),
        (("--filter=blob:none",), True, True),
    ],
)
def test_what_a_clone_lacks(
    options: tuple[str, ...], all_tags: bool, all_branches: bool, upstream: Repository
) -> None:
    found = git.read(Files(clone(upstream, "made", *options).path))
    assert (found.all_tags, found.all_branches) == (all_tags, all_branches)
    assert found.default == "main"


def test_a_repository_that_was_never_pushed_is_not_judged(upstream: Repository) -> None:
    found = git.read(Files(upstream.path))
    assert found.remote_branches == frozenset()
    assert (found.default, found.all_tags, found.all_branches) == (None, False, False)


@pytest.mark.parametrize(
    ("url", "own"),
    [
        ("https://github.com/octo/net", ("octo/net",)),
        ("https://github.com/octo/net.git/", ("octo/net",)),
        ("https://www.github.com/octo/net.git", ("octo/net",)),
        ("https://ada:token@github.com/octo/net.git", ("octo/net",)),
        ("git@github.com:octo/net.git", ("octo/net",)),
        ("github.com:octo/my.net", ("octo/my.net",)),
        ("ssh://git@github.com/octo/net.git", ("octo/net",)),
        ("ssh://git@ssh.github.com:443/octo/net.git", ("octo/net",)),
        ("git://github.com/octo/net", ("octo/net",)),
        ("https://GitHub.com/Octo/Net", ("Octo/Net",)),
        ("https://notgithub.com/octo/net", ()),
        ("https://gitlab.com/octo/net", ()),
        ("https://github.com.evil.example/octo/net", ()),
        ("/srv/git/octo/net.git", ()),
        ("https://github.com/octo", ()),
    ],
)
def test_who_owns_it(url: str, own: tuple[str, ...], upstream: Repository) -> None:
    upstream.git("remote", "add", "fork", "https://github.com/fork/net")
    upstream.git("remote", "add", "origin", url)
    upstream.git("remote", "add", "upstream", "https://github.com/first/net")
    upstream.git("config", "url.https://github.com/other/.insteadOf", "gh:")
    assert git.read(Files(upstream.path)).own == (*own, "first/net", "fork/net")


@pytest.mark.parametrize("content", ["", "gitdir: ../nowhere", "gitdir: ", "x" * 5000, "\0"])
def test_no_git(content: str, tmp_path: Path) -> None:
    (tmp_path / ".git").write_text(content)
    found = git.read(Files(tmp_path))
    assert (found, found.own) == (Git(), ())


_WORDS = [
    "[remote ", '"origin"', "]", "\n", "url", "=", "https://github.com/a/b", "\\", '"', "fetch",
    "# ", "refs/tags/", "^", " ", "0" * 40, "ref: refs/remotes/origin/", "\0", "é",
]  # fmt: skip


@given(
    st.dictionaries(
        st.sampled_from(["config", "packed-refs", "shallow", "refs/remotes/origin/HEAD", "HEAD"]),
        st.lists(st.sampled_from(_WORDS)).map("".join) | st.text(),
    )
)
def test_whatever_gits_files_hold(
    tmp_path_factory: pytest.TempPathFactory, held: dict[str, str]
) -> None:
    root = tmp_path_factory.mktemp("r")
    for name, text in held.items():
        place = root / ".git" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text.encode("utf-8", "surrogatepass"))
    found = git.read(Files(root))
    assert all(found.tags)
    assert all(name.count("/") == 1 for name in found.own)
