"""One entrypoint: every case on every device, judged; the same whichever lane it runs in."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hubpub.check import CheckResult
from hubpub.config import EntrypointSettings
from hubpub.verify import again, axes, declared, findings
from hubpub.verify.axes import Evidence, Verdict
from hubpub.verify.cases import Case, cases
from hubpub.verify.checkpoints import Ledger
from hubpub.verify.demands import Demands
from hubpub.verify.egress import Request
from hubpub.verify.events import Event, Say
from hubpub.verify.jobs import Done, Jobs
from hubpub.verify.lock import files_used
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
    """What all entrypoints of a run share. ``devices``: each, and why it is skipped, if it is."""

    static: CheckResult
    settings: Mapping[str, EntrypointSettings]
    devices: Sequence[tuple[str, str | None]]
    ledger: Ledger
    tree: Path
    today: dt.date
    say: Say
    declared: declared.Declared = field(default_factory=declared.Declared)
    demands: Demands = field(default_factory=Demands)

    def prove(self, jobs: Jobs, listing: Mapping[str, Any]) -> Proven:
        """Run the entrypoint of ``listing``, as the job that listed it said, in ``jobs``."""
        begun = time.monotonic()
        name = str(listing["name"])
        settings = self.settings.get(name, EntrypointSettings())
        skip = settings.skip
        found: list[Finding] = []
        requests: list[Request] = []
        touched: set[str] = set()
        if skip is not None and not skip.active(self.today):
            found.append(findings.of_expired_skip(name, skip))
        planned = cases(listing, settings)
        results = []
        for device, off in self.devices:
            reason = off
            if skip is not None and skip.active(self.today):
                reason = f"{skip.reason} (until {skip.until})"
            for case in planned if reason is None else planned[:1]:
                if reason is None and jobs.left_s <= 0:
                    reason = "the run's deadline has passed (--deadline)"
                    found.append(findings.of_deadline(name))
                self.say(Event("started", f"{case.name}, {device}", name))
                if reason is None:
                    done = self._load(jobs, name, case, device)
                    if done.facts.ended == "timeout" and jobs.left_s <= 0:
                        # Not --timeout ended it; so it is not held against the repository.
                        found.append(findings.of_deadline(name))
                    result, more, asked = self._judge(jobs, listing, settings, case, device, done)
                    found += more
                    requests += (*done.requests, *asked)
                    touched.update((done.claims or {}).get("touched", ()))
                else:
                    result = _skipped(device, case, reason)
                self.say(Event("ended", f"{case.name}, {device}", name, result))
                results.append(result)
        entrypoint = Entrypoint(name, tuple(results), round(time.monotonic() - begun, 3))
        return Proven(entrypoint, tuple(found), tuple(requests), frozenset(touched))

    def _load(self, jobs: Jobs, name: str, case: Case, device: str) -> Done:
        arguments = {"args": list(case.args), "kwargs": dict(case.kwargs)}
        return jobs.run("load", device=device, entrypoint=name, **arguments)

    def _judge(
        self,
        jobs: Jobs,
        listing: Mapping[str, Any],
        settings: EntrypointSettings,
        case: Case,
        device: str,
        done: Done,
    ) -> tuple[Result, list[Finding], tuple[Request, ...]]:
        """What a job came to, what needs action, and what was asked when it was loaded again."""
        name = str(listing["name"])
        found = self.ledger.enter(name, done, self.tree, jobs.inspect)
        evidence = Evidence(
            entrypoint=name,
            listing=listing,
            static_names=frozenset(item.name for item in self.static.repo.entrypoints),
            dynamic=bool(self.static.repo.dynamic),
            declared=bool(settings.args or settings.kwargs),
            facts=done.facts,
            claims=done.claims,
            requests=done.requests,
            checkpoints=found.checkpoints,
            refused=found.refused,
            pages=found.pages,
            leak=any(item.leak for item in self.static.repo.entrypoints if item.name == name),
        )
        verdicts = axes.judge(evidence)
        verdicts["loads"] = declared.explained(verdicts["loads"], evidence, self.declared)
        loaded = verdicts["loads"].status == "pass"
        verdicts["dependencies"] = declared.judge(evidence, self.declared, loaded=loaded)
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

    def _again(
        self, jobs: Jobs, done: Done, evidence: Evidence, case: Case, device: str, *, loaded: bool
    ) -> again.Answers:
        """What is asked of a case by loading it again: where it loaded, and on one device."""
        first = next(name for name, off in self.devices if off is None)
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
    kept = ("type", "module", "parameters", "device_peak_bytes", "error", "digest")
    claims = done.claims or {}
    found = sorted({item["module"] for item in claims.get("imports", ()) if item["found"]})
    return {
        **{name: value for name, value in claims.items() if name in kept},
        **({"imports": found} if found else {}),
    }
