"""What needs action, as the report lists it: the static check's diagnostics and verify's own."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from hubpub.check import CheckResult
from hubpub.config import Skip
from hubpub.diagnostic import Diagnostic
from hubpub.verify.axes import Verdict
from hubpub.verify.declared import Declared, of_absent
from hubpub.verify.explain import Explanation, explain, place
from hubpub.verify.jobs import Done
from hubpub.verify.limits import Limits
from hubpub.verify.report import REQUIRED, Finding, SandboxReport
from hubpub.verify.selection import Selection

_CODE = "verify"
_NOBODY = "nobody can load this ref; `hubpub check` shows what can be seen without running it"
_COMMON = frozenset({"pickles"})
"""Axes that fail for nearly everybody: no process that is spawned has the repository on sys.path,
from which the loader took it away again. A user of worker processes has to know it."""
PART, EMPTY_SHARD, NOTHING_RUN, CLASH = (
    "partial-run",
    "empty-shard",
    "nothing-run",
    "cache-name-clash",
)
"""The names of what is said of one run only, and not of several joined."""


def of_static(diagnostics: Sequence[Diagnostic]) -> list[Finding]:
    """The diagnostics of the same tree; they are listed and never change the status."""
    return [
        Finding(
            code=diagnostic.code,
            name=diagnostic.name,
            severity=diagnostic.severity.label,
            message=diagnostic.message,
            path=diagnostic.path,
            line=diagnostic.span.line,
            column=diagnostic.span.column,
            end_line=diagnostic.span.end_line,
            end_column=diagnostic.span.end_column,
            help=diagnostic.help,
            fix=None
            if diagnostic.fix is None
            else {"safety": "safe" if diagnostic.fix.safe else "unsafe"},
        )
        for diagnostic in diagnostics
    ]


def of_remarks(remarks: Iterable[tuple[str, str]]) -> list[Finding]:
    """What resolving the reference found out, by name and text."""
    return [Finding(_CODE, name, "warning", text) for name, text in remarks]


def of_sandbox(held: SandboxReport) -> list[Finding]:
    """What every rendering must say of the tier, as each shows the findings."""
    if held.warning is None:
        return []
    lacks = "; ".join(held.not_held)
    help_ = "run it with --sandbox auto for a result that others can rely on"
    return [
        Finding(_CODE, "no-sandbox", "warning", f"{held.warning}; not held: {lacks}", help=help_)
    ]


def of_failed_listing(done: Done, declared: Declared) -> Finding:
    """``torch.hub.list`` itself failed: nobody can load anything, or a package is not in sight."""
    error = (done.claims or {}).get("error")
    path, line = "hubconf.py", 1
    why: Explanation | None = None
    if isinstance(error, dict):
        text = f"{error.get('type')}: {error.get('message')}"
        path, line = place(error)
        why = of_absent(error, declared) or explain(error, done.requests)
    elif done.facts.ended != "exit":
        text = f"stopped: {done.facts.ended}"
    else:
        text = f"the process left with status {done.facts.exit} while hubconf.py was imported"
    return Finding(
        _CODE,
        "cannot-list",
        "error",
        f"torch.hub.list fails: {text}",
        path,
        line,
        end_line=line,
        help=(why.help if why else None) or _NOBODY,
        axis="listed",
        cause=why.cause if why else None,
    )


def of_listing(
    real: frozenset[str], count: int, static: CheckResult, limits: Limits
) -> list[Finding]:
    """The real list against the static one, and against the most that a run takes."""
    found = []
    if not real:
        text = "torch.hub.list shows no entrypoint: there is nothing to load"
        found.append(Finding(_CODE, "no-entrypoints", "error", text, axis="listed"))
    if count > limits.max_entrypoints:
        text = f"{count} entrypoints, more than the {limits.max_entrypoints} of --max-entrypoints"
        found.append(Finding(_CODE, "too-many-entrypoints", "error", text, axis="listed"))
        return found
    certain = {item.name for item in static.repo.entrypoints if item.certainty == "certain"}
    found += [
        Finding(
            _CODE,
            "not-listed",
            "error",
            f"hubpub list shows {name}, torch.hub.list does not",
            help="please report this repository: the static reader saw a name that is not there",
            entrypoint=name,
            axis="listed",
        )
        for name in sorted(certain - real)
    ]
    return found


def of_selection(asked: Selection, names: Sequence[str]) -> list[Finding]:
    """Only a part of ``names`` was asked for: every rendering must say that it is no whole proof.

    A shard beyond the last entrypoint runs nothing, and that is no success.
    """
    taken = asked.take(names)
    if len(taken) == len(names):
        return []
    text = f"only {len(taken)} of {len(names)} entrypoints were to be run ({asked})"
    help_ = "run without a selection, or join all shards with `hubpub report merge`"
    text += ": a part is no whole proof"
    found = [Finding(_CODE, PART, "warning", text, help=help_)]
    if not taken:
        count = len(asked.matching(names))
        text = f"shard {asked.shard} has no entrypoint: there are {count} to share out"
        help_ = "use no more shards than entrypoints"
        found.append(Finding(_CODE, EMPTY_SHARD, "error", text, help=help_))
    return found


def of_expired_skip(name: str, skip: Skip, case: str | None = None) -> Finding:
    """A skip past its day fails: it was a promise."""
    what = name if case is None else f"{name} ({case})"
    text = f"the skip of {what} ended on {skip.until}: {skip.reason}"
    help_text = "mend the entrypoint, or set a new day in [tool.hubpub.verify.entrypoints]"
    return Finding(_CODE, "expired-skip", "error", text, help=help_text, entrypoint=name)


def of_limits(name: str, limits: Limits, higher: Mapping[str, float]) -> list[Finding]:
    """Limits that a repository would raise: only the one who verifies can."""
    return [
        Finding(
            _CODE,
            "limit-not-raised",
            "warning",
            f"the settings of {name} ask for {flag} {value:.15g}, above the {limits.of(flag):.15g} "
            "of this run, which holds",
            help=f"a repository can only lower limits; to raise this one, use --{flag}",
            entrypoint=name,
        )
        for flag, value in sorted(higher.items())
    ]


def of_unknown_settings(real: frozenset[str], configured: Iterable[str]) -> list[Finding]:
    """Settings of an entrypoint that is not there: a typing error would leave them unheeded."""
    return [
        Finding(
            _CODE,
            "unknown-entrypoint",
            "warning",
            f"there are settings for {name}, which torch.hub.list does not show",
            help="correct the name, or remove [tool.hubpub.verify.entrypoints.NAME]",
            entrypoint=name,
        )
        for name in sorted(set(configured) - real)
    ]


def of_nothing_run() -> Finding:
    """Everything was skipped: that proves nothing, and is no success."""
    text = "every entrypoint was skipped: nothing is proven"
    return Finding(_CODE, NOTHING_RUN, "error", text, help="let at least one run")


def of_deadline(name: str) -> Finding:
    """The run ended before this entrypoint had its turn, or the end of it."""
    text = f"{name}: not run to its end, for the run's deadline has passed"
    return Finding(_CODE, "deadline", "error", text, help="raise --deadline", entrypoint=name)


def of_clashes(clashes: Iterable[tuple[str, tuple[str, ...]]]) -> list[Finding]:
    """Two URLs with one cache name: isolated jobs hide it, every user's cache meets it."""
    return [
        Finding(
            _CODE,
            CLASH,
            "error",
            f"{len(urls)} URLs share the cache name {name}: {', '.join(urls)}",
            help="whoever loads second silently gets the first one's weights: use unique names",
            axis="weights",
        )
        for name, urls in clashes
    ]


def of_verdicts(
    entrypoint: str,
    case: str,
    device: str,
    verdicts: Mapping[str, Verdict],
    required: Collection[str] = REQUIRED,
) -> list[Finding]:
    """One finding for each axis that failed: an error where it is ``required``, else a warning.

    What fails for nearly everybody is a note.
    """
    call = entrypoint if case == "default" else f"{entrypoint} ({case})"
    where = call if device == "cpu" else f"{call} on {device}"
    return [
        Finding(
            _CODE,
            axis.replace("_", "-"),
            "error" if axis in required else "note" if axis in _COMMON else "warning",
            f"{where}: {verdict.reason}",
            verdict.path,
            verdict.line,
            end_line=verdict.line,
            help=verdict.help,
            entrypoint=entrypoint,
            axis=axis,
            cause=verdict.cause,
        )
        for axis, verdict in verdicts.items()
        if verdict.status == "fail"
    ]
