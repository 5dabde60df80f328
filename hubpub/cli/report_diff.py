"""``hubpub report diff OLD NEW``: what changed between two reports of verify."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import click

from hubpub.cli import attesting
from hubpub.cli.outputs import targets, write_comparison
from hubpub.config.sizes import size
from hubpub.errors import UsageError
from hubpub.output import comparisons
from hubpub.verify import attested
from hubpub.verify.comparing import SEVERITIES, Thresholds, compare, fails, to_json

_DEFAULTS = Thresholds()


@click.command("diff")
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@click.option(
    "--output-format",
    "--format",
    "formats",
    metavar="NAME[:FILE]",
    multiple=True,
    help=f"{', '.join(comparisons.FORMATS)}; repeatable. Text on stdout when none is given.",
)
@click.option(
    "--fail-on",
    type=click.Choice([*SEVERITIES, "never"]),
    default="error",
    show_default=True,
    help="Exit with 1 for a change of this severity or a worse one.",
)
@click.option(
    "--time-ratio",
    type=float,
    default=_DEFAULTS.time_ratio,
    show_default=True,
    help="A load is slower where its time has grown by this factor,",
)
@click.option(
    "--time-floor",
    type=float,
    metavar="SECONDS",
    default=_DEFAULTS.time_floor,
    show_default=True,
    help="and by as many seconds of CPU time; five times as many where it only waits.",
)
@click.option(
    "--memory-ratio",
    type=float,
    default=_DEFAULTS.memory_ratio,
    show_default=True,
    help="It is heavier where its peak of memory has grown by this factor,",
)
@click.option(
    "--memory-floor",
    type=size,
    metavar="SIZE",
    default="128MiB",
    show_default=True,
    help="and by this much.",
)
@click.option(
    "--download-ratio",
    type=float,
    default=_DEFAULTS.download_ratio,
    show_default=True,
    help="Weights and downloads are larger where they have grown by this factor,",
)
@click.option(
    "--download-floor",
    type=size,
    metavar="SIZE",
    default="1MiB",
    show_default=True,
    help="and by this much.",
)
def command(old: str, new: str, formats: tuple[str, ...], fail_on: str, **bounds: float) -> int:
    """Say what changed from OLD to NEW, the JSON reports of two runs of hubpub verify.

    Of two tags of a repository, before the later one is released; or of one tag, last month and
    tonight. What breaks a user of OLD is an error (an entrypoint gone, weights replaced behind
    their URL), what is worse a warning (slower, no longer proven), the rest a note. Only what both
    runs came to is compared. Either may be the attestation of a release.

    Exit code 0: no change of the severity of --fail-on. 1: there is one.
    """
    outputs = targets(formats, comparisons.FORMATS)
    limits = _thresholds(bounds)
    before, after = _read(Path(old)), _read(Path(new))
    comparison = compare(before, after, limits)
    document = to_json(comparison, before, after)
    for name, path in outputs:
        write_comparison(document, name, path)
    return int(fails(comparison, fail_on))


def _read(file: Path) -> dict[str, Any]:
    """A report, or the one that an attestation holds."""
    document, from_attestation = attested.read(file)
    if from_attestation:
        attesting.say(f"{file} is one, and no signature was checked: docs/attestation.md")
    return document


def _thresholds(bounds: dict[str, float]) -> Thresholds:
    for name, value in bounds.items():
        least = 1 if name.endswith("ratio") else 0
        if not math.isfinite(value) or value < least:
            raise UsageError(f"--{name.replace('_', '-')} must be {least} or more")
    return Thresholds(**bounds)
