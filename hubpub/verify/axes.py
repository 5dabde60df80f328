"""The questions asked of each result: one small pure function an axis, from evidence to a verdict.

A new axis is a new function here. Facts decide; a claim is only believed where the facts agree.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from hubpub.verify.egress import Request
from hubpub.verify.explain import Cause, explain, of_requests, place
from hubpub.verify.harvest import LeftFile, is_checkpoint_name, origins, stamp
from hubpub.verify.report import AXES, Axis, Checkpoint, Facts

_ENDED = {
    "timeout": "no end within the time limit (--timeout)",
    "cpu": "more CPU time than the limit (--cpu-time)",
    "memory": "more memory than the limit (--memory)",
    "pids": "more processes than the limit (--processes)",
    "files": "more files than the limit (--files)",
    "disk": "more disk than the limit (--disk)",
    "output": "more output than the limit (--output-limit)",
    "download": "a download did not arrive whole",
}
_LIMITED = ("timeout", "cpu", "memory", "pids", "files", "disk", "output")
_WHOSE: dict[str, Cause] = {**dict.fromkeys(_LIMITED, "limit"), "download": "network"}
_REPLACED = "the file was replaced or is damaged: upload it under its own stamp"
_SHOWN, _LONGEST = 20, 200
"""Names in one reason, for a job can leave a thousand files, and characters of a name."""
_UNMET = "RuntimeError: Missing dependencies: "
"""How torch.hub says that not all of ``dependencies`` is installed (``_check_dependencies``)."""
_LACKING = re.compile(r"missing \d+ required (?:positional|keyword-only) arguments?: (.+)")
"""How Python says which arguments a call lacks."""
_NOT_YET = "hubpub does not prove this axis yet"


@dataclass(frozen=True)
class Verdict:
    """An axis, with what its finding says beyond the reason: the mend, the place, whose it is."""

    status: str
    reason: str | None = None
    help: str | None = None
    path: str = "hubconf.py"
    line: int = 1
    cause: Cause | None = None

    @property
    def axis(self) -> Axis:
        """What the report keeps on the result."""
        return Axis(self.status, self.reason)


PASS = Verdict("pass")


@dataclass(frozen=True)
class Evidence:
    """Everything known about one result.

    ``static_names`` are the certain and possible names of the static reader, ``dynamic`` whether it
    saw places it could not evaluate. ``listing`` is what the list job claimed of this name.
    """

    entrypoint: str
    listing: Mapping[str, Any]
    static_names: frozenset[str]
    dynamic: bool
    declared: bool
    facts: Facts
    claims: Mapping[str, Any] | None
    requests: tuple[Request, ...]
    checkpoints: tuple[Checkpoint, ...]
    refused: tuple[LeftFile, ...]
    pages: tuple[str, ...]
    leak: bool = False
    """Whether the static reader takes it for a name that was not meant as an entrypoint."""


def judge(evidence: Evidence) -> dict[str, Verdict]:
    """Every axis of one result, in the report's order."""
    return {name: _QUESTIONS.get(name, _not_yet)(evidence) for name in AXES}


def skipped(reason: str) -> dict[str, Verdict]:
    """Every axis of a result that was not run."""
    return {name: Verdict("skipped", reason) for name in AXES}


def _not_yet(evidence: Evidence) -> Verdict:  # noqa: ARG001
    return Verdict("skipped", _NOT_YET)


def _listed(evidence: Evidence) -> Verdict:
    """The real list against the static list of the same tree."""
    if evidence.entrypoint in evidence.static_names:
        return PASS
    if evidence.dynamic:
        return Verdict("skipped", "names are made at import here; the static list cannot confirm")
    return Verdict(
        "fail",
        "torch.hub.list shows it, hubpub list does not",
        help="please report this repository: the static reader missed a name",
    )


def _documented(evidence: Evidence) -> Verdict:
    """The real ``torch.hub.help``."""
    problem = evidence.listing.get("help_error")
    if problem and problem.startswith(_UNMET):
        return Verdict("skipped", f"torch.hub.help needs all dependencies: {problem}")
    if problem:
        return Verdict("fail", f"torch.hub.help fails: {problem}")
    if evidence.listing.get("help"):
        return PASS
    return Verdict("fail", "torch.hub.help shows nothing", help="write a docstring")


def _loads(evidence: Evidence) -> Verdict:
    """``torch.hub.load`` returned, the process ended by itself, every download was whole."""
    facts, claims = evidence.facts, evidence.claims
    if facts.ended != "exit":
        reason = _ENDED.get(facts.ended, f"killed by signal {facts.signal}")
        if facts.ended == "download":
            reason = _download_trouble(evidence.requests) or reason
        trouble = of_requests(evidence.requests)
        cause: Cause = _WHOSE.get(facts.ended, "publisher")
        return Verdict("fail", reason, trouble.help if trouble else None, cause=cause)
    if evidence.pages:
        return Verdict(
            "fail",
            f"{evidence.pages[0]} is an HTML page, not a checkpoint",
            help="link the file itself: a release asset, not the page that shows it",
            cause="publisher",
        )
    if claims is None:
        return Verdict(
            "fail",
            f"the process left with status {facts.exit} before torch.hub.load returned",
            help="something called os._exit, or closed the descriptors it did not open",
            cause="publisher",
        )
    if claims.get("ok") is True and facts.exit == 0:
        return PASS
    error = claims.get("error")
    return _explain(error if isinstance(error, dict) else {}, evidence)


