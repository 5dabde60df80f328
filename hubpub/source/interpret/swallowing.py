"""Handlers that take any exception of an import and say nothing of it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from hubpub.source import tree
from hubpub.source.interpret import standard
from hubpub.source.interpret.machine import Machine, SwallowEvent
from hubpub.source.interpret.scopes import Scope

_IMPORT_ERRORS = {"ImportError", "ModuleNotFoundError"}
_ANYTHING = {"Exception", "BaseException"}
_SPEAKS = frozenset({
    "print", "warn", "warning", "error", "exception", "debug", "info", "log", "critical", "write",
    "print_exc", "format_exc", "exc_info", "fail", "exit",
})  # fmt: skip
"""Last names of calls that tell somebody."""
_MAX_NODES = 500


def note(machine: Machine, node: tree.Try, scope: Scope) -> None:
    """Report a ``try`` of imports that hides why one of them failed."""
    imports = [item for item in node.body if isinstance(item, (tree.Import, tree.ImportFrom))]
    if not imports or node.body.statements[0] is not imports[0]:
        return
    names = tuple(dict.fromkeys(_module(item) for item in imports))
    if all(standard.is_standard(name) for name in names) or _calls(node):
        return
    for handler in node.handlers:
        caught = list(_caught(handler.exception))
        if _IMPORT_ERRORS & set(caught):
            return
        if handler.exception is None or _ANYTHING & set(caught):
            if _silent(handler):
                word = next((name for name in caught if name in _ANYTHING), "")
                place = (scope.path, imports[0].at)
                machine.events.append(SwallowEvent(names, word, place))
            return


def _calls(node: tree.Try) -> bool:
    """Whether the body calls something, which may fail for reasons that nobody needs to know."""
    nodes = list(itertools.islice(tree.walk(node.body), _MAX_NODES))
    return len(nodes) == _MAX_NODES or any(isinstance(item, tree.Call) for item in nodes)


def _module(node: tree.Import | tree.ImportFrom) -> str:
    if isinstance(node, tree.Import):
        return node.module
    return "." * node.level + node.module


def _caught(exception: tree.Expr | None) -> Iterator[str]:
    parts = exception.items if isinstance(exception, tree.Display) else (exception,)
    for part in parts:
        if isinstance(part, tree.Name):
            yield part.id
        elif isinstance(part, tree.Attribute):
            yield part.name


def _silent(handler: tree.Handler) -> bool:
    """Whether a handler neither raises, nor looks at the exception, nor tells, nor imports."""
    nodes = list(itertools.islice(tree.walk(handler.body), _MAX_NODES))
    if len(nodes) == _MAX_NODES:
        return False
    for item in nodes:
        if isinstance(item, (tree.Raise, tree.Import, tree.ImportFrom)):
            return False
        if isinstance(item, tree.Name) and item.id == handler.name:
            return False
        if isinstance(item, tree.Call) and _last(item.function) in _SPEAKS:
            return False
    return True


def _last(function: tree.Expr) -> str:
    if isinstance(function, tree.Attribute):
        return function.name
    return function.id if isinstance(function, tree.Name) else ""
