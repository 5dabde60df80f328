"""``owner/repo[:ref]`` as torch.hub reads it; the table is LOADER's behaviour, tried."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubpub.errors import CannotVerifyError, HubpubError, UsageError
from hubpub.verify.reference import Target, parse, resolve

A, B, C = "a" * 40, "b" * 40, "c" * 40


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("octo/net", Target("octo", "net", None)),
        ("octo/net:v1.0", Target("octo", "net", "v1.0")),
        ("octo/net.pytorch:feat/x", Target("octo", "net.pytorch", "feat/x")),
        ("Octo-Cat/Net_2:" + A, Target("Octo-Cat", "Net_2", A)),
    ],
)
def test_parse_reads_what_torch_reads(text: str, expected: Target) -> None:
    assert parse(text) == expected


PASTED = {
    # what is pasted -> the form to use
    "https://github.com/octo/net": "octo/net",
    "http://github.com/octo/net/": "octo/net",
    "HTTPS://GitHub.com/octo/net": "octo/net",
    "https://www.github.com/octo/net": "octo/net",
    " https://github.com/octo/net ": "octo/net",
    "<https://github.com/octo/net>": "octo/net",
    "https://github.com/octo/net.git": "octo/net",
    "https://github.com/octo/net.git@v1.0": "octo/net:v1.0",
    "git+https://github.com/octo/net.git@v1.0#egg=net": "octo/net:v1.0",
    "https://github.com/octo/net@feat/x": "octo/net:feat/x",
    "https://github.com/octo/net:v1.0": "octo/net:v1.0",
    "https://github.com/octo/net/tree/v1.0": "octo/net:v1.0",
    "https://github.com/octo/net/tree/v1.0/": "octo/net:v1.0",
    "https://github.com/octo/net/tree/feat/x": "octo/net:feat/x",
    "https://github.com/octo/net/tree/": "octo/net",
    "https://github.com/octo/net/tree/v1.0?tab=readme#top": "octo/net:v1.0",
    "https://github.com/octo/net?tab=readme-ov-file": "octo/net",
    "https://github.com/octo/net#readme": "octo/net",
    "https://github.com/octo/net/releases/tag/v1.0": "octo/net:v1.0",
    "https://github.com/octo/net/releases/tag/feat%2Fx": "octo/net:feat/x",
    "https://github.com/octo/net/releases/download/v1.0/net.pth": "octo/net:v1.0",
    "https://github.com/octo/net/releases": "octo/net",
    "https://github.com/octo/net/releases/latest": "octo/net",
    f"https://github.com/octo/net/commit/{A}": f"octo/net:{A}",
    "https://github.com/octo/net/commits/main": "octo/net:main",
    "https://github.com/octo/net/blob/v1.0/hubconf.py": "octo/net:v1.0",
    "https://github.com/octo/net/blob/feat/x/hubconf.py": "octo/net:feat/x",
    "https://github.com/octo/net/blob/v1.0/net/model.py": "octo/net:v1.0",
    "https://raw.githubusercontent.com/octo/net/v1.0/hubconf.py": "octo/net:v1.0",
    "https://raw.githubusercontent.com/octo/net/refs/heads/main/a.py": "octo/net:main",
    "https://github.com/octo/net/archive/refs/tags/v1.0.zip": "octo/net:v1.0",
    "https://github.com/octo/net/archive/v1.0.tar.gz": "octo/net:v1.0",
    "https://github.com/octo/net/zipball/v1.0": "octo/net:v1.0",
    "https://codeload.github.com/octo/net/zip/refs/heads/main": "octo/net:main",
    "https://github.com/octo/net/pull/12": "octo/net",
    "github.com/octo/net": "octo/net",
    "github.com/octo/net/tree/v1.0": "octo/net:v1.0",
    "git@github.com:octo/net.git": "octo/net",
    "git@github.com:octo/net": "octo/net",
    "ssh://git@github.com/octo/net.git": "octo/net",
    "ssh://git@github.com:22/octo/net.git": "octo/net",
    "git://github.com/octo/net.git": "octo/net",
    "https://ghe.example.org:8443/octo/net/tree/v1": "octo/net:v1",
    "https://github.com/octo/net/tree/a..b": "octo/net",
    "octo/net.git": "octo/net",
    "octo/net.git:v1": "octo/net:v1",
    "octo/net.git:": "octo/net",
    "octo/net@v1.0": "octo/net:v1.0",
    "octo/net#v1.0": "octo/net:v1.0",
    "octo/net/tree/v1.0": "octo/net:v1.0",
    "octo/net/": "octo/net",
    " octo/net:v1.0": "octo/net:v1.0",
}


@pytest.mark.parametrize(("text", "form"), PASTED.items())
def test_what_is_pasted_is_refused_with_the_form_to_use(text: str, form: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text)
    assert caught.value.help == f"use {form}"
    assert parse(form).repo == "net"  # advice that works


def test_a_login_in_a_url_is_not_repeated() -> None:
    for options in ({}, {"working_tree": True}):
        with pytest.raises(UsageError) as caught:
            parse("https://ada:ghp_secret@github.com/octo/net", **options)
        assert "secret" not in f"{caught.value.message} {caught.value.help}"
    with pytest.raises(UsageError) as caught:
        parse("https://ada:ghp_secret@github.com/octo/net")
    assert caught.value.help == "use octo/net"


@given(
    st.text(max_size=60), st.sampled_from(["https://", "https://github.com/", "git@", "o/r", ""])
)
def test_advice_is_never_wrong_itself(text: str, start: str) -> None:
    try:
        parse(start + text)
    except HubpubError as error:
        help_ = str(error.help)
        if help_.startswith("use "):
            parse(help_.removeprefix("use "))


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("https://github.com/octo", "such as"),
        ("https://github.com", "such as"),
        ("github.com/octo", "such as"),
        ("file:///srv/net", "such as"),
        ("https://[/x", "such as"),
        ("octo/net:", "name a tag"),
        ("octo/net:a:b", "cannot hold one"),
        ("net", "such as"),
        ("a/b/c", "such as"),
        ("octo/net:-x", "a branch or tag name"),
        ("octo/net:a..b", "a branch or tag name"),
        ("octo/net:a b", "a branch or tag name"),
        ("octo/net:x.lock", "a branch or tag name"),
        ("octo/net:@{0}", "a branch or tag name"),
        ("--upload-pack=x/y", "such as"),
        ("", "such as"),
        (".:", "name one"),
    ],
)
def test_parse_refuses_with_the_form_to_use(text: str, advice: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text)
    assert advice in f"{caught.value.message} {caught.value.help}"
    assert caught.value.exit_code == 2


def test_a_path_is_a_local_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my net").mkdir()
    monkeypatch.chdir(tmp_path)
    found = parse("./my net:v1")
    assert (found.path, found.ref, found.repo) == (tmp_path / "my net", "v1", "my-net")
    assert parse("my net").path == tmp_path / "my net"
    assert parse(str(tmp_path), working_tree=True).working_tree


@pytest.mark.parametrize("text", ["./nowhere", "octo/net"])
def test_working_tree_needs_a_directory(text: str) -> None:
    with pytest.raises(UsageError):
        parse(text, working_tree=True)


def test_a_folder_inside_a_repository_names_its_root(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "sub" / "deep").mkdir(parents=True)
    with pytest.raises(UsageError) as caught:
        parse(str(tmp_path / "sub" / "deep"))
    assert caught.value.help == f"hubpub verify {tmp_path}"
    assert parse(str(tmp_path / "sub"), working_tree=True).working_tree
    assert parse(str(tmp_path)).path == tmp_path


@given(st.text(max_size=60))
def test_parse_never_fails_in_another_way(text: str) -> None:
    try:
        target = parse(text)
    except HubpubError:
        return
    assert target.path is not None or (target.owner and target.repo)


D, E, F = "d" * 40, "e" * 40, "f" * 40
HEADS = {"main": A, "feat/x": B, "both": B, "new": D}
TAGS = {"v1.0": A, "v1.10": C, "v1.9": B, "both": A}


@pytest.mark.parametrize(
    ("text", "kind", "refname", "remark"),
    [
        ("o/r", "branch", "refs/heads/main", None),
        ("o/r:v1.0", "tag", "refs/tags/v1.0", None),
        ("o/r:feat/x", "branch", "refs/heads/feat/x", None),
        ("o/r:both", "branch", "refs/heads/both", "ambiguous-ref"),
        ("o/r:" + A, "commit", "refs/tags/v1.0", "commit-pin"),
        ("o/r:" + B[:8], "commit", "refs/tags/v1.9", "commit-pin"),
        ("o/r:" + D, "commit", "refs/heads/new", "commit-pin"),
        ("o/r:" + C[:7], "commit", "refs/tags/v1.10", "commit-pin"),
    ],
)
def test_resolve_takes_what_torch_takes(
    text: str, kind: str, refname: str, remark: str | None
) -> None:
    found = resolve(parse(text), HEADS, TAGS, "main")
    assert (found.kind, found.refname) == (kind, refname)
    assert [name for name, _ in found.remarks] == ([remark] if remark else [])


def test_resolve_without_a_ref_asks_main_then_master_whatever_the_default_is() -> None:
    target = parse("o/r")
    assert resolve(target, {"master": A}, {}, "master").ref == "master"
    stale = resolve(target, {"main": A, "master": B}, {}, "master")
    assert stale.ref == "main"
    assert [name for name, _ in stale.remarks] == ["default-branch"]


@pytest.mark.parametrize(
    ("text", "heads", "advice"),
    [
        ("o/r:v9", HEADS, "tags: both, v1.0, v1.9, v1.10"),
        ("o/r:" + "e" * 40, HEADS, "make a tag of the commit"),
        ("o/r", {"develop": A}, "verify a ref by name, such as the default branch o/r:develop"),
        ("o/r:refs/tags/v1.0", HEADS, "use o/r:v1.0"),
        ("o/r:tags/v1.0", HEADS, "use o/r:v1.0"),
        ("o/r:refs/heads/feat/x", HEADS, "use o/r:feat/x"),
        ("o/r:origin/main", HEADS, "use o/r:main"),
        ("o/r:V1.0", HEADS, "use o/r:v1.0"),
        ("o/r:1.0", HEADS, "use o/r:v1.0"),
        ("o/r:v1.9.0", HEADS, "tags: both"),
        ("o/r:HEAD", HEADS, "use o/r, which is main"),
    ],
)
def test_resolve_says_what_to_load_instead(text: str, heads: dict[str, str], advice: str) -> None:
    with pytest.raises(CannotVerifyError) as caught:
        resolve(parse(text), heads, TAGS, "main" if "main" in heads else "develop")
    assert caught.value.exit_code == 4
    assert advice in str(caught.value.help)


@pytest.mark.parametrize(
    ("ref", "said"),
    [
        (A, "the tag 'v1.0' is the same commit: use o/r:v1.0"),
        (C[:9], "the tag 'v1.10' is the same commit: use o/r:v1.10"),
        (F, "the tag 'new' does, and there is a branch of that name: make another tag"),
        (D, "the branch 'new' alone ends there, and it moves: make a tag of the commit"),
    ],
)
def test_a_commit_is_told_the_tag_to_use(ref: str, said: str) -> None:
    tags = TAGS | {"new": F}
    ((_, text),) = resolve(parse(f"o/r:{ref}"), HEADS, tags, "main").remarks
    assert text.endswith(said)


def test_the_start_of_several_commits_is_refused() -> None:
    heads = {"one": "abcdef1" + "0" * 33, "two": "abcdef1" + "1" * 33}
    with pytest.raises(CannotVerifyError) as caught:
        resolve(parse("o/r:abcdef1"), heads, {}, "one")
    assert "starts the commits of 'one' and 'two'" in caught.value.message


def test_the_branch_that_is_taken_without_a_ref_may_be_a_tag_too() -> None:
    found = resolve(parse("o/r"), {"main": A}, {"main": B}, "main")
    assert (found.refname, [name for name, _ in found.remarks]) == (
        "refs/heads/main", ["ambiguous-ref"],
    )  # fmt: skip


def test_a_local_repository_without_a_branch_is_its_commit(tmp_path: Path) -> None:
    """As a CI system checks out a tag or a pull request: HEAD names no branch."""
    found = resolve(parse(str(tmp_path)), HEADS, TAGS, None, E)
    assert (found.ref, found.kind, found.refname) == (E, "commit", "HEAD")
    with pytest.raises(CannotVerifyError):
        resolve(parse(str(tmp_path)), {}, {}, "main", None)
