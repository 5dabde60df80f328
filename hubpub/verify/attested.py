"""Attestations: the JSON Schema that none is written without passing."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hubpub.verify import report


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
