"""Methods of strings, lists, dicts and sets."""

from __future__ import annotations

import functools
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from hubpub.source import tree
from hubpub.source.interpret import (
    calls,
    filesystem,
    items,
    noted,
    reporting,
)
from hubpub.source.interpret.machine import Machine
from hubpub.source.interpret.scopes import Scope
from hubpub.source.interpret.values import (
    NONE,
    UNBOUND,
    Absent,
    Items,
    Literal,
    Method,
    NotPlain,
    Table,
    Unknown,
    Value,
    join,
    literal,
    options,
    plain,
    string,
)

if TYPE_CHECKING:
    from hubpub.source.interpret.calls import Given
from hubpub.source.interpret import models


def method(machine: Machine, value: Method, given: Given, scope: Scope, at: tree.At) -> Value:
    """The result of a method of a string, list, dict or set."""
    receiver = value.receiver
    if isinstance(receiver, Items):
        return _items_method(machine, receiver, value.name, given)
    if isinstance(receiver, Table):
        return _table_method(machine, receiver, value.name, given, scope, at)
    if isinstance(receiver, Literal):
        question = filesystem.PATH_QUESTIONS.get(value.name)
        if question is not None and isinstance(receiver.value, PurePosixPath):
            return question(machine, receiver.value)
        if isinstance(receiver.value, PurePosixPath) and value.name in noted.READING:
            opened = calls.Given((receiver, *given.positional[: value.name == "open"]))
            reporting.report(machine, "pathlib.Path.open", opened, scope, at)
        return _literal_method(receiver, value.name, given, (scope.path, at))
    return Unknown(f"the result of {value.name}")


_PADDING = {"zfill", "ljust", "rjust", "center", "expandtabs", "to_bytes", "translate"}
"""Methods whose result may be as long as a number says."""


def _too_long(value: str | bytes | float, name: str, given: Given) -> bool:
    if not isinstance(value, (str, bytes)):
        return False
    if name in {"format", "format_map"}:
        # A width in the text, or in an argument through a nested field.
        return len(value) > 10_000 or bool(re.search(r":[^}]*(\{|\d{4})", str(value)))
    parts = [item.value for item in given.positional if isinstance(item, Literal)]
    sizes = [len(part) for part in parts if isinstance(part, (str, bytes))]
    return len(value) * (1 + sum(sizes)) > 1_000_000


def _literal_method(
    receiver: Literal, name: str, given: Given, place: tuple[str, tree.At]
) -> Value:
    if isinstance(receiver.value, PurePosixPath):
        return filesystem.path_method(receiver, name, given)
    if not isinstance(receiver.value, (str, bytes, int, float)) or name.startswith("_"):
        return Unknown(f"the result of {name}")
    if name in _PADDING or _too_long(receiver.value, name, given):
        return Unknown("a text too long to compute")
    if isinstance(receiver.value, str) and name in {"join", "format"}:
        return _combine(receiver, name, given, place)
    found = getattr(receiver.value, name, None)
    value = models.compute(found, given) if callable(found) else Unknown("no such method")
    return Literal(value.value, place) if isinstance(value, Literal) else value


def _combine(receiver: Literal, name: str, given: Given, place: tuple[str, tree.At]) -> Value:
    """``join`` and ``format``, for every possibility of their arguments while they are few."""
    if name == "join":
        value = models.compute(receiver.value.join, given)
        return Literal(value.value, place) if isinstance(value, Literal) else value
    keys = [*range(len(given.positional)), *given.keywords]
    sources = [*given.positional, *given.keywords.values()]
    rounds: list[list[Value]] = [[]]
    for source in sources:
        rounds = [[*row, option] for row in rounds for option in options(source)]
        if len(rounds) > 256:
            return Unknown("a text with too many possibilities")
    count = len(given.positional)
    found = []
    for row in rounds:
        named = {str(key): value for key, value in zip(keys[count:], row[count:], strict=True)}
        value = models.compute(
            receiver.value.format, calls.Given(tuple(row[:count]), named, given.complete)
        )
        found.append(Literal(value.value, place) if isinstance(value, Literal) else value)
    return join(found)


