"""Expressions; see :mod:`hubpub.source.tree`."""

from __future__ import annotations

from dataclasses import dataclass
from types import EllipsisType
from typing import TypeAlias

At: TypeAlias = tuple[int, int, int, int]
Constant: TypeAlias = str | bytes | int | float | complex | bool | EllipsisType | None

MAX_DEPTH = 60
"""Expressions or blocks nested deeper than this are opaque: no hubconf written by a person is."""


@dataclass(frozen=True, slots=True)
class Const:
    """A literal: string, bytes, number, True, False, None or Ellipsis."""

    at: At
    value: Constant


@dataclass(frozen=True, slots=True)
class Name:
    """A name, read or bound."""

    at: At
    id: str


@dataclass(frozen=True, slots=True)
class Attribute:
    """``value.name``."""

    at: At
    value: Expr
    name: str


@dataclass(frozen=True, slots=True)
class Subscript:
    """``value[index]``."""

    at: At
    value: Expr
    index: Expr


@dataclass(frozen=True, slots=True)
class Slice:
    """``lower:upper:step`` inside a subscript."""

    at: At
    lower: Expr | None
    upper: Expr | None
    step: Expr | None


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a call: ``star`` is ``""``, ``"*"`` or ``"**"``."""

    name: str | None
    star: str
    value: Expr


@dataclass(frozen=True, slots=True)
class Call:
    """``function(arguments)``."""

    at: At
    function: Expr
    arguments: tuple[Argument, ...]


@dataclass(frozen=True, slots=True)
class Display:
    """A list, tuple or set display; ``kind`` is ``list``, ``tuple`` or ``set``."""

    at: At
    kind: str
    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Starred:
    """``*value`` in a display or a target."""

    at: At
    value: Expr


@dataclass(frozen=True, slots=True)
class Mapping:
    """A dict display; a ``**value`` item has the key None."""

    at: At
    items: tuple[tuple[Expr | None, Expr], ...]


@dataclass(frozen=True, slots=True)
class Formatted:
    """``{value!conversion:spec}`` of an f-string."""

    at: At
    value: Expr
    conversion: str
    spec: Expr | None


@dataclass(frozen=True, slots=True)
class Joined:
    """An f-string: constants and :class:`Formatted` values."""

    at: At
    parts: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Binary:
    """``left operator right``; the operator as it is written."""

    at: At
    operator: str
    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True)
class Unary:
    """``operator operand``: ``not``, ``-``, ``+`` or ``~``."""

    at: At
    operator: str
    operand: Expr


@dataclass(frozen=True, slots=True)
class Boolean:
    """``a and b and c`` or ``a or b``."""

    at: At
    operator: str
    values: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Compare:
    """``left operator right operator right``."""

    at: At
    left: Expr
    operators: tuple[str, ...]
    rights: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Conditional:
    """``then if test else otherwise``."""

    at: At
    test: Expr
    then: Expr
    otherwise: Expr


@dataclass(frozen=True, slots=True)
class Walrus:
    """``target := value``."""

    at: At
    target: Expr
    value: Expr


@dataclass(frozen=True, slots=True)
class Generator:
    """``for target in iterable if condition`` of a comprehension."""

    target: Expr
    iterable: Expr
    conditions: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Comprehension:
    """``kind`` is ``list``, ``set``, ``dict`` or ``generator``; ``key`` stands for dicts only."""

    at: At
    kind: str
    key: Expr | None
    element: Expr
    generators: tuple[Generator, ...]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter; ``kind`` is one of ``positional-only``, ``plain``, ``*``, ``keyword``, ``**``.

    ``at`` is the extent of the name alone.
    """

    at: At
    name: str
    kind: str
    default: Expr | None


@dataclass(frozen=True, slots=True)
class Lambda:
    """``lambda parameters: body``."""

    at: At
    parameters: tuple[Parameter, ...]
    body: Expr


@dataclass(frozen=True, slots=True)
class Opaque:
    """Anything else: ``what`` is ``yield``, ``yield from``, ``await`` or empty.

    ``inner`` holds the expressions inside, ``binds`` the names that it binds.
    """

    at: At
    inner: tuple[Expr, ...] = ()
    binds: tuple[str, ...] = ()
    what: str = ""


Expr: TypeAlias = (
    Const
    | Name
    | Attribute
    | Subscript
    | Slice
    | Call
    | Display
    | Starred
    | Mapping
    | Formatted
    | Joined
    | Binary
    | Unary
    | Boolean
    | Compare
    | Conditional
    | Walrus
    | Comprehension
    | Lambda
    | Opaque
)
