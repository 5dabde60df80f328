"""Imports of modules that are there already: what the first import reached, as seen from another.

Python runs a module once a process, and so does the machine. Users run one entrypoint a process, so
that what a module imports is reached by each entrypoint that imports it; and what the first import
left open, because it was guarded or may not run, the next one may settle.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from hubpub.source.interpret.machine import Event, ImportEvent, Machine

_MAX_REPEATED = 20_000


def own(machine: Machine, start: int) -> tuple[ImportEvent, ...]:
    """What the module that was just run imported by itself, in the events from ``start`` on."""
    depth = len(machine.running) + 1
    return tuple(
        item
        for item in machine.events[start:]
        if isinstance(item, ImportEvent) and len(item.chain) == depth
    )


def repeated(machine: Machine, events: Iterable[Event]) -> Iterator[ImportEvent]:
    """The imports among ``events``, each with those that the imported modules make in turn."""
    seen: set[tuple[str, bool, bool]] = set()
    pending = [item for item in events if isinstance(item, ImportEvent)][::-1]
    left = _MAX_REPEATED
    while pending:
        item = pending.pop()
        yield item
        for name in _modules(item):
            key = (name, item.guarded, item.conditional)
            if name in machine.reached and key not in seen and left > 0:
                seen.add(key)
                inner = machine.reached[name]
                left -= len(inner)
                pending += [_within(item, one) for one in reversed(inner)]


def _modules(item: ImportEvent) -> list[str]:
    """The modules that an import runs: the last first, as they are taken from a stack."""
    if item.origin not in {"repository", "missing"}:
        return []
    parts = item.module.split(".")
    return [".".join(parts[:index]) for index in range(len(parts), 0, -1)]


def _within(outer: ImportEvent, inner: ImportEvent) -> ImportEvent:
    guarded, conditional = inner.inside
    return replace(
        inner,
        guarded=outer.guarded or guarded,
        conditional=outer.conditional or conditional,
        chain=(*outer.chain, outer.place),
    )
