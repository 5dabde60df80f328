"""``hubpub report``: render a saved report again, ``merge`` those of shards, ``diff`` two."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from hubpub.cli import attesting
from hubpub.cli.outputs import targets, write_report
from hubpub.cli.report_diff import command as diff
from hubpub.cli.verify import EXIT
from hubpub.errors import UsageError
from hubpub.output import reports
from hubpub.verify import attested, report

_F = TypeVar("_F", bound=Callable[..., Any])


def _outputs(function: _F) -> _F:
    """The options of what a report is written as, of rendering and of merging."""
    formats = click.option(
        "--output-format",
        "--format",
        "formats",
        metavar="NAME[:FILE]",
        multiple=True,
        help=f"{', '.join(reports.FORMATS)}; repeatable. Text on stdout when none is given.",
    )
    attestation = click.option(
        "--attestation",
        type=click.Path(path_type=Path),
        metavar="OUT",
        help="Write an in-toto statement of a report that proves a release, to be signed.",
    )
    return formats(attestation(function))


class _FileCommand(click.Command):
    """What the group does without a subcommand; to its user it is the group itself."""

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Name the command as it was called."""
        above = ctx.parent or ctx
        formatter.write_usage(above.command_path, " ".join(self.collect_usage_pieces(ctx)))


class _Group(click.Group):
    """``report FILE`` without a subcommand, beside ``report merge`` and ``report diff``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take what names no subcommand as the arguments of :func:`render`.

        A subcommand may stand behind options, as those of rendering do.
        """
        place = self._first_word(args)
        if place is not None and args[place] in self.commands:
            args = [args[place], *args[:place], *args[place + 1 :]]
        elif args[:1] not in (["--help"], ["-h"]):
            args = [_RENDER, *args]
        return super().parse_args(ctx, args)

    def _first_word(self, args: list[str]) -> int | None:
        """Where the first argument stands that is neither an option nor the value of one."""
        valued = {
            name
            for command in self.commands.values()
            for option in command.params
            if isinstance(option, click.Option) and not option.is_flag
            for name in option.opts
        }
        number = 0
        while number < len(args):
            if args[number] == "--" or not args[number].startswith("-"):
                return number
            number += 2 if args[number] in valued else 1
        return None

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """The subcommand ``name``, or what stands for the group."""
        return render if name == _RENDER else super().get_command(ctx, name)

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The ways to call it."""
        formatter.write_usage(ctx.command_path, "[OPTIONS] FILE | merge FILE... | diff OLD NEW")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The options of rendering, and the subcommands."""
        render.format_options(ctx, formatter)
        self.format_commands(ctx, formatter)


_RENDER = "\0render"
"""No command line can hold it: the name under which the group knows :func:`render`."""


@click.group("report", cls=_Group)
def command() -> None:
    """Render FILE, which `hubpub verify --output-format json:FILE` wrote, in other formats.

    A file that is called merge or diff is ./merge or ./diff.

    Exit code 0.
    """


@click.command("report", cls=_FileCommand)
@click.argument("files", metavar="FILE", nargs=-1, required=True)
@_outputs
def render(files: tuple[str, ...], formats: tuple[str, ...], attestation: Path | None) -> int:
    """Render FILE, which `hubpub verify --output-format json:FILE` wrote, in other formats.

    Or the report that an attestation holds; its signature is not checked.
    """
    outputs = targets(formats, reports.FORMATS) if formats or attestation is None else []
    attesting.place(attestation)
    if len(files) > 1:
        raise UsageError(
            f"{len(files)} files, and one is rendered at a time",
            help="to join the reports of shards: hubpub report merge FILE...\n"
            "to compare two: hubpub report diff OLD NEW",
        )
    document, from_attestation = attested.read(Path(files[0]))
    if from_attestation:
        attesting.say(f"{files[0]} is one, and no signature was checked: docs/attestation.md")
    for name, path in outputs:
        write_report(document, name, path)
    if attestation is not None:
        attesting.write(attestation, document)
    return 0


@command.command("merge")
@click.argument("files", metavar="FILE...", nargs=-1)
@_outputs
def merge(files: tuple[str, ...], formats: tuple[str, ...], attestation: Path | None) -> int:
    """Join the reports of all shards of one run (`hubpub verify --shard I/N`).

    It is the report that one whole run would have written. They must be of the same commit, tree,
    environment and options.

    Exit code: that of the whole run, 1 where something needs action.
    """
    from hubpub.verify import joining

    outputs = targets(formats, reports.FORMATS) if formats or attestation is None else []
    attesting.place(attestation)
    if not files:
        raise UsageError("merge needs files", help="hubpub report merge shard1.json shard2.json")
    document = joining.merge([(file, report.read(Path(file))) for file in files])
    for name, path in outputs:
        write_report(document, name, path)
    attesting.write_if_passed(attestation, document)
    return EXIT[document["status"]]


command.add_command(diff)
