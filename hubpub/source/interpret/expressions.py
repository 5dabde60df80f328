"""Expressions: what they may evaluate to."""

from __future__ import annotations

import builtins
import operator
import re
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import Any

from hubpub.source import tree
from hubpub.source.interpret import attributes, calls, items, operators, statements
from hubpub.source.interpret.machine import Machine, RaisedError
from hubpub.source.interpret.scopes import Scope
from hubpub.source.interpret.values import (
    UNBOUND,
    Absent,
    Choice,
    Class,
    External,
    Function,
    Items,
    Literal,
    Native,
    Table,
    Unknown,
    Value,
    join,
    literal,
    options,
    string,
    truth,
)

MAX_ITEMS = 5_000
"""Literal loops and comprehensions longer than this are not unrolled."""


def evaluate(machine: Machine, node: tree.Expr, scope: Scope) -> Value:
    """What ``node`` may be in ``scope``."""
    return _EXPRESSIONS[type(node)](machine, node, scope)


def _const(machine: Machine, node: tree.Const, scope: Scope) -> Value:
    del machine
    place = (scope.path, node.at) if isinstance(node.value, str) else None
    return Literal(node.value, place)


def _name(machine: Machine, node: tree.Name, scope: Scope) -> Value:
    value = scope.find(node.id)
    if isinstance(value, Absent):
        if hasattr(builtins, node.id):
            return Native(f"builtins.{node.id}", getattr(builtins, node.id))
        for star in reversed(scope.root.stars):
            return External(f"{star.name}.{node.id}")
        if machine.name_guards and not scope.root.unread and not machine.doubt:
            # `try: unicode` of code that once ran on Python 2.
            place = (scope.path, node.at)
            raise RaisedError("NameError", f"name {node.id!r} is not defined", place)
        return Unknown(f"{node.id} is not bound")
    if isinstance(value, Choice) and UNBOUND in value.options:
        # An unbound name would have raised, so here it is one of the others.
        bound = [option for option in value.options if option is not UNBOUND]
        if hasattr(builtins, node.id):
            bound.append(Native(f"builtins.{node.id}", getattr(builtins, node.id)))
        return join(bound)
    return value


def _attribute(machine: Machine, node: tree.Attribute, scope: Scope) -> Value:
    value = evaluate(machine, node.value, scope)
    return attributes.get(machine, value, node.name, scope, node.at)


def _subscript(machine: Machine, node: tree.Subscript, scope: Scope) -> Value:
    value = evaluate(machine, node.value, scope)
    index = evaluate(machine, node.index, scope)
    found = [items.item(machine, option, index, scope, node.at) for option in options(value)]
    return join(found)


def _slice(machine: Machine, node: tree.Slice, scope: Scope) -> Value:
    parts = []
    for part in (node.lower, node.upper, node.step):
        value = Literal(None) if part is None else evaluate(machine, part, scope)
        if not isinstance(value, Literal) or not isinstance(value.value, (int, type(None))):
            return Unknown("a slice that is not literal")
        parts.append(value.value)
    return Literal(slice(*parts))


def _call(machine: Machine, node: tree.Call, scope: Scope) -> Value:
    return calls.call(machine, node, scope)


def _display(machine: Machine, node: tree.Display, scope: Scope) -> Value:
    found = Items(node.kind, [], doubt=machine.doubt)
    for item in node.items:
        if isinstance(item, tree.Starred):
            members, complete = iterate(machine, evaluate(machine, item.value, scope))
            found.items.extend(members)
            found.open |= not complete
        else:
            found.items.append(evaluate(machine, item, scope))
    return found


def _mapping(machine: Machine, node: tree.Mapping, scope: Scope) -> Value:
    table = Table({}, doubt=machine.doubt)
    for key, value in node.items:
        if key is None:
            items.update(machine, table, evaluate(machine, value, scope), scope, node.at)
            continue
        known = evaluate(machine, key, scope)
        items.store_item(machine, table, known, evaluate(machine, value, scope), scope, key.at)
    return table


def _joined(machine: Machine, node: tree.Joined, scope: Scope) -> Value:
    texts: list[str | None] = [""]
    for part in node.parts:
        values = [
            text for option in options(_part(machine, part, scope)) for text in [string(option)]
        ]
        # Every text so far with every possibility of this part, while they are few.
        texts = [
            None
            if text is None or value is None or len(text) + len(value) > operators.MAX_TEXT
            else text + value
            for text in texts
            for value in values
        ]
        if len(texts) > 256:
            return Unknown("an f-string with too many possibilities")
    place = (scope.path, node.at)
    return join(
        Unknown("an f-string that is not literal") if text is None else Literal(text, place)
        for text in texts
    )


