"""docs/rules.md is what the registry says."""

from __future__ import annotations

from conftest import ROOT, RunHubpub
from hubpub import rules


def test_the_page_is_up_to_date(hubpub: RunHubpub) -> None:
    written = hubpub("rule", "--all", "--output-format", "markdown")
    assert (written.returncode, written.stderr) == (0, "")
    command = "python -m hubpub rule --all --output-format markdown > docs/rules.md"
    page = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
    assert page == written.stdout, f"stale: run {command}"
    for item in rules.all_rules():
        assert f"## {item.name} ({item.code})" in page
