"""Proving: fetch one ref, run the real ``torch.hub`` loader on it in a sandbox, report.

    reference -> checkout -> static check of the same tree -> sandbox -> torch.hub.list
              -> one job per entrypoint, device and case -> checkpoints -> axes -> report

The parent (this process) never imports torch and never runs a line of the repository.
"""

from __future__ import annotations

import datetime as dt
import platform
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from hubpub import __version__, config
from hubpub.check import CheckResult, check
from hubpub.config import EntrypointSettings, Settings
from hubpub.errors import CannotVerifyError
from hubpub.verify import axes, egress, findings, harvest, hosts
from hubpub.verify.axes import Evidence, Verdict
from hubpub.verify.cases import Case, cases
from hubpub.verify.checkout import Checkout, checkout
from hubpub.verify.checkpoints import Ledger, hash_checked
from hubpub.verify.jobs import Done, Jobs
from hubpub.verify.limits import Limits
from hubpub.verify.reference import Target
from hubpub.verify.report import (
    Entrypoint,
    Environment,
    Finding,
    Network,
    Reference,
    Report,
    Result,
    SandboxReport,
    status,
)
from hubpub.verify.sandbox import Sandbox, command, interpreter, packages, tiers
from hubpub.verify.sandbox.interpreter import Interpreter
from hubpub.verify.sandbox.tier import Tier
from hubpub.verify.sandbox.tiers import Wanted

NO_CUDA = "no CUDA device on this machine"


@dataclass(frozen=True)
class Options:
    """What the caller may choose; the repository under test can change none of it."""

    github_url: str = Settings.github_url
    allow_hosts: tuple[str, ...] = ()
    device: str = "auto"
    sandbox: Wanted = field(default_factory=Wanted)
    all_packages: bool = False
    """Whether jobs may import what is installed here and declared nowhere."""
    limits: Limits = field(default_factory=Limits)
    fresh: bool = False
    """Run each job in an interpreter of its own rather than in a fork."""


@dataclass(frozen=True)
class Event:
    """Progress for whoever watches. ``kind``: fetched, sandbox, listed, started, tick, ended."""

    kind: str
    text: str = ""
    entrypoint: str = ""
    result: Result | None = None
    received: int = 0


Say = Callable[[Event], None]


def _say_nothing(event: Event) -> None:
    """For a caller who only wants the report."""


def verify(target: Target, options: Options, say: Say = _say_nothing) -> Report:
    """Prove ``target`` and return the report.

    Args:
        target: what to verify (:func:`hubpub.verify.reference.parse`).
        options: devices, hosts and limits.
        say: called with each step, from this thread.

    Raises:
        CannotVerifyError: nothing could be proven: no such ref, no git, no sandbox, no device.
        UsageError: the sandbox that is wanted contradicts itself.
        ConfigError: the tree's own configuration is not valid.
    """
    deadline = time.monotonic() + options.limits.deadline_s
    python = interpreter.current()
    # First of all: without a sandbox there is nothing to fetch for.
    tier = tiers.choose(options.sandbox, python, options.limits)
    folder = Path(tempfile.mkdtemp(prefix="hubpub-"))
    try:
        # The user inside the sandbox is another one: it may pass through, not list.
        folder.chmod(0o711)
        tree = checkout(target, folder, options.github_url, options.limits.deadline_s)
        say(Event("fetched", f"{tree.resolved.kind} {tree.resolved.ref}, {tree.files} files"))
        settings = config.load(tree.root)
        run = _Run(target, options, tree, settings, check(tree.root, settings), say)
        return run.prove(folder, deadline, tier, python)
    finally:
        harvest.remove(folder)


