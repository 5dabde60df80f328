"""``hubpub stamp``: give checkpoints the names that check_hash=True reads."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from hubpub.output.stamped import Row
    from hubpub.stamping import Outcome
    from hubpub.stamping.updating import Code


@click.command("stamp", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path)
)
@click.option("--copy", is_flag=True, help="Leave the files, and make copies with the new names.")
@click.option("--dry-run", "dry", is_flag=True, help="Say what would be done, and change nothing.")
@click.option(
    "--digits",
    type=click.IntRange(8, 64),
    default=8,
    show_default=True,
    help="How many digits of the sha256 the stamp has.",
)
@click.option(
    "--update",
    is_flag=True,
    help="Write the new names into hubconf.py, the modules it imports, README and docs.",
)
@click.option(
    "--diff", is_flag=True, help="Show what --update would write as a diff, and change nothing."
)
@click.option(
    "--every",
    is_flag=True,
    help="With --update: change every place, though they name different files or URLs.",
)
@click.option(
    "--root",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The repository to update; by default the one around here.",
)
@click.option(
    "--output-format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    help="text is one line for each file, OLD -> NEW.",
)
def command(files: tuple[Path, ...], root: Path | None, form: str, **options: Any) -> int:
    """Rename each checkpoint FILE to name-<first 8 digits of its sha256>.ext.

    That is the name in which torch.hub finds the hash that check_hash=True compares. A name that
    would be misread is changed as little as it takes. Nothing is ever overwritten, and what is
    interrupted is not half done.

    Exit status: 0 all are stamped, 1 some are not, 2 usage.
    """
    from hubpub.errors import UsageError
    from hubpub.stamping import stamp

    if options["diff"] and form == "json":
        raise UsageError(
            "--diff writes a diff to stdout", help="--dry-run --update says it in JSON"
        )
    code = _code(root, options["update"], options["diff"], options["every"])
    dry = options["dry"] or options["diff"]
    rows: list[Row] = []
    try:
        chosen = {"digits": options["digits"], "copy": options["copy"], "dry": dry}
        for outcome in stamp(files, **chosen, code=code, watch=_watch):
            rows.append(_row(outcome))
            _say(outcome, dry=dry)
            if form == "text":
                _write_line(rows[-1], err=options["diff"])
    finally:
        # What was stamped before an interruption is told all the same.
        if form == "json" and not options["diff"]:
            _write_json(rows, dry)
    if options["diff"] and code is not None:
        _write_patch(code.patch())
    elif code is None and not dry:
        _advise(rows)
    return int(any(row.status == "failed" for row in rows))


def _advise(rows: list[Row]) -> None:
    """What comes next where the code does not know of the new names."""
    if any(row.status in {"renamed", "copied"} for row in rows):
        text = "publish it under this name, and load that name with check_hash=True"
        click.echo(f"{text}; --update writes it into hubconf.py", err=True)


def _code(root: Path | None, update: bool, diff: bool, every: bool) -> Code | None:
    from hubpub.errors import UsageError

    if not (update or diff):
        if every or root is not None:
            raise UsageError("--every and --root say what --update changes", help="add --update")
        return None
    from hubpub.stamping.updating import Code, root_above, root_at

    return Code(root_above(Path()) if root is None else root_at(root), every=every)


@contextlib.contextmanager
def _watch(path: Path, size: int) -> Iterator[Callable[[int], None]]:
    """A progress bar on a terminal, nothing elsewhere."""
    if sys.stderr is None or not sys.stderr.isatty() or size == 0:
        yield _ignore
        return
    from hubpub.output.escape import short, visible

    label = short(visible(path.name), 40)
    with click.progressbar(length=size, label=label, file=sys.stderr, show_pos=False) as bar:
        yield bar.update


def _ignore(count: int) -> None:
    """Nobody looks on."""


def _row(outcome: Outcome) -> Row:
    from hubpub.output.stamped import Place, Row

    return Row(
        str(outcome.path),
        None if outcome.new is None else str(outcome.new),
        outcome.status,
        outcome.sha256,
        outcome.size,
        outcome.notes,
        tuple(text for text, _ in outcome.warnings),
        tuple(Place(item.path, item.line, item.old, item.new) for item in outcome.changes),
        outcome.error,
        outcome.help,
    )


def _say(outcome: Outcome, *, dry: bool) -> None:
    """What people want to know of a file, to stderr."""
    from hubpub.cli import say_error
    from hubpub.output.escape import visible

    if outcome.error is not None:
        say_error(outcome.error, outcome.help)
    for item in outcome.changes:
        text = f"{item.path}:{item.line}: {item.old} -> {item.new}"
        click.echo(f"{'would update' if dry else 'updated'} {visible(text)}", err=True)
    for note in outcome.notes:
        click.echo(f"note: {visible(note)}", err=True)
    for text, advice in outcome.warnings:
        click.echo(f"{click.style('warning', fg='yellow', bold=True)}: {visible(text)}", err=True)
        if advice:
            click.echo(f"  {click.style('help', fg='cyan')}: {visible(advice)}", err=True)


def _write_line(row: Row, err: bool) -> None:
    from hubpub.output.stamped import render_line

    click.echo(render_line(row), nl=False, err=err)


def _write_json(rows: list[Row], dry: bool) -> None:
    from hubpub.output.stamped import render_json

    click.echo(render_json(rows, dry=dry), nl=False)


def _write_patch(patch: bytes) -> None:
    """The diff to stdout, byte for byte; on a terminal without control characters."""
    if sys.stdout.isatty():
        from hubpub.output.diff import render

        patch = render(patch.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
    sys.stdout.flush()
    sys.stdout.buffer.write(patch)
    sys.stdout.buffer.flush()
