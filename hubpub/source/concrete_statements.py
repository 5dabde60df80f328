"""From the concrete syntax tree of libcst to our own: statements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hubpub.source import concrete, tree


def _docstring(body: Any) -> str | None:
    first: Any = body.body[0] if body.body else None
    if concrete.is_a(first, "SimpleStatementLine"):
        first = first.body[0]
    if concrete.is_a(first, "Expr") and concrete.is_a(
        first.value, "SimpleString", "ConcatenatedString"
    ):
        value = first.value.evaluated_value
        return value if isinstance(value, str) else None
    return None


def _function(low: concrete.Lowering, node: Any, depth: int) -> tree.Function:
    return tree.Function(
        low.at(node.name),
        low.span(*low.extent(node))[0],
        concrete.normal(node.name.value),
        low.parameters(node.params, depth),
        low.many([item.decorator for item in node.decorators], depth),
        _docstring(node.body),
        node.asynchronous is not None,
        low.suite(node.body, depth),
    )


def _class(low: concrete.Lowering, node: Any, depth: int) -> tree.Class:
    return tree.Class(
        low.at(node.name),
        low.span(*low.extent(node))[0],
        concrete.normal(node.name.value),
        low.arguments([*node.bases, *node.keywords], depth),
        low.many([item.decorator for item in node.decorators], depth),
        _docstring(node.body),
        low.suite(node.body, depth),
    )


def _if(low: concrete.Lowering, node: Any, depth: int) -> tree.If:
    branches = []
    current: Any = node
    while concrete.is_a(current, "If"):
        branches.append((low.expr(current.test, depth), low.suite(current.body, depth)))
        last, current = current, current.orelse
        if concrete.is_a(current, "Else"):
            body = current.body.body
            alone = len(body) == 1 and concrete.is_a(body[0], "If")
            current = body[0] if alone else current
    return tree.If(
        low.start(node),
        tuple(branches),
        low.suite(last.orelse if current is None else current, depth),
    )


def _try(low: concrete.Lowering, node: Any, depth: int) -> tree.Try:
    handlers = tuple(
        tree.Handler(
            low.expr(item.type, depth),
            concrete.normal(item.name.name.value) if item.name else None,
            low.suite(item.body, depth),
        )
        for item in node.handlers
    )
    return tree.Try(
        low.start(node),
        low.suite(node.body, depth),
        handlers,
        low.suite(node.orelse, depth),
        low.suite(node.finalbody, depth),
    )


def _match(low: concrete.Lowering, node: Any, depth: int) -> tree.Match:
    cases = tuple(
        (
            tuple(sorted(_captures(case.pattern))),
            low.expr(case.guard, depth),
            low.suite(case.body, depth),
        )
        for case in node.cases
    )
    return tree.Match(low.start(node), low.expr(node.subject, depth), cases)


def _captures(pattern: Any) -> set[str]:
    names: set[str] = set()
    stack: list[Any] = [pattern]
    while stack:
        node = stack.pop()
        name: Any = (
            getattr(node, "name", None) if concrete.is_a(node, "MatchAs", "MatchStar") else None
        )
        rest: Any = getattr(node, "rest", None)
        names |= {
            concrete.normal(item.value) for item in (name, rest) if concrete.is_a(item, "Name")
        }
        stack.extend(node.children)
    return names


def _import_from(low: concrete.Lowering, node: Any, depth: int) -> tree.ImportFrom:
    del depth
    level = len(node.relative)
    if concrete.is_a(node.names, "ImportStar"):
        return tree.ImportFrom(low.at(node), concrete.dotted(node.module), level, ())
    names = tuple(
        tree.Alias(
            low.at(alias),
            concrete.dotted(alias.name),
            concrete.normal(alias.asname.name.value) if alias.asname else None,
        )
        for alias in node.names
    )
    return tree.ImportFrom(low.at(node), concrete.dotted(node.module), level, names)


def _delete(low: concrete.Lowering, node: Any, depth: int) -> tree.Delete:
    if concrete.is_a(node.target, "Tuple") and not node.target.lpar:
        targets = tuple(concrete.element(low, item, depth) for item in node.target.elements)
        return tree.Delete(low.at(node), targets)
    return tree.Delete(low.at(node), (low.expr(node.target, depth),))


def _scoping(kind: str) -> Callable[[concrete.Lowering, Any, int], tree.Scoping]:
    return lambda low, node, _: tree.Scoping(
        low.at(node), kind, tuple(concrete.normal(item.name.value) for item in node.names)
    )


def _jump(kind: str) -> Callable[[concrete.Lowering, Any, int], tree.Jump]:
    return lambda low, node, _: tree.Jump(low.at(node), kind)


STATEMENTS: dict[str, Callable[[concrete.Lowering, Any, int], tree.Stmt]] = {
    "ImportFrom": _import_from,
    "Assign": lambda low, node, d: tree.Assign(
        low.at(node), low.many([item.target for item in node.targets], d), low.expr(node.value, d)
    ),
    "AnnAssign": lambda low, node, d: tree.Assign(
        low.at(node),
        (low.expr(node.target, d),),
        low.expr(node.value, d),
        low.expr(node.annotation.annotation, d),
    ),
    "AugAssign": lambda low, node, d: tree.Augment(
        low.at(node),
        low.expr(node.target, d),
        concrete.BINARY[type(node.operator).__name__.removesuffix("Assign")],
        low.expr(node.value, d),
    ),
    "Del": _delete,
    "Expr": lambda low, node, d: tree.Evaluate(low.at(node), low.expr(node.value, d)),
    "FunctionDef": _function,
    "ClassDef": _class,
    "If": _if,
    "For": lambda low, node, d: tree.For(
        low.start(node),
        low.expr(node.target, d),
        low.expr(node.iter, d),
        low.suite(node.body, d),
        low.suite(node.orelse, d),
    ),
    "While": lambda low, node, d: tree.While(
        low.start(node), low.expr(node.test, d), low.suite(node.body, d), low.suite(node.orelse, d)
    ),
    "Try": _try,
    "TryStar": _try,
    "With": lambda low, node, d: tree.With(
        low.start(node),
        tuple(
            (low.expr(item.item, d), low.expr(item.asname.name if item.asname else None, d))
            for item in node.items
        ),
        low.suite(node.body, d),
    ),
    "Match": _match,
    "Return": lambda low, node, d: tree.Return(low.at(node), low.expr(node.value, d)),
    "Raise": lambda low, node, d: tree.Raise(low.at(node), low.expr(node.exc, d)),
    "Assert": lambda low, node, d: tree.Assert(low.at(node), low.expr(node.test, d)),
    "Global": _scoping("global"),
    "Nonlocal": _scoping("nonlocal"),
    "Pass": _jump("pass"),
    "Break": _jump("break"),
    "Continue": _jump("continue"),
    "TypeAlias": lambda low, node, _: tree.Opaque(low.start(node), (), (node.name.value,)),
}
