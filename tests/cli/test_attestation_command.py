"""``--attestation``: written where something is proven, refused where it is not, never half."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from attesting import as_numbers, as_toto, proof
from conftest import RunHubpub
from hubpub.output import attestation, reports
from reporting import HOSTILE


def saved(folder: Path, report: dict[str, Any], name: str = "report.json") -> Path:
    path = folder / name
    path.write_text(reports.render("json", report))
    return path


def test_a_saved_report_is_attested(hubpub: RunHubpub, tmp_path: Path) -> None:
    out = tmp_path / "attestation.json"
    done = hubpub("report", saved(tmp_path, proof(HOSTILE)), "--attestation", out)
    assert (done.returncode, done.stdout) == (0, "")
    said = f"{out} is written, to be signed: 1 checkpoint and the commit {'c' * 40}"
    assert done.stderr == f"attestation: {said}\n"
    statement = attestation.statement(proof(HOSTILE))
    assert out.read_text() == attestation.dumps(statement)
    assert as_toto(out.read_text()) == as_numbers(statement)


def test_a_format_is_written_beside_it(hubpub: RunHubpub, tmp_path: Path) -> None:
    out = tmp_path / "attestation.json"
    report = saved(tmp_path, proof())
    done = hubpub("report", report, "--format", "markdown", "--attestation", out)
    assert (done.returncode, done.stdout) == (0, reports.render("markdown", proof()))
    assert json.loads(out.read_text())["predicate"] == proof()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"status": "fail"}, "no attestation of a run with the status fail"),
        ({"sandbox": {"tier": "none", "features": {}}}, "no attestation of a run with the sandbox"),
        ({"selection": None}, "no attestation of a part"),
    ],
)
def test_what_is_no_proof_leaves_what_was_there(
    changes: dict[str, Any], said: str, hubpub: RunHubpub, tmp_path: Path
) -> None:
    out = tmp_path / "attestation.json"
    out.write_text("old")
    done = hubpub("report", saved(tmp_path, proof(HOSTILE, **changes)), "--attestation", out)
    assert done.returncode == 2
    assert said in done.stderr
    assert "help: " in done.stderr
    assert out.read_text() == "old"
    assert sorted(path.name for path in tmp_path.glob("*.json")) == [out.name, "report.json"]


def test_a_report_that_is_none_is_not_attested(hubpub: RunHubpub, tmp_path: Path) -> None:
    broken = proof()
    broken["checkpoints"][0]["sha256"] = "\x1b[31m"
    done = hubpub("report", saved(tmp_path, broken), "--attestation", tmp_path / "out.json")
    assert done.returncode == 2
    assert "at checkpoints/0/sha256" in done.stderr
    assert not (tmp_path / "out.json").exists()


def shard(number: int, name: str, **changes: Any) -> dict[str, Any]:
    report = proof(**changes)
    report["entrypoints"][0]["name"] = name
    report["checkpoints"][0]["entrypoints"] = [name]
    report["findings"] = report["findings"][:1] if report["status"] == "fail" else []
    del report["lock"]
    report["selection"] |= {"shard": f"{number}/2", "listed": ["a", "b"], "whole": False}
    return report


@pytest.mark.parametrize("status", ["pass", "fail"])
def test_shards_are_attested_joined(status: str, hubpub: RunHubpub, tmp_path: Path) -> None:
    out = tmp_path / "attestation.json"
    one = saved(tmp_path, shard(1, "a"), "1.json")
    two = saved(tmp_path, shard(2, "b", status=status), "2.json")
    assert hubpub("report", one, "--attestation", out).returncode == 2
    done = hubpub("report", "merge", one, two, "--attestation", out)
    if status == "pass":
        assert done.returncode == 0, done.stderr
        assert json.loads(out.read_text())["predicate"]["selection"]["whole"] is True
    else:
        assert done.returncode == 1
        assert f"{out} was not written: only a run that passes is attested" in done.stderr
        assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((".", "--working-tree"), "--attestation does not go with --working-tree"),
        (("octo/net", "--sandbox", "none"), "--attestation does not go with --sandbox none"),
        (("octo/net", "--entrypoint", "net"), "--attestation does not go with a part"),
        (("octo/net", "--shard", "1/2"), "--attestation does not go with a part"),
        (("octo/net", "--checkpoints", "."), "--attestation does not go with --checkpoints"),
    ],
)
def test_what_could_not_be_attested_is_not_begun(
    arguments: tuple[str, ...], said: str, hubpub: RunHubpub, tmp_path: Path
) -> None:
    """The mirror is empty: whatever went to it would end with exit code 4."""
    done = hubpub("verify", *arguments, "--attestation", tmp_path / "out.json")
    assert done.returncode == 2
    assert said in done.stderr
    assert "help: " in done.stderr


@pytest.mark.parametrize(("place", "said"), [("no/such", "no directory"), (".", "is a directory")])
@pytest.mark.parametrize("words", [("verify", "octo/net"), ("report", "no-such-report.json")])
def test_a_place_that_is_none(
    words: tuple[str, str], place: str, said: str, hubpub: RunHubpub, tmp_path: Path
) -> None:
    done = hubpub(*words, "--attestation", place, cwd=tmp_path)
    assert done.returncode == 2
    assert f"--attestation {place}: " in done.stderr
    assert said in done.stderr


def test_nothing_is_written_where_nothing_was_proven(hubpub: RunHubpub, tmp_path: Path) -> None:
    done = hubpub("verify", "octo/none:v1.0", "--attestation", tmp_path / "out.json")
    assert done.returncode == 4
    assert not (tmp_path / "out.json").exists()


def envelope(statement: Any, kind: str = "application/vnd.in-toto+json") -> dict[str, Any]:
    payload = base64.b64encode(json.dumps(statement).encode()).decode()
    return {"payloadType": kind, "payload": payload, "signatures": [{"sig": "bm9uZQ=="}]}


STATEMENT = attestation.statement(proof(HOSTILE))
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"


@pytest.mark.parametrize(
    "content",
    [
        STATEMENT,
        envelope(STATEMENT),
        {"mediaType": BUNDLE, "verificationMaterial": {}, "dsseEnvelope": envelope(STATEMENT)},
        [{"attestation": {}, "verificationResult": {"statement": STATEMENT}}],
        STATEMENT | {"subject": STATEMENT["subject"][:-1]},
    ],
    ids=["statement", "envelope", "bundle", "gh", "without the commit"],
)
def test_the_report_in_an_attestation_is_shown(
    content: Any, hubpub: RunHubpub, tmp_path: Path
) -> None:
    file, again = tmp_path / "attestation.json", tmp_path / "again.json"
    file.write_text(json.dumps(content))
    done = hubpub("report", file, "--format", "json", "--attestation", again)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == STATEMENT["predicate"]
    assert f"{file} is one, and no signature was checked" in done.stderr
    assert json.loads(again.read_text()) == STATEMENT


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (STATEMENT | {"predicateType": "https://slsa.dev/provenance/v1"}, "of another type: https"),
        (STATEMENT | {"predicateType": ["\x1b[31m"] * 999}, "is an attestation of another type"),
        (STATEMENT | {"predicate": {}}, "is no report of this version"),
        (STATEMENT | {"predicate": None}, "is no report of this version"),
        (STATEMENT | {"subject": None}, "of something that is not in its report: null"),
        (STATEMENT | {"subject": [1]}, "of something that is not in its report: null"),
        (STATEMENT | {"subject": [{"digest": {}}]}, "that is not in its report: {}"),
        (STATEMENT | {"subject": [{"digest": {"sha256": ["\x1b"]}}]}, "not in its report"),
        (STATEMENT | {"subject": [{"digest": {"sha256": "b" * 64}}]}, "not in its report"),
        (STATEMENT | {"subject": [{"digest": {"gitCommit": "d" * 40}}]}, "not in its report"),
        (
            STATEMENT | {"subject": [{"digest": {"sha256": "a" * 64, "sha512": "0" * 128}}]},
            "not in its report",
        ),
        (envelope(STATEMENT, "text/plain"), "is an envelope of another type: text/plain"),
        (envelope(STATEMENT) | {"payload": "\x1b"}, "payload cannot be read"),
        (envelope(STATEMENT) | {"payload": None}, "payload cannot be read"),
        (envelope(STATEMENT) | {"payload": "W1tb"}, "payload cannot be read"),
        ({"payloadType": "application/vnd.in-toto+json"}, "payload cannot be read"),
        (envelope([]), "is no report of this version"),
        (envelope({}), "is no report of this version"),
        ({"dsseEnvelope": None}, "is no report of this version"),
        ([{"verificationResult": {"statement": 1}}], "is no report of this version"),
        ([STATEMENT, STATEMENT], "is no report of this version"),
        ([[[]]], "is no report of this version"),
    ],
)
def test_an_attestation_that_is_none(
    content: Any, said: str, hubpub: RunHubpub, tmp_path: Path
) -> None:
    file = tmp_path / "attestation.json"
    file.write_text(json.dumps(content))
    done = hubpub("report", file)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert "\x1b" not in done.stderr
    assert done.stdout == ""