def _part(machine: Machine, part: tree.Expr, scope: Scope) -> Value:
    if not isinstance(part, tree.Formatted):
        return evaluate(machine, part, scope)
    value = evaluate(machine, part.value, scope)
    spec = "" if part.spec is None else string(evaluate(machine, part.spec, scope))
    return join(_format(option, part.conversion, spec) for option in options(value))


_CONVERSIONS: dict[str, Callable[[Any], str]] = {"r": repr, "s": str, "a": ascii}


def _format(value: Value, conversion: str, spec: str | None) -> Value:
    if not isinstance(value, Literal) or spec is None or re.search(r"\d{4}", spec):
        return Unknown("a formatted value that is not literal")
    shown: Any = value.value
    if conversion:
        shown = _CONVERSIONS[conversion](shown)
    try:
        return Literal(format(shown, spec))
    except (ValueError, TypeError, OverflowError, MemoryError):
        return Unknown("a formatted value that is not literal")


def _binary(machine: Machine, node: tree.Binary, scope: Scope) -> Value:
    spine = [node]
    while isinstance(spine[-1].left, tree.Binary):
        spine.append(spine[-1].left)
    left = evaluate(machine, spine[-1].left, scope)
    for item in reversed(spine):
        right = evaluate(machine, item.right, scope)
        left = operators.binary(machine, item.operator, left, right, (scope.path, item.at))
    return left


def _unary(machine: Machine, node: tree.Unary, scope: Scope) -> Value:
    value = evaluate(machine, node.operand, scope)
    if node.operator == "not":
        known = truth(value)
        return Unknown("a test that is not known") if known is None else Literal(not known)
    if isinstance(value, Literal) and isinstance(value.value, (int, float, complex)):
        signs: dict[str, Callable[[Any], Any]] = {
            "-": operator.neg, "+": operator.pos, "~": operator.invert,
        }  # fmt: skip
        try:
            return Literal(signs[node.operator](value.value))
        except TypeError:
            pass
    return Unknown("an operation on a value that is not literal")


def _boolean(machine: Machine, node: tree.Boolean, scope: Scope) -> Value:
    stops = node.operator == "or"
    found: list[Value] = []
    for index, part in enumerate(node.values):
        if found:
            with machine.doubtful():
                value = evaluate(machine, part, scope)
        else:
            value = evaluate(machine, part, scope)
        known = truth(value)
        if index == len(node.values) - 1 or known is stops:
            found.append(value)
            break
        if known is None:
            found.append(value)
    return join(found)


def _compare(machine: Machine, node: tree.Compare, scope: Scope) -> Value:
    left = evaluate(machine, node.left, scope)
    rights = [evaluate(machine, right, scope) for right in node.rights]
    results = []
    for sign, right in zip(node.operators, rights, strict=True):
        results.append(operators.relation(sign, left, right))
        left = right
    if any(result is None for result in results):
        return Unknown("a comparison that is not known")
    return Literal(all(results))


def _conditional(machine: Machine, node: tree.Conditional, scope: Scope) -> Value:
    known = truth(evaluate(machine, node.test, scope))
    if known is not None:
        return evaluate(machine, node.then if known else node.otherwise, scope)
    with machine.doubtful():
        return join([evaluate(machine, part, scope) for part in (node.then, node.otherwise)])


def _walrus(machine: Machine, node: tree.Walrus, scope: Scope) -> Value:
    value = evaluate(machine, node.value, scope)
    statements.assign(machine, node.target, value, scope)
    return value


def _lambda(machine: Machine, node: tree.Lambda, scope: Scope) -> Value:
    return Function(node, scope, _defaults(machine, node.parameters, scope))


def _defaults(
    machine: Machine, parameters: tuple[tree.Parameter, ...], scope: Scope
) -> dict[str, Value]:
    return {
        parameter.name: evaluate(machine, parameter.default, scope)
        for parameter in parameters
        if parameter.default is not None
    }


defaults = _defaults


