"""From the concrete syntax tree of libcst to our own: expressions."""

from __future__ import annotations

import ast
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from hubpub.source import abstract, concrete_statements, hubconf, tree
from hubpub.source.text import Text

_SPACE = " \t\f\\\r\n"


def is_a(node: object, *names: str) -> bool:
    """Whether ``node`` is of one of the named classes of libcst, which is not imported here."""
    return type(node).__name__ in names


def normal(name: str) -> str:
    """An identifier as Python compares it (NFKC)."""
    return name if name.isascii() else unicodedata.normalize("NFKC", name)


class Lowering:
    """Lowers the nodes of one libcst module."""

    def __init__(self, text: Text, positions: hubconf.Positions) -> None:
        self._text = text
        self._positions = positions

    def span(self, begin: int, end: int) -> tree.At:
        """Offsets as an extent."""
        return (*self._text.position(begin), *self._text.position(end))

    def extent(self, node: Any) -> tuple[int, int]:
        """Offsets of ``node`` without surrounding white space and parentheses."""
        key = id(node)
        found = self._positions.extents.get(key)
        return found or (self._positions.begins[key], self._positions.ends[key])

    def before(self, node: Any) -> int:
        """The offset at which ``node`` begins, white space included."""
        return self._positions.begins[id(node)]

    def at(self, node: Any) -> tree.At:
        """The extent that ``ast`` gives to ``node``."""
        begin, end = self.extent(node)
        if is_a(node, "Tuple", "GeneratorExp"):
            if node.lpar:
                begin = self._positions.begins[id(node.lpar[-1])]
                end = self._positions.ends[id(node.rpar[0])]
            else:
                end = begin + len(self._text.text[begin:end].rstrip(_SPACE))
        elif is_a(node, "Slice"):
            end = begin + len(self._text.text[begin:end].rstrip(_SPACE))
        return self.span(begin, end)

    def start(self, node: Any) -> tree.At:
        """An empty extent at the start of a compound statement."""
        begin = self.extent(node)[0]
        return self.span(begin, begin)

    def block(self, body: Sequence[Any], depth: int) -> tree.Block:
        """Statements; the simple ones of a line are unpacked."""
        statements: list[tree.Stmt] = []
        for node in body:
            if is_a(node, "SimpleStatementLine", "SimpleStatementSuite"):
                statements.extend(self.block(node.body, depth))
            elif depth > tree.MAX_DEPTH:
                statements.append(tree.Opaque(self.start(node)))
            elif is_a(node, "Import"):
                statements.extend(self._import(name) for name in node.names)
            else:
                lower = concrete_statements.STATEMENTS.get(type(node).__name__)
                statements.append(
                    lower(self, node, depth + 1) if lower else tree.Opaque(self.start(node))
                )
        return tree.Block(tuple(statements))

    def suite(self, node: Any, depth: int) -> tree.Block:
        """The body of a compound statement, or of an absent ``else`` or ``finally``."""
        if node is None:
            return tree.Block()
        body = node.body if is_a(node, "Else", "Finally") else node
        return self.block(body.body, depth)

    def _import(self, alias: Any) -> tree.Import:
        name = normal(alias.asname.name.value) if alias.asname else None
        return tree.Import(self.at(alias), dotted(alias.name), name)

    def expr(self, node: Any, depth: int) -> Any:
        """An expression; None stays None."""
        if node is None:
            return None
        if depth > tree.MAX_DEPTH:
            return tree.Opaque(self.at(node))
        lower = _EXPRESSIONS.get(type(node).__name__)
        return lower(self, node, depth + 1) if lower else self.opaque(node, depth)

    def many(self, nodes: Sequence[Any], depth: int) -> tuple[tree.Expr, ...]:
        """Several expressions."""
        return tuple(self.expr(node, depth) for node in nodes)

    def opaque(self, node: Any, depth: int) -> tree.Opaque:
        """An expression that is not understood, with the expressions inside it."""
        inner: list[Any] = []
        what = ""
        if is_a(node, "Await"):
            inner, what = [node.expression], "await"
        elif is_a(node, "Yield"):
            delegated = is_a(node.value, "From")
            what = "yield from" if delegated else "yield"
            value = node.value.item if is_a(node.value, "From") else node.value
            inner = [] if value is None else [value]
        return tree.Opaque(self.at(node), self.many(inner, depth + 1), what=what)

    def arguments(self, args: Sequence[Any], depth: int) -> tuple[tree.Argument, ...]:
        """The arguments of a call or a class."""
        return tuple(
            tree.Argument(
                normal(arg.keyword.value) if arg.keyword else None,
                arg.star,
                self.expr(arg.value, depth),
            )
            for arg in args
        )

    def parameters(self, node: Any, depth: int) -> tuple[tree.Parameter, ...]:
        """The parameters of a function, in source order."""
        groups: list[tuple[Sequence[Any], str]] = [
            (node.posonly_params, "positional-only"),
            (node.params, "plain"),
            ([node.star_arg] if is_a(node.star_arg, "Param") else [], "*"),
            (node.kwonly_params, "keyword"),
            ([node.star_kwarg] if node.star_kwarg else [], "**"),
        ]
        return tuple(
            tree.Parameter(
                self.at(param.name),
                normal(param.name.value),
                kind,
                self.expr(param.default, depth),
            )
            for params, kind in groups
            for param in params
        )

    def generators(self, node: Any, depth: int) -> tuple[tree.Generator, ...]:
        """The ``for`` parts of a comprehension."""
        found = []
        while node is not None:
            conditions = self.many([condition.test for condition in node.ifs], depth)
            target, iterable = self.expr(node.target, depth), self.expr(node.iter, depth)
            found.append(tree.Generator(target, iterable, conditions))
            node = node.inner_for_in
        return tuple(found)

    def string(self, node: Any, depth: int) -> tree.Expr:
        """A string of any form. Its pieces are decoded by Python itself, from the same text."""
        begin, end = self.extent(node)
        value = ast.parse(f"({self._text.text[begin:end]})", mode="eval").body
        at = self.span(begin, end)
        if isinstance(value, ast.Constant):
            return tree.Const(at, value.value)
        return abstract.Lowering(self._text, at).expr(value, depth - 1)  # type: ignore[no-any-return]