class _Run:
    """One run over one tree. Holds what every step needs; each method is a step."""

    def __init__(
        self,
        target: Target,
        options: Options,
        tree: Checkout,
        settings: Settings,
        static: CheckResult,
        say: Say,
    ) -> None:
        self.target, self.options, self.tree = target, options, tree
        self.settings, self.static, self.say = settings, static, say
        self.findings: list[Finding] = findings.of_static(static.diagnostics)
        self.findings += findings.of_remarks(tree.resolved.remarks)
        self.ledger = Ledger(hash_checked(static.repo.downloads))
        self.reference = f"{target.owner}/{target.repo}:{tree.resolved.ref}"
        self.today = dt.datetime.now(dt.timezone.utc).date()

    def prove(self, folder: Path, deadline: float, tier: Tier, python: Interpreter) -> Report:
        """List, then load every entrypoint in every case on every device, until ``deadline``."""
        proxy = egress.Egress(
            hosts.rules(self.options.allow_hosts), self.options.limits.download_bytes
        )

        def tick() -> None:
            self.say(Event("tick", received=proxy.received))

        limits = self.options.limits
        python, visible = self._python(python, tier)
        with Jobs(
            folder,
            self.tree,
            self.reference,
            proxy,
            limits,
            deadline,
            tick,
            tier,
            python,
            fresh=self.options.fresh,
        ) as jobs:
            torch, version = jobs.box.torch, jobs.box.python
            held = _held(jobs.box, limits, visible)
            self.findings += findings.of_sandbox(held)
            self.say(Event("sandbox", f"{_named(held)}, torch {torch}, Python {version}"))
            devices = self._devices(torch)
            entrypoints = tuple(
                self._entrypoint(jobs, entry, devices) for entry in self._list(jobs)
            )
            requests = proxy.requests()
        self.findings += findings.of_clashes(self.ledger.clashes())
        if entrypoints and not any(item.facts for entry in entrypoints for item in entry.results):
            self.findings.append(findings.of_nothing_run())
        return Report(
            status=status(entrypoints, self.findings),
            reference=self._reference(),
            commit=self.tree.commit,
            tree=self.tree.tree,
            environment=environment(
                version, torch, tuple(name for name, off in devices if not off)
            ),
            sandbox=held,
            entrypoints=entrypoints,
            checkpoints=self.ledger.all(),
            network=tuple(_network(request) for request in requests),
            findings=tuple(self.findings),
        )

    def _python(self, python: Interpreter, tier: Tier) -> tuple[Interpreter, str]:
        """The interpreter with the packages that jobs may import, and the report's words for it."""
        if self.options.all_packages:
            return python, "all: --all-packages"
        if not tier.hides_packages:
            return python, f"all: the tier {tier.name} hides none"
        hubconf = self.static.repo.hubconf
        known = hubconf is not None and hubconf.dependencies.complete
        return packages.restricted(
            python, hubconf.dependencies.names if hubconf is not None and known else None
        )

    def _reference(self) -> Reference:
        target, resolved = self.target, self.tree.resolved
        return Reference(target.owner, target.repo, resolved.ref, resolved.kind, target.ref)

    def _devices(self, torch: str) -> list[tuple[str, str | None]]:
        """Each device with the reason why it is skipped, None where it runs."""
        wanted = self.options.device
        off = None if command.nvidia_mounts() else NO_CUDA
        if off is None and torch.endswith("+cpu"):
            off = f"torch {torch} is built without CUDA"
        if wanted == "cuda" and off is not None:
            raise CannotVerifyError(f"--device cuda: {off}")
        offers: list[tuple[str, str | None]] = [("cpu", None), ("cuda", off)]
        return [offer for offer in offers if wanted in {"auto", offer[0]}]

    def _list(self, jobs: Jobs) -> list[dict[str, Any]]:
        """What ``torch.hub.list`` shows, from a job; problems become findings."""
        done = jobs.run("list")
        jobs.forget(done)
        claims = done.claims or {}
        entries: list[dict[str, Any]] | None = claims.get("entrypoints")
        if entries is None or done.facts.exit != 0:
            self.findings.append(findings.of_failed_listing(done))
            return []
        real = frozenset(str(entry["name"]) for entry in entries)
        self.say(Event("listed", f"{len(real)} entrypoint{'' if len(real) == 1 else 's'}"))
        self.findings += findings.of_listing(
            real, claims.get("count", 0), self.static, self.options.limits
        )
        self.findings += findings.of_unknown_settings(real, self.settings.entrypoints)
        entries.sort(key=lambda entry: str(entry["name"]))
        return entries[: self.options.limits.max_entrypoints]

    def _entrypoint(
        self, jobs: Jobs, listing: dict[str, Any], devices: list[tuple[str, str | None]]
    ) -> Entrypoint:
        name = str(listing["name"])
        settings = self.settings.entrypoints.get(name, EntrypointSettings())
        skip = settings.skip
        if skip is not None and not skip.active(self.today):
            self.findings.append(findings.of_expired_skip(name, skip))
        planned = cases(listing, settings)
        results = []
        for device, off in devices:
            reason = off
            if skip is not None and skip.active(self.today):
                reason = f"{skip.reason} (until {skip.until})"
            for case in planned if reason is None else planned[:1]:
                if reason is None and jobs.left_s <= 0:
                    reason = "the run's deadline has passed (--deadline)"
                    self.findings.append(findings.of_deadline(name))
                self.say(Event("started", f"{case.name}, {device}", name))
                result = (
                    self._run(jobs, name, listing, case, device, settings)
                    if reason is None
                    else _skipped(device, case, reason)
                )
                self.say(Event("ended", f"{case.name}, {device}", name, result))
                results.append(result)
        return Entrypoint(name, tuple(results))

    def _run(
        self,
        jobs: Jobs,
        name: str,
        listing: dict[str, Any],
        case: Case,
        device: str,
        settings: EntrypointSettings,
    ) -> Result:
        done = jobs.run(
            "load",
            device=device,
            entrypoint=name,
            args=list(case.args),
            kwargs=dict(case.kwargs),
        )
        found = self.ledger.enter(name, done, self.tree.root, jobs.inspect)
        jobs.forget(done)
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
        )
        verdicts = axes.judge(evidence)
        self.findings += findings.of_verdicts(name, case.name, device, verdicts)
        return Result(
            device=device,
            case=case.name,
            axes={axis: verdict.axis for axis, verdict in verdicts.items()},
            facts=done.facts,
            claims=_kept_claims(done),
            checkpoints=tuple(sorted({item.sha256 for item in found.checkpoints})),
        )


