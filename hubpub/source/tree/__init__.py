"""A small syntax tree of our own: what the reader understands of Python, and nothing of a parser.

``hubconf.py`` is parsed by libcst (it may be rewritten) and every other module by ``ast`` (it is
only read). Both are lowered into the nodes below, so that everything that judges code is written
once; a property test holds the two lowerings equal.

Every node carries ``at``, its extent as ``(line, column, end_line, end_column)``, 1-based, columns
in characters. A ``def`` or ``class`` carries the extent of its name, any other compound statement
that of nothing but its first character. Expressions inside an f-string carry the extent of the
whole f-string, because Python before 3.12 does not know better. Anything that is not understood is
:class:`Opaque` and keeps the expressions inside it, so that a call or a name never disappears.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

from hubpub.source.tree.expressions import (
    MAX_DEPTH,
    Argument,
    At,
    Attribute,
    Binary,
    Boolean,
    Call,
    Compare,
    Comprehension,
    Conditional,
    Const,
    Constant,
    Display,
    Expr,
    Formatted,
    Generator,
    Joined,
    Lambda,
    Mapping,
    Name,
    Opaque,
    Parameter,
    Slice,
    Starred,
    Subscript,
    Unary,
    Walrus,
)
from hubpub.source.tree.statements import (
    Alias,
    Assert,
    Assign,
    Augment,
    Block,
    Class,
    Delete,
    Evaluate,
    For,
    Function,
    Handler,
    If,
    Import,
    ImportFrom,
    Jump,
    Match,
    Raise,
    Return,
    Scoping,
    Stmt,
    Try,
    While,
    With,
)

__all__ = [
    "MAX_DEPTH",
    "Alias",
    "Argument",
    "Assert",
    "Assign",
    "At",
    "Attribute",
    "Augment",
    "Binary",
    "Block",
    "Boolean",
    "Call",
    "Class",
    "Compare",
    "Comprehension",
    "Conditional",
    "Const",
    "Constant",
    "Delete",
    "Display",
    "Evaluate",
    "Expr",
    "For",
    "Formatted",
    "Function",
    "Generator",
    "Handler",
    "If",
    "Import",
    "ImportFrom",
    "Joined",
    "Jump",
    "Lambda",
    "Mapping",
    "Match",
    "Module",
    "Name",
    "Opaque",
    "Parameter",
    "Raise",
    "Return",
    "Scoping",
    "Slice",
    "Starred",
    "Stmt",
    "Subscript",
    "Try",
    "Unary",
    "Walrus",
    "While",
    "With",
    "walk",
]


@dataclass(frozen=True, slots=True)
class Module:
    """A whole file."""

    body: Block
    docstring: str | None


def walk(node: object) -> Iterator[object]:
    """``node`` and every node below it, bodies of functions included, in source order."""
    stack = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, tuple):
            stack.extend(reversed(current))
        elif isinstance(current, Block):
            stack.extend(reversed(current.statements))
        elif hasattr(current, "__dataclass_fields__"):
            yield current
            for item in reversed(fields(current)):  # type: ignore[arg-type]
                value = getattr(current, item.name)
                if not isinstance(value, (str, int, bytes, type(None))):
                    stack.append(value)
