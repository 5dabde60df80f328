"""The report: frozen values on this side, the documented JSON on the other.

Facts (made by the parent or the supervisor) and claims (said by the code under test) never share a
field. ``schemas/report.json`` is the contract; nothing is written that does not pass it.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from hubpub.errors import UsageError
from hubpub.verify.accelerator import Accelerator
from hubpub.verify.lockreport import LockReport

VERSION = 1
MAX_BYTES = 256 << 20
"""A larger file is no report (bytes)."""

_MOST_NUMBER = 1 << 63

AXES = (
    "listed",
    "documented",
    "loads",
    "forward",
    "device",
    "weights",
    "weights_only",
    "dependencies",
    "coexists",
    "offline",
    "reproducible",
    "late_imports",
    "pickles",
)
"""Every axis stands on every result, in this order."""

REQUIRED = frozenset({"listed", "loads", "forward", "weights"})
"""The axes that fail the run unless told otherwise; a failure of any other is a warning.

``forward`` is only asked of what the repository itself declares."""


@dataclass(frozen=True)
class Axis:
    """One question about one result: pass, fail or skipped, with the reason for the latter two."""

    status: str
    reason: str | None = None


@dataclass(frozen=True)
class Facts:
    """What the supervisor saw of a job. Seconds, bytes."""

    exit: int | None
    signal: int | None
    wall_s: float
    cpu_s: float
    peak_bytes: int
    ended: str
    fresh: bool = False
    """Whether it ran in an interpreter of its own, not in a fork of the supervisor."""
    retried: str | None = None
    """Why an earlier try in a fork does not count: how that one ended."""
    gpu_left_bytes: int | None = None
    """What of the GPU's memory was not free after the job and had been before; None unread."""


@dataclass(frozen=True)
class Used:
    """One file of weights as one job used it: what hubpub.lock keeps of it.

    ``size`` in bytes; ``format`` None where it was downloaded and not left to be read; ``urls`` the
    code asked for, sorted; ``path`` where it lies in the tree.
    """

    filename: str
    sha256: str
    size: int
    format: str | None
    urls: tuple[str, ...] = ()
    path: str | None = None


@dataclass(frozen=True)
class Result:
    """One job: an entrypoint on a device in a case. ``facts`` is None where nothing ran."""

    device: str
    case: str
    axes: Mapping[str, Axis]
    facts: Facts | None = None
    claims: Mapping[str, Any] = field(default_factory=dict)
    checkpoints: tuple[str, ...] = ()
    used: tuple[Used, ...] = ()


@dataclass(frozen=True)
class Entrypoint:
    """One name that ``torch.hub.list`` shows, and its results.

    ``wall_s`` is what all its jobs took together, ``unlike_a_clone`` what it says it opened of the
    tree that a clone has otherwise: path -> kind (:mod:`hubpub.verify.differences`).
    """

    name: str
    results: tuple[Result, ...]
    wall_s: float = 0.0
    unlike_a_clone: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class StampReport:
    """``prefix`` as the loader reads it; ``status`` match, mismatch, vacuous or absent."""

    prefix: str | None
    status: str


@dataclass(frozen=True)
class Use:
    """One name under which an entrypoint had a checkpoint.

    ``url`` is the one that was asked for it, where it lay in torch.hub's cache of checkpoints;
    ``path`` where it lay in the tree.
    """

    entrypoint: str
    filename: str
    stamp: StampReport
    url: str | None = None
    path: str | None = None


@dataclass(frozen=True)
class Checkpoint:
    """One file of weights, named by its content. ``path`` where it lies in the tree."""

    filename: str
    sha256: str
    size: int
    stamp: StampReport
    urls: tuple[str, ...]
    entrypoints: tuple[str, ...]
    weights_only: Axis
    unsafe_globals: tuple[str, ...]
    format: str
    path: str | None = None
    asked_by: Mapping[str, str] = field(default_factory=dict)
    """Of each URL the first entrypoint, by name, that asked for it."""
    uses: tuple[Use, ...] = ()


@dataclass(frozen=True)
class Network:
    """One request that the parent's proxy answered.

    ``announced`` is the length that the server gave, ``location`` where it redirects to.
    """

    method: str
    url: str
    status: int | None
    bytes: int
    sha256: str | None
    decision: str
    reason: str | None
    announced: int | None = None
    location: str | None = None
    entrypoint: str | None = None
    """Who asked; None for what ``torch.hub.list`` asked."""
    source: str | None = None
    """kept, supplied or None, as :class:`hubpub.verify.egress.Request` has it."""


@dataclass(frozen=True)
class Excerpt:
    """Lines of the tree that was verified, from ``first_line`` and ``first_column`` on (1-based).

    Lines are whole, or cut to so many characters: :mod:`hubpub.verify.excerpts`.
    """

    first_line: int
    first_column: int
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Finding:
    """A diagnostic of the same tree, or a verification result that needs action."""

    code: str
    name: str
    severity: str
    message: str
    path: str = "hubconf.py"
    line: int = 1
    column: int = 1
    end_line: int = 1
    end_column: int = 1
    help: str | None = None
    fix: Mapping[str, str] | None = None
    entrypoint: str | None = None
    axis: str | None = None
    cause: str | None = None
    """Whose a failed load is to mend (:data:`hubpub.verify.explain.Cause`)."""
    excerpt: Excerpt | None = None
    """The source it is about; None where there is none to show."""


@dataclass(frozen=True)
class Reference:
    """What was asked for (``requested``) and the ref that torch.hub takes.

    ``url`` is where it is on the web (:func:`hubpub.verify.checkout.web_url`).
    """

    owner: str
    repo: str
    ref: str | None
    kind: str | None
    requested: str | None
    url: str | None = None


