"""How one verification is split over machines, before any of them has torch or a sandbox.

The list of entrypoints is read statically, and :mod:`hubpub.verify.selection` deals it, as it does
for ``hubpub verify --shard``. What is dealt there is what ``torch.hub.list`` shows, which may be
more than can be read, never less than what is certain: so there are no more shards than that, as
one without an entrypoint fails.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hubpub.check import check
from hubpub.diagnostic import Diagnostic
from hubpub.source.facts import DynamicPlace, Problem, Repo
from hubpub.verify import harvest
from hubpub.verify.checkout import checkout
from hubpub.verify.limits import Limits
from hubpub.verify.reference import Resolved, Target
from hubpub.verify.selection import Selection, Shard

MOST_SHARDS = 256
"""The most jobs that GitHub starts of one matrix (docs.github.com, "Actions limits")."""
PER_SHARD = 10
"""Entrypoints of one shard, unless the caller has another number."""
_NOTHING = ("HUB001", "HUB004", "HUB005")
"""What check says of a hubconf.py that cannot be read, is not there, or has no entrypoint."""


@dataclass(frozen=True)
class Part:
    """One shard, and the entrypoints that are dealt to it as far as they can be read."""

    shard: Shard
    names: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """The parts of one verification. Without parts there is nothing to verify: ``why`` says it.

    ``certain`` counts the entrypoints that are there whatever else is; ``possible`` are those that
    may not be there, ``dynamic`` the places where more are made. With either, what
    ``torch.hub.list`` shows can be dealt otherwise than ``parts`` say, though no shard is empty.
    ``left_out`` counts those beyond ``--max-entrypoints``, with which verify fails.
    """

    target: Target
    resolved: Resolved
    commit: str | None
    parts: tuple[Part, ...]
    certain: int
    possible: tuple[str, ...] = ()
    dynamic: tuple[DynamicPlace, ...] = ()
    failures: tuple[Problem, ...] = ()
    why: tuple[Diagnostic, ...] = ()
    left_out: int = 0

    @property
    def exact(self) -> bool:
        """Whether verify deals the very same parts."""
        return not (self.possible or self.dynamic)


def plan(target: Target, github_url: str, most: int, per_shard: int) -> Plan:
    """Fetch ``target`` as verify does, and deal its entrypoints; nothing of it is run.

    Args:
        target: what to verify (:func:`hubpub.verify.reference.parse`).
        github_url: what stands before ``/owner/repo``: https, http or file.
        most: shards, at most; no more than :data:`MOST_SHARDS` are made.
        per_shard: entrypoints that a shard should have, unless ``most`` makes it more.

    Raises:
        CannotVerifyError: no such ref, no network, git refuses or is missing.
    """
    folder = Path(tempfile.mkdtemp(prefix="hubpub-"))
    try:
        tree = checkout(target, folder, github_url)
        found = check(tree.root)
        return _of(
            target, tree.resolved, tree.commit, found.repo, found.diagnostics, most, per_shard
        )
    finally:
        harvest.remove(folder)


def _of(
    target: Target,
    resolved: Resolved,
    commit: str | None,
    repo: Repo,
    diagnostics: Sequence[Diagnostic],
    most: int,
    per_shard: int,
) -> Plan:
    every = sorted(item.name for item in repo.entrypoints)
    names = every[: Limits().max_entrypoints]  # as verify cuts it, before it deals
    possible = {item.name for item in repo.entrypoints if item.certainty != "certain"}
    certain = sum(name not in possible for name in names)
    nothing = repo.hubconf is None or not (names or repo.dynamic)
    return Plan(
        target,
        resolved,
        commit,
        () if nothing else deal(names, number_of_shards(len(names), certain, most, per_shard)),
        certain,
        tuple(sorted(possible)),
        repo.dynamic,
        repo.failures,
        tuple(item for item in diagnostics if item.code in _NOTHING) if nothing else (),
        len(every) - len(names),
    )


def number_of_shards(names: int, certain: int, most: int, per_shard: int) -> int:
    """As many as ``names`` fill by ``per_shard``: at least 1, and no more than are ``certain``."""
    return max(1, min(-(-names // per_shard), certain, most, MOST_SHARDS))


def deal(names: Sequence[str], count: int) -> tuple[Part, ...]:
    """``names`` as ``hubpub verify --shard 1/count`` to ``count/count`` take them."""
    shards = [Shard(number, count) for number in range(1, count + 1)]
    return tuple(Part(shard, tuple(Selection(shard=shard).take(names))) for shard in shards)
