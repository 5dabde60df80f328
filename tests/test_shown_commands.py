"""Every hubpub command that README.md or a page shows is one that hubpub takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import ROOT
from shown import Shown, commands, documents, refused

PAGES = documents(ROOT)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_is_taken(page: Path) -> None:
    shown = list(commands(page.read_text(encoding="utf-8")))
    wrong = [f"{page.name}:{one.line}: {one.text}: {why}" for one in shown if (why := refused(one))]
    assert not wrong, "\n".join(wrong)


def test_commands_are_found() -> None:
    found = {
        str(page.relative_to(ROOT)): len(list(commands(page.read_text(encoding="utf-8"))))
        for page in PAGES
    }
    assert sum(found.values()) > 150, found
    names = ("README.md", "docs/verify.md", "docs/stamp.md", "docs/card.md", "docs/gate.md")
    assert min(found[name] for name in names) >= 5, found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("```console\n$ hubpub check a  # why\nhubpub not this\n```\n", ["check a  # why"]),
        ("```console\n$ hubpub verify \\\n>   a --jobs 2\n```\n", ["verify   a --jobs 2"]),
        ("```console\n$ cd a && hubpub check\n```\n", ["check"]),
        ("```bash\nif ! hubpub check; then\n  hubpub list\nfi\n```\n", ["check; then", "list"]),
        ("```yaml\n- run: hubpub check --fix\n```\n", ["check --fix"]),
        ("```python\nhubpub = 1\n```\n", []),
        ("As `hubpub check --fix` and `hubpub` say.\n", ["check --fix"]),
        ("<!-- not run: a GPU -->\n```console\n$ hubpub verify a\n```\n", ["verify a"]),
    ],
)
def test_where_commands_are_found(text: str, found: list[str]) -> None:
    assert [one.text.removeprefix("hubpub ") for one in commands(text)] == found


@pytest.mark.parametrize(
    ("text", "whole", "why"),
    [
        ("hubpub verify a --jobz 2", True, "No such option"),
        ("hubpub verify a b", True, "left over"),
        ("hubpub verify --jobs 2", True, "Missing argument"),
        ("hubpub verify a --jobs many", True, "not a valid integer"),
        ("hubpub verify a --sandbox bwrop", True, "'bwrop'"),
        ("hubpub verfy a", True, "no such command"),
        ("hubpub stamp --digits", False, "requires an argument"),
        ("hubpub verify --jobz", False, "No such option"),
        ("hubpub verify", False, None),
        ("hubpub verify ... --jobs 2", False, None),
        ("hubpub verify 'a b' --jobs 2 > file 2>&1 | head", True, None),
        ("hubpub report merge shard*.json --output-format json:report.json", True, None),
        ("hubpub check   # a comment --of mine", True, None),
    ],
)
def test_what_is_refused(text: str, whole: bool, why: str | None) -> None:
    said = refused(Shown(1, text, whole))
    assert said is None if why is None else said is not None and why in said, said
