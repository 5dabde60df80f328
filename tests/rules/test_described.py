"""What is told of a rule beside its text: its family, its fix, and where it is explained."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_rule_documents import build

from hubpub import check, rules
from hubpub.cli.described import by_code, described
from hubpub.output import rule_text
from hubpub.output.links import rule_url
from hubpub.output.rule import FIXES

RULES = rules.all_rules()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_an_unsafe_fix_is_called_so(rule: rules.Rule, tmp_path: Path) -> None:
    """What the documentation says of the fix is what the fix of its example says."""
    result = check.check(build(tmp_path / "r", rule, "Example"))
    safeties = {item.fix.safe for item in result.diagnostics if item.fix is not None}
    assert rule.fixability in FIXES
    if False in safeties:
        assert rule.fixability == "unsafe", "say in Fix safety that, and why, it is unsafe"
    if True in safeties:
        assert rule.fixability != "none"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_rule_reads_well_at_a_terminal(rule: rules.Rule) -> None:
    item = described(rule)
    assert item.family
    text = rule_text.render(item, 60)
    assert text.startswith(f"{rule.code} {rule.name}\n")
    code = False
    for line in text.split("\n"):
        code = line.startswith("      ") or (code and not line)
        # A word longer than a line, such as a URL, stays whole.
        assert code or "```" not in line
        assert code or len(line) <= 60 or " " not in line.strip().removeprefix("- ").split(": ")[-1]
    for heading in ("What it does", "Example", "Use instead"):
        assert f"\n\n{heading}\n  " in text
    assert "\x1b[" not in text
    assert "\x1b[1m" in rule_text.render(item, 60, color=True)


def test_rules_are_found_by_code() -> None:
    found = by_code(["HUB402", "HUB999"])
    assert set(found) == {"HUB402"}
    assert (found["HUB402"].family, found["HUB402"].since) == ("checkpoints", "0.1.0")
    assert rule_url("HUB402", "unstamped-checkpoint").endswith(
        "/docs/rules.md#unstamped-checkpoint-hub402"
    )
