"""Branches, loops and ``try``: code of which it is not known whether it runs."""

from __future__ import annotations

from collections.abc import Callable

from hubpub.source import tree
from hubpub.source.interpret import (
    calls,
    expressions,
    statements,
    swallowing,
)
from hubpub.source.interpret.machine import ImportEvent, Machine, RaisedError
from hubpub.source.interpret.scopes import Binding, Scope, merge
from hubpub.source.interpret.values import (
    UNBOUND,
    Choice,
    External,
    Instance,
    Unknown,
    Value,
    truth,
)


def fork(
    machine: Machine, scope: Scope, branches: list[Callable[[], statements.Ways]]
) -> tuple[statements.Ways, list[dict[str, Value]]]:
    """Interpret branches of which one is taken; the names of ``scope`` are those of any of them."""
    before, doubt = scope.names, scope.doubt
    ways: set[statements.Way] = set()
    ends: list[dict[str, Value]] = []
    with machine.doubtful():
        for branch in branches:
            scope.names, scope.doubt = dict(before), machine.doubt
            try:
                taken = branch()
            except RaisedError:
                taken = frozenset({statements.Way.RAISE})
            finally:
                scope.doubt = doubt
            ways |= taken
            if taken - {statements.Way.RAISE, statements.Way.RETURN}:
                ends.append(scope.names)
    scope.names = merge(ends) if ends else before
    return frozenset(ways), ends


def if_statement(machine: Machine, node: tree.If, scope: Scope) -> statements.Ways:
    """``if``: the branch that is taken, or all that may be."""
    branches: list[Callable[[], statements.Ways]] = []
    for test, body in node.branches:
        value = expressions.evaluate(machine, test, scope)
        known = truth(value)
        if known is False:
            continue
        if known is True:
            if not branches:
                return statements.run(machine, body, scope)
            branches.append(_runner(machine, body, scope))
            break
        branches.append(_runner(machine, body, scope, gpu=_sees_gpu(value)))
    else:
        if not branches:
            return statements.run(machine, node.otherwise, scope)
        branches.append(_runner(machine, node.otherwise, scope))
    return fork(machine, scope, branches)[0]


def _runner(
    machine: Machine, body: tree.Block, scope: Scope, *, gpu: bool = False
) -> Callable[[], statements.Ways]:
    def branch() -> statements.Ways:
        machine.gpus += gpu
        try:
            return statements.run(machine, body, scope)
        finally:
            machine.gpus -= gpu

    return branch


def _sees_gpu(value: Value) -> bool:
    """Whether a condition is ``torch.cuda.is_available()``."""
    made = value.type if isinstance(value, Instance) else None
    return isinstance(made, External) and made.name == "torch.cuda.is_available"


def for_statement(machine: Machine, node: tree.For, scope: Scope) -> statements.Ways:
    """``for``: unrolled over what is known, else none or any round."""
    value = expressions.evaluate(machine, node.iterable, scope)
    members, complete = expressions.iterate(machine, value)
    left: set[statements.Way] = set()
    levels = 0
    for member in members:
        optional = isinstance(member, Choice) and UNBOUND in member.options
        with machine.doubtful(levels + optional):
            statements.assign(machine, node.target, member, scope)
            ways = statements.run(machine, node.body, scope)
        left |= ways & {statements.Way.RETURN, statements.Way.RAISE}
        leaves = not ways & {statements.Way.FALL, statements.Way.CONTINUE}
        if leaves and not levels and not optional:
            break
        if statements.Way.BREAK in ways or statements.Way.RETURN in ways:
            levels = 1
    else:
        if not complete:
            ways = _unknown_rounds(machine, node.target, node.body, scope)
            left |= ways & {statements.Way.RETURN, statements.Way.RAISE}
        return frozenset(left) | statements.run(machine, node.otherwise, scope)
    if statements.Way.BREAK not in ways:
        return frozenset(left)
    return frozenset(left) | statements.FALL


