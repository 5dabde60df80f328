"""``hubpub report FILE``: a saved report of verify, rendered again; ``merge`` joins several."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from hubpub.cli import attesting
from hubpub.cli.outputs import targets, write_report
from hubpub.cli.verify import EXIT
from hubpub.errors import UsageError
from hubpub.output import reports
from hubpub.verify import report

_MERGE = "merge"


@click.command("report")
@click.argument("words", metavar="FILE | merge FILE...", nargs=-1, required=True)
@click.option(
    "--output-format",
    "--format",
    "formats",
    metavar="NAME[:FILE]",
    multiple=True,
    help=f"{', '.join(reports.FORMATS)}; repeatable. Text on stdout when none is given.",
)
@click.option(
    "--attestation",
    type=click.Path(path_type=Path),
    metavar="OUT",
    help="Write an in-toto statement of a report that proves a release, to be signed.",
)
def command(words: tuple[str, ...], formats: tuple[str, ...], attestation: Path | None) -> int:
    """Render FILE, which `hubpub verify --output-format json:FILE` wrote, in other formats.

    With merge: join the reports of all shards of one run (`hubpub verify --shard I/N`) to the
    report that one whole run would have written. They must be of the same commit, tree,
    environment and options. A file that is called merge is ./merge.

    Exit code 0; with merge that of the whole run: 1 where something needs action.
    """
    outputs = targets(formats, reports.FORMATS) if formats or attestation is None else []
    attesting.place(attestation)
    if words[0] == _MERGE:
        document = _merged(words[1:])
    elif len(words) > 1:
        raise UsageError(
            f"{len(words)} files, and one is rendered at a time",
            help="to join the reports of shards: hubpub report merge FILE...",
        )
    else:
        document = report.read(Path(words[0]))
    for name, path in outputs:
        write_report(document, name, path)
    if words[0] == _MERGE:
        attesting.write_if_passed(attestation, document)
        return EXIT[document["status"]]
    if attestation is not None:
        attesting.write(attestation, document)
    return 0


def _merged(files: tuple[str, ...]) -> dict[str, Any]:
    from hubpub.verify import joining

    if not files:
        raise UsageError("merge needs files", help="hubpub report merge shard1.json shard2.json")
    return joining.merge([(file, report.read(Path(file))) for file in files])
