"""Attestations: the schema that none is written without passing, and the report in one.

One is read as whoever signed or checked it left it: the statement alone, a DSSE envelope, a bundle
of Sigstore, the bundles that ``gh attestation download`` writes, or what ``gh attestation verify
--format json`` says. No signature is checked here.
"""

from __future__ import annotations

import base64
import functools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hubpub.errors import UsageError
from hubpub.verify import report, reportfile

_PAYLOAD = "application/vnd.in-toto+json"
_LONGEST = 200


def validate(statement: object) -> None:
    """Hold ``statement`` against the schema; raises ``jsonschema.ValidationError``."""
    import jsonschema

    jsonschema.Draft202012Validator(schema()).validate(statement)


@functools.cache
def schema() -> Mapping[str, Any]:
    """The JSON Schema (2020-12) of an attestation, with that of the report in it."""
    path = Path(__file__).parent.parent / "schemas" / "attestation.json"
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    # As files the two lie side by side, which `report.json` in the one leads to.
    loaded["$id"] = "hubpub://schemas/attestation.json"
    loaded["$defs"]["report"] = {"$id": "report.json", **report.schema()}
    return loaded


def read(file: Path) -> tuple[dict[str, Any], bool]:
    """A report from a file, which anybody may have written, and whether it stood in an attestation.

    Raises:
        UsageError: the file cannot be read; it is no report; it is an attestation of another type,
            or of other files than its report.
    """
    document = reportfile.load(file)
    items = document if isinstance(document, list) else [document]
    statements = [found for item in items if (found := _statement(item, file)) is not None]
    if not statements:
        return reportfile.accepted(document, file), False
    statement = _ours(statements, file)
    found = reportfile.accepted(statement.get("predicate"), file)
    _refuse_others(statement, found, file)
    return found, True


def _ours(statements: Sequence[Mapping[str, Any]], file: Path) -> Mapping[str, Any]:
    """The one that hubpub wrote: a file of GitHub has all that were signed of a checkpoint."""
    wanted = schema()["properties"]["predicateType"]["const"]
    ours = [each for each in statements if each.get("predicateType") == wanted]
    if len(ours) == 1:
        return ours[0]
    if ours:
        raise UsageError(
            f"{file} holds {len(ours)} attestations of the type {wanted}",
            help="keep the line of the one that is to be shown",
        )
    others = ", ".join(str(each.get("predicateType")) for each in statements)[:_LONGEST]
    raise UsageError(
        f"{file} is an attestation of another type: {others}",
        help=f"take the one of the type {wanted}",
    )


def _statement(document: Any, file: Path) -> Mapping[str, Any] | None:
    """The statement in ``document``, however it is wrapped; None where it is no attestation."""
    if not isinstance(document, dict):
        return None
    if isinstance(result := document.get("verificationResult"), dict):
        document = result.get("statement")
    elif isinstance(envelope := document.get("dsseEnvelope", document), dict):
        document = _payload(envelope, file) if "payloadType" in envelope else envelope
    return document if isinstance(document, dict) and "_type" in document else None


def _payload(envelope: Mapping[str, Any], file: Path) -> Any:
    """What a DSSE envelope holds."""
    if envelope["payloadType"] != _PAYLOAD:
        found = str(envelope["payloadType"])[:_LONGEST]
        raise UsageError(f"{file} is an envelope of another type: {found}, not {_PAYLOAD}")
    try:
        return reportfile.parse(base64.b64decode(envelope["payload"], validate=True))
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise UsageError(f"{file} is an envelope whose payload cannot be read: {error}") from None


def _refuse_others(statement: Mapping[str, Any], found: Mapping[str, Any], file: Path) -> None:
    """Raise UsageError where a subject is not in the report."""
    known = {("sha256", item["sha256"]) for item in found["checkpoints"]}
    known.add(("gitCommit", found["commit"]))
    subjects = statement.get("subject")
    for subject in subjects if isinstance(subjects, list) and subjects else [None]:
        digest = subject.get("digest") if isinstance(subject, dict) else None
        digests = digest.items() if isinstance(digest, dict) else ()
        if not digests or not all((name, str(value)) in known for name, value in digests):
            raise UsageError(
                f"{file} is an attestation of something that is not in its report: "
                f"{json.dumps(digest)[:_LONGEST]}",
                help="hubpub wrote none that is: do not trust it",
            )
