"""Builtins that ask about values: ``globals()``, ``getattr``, ``isinstance`` and their like."""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Any

from hubpub.source import tree
from hubpub.source.interpret import attributes, calls
from hubpub.source.interpret.machine import Machine
from hubpub.source.interpret.scopes import Scope
from hubpub.source.interpret.values import (
    NONE,
    Choice,
    Class,
    Function,
    Instance,
    Items,
    Literal,
    Module,
    Native,
    Table,
    Unknown,
    Value,
    join,
    options,
    string,
)

if TYPE_CHECKING:
    from hubpub.source.interpret.calls import Given
from hubpub.source.interpret import items, models


def _globals(machine: Machine, given: Given, scope: Scope, at: tree.At) -> Value:
    del machine, given, at
    return Table({}, scope=scope.root)


def _vars(machine: Machine, given: Given, scope: Scope, at: tree.At) -> Value:
    if not given.positional:
        return Table({}, scope=scope)
    value = given.positional[0]
    if isinstance(value, Module):
        return Table({}, scope=value.scope)
    if isinstance(value, (Instance, Class)):
        return Table(value.attributes if isinstance(value, Instance) else value.names)
    del machine, at
    return Unknown("vars() of a value that is not known")


def _dir(machine: Machine, given: Given, scope: Scope, at: tree.At) -> Value:
    found = _vars(machine, given, scope, at)
    if isinstance(found, Table):
        names = sorted(items.keys(found), key=lambda key: string(key) or "")
        unread = found.scope is not None and found.scope.unread
        return Items("list", names, unread, machine.doubt)
    return Items("list", [], True, machine.doubt)


def _getattr(machine: Machine, given: Given, scope: Scope, at: tree.At) -> Value:
    if len(given.positional) < 2:
        return Unknown("getattr() of nothing")
    owner, name = given.positional[:2]
    default = given.positional[2] if len(given.positional) > 2 else None
    found = []
    for option in options(name):
        text = string(option)
        if text is None:
            found.append(_any_attribute(owner))
            continue
        has = _has(owner, text)
        if has is False and default is not None:
            found.append(default)
        else:
            found.append(attributes.get(machine, owner, text, scope, at))
            if has is None and default is not None:
                found.append(default)
    return join(found)


def _any_attribute(owner: Value) -> Value:
    del owner
    return Unknown("an attribute whose name is not literal")


def _has(owner: Value, name: str) -> bool | None:
    if isinstance(owner, Module):
        if name in owner.scope.names:
            return None if isinstance(owner.scope.names[name], Choice) else True
        return None if owner.scope.unread or owner.scope.stars else False
    if isinstance(owner, Native) and isinstance(owner.value, types.ModuleType):
        return hasattr(owner.value, name)
    if isinstance(owner, Instance) and name in owner.attributes:
        return True
    if isinstance(owner, (Function, Class)):
        store = owner.attributes if isinstance(owner, Function) else owner.names
        return True if name in store or name in {"__name__", "__doc__", "__module__"} else None
    if isinstance(owner, (Items, Table)):
        return hasattr(list if isinstance(owner, Items) else dict, name)
    return None


def _hasattr(machine: Machine, given: Given, scope: Scope, at: tree.At) -> Value:
    del machine, scope, at
    name = string(given.positional[1]) if len(given.positional) == 2 else None
    known = None if name is None else _has(given.positional[0], name)
    return Unknown("hasattr() of a value that is not known") if known is None else Literal(known)


def _setattr(machine: Machine, given: Given, scope: Scope, at: tree.At) -> Value:
    if len(given.positional) == 3:
        owner, name, value = given.positional
        for option in options(name):
            text = string(option)
            if text is not None:
                attributes.set_attribute(machine, owner, text, value, scope, at)
            elif isinstance(owner, Module):
                machine.unread(owner.scope, "an attribute whose name is not literal", scope, at)
    return NONE


