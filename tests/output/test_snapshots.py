"""Each format, whole, as it was last looked at.

After a change that is meant: ``HUBPUB_UPDATE_SNAPSHOTS=1 pytest tests/output/test_snapshots.py``,
then read the diff.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from samples import DIAGNOSTICS, RULES, RUN

from hubpub.output import formats, rule, rule_text, rules_page, statistics

SNAPSHOTS = Path(__file__).parent / "snapshots"
COLORED = replace(RUN, color=True)
DESCRIBED = list(RULES.values())

SHOWN: dict[str, Callable[[], str]] = {
    **{name: partial(formats.render, name, DIAGNOSTICS, RUN) for name in formats.FORMATS},
    "full-color": lambda: formats.render("full", DIAGNOSTICS, COLORED),
    "concise-color": lambda: formats.render("concise", DIAGNOSTICS, COLORED),
    "statistics": lambda: statistics.render("full", DIAGNOSTICS, RUN),
    "statistics-json": lambda: statistics.render("json", DIAGNOSTICS, RUN),
    "rule": lambda: rule_text.render(DESCRIBED[0], 40),
    "rule-color": lambda: rule_text.render(DESCRIBED[1], 40, color=True),
    "rule-markdown": lambda: rule.render_markdown(DESCRIBED[0]),
    "rules-list": lambda: rule.render_list(DESCRIBED),
    "rules-json": lambda: rule.render_json(DESCRIBED),
    "rules-page": lambda: rules_page.render(DESCRIBED),
    "rules-readme": lambda: rules_page.readme(DESCRIBED),
}


@pytest.mark.parametrize("name", SHOWN)
def test_snapshot(name: str) -> None:
    path = SNAPSHOTS / f"{name}.txt"
    # A mark that no renderer writes: escapes of colours would not survive an editor.
    text = SHOWN[name]().replace("\x1b[", "<esc>[")
    if os.environ.get("HUBPUB_UPDATE_SNAPSHOTS"):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text.encode("utf-8"))
    assert path.read_bytes().decode("utf-8") == text


def test_no_snapshot_is_left_over() -> None:
    assert {path.stem for path in SNAPSHOTS.iterdir()} == set(SHOWN)
