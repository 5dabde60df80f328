"""What importing hubconf.py and calling entrypoints do beyond making objects, as facts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from hubpub.diagnostic import Span
from hubpub.source import cache_paths, facts, late, newer, reading, tree
from hubpub.source import facts_loading as loaded
from hubpub.source.interpret import attributes, filesystem
from hubpub.source.interpret.machine import (
    ROOT,
    EffectEvent,
    Event,
    PathEvent,
    RelativeEvent,
    SwallowEvent,
)
from hubpub.source.interpret.values import (
    UNBOUND,
    Choice,
    Class,
    External,
    Instance,
    Items,
    Value,
    options,
)
from hubpub.source.text import Text

MAX_EFFECTS = 500
"""Effects beyond so many are not told."""
MAX_EDITS = 300
"""Edits of ``sys.path`` beyond so many, in one way to reach them, are not looked at."""


def loading(
    outcome: reading.Outcome,
    imports: tuple[facts.Import, ...],
    python: loaded.DeclaredPython | None,
) -> loaded.Loading:
    """All of it. ``imports`` are what the same outcome reaches, ``python`` what is declared."""
    edits = _path_edits(outcome, imports)
    return loaded.Loading(
        _effects(outcome),
        edits,
        _relative_imports(outcome),
        tuple(_classes(outcome)),
        tuple(late.late_imports(outcome, edits)),
        _hidden_failures(outcome),
        tuple(newer.new_syntax(outcome, imports, python)),
        cache_paths.cache_paths(outcome),
    )


def _phases(outcome: reading.Outcome) -> Iterator[tuple[str, tuple[str, ...], tuple[Event, ...]]]:
    for name, events in outcome.phases():
        yield ("import", (), events) if name is None else ("call", (name,), events)


def _effects(outcome: reading.Outcome) -> tuple[loaded.Effect, ...]:
    """Every effect once: at import where it is reached then, else with its entrypoints."""
    found: dict[tuple[str, object], loaded.Effect] = {}
    for when, names, events in _phases(outcome):
        for event in events:
            if not isinstance(event, EffectEvent):
                continue
            key = (event.kind, event.place)
            known = found.get(key)
            if known is not None:
                found[key] = _both(known, event, when, names)
            elif len(found) < MAX_EFFECTS:
                found[key] = _effect(event, when, names)
    for name, event in _certain(outcome):
        key = (event.kind, event.place)
        known = found.get(key)
        pair = (name, None if event.default is None else reading.place(event.default))
        if known is not None and pair not in known.certain:
            found[key] = replace(known, certain=(*known.certain, pair))
    return tuple(found.values())


def _effect(event: EffectEvent, when: str, names: tuple[str, ...]) -> loaded.Effect:
    return loaded.Effect(
        event.kind,
        event.shown,
        reading.place(event.place),
        when,
        event.conditional,
        event.guarded,
        event.fallback,
        tuple(reading.place(item) for item in event.chain),
        names,
    )


def _both(
    known: loaded.Effect, event: EffectEvent, when: str, names: tuple[str, ...]
) -> loaded.Effect:
    """An effect that is reached in more than one way: as certain as the most certain of them."""
    if when != known.when:
        return known
    entrypoints = known.entrypoints
    if names and names[0] not in entrypoints:
        entrypoints = (*entrypoints, *names)
    return replace(
        known,
        conditional=known.conditional and event.conditional,
        guarded=known.guarded and event.guarded,
        fallback=known.fallback and event.fallback,
        entrypoints=entrypoints,
    )


def _certain(outcome: reading.Outcome) -> Iterator[tuple[str, EffectEvent]]:
    """The uses of CUDA that calls without any argument make in any case, with the entrypoint."""
    machine, memo = outcome.machine, outcome.machine.memo
    bare = reading.bare_calls(machine)
    for name, events in outcome.called.items():
        if not any(isinstance(event, EffectEvent) and event.kind == "cuda" for event in events):
            continue
        machine.memo = {}  # what is remembered of another entrypoint has that one's default
        for event in bare(outcome.scope.names[name]):
            if not isinstance(event, EffectEvent) or event.kind != "cuda":
                continue
            if not (event.conditional or event.guarded or event.fallback):
                yield name, event
    machine.memo = memo


def _path_edits(
    outcome: reading.Outcome, imports: tuple[facts.Import, ...]
) -> tuple[loaded.PathEdit, ...]:
    found: dict[object, loaded.PathEdit] = {}
    for when, names, events in _phases(outcome):
        sequence = [event for event in events if isinstance(event, PathEvent)][:MAX_EDITS]
        undone = _undone(sequence)
        for index, event in enumerate(sequence):
            key = (event.place, event.entry)
            known = found.get(key)
            if known is not None:
                if names and known.when == when and names[0] not in known.entrypoints:
                    found[key] = replace(known, entrypoints=(*known.entrypoints, *names))
                continue
            found[key] = loaded.PathEdit(
                event.action,
                event.entry,
                _how(event.entry),
                reading.place(event.place),
                when,
                event.conditional,
                index in undone,
                not event.keeps and not event.conditional and index not in undone,
                tuple(reading.place(item) for item in event.chain),
                names,
                _needs(outcome, event.entry, imports),
            )
    return tuple(found.values())


def _undone(events: list[PathEvent]) -> set[int]:
    """The additions that the same code takes away again, and what takes them away."""
    added: list[int] = []
    undone: set[int] = set()
    for index, event in enumerate(events):
        if event.action == "add":
            added.append(index)
            continue
        matching = [
            one
            for one in added
            if (event.action == "assign" and event.keeps and event.entry is None)
            or (event.entry is not None and events[one].entry == event.entry)
            or (event.entry is None and event.index == 0 == events[one].index)
        ]
        if matching and event.action == "remove":
            matching = matching[-1:]
        if matching:
            undone.update({index, *matching})
            added = [one for one in added if one not in matching]
    return undone


def _how(entry: str | None) -> str:
    if entry is None:
        return "unknown"
    if entry.startswith(f"{ROOT}/."):
        return "first"
    if filesystem.inside(entry) is not None:
        return "inside"
    if not entry.startswith("/") or entry.startswith(filesystem.CWD):
        return "working"
    return "elsewhere"


def _needs(
    outcome: reading.Outcome, entry: str | None, imports: tuple[facts.Import, ...]
) -> tuple[str, ...]:
    """Modules of the repository to which only a relative entry could lead.

    They lie in the directory that the entry means when the repository is the working directory.
    """
    if entry is None or _how(entry) != "working":
        return ()
    relative = entry.removeprefix(filesystem.CWD).lstrip("/")
    place = filesystem.inside(f"{ROOT}/{relative}")
    if not place:
        return ()
    listing = outcome.machine.files.listing(place)
    wanted = {
        item.package
        for item in imports
        if item.origin == "third party" and not item.guarded and not item.conditional
    }
    return tuple(sorted(name for name in wanted if name in listing or f"{name}.py" in listing))


_FROM = re.compile(r"from[ \t]+(\.+)[ \t]*(\w[\w.]*)?[ \t]*import[ \t]+(?![ \t(])")
"""The start of a relative import on one line, without parentheses."""


def _relative_imports(outcome: reading.Outcome) -> tuple[loaded.RelativeImport, ...]:
    seen: dict[object, tuple[str, RelativeEvent]] = {}
    for when, _, events in _phases(outcome):
        for event in events:
            if isinstance(event, RelativeEvent):
                seen.setdefault(event.place[1], (when, event))
    if not seen:
        return ()
    found = []
    for node in tree.walk(outcome.module.body):
        if isinstance(node, tree.ImportFrom) and node.level and node.at in seen:
            when, event = seen[node.at]
            if when == "import" or not _of_itself(outcome, node):
                found.append(_relative_import(outcome, node, when, event.conditional))
    return tuple(found)


def _of_itself(outcome: reading.Outcome, node: tree.ImportFrom) -> bool:
    """``from . import name``, which a call takes from a second copy of hubconf.py itself."""
    names = outcome.scope.names
    return node.level == 1 and not node.module and all(item.name in names for item in node.names)


def _relative_import(
    outcome: reading.Outcome, node: tree.ImportFrom, when: str, conditional: bool
) -> loaded.RelativeImport:
    shown = "." * node.level + node.module
    place = reading.place((reading.HUBCONF, node.at))
    plain = loaded.RelativeImport(shown, place, when, conditional)
    text = outcome.machine.files.text(reading.HUBCONF)
    names = [node.module.partition(".")[0]] if node.module else [item.name for item in node.names]
    here = outcome.machine.files.listing("")
    if not isinstance(text, Text) or node.level > 1 or not names:
        return plain
    if not all(name in here or f"{name}.py" in here for name in names):
        return plain
    match = _FROM.match(text.line(node.at[0]), node.at[1] - 1)
    if match is None:
        return plain
    end = match.end() + 1
    span = Span(node.at[0], node.at[1], node.at[0], end)
    new = f"from {node.module} import " if node.module else "import "
    return replace(plain, mend=facts.Place(reading.HUBCONF, span), text=new)


_ENOUGH = 200
"""So many values inside a result are looked at."""


def _classes(outcome: reading.Outcome) -> Iterator[loaded.LocalClass]:
    """The classes of hubconf.py, underscored ones included, in the order of their names."""
    returned: dict[int, list[str]] = {}
    for name, results in sorted(outcome.results.items()):
        for owner in {id(item.type): item.type for item in _instances(list(results))}.values():
            returned.setdefault(id(owner), []).append(name)
    future = any(
        isinstance(node, tree.ImportFrom)
        and node.module == "__future__"
        and any(item.name == "annotations" for item in node.names)
        for node in outcome.module.body
    )
    seen: set[int] = set()
    for _, value in sorted(outcome.scope.names.items()):
        for option in options(value):
            if not isinstance(option, Class) or option.scope is not outcome.scope:
                continue
            if id(option) in seen:
                continue
            seen.add(id(option))
            yield loaded.LocalClass(
                option.node.name,
                reading.place((reading.HUBCONF, option.node.at)),
                _is_module(option),
                tuple(returned.get(id(option), ())),
                _textual(option, future=future),
                conditional=isinstance(value, Choice) and UNBOUND in value.options,
            )


def _instances(values: list[Value]) -> Iterator[Instance]:
    """The objects that results are, or hold: in containers, as attributes, as arguments."""
    seen: set[int] = set()
    while values and len(seen) < _ENOUGH:
        value = values.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, Choice):
            values.extend(value.options)
        elif isinstance(value, Items):
            values.extend(value.items[:_ENOUGH])
        elif isinstance(value, Instance):
            values.extend([*value.attributes.values()][:_ENOUGH])
            values.extend(value.arguments)
            if isinstance(value.type, Class):
                yield value


def _is_module(owner: Class) -> bool:
    return any(
        isinstance(base, External) and base.name.startswith("torch.nn.")
        for base in attributes.outside_bases(owner)
    )


_NAME = re.compile(r"\s*\w")
_DOTTED = re.compile(r"\s*\w+\s*\.\s*\w")


def _textual(owner: Class, *, future: bool) -> facts.Place | None:
    """The first field whose annotation ``dataclasses`` looks up in the class's module.

    It does so for texts that begin with a name without a dot (dataclasses._is_type).
    """
    if not owner.fields:
        return None
    for node in owner.node.body:
        if not isinstance(node, tree.Assign) or node.annotation is None:
            continue
        annotation = node.annotation
        if future:
            looked_up = _begins_with_name(annotation)
        else:
            text = annotation.value if isinstance(annotation, tree.Const) else None
            looked_up = isinstance(text, str) and bool(
                _NAME.match(text) and not _DOTTED.match(text)
            )
        if looked_up:
            return reading.place((reading.HUBCONF, annotation.at))
    return None


def _begins_with_name(annotation: tree.Expr) -> bool:
    """Whether the text of an annotation begins with a name that no dot follows."""
    while isinstance(annotation, (tree.Subscript, tree.Binary)):
        inner = annotation.value if isinstance(annotation, tree.Subscript) else annotation.left
        annotation = inner
    if isinstance(annotation, tree.Const):
        return not isinstance(annotation.value, (str, bytes, type(...)))
    return isinstance(annotation, tree.Name)


def _hidden_failures(outcome: reading.Outcome) -> tuple[loaded.HiddenFailure, ...]:
    found = {
        event.place: loaded.HiddenFailure(event.modules, event.caught, reading.place(event.place))
        for _, _, events in _phases(outcome)
        for event in events
        if isinstance(event, SwallowEvent)
    }
    return tuple(found.values())