def _unknown_rounds(
    machine: Machine, target: tree.Expr | None, body: tree.Block, scope: Scope
) -> statements.Ways:
    """A loop of which the rounds are not known: none, or one over anything."""

    def once() -> statements.Ways:
        if target is not None:
            statements.assign(machine, target, Unknown("an element that is not known"), scope)
        return statements.run(machine, body, scope)

    return fork(machine, scope, [lambda: statements.FALL, once])[0]


def while_statement(machine: Machine, node: tree.While, scope: Scope) -> statements.Ways:
    """``while``: as long as its test is known, else none or any round."""
    left: set[statements.Way] = set()
    for _ in range(expressions.MAX_ITEMS):
        known = truth(expressions.evaluate(machine, node.test, scope))
        if known is False:
            return frozenset(left) | statements.run(machine, node.otherwise, scope)
        if known is None:
            break
        machine.step()
        ways = statements.run(machine, node.body, scope)
        left |= ways & {statements.Way.RETURN, statements.Way.RAISE}
        if not ways & {statements.Way.FALL, statements.Way.CONTINUE}:
            return frozenset(left) | (
                statements.FALL if statements.Way.BREAK in ways else frozenset()
            )
        if ways & {statements.Way.BREAK, statements.Way.RETURN}:
            break
    left |= _unknown_rounds(machine, None, node.body, scope) & {
        statements.Way.RETURN,
        statements.Way.RAISE,
    }
    return frozenset(left) | statements.run(machine, node.otherwise, scope)


_IMPORT_ERRORS = {"ImportError", "ModuleNotFoundError"}
_CATCH_ALL = {"Exception", "BaseException"}


def try_statement(machine: Machine, node: tree.Try, scope: Scope) -> statements.Ways:
    """``try``: the body, and the handlers that it may reach."""
    caught = [_names(handler.exception) for handler in node.handlers]
    fallback = any(
        (names is None or names & (_IMPORT_ERRORS | _CATCH_ALL)) and not _raises_again(handler)
        for names, handler in zip(caught, node.handlers, strict=True)
    )
    named = any(names is not None and "NameError" in names for names in caught)
    copes = any(not _raises_again(handler) for handler in node.handlers)
    swallowing.note(machine, node, scope)
    before = dict(scope.names)
    start = len(machine.events)
    failure: RaisedError | None = None
    try:
        machine.name_guards += named
        machine.tries += copes
        with machine.guarded(int(fallback)):
            ways = statements.run(machine, node.body, scope)
    except RaisedError as error:
        failure = error
        ways = frozenset({statements.Way.RAISE})
    finally:
        machine.name_guards -= named
        machine.tries -= copes
    if failure is not None or ways == frozenset({statements.Way.RAISE}):
        ways = _handle(machine, node, scope, failure)
    elif _may_fail(machine, node, caught, start):
        body_ways, body_names = ways, scope.names
        scope.names = before
        after = (
            [] if statements.Way.FALL not in body_ways else [lambda: _restore(scope, body_names)]
        )
        handlers = [_handler(machine, handler, scope) for handler in node.handlers]
        forked, _ = fork(machine, scope, [*after, *handlers])
        ways = (body_ways - {statements.Way.RAISE}) | forked
    if statements.Way.FALL in ways:
        ways = (ways - statements.FALL) | statements.run(machine, node.otherwise, scope)
    final = statements.run(machine, node.final, scope)
    return ways if statements.Way.FALL in final else final


def _restore(scope: Scope, names: dict[str, Value]) -> statements.Ways:
    scope.names = dict(names)
    return statements.FALL


def _handler(
    machine: Machine, handler: tree.Handler, scope: Scope
) -> Callable[[], statements.Ways]:
    def body() -> statements.Ways:
        if handler.name:
            place = Binding(scope.path, (1, 1, 1, 1))
            scope.bind(handler.name, Unknown("an exception"), place, machine.doubt)
        machine.handling += 1
        try:
            ways = statements.run(machine, handler.body, scope)
        finally:
            machine.handling -= 1
        if handler.name:
            scope.unbind(handler.name, machine.doubt)
        return ways

    return body


