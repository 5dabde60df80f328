"""Attributes and items: ``value.name`` and ``value[index]``, read and written."""

from __future__ import annotations

import types
from pathlib import PurePosixPath

from hubpub.source import tree
from hubpub.source.interpret import calls, filesystem, searchpath, standard
from hubpub.source.interpret.machine import Machine
from hubpub.source.interpret.scopes import Binding, Scope
from hubpub.source.interpret.values import (
    NONE,
    UNBOUND,
    Absent,
    Bound,
    Choice,
    Class,
    External,
    Function,
    Instance,
    Items,
    Literal,
    Method,
    Module,
    Native,
    Partial,
    Table,
    Unknown,
    Value,
    join,
    literal,
    options,
)


def get(machine: Machine, value: Value, name: str, scope: Scope, at: tree.At) -> Value:
    """``value.name``."""
    if not isinstance(value, Choice):
        return _get(machine, value, name, scope, at)
    return join(_get(machine, option, name, scope, at) for option in options(value))


def _get(machine: Machine, value: Value, name: str, scope: Scope, at: tree.At) -> Value:
    if isinstance(value, Module):
        return module_attribute(machine, value, name, scope, at)
    if isinstance(value, External):
        return External(f"{value.name}.{name}", value.called)
    if isinstance(value, Native):
        return _native(machine, value, name)
    if isinstance(value, Instance):
        return _instance(machine, value, name)
    if isinstance(value, Class):
        return _class_attribute(value, name)
    if isinstance(value, Function):
        return _function_attribute(value, name)
    if isinstance(value, Literal) and isinstance(value.value, PurePosixPath):
        return filesystem.path_attribute(value, name)
    if isinstance(value, (Literal, Items, Table)):
        return Method(value, name)
    if isinstance(value, Partial) and name in {"func", "__wrapped__"}:
        return value.function
    return Unknown(f"attribute {name} of a value that is not known")


def _native(machine: Machine, value: Native, name: str) -> Value:
    dotted = f"{value.name}.{name}"
    if value.name == "sys" and name in {"path", "modules"}:
        return Native(dotted, None)
    if value.name == "sys.path":
        return Native(dotted, len)
    if isinstance(value.value, types.ModuleType):
        return standard.attribute(value, name)
    del machine
    found = getattr(value.value, name, None) if isinstance(value.value, type) else None
    if isinstance(value.value, tuple):
        found = getattr(value.value, name, None)
        return literal(found) if isinstance(found, (int, str)) else Method(value, name)
    return Native(dotted, found) if found is not None else Method(value, name)


def module_attribute(
    machine: Machine, module: Module, name: str, scope: Scope, at: tree.At
) -> Value:
    """An attribute of a module of the repository, submodules that were imported included."""
    found = module.scope.names.get(name, UNBOUND)
    if not isinstance(found, Absent):
        if isinstance(found, Choice):
            bound = [option for option in found.options if option is not UNBOUND]
            return join(bound) if machine.doubt == 0 and not bound else found
        return found
    if name in {"__name__", "__file__", "__path__", "__doc__"}:
        return Unknown(f"{name} of a module")
    if name == "__dict__":
        return Table({}, scope=module.scope)
    submodule = machine.modules.get(f"{module.name}.{name}")
    if submodule is not None:
        return submodule
    for star in reversed(module.scope.stars):
        return External(f"{star.name}.{name}")
    del scope, at
    return Unknown(f"{module.name} has no {name}")


def find_method(owner: Class | External | Native, name: str, depth: int = 0) -> Value:
    """``name`` in a class or its bases, in a plain left-to-right search."""
    if not isinstance(owner, Class):
        return UNBOUND
    if name in owner.names:
        return owner.names[name]
    if depth < 20:
        for base in owner.bases:
            for option in options(base):
                if isinstance(option, Class):
                    found = find_method(option, name, depth + 1)
                    if not isinstance(found, Absent):
                        return found
    return UNBOUND


def outside_bases(owner: Class, depth: int = 0) -> list[Value]:
    """The bases of a class, direct or not, that are not classes of the repository."""
    found: list[Value] = []
    for base in owner.bases:
        for option in options(base):
            if isinstance(option, Class):
                found.extend(outside_bases(option, depth + 1) if depth < 20 else [])
            else:
                found.append(option)
    return found


