"""``--attestation FILE``: what a run must be for one, and writing it."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import click

from hubpub.cli.outputs import write_file
from hubpub.errors import UsageError
from hubpub.output import attestation
from hubpub.output.escape import short, visible
from hubpub.output.report_results import DECIDES
from hubpub.output.report_text import plural

_LONGEST = 300


def place(file: Path | None) -> None:
    """Raise UsageError where ``file`` cannot be written, before anything runs."""
    if file is None:
        return
    if not file.absolute().parent.is_dir():
        raise UsageError(f"--attestation {file}: no directory {file.absolute().parent}")
    if file.is_dir():
        raise UsageError(f"--attestation {file}: it is a directory")


def of_a_proof(
    file: Path | None,
    *,
    working_tree: bool,
    tier: str,
    part: bool,
    checkpoints: bool,
    skip: Collection[str],
) -> None:
    """Refuse, before anything runs, what :func:`hubpub.output.attestation.refuse` would after it.

    Raises:
        UsageError: flags that do not go together, or no such place.
    """
    if file is None:
        return
    place(file)
    reasons = (
        (working_tree, "--working-tree", "nobody else has it", "commit, and verify that"),
        (tier == "none", "--sandbox none", "the code could say anything", "take a sandbox"),
        (part, "a part", "it is no whole proof", "hubpub report merge FILE... --attestation FILE"),
        (checkpoints, "--checkpoints", "no server is asked", "verify with a network"),
        *(
            (axis in skip, f"--skip {axis}", "it decides whether a release works", "ask it")
            for axis in DECIDES
        ),
    )
    for is_so, what, why, advice in reasons:
        if is_so:
            raise UsageError(f"--attestation does not go with {what}: {why}", help=advice)


def write(file: Path, document: dict[str, Any]) -> None:
    """Write what ``document``, a report, can be attested as.

    Raises:
        UsageError: it proves too little or is too large, or the file cannot be written.
    """
    from hubpub.verify import attested

    made = attestation.statement(document)
    attested.validate(made)
    write_file(file, attestation.dumps(made))
    count = len(made["subject"]) - 1
    named = f"{count} {plural(count, 'checkpoint')} and the commit {document['commit']}"
    say(f"{file} is written, to be signed: {named}")


def write_if_passed(file: Path | None, document: dict[str, Any]) -> None:
    """As :func:`write`; a run that does not pass has its own exit code, and gets a word here."""
    if file is None:
        return
    if document["status"] == "pass":
        write(file, document)
    else:
        say(f"{file} was not written: only a run that passes is attested")


def say(text: str) -> None:
    """A line on stderr."""
    click.echo(f"attestation: {visible(short(text, _LONGEST))}", err=True)
