"""``hubpub plan``: how a verification would be split over machines."""

from __future__ import annotations

from pathlib import Path

import click

from hubpub import config
from hubpub.cli.outputs import targets, write_file
from hubpub.output import plan as saying
from hubpub.output.escape import short, visible
from hubpub.verify import planning, reference
from hubpub.verify.planning import MOST_SHARDS, PER_SHARD, Plan

_SHOWN = 3
_LONGEST = 300
"""Characters of one remark: what a repository wrote is in it."""


@click.command("plan")
@click.argument("target", default=".")
@click.option("--working-tree", is_flag=True, help="Of a local path: the files as they are.")
@click.option(
    "--shards",
    "most",
    type=click.IntRange(1, MOST_SHARDS),
    metavar="N",
    default=MOST_SHARDS,
    show_default=True,
    help=f"Shards, at most: {MOST_SHARDS} is what GitHub takes of one matrix.",
)
@click.option(
    "--per-shard",
    type=click.IntRange(1),
    metavar="N",
    default=PER_SHARD,
    show_default=True,
    help="Entrypoints a shard, unless --shards makes it more.",
)
@click.option(
    "--github-url",
    envvar="HUBPUB_GITHUB_URL",
    show_envvar=True,
    help="Instead of https://github.com: an Enterprise host, or file:// with owner/repo below it.",
)
@click.option(
    "--output-format",
    "--format",
    "formats",
    metavar="NAME[:FILE]",
    multiple=True,
    help=f"{', '.join(saying.FORMATS)}; repeatable. Text on stdout when none is given. "
    "github-matrix is one line of JSON for fromJSON in a workflow's strategy.matrix.",
)
def command(
    target: str,
    working_tree: bool,
    most: int,
    per_shard: int,
    github_url: str | None,
    formats: tuple[str, ...],
) -> int:
    """Say how the entrypoints of TARGET would be dealt to `hubpub verify --shard I/N`.

    TARGET is what verify takes: owner/repo[:ref], or a path to a local git repository with an
    optional :ref (default: this directory). It is fetched as verify does and read as list does:
    nothing of it runs, and neither torch nor a sandbox is needed.

    Exit code 0: planned. 1: there is no entrypoint. 4: it cannot be fetched.
    """
    outputs = targets(formats, saying.FORMATS)
    asked = reference.parse(target, working_tree=working_tree)
    url = github_url or config.load(Path()).github_url
    made = planning.plan(asked, url, most, per_shard)
    for failure in made.failures:
        where = f"{failure.place.path}:{failure.place.span.line}"
        text = f"{where}: importing hubconf.py seems to fail: {failure.reason}"
        click.echo(visible(short(text, _LONGEST)), err=True)
    if not made.parts:
        return _nothing(made)
    planned = _said(target, made)
    for name, path in outputs:
        text = saying.render(name, planned)
        if path is None:
            click.echo(text, nl=False)
        else:
            write_file(path, text)
    if ("text", None) not in outputs:
        for doubt in planned.doubts:
            click.echo(f"note: {visible(doubt)}", err=True)
    return 0


def _nothing(made: Plan) -> int:
    """Say what check says of it, and write no plan: an empty matrix would look like success."""
    from hubpub.cli import say_error

    for item in made.why:
        where = f"{item.path}:{item.span.line}"
        say_error(f"{where}: {item.code} {item.name}: {item.message}", item.help)
    if not made.why:  # a comment in hubconf.py suppresses it
        say_error("hubconf.py has no entrypoint: there is nothing to verify", None)
    return 1


def _said(target: str, made: Plan) -> saying.Planned:
    rows = tuple(saying.Row(part.shard.number, part.shard.count, part.names) for part in made.parts)
    doubts = [
        f"{place.place.path}:{place.place.span.line}: more names may be made here: {place.reason}"
        for place in made.dynamic[:_SHOWN]
    ]
    if len(made.dynamic) > _SHOWN:
        doubts.append(f"and in {len(made.dynamic) - _SHOWN} places more")
    if made.possible:
        named = ", ".join(short(name, _LONGEST // 5) for name in made.possible[:_SHOWN])
        more = f" and {len(made.possible) - _SHOWN} more" if len(made.possible) > _SHOWN else ""
        doubts.append(f"may not be there: {named}{more}")
    if doubts:
        doubts.append(
            f"verify deals what torch.hub.list shows, so a shard can have other names than here; "
            f"{made.certain} are certain, and there are no more shards than that"
        )
    if made.left_out:
        doubts.append(
            f"{made.left_out} entrypoints are beyond --max-entrypoints: verify fails and says so"
        )
    return saying.Planned(
        target,
        made.resolved.kind,
        made.commit,
        rows,
        made.certain,
        tuple(short(doubt, _LONGEST) for doubt in doubts),
    )
