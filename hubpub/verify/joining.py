"""Several reports of one commit as the one report that a whole run would have been.

Works on documents (the JSON objects that :mod:`hubpub.verify.report` writes and reads), because
that is what shards of a CI matrix hand over, and what an interrupted run leaves.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from hubpub.errors import UsageError
from hubpub.verify import differences, findings
from hubpub.verify.report import validate
from hubpub.verify.selection import Selection, Shard, read_shard

Document = Mapping[str, Any]
_SHOWN = 8
_SHOWN_VALUE = 120
_RUNS_OWN = {
    differences.NAME,
    findings.PART,
    findings.EMPTY_SHARD,
    findings.NOTHING_RUN,
    findings.CLASH,
}
"""Findings of one run only; of the joined report they are made anew."""
_AGREE = ("reference", "commit", "tree", "environment", "options")
_AGREE_SANDBOX = ("tier", "version", "features", "packages")


def merge(named: Sequence[tuple[str, Document]]) -> dict[str, Any]:
    """One report from those of all shards, each with the name of its file.

    Raises:
        UsageError: they are not all the shards of one run, each once and whole.
    """
    first_name, first = named[0]
    by_number: dict[int, str] = {}
    counts: dict[int, str] = {}
    for name, document in named:
        shard = _shard(name, document)
        refuse_other(name, document, first_name, first)
        if document.get("lock") is not None:
            raise UsageError(
                f"{name} was held against a lock, which a shard alone cannot be",
                help="run the shards without --locked, and one whole run with it",
            )
        counts.setdefault(shard.count, name)
        if shard.number in by_number:
            raise UsageError(
                f"{name} and {by_number[shard.number]} are both shard {shard}",
                help="give each shard once",
            )
        by_number[shard.number] = name
        _refuse_unfinished(name, document, shard)
    if len(counts) > 1:
        each = ", ".join(f"{name} is of {count}" for count, name in counts.items())
        raise UsageError(
            f"these are shards of different runs: {each}",
            help="merge the shards of one N of --shard I/N",
        )
    (count,) = counts
    missing = [number for number in range(1, count + 1) if number not in by_number]
    if missing:
        words = ", ".join(f"{number}/{count}" for number in missing[:_SHOWN])
        raise UsageError(
            f"{len(missing)} of {count} shards are missing: {words}",
            help="run them with --shard, and give their reports too",
        )
    joined = join([_unsharded(document) for _, document in named])
    if any(document["status"] == "fail" and _status(document) == "pass" for _, document in named):
        joined["status"] = "fail"  # nothing says why, and it is no success all the same
    return joined


def _unsharded(document: Document) -> dict[str, Any]:
    return {**document, "selection": {**document["selection"], "shard": None}}


def _shard(name: str, document: Document) -> Shard:
    selection = document.get("selection")
    if not selection:
        raise UsageError(
            f"{name} says nothing of a selection: nothing could be listed (status "
            f"{document['status']}), or an earlier hubpub wrote it",
            help="run that shard again",
        )
    if selection["shard"] is None:
        raise UsageError(f"{name} is of no shard", help="only runs with --shard I/N are merged")
    return read_shard(selection["shard"])


def _refuse_unfinished(name: str, document: Document, shard: Shard) -> None:
    """Raise where a shard has not exactly the entrypoints that are its own."""
    selection = document["selection"]
    own = Selection(tuple(selection["patterns"]), shard).take(selection["listed"])
    there = [item["name"] for item in document["entrypoints"]]
    missing = sorted(set(own) - set(there))
    if missing:
        raise UsageError(
            f"{name}: shard {shard} lacks {_few(missing)}; its status is {document['status']}",
            help=f"go on with it: the same command with --resume {name}",
        )
    if document["status"] not in {"pass", "fail"}:
        raise UsageError(
            f"{name}: the run of shard {shard} did not come to its end; its status is "
            f"{document['status']}",
            help=f"go on with it: the same command with --resume {name}",
        )
    if sorted(there) != own:
        other = sorted((Counter(there) - Counter(own)).elements())
        raise UsageError(
            f"{name} holds {_few(other)}, which shard {shard} has not", help="run that shard again"
        )


def refuse_other(name: str, document: Document, than: str, first: Document) -> None:
    """Raise where two reports are not of one commit, tree, environment and choice of options.

    What may differ: the time that the whole run had, and the throw-away user outside.

    Raises:
        UsageError: names every difference.
    """
    differences = list(_differences(document, first))
    if differences:
        text = "; ".join(f"{what} is {here}, not {there}" for what, here, there in differences)
        raise UsageError(
            f"{name} does not belong to {than}: {text}",
            help="only results of the same commit, tree, environment and options are one report",
        )


def _differences(document: Document, first: Document) -> Iterator[tuple[str, str, str]]:
    pairs: list[tuple[str, Any, Any]] = [
        (name, document.get(name), first.get(name)) for name in _AGREE
    ]
    ours, theirs = document["sandbox"], first["sandbox"]
    pairs += [(f"sandbox {name}", ours.get(name), theirs.get(name)) for name in _AGREE_SANDBOX]
    bounds = [dict(each.get("limits") or {}, deadline_s=0) for each in (ours, theirs)]
    pairs.append(("limits", bounds[0], bounds[1]))
    ours, theirs = document.get("selection") or {}, first.get("selection") or {}
    for what, key in (("--entrypoint", "patterns"), ("the list of entrypoints", "listed")):
        pairs.append((what, ours.get(key), theirs.get(key)))
    for what, here, there in pairs:
        if isinstance(here, dict) and isinstance(there, dict):
            for key in sorted(here.keys() | there.keys()):
                if here.get(key) != there.get(key):
                    yield f"{what} {key}", _said(here.get(key)), _said(there.get(key))
        elif here != there:
            yield what, _said(here), _said(there)


def _said(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _SHOWN_VALUE else f"{text[:_SHOWN_VALUE]}..."


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def join(documents: Sequence[Document]) -> dict[str, Any]:
    """The report of all ``documents``, which agree (:func:`refuse_other`).

    An entrypoint that stands in several is taken from the first of them.
    """
    first = documents[0]
    owner: dict[str, int] = {}
    results: dict[str, Any] = {}
    for number, document in enumerate(documents):
        for item in document["entrypoints"]:
            if item["name"] not in owner:
                owner[item["name"]], results[item["name"]] = number, item
    names = sorted(results)
    selection = first["selection"]
    shard = None if selection["shard"] is None else read_shard(selection["shard"])
    asked, listed = Selection(tuple(selection["patterns"]), shard), selection["listed"]
    checkpoints = _checkpoints(documents)
    joined = {
        **first,
        "sandbox": _sandbox(documents),
        "entrypoints": [results[name] for name in names],
        "checkpoints": checkpoints,
        "network": [item for part in _shared_and_own(documents, "network", owner) for item in part],
        "selection": {
            **selection,
            "whole": len(asked.take(listed)) == len(listed) > 0,
        },
    }
    shared, own = _shared_and_own(documents, "findings", owner)
    chosen = [asdict(finding) for finding in findings.of_selection(asked, listed)]
    joined["findings"] = [
        *filter(_is_kept, shared),
        *chosen,
        *filter(_is_kept, own),
        *_runs_own(joined),
    ]
    joined["status"] = _status(joined)
    validate(joined)
    return joined


def _sandbox(documents: Sequence[Document]) -> dict[str, Any]:
    """What held in all: the user outside only where it was one, and the longest time."""
    held: dict[str, Any] = dict(documents[0]["sandbox"])
    for key in ("outer_uid", "limited_by"):
        values = {document["sandbox"].get(key) for document in documents}
        held[key] = values.pop() if len(values) == 1 else None
    if held.get("limits"):
        longest = max(document["sandbox"]["limits"].get("deadline_s", 0) for document in documents)
        held["limits"] = {**held["limits"], "deadline_s": longest}
    return held


def _is_kept(finding: Mapping[str, Any]) -> bool:
    return finding["code"] != "verify" or finding["name"] not in _RUNS_OWN


def _shared_and_own(
    documents: Sequence[Document], key: str, owner: Mapping[str, int]
) -> tuple[list[Any], list[Any]]:
    """What no entrypoint of the report owns, once; and what each owns, in the order of names."""
    shared: list[list[Any]] = []
    own: dict[str, list[Any]] = {name: [] for name in sorted(owner)}
    for number, document in enumerate(documents):
        shared.append([])
        for item in document[key]:
            name = item.get("entrypoint")
            if item.get("code", "verify") != "verify" or name not in own:
                shared[-1].append(item)
            elif owner[name] == number:
                own[name].append(item)
    return _united(shared), [item for items in own.values() for item in items]


def _united(lists: Iterable[list[Any]]) -> list[Any]:
    """Every item as often as the list that has it most often, in order of appearance.

    The source that a finding shows makes no other one of it: a report shows only so much.
    """
    found: list[Any] = []
    have: Counter[str] = Counter()
    for items in lists:
        seen: Counter[str] = Counter()
        for item in items:
            key = json.dumps({**item, "excerpt": None}, sort_keys=True)
            seen[key] += 1
            if seen[key] > have[key]:
                have[key] += 1
                found.append(item)
    return found


def _checkpoints(documents: Sequence[Document]) -> list[dict[str, Any]]:
    same: dict[str, list[dict[str, Any]]] = {}
    for document in documents:
        for item in document["checkpoints"]:
            same.setdefault(item["sha256"], []).append(item)
    joined = [_checkpoint(items) for items in same.values()]
    return sorted(joined, key=lambda item: (item["filename"], item["sha256"]))


def _checkpoint(same: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One content from what each report says of it; its name as :class:`Ledger` chooses it."""
    read = next((item for item in same if item["weights_only"]["status"] != "skipped"), same[0])
    uses = _united(item.get("uses", []) for item in same)
    uses.sort(key=lambda use: str(use["entrypoint"]))
    asked_by: dict[str, str] = {}
    # Whoever asked first is of one report, which has its URLs in the order that they were asked in.
    for item in same:
        for url in item["urls"]:
            by = item.get("asked_by", {}).get(url, "")
            if url not in asked_by or by < asked_by[url]:
                asked_by.pop(url, None)
                asked_by[url] = by
    urls = sorted(asked_by, key=asked_by.__getitem__)
    broken = [use for use in uses if use["stamp"]["status"] == "mismatch"]
    named = broken[-1] if broken else next(iter(uses), read)
    return {
        **read,
        "filename": named["filename"],
        "stamp": named["stamp"],
        "urls": urls,
        "asked_by": {url: asked_by[url] for url in urls},
        "entrypoints": sorted({name for item in same for name in item["entrypoints"]}),
        "path": min((item["path"] for item in same if item["path"] is not None), default=None),
        "uses": uses,
    }


