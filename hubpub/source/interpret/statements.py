"""Statements: what they bind, and which of them may not run."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any

from hubpub.source import tree
from hubpub.source.interpret import (
    attributes,
    branches,
    calls,
    effects,
    expressions,
    imports,
    items,
    operators,
    searchpath,
)
from hubpub.source.interpret.machine import Machine, RaisedError
from hubpub.source.interpret.scopes import Binding, Scope
from hubpub.source.interpret.values import (
    Class,
    Function,
    Items,
    Literal,
    Native,
    Table,
    Unknown,
    Value,
    options,
)


class Way(enum.Enum):
    """How control may leave a block."""

    FALL = "runs to its end"
    RETURN = "returns"
    BREAK = "breaks out of its loop"
    CONTINUE = "goes on with the next round"
    RAISE = "raises"


Ways = frozenset[Way]
FALL: Ways = frozenset({Way.FALL})


def run_module(machine: Machine, module: tree.Module, scope: Scope) -> None:
    """Interpret a whole file; raises RaisedError where its import certainly fails and is caught.

    Where nothing catches it, the failure is noted and the next statement is interpreted: if the
    loader fails too, no name matters, and if the failure was misjudged, none is lost.
    """
    scope.names["__doc__"] = Literal(module.docstring)
    for statement in module.body:
        error = _run_top_level(machine, statement, scope)
        if error is not None and machine.guards:
            raise error
        if error is not None:
            machine.failed.append(error)


def _run_top_level(machine: Machine, statement: tree.Stmt, scope: Scope) -> RaisedError | None:
    try:
        ways = run(machine, tree.Block((statement,)), scope)
    except RaisedError as error:
        return error
    if ways == frozenset({Way.RAISE}):
        return RaisedError("SystemExit", "leaves the interpreter", (scope.path, statement.at))
    return None


def run(machine: Machine, block: tree.Block, scope: Scope) -> Ways:
    """Interpret the statements of a block."""
    left: set[Way] = set()
    levels = 0
    raised = False
    for statement in block:
        machine.step()
        machine.doubt += levels
        scope.doubt += raised * levels
        try:
            ways = _STATEMENTS[type(statement)](machine, statement, scope)
        finally:
            machine.doubt -= levels
            scope.doubt -= raised * levels
        if Way.FALL not in ways:
            return frozenset(left | ways)
        # `if unknown: raise` leaves no doubt about the rest: it runs, or the import has failed.
        if ways - {Way.FALL, Way.RAISE} and not levels:
            levels = 1
            raised = Way.RETURN in ways
        left |= ways - {Way.FALL}
    return frozenset(left | {Way.FALL})


def _function(machine: Machine, node: tree.Function, scope: Scope) -> Ways:
    defaults = expressions.defaults(machine, node.parameters, scope)
    value: Value = Function(node, scope, defaults)
    value = decorate(machine, node.decorators, value, scope)
    scope.bind(node.name, value, Binding(scope.path, node.at), machine.doubt)
    return FALL


def decorate(
    machine: Machine, decorators: tuple[tree.Expr, ...], value: Value, scope: Scope
) -> Value:
    """``value`` after its decorators, the lowest first."""
    for decorator in reversed(decorators):
        function = expressions.evaluate(machine, decorator, scope)
        value = calls.apply_decorator(machine, function, value, scope, decorator.at)
    return value


def _class(machine: Machine, node: tree.Class, scope: Scope) -> Ways:
    bases = tuple(
        expressions.evaluate(machine, argument.value, scope)
        for argument in node.arguments
        if argument.name is None
    )
    for argument in node.arguments:
        if argument.name is not None:
            expressions.evaluate(machine, argument.value, scope)
    body = Scope(scope.path, scope.module, "class", scope, doubt=machine.doubt)
    run(machine, node.body, body)
    value = Class(node, scope, bases, body.names)
    for member in body.names.values():
        for option in options(member):
            if isinstance(option, Function) and option.scope is body:
                option.owner = value
    decorated = decorate(machine, node.decorators, value, scope)
    scope.bind(node.name, decorated, Binding(scope.path, node.at), machine.doubt)
    return FALL


def _assign(machine: Machine, node: tree.Assign, scope: Scope) -> Ways:
    if node.value is None:
        return FALL
    value = expressions.evaluate(machine, node.value, scope)
    for target in node.targets:
        assign(machine, target, value, scope, node.at)
    return FALL


def assign(
    machine: Machine, target: tree.Expr, value: Value, scope: Scope, at: tree.At | None = None
) -> None:
    """Bind ``target`` to ``value``; ``at`` is the statement where there is one."""
    if isinstance(target, tree.Name):
        scope.bind(target.id, value, Binding(scope.path, at or target.at), machine.doubt)
    elif isinstance(target, tree.Attribute):
        owner = expressions.evaluate(machine, target.value, scope)
        attributes.set_attribute(machine, owner, target.name, value, scope, target.at)
    elif isinstance(target, tree.Subscript):
        owner = expressions.evaluate(machine, target.value, scope)
        index = expressions.evaluate(machine, target.index, scope)
        if isinstance(owner, Native):
            if owner.name == "sys.modules":
                _replace_module(machine, index, value, scope)
            elif owner.name == "os.environ":
                effects.environment(machine, index, scope, target.at)
            elif owner.name == "sys.path":
                searchpath.set_entry(machine, index, value, scope, target.at)
            return
        for option in options(owner):
            items.store_item(machine, option, index, value, scope, at or target.at)
    elif isinstance(target, tree.Display):
        _unpack(machine, target, value, scope, at)
    elif isinstance(target, tree.Starred):
        assign(machine, target.value, value, scope, at)


def _replace_module(machine: Machine, index: Value, value: Value, scope: Scope) -> None:
    """``sys.modules[__name__] = object``: importers get the object; torch.hub keeps hubconf's."""
    if isinstance(index, Literal) and isinstance(index.value, str):
        module = machine.modules.get(index.value)
        if module is not None:
            module.scope.unread = True
    del value, scope


