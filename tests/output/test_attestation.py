"""A report as an in-toto statement: what is in it, whom it names, and what is none."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import unicodedata
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from attesting import as_numbers, as_toto, checkpoint, proof
from conftest import ROOT
from hubpub.errors import UsageError
from hubpub.output import attestation
from hubpub.verify import attested
from reporting import HOSTILE

A, B, C = "a" * 64, "b" * 64, "c" * 64
ANY = st.text(max_size=300) | st.text(
    alphabet=st.sampled_from("\x1b\n\r\t\x00\u2028\u202e\u200b\udcff:#[]@/.* sha256"), max_size=30
)


def made(**changes: Any) -> dict[str, Any]:
    """The statement of a proof, which passes the schema and in-toto's library."""
    statement = attestation.statement(proof(**changes))
    attested.validate(statement)
    assert as_toto(attestation.dumps(statement)) == as_numbers(statement)
    return statement


def files(*checkpoints: dict[str, Any], **changes: Any) -> list[tuple[str, str]]:
    """Name and sha256 of the subjects that are files."""
    subjects = made(checkpoints=list(checkpoints), **changes)["subject"][:-1]
    return [(item["name"], item["digest"]["sha256"]) for item in subjects]


def test_the_predicate_is_the_report() -> None:
    statement = made()
    assert statement["predicate"] == proof()
    assert statement["predicateType"] == attestation.PREDICATE_TYPE
    assert attestation.PREDICATE_TYPE.endswith(f"/v{proof()['version']}")
    folder = attestation.PREDICATE_TYPE.partition("/tree/main/")[2]
    page = ROOT / folder / "README.md"
    assert f"Type URI: {attestation.PREDICATE_TYPE}\n" in page.read_text(encoding="utf-8")


def test_the_same_report_gives_the_same_bytes() -> None:
    one, two = (attestation.dumps(attestation.statement(proof(HOSTILE))) for _ in range(2))
    assert one == two
    assert one.isascii()
    assert one.count("\n") == 1
    assert "##[" not in one


@pytest.mark.parametrize(
    ("reference", "name", "uri"),
    [
        ({}, "octo/net:v1.0", "git+https://github.com/octo/net@refs/tags/v1.0"),
        (
            {"kind": "branch", "ref": "dev/é#@%"},
            "octo/net:dev/é#@%",
            "git+https://github.com/octo/net@refs/heads/dev/%C3%A9%23%40%25",
        ),
        (
            {"kind": "commit", "ref": "c" * 40},
            f"octo/net:{'c' * 40}",
            f"git+https://github.com/octo/net@{'c' * 40}",
        ),
        (
            {"url": "https://GHE.example.org:8443/Octo/net", "owner": "Octo"},
            "Octo/net:v1.0",
            "git+https://ghe.example.org:8443/Octo/net@refs/tags/v1.0",
        ),
        ({"url": None}, "_", None),
        ({"url": "https://github.com/octo/other"}, "_", None),
        ({"url": "https://github.com/x y/octo/net"}, "_", None),
        ({"url": "https://u:p@github.com/octo/net"}, "_", None),
        ({"url": "http://github.com/octo/net"}, "_", None),
        ({"url": "file:///srv/octo/net"}, "_", None),
        ({"url": f"https://{'h' * 300}/octo/net"}, "_", None),
        ({"ref": None}, "_", None),
    ],
)
def test_the_commit_is_the_last_subject(
    reference: dict[str, Any], name: str, uri: str | None
) -> None:
    subject = made(reference=proof()["reference"] | reference)["subject"][-1]
    assert subject["digest"] == {"gitCommit": "c" * 40}
    assert subject["name"] == name
    assert subject.get("uri") == uri


def test_a_report_without_checkpoints_is_of_the_commit_alone() -> None:
    (subject,) = made(checkpoints=[], commit="d" * 64)["subject"]
    assert subject["digest"] == {"gitCommit": "d" * 64}


