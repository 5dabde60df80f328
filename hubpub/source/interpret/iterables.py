"""Builtins that make or go through containers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hubpub.source import tree
from hubpub.source.interpret import calls, expressions
from hubpub.source.interpret.machine import Machine
from hubpub.source.interpret.scopes import Scope
from hubpub.source.interpret.values import (
    Items,
    Literal,
    NotPlain,
    Table,
    Unknown,
    Value,
    plain,
    truth,
)

if TYPE_CHECKING:
    from hubpub.source.interpret.calls import Given
from hubpub.source.interpret import items, methods, models


def _container(kind: str) -> models.Model:
    def make(machine: Machine, given: Given, scope: Scope, at: tree.At) -> Value:
        if not given.positional:
            return Items(kind, [], doubt=machine.doubt)
        items, complete = expressions.iterate(machine, given.positional[0])
        del scope, at
        return Items(kind, _unique(items) if kind == "set" else items, not complete, machine.doubt)

    return make


def _unique(items: list[Value]) -> list[Value]:
    found: dict[object, Value] = {}
    for item in items:
        key = (type(item.value), repr(item.value)) if isinstance(item, Literal) else id(item)
        found.setdefault(key, item)
    return list(found.values())


def _dict(machine: Machine, given: Given, scope: Scope, at: tree.At) -> Value:
    table = Table(dict(given.keywords), not given.complete, machine.doubt)
    for argument in given.positional:
        items.update(machine, table, argument, scope, at)
    return table


def _default_dict(machine: Machine, given: Given, scope: Scope, at: tree.At) -> Value:
    return _dict(machine, calls.Given(given.positional[1:], given.keywords), scope, at)


def _range(machine: Machine, given: Given, scope: Scope, at: tree.At) -> Value:
    del machine, scope, at
    try:
        return Literal(range(*[plain(value) for value in given.positional]))
    except (NotPlain, TypeError, ValueError):
        return Unknown("a range that is not literal")


def _sorted(machine: Machine, given: Given, scope: Scope, at: tree.At) -> Value:
    del scope, at
    items, complete = (
        expressions.iterate(machine, given.positional[0]) if given.positional else ([], False)
    )
    found = Items("list", items, not complete, machine.doubt)
    found.items = methods.ordered(found, reverse=False) or found.items
    return found


def _zip(machine: Machine, given: Given, scope: Scope, at: tree.At) -> Value:
    del scope, at
    sides = [expressions.iterate(machine, value) for value in given.positional]
    rows: list[Value] = [
        Items("tuple", list(row)) for row in zip(*(items for items, _ in sides), strict=False)
    ]
    return Items("list", rows, not all(complete for _, complete in sides), machine.doubt)


def _enumerate(machine: Machine, given: Given, scope: Scope, at: tree.At) -> Value:
    del scope, at
    items, complete = (
        expressions.iterate(machine, given.positional[0]) if given.positional else ([], False)
    )
    start = given.get(1, "start")
    first = start.value if isinstance(start, Literal) and isinstance(start.value, int) else 0
    rows: list[Value] = [
        Items("tuple", [Literal(first + index), item]) for index, item in enumerate(items)
    ]
    return Items("list", rows, not complete, machine.doubt)


def _map(machine: Machine, given: Given, scope: Scope, at: tree.At) -> Value:
    if len(given.positional) < 2:
        return Unknown("a map")
    items, complete = expressions.iterate(machine, given.positional[1])
    found = [
        calls.invoke(machine, given.positional[0], calls.Given((item,)), scope, at)
        for item in items
    ]
    return Items("list", found, not complete, machine.doubt)


def _filter(machine: Machine, given: Given, scope: Scope, at: tree.At) -> Value:
    if len(given.positional) < 2:
        return Unknown("a filter")
    predicate, among = given.positional[0], given.positional[1]
    items, complete = expressions.iterate(machine, among)
    found: list[Value] = []
    for item in items:
        keeps: Value = item
        if not (isinstance(predicate, Literal) and predicate.value is None):
            keeps = calls.invoke(machine, predicate, calls.Given((item,)), scope, at)
        held = truth(keeps)
        if held:
            found.append(item)
        complete = complete and held is not None
    return Items("list", found, not complete, machine.doubt)


def _product(machine: Machine, given: Given, scope: Scope, at: tree.At) -> Value:
    del scope, at
    rows: list[list[Value]] = [[]]
    known = True
    for argument in given.positional:
        items, complete = expressions.iterate(machine, argument)
        known &= complete
        rows = [[*row, item] for row in rows for item in items][: expressions.MAX_ITEMS]
    return Items("list", [Items("tuple", row) for row in rows], not known, machine.doubt)


def _chain(machine: Machine, given: Given, scope: Scope, at: tree.At) -> Value:
    del scope, at
    result = Items("list", [], doubt=machine.doubt)
    for argument in given.positional:
        calls.extend(machine, result, argument)
    return result


def _reversed(machine: Machine, given: Given, scope: Scope, at: tree.At) -> Value:
    found = _container("list")(machine, given, scope, at)
    if isinstance(found, Items):
        found.items.reverse()
    return found


ITERABLES: dict[str, models.Model] = {
    "builtins.list": _container("list"),
    "builtins.tuple": _container("tuple"),
    "builtins.set": _container("set"),
    "builtins.frozenset": _container("frozenset"),
    "builtins.iter": _container("list"),
    "builtins.reversed": _reversed,
    "builtins.dict": _dict,
    "collections.OrderedDict": _dict,
    "collections.defaultdict": _default_dict,
    "builtins.range": _range,
    "builtins.sorted": _sorted,
    "builtins.zip": _zip,
    "builtins.enumerate": _enumerate,
    "builtins.map": _map,
    "builtins.filter": _filter,
    "itertools.product": _product,
    "itertools.chain": _chain,
}
