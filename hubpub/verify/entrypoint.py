"""One entrypoint: every case on every device, judged; the same whichever lane it runs in."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hubpub.check import CheckResult
from hubpub.config import EntrypointSettings, Skip
from hubpub.verify import again, axes, declared, findings, moved, opens
from hubpub.verify import forward as calling
from hubpub.verify.axes import Evidence, Verdict
from hubpub.verify.cases import Case, cases
from hubpub.verify.checkpoints import Found, Ledger
from hubpub.verify.demands import Demands
from hubpub.verify.devices import Plan
from hubpub.verify.egress import Request
from hubpub.verify.events import Event, Say
from hubpub.verify.gpulock import BusyError
from hubpub.verify.jobs import Done, Jobs
from hubpub.verify.limits import Limits
from hubpub.verify.lock import files_used
from hubpub.verify.places import Places
from hubpub.verify.report import Entrypoint, Finding, Result


@dataclass(frozen=True)
class Proven:
    """What came of one entrypoint: its part of the report, and paths that it says it opened."""

    entrypoint: Entrypoint
    findings: tuple[Finding, ...]
    requests: tuple[Request, ...]
    touched: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Prover:
    """What all entrypoints of a run share. ``devices``: on which each is run, or skipped."""

    static: CheckResult
    settings: Mapping[str, EntrypointSettings]
    devices: Plan
    ledger: Ledger
    tree: Path
    today: dt.date
    say: Say
    declared: declared.Declared = field(default_factory=declared.Declared)
    demands: Demands = field(default_factory=Demands)
    limits: Limits = field(default_factory=Limits)

    def prove(self, places: Places, listing: Mapping[str, Any]) -> Proven:
        """Run the entrypoint of ``listing``, as the job that listed it said, in ``places``."""
        begun = time.monotonic()
        name = str(listing["name"])
        settings = self.settings.get(name, EntrypointSettings())
        skip = settings.skip
        found: list[Finding] = []
        requests: list[Request] = []
        touched: set[str] = set()
        told: set[str] = set()
        if skip is not None and not skip.active(self.today):
            found.append(findings.of_expired_skip(name, skip))
        planned = cases(listing, settings)
        found += self._remarks(name, planned, skip)
        results = []
        for offer in self.devices.of(name):
            device, reason = offer.name, offer.off
            if skip is not None and skip.active(self.today):
                reason = f"{skip.reason} (until {skip.until})"
            jobs = places.on(offer.gpu if reason is None else None)
            for case in planned if reason is None else planned[:1]:
                left_out = reason or case.off(device, self.today)
                if left_out is None and jobs.left_s <= 0:
                    left_out = "the run's deadline has passed (--deadline)"
                    found.append(findings.of_deadline(name))
                self.say(Event("started", f"{case.name}, {device}", name))
                done = left_out or self._load(jobs, name, case, device)
                if isinstance(done, BusyError):
                    done = reason = str(done)
                    found.append(findings.of_deadline(name))
                if isinstance(done, Done):
                    if done.facts.ended == "timeout" and jobs.left_s <= 0:
                        # Not --timeout ended it; so it is not held against the repository.
                        found.append(findings.of_deadline(name))
                    result, more, asked = self._judge(jobs, listing, case, device, done)
                    found += (*more, *opens.unexplained(name, done, told))
                    requests += (*done.requests, *asked)
                    touched.update((done.claims or {}).get("touched", ()))
                else:
                    result = _skipped(device, case, done)
                self.say(Event("ended", f"{case.name}, {device}", name, result))
                results.append(result)
        entrypoint = Entrypoint(name, tuple(results), round(time.monotonic() - begun, 3))
        return Proven(entrypoint, tuple(found), tuple(requests), frozenset(touched))

    def _load(self, jobs: Jobs, name: str, case: Case, device: str) -> Done | BusyError:
        """The case, loaded; an error where its GPU was not free before the run's deadline."""
        arguments = {"args": list(case.args), "kwargs": dict(case.kwargs)}
        asked = None if "forward" in self.demands.skip else calling.spec(case)
        try:
            with jobs.lowered(self.limits.lowered(case.limits)[0]):
                return jobs.run("load", device=device, entrypoint=name, forward=asked, **arguments)
        except BusyError as error:
            return error

    def _remarks(self, name: str, planned: Sequence[Case], skip: Skip | None) -> list[Finding]:
        """What needs action in the settings of the cases, whatever they come to."""
        found = [
            findings.of_expired_skip(name, case.skip, case.name)
            for case in planned
            if case.skip not in (None, skip) and not case.skip.active(self.today)
        ]
        higher: dict[str, float] = {}
        for case in planned:
            higher.update(self.limits.lowered(case.limits)[1])
        return found + findings.of_limits(name, self.limits, higher)

    def _judge(
        self,
        jobs: Jobs,
        listing: Mapping[str, Any],
        case: Case,
        device: str,
        done: Done,
    ) -> tuple[Result, list[Finding], tuple[Request, ...]]:
        """What a job came to, what needs action, and what was asked when it was loaded again."""
        name = str(listing["name"])
        found = self.ledger.enter(name, done, self.tree, jobs.inspect)
        evidence = self._evidence(listing, case, done, found)
        verdicts = axes.judge(evidence)
        verdicts["loads"] = declared.explained(verdicts["loads"], evidence, self.declared)
        loaded = verdicts["loads"].status == "pass"
        verdicts["dependencies"] = declared.judge(evidence, self.declared, loaded=loaded)
        verdicts.update(self._called(evidence, loaded=loaded))
        verdicts["device"] = moved.judge(evidence, device, loaded=loaded)
        with jobs.lowered(self.limits.lowered(case.limits)[0]):
            answers = self._again(jobs, done, evidence, case, device, loaded=loaded)
        jobs.forget(done)
        verdicts = self.demands.apply({**verdicts, **answers.verdicts})
        result = Result(
            device=device,
            case=case.name,
            axes={axis: verdict.axis for axis, verdict in verdicts.items()},
            facts=done.facts,
            claims=_kept_claims(done),
            checkpoints=tuple(sorted({item.sha256 for item in found.checkpoints})),
            used=files_used(found.checkpoints, done.requests),
        )
        required = self.demands.required
        needs = findings.of_verdicts(name, case.name, device, verdicts, required)
        return result, needs, tuple(answers.requests)

    def _evidence(
        self, listing: Mapping[str, Any], case: Case, done: Done, found: Found
    ) -> Evidence:
        name = str(listing["name"])
        return Evidence(
            entrypoint=name,
            listing=listing,
            static_names=frozenset(item.name for item in self.static.repo.entrypoints),
            dynamic=bool(self.static.repo.dynamic),
            declared=case.declared,
            facts=done.facts,
            claims=done.claims,
            requests=done.requests,
            checkpoints=found.checkpoints,
            refused=found.refused,
            pages=found.pages,
            leak=any(item.leak for item in self.static.repo.entrypoints if item.name == name),
            case=case,
            lowered=frozenset(case.limits).difference(self.limits.lowered(case.limits)[1]),
        )

    def _called(self, evidence: Evidence, *, loaded: bool) -> dict[str, Verdict]:
        """What the call of what was loaded came to."""
        seen = [
            f"{item.place.path}:{item.place.span.line}: {item.module}"
            for item in self.static.repo.loading.late_imports
        ]
        own = calling.own_modules(self.tree)
        if "forward" in self.demands.skip:
            called = Verdict("skipped", "--skip forward")
        else:
            called = calling.forward(evidence, own, loaded=loaded)
        return {
            "forward": called,
            "late_imports": calling.late_imports(evidence, called, own, seen),
        }

    def _again(
        self, jobs: Jobs, done: Done, evidence: Evidence, case: Case, device: str, *, loaded: bool
    ) -> again.Answers:
        """What is asked of a case by loading it again: where it loaded, and on one device."""
        there = [offer.name for offer in self.devices.of(evidence.entrypoint) if offer.off is None]
        first = next(name for name in there if case.off(name, self.today) is None)
        if not loaded or device != first:
            reason = "the case did not load" if not loaded else f"asked once, on {first}"
            return again.Answers(dict.fromkeys(again.AXES, Verdict("skipped", reason)))
        own = _modules(self.tree)
        call = again.Call(
            evidence.entrypoint,
            list(case.args),
            dict(case.kwargs),
            frozenset(own.intersection(again.DECOYS)),
        )
        return again.ask(jobs, done, evidence, call, self.demands.skip)


def _modules(tree: Path) -> frozenset[str]:
    """The top-level modules and packages of the tree; a folder without Python is none."""
    return frozenset(
        path.name.removesuffix(".py")
        for path in tree.iterdir()
        if path.suffix == ".py" or (path.is_dir() and next(path.rglob("*.py"), None))
    )


def _skipped(device: str, case: Case, reason: str) -> Result:
    verdicts: dict[str, Verdict] = axes.skipped(reason)
    return Result(device, case.name, {name: verdict.axis for name, verdict in verdicts.items()})


def _kept_claims(done: Done) -> dict[str, Any]:
    """The claims a reader of the report wants; the rest is between job and parent."""
    kept = {"type", "module", "parameters", "error", "digest"}
    kept |= {"device_peak_bytes", "device_left_bytes", "device_error"}
    claims = done.claims or {}
    found = sorted({item["module"] for item in claims.get("imports", ()) if item["found"]})
    answer = claims.get("forward") or {}
    return {
        **{name: value for name, value in claims.items() if name in kept},
        **{name: answer[name] for name in ("output",) if name in answer},
        **({"imports": found} if found else {}),
    }
