"""What a name may be bound to, as far as it can be known without running anything."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, TypeAlias

from hubpub.source import tree

if TYPE_CHECKING:
    from hubpub.source.interpret.scopes import Scope


@dataclass(frozen=True, slots=True)
class Literal:
    """A value that is fully known: a constant or a path. ``place`` is where a string is written."""

    value: Any
    place: tuple[str, tree.At] | None = field(default=None, compare=False)


@dataclass(eq=False, slots=True)
class Items:
    """A list, tuple, set or frozenset. ``open``: it may hold more than is known.

    ``doubt`` is the machine's when it was made; see :class:`~.machine.Machine`.
    """

    kind: str
    items: list[Value]
    open: bool = False
    doubt: int = 0


@dataclass(eq=False, slots=True)
class Table:
    """A dict. A ``scope`` makes it a view of the names of a module (``globals()``)."""

    items: dict[Any, Value]
    open: bool = False
    doubt: int = 0
    scope: Scope | None = None


@dataclass(eq=False, slots=True)
class Function:
    """A function or lambda of the repository, with the scope that it closes over.

    ``shown`` replaces its docstring where ``functools.wraps`` or ``__doc__ = ...`` did.
    """

    node: tree.Function | tree.Lambda
    scope: Scope
    defaults: dict[str, Value] = field(default_factory=dict)
    shown: Value | None = None
    wrapped: Value | None = None
    owner: Class | None = None
    kind: str = "function"
    attributes: dict[str, Value] = field(default_factory=dict)
    decorated: bool = False

    @property
    def name(self) -> str:
        """Its name in the source."""
        return self.node.name if isinstance(self.node, tree.Function) else "<lambda>"


@dataclass(eq=False, slots=True)
class Class:
    """A class of the repository. ``fields``: annotations make its constructor (dataclass)."""

    node: tree.Class
    scope: Scope
    bases: tuple[Value, ...]
    names: dict[str, Value]
    shown: Value | None = None
    decorated: bool = False
    fields: bool = False


@dataclass(eq=False, slots=True)
class Instance:
    """An object made by calling a class: one of the repository, or one from outside."""

    type: Class | External | Native
    attributes: dict[str, Value] = field(default_factory=dict)
    doubt: int = 0
    arguments: tuple[Value, ...] = ()


@dataclass(eq=False, slots=True)
class Module:
    """A module or package of the repository."""

    name: str
    path: str
    scope: Scope


@dataclass(frozen=True, slots=True)
class External:
    """Something of a third party (or of torch), by its dotted name; ``called`` its result."""

    name: str
    called: bool = False

    @property
    def package(self) -> str:
        """The top-level module."""
        return self.name.partition(".")[0]


@dataclass(eq=False, slots=True)
class Native:
    """A real object of the standard library, by its dotted name. It is looked at, never called."""

    name: str
    value: Any


@dataclass(eq=False, slots=True)
class Partial:
    """``functools.partial(function, ...)``."""

    function: Value
    arguments: tuple[Value, ...]
    keywords: dict[str, Value]
    at: tree.At
    path: str
    shown: Value | None = None


@dataclass(eq=False, slots=True)
class Bound:
    """A method with its object."""

    function: Function
    receiver: Value


@dataclass(eq=False, slots=True)
class Method:
    """A method of a value that is no object of the repository: ``[].append``, ``"".join``."""

    receiver: Value
    name: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several values; :data:`UNBOUND` among them says that there may be none."""

    options: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Unknown:
    """Anything at all. ``default`` is what a parameter has when the caller does not give it."""

    reason: str
    default: Value | None = None


@dataclass(frozen=True, slots=True)
class Absent:
    """No value: the name is not bound."""


Value: TypeAlias = (
    Literal
    | Items
    | Table
    | Function
    | Class
    | Instance
    | Module
    | External
    | Native
    | Partial
    | Bound
    | Method
    | Choice
    | Unknown
    | Absent
)
UNBOUND = Absent()
NONE = Literal(None)

