"""Claims are hostile: what is not of the known shape never gets past the reader."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubpub.verify import claims


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'{"nonce": "n", "ok": true}', {"ok": True}),
        (b'{"nonce": "other", "ok": true}', None),
        (b'{"ok": true}', None),
        (b'["nonce"]', None),
        (b"", None),
        (b"\xff\xfe", None),
        (b"[" * 200_000, None),
        (b'{"nonce": "n"} trailing', None),
        (b'{"nonce": "n", "count": 1e999, "parameters": NaN, "ok": 1, "type": 3}', {}),
        (b'{"nonce": "n", "parameters": true, "opened": [1]}', {}),
        (b'{"nonce": "n", "error": {"type": {}, "frame": {"path": "a", "line": 0}}}',
         {"error": {"frame": {"path": "a"}}}),
        (b'{"nonce": "n", "entrypoints": [{"name": "a", "required": 3}, {"name": "a"}, 7, {}]}',
         {"entrypoints": [{"name": "a"}]}),
    ],
)  # fmt: skip
def test_only_known_fields_of_the_known_type_are_read(data: bytes, expected: object) -> None:
    assert claims.read(data, "n") == expected


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)
NAMES = st.sampled_from([
    "ok", "type", "module", "parameters", "error", "opened", "count", "entrypoints", "globals",
    "message", "frame", "path", "line", "name", "help", "help_error", "required", "pretrained",
])  # fmt: skip
TABLE = st.dictionaries(NAMES, JSON | st.dictionaries(NAMES, JSON), max_size=8)


@given(TABLE, st.lists(TABLE, max_size=3))
def test_what_is_read_is_json_that_everybody_can_read(
    table: dict[str, Any], entries: list[dict[str, Any]]
) -> None:
    data = json.dumps({**table, "entrypoints": entries, "nonce": "n"}).encode()
    known = claims.read(data, "n")
    json.dumps(known, allow_nan=False)
    assert known is not None
    assert all(isinstance(entry["name"], str) for entry in known["entrypoints"])
