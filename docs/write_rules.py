"""Write docs/rules.md, and the rules in README.md and docs/card.md: ``make rules``."""

from __future__ import annotations

from pathlib import Path

from hubpub import rules
from hubpub.card import rules as of_cards
from hubpub.cli.described import described
from hubpub.output import rules_page

ROOT = Path(__file__).resolve().parents[1]


def pages() -> dict[Path, str]:
    """What each of the files should hold."""
    items = [described(item) for item in rules.all_rules()]
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    card = ROOT / "docs" / "card.md"
    block = f"{rules_page.BEGIN}\n\n{of_cards.page()}\n{rules_page.END}"
    return {
        ROOT / "docs" / "rules.md": rules_page.render(items),
        card: rules_page.placed(card.read_text(encoding="utf-8"), block),
        readme: rules_page.placed(text, rules_page.readme(items)),
    }


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