def _instance(machine: Machine, value: Instance, name: str) -> Value:
    if name in value.attributes:
        return value.attributes[name]
    if name == "__class__":
        return value.type
    if isinstance(value.type, External):
        return External(f"{value.type.name}.{name}", called=True)
    found = find_method(value.type, name)
    if isinstance(found, Function):
        if found.kind == "static":
            return found
        if found.kind == "property":
            return calls.call_function(machine, found, calls.Given(), value)
        return Bound(found, value.type if found.kind == "class" else value)
    if not isinstance(found, Absent):
        return found
    return _inherited(value.type, name)


def _inherited(owner: Class | Native, name: str) -> Value:
    """An attribute that an instance has of a class outside the repository."""
    bases = outside_bases(owner) if isinstance(owner, Class) else [owner]
    for base in bases:
        if isinstance(base, External):
            return External(f"{base.name}.{name}", called=True)
        found = getattr(base.value, name, None) if isinstance(base, Native) else None
        if isinstance(base, Native) and isinstance(base.value, type) and callable(found):
            return Native(f"{base.name}.{name}", found)
    return Unknown(f"attribute {name} of an instance")


def _class_attribute(value: Class, name: str) -> Value:
    if name == "__name__":
        return Literal(value.node.name)
    found = find_method(value, name)
    if isinstance(found, Function) and found.kind == "class":
        return Bound(found, value)
    if not isinstance(found, Absent):
        return member(value, name, found)
    if name == "__members__":
        members = {
            key: member(value, key, one)
            for key, one in value.names.items()
            if not key.startswith("_") and not isinstance(one, (Function, Class))
        }
        return Table(members)
    outside = outside_bases(value)
    for base in outside:
        if isinstance(base, External):
            return External(f"{base.name}.{name}", called=True)
    return Unknown(f"attribute {name} of a class")


def is_enum(value: Class) -> bool:
    """Whether a class is an enumeration of the standard library."""
    return any(
        isinstance(base, Native) and base.name.partition(".")[0] == "enum"
        for base in outside_bases(value)
    )


def member(owner: Class, name: str, value: Value) -> Value:
    """A name of a class as its users see it: a member, if the class is an enumeration."""
    if is_enum(owner) and not isinstance(value, (Function, Class)) and not name.startswith("_"):
        return Instance(owner, {"value": value, "name": Literal(name)})
    return value


def members(value: Class) -> list[Value]:
    """The members of an enumeration, in order."""
    return [
        member(value, name, one)
        for name, one in value.names.items()
        if not name.startswith("_") and not isinstance(one, (Function, Class, Bound))
    ]


def _function_attribute(value: Function, name: str) -> Value:
    if name in value.attributes:
        return value.attributes[name]
    if name in {"__name__", "__qualname__"}:
        return Literal(value.name)
    if name == "__module__":
        return Literal(value.scope.root.module)
    if name == "__wrapped__" and value.wrapped is not None:
        return value.wrapped
    if name == "__doc__":
        doc = value.node.docstring if isinstance(value.node, tree.Function) else None
        return value.shown if value.shown is not None else Literal(doc)
    return Unknown(f"attribute {name} of a function")


def set_attribute(
    machine: Machine, value: Value, name: str, given: Value, scope: Scope, at: tree.At
) -> None:
    """``value.name = given``."""
    for option in options(value):
        doubtful = isinstance(value, Choice)
        with machine.doubtful(1 if doubtful else 0):
            _set(machine, option, name, given, scope, at)


def _set(
    machine: Machine, value: Value, name: str, given: Value, scope: Scope, at: tree.At
) -> None:
    if isinstance(value, Module):
        value.scope.bind(name, given, Binding(scope.path, at), machine.doubt)
    elif isinstance(value, Instance):
        old = value.attributes.get(name, UNBOUND)
        value.attributes[name] = join([old, given]) if machine.doubt > value.doubt else given
    elif isinstance(value, Class):
        if name == "__doc__":
            value.shown = given
        value.names[name] = given
    elif isinstance(value, Function):
        if name == "__doc__":
            value.shown = given
        value.attributes[name] = given
    elif isinstance(value, Partial) and name == "__doc__":
        value.shown = given
    elif isinstance(value, Native) and value.name == "sys" and name == "path":
        searchpath.replace(machine, given, scope, at)


def is_type(value: Value) -> bool:
    """Whether ``value`` can stand in ``X | Y`` as a type."""
    if isinstance(value, Native):
        return isinstance(value.value, type)
    return isinstance(value, (Class, External)) or value == NONE
