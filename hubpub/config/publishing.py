"""The schema of ``[tool.hubpub]`` as validate-pyproject takes it from its plugins."""

from __future__ import annotations

import copy
from typing import Any

from hubpub.config import schema

DRAFT = "http://json-schema.org/draft-07/schema#"


def tool_schema(tool: str) -> dict[str, Any]:  # noqa: ARG001 - what the entry point is called with
    """The schema of the table, in draft-07.

    The entry point ``validate_pyproject.tool_schema`` names this function. It differs from
    :func:`hubpub.config.schema` in two ways: the draft, whose keywords the schema keeps to, and
    that a date may be one of TOML's own, which is not a string there.
    """
    found: dict[str, Any] = copy.deepcopy(dict(schema()))
    found["$schema"] = DRAFT
    del found["$defs"]["skip"]["properties"]["until"]["type"]
    return found
