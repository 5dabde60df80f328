"""Reports that can be attested, and readers of statements as those who sign and check have them."""

from __future__ import annotations

import json
from typing import Any

import in_toto_attestation.v1.statement_pb2 as protobuf
from google.protobuf import json_format
from in_toto_attestation.v1.statement import Statement

from carding import report
from hubpub.verify.report import validate


def proof(said: str = "x", **changes: Any) -> dict[str, Any]:
    """A report that proves octo/net:v1.0, with ``said`` wherever others can say something."""
    found = report(said)
    names = [item["name"] for item in found["entrypoints"]]
    found["selection"] = {"patterns": [], "shard": None, "listed": names, "whole": True}
    for result in (each for item in found["entrypoints"] for each in item["results"]):
        result["axes"] = {**result["axes"], "loads": {"status": "pass", "reason": None}}
    for finding in found["findings"]:
        finding["severity"] = "warning"
    found["reference"]["url"] = "https://github.com/octo/net"
    found |= changes
    validate(found)
    return found


_CHECKPOINT: dict[str, Any] = proof()["checkpoints"][0]


def checkpoint(filename: str, sha256: str, path: str | None = None) -> dict[str, Any]:
    """A checkpoint of a report."""
    return _CHECKPOINT | {"filename": filename, "sha256": sha256, "path": path}


def as_toto(text: str) -> dict[str, Any]:
    """A statement as in-toto's own library reads it, checks it and writes it again."""
    message = json_format.Parse(text, protobuf.Statement())
    Statement.copy_from_pb(message).validate()
    written: dict[str, Any] = json.loads(json_format.MessageToJson(message))
    return written


def as_numbers(value: Any) -> Any:
    """``value`` as protobuf has it: every number is a double."""
    if isinstance(value, dict):
        return {key: as_numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_numbers(item) for item in value]
    return float(value) if type(value) is int else value
