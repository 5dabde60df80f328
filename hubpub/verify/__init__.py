"""Proving: fetch one ref, run the real ``torch.hub`` loader on it in a sandbox, report.

    reference -> checkout -> static check of the same tree -> sandbox -> torch.hub.list
              -> one job per entrypoint, device and case -> checkpoints -> axes -> report

The parent (this process) never imports torch and never runs a line of the repository.
"""

from __future__ import annotations

import datetime as dt
import functools
import itertools
import os
import platform
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from hubpub import __version__, config
from hubpub.check import CheckResult, check
from hubpub.config import Settings
from hubpub.verify import (
    declared,
    devices,
    differences,
    drivers,
    egress,
    excerpts,
    findings,
    gpus,
    harvest,
    hosts,
    lanes,
    requested,
    resuming,
    stopping,
)
from hubpub.verify.accelerator import Accelerator
from hubpub.verify.checkout import Checkout, checkout, web_url
from hubpub.verify.checkpoints import Ledger, hash_checked
from hubpub.verify.demands import Demands
from hubpub.verify.entrypoint import Proven, Prover
from hubpub.verify.events import Event, Say, silence
from hubpub.verify.gpus import Gpu, Machine
from hubpub.verify.jobs import Jobs
from hubpub.verify.limits import Limits
from hubpub.verify.lock import Lock
from hubpub.verify.locked import compare, findings_of, marked
from hubpub.verify.lockreport import LockReport
from hubpub.verify.places import Places
from hubpub.verify.reference import Target
from hubpub.verify.report import (
    Entrypoint,
    Environment,
    Finding,
    Reference,
    Report,
    SandboxReport,
    Selected,
    status,
    to_json,
)
from hubpub.verify.sandbox import Sandbox, interpreter, packages, tiers
from hubpub.verify.sandbox.interpreter import Interpreter
from hubpub.verify.sandbox.tier import Tier
from hubpub.verify.sandbox.tiers import Wanted
from hubpub.verify.selection import Selection
from hubpub.verify.stopping import InterruptedRun as InterruptedRun


@dataclass(frozen=True)
class Options:
    """What the caller may choose; the repository under test can change none of it."""

    github_url: str = Settings.github_url
    allow_hosts: tuple[str, ...] = ()
    device: str = "auto"
    """As ``--device`` has it (:func:`hubpub.verify.devices.read`)."""
    sandbox: Wanted = field(default_factory=Wanted)
    locked: Lock | None = None
    """What every entrypoint has to resolve to; see :mod:`hubpub.verify.locked`."""
    all_packages: bool = False
    """Whether jobs may import what is installed here and declared nowhere."""
    limits: Limits = field(default_factory=Limits)
    fresh: bool = False
    """Run each job in an interpreter of its own rather than in a fork."""
    demands: Demands = field(default_factory=Demands)
    """Which axes decide, and which are left out."""
    jobs: int = 1
    """Entrypoints at a time, each in a sandbox of its own."""
    selection: Selection = field(default_factory=Selection)
    """Which entrypoints are run: all, unless the caller wants a part."""
    checkpoints: Path | None = None
    """A directory whose files answer for downloads: :mod:`hubpub.verify.egress.supplied`."""
    resume: Mapping[str, Any] | None = None
    """The document of an earlier run; what it has proven is not run again, and not in the report:
    :func:`hubpub.verify.resuming.joined` makes one of both."""


