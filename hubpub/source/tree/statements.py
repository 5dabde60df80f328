"""Statements; see :mod:`hubpub.source.tree`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from hubpub.source.tree.expressions import Argument, At, Expr, Opaque, Parameter


class Block:
    """The statements of a body, lowered when they are first asked for.

    Most functions of most modules are never looked into, and lowering costs more than parsing.
    """

    __slots__ = ("_lower", "_statements")

    def __init__(
        self,
        statements: tuple[Stmt, ...] = (),
        lower: Callable[[], tuple[Stmt, ...]] | None = None,
    ) -> None:
        self._statements = statements
        self._lower = lower

    @property
    def statements(self) -> tuple[Stmt, ...]:
        """The statements, in order."""
        if self._lower is not None:
            self._statements = self._lower()
            self._lower = None
        return self._statements

    def __iter__(self) -> Iterator[Stmt]:
        return iter(self.statements)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Block) and self.statements == other.statements

    def __hash__(self) -> int:
        return hash(self.statements)

    def __repr__(self) -> str:
        return f"Block({self.statements!r})"


@dataclass(frozen=True, slots=True)
class Import:
    """One name of ``import module as name``; ``name`` None where there is no ``as``."""

    at: At
    module: str
    name: str | None


@dataclass(frozen=True, slots=True)
class Alias:
    """One name of a from-import; ``at`` covers ``name as asname``."""

    at: At
    name: str
    asname: str | None


@dataclass(frozen=True, slots=True)
class ImportFrom:
    """``from ..module import names``; a star import has no names."""

    at: At
    module: str
    level: int
    names: tuple[Alias, ...]


@dataclass(frozen=True, slots=True)
class Assign:
    """``target = target = value``; an annotation without a value has ``value`` None."""

    at: At
    targets: tuple[Expr, ...]
    value: Expr | None
    annotation: Expr | None = None


@dataclass(frozen=True, slots=True)
class Augment:
    """``target operator= value``; the operator without the ``=``."""

    at: At
    target: Expr
    operator: str
    value: Expr


@dataclass(frozen=True, slots=True)
class Delete:
    """``del targets``."""

    at: At
    targets: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Evaluate:
    """An expression as a statement."""

    at: At
    value: Expr


@dataclass(frozen=True, slots=True)
class Function:
    """``def name(parameters)``; ``at`` is the extent of the name, ``first`` the line of ``def``."""

    at: At
    first: int
    name: str
    parameters: tuple[Parameter, ...]
    decorators: tuple[Expr, ...]
    docstring: str | None
    is_async: bool
    body: Block


@dataclass(frozen=True, slots=True)
class Class:
    """``class name(bases)``; ``at`` is the extent of the name, ``first`` the line of ``class``."""

    at: At
    first: int
    name: str
    arguments: tuple[Argument, ...]
    decorators: tuple[Expr, ...]
    docstring: str | None
    body: Block


@dataclass(frozen=True, slots=True)
class If:
    """``if``/``elif`` branches, each a test and a body, then ``else``."""

    at: At
    branches: tuple[tuple[Expr, Block], ...]
    otherwise: Block


@dataclass(frozen=True, slots=True)
class For:
    """``for target in iterable``."""

    at: At
    target: Expr
    iterable: Expr
    body: Block
    otherwise: Block


@dataclass(frozen=True, slots=True)
class While:
    """``while test``."""

    at: At
    test: Expr
    body: Block
    otherwise: Block


@dataclass(frozen=True, slots=True)
class Handler:
    """``except exception as name``; a bare ``except`` has no exception."""

    exception: Expr | None
    name: str | None
    body: Block


@dataclass(frozen=True, slots=True)
class Try:
    """``try`` (or ``except*``) with its handlers, ``else`` and ``finally``."""

    at: At
    body: Block
    handlers: tuple[Handler, ...]
    otherwise: Block
    final: Block


@dataclass(frozen=True, slots=True)
class With:
    """``with value as target``; an item without ``as`` has the target None."""

    at: At
    items: tuple[tuple[Expr, Expr | None], ...]
    body: Block


@dataclass(frozen=True, slots=True)
class Match:
    """``match subject``; a case is the names that it binds, its guard and its body."""

    at: At
    subject: Expr
    cases: tuple[tuple[tuple[str, ...], Expr | None, Block], ...]


@dataclass(frozen=True, slots=True)
class Return:
    """``return value``."""

    at: At
    value: Expr | None


@dataclass(frozen=True, slots=True)
class Raise:
    """``raise value``."""

    at: At
    value: Expr | None


@dataclass(frozen=True, slots=True)
class Assert:
    """``assert test``."""

    at: At
    test: Expr


@dataclass(frozen=True, slots=True)
class Scoping:
    """``global names`` or ``nonlocal names``."""

    at: At
    kind: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Jump:
    """``pass``, ``break`` or ``continue``."""

    at: At
    kind: str


Stmt: TypeAlias = (
    Import
    | ImportFrom
    | Assign
    | Augment
    | Delete
    | Evaluate
    | Function
    | Class
    | If
    | For
    | While
    | Try
    | With
    | Match
    | Return
    | Raise
    | Assert
    | Scoping
    | Jump
    | Opaque
)
