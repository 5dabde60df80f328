"""What entrypoints do in any case: what they return, and which checkpoints they load."""

from __future__ import annotations

import argparse
import logging
import pathlib
from collections.abc import Iterator, Mapping, Sequence

from hubpub.source import tree
from hubpub.source.interpret.machine import CallEvent
from hubpub.source.interpret.values import (
    NONE,
    Bound,
    Function,
    Instance,
    Items,
    Literal,
    Native,
    Partial,
    Table,
    Unknown,
    Value,
    options,
)

_DATA = (str, bytes, int, float, complex, argparse.Namespace, pathlib.PurePath, logging.Logger)
"""Types of the standard library whose values hold no model."""
_DEEP = 5
"""Calls whose results are returned are followed so far for whether they return anything."""


def returns_nothing(value: Value, results: Sequence[Value]) -> bool:
    """Whether every way through the callable ``value`` certainly returns None.

    ``results`` is what following it gave; a ``return`` of anything else that was not reached there
    counts as well.
    """
    every = [option for result in results for option in options(result)]
    if not every or any(option != NONE for option in every):
        return False
    return all(_is_silent(option, _DEEP) for option in options(value))


def _is_silent(value: Value, depth: int) -> bool:
    """Whether a function has no ``return`` but of None, or of another such function's result."""
    if isinstance(value, Partial):
        return all(_is_silent(option, depth) for option in options(value.function))
    function = value.function if isinstance(value, Bound) else value
    if not isinstance(function, Function) or function.decorated or not depth:
        return False
    node = function.node
    if isinstance(node, tree.Lambda) or node.is_async:
        return False
    for given in _returns(node.body):
        if given is None or (isinstance(given, tree.Const) and given.value is None):
            continue
        if not (isinstance(given, tree.Call) and isinstance(given.function, tree.Name)):
            return False
        target = function.scope.find(given.function.id)
        if not all(_is_silent(option, depth - 1) for option in options(target)):
            return False
    return True


def _returns(block: tree.Block) -> Iterator[tree.Expr | None]:
    """What the ``return`` statements of a function give, those of functions inside it aside."""
    pending: list[tree.Stmt] = list(block)
    while pending:
        statement = pending.pop()
        if isinstance(statement, tree.Return):
            yield statement.value
        elif isinstance(statement, tree.Opaque):
            yield statement  # nested too deeply to be read: it may return anything
        for inner in _blocks(statement):
            pending.extend(inner)


def _blocks(statement: tree.Stmt) -> Iterator[tree.Block]:
    if isinstance(statement, tree.If):
        yield from (body for _, body in statement.branches)
        yield statement.otherwise
    elif isinstance(statement, (tree.For, tree.While)):
        yield from (statement.body, statement.otherwise)
    elif isinstance(statement, tree.Try):
        yield from (statement.body, statement.otherwise, statement.final)
        yield from (handler.body for handler in statement.handlers)
    elif isinstance(statement, tree.With):
        yield statement.body
    elif isinstance(statement, tree.Match):
        yield from (body for _, _, body in statement.cases)


def is_data(results: Sequence[Value]) -> bool:
    """Whether a callable certainly returns plain data: text, numbers, settings, but no model."""
    every = [option for result in results for option in options(result)]
    return bool(every) and all(_is_plain(option, _DEEP) for option in every)


def _is_plain(value: Value, depth: int) -> bool:
    if isinstance(value, Literal):
        return value.value is not None
    if isinstance(value, Items) and not value.open and depth:
        members = [option for item in value.items for option in options(item)]
        return bool(members) and all(_is_plain(item, depth - 1) for item in members)
    if isinstance(value, Instance) and isinstance(value.type, Native):
        return isinstance(value.type.value, type) and issubclass(value.type.value, _DATA)
    if isinstance(value, Table) and not value.open and value.scope is None and depth:
        members = [option for item in value.items.values() for option in options(item)]
        return bool(members) and all(_is_plain(item, depth - 1) for item in members)
    return False


def always(
    names: Mapping[str, Value], seen: Sequence[tuple[CallEvent, str | None]]
) -> tuple[str, ...]:
    """The entrypoints that make a call whatever their arguments are.

    Not those that are one of several functions, nor partials that preset a switch, which callers
    may set again. A call that opens what the caller names is the caller's choice.
    """
    found = {name for event, name in seen if name is not None and _is_certain(event)}
    return tuple(sorted(name for name in found if _has_no_switch(names[name])))


def _is_certain(event: CallEvent) -> bool:
    first = event.arguments[0][1] if event.arguments else Unknown("nothing is given")
    chosen = any(
        isinstance(option, Unknown)
        and option.reason.startswith("the parameter ")
        and (option.default is None or option.default == NONE)
        for option in options(first)
    )
    return not event.conditional and not chosen


def _has_no_switch(value: Value) -> bool:
    if isinstance(value, Partial):
        preset = [option for item in value.keywords.values() for option in options(item)]
        return not any(
            isinstance(item, Literal) and (item.value is None or isinstance(item.value, bool))
            for item in preset
        ) and _has_no_switch(value.function)
    return len(options(value)) == 1
