"""``hubpub list``: what ``torch.hub.list`` would show, without running anything."""

from __future__ import annotations

import click

from hubpub.cli.check import repository
from hubpub.errors import UsageError


@click.command("list", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("path", default=".")
@click.option("--output-format", "form", type=click.Choice(["text", "json"]), default="text")
@click.option("--no-cache", is_flag=True, help="Read everything anew, and keep nothing.")
def command(path: str, form: str, no_cache: bool) -> int:
    """List the entrypoints of the repository at PATH, as torch.hub.list would show them.

    Exit status: 0 listed, 1 hubconf.py is missing, cannot be parsed, or has none, 2 usage.
    """
    root = repository(path)
    from hubpub.output import listing
    from hubpub.output.escape import visible
    from hubpub.source import read
    from hubpub.source.cache import Cache

    repo = read(root, None if no_cache else Cache())
    if not repo.exists:
        raise UsageError(f"{path} is not a directory")
    listed = [
        listing.Listed(
            item.name,
            item.kind,
            item.certainty,
            item.origin,
            item.place.path,
            item.place.span.line,
            item.documented,
            item.required,
            item.leak,
        )
        for item in repo.entrypoints
    ]
    unseen = [
        listing.Unseen(item.place.path, item.place.span.line, item.reason) for item in repo.dynamic
    ]
    render = listing.render_json if form == "json" else listing.render_text
    click.echo(render(listed, unseen), nl=False)
    for failure in repo.failures:
        where = f"{failure.place.path}:{failure.place.span.line}"
        click.echo(
            f"{where}: importing hubconf.py seems to fail: {visible(failure.reason)}", err=True
        )
    if repo.hubconf is None or not (listed or unseen):
        from hubpub.cli import say_error

        problem = next((item for item in repo.problems if item.place.path == "hubconf.py"), None)
        if problem is not None:
            where = f"hubconf.py:{problem.place.span.line}"
            say_error(f"{where}: {problem.reason}", "`hubpub check` says more")
        elif repo.hubconf is None:
            say_error("there is no hubconf.py at the root", "`hubpub check` says more")
        else:
            say_error("hubconf.py has no entrypoint", "`hubpub check` says more")
        return 1
    return 0
