"""Going on with a run that was interrupted: what its report holds already is kept.

A result counts where commit, tree, environment and the options that decide what it means are the
same. What the run's deadline cut off is run again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hubpub.errors import UsageError
from hubpub.verify.joining import join, refuse_other
from hubpub.verify.stopping import STOPPED

_NAME = "the report to resume"
_UNDONE = "deadline"
"""The finding of an entrypoint that had no turn before the run's deadline."""


def kept(before: Mapping[str, Any], now: Mapping[str, Any]) -> frozenset[str]:
    """The entrypoints that need not run again.

    Args:
        before: the report to go on with.
        now: the report of this run, with no entrypoint yet.

    Raises:
        UsageError: ``before`` is of another commit, environment or choice; it says which.
    """
    selection = before.get("selection")
    if not selection:
        raise UsageError(
            f"{_NAME} holds nothing to go on from: its run did not come to the list of entrypoints",
            help="run without --resume",
        )
    refuse_other(_NAME, before, "this run", now)
    if selection["shard"] != now["selection"]["shard"]:
        raise UsageError(
            f"{_NAME} does not belong to this run: its --shard is {selection['shard']}, "
            f"not {now['selection']['shard']}",
            help="give the same --shard, or run without --resume",
        )
    return frozenset(item["name"] for item in _proven(before)["entrypoints"])


def joined(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """One report of both: ``now`` is of the rest of what ``before`` left undone."""
    whole = join([_proven(before), now])
    if now["status"] == "interrupted":
        whole["status"] = "interrupted"
    return whole


def _proven(document: Mapping[str, Any]) -> dict[str, Any]:
    """``document`` without what the deadline cut off, what was said of that, and of its end."""
    cut = {
        item["entrypoint"]
        for item in document["findings"]
        if (item["code"], item["name"]) == ("verify", _UNDONE)
    }
    return {
        **document,
        "entrypoints": [item for item in document["entrypoints"] if item["name"] not in cut],
        "findings": [
            item
            for item in document["findings"]
            if item["code"] != "verify"
            or (item["entrypoint"] not in cut and item["name"] != STOPPED)
        ],
        "network": [item for item in document["network"] if item.get("entrypoint") not in cut],
    }
