"""``hubpub report diff``: what changed between two reports. Pure: two documents -> frozen values.

The two are of two tags of one repository, or of one tag on two days. What both ran is compared, and
the rest is said.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hubpub.verify.comparing.change import (
    ERROR,
    KINDS,
    SEVERITIES,
    Change,
    Compared,
    Comparison,
    Document,
    Thresholds,
)
from hubpub.verify.comparing.checkpoints import of_weights, weights
from hubpub.verify.comparing.costs import all_slower, of_downloads, of_results
from hubpub.verify.comparing.covered import Both, Side
from hubpub.verify.comparing.results import of_axes, of_cases, of_entrypoints
from hubpub.verify.comparing.surroundings import (
    of_claims,
    of_findings,
    of_hosts,
    of_lock,
    unlike,
)

VERSION = 1


def compare(old: Document, new: Document, limits: Thresholds | None = None) -> Comparison:
    """What changed from ``old`` to ``new``, two reports as :func:`hubpub.verify.report.read` has.

    Args:
        old: the report of the earlier tag or day.
        new: that of the later one.
        limits: when a measure has grown; the defaults without.
    """
    limits = limits or Thresholds()
    both = Both(Side("OLD", old), Side("NEW", new))
    found = sorted(_told_once([*_changes(both, limits)]), key=lambda each: each.order)
    seen = weights(both)
    return Comparison(
        Compared(len(both.names), len(both.pairs), sum(file.read for file in seen.old.values())),
        tuple(found),
        (*both.remarks(), *all_slower(both, found)),
        tuple(unlike(old, new)),
        limits,
    )


def _changes(both: Both, limits: Thresholds) -> Iterator[Change]:
    yield from of_entrypoints(both)
    yield from of_cases(both)
    yield from of_axes(both)
    yield from of_weights(both, limits)
    yield from of_results(both, limits)
    yield from of_downloads(both, limits)
    yield from of_hosts(both)
    yield from of_findings(both)
    yield from of_lock(both)
    yield from of_claims(both)


_CAUSES = {
    "weights": {"checkpoint-replaced", "checkpoint-drifted", "lock-broken"},
    "weights_only": {"newly-unsafe", "safer"},
    "download_bytes": {"larger", "smaller"},
}
"""What of an entrypoint follows from its files, and the kinds that have told it then."""


def _told_once(found: list[Change]) -> Iterator[Change]:
    """``found`` without what follows from another of them."""
    told = {
        (what, name)
        for what, kinds in _CAUSES.items()
        for each in found
        if each.kind in kinds and each.what != "download_bytes"
        for name in each.entrypoints
    }
    for each in found:
        itself = each.kind in _CAUSES["weights_only"]
        if itself or not any((each.what, name) in told for name in each.entrypoints):
            yield each


def fails(comparison: Comparison, at: str) -> bool:
    """Whether there is a change of the severity ``at``, or of a worse one; ``never`` is never."""
    worst = SEVERITIES.index(comparison.status) if comparison.changes else len(SEVERITIES)
    return at in SEVERITIES and worst <= SEVERITIES.index(at)


def to_json(comparison: Comparison, old: Document, new: Document) -> dict[str, Any]:
    """The comparison as the documented JSON object, checked against ``schemas/diff.json``.

    Raises:
        jsonschema.ValidationError: a defect of hubpub, whatever the reports hold.
    """
    import jsonschema

    counts = {
        severity: sum(each.severity == severity for each in comparison.changes)
        for severity in SEVERITIES
    }
    document: dict[str, Any] = {
        "version": VERSION,
        "status": comparison.status,
        "old": _side(old),
        "new": _side(new),
        "compared": asdict(comparison.compared),
        "thresholds": asdict(comparison.thresholds),
        "counts": counts,
        "remarks": [asdict(each) for each in comparison.remarks],
        "unlike": [asdict(each) for each in comparison.unlike],
        "changes": [_change(each) for each in comparison.changes],
    }
    document = json.loads(json.dumps(document))
    jsonschema.Draft202012Validator(schema()).validate(document)
    return document


def _side(document: Document) -> dict[str, Any]:
    names = ("status", "reference", "commit", "tree")
    return {name: document[name] for name in names} | {"hubpub": document["environment"]["hubpub"]}


def _change(each: Change) -> dict[str, Any]:
    kind, fields = KINDS[each.kind], asdict(each)
    advice = fields.pop("advice")
    return {**fields, "says": kind.says, "help": advice or kind.help or None}


@functools.cache
def schema() -> Mapping[str, Any]:
    """The JSON Schema (2020-12) of a comparison."""
    path = Path(__file__).parents[2] / "schemas" / "diff.json"
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


__all__ = [
    "ERROR",
    "KINDS",
    "SEVERITIES",
    "Comparison",
    "Thresholds",
    "compare",
    "fails",
    "to_json",
]