def verify(target: Target, options: Options, say: Say = silence) -> Report:
    """Prove ``target`` and return the report.

    Args:
        target: what to verify (:func:`hubpub.verify.reference.parse`).
        options: devices, hosts and limits.
        say: called with each step, by one thread at a time.

    Raises:
        CannotVerifyError: nothing could be proven: no such ref, no git, no sandbox, no device.
        UsageError: the sandbox that is wanted contradicts itself, a pattern matches no entrypoint,
            or what is to be resumed is of another run.
        ConfigError: the tree's own configuration is not valid.
        InterruptedRun: a signal, or an error such as the first, ended it with some of it done.
    """
    deadline = time.monotonic() + options.limits.deadline_s
    python = interpreter.current()
    machine = gpus.machine(os.environ)
    devices.plan(devices.read(options.device), machine)
    # First of all: without a sandbox there is nothing to fetch for.
    tier = tiers.choose(options.sandbox, python, options.limits)
    folder = Path(tempfile.mkdtemp(prefix="hubpub-"))
    try:
        # The user inside the sandbox is another one: it may pass through, not list.
        folder.chmod(0o711)
        tree = checkout(target, folder, options.github_url, deadline - time.monotonic())
        say(Event("fetched", f"{tree.resolved.kind} {tree.resolved.ref}, {tree.files} files"))
        settings = config.load(tree.root)
        run = _Run(target, options, tree, settings, check(tree.root, settings), say, machine)
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
        machine: Machine,
    ) -> None:
        self.machine = machine
        self.target, self.options, self.tree = target, options, tree
        self.settings, self.static = settings, static
        self.listed: frozenset[str] | None = None
        """Every name that ``torch.hub.list`` shows; None until it has been made."""
        self._say, self._saying = say, threading.Lock()
        self.findings: list[Finding] = findings.of_static(static.diagnostics)
        self.findings += findings.of_remarks(tree.resolved.remarks)
        self.ledger = Ledger(hash_checked(static.repo.downloads))
        self.reference = f"{target.owner}/{target.repo}:{tree.resolved.ref}"
        self.selected: Selected | None = None
        self.declared = declared.Declared()
        self.today = dt.datetime.now(dt.timezone.utc).date()

    def prove(self, folder: Path, deadline: float, tier: Tier, python: Interpreter) -> Report:
        """List, then load every entrypoint in every case on every device, until ``deadline``."""
        limits = self.options.limits
        python, visible = self._python(python, tier)
        image = self.options.sandbox.image is not None
        self.declared = declared.read(self.static, elsewhere=image, hides=bool(python.covers))
        lane = self._lanes(folder, deadline, tier, python)
        with lane(lambda: None) as places:
            jobs = places.cpu
            torch, version = jobs.box.torch, jobs.box.python
            held = _held(jobs.box, limits, visible)
            self.findings += findings.of_sandbox(held)
            self.say(Event("sandbox", f"{_named(held)}, torch {torch}, Python {version}"))
            plan = devices.plan(devices.read(self.options.device), self.machine)
            plan = drivers.tried(devices.built(plan, torch), places, self.machine, self.say)
            listing, requests = self._list(jobs)
            plan = plan.over(self.listed or ())
            prover = Prover(
                self.static, self.settings.entrypoints, plan, self.ledger, self.tree.root,
                self.today, self.say,
                self.declared, self.options.demands, limits,
            )  # fmt: skip
            ran_on = environment(version, torch, plan.names, plan.accelerators)
            frame = self._frame(ran_on, held, requests)
            listing = self._left(frame, listing)
            done: dict[str, Proven] = {}

            def prove(places: Places, entry: Mapping[str, Any]) -> None:
                done[str(entry["name"])] = prover.prove(places, entry)

            try:
                lanes.each(listing, prove, places, lane, max(self.options.jobs, plan.lanes))
            except (KeyboardInterrupt, SystemExit, Exception) as error:
                raise stopping.interrupted(self._filled(frame, done), error) from error
        return self._filled(frame, done)

    def _lanes(
        self, folder: Path, deadline: float, tier: Tier, python: Interpreter
    ) -> Callable[[Callable[[], None]], Places]:
        """What makes a lane, with a proxy of its own; all lanes share what one has downloaded."""
        limits = self.options.limits
        opened: list[egress.Egress] = []
        numbers = itertools.count()
        stock = egress.Stock.of_run(folder, limits.disk_bytes, self.options.checkpoints)

        def start(check: Callable[[], None], gpu: Gpu | None) -> Jobs:
            allowed = hosts.rules(self.options.allow_hosts)
            proxy = egress.Egress(allowed, limits.download_bytes, stock=stock)
            opened.append(proxy)
            own = folder / f"lane{next(numbers)}"
            own.mkdir(mode=0o711)

            def tick() -> None:
                check()
                self.say(Event("tick", received=sum(each.received for each in opened)))

            return Jobs(
                own, self.tree, self.reference, proxy, limits, deadline, tick, tier, python,
                fresh=self.options.fresh, gpu=gpu, hide_gpus=self.machine.has_gpu,
                waits=lambda text: self.say(Event("waiting", text)),
            )  # fmt: skip

        return lambda check: Places(functools.partial(start, check))

    def _frame(
        self, ran_on: Environment, held: SandboxReport, requests: Sequence[egress.Request]
    ) -> Report:
        """The report before any entrypoint has run."""
        options = self.options
        chosen = {
            "device": options.device,
            "allow_hosts": sorted(options.allow_hosts),
            "fresh": options.fresh,
            "require": sorted(options.demands.require),
            "skip": sorted(options.demands.skip),
            "checkpoints": options.checkpoints is not None,
        }
        return Report(
            status="interrupted",
            reference=self._reference(),
            commit=self.tree.commit,
            tree=self.tree.tree,
            environment=ran_on,
            sandbox=held,
            network=tuple(requested.entry(request, None) for request in requests),
            selection=self.selected,
            options=chosen,
        )

    def _left(self, frame: Report, listing: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """What is left to run where another report is gone on with; else all of ``listing``."""
        before = self.options.resume
        if before is None:
            return listing
        kept = resuming.kept(before, to_json(frame))
        left = [entry for entry in listing if str(entry["name"]) not in kept]
        text = f"{len(listing) - len(left)} of {len(listing)} entrypoints are proven already"
        self.say(Event("resumed", text))
        return left

    def _filled(self, frame: Report, done: Mapping[str, Proven]) -> Report:
        """``frame`` with what was proven, in the order of the names, whatever lane ran it."""
        proven = [done[name] for name in sorted(done)]
        network = list(frame.network)
        differs = self.tree.differs
        for item in proven:
            name = item.entrypoint.name
            self.findings += (*item.findings, *requested.of_supplied(item.requests, name))
            network += [requested.entry(request, name) for request in item.requests]
        found = tuple(differences.told(each.entrypoint, each.touched, differs) for each in proven)
        self.findings += differences.met(
            {each.name: each.unlike_a_clone for each in found}, differs
        )
        entrypoints, compared = self._compare(found)
        self.findings += findings.of_clashes(self.ledger.clashes())
        if entrypoints and not any(item.facts for entry in entrypoints for item in entry.results):
            self.findings.append(findings.of_nothing_run())
        self.findings = self.options.demands.keep(self.findings)
        return replace(
            frame,
            status=status(entrypoints, self.findings, self.options.demands.required),
            lock=compared,
            entrypoints=entrypoints,
            checkpoints=self.ledger.all(),
            network=requested.settled(network),
            findings=excerpts.shown(self.findings, self.tree.root),
        )

    def _compare(
        self, entrypoints: tuple[Entrypoint, ...]
    ) -> tuple[tuple[Entrypoint, ...], LockReport | None]:
        """The results, held against the lock where the caller gave one."""
        if self.options.locked is None:
            return entrypoints, None
        compared = compare(self.options.locked, entrypoints, self.listed)
        self.findings += findings_of(compared)
        return marked(entrypoints, compared), compared

    def say(self, event: Event) -> None:
        """Tell whoever watches, one lane at a time."""
        with self._saying:
            self._say(event)

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
        url = web_url(target, self.options.github_url)
        return Reference(target.owner, target.repo, resolved.ref, resolved.kind, target.ref, url)

    def _list(self, jobs: Jobs) -> tuple[list[dict[str, Any]], list[egress.Request]]:
        """What ``torch.hub.list`` shows, from a job, and what that asked the network.

        Problems become findings.
        """
        done = jobs.run("list")
        jobs.forget(done)
        requests = list(done.requests)
        claims = done.claims or {}
        entries: list[dict[str, Any]] | None = claims.get("entrypoints")
        if entries is None or done.facts.exit != 0:
            self._select([])
            self.findings.append(findings.of_failed_listing(done, self.declared))
            return [], requests
        real = self.listed = frozenset(str(entry["name"]) for entry in entries)
        self.say(Event("listed", f"{len(real)} entrypoint{'' if len(real) == 1 else 's'}"))
        self.findings += findings.of_listing(
            real, claims.get("count", 0), self.static, self.options.limits
        )
        self.findings += findings.of_unknown_settings(real, self.settings.entrypoints)
        entries.sort(key=lambda entry: str(entry["name"]))
        return self._select(entries[: self.options.limits.max_entrypoints]), requests

    def _select(self, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Those of ``entries`` that the caller asked for; what is left out is said."""
        asked = self.options.selection
        names = [str(entry["name"]) for entry in entries]
        taken = set(asked.take(names))
        shard = None if asked.shard is None else str(asked.shard)
        whole = len(taken) == len(names) > 0
        self.selected = Selected(asked.patterns, shard, tuple(names), whole)
        self.findings += findings.of_selection(asked, names)
        if len(taken) < len(names):
            self.say(Event("selected", f"{len(taken)} of {len(names)} entrypoints: {asked}"))
        return [entry for entry in entries if str(entry["name"]) in taken]


def environment(
    python: str,
    torch: str | None,
    names: tuple[str, ...],
    accelerators: tuple[Accelerator, ...] = (),
) -> Environment:
    """What ran, for the report; ``names`` are those of the devices."""
    return Environment(__version__, python, torch, platform.platform(), names, accelerators)


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
