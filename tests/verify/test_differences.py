"""What a clone has and GitHub's zip has not: found in the tree, and told where a job meets it."""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import MakeRepository, RunHubpub
from hubpub.verify.checkout import checkout
from hubpub.verify.differences import differences, met
from hubpub.verify.git import Entry
from hubpub.verify.reference import parse
from proving import HEAD, Proof, Prove
from publishing import Files, Link, Mirror

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"
ATTRIBUTES = (
    "*.bin filter=lfs diff=lfs merge=lfs -text\nkept/ export-ignore\nalone.txt export-ignore\n"
)
TREE: Files = {
    "hubconf.py": "x = 1\n",
    ".gitattributes": ATTRIBUTES,
    "m.bin": POINTER,
    "real.bin": "weights",
    "link.txt": Link("real.bin"),
    "kept/a.txt": "a",
    "alone.txt": "b",
}


def with_module(repository: MakeRepository, files: Files) -> None:
    """Publish ``files`` with a submodule at ``third/party``, as v2.0."""
    published = repository(files)
    published.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},third/party")
    commit = published.git("commit-tree", published.git("write-tree"), "-p", "HEAD", "-m", "x")
    published.git("update-ref", "refs/tags/v2.0", commit)


def test_each_kind_is_found(repository: MakeRepository, mirror: Mirror, tmp_path: Path) -> None:
    with_module(repository, TREE)
    work = tmp_path / "work"
    work.mkdir()
    found = checkout(parse("octo/net:v2.0"), work, mirror.url)
    assert found.differs == {
        "alone.txt": "ignored",
        "kept/a.txt": "ignored",
        "link.txt": "link",
        "m.bin": "lfs",
        "third/party": "submodule",
    }


def test_a_pointer_counts_where_attributes_say_so(tmp_path: Path) -> None:
    """Elsewhere it is a text about LFS."""
    (tmp_path / "m.bin").write_text(POINTER)
    entries = [Entry("100644", len(POINTER), "m.bin")]
    assert differences(entries, tmp_path) == {}
    (tmp_path / ".gitattributes").write_text(ATTRIBUTES)
    entries.append(Entry("100644", 1, ".gitattributes"))
    assert differences(entries, tmp_path) == {"m.bin": "lfs"}


def test_no_more_are_kept_than_can_be_told(tmp_path: Path) -> None:
    entries = [Entry("160000", 0, f"m{number:04}") for number in range(3000)]
    assert list(differences(entries, tmp_path)) == [f"m{number:04}" for number in range(500)]


def test_many_entrypoints_make_one_finding() -> None:
    touched = {f"net{number}": ["m.bin", "other"] for number in range(5)}
    (found,) = met(touched, {"m.bin": "lfs", "unmet": "link"})
    assert found.message.endswith("zip: opened by net0, net1, net2 and 2 more")
    assert found.entrypoint is None


OPENS = """
HERE = os.path.dirname(__file__)

def pointer():
    "x"
    open(os.path.join(HERE, "m.bin")).read()
    return torch.nn.Linear(1, 1)

def absent():
    "x"
    open(os.path.join(HERE, "kept", "a.txt"))

def link():
    "x"
    open(os.path.join(HERE, "link.txt"), "rb").read()
    return torch.nn.Linear(1, 1)

def module():
    "x"
    sys.path.insert(0, os.path.join(HERE, "third", "party"))
    import no_such_module_at_all

def innocent():
    "x"
    open(os.path.join(HERE, "real.bin")).read()
    return torch.nn.Linear(1, 1)
"""


@pytest.mark.proof
def test_what_a_job_opens_of_them_is_a_finding(
    hubpub: RunHubpub, repository: MakeRepository, tmp_path: Path
) -> None:
    with_module(repository, {**TREE, "hubconf.py": HEAD + OPENS})
    file = tmp_path / "report.json"
    output = ("--device", "cpu", "--output-format", f"json:{file}")
    proof = Proof(hubpub("verify", "octo/net:v2.0", *output, "--output-format", "text"), file)
    found = [item for item in proof.report["findings"] if item["name"] == "not-as-in-a-clone"]
    assert [(item["entrypoint"], item["message"].split(",")[0]) for item in found] == [
        ("absent", "kept/a.txt is not in GitHub's zip"),
        ("link", "link.txt is a symbolic link"),
        ("pointer", "m.bin is a pointer of Git LFS in GitHub's zip: opened by pointer"),
        ("module", "third/party is a submodule"),
    ]
    assert {item["severity"] for item in found} == {"warning"}


@pytest.mark.proof
def test_nobody_can_be_made_to_name_other_paths(prove: Prove) -> None:
    """What a job says it opened is its claim."""
    from proving import FORGE

    forged = (
        FORGE
        + """
def net():
    "x"
    _claim('{"nonce": "NONCE", "ok": true, "touched": ["hubconf.py", "/etc/x", "\\\\u001b"]}')
"""
    )
    proof = prove(forged, files={".gitattributes": "a export-ignore\n", "a": "x"})
    assert proof.axis("net") == ("pass", "")
    assert "not-as-in-a-clone" not in {item["name"] for item in proof.report["findings"]}
