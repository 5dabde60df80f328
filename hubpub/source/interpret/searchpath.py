"""Changes of ``sys.path``: only places inside the repository are searched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hubpub.source import tree
from hubpub.source.interpret import (
    expressions,
    filesystem,
)
from hubpub.source.interpret.machine import (
    ROOT,
    Machine,
    PathEvent,
)
from hubpub.source.interpret.scopes import Scope
from hubpub.source.interpret.values import (
    NONE,
    Items,
    Literal,
    Native,
    Unknown,
    Value,
    options,
    string,
)

if TYPE_CHECKING:
    from hubpub.source.interpret.calls import Given

FIRST = f"{ROOT}/."
"""``sys.path[0]``: the loader puts the repository there. Spelled so that it can be told apart."""


def is_search_path(value: Value) -> bool:
    """Whether ``value`` is ``sys.path``."""
    return isinstance(value, Native) and value.name == "sys.path"


def extend_search_path(machine: Machine, given: Value, scope: Scope, at: tree.At) -> None:
    """``sys.path += given``."""
    members_, _ = expressions.iterate(machine, given)
    for member in members_ or [Unknown("entries that are not known")]:
        add_search_path(machine, member, len(machine.path), scope, at)


def add_search_path(machine: Machine, entry: Value, index: int, scope: Scope, at: tree.At) -> None:
    """``sys.path.insert(index, entry)``; only places inside the repository are searched."""
    for option in options(entry):
        text = _text(option)
        _note(machine, text, scope, at, index=index)
        if text is None:
            continue
        place = filesystem.inside(text)
        if place is not None and place not in machine.path:
            machine.path.insert(index, place)


def _text(value: Value) -> str | None:
    text = string(value)
    return str(value.value) if isinstance(value, Literal) and text is None else text


def _note(
    machine: Machine,
    text: str | None,
    scope: Scope,
    at: tree.At,
    *,
    action: str = "add",
    index: int | None = None,
    keeps: bool = True,
) -> None:
    chain = tuple(machine.running)
    place = (scope.path, at)
    machine.events.append(
        PathEvent(text, place, action, index, machine.doubt > 0, chain, keeps=keeps)
    )


def entry(machine: Machine, index: Value) -> Value:
    """``sys.path[index]``: the first is the repository, while nothing was put before it."""
    first = isinstance(index, Literal) and index.value == 0 and not isinstance(index.value, bool)
    if first and machine.path[:1] == [""]:
        return Literal(FIRST)
    return Unknown("an entry of sys.path")


def pop(machine: Machine, given: Given, scope: Scope, at: tree.At) -> Value:
    """``sys.path.pop(index)``."""
    index = given.positional[0] if given.positional else Literal(-1)
    delete_entry(machine, index, scope, at)
    return Unknown("an entry of sys.path")


def delete_entry(machine: Machine, index: Value, scope: Scope, at: tree.At) -> None:
    """``del sys.path[index]``."""
    where = index.value if isinstance(index, Literal) and isinstance(index.value, int) else None
    _note(machine, None, scope, at, action="remove", index=where, keeps=where != 0)


def remove(machine: Machine, given: Given, scope: Scope, at: tree.At) -> Value:
    """``sys.path.remove(entry)``."""
    for value in given.positional[:1]:
        text = _text(value)
        root = text is not None and filesystem.inside(text) == ""
        _note(machine, text, scope, at, action="remove", keeps=not root)
    return NONE


def clear(machine: Machine, given: Given, scope: Scope, at: tree.At) -> Value:
    """``sys.path.clear()``."""
    del given
    _note(machine, None, scope, at, action="assign", keeps=False)
    return NONE


def set_entry(machine: Machine, index: Value, value: Value, scope: Scope, at: tree.At) -> None:
    """``sys.path[index] = value``, and ``sys.path[:] = value``."""
    if isinstance(index, Literal) and isinstance(index.value, slice):
        replace(machine, value, scope, at)
        return
    first = isinstance(index, Literal) and index.value == 0
    _note(machine, _text(value), scope, at, action="assign", keeps=not first or _holds_root(value))


def replace(machine: Machine, value: Value, scope: Scope, at: tree.At) -> None:
    """``sys.path = value``."""
    keeps = True
    if isinstance(value, Items) and not value.open:
        keeps = any(_holds_root(item) for item in value.items)
    _note(machine, None, scope, at, action="assign", keeps=keeps)


def _holds_root(value: Value) -> bool:
    """Whether an entry may be the repository itself."""
    texts = [_text(option) for option in options(value)]
    return any(text is None or filesystem.inside(text) == "" for text in texts)
