"""``hubpub init``."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from hubpub.scaffold import Answers, Outcome


@click.command(name="init")
@click.argument(
    "directory", default=".", metavar="[DIR]", type=click.Path(path_type=Path, file_okay=True)
)
@click.option("--name", metavar="PACKAGE", help="The package; by default made from DIR's name.")
@click.option("--entrypoint", metavar="NAME", help="The entrypoint; by default PACKAGE.")
@click.option("--owner", metavar="OWNER", help="The GitHub account, for the README's examples.")
@click.option("--repo", metavar="REPO", help="The GitHub repository; by default DIR's name.")
def command(
    directory: Path,
    name: str | None,
    entrypoint: str | None,
    owner: str | None,
    repo: str | None,
) -> None:
    """Write a hubconf.py with one entrypoint, the package it loads from, and what belongs to them.

    Nothing is ever overwritten: a README or licence of your own is kept, and any other file in the
    way stops init before it writes anything.
    """
    from hubpub.output.escape import visible
    from hubpub.scaffold import answer, plan, write

    answers = answer(directory, name=name, entrypoint=entrypoint, owner=owner, repo=repo)
    outcome = write(directory, plan(answers))
    for path in outcome.written:
        click.echo(f"wrote {visible(str(directory / path))}")
    for line in _advice(directory, answers, outcome):
        click.echo(visible(line), err=True)


def _advice(directory: Path, answers: Answers, outcome: Outcome) -> list[str]:
    """What init did not do, and what comes next."""
    from hubpub.scaffold import OWNER_PLACEHOLDER

    lines = [f"kept {directory / path}, which is yours" for path in outcome.kept]
    if "README.md" not in outcome.written:
        reference = f"{answers.owner}/{answers.repo}:v1.0"
        call = f'torch.hub.load("{reference}", "{answers.entrypoint}", trust_repo=True)'
        lines.append(f"show in it how to load the model: {call}")
    if "LICENSE" in outcome.written:
        lines.append("LICENSE is PyTorch's own, BSD-3-Clause: change it now if you want another")
    if answers.owner == OWNER_PLACEHOLDER:
        lines.append(f"replace {OWNER_PLACEHOLDER} by your GitHub account in what was written")
    steps = [f"cd {shlex.quote(str(directory))}"] if directory != Path() else []
    steps += ["hubpub check", "git init && git add . && git commit -m 'First'", "hubpub verify ."]
    return [*lines, "next:", *(f"  {step}" for step in steps)]
