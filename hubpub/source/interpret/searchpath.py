"""Changes of ``sys.path``: only places inside the repository are searched."""

from __future__ import annotations

from hubpub.source import tree
from hubpub.source.interpret import (
    expressions,
    filesystem,
)
from hubpub.source.interpret.machine import (
    Machine,
    PathEvent,
)
from hubpub.source.interpret.scopes import Scope
from hubpub.source.interpret.values import (
    Literal,
    Native,
    Unknown,
    Value,
    options,
    string,
)


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
        text = string(option)
        if isinstance(option, Literal) and text is None:
            text = str(option.value)
        machine.events.append(PathEvent(text, (scope.path, at)))
        if text is None:
            continue
        place = filesystem.inside(text)
        if place is not None and place not in machine.path:
            machine.path.insert(index, place)