def _isinstance(machine: Machine, given: Given, scope: Scope, at: tree.At) -> Value:
    del machine, scope, at
    if len(given.positional) != 2:
        return Unknown("isinstance() of nothing")
    value, kinds = given.positional
    types_ = kinds.items if isinstance(kinds, Items) else [kinds]
    real = [
        kind.value for kind in types_ if isinstance(kind, Native) and isinstance(kind.value, type)
    ]
    if len(real) != len(types_):
        if isinstance(value, Instance) and any(kind is value.type for kind in types_):
            return Literal(True)
        return Unknown("isinstance() of a class that is not known")
    sample: Any = None
    if isinstance(value, Literal):
        return Literal(isinstance(value.value, tuple(real)))
    if isinstance(value, (Items, Table)):
        sample = (
            {"list": [], "tuple": (), "set": set(), "frozenset": frozenset()}[value.kind]
            if isinstance(value, Items)
            else {}
        )
        return Literal(isinstance(sample, tuple(real)))
    if isinstance(value, (Function, Class, Module)):
        sample = {Function: _isinstance, Class: Class, Module: types}[type(value)]
        return Literal(isinstance(sample, tuple(real)))
    return Unknown("isinstance() of a value that is not known")


def _callable(machine: Machine, given: Given, scope: Scope, at: tree.At) -> Value:
    from hubpub.source.interpret import callables

    del machine, scope, at
    known = callables.certainty(given.positional[0]) if given.positional else None
    if known is None or known.callable is None:
        return Unknown("callable() of a value that is not known")
    return Literal(known.callable)


def _members(machine: Machine, given: Given, scope: Scope, at: tree.At) -> Value:
    """``inspect.getmembers(module, predicate)``."""
    found = _vars(machine, calls.Given(given.positional[:1]), scope, at)
    if not isinstance(found, Table):
        return Items("list", [], True, machine.doubt)
    predicate = given.get(1, "predicate")
    kinds: dict[str, tuple[type, ...]] = {
        "inspect.isfunction": (Function,), "inspect.isclass": (Class,),
        "inspect.ismodule": (Module,),
    }  # fmt: skip
    wanted = kinds.get(predicate.name) if isinstance(predicate, Native) else None
    rows: list[Value] = [
        Items("tuple", [Literal(name), value])
        for name, value in sorted(items.contents(found).items())
        if wanted is None or isinstance(value, wanted)
    ]
    return Items("list", rows, predicate is not None and wanted is None, machine.doubt)


def _type(machine: Machine, given: Given, scope: Scope, at: tree.At) -> Value:
    del machine, scope, at
    if len(given.positional) == 3:
        return Native("builtins.type()", object)
    value = given.positional[0] if given.positional else NONE
    return value.type if isinstance(value, Instance) else Unknown("the type of a value")


def _super(machine: Machine, given: Given, scope: Scope, at: tree.At) -> Value:
    del machine, given, at
    owner = scope.find("__class__")
    receiver = next(iter(scope.names.values()), NONE)
    if isinstance(owner, Class) and isinstance(receiver, Instance):
        above = Class(owner.node, owner.scope, owner.bases, {})
        return Instance(above, receiver.attributes, receiver.doubt)
    return Unknown("super()")


def _namespace(machine: Machine, given: Given, scope: Scope, at: tree.At) -> Value:
    del scope, at
    owner = Native("types.SimpleNamespace", types.SimpleNamespace)
    return Instance(owner, dict(given.keywords), machine.doubt)


REFLECTION: dict[str, models.Model] = {
    "builtins.globals": _globals,
    "builtins.locals": _vars,
    "builtins.vars": _vars,
    "builtins.dir": _dir,
    "builtins.getattr": _getattr,
    "builtins.hasattr": _hasattr,
    "builtins.setattr": _setattr,
    "builtins.isinstance": _isinstance,
    "builtins.callable": _callable,
    "builtins.type": _type,
    "builtins.super": _super,
    "inspect.getmembers": _members,
    "types.SimpleNamespace": _namespace,
}
