"""``--attestation``: written where something is proven, refused where it is not, never half."""

from __future__ import annotations

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
    broken = {**report["findings"][0], "severity": "error"}
    report["findings"] = [broken] if report["status"] == "fail" else []
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
        (("octo/net", "--skip", "weights"), "--attestation does not go with --skip weights"),
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


def test_the_report_in_an_attestation_is_shown(hubpub: RunHubpub, tmp_path: Path) -> None:
    file, again = tmp_path / "attestation.json", tmp_path / "again.json"
    statement = attestation.statement(proof(HOSTILE))
    file.write_text(attestation.dumps(statement))
    done = hubpub("report", file, "--format", "json", "--attestation", again)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == statement["predicate"]
    assert f"{file} is one, and no signature was checked" in done.stderr
    assert again.read_bytes() == file.read_bytes()


def test_an_attestation_that_is_none_is_told_without_its_controls(
    hubpub: RunHubpub, tmp_path: Path
) -> None:
    file = tmp_path / "attestation.json"
    hostile = {"predicateType": [HOSTILE] * 9}
    file.write_text(json.dumps(attestation.statement(proof()) | hostile))
    done = hubpub("report", file)
    assert (done.returncode, done.stdout) == (2, "")
    assert "is an attestation of another type" in done.stderr
    assert "\x1b" not in done.stderr
