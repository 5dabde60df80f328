"""The report in an attestation, however that is wrapped, and what is none."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from attesting import proof
from hubpub.errors import UsageError
from hubpub.output import attestation
from hubpub.verify import attested
from reporting import HOSTILE


def envelope(statement: Any, kind: str = "application/vnd.in-toto+json") -> dict[str, Any]:
    payload = base64.b64encode(json.dumps(statement).encode()).decode()
    return {"payloadType": kind, "payload": payload, "signatures": [{"sig": "bm9uZQ=="}]}


STATEMENT = attestation.statement(proof(HOSTILE))
OTHER = STATEMENT | {"predicateType": "https://slsa.dev/provenance/v1", "predicate": {}}
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
def test_the_report_in_an_attestation_is_read(content: Any, tmp_path: Path) -> None:
    file = tmp_path / "attestation.json"
    file.write_text(json.dumps(content))
    assert attested.read(file) == (STATEMENT["predicate"], True)


def test_a_report_is_no_attestation(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    file.write_text(json.dumps(proof(HOSTILE)))
    assert attested.read(file) == (proof(HOSTILE), False)


def test_all_that_was_signed_of_a_file(tmp_path: Path) -> None:
    """As `gh attestation download` writes it: a line for each bundle, whatever it is of."""
    file = tmp_path / "sha256:aa.jsonl"
    lines = [json.dumps({"dsseEnvelope": envelope(each)}) for each in (OTHER, STATEMENT)]
    file.write_text("\n".join([*lines, ""]))
    assert attested.read(file) == (STATEMENT["predicate"], True)
    file.write_text("{}\n{")
    with pytest.raises(UsageError, match="is no JSON"):
        attested.read(file)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (OTHER, "is an attestation of another type: https://slsa.dev/provenance/v1"),
        (STATEMENT | {"predicateType": ["\x1b[31m"] * 999}, "is an attestation of another type"),
        (STATEMENT | {"predicate": {}}, "is no report of this version"),
        (STATEMENT | {"predicate": None}, "is no report of this version"),
        (STATEMENT | {"subject": None}, "of something that is not in its report: null"),
        (STATEMENT | {"subject": []}, "of something that is not in its report: null"),
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
        ([STATEMENT, STATEMENT], "holds 2 attestations of the type https://github.com/hubpub"),
        ([OTHER, OTHER], "of another type: https://slsa.dev/provenance/v1, https://slsa.dev"),
        ([], "is no report of this version"),
        ([[[]]], "is no report of this version"),
    ],
)
def test_an_attestation_that_is_none(content: Any, said: str, tmp_path: Path) -> None:
    file = tmp_path / "attestation.json"
    file.write_text(json.dumps(content))
    with pytest.raises(UsageError) as raised:
        attested.read(file)
    assert said in raised.value.message
    assert len(raised.value.message) < 1000


def test_what_does_not_end_is_no_report() -> None:
    with pytest.raises(UsageError, match="larger than 256 MiB"):
        attested.read(Path("/dev/zero"))