MAX_RANGE = 10_000
"""A longer range is never gone through."""
MAX_OPTIONS = 128
"""A choice of more literals than this is unknown."""
MAX_OBJECTS = 24
"""A choice of more values than this, of which some are no literals, is unknown."""


def options(value: Value) -> tuple[Value, ...]:
    """What ``value`` may be: itself, or the members of a choice."""
    return value.options if isinstance(value, Choice) else (value,)


def join(values: Iterable[Value]) -> Value:
    """One value that may be any of ``values``."""
    found: dict[object, Value] = {}
    literal = True
    for value in values:
        for option in value.options if isinstance(value, Choice) else (value,):
            literal &= isinstance(option, Literal)
            found.setdefault(identity(option), option)
        if len(found) > MAX_OBJECTS and (len(found) > MAX_OPTIONS or not literal):
            return Unknown("too many possibilities")
    if len(found) == 1:
        return next(iter(found.values()))
    return Choice(tuple(found.values())) if found else UNBOUND


def identity(value: Value) -> object:
    """Equal for values that are certainly the same object, equal literals, or equally unknown."""
    if isinstance(value, Literal):
        kind = type(value.value)
        return (kind, repr(value.value) if kind in {slice, float, complex} else value.value)
    if isinstance(value, Function):
        return (id(value.node), id(value.scope))
    if isinstance(value, External):
        return (External, value.name, value.called)
    if isinstance(value, Unknown):
        return (Unknown, id(value.default) if value.default is not None else None)
    return Absent if isinstance(value, Absent) else id(value)


def literal(value: Any) -> Value:
    """A plain Python value as a value of ours, containers included."""
    if isinstance(value, (list, tuple, set, frozenset)):
        members = value if isinstance(value, (list, tuple)) else sorted(value, key=repr)
        return Items(type(value).__name__, [literal(item) for item in members])
    if isinstance(value, dict):
        return Table({key: literal(item) for key, item in value.items()})
    if isinstance(value, (str, bytes, int, float, complex, type(None), type(...), PurePosixPath)):
        return Literal(value)
    return Unknown("a value that is not plain data")


class NotPlain(Exception):  # noqa: N818
    """A value is not fully known plain data."""


def plain(value: Value, depth: int = 0) -> Any:
    """``value`` as a plain Python value; raises :class:`NotPlain` where it is not known."""
    if isinstance(value, Literal):
        if isinstance(value.value, range) and len(value.value) > MAX_RANGE:
            raise NotPlain  # going through it would take too long
        return value.value
    if depth > 20:
        raise NotPlain
    if isinstance(value, Items) and not value.open:
        members = [plain(item, depth + 1) for item in value.items]
        try:
            return {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}[value.kind](
                members
            )
        except TypeError:
            raise NotPlain from None
    if isinstance(value, Table) and not value.open and value.scope is None:
        return {key: plain(item, depth + 1) for key, item in value.items.items()}
    raise NotPlain


def string(value: Value) -> str | None:
    """The text of a known string; None for anything else."""
    return value.value if isinstance(value, Literal) and isinstance(value.value, str) else None


def truth(value: Value) -> bool | None:
    """Whether ``value`` is true; None where that is not known."""
    if isinstance(value, Literal):
        return bool(value.value)
    if isinstance(value, (Items, Table)):
        members = value.items.values() if isinstance(value, Table) else value.items
        if members:
            certain = any(UNBOUND not in options(item) for item in members)
            return True if certain else None
        return None if value.open or (isinstance(value, Table) and value.scope) else False
    if isinstance(value, (Function, Class, Module, Partial, Bound, Method)):
        return True
    if isinstance(value, Choice):
        known = {truth(option) for option in value.options if not isinstance(option, Absent)}
        return known.pop() if len(known) == 1 else None
    if isinstance(value, External):
        # `import x` succeeded, so the module is there and a module is true.
        return True if not value.called and "." not in value.name else None
    if isinstance(value, Native) and isinstance(value.value, (type, type(Native))):
        return True
    return None