def _items_method(machine: Machine, receiver: Items, name: str, given: Given) -> Value:
    optional = machine.doubt > receiver.doubt
    first = given.positional[0] if given.positional else NONE
    if name in {"append", "add"}:
        receiver.items.append(join([first, UNBOUND]) if optional else first)
    elif name in {"extend", "update"}:
        for argument in given.positional:
            calls.extend(machine, receiver, argument)
    elif name == "insert" and len(given.positional) == 2:
        item = given.positional[1]
        index = first.value if isinstance(first, Literal) and isinstance(first.value, int) else 0
        receiver.items.insert(index, join([item, UNBOUND]) if optional else item)
    elif name in {"remove", "discard"}:
        _discard(receiver, first, optional)
    elif name in {"pop", "clear"}:
        return _pop(receiver, name, given, optional)
    elif name in {"sort", "reverse"}:
        receiver.items[:] = ordered(receiver, reverse=name == "reverse") or receiver.items
    elif name == "copy":
        return Items(receiver.kind, list(receiver.items), receiver.open, machine.doubt)
    elif name in {"union", "intersection", "difference", "symmetric_difference"}:
        return _sets(machine, receiver, name, given)
    else:
        return models.compute(getattr(list, name, len), calls.Given((receiver, *given.positional)))
    return NONE


def ordered(receiver: Items, *, reverse: bool) -> list[Value] | None:
    """The members sorted or reversed; None where their order is not known."""
    if reverse:
        return receiver.items[::-1]
    try:
        return sorted(receiver.items, key=plain)
    except (NotPlain, TypeError):
        return None


def _discard(receiver: Items, value: Value, optional: bool) -> None:
    for index, item in enumerate(receiver.items):
        if item is value or (isinstance(item, Literal) and item == value):
            if optional:
                receiver.items[index] = join([item, UNBOUND])
            else:
                del receiver.items[index]
            return
    if not isinstance(value, Literal):
        receiver.items[:] = [join([item, UNBOUND]) for item in receiver.items]


def _pop(receiver: Items, name: str, given: Given, optional: bool) -> Value:
    if name == "clear" and not optional:
        receiver.items.clear()
        return NONE
    index = given.positional[0] if given.positional else Literal(-1)
    if optional or not isinstance(index, Literal) or not isinstance(index.value, int):
        receiver.items[:] = [join([item, UNBOUND]) for item in receiver.items]
        return join(receiver.items) if receiver.items else Unknown("an item")
    try:
        return receiver.items.pop(index.value)
    except IndexError:
        return Unknown("an item of an empty list")


def _sets(machine: Machine, receiver: Items, name: str, given: Given) -> Value:
    sets = [receiver, *given.positional]
    if name == "union":
        result = Items("set", [], doubt=machine.doubt)
        for item in sets:
            calls.extend(machine, result, item)
        return result
    try:
        known = [set(plain(item)) for item in sets]
        return literal(functools.reduce(lambda one, other: getattr(one, name)(other), known))
    except (NotPlain, TypeError):
        return Items("set", [], True, machine.doubt)


def _table_method(
    machine: Machine, receiver: Table, name: str, given: Given, scope: Scope, at: tree.At
) -> Value:
    first = given.positional[0] if given.positional else NONE
    if name == "update":
        for argument in given.positional:
            items.update(machine, receiver, argument, scope, at)
        for key, item in given.keywords.items():
            items.store_item(machine, receiver, Literal(key), item, scope, at)
        if not given.complete:
            items.update(machine, receiver, Unknown("**"), scope, at)
        return NONE
    if name in {"get", "pop", "setdefault"}:
        return _lookup(machine, receiver, name, given, scope, at)
    keys = items.keys(receiver)
    values: list[Value] = [
        value for value in items.contents(receiver).values() if not isinstance(value, Absent)
    ]
    if name == "keys":
        return Items("list", keys, receiver.open, machine.doubt)
    if name == "values":
        return Items("list", values, receiver.open, machine.doubt)
    if name == "items":
        pairs: list[Value] = [
            Items("tuple", [key, value]) for key, value in zip(keys, values, strict=True)
        ]
        return Items("list", pairs, receiver.open, machine.doubt)
    if name == "copy":
        return Table(dict(items.contents(receiver)), receiver.open, machine.doubt)
    if name == "__setitem__" and len(given.positional) == 2:
        items.store_item(machine, receiver, first, given.positional[1], scope, at)
        return NONE
    return Unknown(f"the result of {name}")


def _lookup(
    machine: Machine, receiver: Table, name: str, given: Given, scope: Scope, at: tree.At
) -> Value:
    if not given.positional:
        return Unknown("no key")
    default = given.get(1, "default") or NONE
    found = items.item(machine, receiver, given.positional[0], scope, at)
    key = string(given.positional[0])
    missing = key is not None and key not in items.contents(receiver) and not receiver.open
    if name == "setdefault" and missing:
        items.store_item(machine, receiver, given.positional[0], default, scope, at)
    if name == "pop":
        items.remove(machine, receiver, given.positional[0], scope, at)
    if missing:
        return default
    certain = key is not None and key in items.contents(receiver)
    return found if certain or name == "setdefault" else join([found, default])
