"""``hubpub rule``: explain a rule, or all of them."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

import click

from hubpub.cli.outputs import use_color
from hubpub.errors import UsageError

if TYPE_CHECKING:
    from hubpub.output.rule import Described


@click.command("rule", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("name", metavar="CODE|NAME", required=False)
@click.option("--all", "every", is_flag=True, help="List every rule.")
@click.option(
    "--output-format",
    "form",
    type=click.Choice(["text", "json", "markdown"]),
    help="Default: text; markdown for one rule where stdout is no terminal.",
)
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto")
def command(name: str | None, every: bool, form: str | None, color: str) -> int:
    """Explain the rule CODE or NAME; --all lists every rule."""
    from hubpub import rules
    from hubpub.cli.described import described

    if every == (name is not None):
        raise UsageError("give one rule, or --all", help="hubpub rule HUB402")
    chosen = list(rules.all_rules())
    if name is not None:
        found = rules.find(name)
        if found is None and (of_card := _of_card(name)) is not None:
            click.echo(_rendered([of_card], form, color, every=False), nl=False, color=True)
            return 0
        if found is None:
            near = rules.nearest(name)
            advice = f"did you mean {near}?" if near else "`hubpub rule --all` lists the rules"
            raise UsageError(f"there is no rule {name!r}", help=advice)
        chosen = [found]
    items = [described(item) for item in chosen]
    click.echo(_rendered(items, form, color, every=every), nl=False, color=True)
    return 0


def _of_card(name: str) -> Described | None:
    from hubpub.card.rules import find
    from hubpub.cli.described import of_cards

    found = find(name)
    return None if found is None else of_cards(found)


def _rendered(items: list[Described], form: str | None, color: str, *, every: bool) -> str:
    from hubpub.output import rule, rule_text, rules_page

    if form is None:
        terminal = sys.stdout is not None and sys.stdout.isatty()
        form = "text" if terminal or every else "markdown"
    if form == "json":
        return rule.render_json(items)
    if form == "markdown":
        return rules_page.render(items) if every else rule.render_markdown(items[0])
    if every:
        return rule.render_list(items)
    width = shutil.get_terminal_size().columns
    return rule_text.render(items[0], width, color=use_color(sys.stdout, color))
