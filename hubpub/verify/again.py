"""What a case that loaded is asked by loading it again, as its users will.

One more job answers ``offline`` and ``reproducible`` together: another seed, the caches of the
first, no network. Where it does not load, a second one, with a network, is asked the latter alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hubpub.verify.axes import PASS, Evidence, Verdict
from hubpub.verify.egress import Request
from hubpub.verify.jobs import Done, Jobs
from hubpub.verify.offer import Offer

_SEED = 1  # of the first load it is 0
_NOT_LOADED = "the case did not load"
_NO_TIME = "the run's deadline has passed (--deadline)"
_NAMED = 3


@dataclass(frozen=True)
class Call:
    """How the case calls its entrypoint."""

    entrypoint: str
    args: list[Any]
    kwargs: dict[str, Any]


@dataclass(frozen=True)
class Answers:
    """The verdicts by axis, and what the jobs asked the network."""

    verdicts: Mapping[str, Verdict]
    requests: tuple[Request, ...] = ()


def ask(jobs: Jobs, done: Done, evidence: Evidence, call: Call, *, loaded: bool) -> Answers:
    """Load ``call`` again as often as its axes need, which is not at all where it did not load.

    Args:
        jobs: the lane in which ``done`` ran.
        done: the first load, before it is forgotten.
        evidence: what is known of it.
        call: what was called.
        loaded: whether it passed ``loads``.
    """
    axes = ("offline", "reproducible")
    if not loaded:
        return Answers(dict.fromkeys(axes, Verdict("skipped", _NOT_LOADED)))
    asked = [request for request in evidence.requests if request.decision == "allowed"]
    if not asked and not evidence.checkpoints:
        return Answers({"offline": offline((), None, None), "reproducible": reproducible(evidence)})
    jobs_run: list[Done] = []

    def again(**fields: Any) -> Done | None:
        if jobs.left_s <= 0:
            return None
        ran = jobs.run(
            "again", entrypoint=call.entrypoint, args=call.args, kwargs=call.kwargs, seed=_SEED,
            **fields,
        )  # fmt: skip
        jobs.forget(ran)
        jobs_run.append(ran)
        return ran

    offer = jobs.offer(done)
    second = again(offline=True)
    verdicts = {"offline": offline(asked, offer, second)}
    if second is not None and not _loaded(second) and evidence.checkpoints:
        second = again()
    jobs.withdraw()
    verdicts["reproducible"] = reproducible(evidence, second)
    return Answers(verdicts, tuple(request for ran in jobs_run for request in ran.requests))


def offline(asked: object, offer: Offer | None, second: Done | None) -> Verdict:
    """Whether a case loads from its caches alone.

    Args:
        asked: what the first load downloaded, empty where it asked nothing.
        offer: what the second one found in its caches.
        second: that one, without network; None where there was no time for it.
    """
    if not asked:
        return Verdict("skipped", "nothing was downloaded")
    if second is None or offer is None:
        return Verdict("skipped", _NO_TIME)
    if not second.requests and _loaded(second):
        return PASS
    if offer.lacks is not None:
        return Verdict("skipped", f"not all that was cached could be offered: {offer.lacks}")
    if second.requests:
        urls = list(dict.fromkeys(request.url for request in second.requests))
        more = f" and {len(urls) - 1} more" if len(urls) > 1 else ""
        ends = "" if _loaded(second) else f", and does not load without: {_how(second)}"
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
    if not _loaded(second) or second.claims is None or "digest" not in second.claims:
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


def _loaded(done: Done) -> bool:
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
        return f"{error.get('type') or 'error'}: {error.get('message', '')}".rstrip(": ")
    return f"the process left with status {done.facts.exit}"


def _where(done: Done) -> dict[str, Any]:
    frame = _error(done).get("frame")
    if isinstance(frame, dict) and "path" in frame and "line" in frame:
        return {"path": frame["path"], "line": frame["line"]}
    return {}