def _runs_own(joined: Document) -> list[dict[str, Any]]:
    """What only the whole can say: who met what a clone has otherwise, clashes, nothing ran."""
    roots: dict[str, set[str]] = {}
    for checkpoint in joined["checkpoints"]:
        for use in checkpoint["uses"]:
            if use["url"]:
                roots.setdefault(use["filename"], set()).add(use["url"])
    met = {item["name"]: item.get("unlike_a_clone", {}) for item in joined["entrypoints"]}
    found = differences.met(
        met, {path: kind for each in met.values() for path, kind in each.items()}
    )
    clashes = [(name, tuple(sorted(urls))) for name, urls in sorted(roots.items()) if len(urls) > 1]
    found += findings.of_clashes(clashes)
    if joined["entrypoints"] and not _ran(joined):
        found.append(findings.of_nothing_run())
    return [asdict(finding) for finding in found]


def _ran(document: Document) -> bool:
    results = (result for item in document["entrypoints"] for result in item["results"])
    return any(result["facts"] is not None for result in results)


def _status(document: Document) -> str:
    """As of one run: each required axis that fails, and each declared case, left its finding."""
    own = [item for item in document["findings"] if item["code"] == "verify"]
    failed = any(item["severity"] == "error" for item in own)
    return "fail" if failed or not _ran(document) else "pass"