def dotted(node: Any) -> str:
    """``a.b.c`` of an import; empty for None."""
    parts = []
    while is_a(node, "Attribute"):
        parts.append(normal(node.attr.value))
        node = node.value
    if is_a(node, "Name"):
        parts.append(normal(node.value))
    return ".".join(reversed(parts))


def _tuple_extent(low: Lowering, elements: Sequence[Any]) -> tree.At:
    begin, end = low.extent(elements[0])[0], low.extent(elements[-1])[1]
    trailing = _COMMA.match(low._text.text, end)  # noqa: SLF001
    return low.span(begin, trailing.end() if trailing else end)


_COMMA = abstract.TRAILING_COMMA


def _call(low: Lowering, node: Any, depth: int) -> tree.Call:
    arguments = low.arguments(node.args, depth)
    first = arguments[0].value if len(arguments) == 1 else None
    bare = is_a(node.args[0].value, "GeneratorExp") if len(node.args) == 1 else False
    if isinstance(first, tree.Comprehension) and bare and not node.args[0].value.lpar:
        # The parentheses of the call are those of the generator.
        begin = low.before(node.whitespace_before_args) - 1
        first = replace(first, at=low.span(begin, low.extent(node)[1]))
        arguments = (replace(arguments[0], value=first),)
    return tree.Call(low.at(node), low.expr(node.func, depth), arguments)


def _index(low: Lowering, element: Any, depth: int) -> tree.Expr:
    item = element.slice
    if is_a(item, "Slice"):
        lower, upper = low.expr(item.lower, depth + 1), low.expr(item.upper, depth + 1)
        return tree.Slice(low.at(item), lower, upper, low.expr(item.step, depth + 1))
    if item.star:
        return tree.Starred(low.at(item), low.expr(item.value, depth + 1))
    return low.expr(item.value, depth)  # type: ignore[no-any-return]


def _subscript(low: Lowering, node: Any, depth: int) -> tree.Subscript:
    value = low.expr(node.value, depth)
    starred = is_a(node.slice[0].slice, "Index") and node.slice[0].slice.star
    trailing = is_a(node.slice[-1].comma, "Comma")
    if len(node.slice) == 1 and not starred and not trailing:
        return tree.Subscript(low.at(node), value, _index(low, node.slice[0], depth))
    at = _tuple_extent(low, node.slice)
    if depth > tree.MAX_DEPTH:
        return tree.Subscript(low.at(node), value, tree.Opaque(at))
    items = tuple(_index(low, element, depth + 1) for element in node.slice)
    return tree.Subscript(low.at(node), value, tree.Display(at, "tuple", items))


def _boolean(low: Lowering, node: Any, depth: int) -> tree.Boolean:
    kind = type(node.operator)
    values = [node.right]
    left = node.left
    while is_a(left, "BooleanOperation") and type(left.operator) is kind and not left.lpar:
        values.append(left.right)
        left = left.left
    values.append(left)
    operator = "and" if kind.__name__ == "And" else "or"
    return tree.Boolean(low.at(node), operator, low.many(values[::-1], depth))


