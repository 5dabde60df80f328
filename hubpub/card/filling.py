"""What a card says, as values: from a verified report, from facts of the source, and from people.

Nothing is said to be proven that the report does not prove, and what only a person can know is
None here, and marked in the card as left to do.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from hubpub.errors import UsageError
from hubpub.source.facts_entry import UNREAD_DOCSTRINGS

if TYPE_CHECKING:
    from hubpub.source.facts import Entrypoint, Repo

Report = Mapping[str, Any]
"""The documented JSON object of a report, which has passed its schema."""

UNPROVEN = "--allow-unproven"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_REF = re.compile(r"[\w./+@-]{1,200}", re.ASCII)
_LOCAL = "local"
"""The owner in the report of a repository that was verified from a path."""


@dataclass(frozen=True)
class Given:
    """What people say of a model. None, or empty, where nobody has said it."""

    repository: str | None = None
    title: str | None = None
    summary: str | None = None
    author: str | None = None
    image: str | None = None
    category: str | None = None
    tags: tuple[str, ...] = ()
    licence: str | None = None
    task: str | None = None


@dataclass(frozen=True)
class Ran:
    """One result of an entrypoint: its axes by status, each with its reason."""

    case: str
    device: str
    passed: tuple[str, ...]
    failed: tuple[tuple[str, str], ...]
    skipped: tuple[tuple[str, str], ...]
    claim: str


@dataclass(frozen=True)
class Shown:
    """An entrypoint that the report has proven to load.

    ``cases`` are those that loaded, ``arguments`` as the source has them: name, and whether it can
    be left out. ``summary`` is the first paragraph of the docstring, ``rest`` what follows it.
    """

    name: str
    cases: tuple[str, ...]
    results: tuple[Ran, ...]
    summary: str = ""
    rest: str = ""
    arguments: tuple[tuple[str, bool], ...] = ()


@dataclass(frozen=True)
class Weights:
    """A checkpoint that proven entrypoints use; ``size`` in bytes, ``places`` URLs or a path."""

    filename: str
    sha256: str
    size: int
    used_by: tuple[str, ...]
    places: tuple[str, ...]


@dataclass(frozen=True)
class Card:
    """Everything that a card says.

    ``unproven`` is what the report did not prove: what, and why. ``remarks`` are what a reader has
    to know of the proof itself, ``local`` whether it is of a folder, not of what GitHub has.
    """

    owner: str
    repo: str
    ref: str | None
    title: str
    given: Given
    commit: str | None
    environment: Mapping[str, Any]
    tier: str
    shown: tuple[Shown, ...]
    weights: tuple[Weights, ...]
    unproven: tuple[tuple[str, str], ...] = ()
    remarks: tuple[str, ...] = ()
    devices: frozenset[str] = field(default_factory=frozenset)
    about: str = ""
    local: bool = False

    @property
    def reference(self) -> str:
        """What ``torch.hub.load`` is given."""
        return f"{self.owner}/{self.repo}{f':{self.ref}' if self.ref else ''}"

    @property
    def file_name(self) -> str:
        """The name that pytorch/hub asks for."""
        title = re.sub(r"[^A-Za-z0-9.-]+", "-", self.title).strip("-.")[:60] or self.repo
        return f"{self.owner}_{self.repo}_{title}.md"


def fill(report: Report, repo: Repo | None, given: Given, *, unproven: bool = False) -> Card:
    """The card of a report.

    Args:
        report: has passed the schema of reports.
        repo: the facts of the same commit; None where they are not at hand.
        given: what people say.
        unproven: take a report that is no whole proof, or not of a tag; the card says so.

    Raises:
        UsageError: the report is no proof, proves no entrypoint, or does not name a repository.
    """
    given = _worded(given)
    remarks = tuple(_remarks(report))
    if remarks and not unproven:
        raise UsageError(
            f"no card is written of this report: {remarks[0]}",
            help=f"verify a tag, until it passes: hubpub verify owner/repo:TAG\n"
            f"or {UNPROVEN}, and the card says what is not proven",
        )
    owner, name = _repository(report, repo, given)
    ref = report["reference"]["ref"]
    if ref is not None and not _REF.fullmatch(ref):
        raise UsageError(f"the report's ref {ref[:100]!r} is none that torch.hub takes")
    known = {} if repo is None else {item.name: item for item in repo.entrypoints}
    shown = tuple(_shown(report, known))
    if not shown:
        raise UsageError(
            "the report has no entrypoint that loads, so there is nothing to write a card of",
            help="hubpub report FILE shows why",
        )
    names = {item.name for item in shown}
    hubconf = None if repo is None else repo.hubconf
    return Card(
        owner, name, ref,
        title=given.title or (shown[0].name[:60] if len(shown) == 1 else name),
        given=given,
        commit=report["commit"],
        environment=report["environment"],
        tier=report["sandbox"]["tier"],
        shown=shown,
        weights=tuple(_weights(report, names)),
        unproven=tuple(_unproven(report)),
        remarks=remarks,
        devices=frozenset(
            run.device for item in shown for run in item.results if "loads" in run.passed
        ),
        about=inspect.cleandoc((hubconf and hubconf.docstring) or ""),
        local=report["reference"]["owner"] == _LOCAL,
    )  # fmt: skip


def _worded(given: Given) -> Given:
    """The same, with what has no word in it as not said."""
    said = {item.name: getattr(given, item.name) for item in fields(given)}
    empty = [name for name, value in said.items() if isinstance(value, str) and not value.split()]
    return Given(**said | dict.fromkeys(empty))


def _remarks(report: Report) -> Iterator[str]:
    """Why the report is not a whole proof of what users will load."""
    if report["status"] != "pass":
        yield f"the status of the report is {report['status']}, not pass"
    selection = report.get("selection")
    if selection is not None and not selection["whole"]:
        ran, there = len(report["entrypoints"]), len(selection["listed"])
        yield f"the report is of {ran} of {there} entrypoints"
    kind = report["reference"]["kind"]
    if kind != "tag":
        yield f"what was verified is {'no ref' if kind is None else f'a {kind}'}, not a tag"
    if report["sandbox"]["tier"] == "none":
        yield "the code ran without a sandbox, which it may have deceived"


def _repository(report: Report, repo: Repo | None, given: Given) -> tuple[str, str]:
    reference = report["reference"]
    found = f"{reference['owner']}/{reference['repo']}"
    if given.repository is not None:
        found = given.repository
    elif reference["owner"] == _LOCAL:
        own = () if repo is None else repo.own
        if not own:
            raise UsageError(
                "the report is of a local repository, whose name on GitHub is not known",
                help="give it: --repository owner/name",
            )
        found = own[0]
    owner, slash, name = found.partition("/")
    if not slash or not _NAME.fullmatch(owner) or not _NAME.fullmatch(name):
        raise UsageError(
            f"{found[:200]!r} is no owner/name of a repository on GitHub",
            help="give it: --repository owner/name",
        )
    return owner, name


def _shown(report: Report, known: Mapping[str, Entrypoint]) -> Iterator[Shown]:
    for entrypoint in report["entrypoints"]:
        results = tuple(_ran(result) for result in entrypoint["results"] if result["facts"])
        cases = dict.fromkeys(run.case for run in results if "loads" in run.passed)
        if not cases:
            continue
        name = entrypoint["name"]
        fact = known.get(name)
        said = None if fact is None or fact.docstring in UNREAD_DOCSTRINGS else fact.docstring
        summary, rest = _parted(inspect.cleandoc(said or ""))
        arguments = () if fact is None else tuple(_arguments(fact))
        yield Shown(name, tuple(cases), results, summary, rest, arguments)


def _arguments(fact: Entrypoint) -> Iterator[tuple[str, bool]]:
    for parameter in fact.parameters:
        yield parameter.name, parameter.name not in fact.required


def _parted(docstring: str) -> tuple[str, str]:
    """The first paragraph, and what follows it."""
    first, _, rest = docstring.strip().partition("\n\n")
    return " ".join(first.split()), rest.strip("\n")


def _ran(result: Mapping[str, Any]) -> Ran:
    axes = result["axes"]
    by: dict[str, list[tuple[str, str]]] = {"pass": [], "fail": [], "skipped": []}
    for name, axis in axes.items():
        by[axis["status"]].append((name, axis["reason"] or ""))
    return Ran(
        result["case"],
        result["device"],
        tuple(name for name, _ in by["pass"]),
        tuple(by["fail"]),
        tuple(by["skipped"]),
        _claim(result["claims"]) if axes["loads"]["status"] == "pass" else "",
    )


def _claim(claims: Mapping[str, Any]) -> str:
    kind, count = claims.get("type"), claims.get("parameters")
    words = [kind] if isinstance(kind, str) and kind else []
    if isinstance(count, int) and not isinstance(count, bool):
        words.append(f"{count:,} parameters")
    return ", ".join(words)


def _weights(report: Report, names: set[str]) -> Iterator[Weights]:
    for item in report["checkpoints"]:
        used_by = tuple(name for name in item["entrypoints"] if name in names)
        if used_by:
            places = (item["path"],) if item["path"] else tuple(item["urls"])
            yield Weights(item["filename"], item["sha256"], item["size"], used_by, places)


def _unproven(report: Report) -> Iterator[tuple[str, str]]:
    """What did not load, or was not run, and why; of findings those that failed the run."""
    for entrypoint in report["entrypoints"]:
        skipped: dict[str, list[str]] = {}
        for result in entrypoint["results"]:
            loads = result["axes"].get("loads", {"status": "skipped", "reason": "not judged"})
            if loads["status"] == "pass" and result["facts"]:
                continue
            word = "does not load" if loads["status"] == "fail" else "was not run"
            where = f"{result['case']}, {result['device']}"
            skipped.setdefault(f"{word}: {loads['reason'] or 'no result'}", []).append(where)
        for reason, places in skipped.items():
            yield f"{entrypoint['name']} ({'; '.join(places)})", reason
    for finding in report["findings"]:
        own = finding["code"] == "verify" and finding["severity"] == "error"
        if own and finding["axis"] != "loads":  # which stands among the results
            yield finding["entrypoint"] or finding["path"], finding["message"]
