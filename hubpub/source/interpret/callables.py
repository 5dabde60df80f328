"""Whether a value can be called: what ``torch.hub.list`` asks of every public name."""

from __future__ import annotations

from dataclasses import dataclass

from hubpub.source import tree
from hubpub.source.interpret import attributes, known
from hubpub.source.interpret.values import (
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
    Value,
)


@dataclass(frozen=True, slots=True)
class Callability:
    """``callable`` None where it is not known; ``certain`` whether that answer is.

    ``kind`` is function, class, partial, instance or unknown; ``origin`` is hubconf, repository,
    torch, standard library, third party or unknown.
    """

    callable: bool | None
    certain: bool
    kind: str = "unknown"
    origin: str = "unknown"


NO = Callability(False, True)


def certainty(value: Value) -> Callability:
    """Whether ``value`` can be called."""
    if isinstance(value, Choice):
        return _choice(value)
    if isinstance(value, (Literal, Items, Table, Module, Absent)):
        return NO
    if isinstance(value, Function):
        return Callability(True, not value.decorated, "function", "repository")
    if isinstance(value, Class):
        return Callability(True, not value.decorated, "class", "repository")
    if isinstance(value, Bound):
        return Callability(True, True, "function", "repository")
    if isinstance(value, Partial):
        return Callability(True, True, "partial", "repository")
    if isinstance(value, Native):
        return _native(value)
    if isinstance(value, External):
        return _external(value)
    if isinstance(value, Instance):
        return _instance(value)
    if isinstance(value, Method):
        return Callability(True, False, "function", "standard library")
    return Callability(None, False)


def _choice(value: Choice) -> Callability:
    found = [certainty(option) for option in value.options if option is not UNBOUND]
    yes = [item for item in found if item.callable]
    if not yes:
        unknown = [item for item in found if item.callable is None]
        return unknown[0] if unknown else NO
    certain = all(item.callable and item.certain for item in found) and (
        UNBOUND not in value.options
    )
    best = next((item for item in yes if item.origin == "repository"), yes[0])
    return Callability(True, certain, best.kind, best.origin)


def _native(value: Native) -> Callability:
    if not callable(value.value):
        return NO
    kind = "class" if isinstance(value.value, type) else "function"
    if kind == "function" and type(value.value).__module__ in {"typing", "typing_extensions"}:
        kind = "instance"
    return Callability(True, True, kind, "standard library")


def _external(value: External) -> Callability:
    origin = "torch" if value.package == "torch" else "third party"
    if known.is_module(value) or known.is_value(value):
        return Callability(False, origin == "torch", origin=origin)
    if value.called:
        return Callability(None, False, "unknown", origin)
    last = value.name.rpartition(".")[2]
    kind = "class" if last[:1].isupper() else "function"
    return Callability(True, origin == "torch", kind, origin)


def _instance(value: Instance) -> Callability:
    owner = value.type
    if isinstance(owner, Native):
        # Instances of a class can be called if the class says so; functions' results are typed
        # by a class that stands for them.
        calls = isinstance(owner.value, type) and "__call__" in {
            name for base in owner.value.__mro__ for name in vars(base)
        }
        return Callability(True, True, "instance", "standard library") if calls else NO
    if isinstance(owner, External):
        return _made_outside(owner)
    if not isinstance(attributes.find_method(owner, "__call__"), Absent):
        return Callability(True, True, "instance", "repository")
    answers = []
    for base in attributes.outside_bases(owner):
        if isinstance(base, Native):
            answers.append(_instance(Instance(base)).callable)
        elif isinstance(base, External):
            answers.append(_made_outside(base).callable)
        else:
            answers.append(None)
    if any(answers):
        return Callability(True, True, "instance", "repository")
    if any(answer is None for answer in answers):
        return Callability(None, False, "instance", "repository")
    return NO


def _made_outside(owner: External) -> Callability:
    """The result of calling something outside the repository."""
    origin = "torch" if owner.package == "torch" else "third party"
    if known.makes_value(owner.name):
        return Callability(False, False, "instance", origin)
    parts = owner.name.split(".")
    if owner.name == "torch.hub.load" or parts[:2] == ["torch", "nn"]:
        return Callability(True, owner.name != "torch.hub.load", "instance", origin)
    if "transforms" in parts or "models" in parts or owner.name.startswith("torch.jit"):
        return Callability(True, False, "instance", origin)
    return Callability(None, False, "instance", origin)


def required(value: Value) -> tuple[str, ...] | None:
    """The parameters that a caller must give; None where they are not known."""
    if isinstance(value, (Function, Bound)):
        function = value.function if isinstance(value, Bound) else value
        found = [
            parameter.name
            for parameter in function.node.parameters
            if parameter.kind not in {"*", "**"} and parameter.default is None
        ]
        bound = isinstance(value, Bound) and function.kind != "static"
        return tuple(found[1:] if bound else found)
    if isinstance(value, Class):
        return _class_required(value)
    if isinstance(value, Partial):
        inner = required(value.function)
        if inner is None:
            return None
        return tuple(name for name in inner[len(value.arguments) :] if name not in value.keywords)
    return None


def _class_required(value: Class) -> tuple[str, ...] | None:
    init = attributes.find_method(value, "__init__")
    if isinstance(init, Function):
        return (required(init) or ())[1:]
    if attributes.is_enum(value):
        return ("value",)
    if not has_fields(value):
        return None if attributes.outside_bases(value) else ()
    return tuple(
        target.id
        for node in value.node.body
        if isinstance(node, tree.Assign) and node.annotation is not None and node.value is None
        for target in node.targets
        if isinstance(target, tree.Name)
    )


def has_fields(value: Class) -> bool:
    """Whether annotations make the constructor: a dataclass or a ``typing.NamedTuple``.

    Such a class has a docstring in any case: its signature.
    """
    return value.fields or any(
        isinstance(base, Native) and base.name == "typing.NamedTuple"
        for base in attributes.outside_bases(value)
    )