def _binary(low: Lowering, node: Any, depth: int) -> tree.Expr:
    spine = [node]
    while is_a(spine[-1].left, "BinaryOperation"):
        spine.append(spine[-1].left)
    left = low.expr(spine[-1].left, depth)
    for item in reversed(spine):
        sign, right = BINARY[type(item.operator).__name__], low.expr(item.right, depth)
        left = tree.Binary(low.at(item), sign, left, right)
    return left  # type: ignore[no-any-return]


def _display(kind: str) -> Callable[[Lowering, Any, int], tree.Display]:
    return lambda low, node, depth: tree.Display(
        low.at(node), kind, tuple(element(low, item, depth) for item in node.elements)
    )


def element(low: Lowering, node: Any, depth: int) -> tree.Expr:
    """An element of a display or of targets, starred or not."""
    if is_a(node, "StarredElement"):
        if depth > tree.MAX_DEPTH:
            return tree.Opaque(low.at(node))
        return tree.Starred(low.at(node), low.expr(node.value, depth + 1))
    return low.expr(node.value, depth)  # type: ignore[no-any-return]


def _mapping(low: Lowering, node: Any, depth: int) -> tree.Mapping:
    items = tuple(
        (
            low.expr(item.key, depth) if is_a(item, "DictElement") else None,
            low.expr(item.value, depth),
        )
        for item in node.elements
    )
    return tree.Mapping(low.at(node), items)


def _compare(low: Lowering, node: Any, depth: int) -> tree.Compare:
    targets = node.comparisons
    operators = tuple(abstract.COMPARE[_COMPARE[type(item.operator).__name__]] for item in targets)
    rights = low.many([item.comparator for item in targets], depth)
    return tree.Compare(low.at(node), low.expr(node.left, depth), operators, rights)


def _comprehension(kind: str) -> Callable[[Lowering, Any, int], tree.Comprehension]:
    def lower(low: Lowering, node: Any, depth: int) -> tree.Comprehension:
        key = low.expr(node.key, depth) if kind == "dict" else None
        element = low.expr(node.value if kind == "dict" else node.elt, depth)
        generators = low.generators(node.for_in, depth)
        return tree.Comprehension(low.at(node), kind, key, element, generators)

    return lower


_COMPARE = {
    "Equal": "Eq", "NotEqual": "NotEq", "LessThan": "Lt", "LessThanEqual": "LtE",
    "GreaterThan": "Gt", "GreaterThanEqual": "GtE", "Is": "Is", "IsNot": "IsNot", "In": "In",
    "NotIn": "NotIn",
}  # fmt: skip
BINARY: dict[str, str] = {
    "Add": "+", "Subtract": "-", "Multiply": "*", "MatrixMultiply": "@", "Divide": "/",
    "Modulo": "%", "Power": "**", "LeftShift": "<<", "RightShift": ">>", "BitOr": "|",
    "BitXor": "^", "BitAnd": "&", "FloorDivide": "//",
}  # fmt: skip
_UNARY = {"Not": "not", "Minus": "-", "Plus": "+", "BitInvert": "~"}


def _number(low: Lowering, node: Any, depth: int) -> tree.Const:
    del depth
    return tree.Const(low.at(node), ast.literal_eval(node.value))


def _name(low: Lowering, node: Any, depth: int) -> tree.Expr:
    del depth
    constants = {"True": True, "False": False, "None": None}
    if node.value in constants:
        return tree.Const(low.at(node), constants[node.value])
    return tree.Name(low.at(node), normal(node.value))


_EXPRESSIONS: dict[str, Callable[[Lowering, Any, int], tree.Expr]] = {
    "Name": _name,
    "Integer": _number,
    "Float": _number,
    "Imaginary": _number,
    "Ellipsis": lambda low, node, _: tree.Const(low.at(node), ...),
    "SimpleString": Lowering.string,
    "ConcatenatedString": Lowering.string,
    "FormattedString": Lowering.string,
    "Attribute": lambda low, node, d: tree.Attribute(
        low.at(node), low.expr(node.value, d), normal(node.attr.value)
    ),
    "Subscript": _subscript,
    "Call": _call,
    "List": _display("list"),
    "Tuple": _display("tuple"),
    "Set": _display("set"),
    "StarredElement": lambda low, node, d: tree.Starred(low.at(node), low.expr(node.value, d)),
    "Dict": _mapping,
    "BinaryOperation": _binary,
    "UnaryOperation": lambda low, node, d: tree.Unary(
        low.at(node), _UNARY[type(node.operator).__name__], low.expr(node.expression, d)
    ),
    "BooleanOperation": _boolean,
    "Comparison": _compare,
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
        low.at(node), low.parameters(node.params, d), low.expr(node.body, d)
    ),
}
