"""From the syntax tree of ``ast`` to our own: statements."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from hubpub.source import abstract, tree


def _if(low: abstract.Lowering, node: ast.If, depth: int) -> tree.If:
    branches = [(low.expr(node.test, depth), low.block(node.body, depth))]
    current = node
    while len(current.orelse) == 1 and isinstance(current.orelse[0], ast.If):
        current = current.orelse[0]
        branches.append((low.expr(current.test, depth), low.block(current.body, depth)))
    return tree.If(low.start(node), tuple(branches), low.block(current.orelse, depth))


def _try(low: abstract.Lowering, node: Any, depth: int) -> tree.Try:
    handlers = tuple(
        tree.Handler(low.expr(item.type, depth), item.name, low.block(item.body, depth))
        for item in node.handlers
    )
    return tree.Try(
        low.start(node),
        low.block(node.body, depth),
        handlers,
        low.block(node.orelse, depth),
        low.block(node.finalbody, depth),
    )


def _with(low: abstract.Lowering, node: ast.With | ast.AsyncWith, depth: int) -> tree.With:
    items = tuple(
        (low.expr(item.context_expr, depth), low.expr(item.optional_vars, depth))
        for item in node.items
    )
    return tree.With(low.start(node), items, low.block(node.body, depth))


def _match(low: abstract.Lowering, node: ast.Match, depth: int) -> tree.Match:
    cases = tuple(
        (_captures(case.pattern), low.expr(case.guard, depth), low.block(case.body, depth))
        for case in node.cases
    )
    return tree.Match(low.start(node), low.expr(node.subject, depth), cases)


def _captures(pattern: ast.pattern) -> tuple[str, ...]:
    names = {
        getattr(node, "name", None) or getattr(node, "rest", None) for node in ast.walk(pattern)
    }
    return tuple(sorted(name for name in names if name))


def _import_from(low: abstract.Lowering, node: ast.ImportFrom, depth: int) -> tree.ImportFrom:
    del depth
    names = tuple(tree.Alias(low.at(name), name.name, name.asname) for name in node.names)
    star = len(names) == 1 and names[0].name == "*"
    return tree.ImportFrom(low.at(node), node.module or "", node.level, () if star else names)


def _loop(low: abstract.Lowering, node: ast.For | ast.AsyncFor, depth: int) -> tree.For:
    return tree.For(
        low.start(node),
        low.expr(node.target, depth),
        low.expr(node.iter, depth),
        low.block(node.body, depth),
        low.block(node.orelse, depth),
    )


STATEMENTS: dict[str, Callable[[abstract.Lowering, Any, int], tree.Stmt]] = {
    "ImportFrom": _import_from,
    "Assign": lambda low, node, d: tree.Assign(
        low.at(node), low.many(node.targets, d), low.expr(node.value, d)
    ),
    "AnnAssign": lambda low, node, d: tree.Assign(
        low.at(node),
        (low.expr(node.target, d),),
        low.expr(node.value, d),
        low.expr(node.annotation, d),
    ),
    "AugAssign": lambda low, node, d: tree.Augment(
        low.at(node),
        low.expr(node.target, d),
        abstract.BINARY[type(node.op).__name__],
        low.expr(node.value, d),
    ),
    "Delete": lambda low, node, d: tree.Delete(low.at(node), low.many(node.targets, d)),
    "Expr": lambda low, node, d: tree.Evaluate(low.at(node), low.expr(node.value, d)),
    "FunctionDef": lambda low, node, d: low.function(node, d),
    "AsyncFunctionDef": lambda low, node, d: low.function(node, d),
    "ClassDef": lambda low, node, d: low.class_(node, d),
    "If": _if,
    "For": _loop,
    "AsyncFor": _loop,
    "While": lambda low, node, d: tree.While(
        low.start(node),
        low.expr(node.test, d),
        low.block(node.body, d),
        low.block(node.orelse, d),
    ),
    "Try": _try,
    "TryStar": _try,
    "With": _with,
    "AsyncWith": _with,
    "Match": _match,
    "Return": lambda low, node, d: tree.Return(low.at(node), low.expr(node.value, d)),
    "Raise": lambda low, node, d: tree.Raise(low.at(node), low.expr(node.exc, d)),
    "Assert": lambda low, node, d: tree.Assert(low.at(node), low.expr(node.test, d)),
    "Global": lambda low, node, _: tree.Scoping(low.at(node), "global", tuple(node.names)),
    "Nonlocal": lambda low, node, _: tree.Scoping(low.at(node), "nonlocal", tuple(node.names)),
    "Pass": lambda low, node, _: tree.Jump(low.at(node), "pass"),
    "Break": lambda low, node, _: tree.Jump(low.at(node), "break"),
    "Continue": lambda low, node, _: tree.Jump(low.at(node), "continue"),
    "TypeAlias": lambda low, node, _: tree.Opaque(low.start(node), (), (node.name.id,)),
}