def environment(python: str, torch: str | None, devices: tuple[str, ...]) -> Environment:
    """What ran, for the report."""
    return Environment(__version__, python, torch, platform.platform(), devices)


def _held(box: Sandbox, limits: Limits, visible: str) -> SandboxReport:
    tier, seen = box.tier, box.surroundings
    return SandboxReport(
        tier.name,
        dict(seen.features),
        version=tier.version,
        outer_uid=seen.outer_uid,
        limits=asdict(limits),
        limited_by=box.limited_by,
        packages=visible,
        not_held=tier.not_held,
        warning=tier.warning,
    )


def _named(held: SandboxReport) -> str:
    return held.warning or " ".join(filter(None, (held.tier, held.version)))


def _skipped(device: str, case: Case, reason: str) -> Result:
    verdicts: dict[str, Verdict] = axes.skipped(reason)
    return Result(device, case.name, {name: verdict.axis for name, verdict in verdicts.items()})


def _kept_claims(done: Done) -> dict[str, Any]:
    """The claims a reader of the report wants; the rest is between job and parent."""
    kept = ("type", "module", "parameters", "device_peak_bytes", "error")
    return {name: value for name, value in (done.claims or {}).items() if name in kept}


def _network(request: egress.Request) -> Network:
    return Network(
        method=request.method,
        url=request.url,
        status=request.status,
        bytes=request.size,
        sha256=request.sha256,
        decision=request.decision,
        reason=request.reason,
        announced=request.announced,
        location=request.location,
    )
