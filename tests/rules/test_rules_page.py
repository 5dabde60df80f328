"""docs/rules.md and the README's list are what the registry says."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from conftest import ROOT, RunHubpub
from hubpub import rules
from hubpub.output import rules_page


def test_the_page_is_up_to_date(hubpub: RunHubpub) -> None:
    written = hubpub("rule", "--all", "--output-format", "markdown")
    assert (written.returncode, written.stderr) == (0, "")
    command = "make rules (or python -m hubpub rule --all --output-format markdown)"
    page = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
    assert page == written.stdout, f"stale: run {command}"
    for item in rules.all_rules():
        assert f"## {item.name} ({item.code})" in page


def test_both_pages_are_what_make_rules_writes() -> None:
    pages = runpy.run_path(str(ROOT / "docs" / "write_rules.py"))["pages"]()
    assert set(pages) == {ROOT / "docs" / "rules.md", ROOT / "docs" / "card.md", ROOT / "README.md"}
    for path, text in pages.items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name} is stale: run make rules"


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a page."""
    text = re.sub(
        r"^(`{3,}).*?^\1$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
    )
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", ["docs/rules.md", "README.md"])
def test_every_link_to_a_rule_leads_to_it(name: str) -> None:
    known = anchors(ROOT / "docs" / "rules.md")
    text = (ROOT / name).read_text(encoding="utf-8")
    found = re.findall(r"\]\((?:docs/rules\.md)?#([^)]+)\)", text)
    assert found
    assert set(found) <= known
    assert {f"{item.name}-{item.code.lower()}" for item in rules.all_rules()} <= known


BEGIN, END = rules_page.BEGIN, rules_page.END


@pytest.mark.parametrize("text", ["", BEGIN, END + BEGIN, 2 * (BEGIN + END)])
def test_a_page_without_its_markers_is_not_written(text: str) -> None:
    with pytest.raises(ValueError, match="once each"):
        rules_page.placed(text, "x")


def test_what_stands_around_the_markers_stays() -> None:
    text = f"before {BEGIN} old {END} after"
    assert rules_page.placed(text, "new") == "before new after"
