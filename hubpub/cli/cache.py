"""``hubpub cache``: what ``check`` and ``list`` keep between runs."""

from __future__ import annotations

import click

from hubpub.output.escape import visible


@click.group("cache")
def command() -> None:
    """Show or clear the facts kept about repositories; they are made again where needed."""


@command.command("dir")
def folder() -> None:
    """Print the directory; HUBPUB_CACHE_DIR or XDG_CACHE_HOME choose another."""
    from hubpub.source.cache import Cache

    click.echo(visible(str(Cache().folder)))


@command.command("clear")
def clear() -> None:
    """Remove every entry."""
    from hubpub.source.cache import Cache

    count = Cache().clear()
    click.echo(f"removed {count} {'entry' if count == 1 else 'entries'}", err=True)
