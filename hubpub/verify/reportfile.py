"""A report from a file, which anybody may have written: read within bounds, held to the schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hubpub.errors import UsageError
from hubpub.verify.report import validate

MAX_BYTES = 256 << 20
"""A larger file is no report (bytes)."""
_MOST_NUMBER = 1 << 63


def read(file: Path) -> dict[str, Any]:
    """A report from a file, which anybody may have written.

    Raises:
        UsageError: the file cannot be read, or is no report of this version.
    """
    return accepted(load(file), file)


def load(file: Path) -> Any:
    """The JSON of a file that may be a report (of x.jsonl a list); UsageError where it has none."""
    try:
        with file.open("rb") as opened:
            data = opened.read(MAX_BYTES + 1)  # a pipe or a device does not say how much it has
        if len(data) > MAX_BYTES:
            raise UsageError(f"{file}: larger than {MAX_BYTES >> 20} MiB, so it is no report")
        if file.suffix == ".jsonl":
            return [parse(line) for line in data.splitlines() if line.strip()]
        return parse(data)
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{file} is no JSON: {error}") from None


def parse(data: bytes) -> Any:
    """JSON with numbers that a report can hold; raises ValueError or RecursionError."""
    return json.loads(data, parse_int=_number, parse_float=_number, parse_constant=_number)


def accepted(document: object, file: Path) -> dict[str, Any]:
    """``document``, which stood in ``file``; raises UsageError where it is no report."""
    import jsonschema

    try:
        validate(document)
    except jsonschema.ValidationError as error:
        where = "/".join(map(str, error.absolute_path)) or "the top"
        raise UsageError(
            f"{file} is no report of this version of hubpub: at {where}, {error.message[:300]}",
            help="write one with hubpub verify TARGET --output-format json:FILE",
        ) from None
    assert isinstance(document, dict)  # noqa: S101 - the schema says so
    return document


def _number(text: str) -> int | float:
    """A number that a report can hold: JSON knows no end of them, and Python's no infinity.

    Raises:
        ValueError: another.
    """
    value = int(text) if text.lstrip("-").isdigit() else float(text)
    if not -_MOST_NUMBER <= value <= _MOST_NUMBER:  # nor is what is no number
        raise ValueError(f"{text[:40]} is no number of a report")
    return value
