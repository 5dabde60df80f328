"""``hubpub rule``: explain a rule, or all of them."""

from __future__ import annotations

import click

from hubpub.errors import UsageError


@click.command("rule", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("name", metavar="CODE|NAME", required=False)
@click.option("--all", "every", is_flag=True, help="List every rule.")
@click.option(
    "--output-format", "form", type=click.Choice(["text", "json", "markdown"]), default="text"
)
def command(name: str | None, every: bool, form: str) -> int:
    """Explain the rule CODE or NAME; --all lists every rule."""
    from hubpub import rules
    from hubpub.output import rule as output

    if every == (name is not None):
        raise UsageError("give one rule, or --all", help="hubpub rule HUB402")
    chosen = list(rules.all_rules())
    if name is not None:
        found = rules.find(name)
        if found is None:
            near = rules.nearest(name)
            advice = f"did you mean {near}?" if near else "`hubpub rule --all` lists the rules"
            raise UsageError(f"there is no rule {name!r}", help=advice)
        chosen = [found]
    described = [
        output.Described(item.code, item.name, item.severity.label, item.summary, item.document)
        for item in chosen
    ]
    if form == "json":
        text = output.render_json(described)
    elif form == "markdown" and every:
        from hubpub.output import rules_page

        text = rules_page.render(described)
    else:
        text = output.render_list(described) if every else output.render_text(described[0])
    click.echo(text, nl=False)
    return 0
