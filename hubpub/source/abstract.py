"""From the syntax tree of ``ast`` to our own."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Sequence
from typing import Any

from hubpub.source import abstract_statements, tree
from hubpub.source.text import Text

_WORD = re.compile(r"\w+")
_DEF = re.compile(r"(?:async(?:\s|\\\r?\n)+)?(?:def|class)(?:\s|\\\r?\n)+")
TRAILING_COMMA = re.compile(r"(?:\s|#[^\r\n]*|\\\r?\n)*,")
"""A comma after an element, whatever white space and comments stand before it."""
BINARY: dict[str, str] = {
    "Add": "+", "Sub": "-", "Mult": "*", "MatMult": "@", "Div": "/", "Mod": "%", "Pow": "**",
    "LShift": "<<", "RShift": ">>", "BitOr": "|", "BitXor": "^", "BitAnd": "&", "FloorDiv": "//",
}  # fmt: skip
UNARY = {"Not": "not", "USub": "-", "UAdd": "+", "Invert": "~"}
COMPARE = {
    "Eq": "==", "NotEq": "!=", "Lt": "<", "LtE": "<=", "Gt": ">", "GtE": ">=", "Is": "is",
    "IsNot": "is not", "In": "in", "NotIn": "not in",
}  # fmt: skip


def lower(module: ast.Module, text: Text) -> tree.Module:
    """``module``, parsed from ``text``, as a tree."""
    lowering = Lowering(text)
    return tree.Module(lowering.block(module.body, 0), docstring(module.body))


def docstring(body: Sequence[ast.stmt]) -> str | None:
    """The docstring of a body, as it is written."""
    first = body[0] if body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        return first.value.value if isinstance(first.value.value, str) else None
    return None


class Lowering:
    """Lowers nodes of ``ast`` found in one text. ``fixed`` overrides every extent (f-strings)."""

    def __init__(self, text: Text, fixed: tree.At | None = None) -> None:
        self._text = text
        self._lines: dict[int, bytes | None] = {}
        self._fixed = fixed

    def _column(self, line: int, offset: int) -> int:
        """``ast`` counts UTF-8 bytes from 0, we count characters from 1."""
        if line not in self._lines:
            content = self._text.line(line)
            encoded = None if content.isascii() else content.encode("utf-8", "surrogatepass")
            self._lines[line] = encoded
        data = self._lines[line]
        if data is None:
            return offset + 1
        return len(data[:offset].decode("utf-8", "replace")) + 1

    def at(self, node: Any) -> tree.At:
        """The extent of an ``ast`` node."""
        if self._fixed is not None:
            return self._fixed
        return (
            node.lineno,
            self._column(node.lineno, node.col_offset),
            node.end_lineno,
            self._column(node.end_lineno, node.end_col_offset),
        )

    def start(self, node: Any) -> tree.At:
        """An empty extent at the start of a compound statement."""
        column = self._column(node.lineno, node.col_offset)
        return (node.lineno, column, node.lineno, column)

    def block(self, body: Sequence[ast.stmt], depth: int) -> tree.Block:
        """Statements, lowered now."""
        statements: list[tree.Stmt] = []
        for node in body:
            if depth > tree.MAX_DEPTH:
                statements.append(tree.Opaque(self.start(node)))
                continue
            lower = abstract_statements.STATEMENTS.get(type(node).__name__)
            if isinstance(node, ast.Import):
                statements.extend(
                    tree.Import(self.at(name), name.name, name.asname) for name in node.names
                )
            elif lower is None:
                statements.append(tree.Opaque(self.start(node)))
            else:
                statements.append(lower(self, node, depth + 1))
        return tree.Block(tuple(statements))

    def later(self, body: Sequence[ast.stmt], depth: int) -> tree.Block:
        """Statements, lowered when they are looked at."""
        return tree.Block(lower=lambda: self.block(body, depth).statements)

    def expr(self, node: ast.expr | None, depth: int) -> Any:
        """An expression; None stays None."""
        if node is None:
            return None
        lower = _EXPRESSIONS.get(type(node).__name__)
        if depth > tree.MAX_DEPTH:
            return tree.Opaque(self.at(node))
        if lower is None:
            return self._opaque(node, depth)
        return lower(self, node, depth + 1)

    def many(self, nodes: Sequence[Any], depth: int) -> tuple[tree.Expr, ...]:
        """Several expressions."""
        return tuple(self.expr(node, depth) for node in nodes)

    def _opaque(self, node: ast.expr, depth: int) -> tree.Opaque:
        inner = [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
        words = {"Yield": "yield", "YieldFrom": "yield from", "Await": "await"}
        what = words.get(type(node).__name__, "")
        return tree.Opaque(self.at(node), self.many(inner, depth + 1), what=what)

    def arguments(
        self, args: Sequence[ast.expr], keywords: Sequence[ast.keyword], depth: int
    ) -> tuple[tree.Argument, ...]:
        """The arguments of a call or a class, in source order."""
        found: list[tuple[tuple[int, int], tree.Argument]] = []
        for arg in args:
            starred = isinstance(arg, ast.Starred)
            value = arg.value if isinstance(arg, ast.Starred) else arg
            argument = tree.Argument(None, "*" if starred else "", self.expr(value, depth))
            found.append(((arg.lineno, arg.col_offset), argument))
        for keyword in keywords:
            argument = tree.Argument(
                keyword.arg, "" if keyword.arg else "**", self.expr(keyword.value, depth)
            )
            found.append(((keyword.lineno, keyword.col_offset), argument))
        if self._fixed is None:
            found.sort(key=lambda item: item[0])
        return tuple(argument for _, argument in found)

    def parameters(self, arguments: ast.arguments, depth: int) -> tuple[tree.Parameter, ...]:
        """The parameters of a function, in source order."""
        positional = [*arguments.posonlyargs, *arguments.args]
        missing = len(positional) - len(arguments.defaults)
        defaults: list[ast.expr | None] = [*[None] * missing, *arguments.defaults]
        found = []
        for index, (arg, default) in enumerate(zip(positional, defaults, strict=True)):
            kind = "positional-only" if index < len(arguments.posonlyargs) else "plain"
            found.append(self._parameter(arg, kind, default, depth))
        if arguments.vararg:
            found.append(self._parameter(arguments.vararg, "*", None, depth))
        for arg, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
            found.append(self._parameter(arg, "keyword", default, depth))
        if arguments.kwarg:
            found.append(self._parameter(arguments.kwarg, "**", None, depth))
        return tuple(found)

    def _parameter(
        self, arg: ast.arg, kind: str, default: ast.expr | None, depth: int
    ) -> tree.Parameter:
        return tree.Parameter(self._word(arg), arg.arg, kind, self.expr(default, depth))

    def _word(self, node: Any, skip: re.Pattern[str] | None = None) -> tree.At:
        """The extent of the identifier at ``node``, past what ``skip`` matches."""
        if self._fixed is not None:
            return self._fixed
        offset = self._text.offset(node.lineno, self._column(node.lineno, node.col_offset))
        skipped = skip.match(self._text.text, offset) if skip else None
        offset = skipped.end() if skipped else offset
        word = _WORD.match(self._text.text, offset)
        line, column = self._text.position(offset)
        return (line, column, line, column + (len(word.group()) if word else 0))

    def function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, depth: int) -> tree.Function:
        """A ``def``; its body is lowered later."""
        return tree.Function(
            self._word(node, _DEF),
            node.lineno,
            node.name,
            self.parameters(node.args, depth),
            self.many(node.decorator_list, depth),
            docstring(node.body),
            isinstance(node, ast.AsyncFunctionDef),
            self.later(node.body, depth),
        )

    def class_(self, node: ast.ClassDef, depth: int) -> tree.Class:
        """A ``class``."""
        return tree.Class(
            self._word(node, _DEF),
            node.lineno,
            node.name,
            self.arguments(node.bases, node.keywords, depth),
            self.many(node.decorator_list, depth),
            docstring(node.body),
            self.block(node.body, depth),
        )

    def generators(self, nodes: Sequence[ast.comprehension], depth: int) -> Any:
        """The ``for`` parts of a comprehension."""
        return tuple(
            tree.Generator(
                self.expr(node.target, depth),
                self.expr(node.iter, depth),
                self.many(node.ifs, depth),
            )
            for node in nodes
        )


def _joined(low: Lowering, node: ast.JoinedStr, depth: int) -> tree.Joined:
    at = low.at(node)
    inner = low if low._fixed is not None else Lowering(low._text, at)  # noqa: SLF001
    return tree.Joined(at, inner.many(node.values, depth))


def _formatted(low: Lowering, node: ast.FormattedValue, depth: int) -> tree.Formatted:
    conversion = chr(node.conversion) if node.conversion > 0 else ""
    value, spec = low.expr(node.value, depth), low.expr(node.format_spec, depth)
    return tree.Formatted(low.at(node), value, conversion, spec)


def _call(low: Lowering, node: ast.Call, depth: int) -> tree.Call:
    arguments = low.arguments(node.args, node.keywords, depth)
    return tree.Call(low.at(node), low.expr(node.func, depth), arguments)


def _mapping(low: Lowering, node: ast.Dict, depth: int) -> tree.Mapping:
    pairs = zip(node.keys, node.values, strict=True)
    items = tuple((low.expr(key, depth), low.expr(value, depth)) for key, value in pairs)
    return tree.Mapping(low.at(node), items)


def _compare(low: Lowering, node: ast.Compare, depth: int) -> tree.Compare:
    operators = tuple(COMPARE[type(operator).__name__] for operator in node.ops)
    left, rights = low.expr(node.left, depth), low.many(node.comparators, depth)
    return tree.Compare(low.at(node), left, operators, rights)


def _binary(low: Lowering, node: ast.BinOp, depth: int) -> tree.Expr:
    # A long sum is a deep tree that leans to the left: it is no deeper than its operands.
    spine: list[ast.BinOp] = [node]
    while isinstance(spine[-1].left, ast.BinOp):
        spine.append(spine[-1].left)
    left = low.expr(spine[-1].left, depth)
    for item in reversed(spine):
        sign, right = BINARY[type(item.op).__name__], low.expr(item.right, depth)
        left = tree.Binary(low.at(item), sign, left, right)
    return left  # type: ignore[no-any-return]


def _display(kind: str) -> Callable[[Lowering, Any, int], tree.Display]:
    return lambda low, node, depth: tree.Display(low.at(node), kind, low.many(node.elts, depth))


def _comprehension(kind: str) -> Callable[[Lowering, Any, int], tree.Comprehension]:
    def lower(low: Lowering, node: Any, depth: int) -> tree.Comprehension:
        key = low.expr(node.key, depth) if kind == "dict" else None
        element = low.expr(node.value if kind == "dict" else node.elt, depth)
        return tree.Comprehension(
            low.at(node), kind, key, element, low.generators(node.generators, depth)
        )

    return lower


_EXPRESSIONS: dict[str, Callable[[Lowering, Any, int], tree.Expr]] = {
    "Constant": lambda low, node, _: tree.Const(low.at(node), node.value),
    "Name": lambda low, node, _: tree.Name(low.at(node), node.id),
    "Attribute": lambda low, node, d: tree.Attribute(
        low.at(node), low.expr(node.value, d), node.attr
    ),
    "Subscript": lambda low, node, d: tree.Subscript(
        low.at(node), low.expr(node.value, d), low.expr(node.slice, d)
    ),
    "Slice": lambda low, node, d: tree.Slice(
        low.at(node), low.expr(node.lower, d), low.expr(node.upper, d), low.expr(node.step, d)
    ),
    "Call": _call,
    "List": _display("list"),
    "Tuple": _display("tuple"),
    "Set": _display("set"),
    "Starred": lambda low, node, d: tree.Starred(low.at(node), low.expr(node.value, d)),
    "Dict": _mapping,
    "JoinedStr": _joined,
    "FormattedValue": _formatted,
    "BinOp": _binary,
    "UnaryOp": lambda low, node, d: tree.Unary(
        low.at(node), UNARY[type(node.op).__name__], low.expr(node.operand, d)
    ),
    "BoolOp": lambda low, node, d: tree.Boolean(
        low.at(node), "and" if isinstance(node.op, ast.And) else "or", low.many(node.values, d)
    ),
    "Compare": _compare,
    "IfExp": lambda low, node, d: tree.Conditional(
        low.at(node), low.expr(node.test, d), low.expr(node.body, d), low.expr(node.orelse, d)
    ),
    "NamedExpr": lambda low, node, d: tree.Walrus(
        low.at(node), low.expr(node.target, d), low.expr(node.value, d)
    ),
    "ListComp": _comprehension("list"),
    "SetComp": _comprehension("set"),
    "DictComp": _comprehension("dict"),
    "GeneratorExp": _comprehension("generator"),
    "Lambda": lambda low, node, d: tree.Lambda(
        low.at(node), low.parameters(node.args, d), low.expr(node.body, d)
    ),
}