def _unpack(
    machine: Machine, target: tree.Display, value: Value, scope: Scope, at: tree.At | None
) -> None:
    members, complete = expressions.iterate(machine, value)
    starred = [index for index, item in enumerate(target.items) if isinstance(item, tree.Starred)]
    if not complete or (len(members) != len(target.items) and not starred):
        for item in target.items:
            assign(machine, item, Unknown("a part of a value that is not known"), scope, at)
        return
    if starred:
        first, after = starred[0], len(target.items) - starred[0] - 1
        middle = members[first : len(members) - after]
        members = [*members[:first], Items("list", middle), *members[len(members) - after :]]
    for item, member in zip(target.items, members, strict=False):
        assign(machine, item, member, scope, at)


def _augment(machine: Machine, node: tree.Augment, scope: Scope) -> Ways:
    old = expressions.evaluate(machine, node.target, scope)
    given = expressions.evaluate(machine, node.value, scope)
    if node.operator == "+" and searchpath.is_search_path(old):
        searchpath.extend_search_path(machine, given, scope, node.at)
        return FALL
    if node.operator == "+" and isinstance(old, Items) and old.kind == "list":
        calls.extend(machine, old, given)
        return FALL
    if node.operator == "|" and isinstance(old, Table):
        items.update(machine, old, given, scope, node.at)
        return FALL
    value = operators.binary(machine, node.operator, old, given, (scope.path, node.at))
    assign(machine, node.target, value, scope, node.at)
    return FALL


def _delete(machine: Machine, node: tree.Delete, scope: Scope) -> Ways:
    pending = list(node.targets)
    while pending:
        target = pending.pop()
        if isinstance(target, tree.Name):
            scope.unbind(target.id, machine.doubt)
        elif isinstance(target, tree.Display):
            pending.extend(target.items)
        elif isinstance(target, tree.Subscript):
            owner = expressions.evaluate(machine, target.value, scope)
            index = expressions.evaluate(machine, target.index, scope)
            if isinstance(owner, Table):
                items.remove(machine, owner, index, scope, target.at)
            elif searchpath.is_search_path(owner):
                searchpath.delete_entry(machine, index, scope, target.at)
    return FALL


def _evaluate(machine: Machine, node: tree.Evaluate, scope: Scope) -> Ways:
    value = expressions.evaluate(machine, node.value, scope)
    return frozenset({Way.RAISE}) if calls.leaves(value) else FALL


def _return(machine: Machine, node: tree.Return, scope: Scope) -> Ways:
    value = (
        Literal(None) if node.value is None else expressions.evaluate(machine, node.value, scope)
    )
    scope.returns.append(value)
    return frozenset({Way.RETURN})


def _raise(machine: Machine, node: tree.Raise, scope: Scope) -> Ways:
    kind = "Exception"
    if node.value is not None:
        expressions.evaluate(machine, node.value, scope)
        named = node.value.function if isinstance(node.value, tree.Call) else node.value
        kind = named.id if isinstance(named, tree.Name) else kind
    raise RaisedError(kind, f"raises {kind}", (scope.path, node.at))


def _assert(machine: Machine, node: tree.Assert, scope: Scope) -> Ways:
    expressions.evaluate(machine, node.test, scope)
    return FALL


def _scoping(machine: Machine, node: tree.Scoping, scope: Scope) -> Ways:
    del machine
    (scope.globals if node.kind == "global" else scope.nonlocals).update(node.names)
    return FALL


def _jump(machine: Machine, node: tree.Jump, scope: Scope) -> Ways:
    del machine, scope
    ways = {"break": Way.BREAK, "continue": Way.CONTINUE}
    return frozenset({ways.get(node.kind, Way.FALL)})


def _opaque(machine: Machine, node: tree.Opaque, scope: Scope) -> Ways:
    for name in node.binds:
        scope.bind(
            name, Native("typing.TypeAliasType", 0), Binding(scope.path, node.at), machine.doubt
        )
    if not node.binds:
        machine.unread(scope, "code that is nested too deeply or not understood", scope, node.at)
    return FALL


def _import(machine: Machine, node: tree.Import, scope: Scope) -> Ways:
    return _importing(machine, lambda: imports.run_import(machine, node, scope))


def _import_from(machine: Machine, node: tree.ImportFrom, scope: Scope) -> Ways:
    return _importing(machine, lambda: imports.run_from(machine, node, scope))


def _importing(machine: Machine, run_it: Callable[[], None]) -> Ways:
    """An import that certainly fails ends the interpretation only where something catches it."""
    try:
        run_it()
    except RaisedError as error:
        if machine.guards:
            raise
        machine.failed.append(error)
    return FALL


_STATEMENTS: dict[type, Callable[[Machine, Any, Scope], Ways]] = {
    tree.Import: _import,
    tree.ImportFrom: _import_from,
    tree.Assign: _assign,
    tree.Augment: _augment,
    tree.Delete: _delete,
    tree.Evaluate: _evaluate,
    tree.Function: _function,
    tree.Class: _class,
    tree.If: branches.if_statement,
    tree.For: branches.for_statement,
    tree.While: branches.while_statement,
    tree.Try: branches.try_statement,
    tree.With: branches.with_statement,
    tree.Match: branches.match_statement,
    tree.Return: _return,
    tree.Raise: _raise,
    tree.Assert: _assert,
    tree.Scoping: _scoping,
    tree.Jump: _jump,
    tree.Opaque: _opaque,
}
