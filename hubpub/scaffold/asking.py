"""What is made: from the command line, from what was found, or by asking, in this order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from hubpub.errors import UsageError
from hubpub.scaffold import answers as names
from hubpub.scaffold import converting, mirroring
from hubpub.scaffold.answers import OWNER_PLACEHOLDER, Answers
from hubpub.scaffold.converting import Trained
from hubpub.scaffold.kinds import KINDS, LICENCES, PIECES
from hubpub.scaffold.looking import Found
from hubpub.scaffold.mirroring import Entry, Weights
from hubpub.scaffold.questions import Ask, Given, Question, by_default

USUAL = ("readme", "licence", "test")
"""The pieces that a repository gets; a new one gets settings too."""
MISSING = ("readme", "precommit", "workflow", "settings")
"""The pieces that a repository which publishes already is offered."""
TREE = 50 << 20
"""A larger checkpoint goes to a release by default (bytes): each clone would carry it for ever."""
_UNSETTLED = "unsettled"
"""Stands for the package until it is known."""
_ENTRYPOINT = "Entrypoint, as torch.hub.load is asked for it"


@dataclass(frozen=True)
class Settled:
    """What is to be made. ``mode`` is patch, package or new; ``trained`` the file to publish."""

    mode: str
    answers: Answers
    entries: tuple[Entry, ...] = ()
    trained: Trained | None = None
    place: str = ""
    """Where ``trained`` goes: tree or release; empty without one."""


def settle(directory: Path, found: Found, given: Given, ask: Ask = by_default) -> Settled:
    """Settle everything, from the command line, from what was found, or by asking, in this order.

    Raises:
        UsageError: something cannot be used, or two things contradict each other.
    """
    mode = _mode(found, given)
    trained = _trained(given)
    place = "" if trained is None else _place(trained, given)
    if mode == "patch":
        return Settled(mode, _common(directory, found, given, ask, "hubconf", "", MISSING))
    kind = _kind(given, ask, place) if mode == "new" else None
    if kind is not None:
        if trained is not None and trained.form == "safetensors":
            raise UsageError(
                "a safetensors file is supported beside the network that it belongs to, and there "
                "is none here",
                help="put the network's code into the folder and run it again, or save the weights "
                "with torch.save",
            )
        package = _name(directory, given, ask)
        entrypoint = given.entrypoint or ask(
            Question("--entrypoint", _ENTRYPOINT, package, names.entrypoint_name)
        )
        entrypoint = names.entrypoint_name(entrypoint)
        # The settings say what a sample takes and gives.
        usual = USUAL if trained else (*USUAL, "settings")
        made = _common(directory, found, given, ask, package, entrypoint, usual)
        return Settled(mode, replace(made, kind=kind), trained=trained, place=place)
    made = _common(directory, found, given, ask, "", "", USUAL)
    entries = _entries(found, given, ask, _weights(made, trained, place), trained)
    first = entries[0]
    package = first.model.module.partition(".")[0]
    made = replace(made, package=package, entrypoint=first.name)
    return Settled(mode, made, entries, trained, place)


def _mode(found: Found, given: Given) -> str:
    made = [
        flag
        for flag, value in (
            ("--from-checkpoint", given.checkpoint),
            ("--kind", given.kind),
            ("--from-torchscript", given.torchscript),
            ("--from-timm", given.timm),
            ("--model", given.models),
        )
        if value
    ]
    if found.hubconf:
        if made:
            raise UsageError(
                f"{made[0]} makes a new hubconf.py, and there is one",
                help="nothing was written; `hubpub stamp FILE` names a checkpoint for the loader, "
                "and `hubpub init` without it proposes a patch",
            )
        return "patch"
    for one, other in (
        ("--from-torchscript", "--from-checkpoint"), ("--from-torchscript", "--from-timm"),
        ("--from-torchscript", "--model"), ("--from-torchscript", "--kind"),
        ("--from-timm", "--model"), ("--from-timm", "--kind"), ("--kind", "--model"),
    ):  # fmt: skip
        if one in made and other in made:
            raise UsageError(f"{one} and {other} contradict each other", help="give one of them")
    if made and made[-1] in {"--from-timm", "--from-torchscript", "--model"}:
        return "package"
    return "package" if "--kind" not in made and found.models else "new"


def _trained(given: Given) -> Trained | None:
    path = given.torchscript or given.checkpoint
    if path is None:
        return None
    trained = converting.read(path)
    converting.require(trained, "torchscript" if given.torchscript else "weights")
    return trained


def _place(trained: Trained, given: Given) -> str:
    """Whether a checkpoint goes into the tree or to a release."""
    place = given.weights
    if trained.form == "torchscript":
        if place == "release":
            raise UsageError(
                "a TorchScript archive at a URL is not supported: load_state_dict_from_url reads "
                "weights, and nothing else of torch.hub checks a hash",
                help="--weights tree",
            )
        place = "tree"
    if place is None:
        small = trained.size <= TREE
        by_kind = {"in-tree": "tree", "classifier": "release"}
        place = by_kind.get(given.kind or "", "tree" if small else "release")
    if place == "release":
        converting.require_release(trained)
        if trained.form == "safetensors":
            raise UsageError(
                "a safetensors file at a URL is not supported: load_state_dict_from_url reads it "
                "with the newest releases of PyTorch only",
                help="--weights tree, or save it with torch.save for a release",
            )
    elif trained.size > converting.MAX_TREE:
        raise UsageError(
            f"{trained.path} is larger than the 100 MiB that GitHub takes into a repository",
            help="--weights release",
        )
    return place


def _weights(answers: Answers, trained: Trained | None, place: str) -> Weights:
    if trained is None:
        return Weights()
    if place == "tree":
        return Weights(path=f"weights/{trained.stamped}", form=trained.form)
    return Weights(url=release_url(answers, trained.stamped))


def release_url(answers: Answers, name: str) -> str:
    """Where GitHub serves the file ``name`` of a release that holds the weights and no code.

    It can be there before the code that names it.
    """
    return f"https://github.com/{answers.owner}/{answers.repo}/releases/download/weights/{name}"


def _kind(given: Given, ask: Ask, place: str) -> str:
    if given.kind:
        return names.one_of(given.kind, KINDS, "--kind")
    if place:
        return "in-tree" if place == "tree" else "classifier"
    first = next(iter(KINDS))
    return ask(
        Question("--kind", "Kind", first, lambda word: names.one_of(word, KINDS, "--kind"), KINDS)
    )


def _name(directory: Path, given: Given, ask: Ask) -> str:
    def valid(word: str) -> str:
        return names.package_name(directory, word or None)

    if given.name is not None:
        return names.package_name(directory, given.name)
    proposed = names.default_package(directory)
    if ask is by_default:
        return names.package_name(directory, None)
    try:
        names.package_name(directory, proposed)
    except UsageError:
        proposed = ""
    return ask(Question("--name", "Package, a word of its own", proposed, valid))


def _common(
    directory: Path,
    found: Found,
    given: Given,
    ask: Ask,
    package: str,
    entrypoint: str,
    usual: Sequence[str],
) -> Answers:
    """What every mode needs to know."""
    owner, repo = _github(directory, found, given, ask, package)
    description = _description(found, given, ask, usual)
    around = _around(found, given, ask, usual)
    licence, holder = given.licence, given.holder or _usable(found.author)
    if "licence" in around and not found.licensed:
        if licence is None:
            first = next(iter(LICENCES))
            licence = ask(Question("--licence", "Licence", first, _licence, LICENCES))
        if not holder:
            text, proposed = "Who holds the copyright", owner or f"the {repo} authors"
            holder = ask(Question("--holder", text, proposed, _line("--holder")))
    plain = names.answer(
        directory,
        name=_UNSETTLED,
        owner=owner,
        repo=repo,
        holder=holder or None,
        around=around,
        tag=given.tag or next_tag(found.tag),
        dependencies=given.dependencies,
        description=description,
        licence=licence,
    )
    return replace(plain, package=package, entrypoint=entrypoint)


def _github(
    directory: Path, found: Found, given: Given, ask: Ask, package: str
) -> tuple[str | None, str]:
    """The account, None where nobody said, and the repository."""
    owner, repo = given.owner or found.owner, given.repo or found.repo
    if owner is None:
        answer = ask(Question("--owner", "GitHub account", OWNER_PLACEHOLDER, names.owner_name))
        owner = None if answer == OWNER_PLACEHOLDER else answer
    if repo is None:
        proposed = names.default_repo(directory, package)
        repo = ask(Question("--repo", "GitHub repository", proposed, names.repo_name))
    return owner, repo


def _description(found: Found, given: Given, ask: Ask, usual: Sequence[str]) -> str:
    if given.description is not None or usual is MISSING:
        return given.description or ""
    text, proposed = "One line about it (may be empty)", _usable(found.description)
    return ask(Question("--description", text, proposed, _line("--description")))


def _usable(text: str) -> str:
    """What a packaging file says, where it can be repeated; else nothing."""
    try:
        return names.one_line(text, "")
    except UsageError:
        return ""


def _licence(word: str) -> str:
    return names.one_of(word, LICENCES, "--licence")


def _line(flag: str) -> Callable[[str], str]:
    return lambda text: names.one_line(text, flag)


def next_tag(newest: str | None) -> str:
    """The release that will hold what is written: after ``v1.2`` or ``v1.2.3`` comes ``v1.3``.

    The newest one that is there does not hold it.
    """
    if newest is None:
        return "v1.0"
    numbers = newest.lstrip("v").split(".")
    tail = ["0"] * (len(numbers) - 2)
    return ".".join([newest.split(".")[0], str(int(numbers[1]) + 1), *tail])


def _around(found: Found, given: Given, ask: Ask, usual: Sequence[str]) -> frozenset[str]:
    """The pieces to write: the usual ones and ``added``, without ``omitted``."""
    omitted = set(names.pieces(given.omitted))
    added = set(names.pieces(given.added)) | ({"licence"} if given.licence else set())
    if added or omitted:
        return frozenset({*usual, *added} - omitted)
    # A file of the user's own is planned too, so that it can be said that it stays.
    there = {"readme"} if found.readme else set()
    there |= {"licence"} if found.licence else set()
    named = {"licence"} if found.licensed else set()
    shown = {name: text for name, text in PIECES.items() if name not in there | named}
    if usual is MISSING:
        shown, there = dict(PIECES), set()
    default = ",".join(name for name in usual if name in shown) or "none"
    text = "What to write around it (with commas, or none)"
    words = ask(Question("--with", text, default, _pieces, shown))
    return frozenset({*_split(words), *(there & set(usual))})


def _split(words: str) -> tuple[str, ...]:
    parts = tuple(part.strip() for part in words.split(",") if part.strip())
    return () if parts == ("none",) else parts


def _pieces(words: str) -> str:
    return ",".join(names.pieces(_split(words))) or "none"


def _entries(
    found: Found, given: Given, ask: Ask, weights: Weights, trained: Trained | None
) -> tuple[Entry, ...]:
    if given.timm:
        return (mirroring.timm_entry(given.timm, given.entrypoint, given.values, weights),)
    if trained is not None and trained.form == "torchscript":
        name = names.default_entrypoint(given.entrypoint or trained.path.name)
        if given.entrypoint is None:
            name = ask(Question("--entrypoint", _ENTRYPOINT, name, names.entrypoint_name))
        return (mirroring.torchscript_entry(name, trained, weights),)
    wanted = given.models
    candidates = found.candidates()
    if not wanted and len(candidates) > 1:
        words = {item.dotted: item.summary or item.path for item in candidates}
        one = weights.path or weights.url or given.entrypoint
        default = candidates[0].dotted if one else ",".join(words)

        def valid(text: str) -> str:
            mirroring.choose(found, _split(text))
            return text

        text = "Networks to offer (with commas)"
        if ask is not by_default or not one:
            wanted = _split(ask(Question("--model", text, default, valid, words)))
    chosen = mirroring.choose(found, wanted)
    entrypoint = given.entrypoint
    if len(chosen) == 1 and entrypoint is None and chosen[0][1] is None:
        proposed = mirroring.proposed_name(chosen[0][0])
        entrypoint = ask(Question("--entrypoint", _ENTRYPOINT, proposed, names.entrypoint_name))
    entries = mirroring.entries(chosen, entrypoint=entrypoint, values=given.values, weights=weights)
    return tuple(_with_values(entry, ask) for entry in entries)


def _with_values(entry: Entry, ask: Ask) -> Entry:
    """The entry with a default for what its constructor must be given, as far as one is named."""
    found = dict(entry.values)
    for name in mirroring.missing_values(entry):
        target = f"{entry.model.name}.{name}"

        def valid(text: str, target: str = target) -> str:
            return mirroring.literal(target, text) if text else ""

        text = f"{target} has no default; a literal of Python (may be empty: callers give it)"
        answer = ask(Question("--value", text, "", valid))
        if answer:
            found[name] = answer
    return replace(entry, values=MappingProxyType(found))
