"""The files for what was settled, and what is to be said of them."""

from __future__ import annotations

from collections.abc import Iterator

from hubpub.scaffold import existing, mirroring
from hubpub.scaffold.asking import Settled, release_url
from hubpub.scaffold.looking import Found
from hubpub.scaffold.rendering import PlannedFile, plan
from hubpub.scaffold.writing import CopiedFile


def files(found: Found, settled: Settled) -> tuple[PlannedFile | CopiedFile, ...]:
    """Everything to write, sorted by path.

    Raises:
        UsageError: there is nothing to write an entrypoint for.
    """
    made: list[PlannedFile | CopiedFile] = []
    if settled.mode == "package":
        made += existing.plan_existing(settled.answers, found, settled.entries)
    else:
        made += plan(settled.answers)
    if settled.trained is not None and settled.place == "tree":
        made.append(CopiedFile(f"weights/{settled.trained.stamped}", settled.trained.path))
    return tuple(sorted(made, key=lambda file: file.path))


def remarks(settled: Settled) -> Iterator[str]:
    """What people should know of it, one line each."""
    yield from mirroring.remarks(settled.entries)
    trained = settled.trained
    if trained is None:
        return
    if trained.training:
        keys = ", ".join(trained.training)
        yield (
            f"{trained.path} looks like a state of training, with {keys}: load_state_dict takes "
            "the weights alone, torch.save(model.state_dict(), FILE)"
        )
    if settled.place == "release":
        yield (
            f"attach {trained.path} to the release {settled.answers.tag} on GitHub under the name "
            f"{trained.stamped} (`hubpub stamp --copy` makes it), so that it is at "
            f"{release_url(settled.answers, trained.stamped)}"
        )
