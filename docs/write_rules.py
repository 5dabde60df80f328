"""Write docs/rules.md, and the list of rules in README.md, from the rules: ``make rules``."""

from __future__ import annotations

from pathlib import Path

from hubpub import rules
from hubpub.cli.described import described
from hubpub.output import rules_page

ROOT = Path(__file__).resolve().parents[1]


def pages() -> dict[Path, str]:
    """What each of the two files should hold."""
    items = [described(item) for item in rules.all_rules()]
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    return {
        ROOT / "docs" / "rules.md": rules_page.render(items),
        readme: rules_page.placed(text, rules_page.readme(items)),
    }


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
