"""What importing hubconf.py and calling entrypoints reaches: imports, checkpoints, hub calls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any

from hubpub.source import facts, reading, results
from hubpub.source.interpret import again, known, noted
from hubpub.source.interpret.machine import (
    CallEvent,
    ImportEvent,
)
from hubpub.source.interpret.values import (
    Literal,
    Unknown,
    Value,
    options,
)

HUB_CALLS = frozenset({"torch.hub.load", "torch.hub.list", "torch.hub.help"})
NO_CHECKPOINTS = HUB_CALLS | known.UNPICKLERS
"""Reported calls that need not fetch or open a checkpoint."""


def import_facts(outcome: reading.Outcome) -> tuple[facts.Import, ...]:
    """Every import statement reached, once, with the entrypoints that reach it."""
    found: dict[tuple[object, ...], facts.Import] = {}
    for name, events in outcome.phases():
        for event in again.repeated(outcome.machine, events):
            at_import = ("import", event.module, event.place)
            if name is None:
                found[at_import] = _merged(found.get(at_import), _import(event, None))
            elif at_import not in found:
                key = ("call", event.module, event.place)
                found[key] = _merged(found.get(key), _import(event, name))
    return tuple(found.values())


def _import(event: ImportEvent, name: str | None) -> facts.Import:
    names = () if name is None else (name,)
    return facts.Import(
        event.module,
        reading.place(event.place),
        "import" if name is None else "call",
        event.origin,
        event.guarded,
        event.conditional,
        tuple(reading.place(item) for item in event.chain),
        names,
        event.file,
        () if event.guarded or event.conditional else names,
    )


def _merged(known: facts.Import | None, new: facts.Import) -> facts.Import:
    """One statement that is reached in two ways: as the way says that hurts more."""
    if known is None:
        return new
    ranks = [(item.guarded, item.conditional) for item in (known, new)]
    worse = new if ranks[1] < ranks[0] else known
    return replace(
        worse,
        entrypoints=tuple(dict.fromkeys((*known.entrypoints, *new.entrypoints))),
        certain=tuple(dict.fromkeys((*known.certain, *new.certain))),
    )


def call_facts(
    outcome: reading.Outcome,
) -> tuple[tuple[facts.Download, ...], tuple[facts.HubCall, ...]]:
    """Checkpoint and hub calls, one per place, with all the values that were seen there."""
    found: dict[tuple[object, ...], list[tuple[CallEvent, str | None]]] = {}
    for name, events in outcome.phases():
        for event in events:
            if isinstance(event, CallEvent) and event.function not in noted.NOTED:
                found.setdefault((event.function, event.place), []).append((event, name))
    downloads, hub_calls = [], []
    several = Counter(place for _, place in {(known.one_name(str(name)), at) for name, at in found})
    for (function, place), seen in found.items():
        names = tuple(sorted({name for _, name in seen if name is not None}))
        arguments = _arguments([event for event, _ in seen])
        first = seen[0][0]
        written = several[place] == 1 and all(event.written for event, _ in seen)
        if function in HUB_CALLS:
            hub_calls.append(_hub_call(str(function), first, arguments, names, written))
            continue
        complete = all(event.complete for event, _ in seen)
        downloads.append(
            facts.Download(
                str(function),
                reading.place(first.place),
                MappingProxyType(arguments),
                complete,
                names,
                _cases([event for event, _ in seen]),
                written,
                all(event.guarded for event, _ in seen),
                any(function in outcome.returned.get(name, ()) for name in names),
                all(event.on_gpu for event, _ in seen),
                results.always(outcome.scope.names, seen),
            )
        )
    return tuple(downloads), tuple(hub_calls)


MAX_CASES = 200
"""So many different ways to reach one call are told apart."""
MAX_VALUES = 2_000
"""So many values of one argument are kept, all ways together; with more it may be anything."""


def _cases(events: list[CallEvent]) -> tuple[Mapping[str, facts.Argument], ...]:
    found: dict[str, Mapping[str, facts.Argument]] = {}
    for event in events[:MAX_CASES]:
        arguments = _arguments([event])
        shown = sorted((key, item.known, _marks(item.values)) for key, item in arguments.items())
        found.setdefault(repr(shown), MappingProxyType(arguments))
    return tuple(found.values())


@dataclass
class _Sum:
    """An argument as several calls give it: its values by their marks."""

    place: facts.Place | None
    values: dict[str, tuple[Any, facts.Place]]
    known: bool


def _arguments(events: list[CallEvent]) -> dict[str, facts.Argument]:
    merged: dict[str, _Sum] = {}
    for event in events:
        spots = {str(key): reading.place(spot) for key, spot in event.places}
        for key, value in event.arguments:
            name = str(key)
            total = merged.get(name)
            if total is not None and len(total.values) >= MAX_VALUES:
                total.known = False
                continue
            one = argument(value, spots.get(name))
            if total is None:
                total = merged[name] = _Sum(one.place, {}, known=True)
            total.known &= one.known
            for mark, item, place in zip(_marks(one.values), one.values, one.places, strict=True):
                total.values.setdefault(mark, (item, place))
    return {
        name: facts.Argument(
            tuple(item for item, _ in total.values.values()),
            total.known,
            total.place,
            tuple(place for _, place in total.values.values()),
        )
        for name, total in merged.items()
    }


def _marks(values: tuple[object, ...]) -> list[str]:
    return [repr(value) for value in values]


def argument(value: Value, spot: facts.Place | None) -> facts.Argument:
    """A value as an argument fact: literals, and whether there may be others."""
    values: list[Any] = []
    places: list[facts.Place] = []
    known = True
    for option in options(value):
        if isinstance(option, Unknown) and option.default is not None:
            inner = argument(option.default, spot)
            values.extend(inner.values)
            places.extend(inner.places)
            known = False
        elif isinstance(option, Literal):
            shown = option.value
            values.append(str(shown) if isinstance(shown, PurePosixPath) else shown)
            places.append(
                reading.place(option.place)
                if option.place
                else spot or facts.Place(reading.HUBCONF)
            )
        else:
            known = False
    return facts.Argument(tuple(values), known, spot, tuple(places))


def _hub_call(
    function: str,
    event: CallEvent,
    arguments: dict[str, facts.Argument],
    names: tuple[str, ...],
    written: bool,
) -> facts.HubCall:
    target = arguments.get("repo_or_dir") or arguments.get("github")
    text = target.values[0] if target and len(target.values) == 1 and target.known else None
    repository, ref = split(text) if isinstance(text, str) else (None, None)
    model = arguments.get("model")
    entry = model.values[0] if model and len(model.values) == 1 and model.known else None

    def given(name: str) -> object:
        item = arguments.get(name)
        return item.values[0] if item and item.values else None

    source = given("source")
    return facts.HubCall(
        function=function.rpartition(".")[2],
        repository=repository,
        ref=ref,
        entrypoint=entry if isinstance(entry, str) else None,
        trusted=not event.complete or _trusted(arguments.get("trust_repo")),
        local=isinstance(source, str) and source.lower() == "local",
        skip_validation=given("skip_validation") is True,
        place=reading.place(event.place),
        literal=target.places[0] if target and target.places else None,
        document=False,
        entrypoints=names,
        written=written and "trust_repo" not in arguments,
    )


def _trusted(given: facts.Argument | None) -> bool:
    """Whether a ``trust_repo`` does not prompt: torch.hub asks for False and "check" alone."""
    return given is not None and not (given.known and given.values in {(False,), ("check",)})


def split(text: str) -> tuple[str | None, str | None]:
    """``owner/name[:ref]`` as torch.hub._parse_repo_info splits it; None for anything else."""
    repository, colon, ref = text.partition(":")
    if repository.count("/") != 1 or text.startswith(("/", ".")):
        return None, None
    return repository, ref if colon else None