def _explain(error: Mapping[str, Any], evidence: Evidence) -> Verdict:
    """An error that the loader raised, with its place in the repository and the next step."""
    # A class can have an empty name, and a report no empty reason.
    kind, message = str(error.get("type") or "error"), str(error.get("message", ""))
    path, line = place(error)
    required = evidence.listing.get("required")
    if kind == "TypeError" and required and not evidence.declared:
        names = ", ".join(map(str, required))
        return _needs(evidence, f"needs arguments: {names}", required)
    reason = f"{kind}: {message}" if message else kind
    lacking = _LACKING.search(message) if kind == "TypeError" else None
    if lacking and evidence.listing.get("passes_on") and not evidence.declared:
        return _needs(evidence, reason, re.findall(r"'(\w+)'", lacking.group(1)), path, line)
    found = explain(error, evidence.requests)
    return Verdict("fail", reason, found.help, path, line, found.cause)


def _needs(
    evidence: Evidence,
    reason: str,
    names: list[str],
    path: str = "hubconf.py",
    line: int = 1,
) -> Verdict:
    """A call lacks arguments: they are to be declared, or what was called is to be hidden."""
    if evidence.leak:
        text = (
            f"was {evidence.entrypoint} meant as an entrypoint? If not, import it as "
            f"_{evidence.entrypoint}, or inside the function that needs it"
        )
        return Verdict("fail", reason, text, path, line, "publisher")
    return Verdict("fail", reason, _declare(evidence.entrypoint, names), path, line, "arguments")


def _declare(entrypoint: str, required: list[Any]) -> str:
    """The lines to paste for an entrypoint that cannot be called without arguments."""
    arguments = ", ".join(f"{name} = ..." for name in required)
    return (
        "give the parameters defaults, or tell hubpub what to pass, in pyproject.toml:\n"
        f"[tool.hubpub.verify.entrypoints.{entrypoint}]\n"
        f"kwargs = {{ {arguments} }}"
    )


def _download_trouble(requests: tuple[Request, ...]) -> str | None:
    for request in requests:
        if request.decision == "cut":
            return f"{request.url}: {request.reason}"
        if request.short:
            return f"{request.url} ended after {request.size} of {request.announced} bytes"
    return None


def _unhashed(refused: tuple[LeftFile, ...]) -> str:
    """Each file that was refused, by name, with why."""
    said = [f"{_cut(file.path)} {file.reason}" for file in refused[:_SHOWN]]
    if len(refused) == 1:
        return f"{said[0]}: it cannot be hashed"
    more = len(refused) - len(said)
    rest = f"; and {more} more" if more else ""
    return f"{len(refused)} files cannot be hashed: {'; '.join(said)}{rest}"


def _cut(path: str) -> str:
    return path if len(path) <= _LONGEST else f"...{path[-_LONGEST:]}"


def _weights(evidence: Evidence) -> Verdict:
    """Every stamp agrees with the sha256 that the parent computed."""
    if evidence.refused:
        return Verdict("fail", _unhashed(evidence.refused))
    for name, sha256 in _unkept(evidence):
        found = stamp(name, sha256)
        if found.status == "mismatch":
            text = f"{name} says {found.prefix}, the sha256 of the download begins with "
            return Verdict("fail", text + sha256[:8], help=_REPLACED)
    if not evidence.checkpoints:
        return Verdict("skipped", "no checkpoint used")
    for checkpoint in evidence.checkpoints:
        if checkpoint.stamp.status == "mismatch":
            return Verdict(
                "fail",
                f"{checkpoint.filename} says {checkpoint.stamp.prefix}, "
                f"its sha256 begins with {checkpoint.sha256[:8]}",
                help=_REPLACED,
            )
    unstamped = [item for item in evidence.checkpoints if item.stamp.status != "match"]
    gone = [name for name, sha256 in _unkept(evidence) if stamp(name, sha256).status != "match"]
    if unstamped or gone:
        names = [f"{item.filename} ({item.stamp.status})" for item in unstamped]
        names += [f"{name} (downloaded, not left)" for name in gone]
        more = f", and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        return Verdict("skipped", f"no stamp to compare with: {', '.join(names[:_SHOWN])}{more}")
    return PASS


def _unkept(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """Name and sha256 of each checkpoint that was downloaded and not left as a file."""
    kept = {checkpoint.sha256 for checkpoint in evidence.checkpoints}
    for sha256, urls in origins(evidence.requests).items():
        for url in urls if sha256 not in kept else ():
            name = PurePosixPath(urlsplit(url).path).name
            if is_checkpoint_name(name):
                yield name, sha256


def _weights_only(evidence: Evidence) -> Verdict:
    """Every checkpoint loads without unpickling code."""
    if not evidence.checkpoints:
        return Verdict("skipped", "no checkpoint used")
    for wanted in ("fail", "skipped"):
        for checkpoint in evidence.checkpoints:
            if checkpoint.weights_only.status == wanted:
                return Verdict(wanted, f"{checkpoint.filename}: {checkpoint.weights_only.reason}")
    for name, sha256 in _unkept(evidence):
        text = f"{name} ({sha256[:8]}) was downloaded and not left to be read"
        return Verdict("skipped", text)
    return PASS


_QUESTIONS: dict[str, Callable[[Evidence], Verdict]] = {
    "listed": _listed,
    "documented": _documented,
    "loads": _loads,
    "weights": _weights,
    "weights_only": _weights_only,
}
