"""Attestations of real runs: what was proven is what is named, and a failed run writes none."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from attesting import as_numbers, as_toto
from conftest import MakeRepository, RunHubpub
from hubpub.verify import attested
from proving import HEAD, ONCE, Prove

DATA = b"weights of no use"
NAME = f"m-{hashlib.sha256(DATA).hexdigest()[:8]}.pth"
HUBCONF = f"""
def net():
    \"\"\"A net.\"\"\"
    with open(os.path.join(os.path.dirname(__file__), "w", "{NAME}"), "rb") as file:
        file.read()
    return torch.nn.Linear(1, 1)
"""


@pytest.mark.sandbox
def test_a_run_is_attested(prove: Prove, hubpub: RunHubpub, tmp_path: Path) -> None:
    out, again = tmp_path / "attestation.json", tmp_path / "again.json"
    run = prove(HUBCONF, *ONCE, "--attestation", out, files={f"w/{NAME}": DATA.decode()})
    assert run.code == 0, run.text
    statement = json.loads(out.read_text())
    attested.validate(statement)
    assert as_toto(out.read_text()) == as_numbers(statement)
    assert statement["predicate"] == run.report
    assert statement["subject"] == [
        {"name": f"w/{NAME}", "digest": {"sha256": hashlib.sha256(DATA).hexdigest()}},
        {"name": "_", "digest": {"gitCommit": run.report["commit"]}},
    ]
    assert "1 checkpoint and the commit" in run.text
    assert hubpub("report", tmp_path / "report.json", "--attestation", again).returncode == 0
    assert again.read_bytes() == out.read_bytes()


@pytest.mark.sandbox
def test_a_run_that_fails_keeps_its_exit_code(
    repository: MakeRepository, hubpub: RunHubpub, tmp_path: Path
) -> None:
    published = repository({"hubconf.py": HEAD + "\ndef net():\n    raise ValueError\n"})
    out = tmp_path / "attestation.json"
    done = hubpub("verify", published.path, "--device", "cpu", "--attestation", out)
    assert done.returncode == 1
    assert f"{out} was not written: only a run that passes is attested" in done.stderr
    assert not out.exists()