@pytest.mark.parametrize(
    ("checkpoints", "subjects"),
    [
        ([("b.pth", B), ("a.pth", A)], [("a.pth", A), ("b.pth", B)]),
        # A file of the tree is called by its path, which is one file; an other file, by its name.
        ([("m.pth", A, "x/m.pth"), ("m.pth", B, "y/m.pth")], [("x/m.pth", A), ("y/m.pth", B)]),
        # One content under two names is one artifact.
        ([("z.pth", A), ("a.pth", A)], [("a.pth", A)]),
        # One name of two contents: names tell subjects apart.
        ([("m.pth", B), ("m.pth", A)], [(f"m.pth@sha256:{A}", A), (f"m.pth@sha256:{B}", B)]),
        # Nor does a name that looks like such a one.
        (
            [(f"m.pth@sha256:{A}", C), ("m.pth", A), ("m.pth", B)],
            [
                (f"m.pth@sha256:{A}", A),
                (f"m.pth@sha256:{A}@sha256:{C}", C),
                (f"m.pth@sha256:{B}", B),
            ],
        ),
        # What is called as the commit is.
        ([("v1.0", A, "octo/net:v1.0")], [(f"octo/net:v1.0@sha256:{A}", A)]),
        ([("", A), (" ", B)], [(f"_@sha256:{A}", A), (f"_@sha256:{B}", B)]),
        ([("\t\n\udcff\u202e.pth", A)], [("\\t\\n\\udcff\\u202e.pth", A)]),
        ([("é" * 300, A)], [("é" * 255 + "...", A)]),
        ([("é" * 300, A), ("é" * 299, B)], [("é" * 255 + f"...@sha256:{x}", x) for x in (A, B)]),
        ([("::error::x", A)], [("\\x3a:error::x", A)]),
    ],
)
def test_checkpoints_are_subjects(
    checkpoints: list[tuple[str, ...]], subjects: list[tuple[str, str]]
) -> None:
    assert files(*(checkpoint(*item) for item in checkpoints)) == subjects
    assert files(*(checkpoint(*item) for item in reversed(checkpoints))) == subjects


