"""The files for what was settled, and what is to be said of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from hubpub.errors import UsageError
from hubpub.scaffold import existing, mirroring
from hubpub.scaffold.answers import Answers
from hubpub.scaffold.asking import Settled, release_url
from hubpub.scaffold.converting import Trained
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
        if settled.trained is not None and settled.place == "tree":
            made.append(CopiedFile(f"weights/{settled.trained.stamped}", settled.trained.path))
    elif settled.trained is None:
        made += plan(settled.answers)
    else:
        made += _with_weights(settled.answers, settled.trained)
    return tuple(sorted(made, key=lambda file: file.path))


def _with_weights(answers: Answers, trained: Trained) -> Iterator[PlannedFile | CopiedFile]:
    """The files of a kind with a checkpoint in the place of the sample that comes with it.

    Without its tests: they speak of the sample's network, which the checkpoint is not of.
    """
    files = [file for file in plan(answers) if not file.path.startswith("tests/")]
    samples = [file for file in files if file.data is not None]
    if len(samples) != 1 or not samples[0].path.endswith(".pth"):
        kind = answers.kind
        raise UsageError(
            f"--kind {kind} is not made of one checkpoint",
            help="--from-checkpoint goes with --kind in-tree, classifier or custom",
        )
    folder, _, sample = samples[0].path.rpartition("/")
    yield CopiedFile(f"{folder}/{trained.stamped}", trained.path)
    for file in files:
        if file is not samples[0]:
            yield replace(file, text=file.text.replace(sample, trained.stamped))


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
    name, answers = trained.stamped, settled.answers
    if settled.mode == "new":
        yield (
            f"{answers.package}/network.py holds a network that the weights are not of: put yours "
            "in its place, and say in hubconf.py and README.md what it takes and gives; tests were "
            "left out, as they would be of the sample"
        )
    if settled.place == "release":
        made = "" if settled.mode == "new" else f"`hubpub stamp --copy {trained.path}` makes it; "
        place = f"release/{name}" if settled.mode == "new" else name
        yield (
            f"upload {name} before anybody loads it: {made}`gh release create weights {place}`, "
            f"so that it is at {release_url(answers, name)}"
        )
