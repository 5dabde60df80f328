"""``hubpub init``: write the files of a new publisher, and never touch one that is there.

Three steps, each a function: :func:`answer` settles the names, :func:`plan` renders every file in
memory, :func:`write` puts them down together or not at all. :func:`init` is the three in a row.
"""

from __future__ import annotations

from pathlib import Path

from hubpub.scaffold.answers import OWNER_PLACEHOLDER, Answers, answer
from hubpub.scaffold.rendering import PlannedFile, plan
from hubpub.scaffold.writing import Outcome, write

__all__ = [
    "OWNER_PLACEHOLDER",
    "Answers",
    "Outcome",
    "PlannedFile",
    "answer",
    "init",
    "plan",
    "write",
]


def init(
    directory: Path,
    *,
    name: str | None = None,
    entrypoint: str | None = None,
    owner: str | None = None,
    repo: str | None = None,
) -> Outcome:
    """Write a hubconf.py, the package it loads from, and their README, licence and test.

    Args:
        directory: the repository root; made when it is not there.
        name: the package; by default the folder's name made an identifier.
        entrypoint: what ``torch.hub.load`` is asked for; by default the package's name.
        owner: the GitHub account, for the examples.
        repo: the GitHub repository, for the examples; by default the folder's name.

    Raises:
        UsageError: a name cannot be used, a file is in the way, or the folder cannot be written.
            Nothing has been written then.
    """
    answers = answer(directory, name=name, entrypoint=entrypoint, owner=owner, repo=repo)
    return write(directory, plan(answers))