def _opaque(machine: Machine, node: tree.Opaque, scope: Scope) -> Value:
    inner = [evaluate(machine, part, scope) for part in node.inner]
    if node.what.startswith("yield"):
        home = scope
        home.yields = home.yields or Items("list", [], doubt=home.doubt)
        if node.what == "yield":
            value = inner[0] if inner else Literal(None)
            optional = machine.doubt > home.yields.doubt
            home.yields.items.append(join([value, UNBOUND]) if optional else value)
        else:
            calls.extend(machine, home.yields, inner[0])
    return Unknown("an expression that is not understood")


def _starred(machine: Machine, node: tree.Starred, scope: Scope) -> Value:
    return evaluate(machine, node.value, scope)


def _formatted(machine: Machine, node: tree.Formatted, scope: Scope) -> Value:
    return _part(machine, node, scope)


def _comprehension(machine: Machine, node: tree.Comprehension, scope: Scope) -> Value:
    inner = Scope(scope.path, scope.module, "function", scope, doubt=machine.doubt)
    complete = True
    table = Table({}, doubt=machine.doubt)
    found: list[Value] = []
    for known in _rounds(machine, node.generators, inner):
        complete &= known
        with machine.doubtful(0 if known else 1):
            element = evaluate(machine, node.element, inner)
            if node.kind == "dict" and node.key is not None:
                key = evaluate(machine, node.key, inner)
                items.store_item(machine, table, key, element, scope, node.key.at)
            else:
                found.append(element if known else join([element, UNBOUND]))
    if node.kind == "dict":
        table.open |= not complete
        return table
    kind = "set" if node.kind == "set" else "list"
    return Items(kind, found, not complete, machine.doubt)


def _rounds(
    machine: Machine, generators: tuple[tree.Generator, ...], scope: Scope, depth: int = 0
) -> Iterator[bool]:
    """Bind the targets once per round of a comprehension; False where the round may not happen."""
    if depth == len(generators):
        yield True
        return
    generator = generators[depth]
    members, complete = iterate(machine, evaluate(machine, generator.iterable, scope))
    if not complete:
        members = [*members, Unknown("an element that is not known")]
    for member in members:
        machine.step()
        certain = complete and not (isinstance(member, Choice) and UNBOUND in member.options)
        statements.assign(machine, generator.target, member, scope)
        tests = [truth(evaluate(machine, test, scope)) for test in generator.conditions]
        if any(test is False for test in tests):
            continue
        certain &= all(test is True for test in tests)
        for known in _rounds(machine, generators, scope, depth + 1):
            yield known and certain


def iterate(machine: Machine, value: Value) -> tuple[list[Value], bool]:
    """The members of an iterable, and whether these are all of them."""
    if isinstance(value, Items):
        return list(value.items)[:MAX_ITEMS], not value.open and len(value.items) <= MAX_ITEMS
    if isinstance(value, Table):
        keys = items.keys(value)
        return keys, not value.open and not (value.scope is not None and value.scope.unread)
    if isinstance(value, Literal):
        if isinstance(value.value, (str, bytes, range)):
            members = [literal(item) for item in value.value[:MAX_ITEMS]]
            return members, len(value.value) <= MAX_ITEMS
        return [], not isinstance(value.value, PurePosixPath)
    if isinstance(value, Choice):
        found: list[Value] = []
        for option in value.options:
            members, _ = iterate(machine, option)
            found.extend(join([member, UNBOUND]) for member in members)
        return found[:MAX_ITEMS], False
    if isinstance(value, Class) and attributes.is_enum(value):
        return attributes.members(value), True
    if isinstance(value, Native) and isinstance(value.value, (list, tuple)):
        found = [literal(item) for item in value.value[:MAX_ITEMS]]
        return found, not value.name.startswith("sys.")
    return [], False


_EXPRESSIONS: dict[type, Callable[[Machine, Any, Scope], Value]] = {
    tree.Const: _const,
    tree.Name: _name,
    tree.Attribute: _attribute,
    tree.Subscript: _subscript,
    tree.Slice: _slice,
    tree.Call: _call,
    tree.Display: _display,
    tree.Starred: _starred,
    tree.Mapping: _mapping,
    tree.Formatted: _formatted,
    tree.Joined: _joined,
    tree.Binary: _binary,
    tree.Unary: _unary,
    tree.Boolean: _boolean,
    tree.Compare: _compare,
    tree.Conditional: _conditional,
    tree.Walrus: _walrus,
    tree.Comprehension: _comprehension,
    tree.Lambda: _lambda,
    tree.Opaque: _opaque,
}