@given(names=st.lists(st.tuples(ANY, ANY | st.none()), max_size=6), said=ANY)
@example(names=[(HOSTILE, HOSTILE)], said=HOSTILE)
@example(names=[("m", None), ("m", f"m@sha256:{'0' * 63}1")], said="")
def test_names_are_one_line_apart_and_bounded(
    names: list[tuple[str, str | None]], said: str
) -> None:
    checkpoints = [
        checkpoint(name, f"{index:064x}", path) for index, (name, path) in enumerate(names)
    ]
    statement = attestation.statement(proof(said, checkpoints=checkpoints))
    attested.validate(statement)
    text = attestation.dumps(statement)
    assert as_toto(text) == as_numbers(statement)
    subjects = [item["name"] for item in statement["subject"]]
    assert len(set(subjects)) == len(subjects) == len(names) + 1
    for name in subjects:
        assert 0 < len(name) <= 400
        assert name == name.strip()
        found = {unicodedata.category(char) for char in name}
        assert not found & {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
    # As actions/attest reads a line of checksums (src/subject.ts), made of each subject.
    for subject in statement["subject"][:-1]:
        line = f"{subject['digest']['sha256']}  {subject['name']}"
        digest, _, rest = line.partition(" ")
        assert (digest, rest[1:]) == (subject["digest"]["sha256"], subject["name"])


@given(owner=ANY, repo=ANY, ref=ANY | st.none(), kind=st.sampled_from(["tag", "branch"]))
@example(owner="octo", repo="net", ref="é /#?@\n\udcff", kind="tag")
@example(owner="a/../b", repo="c", ref="v1", kind="tag")
def test_a_uri_is_one_or_none(owner: str, repo: str, ref: str | None, kind: str) -> None:
    url = f"https://github.com/{owner}/{repo}"
    reference = {"owner": owner, "repo": repo, "ref": ref, "kind": kind, "url": url}
    statement = attestation.statement(proof(reference=proof()["reference"] | reference))
    attested.validate(statement)
    as_toto(attestation.dumps(statement))
    subject = statement["subject"][-1]
    if uri := subject.get("uri"):
        assert uri.isascii()
        assert uri.startswith(f"git+https://github.com/{owner}/{repo}@refs/")
        assert re.fullmatch("[A-Za-z0-9._/%~-]+", uri.partition("@")[2])
    else:
        assert subject["name"] == "_"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"status": "fail"}, "status fail"),
        ({"status": "error", "commit": None}, "status error"),
        ({"status": "interrupted"}, "status interrupted"),
        ({"sandbox": {"tier": "none", "features": {}}}, "the sandbox none"),
        ({"sandbox": {"tier": "not started", "features": {}}}, "the sandbox not started"),
        ({"selection": proof()["selection"] | {"whole": False}}, "of a part"),
        ({"selection": None}, "of a part"),
        ({"commit": None}, "of a working tree"),
        ({"reference": proof()["reference"] | {"kind": "worktree"}}, "of a working tree"),
        ({"reference": proof()["reference"] | {"kind": None}}, "of a working tree"),
        ({"network": [proof()["network"][0] | {"source": "supplied"}]}, "with --checkpoints"),
        (
            {"checkpoints": [checkpoint(f"{n}", f"{n:064x}") for n in range(1024)]},
            "can name 1024 files, and this report has 1024 checkpoints",
        ),
        ({"options": {"x": "x" * (16 << 20)}}, "can hold 16 MiB, and this report is 16.0 MiB"),
        ({"options": {"x": json.loads("[" * 40 + "]" * 40)}}, "can hold 32 levels"),
    ],
)
def test_what_is_no_proof_is_not_attested(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(UsageError) as raised:
        attestation.statement(proof(**changes))
    assert why in raised.value.message
    assert raised.value.help


def test_as_much_as_is_taken_is_attested() -> None:
    most = [checkpoint(f"{n}", f"{n:064x}") for n in range(1023)]
    assert len(made(checkpoints=most)["subject"]) == 1024
    deep = json.loads("[" * 30 + "1" + "]" * 30)
    assert made(options={"deep": deep})["predicate"]["options"]["deep"] == deep
    room = (16 << 20) - len(json.dumps(proof(options={"x": ""}), separators=(",", ":")))
    statement = attestation.statement(proof(options={"x": "x" * room}))
    predicate = json.dumps(statement["predicate"], separators=(",", ":"))
    assert len(predicate) == 16 << 20
    with pytest.raises(UsageError, match="16 MiB"):
        attestation.statement(proof(options={"x": "x" * (room + 1)}))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda it: it.pop("predicate"),
        lambda it: it.update(predicateType="https://slsa.dev/provenance/v1"),
        lambda it: it.update(subject=[]),
        lambda it: it["subject"][0].update(digest={}),
        lambda it: it["subject"][0].update(digest={"sha256": "A" * 64}),
        lambda it: it["subject"][-1].update(uri="git+https://a b/@x"),
        lambda it: it["predicate"].update(status="fail"),
        lambda it: it["predicate"].pop("selection"),
        lambda it: it["predicate"].update(commit=None),
        lambda it: it["predicate"]["sandbox"].update(tier="none"),
        lambda it: it["predicate"]["reference"].update(kind="worktree"),
        lambda it: it["predicate"]["network"][0].update(source="supplied"),
        lambda it: it["predicate"]["checkpoints"][0].update(sha256="x"),
    ],
)
def test_the_schema_holds_what_the_page_says(spoil: Any) -> None:
    statement = made()
    spoil(statement)
    with pytest.raises(jsonschema.ValidationError):
        attested.validate(statement)


def test_who_reads_may_meet_more() -> None:
    """in-toto's rule: what is not known is ignored. The schema takes it."""
    statement = made()
    statement["later"] = statement["predicate"]["later"] = 1
    statement["subject"][0] |= {"mediaType": "application/octet-stream"}
    attested.validate(statement)


def test_the_schemas_are_read_as_files_too(tmp_path: Path) -> None:
    """As an editor or check-jsonschema reads them: side by side."""
    jsonschema.Draft202012Validator.check_schema(attested.schema())
    file = tmp_path / "statement.json"
    schema = ROOT / "hubpub" / "schemas" / "attestation.json"
    program = Path(sys.executable).parent / "check-jsonschema"
    for change, code in ({}, 0), ({"version": 2}, 1):
        statement = made()
        statement["predicate"] |= change
        file.write_text(attestation.dumps(statement))
        done = subprocess.run(
            [program, "--no-cache", "--schemafile", schema, file], capture_output=True, text=True
        )
        assert done.returncode == code, done.stdout + done.stderr
