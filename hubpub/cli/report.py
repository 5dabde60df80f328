"""``hubpub report FILE``: a saved report of verify, rendered again."""

from __future__ import annotations

from pathlib import Path

import click

from hubpub.cli.outputs import targets, write_report
from hubpub.output import reports
from hubpub.verify import report


@click.command("report")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--output-format",
    "--format",
    "formats",
    metavar="NAME[:FILE]",
    multiple=True,
    help=f"{', '.join(reports.FORMATS)}; repeatable. Text on stdout when none is given.",
)
def command(file: Path, formats: tuple[str, ...]) -> int:
    """Render FILE, which `hubpub verify --output-format json:FILE` wrote, in other formats."""
    outputs = targets(formats, reports.FORMATS)
    document = report.read(file)
    for name, path in outputs:
        write_report(document, name, path)
    return 0