@dataclass(frozen=True)
class Environment:
    """What ran the loader, as the parent and the supervisor read it."""

    hubpub: str
    python: str
    torch: str | None
    platform: str
    devices: tuple[str, ...]
    accelerators: tuple[Accelerator, ...] = ()


@dataclass(frozen=True)
class SandboxReport:
    """Which tier held the code, and which of its features were seen to hold.

    ``version`` is of the program that built it, ``outer_uid`` the user outside that the code ran
    as, ``limits`` the bounds of a job (seconds, bytes, counts), ``packages`` what could be imported
    (``declared``, or ``all`` with why), ``not_held`` what this tier does not stop although a full
    sandbox would, and ``warning`` what every rendering has to say.
    """

    tier: str
    features: Mapping[str, bool]
    version: str | None = None
    outer_uid: int | None = None
    limits: Mapping[str, float] = field(default_factory=dict)
    limited_by: str | None = None
    packages: str | None = None
    not_held: tuple[str, ...] = ()
    warning: str | None = None


@dataclass(frozen=True)
class Selected:
    """What a run took of the entrypoints that ``torch.hub.list`` shows.

    ``patterns`` and ``shard`` (``I/N``) are as they were asked for, ``listed`` every name that
    there is, sorted; ``whole`` says that all of them were taken.
    """

    patterns: tuple[str, ...]
    shard: str | None
    listed: tuple[str, ...]
    whole: bool


@dataclass(frozen=True)
class Report:
    """Everything a run found out. ``status`` is pass, fail, error or interrupted."""

    status: str
    reference: Reference
    environment: Environment
    sandbox: SandboxReport
    commit: str | None = None
    tree: str | None = None
    entrypoints: tuple[Entrypoint, ...] = ()
    checkpoints: tuple[Checkpoint, ...] = ()
    lock: LockReport | None = None
    """None where nothing was compared with a lock; the field is then absent."""
    network: tuple[Network, ...] = ()
    findings: tuple[Finding, ...] = ()
    selection: Selected | None = None
    """None where the run did not come to the list."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """What the caller chose that decides what a result means."""


def to_json(report: Report) -> dict[str, Any]:
    """The report as the documented JSON object, checked against the schema.

    Raises:
        jsonschema.ValidationError: a defect of hubpub, never of the repository under test.
    """
    document: dict[str, Any] = json.loads(json.dumps({"version": VERSION, **asdict(report)}))
    if report.lock is None:
        del document["lock"]
    validate(document)
    return document


def validate(document: object) -> None:
    """Hold ``document`` against the schema; raises ``jsonschema.ValidationError``."""
    import jsonschema

    jsonschema.Draft202012Validator(schema()).validate(document)


def read(file: Path) -> dict[str, Any]:
    """A report from a file, which anybody may have written.

    Raises:
        UsageError: the file cannot be read, or is no report of this version.
    """
    return accepted(load(file), file)


def load(file: Path) -> Any:
    """The JSON of a file that may be a report (of x.jsonl a list); UsageError where it has none."""
    try:
        if file.stat().st_size > MAX_BYTES:
            raise UsageError(f"{file}: larger than {MAX_BYTES >> 20} MiB, so it is no report")
        data = file.read_bytes()
        if file.suffix == ".jsonl":
            return [parse(line) for line in data.splitlines() if line.strip()]
        return parse(data)
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{file} is no JSON: {error}") from None


def parse(data: bytes) -> Any:
    """JSON with numbers that a report can hold; raises ValueError or RecursionError."""
    return json.loads(data, parse_int=_number, parse_float=_number, parse_constant=_number)


def accepted(document: object, file: Path) -> dict[str, Any]:
    """``document``, which stood in ``file``; raises UsageError where it is no report."""
    import jsonschema

    try:
        validate(document)
    except jsonschema.ValidationError as error:
        where = "/".join(map(str, error.absolute_path)) or "the top"
        raise UsageError(
            f"{file} is no report of this version of hubpub: at {where}, {error.message[:300]}",
            help="write one with hubpub verify TARGET --output-format json:FILE",
        ) from None
    assert isinstance(document, dict)  # noqa: S101 - the schema says so
    return document


def _number(text: str) -> int | float:
    """A number that a report can hold: JSON knows no end of them, and Python's no infinity.

    Raises:
        ValueError: another.
    """
    value = int(text) if text.lstrip("-").isdigit() else float(text)
    if not -_MOST_NUMBER <= value <= _MOST_NUMBER:  # nor is what is no number
        raise ValueError(f"{text[:40]} is no number of a report")
    return value


@functools.cache
def schema() -> Mapping[str, Any]:
    """The JSON Schema (2020-12) of a report."""
    path = Path(__file__).parent.parent / "schemas" / "report.json"
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def status(
    entrypoints: Sequence[Entrypoint],
    findings: Sequence[Finding],
    required: Collection[str] = REQUIRED,
) -> str:
    """pass, or fail: an axis of ``required`` failed, the run itself found an error, or nothing ran.

    Findings of the static check carry a code of the catalogue and never decide.
    """
    results = [result for entrypoint in entrypoints for result in entrypoint.results]
    if not any(result.facts is not None for result in results):
        return "fail"
    if any(result.axes[axis].status == "fail" for result in results for axis in required):
        return "fail"
    own = [finding for finding in findings if finding.code == "verify"]
    return "fail" if any(finding.severity == "error" for finding in own) else "pass"
