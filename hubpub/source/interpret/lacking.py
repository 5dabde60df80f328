"""Arguments that a call certainly lacks: those that an entrypoint hides behind its ``*args``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hubpub.source import tree
from hubpub.source.interpret import attributes
from hubpub.source.interpret.machine import LackEvent, Machine
from hubpub.source.interpret.scopes import Scope
from hubpub.source.interpret.values import Absent, Bound, Class, Function, Partial, Value

if TYPE_CHECKING:
    from hubpub.source.interpret.calls import Given


def report(machine: Machine, function: Value, given: Given, scope: Scope, node: tree.Call) -> None:
    """Note that the call ``node``, which unpacks names, does not give all that is needed."""
    unpacked = [item.value for item in node.arguments if item.star]
    if machine.importing or machine.doubt or not given.complete or not unpacked:
        return
    if not all(isinstance(item, tree.Name) for item in unpacked):
        return
    name, parameters = _asked(function)
    positional = len(given.positional)
    missing = []
    for parameter in parameters:
        if parameter.kind in {"*", "**"}:
            continue
        if positional and parameter.kind != "keyword":
            positional -= 1
        elif parameter.default is None and parameter.name not in given.keywords:
            missing.append(parameter.name)
    if missing:
        machine.events.append(LackEvent(name, tuple(missing), (scope.path, node.at)))


def _asked(function: Value) -> tuple[str, tuple[tree.Parameter, ...]]:
    """The name of a function or class of the repository, and what it is to be called with."""
    if isinstance(function, Function) and not function.decorated:
        return function.name, function.node.parameters
    if isinstance(function, Bound) and not function.function.decorated:
        method = function.function
        skip = 0 if method.kind == "static" else 1
        owner = method.owner if method.name == "__init__" else None
        return owner.node.name if owner else method.name, method.node.parameters[skip:]
    if isinstance(function, Class) and not function.decorated:
        made = attributes.find_method(function, "__new__")
        init = attributes.find_method(function, "__init__")
        if isinstance(init, Function) and not init.decorated and isinstance(made, Absent):
            return function.node.name, init.node.parameters[1:]
    if isinstance(function, Partial):
        name, parameters = _asked(function.function)
        left = parameters[len(function.arguments) :]
        return name, tuple(item for item in left if item.name not in function.keywords)
    return "", ()
