"""What a case that loaded is asked by loading it again, as its users will.

One job loads it beside other code, for ``coexists``, one sends it to a spawned process, for
``pickles``. One more answers ``offline`` and ``reproducible`` together: another seed, the caches of
the first, no network. Where that does not load, a further one, with a network, is asked the latter
alone.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from hubpub.verify.axes import PASS, Evidence, Verdict
from hubpub.verify.egress import Request
from hubpub.verify.explain import place
from hubpub.verify.jobs import Done, Jobs
from hubpub.verify.offer import Offer

DECOYS = (
    "utils", "util", "models", "model", "data", "src", "lib", "common", "core", "config", "configs",
    "datasets", "dataset", "layers", "losses", "modules", "network", "networks", "nets", "tools",
    "helpers", "helper", "misc", "ops", "options", "blocks", "backbones", "main", "train", "test",
)  # fmt: skip
"""Names that many repositories give to modules at their top, so that two of them meet."""
_SEED = 1  # of the first load it is 0
_NO_TIME = "the run's deadline has passed (--deadline)"
_NAMED = 3


@dataclass(frozen=True)
class Call:
    """How the case calls its entrypoint."""

    entrypoint: str
    args: list[Any]
    kwargs: dict[str, Any]
    clashing: frozenset[str] = frozenset()
    """Those of :data:`DECOYS` that lie at the top of the tree."""


@dataclass(frozen=True)
class Answers:
    """The verdicts by axis, and what the jobs asked the network."""

    verdicts: Mapping[str, Verdict]
    requests: tuple[Request, ...] = ()


AXES = ("coexists", "offline", "reproducible", "pickles")


def ask(
    jobs: Jobs,
    done: Done,
    evidence: Evidence,
    call: Call,
    skip: Collection[str] = (),
) -> Answers:
    """Load ``call``, which has loaded, again as often as its axes need.

    Args:
        jobs: the lane in which ``done`` ran.
        done: the first load, before it is forgotten.
        evidence: what is known of it.
        call: what was called.
        skip: axes that get no job.
    """
    asked = [request for request in evidence.requests if request.decision == "allowed"]
    offer = jobs.offer(done) if asked else None
    requests: list[Request] = []

    def again(kind: str = "again", **fields: Any) -> Done | None:
        if jobs.left_s <= 0:
            return None
        ran = jobs.run(
            kind, entrypoint=call.entrypoint, args=call.args, kwargs=call.kwargs,
            warm=offer is not None, **fields,
        )  # fmt: skip
        jobs.forget(ran)
        requests.extend(ran.requests)
        return ran

    second = None
    compared = bool(evidence.checkpoints) and "reproducible" not in skip
    cut_off = offer is not None and "offline" not in skip
    if cut_off or compared:
        second = again(seed=_SEED, offline=cut_off)
    digest = (evidence.claims or {}).get("digest")
    verdicts = {"offline": offline(asked, offer, second, digest)}
    if cut_off and compared and second is not None and not loaded(second):
        second = again(seed=_SEED)
    verdicts["reproducible"] = reproducible(evidence, second)
    if "coexists" not in skip:
        verdicts["coexists"] = coexists(call.clashing, again("beside", decoys=list(DECOYS)))
    if "pickles" not in skip:
        verdicts["pickles"] = pickles(again("pickles"))
    jobs.withdraw()
    return Answers(verdicts, tuple(requests))


def offline(
    asked: object, offer: Offer | None, second: Done | None, digest: object = None
) -> Verdict:
    """Whether a case loads from its caches alone.

    It may ask, as huggingface_hub does whether its cache is of today, where it then copes with the
    refusal: it loads the same weights.

    Args:
        asked: what the first load downloaded, empty where it asked nothing.
        offer: what the second one found in its caches.
        second: that one, without network; None where there was no time for it.
        digest: of the weights that the first load gave, where it has one.
    """
    if not asked:
        return Verdict("skipped", "nothing was downloaded")
    if second is None or offer is None:
        return Verdict("skipped", _NO_TIME)
    if loaded(second):
        same = digest is not None and (second.claims or {}).get("digest") == digest
        if same or not second.requests:
            return PASS
    if offer.lacks is not None:
        return Verdict("skipped", f"not all that was cached could be offered: {offer.lacks}")
    if second.requests:
        urls = list(dict.fromkeys(request.url for request in second.requests))
        more = f" and {len(urls) - 1} more" if len(urls) > 1 else ""
        ends = "" if loaded(second) else f", and does not load without: {_how(second)}"
        return Verdict(
            "fail",
            f"asks for {urls[0]}{more} again, with a warm cache{ends}",
            help="download into torch.hub.get_dir(), and only what is not there yet",
            **_where(second),
        )
    return Verdict("fail", f"does not load from a warm cache: {_how(second)}", **_where(second))


def reproducible(evidence: Evidence, second: Done | None = None) -> Verdict:
    """Whether two loads under different seeds gave the same weights; the digests are claims."""
    if not evidence.checkpoints:
        return Verdict("skipped", "no checkpoint used: what is random differs each time")
    first = evidence.claims or {}
    if "digest" not in first:
        return Verdict("skipped", "it has no state_dict of tensors to compare")
    if second is None:
        return Verdict("skipped", _NO_TIME)
    if not loaded(second) or second.claims is None or "digest" not in second.claims:
        return Verdict("skipped", f"it did not load a second time: {_how(second)}")
    if first["digest"] == second.claims["digest"]:
        return PASS
    names = _different(first.get("tensors", []), second.claims.get("tensors", []))
    shown = ", ".join(names[:_NAMED]) or "the state_dict"
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return Verdict(
        "fail",
        f"two loads with different seeds give different weights: {shown}{more}",
        help="load these from the checkpoint too, and load with strict=True",
    )


def _different(first: list[str], second: list[str]) -> list[str]:
    """The names of the entries that are not alike in both, as the worker lists them."""
    one, two = (
        {name: digest for digest, _, name in (text.partition(" ") for text in texts)}
        for texts in (first, second)
    )
    if not one or not two:
        return []
    return [name for name in sorted({*one, *two}) if one.get(name) != two.get(name)]


def coexists(clashing: frozenset[str], second: Done | None) -> Verdict:
    """Whether a case loads where other code is loaded, and from a directory of another name.

    Args:
        clashing: the names at the top of the tree that the other code has as well.
        second: that load; None where there was no time for it.
    """
    if second is None:
        return Verdict("skipped", _NO_TIME)
    if loaded(second):
        return PASS
    text = _how(second)
    named = sorted(name for name in clashing if re.search(rf"\b{re.escape(name)}\b", text))
    if not named:
        return Verdict(
            "fail",
            f"does not load beside other code, from a directory of another name: {text}",
            help="find files by __file__, and import what lies in a package of your own",
            **_where(second),
        )
    return Verdict(
        "fail",
        f"does not load where another module named {named[0]} is imported already: {text}",
        help=f"move {', '.join(sorted(clashing))} into a package that has your project's name",
        **_where(second),
    )


def pickles(second: Done | None) -> Verdict:
    """Whether what a case returns reaches a process that ``multiprocessing`` spawned.

    Args:
        second: a load after which that was tried; None where there was no time for it.
    """
    if second is None:
        return Verdict("skipped", _NO_TIME)
    if loaded(second):
        return PASS
    text = _how(second)
    claims = second.claims or {}
    stage = claims.get("reason") if second.facts.ended == "exit" else None
    if stage == "pickled":
        advice = "define its classes and functions in a module, not in hubconf.py or in a function"
        return Verdict("fail", f"cannot be pickled: {text}", help=advice, **_where(second))
    if stage == "unpickled":
        advice = "users who spawn workers have to add the repository to sys.path, or to install it"
        return Verdict("fail", f"cannot be unpickled in a spawned process: {text}", help=advice)
    return Verdict("skipped", f"it could not be tried: {text}")


def loaded(done: Done) -> bool:
    """Whether a job says that it loaded, and the facts agree."""
    return (
        done.facts.ended == "exit" and done.facts.exit == 0 and bool((done.claims or {}).get("ok"))
    )


def _error(done: Done) -> Mapping[str, Any]:
    error = (done.claims or {}).get("error")
    return error if isinstance(error, dict) else {}


def _how(done: Done) -> str:
    """How a job ended, as its own words or the supervisor's."""
    if done.facts.ended != "exit":
        return f"stopped: {done.facts.ended}"
    error = _error(done)
    if error:
        text = f"{error.get('type') or 'error'}: {error.get('message', '')}".rstrip(": ")
        # Which number a job has depends on the lane that ran it, and says nothing.
        return text.replace(f"{done.directory}/", "")
    return f"the process left with status {done.facts.exit}"


def _where(done: Done) -> dict[str, Any]:
    path, line = place(_error(done))
    return {"path": path, "line": line}
