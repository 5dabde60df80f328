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


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("https://github.com/octo/net", "use octo/net"),
        ("https://github.com/octo/net.git", "use octo/net"),
        ("https://github.com/octo/net/tree/v1.0", "use octo/net:v1.0"),
        ("git@github.com:octo/net.git", "use octo/net"),
        ("octo/net.git", "use octo/net"),
        ("octo/net.git:v1", "use octo/net:v1"),
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


HEADS = {"main": A, "feat/x": B, "both": B}
TAGS = {"v1.0": A, "v1.10": C, "v1.9": B, "both": A}


@pytest.mark.parametrize(
    ("text", "kind", "refname", "remark"),
    [
        ("o/r", "branch", "refs/heads/main", None),
        ("o/r:v1.0", "tag", "refs/tags/v1.0", None),
        ("o/r:feat/x", "branch", "refs/heads/feat/x", None),
        ("o/r:both", "branch", "refs/heads/both", "ambiguous-ref"),
        ("o/r:" + A, "commit", "refs/heads/main", "commit-pin"),
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
        ("o/r:" + "d" * 40, HEADS, "make a tag of the commit"),
        ("o/r", {"develop": A}, "verify a ref by name"),
    ],
)
def test_resolve_says_what_to_load_instead(text: str, heads: dict[str, str], advice: str) -> None:
    with pytest.raises(CannotVerifyError) as caught:
        resolve(parse(text), heads, TAGS, "main")
    assert caught.value.exit_code == 4
    assert advice in str(caught.value.help)