def _handle(
    machine: Machine, node: tree.Try, scope: Scope, failure: RaisedError | None
) -> statements.Ways:
    """The body certainly raises: the first handler that takes it runs."""
    kind = failure.kind if failure else "Exception"
    for handler in node.handlers:
        names = _names(handler.exception)
        exact = names is None or kind in names or names & _CATCH_ALL
        if exact or (kind == "ModuleNotFoundError" and "ImportError" in (names or ())):
            return _handler(machine, handler, scope)()
    if not node.handlers or (failure is not None and failure.kind in _IMPORT_ERRORS):
        statements.run(machine, node.final, scope)
        if failure is not None:
            raise failure
        return frozenset({statements.Way.RAISE})
    return fork(machine, scope, [_handler(machine, item, scope) for item in node.handlers])[0]


def _names(exception: tree.Expr | None) -> frozenset[str] | None:
    """The class names that a handler takes; None for everything."""
    if exception is None:
        return None
    items = exception.items if isinstance(exception, tree.Display) else (exception,)
    found = [
        item.id if isinstance(item, tree.Name) else getattr(item, "name", "") for item in items
    ]
    return frozenset(found)


def _raises_again(handler: tree.Handler) -> bool:
    """Whether a handler ends by raising or leaving: then it guards nothing."""
    last = handler.body.statements[-1] if handler.body.statements else None
    if isinstance(last, tree.Evaluate) and isinstance(last.value, tree.Call):
        function = last.value.function
        return isinstance(function, (tree.Attribute, tree.Name)) and (
            getattr(function, "name", None) or getattr(function, "id", None)
        ) in {"exit", "_exit", "quit"}
    return isinstance(last, tree.Raise)


def _may_fail(
    machine: Machine,
    node: tree.Try,
    caught: list[frozenset[str] | None],
    start: int,
) -> bool:
    """Whether the body may raise something that a handler takes."""
    if not node.handlers:
        return False
    imported = [
        item
        for item in machine.events[start:]
        if isinstance(item, ImportEvent) and item.origin in {"third party", "missing"}
    ]
    if any(item.module.partition(".")[0] != "torch" for item in imported):
        return True
    if all(names is not None and names <= _IMPORT_ERRORS for names in caught):
        # Nothing but an import raises these, and torch is there; its submodules may not be.
        return any("." in item.module for item in imported) or bool(
            imported and not _only_plain(node)
        )
    return not _only_plain(node)


_SIMPLE = (tree.Const, tree.Name)


def _only_plain(node: tree.Try) -> bool:
    """Whether the body is imports, definitions and constants alone, which do not fail."""
    plain = (tree.Import, tree.ImportFrom, tree.Function, tree.Class, tree.Jump)
    return all(
        isinstance(item, plain)
        or (isinstance(item, (tree.Assign, tree.Evaluate)) and isinstance(item.value, _SIMPLE))
        for item in node.body
    )


def with_statement(machine: Machine, node: tree.With, scope: Scope) -> statements.Ways:
    """``with``: the body; ``contextlib.suppress`` may cut it short."""
    suppress = False
    for context, target in node.items:
        value = expressions.evaluate(machine, context, scope)
        suppress |= calls.suppresses(value)
        if target is not None:
            statements.assign(machine, target, Unknown("a context manager's value"), scope)
    if not suppress:
        return statements.run(machine, node.body, scope)
    with machine.guarded():
        return fork(
            machine,
            scope,
            [lambda: statements.run(machine, node.body, scope), lambda: statements.FALL],
        )[0]


def match_statement(machine: Machine, node: tree.Match, scope: Scope) -> statements.Ways:
    """``match``: any of its cases, or none."""
    expressions.evaluate(machine, node.subject, scope)

    def runner(names: tuple[str, ...], body: tree.Block) -> Callable[[], statements.Ways]:
        def once() -> statements.Ways:
            for name in names:
                place = Binding(scope.path, node.at)
                scope.bind(name, Unknown("a captured value"), place, machine.doubt)
            return statements.run(machine, body, scope)

        return once

    branches = [runner(names, body) for names, _, body in node.cases]
    return fork(machine, scope, [*branches, lambda: statements.FALL])[0]
