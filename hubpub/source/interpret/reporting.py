"""What is noted of calls on the way: those of the functions that rules ask about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hubpub.source import tree
from hubpub.source.interpret import known, noted
from hubpub.source.interpret.machine import CallEvent, Machine
from hubpub.source.interpret.scopes import Scope

if TYPE_CHECKING:
    from hubpub.source.interpret.calls import Given


def report(machine: Machine, name: str, given: Given, scope: Scope, at: tree.At) -> None:
    """Note a call of a function that rules ask about, its arguments by their parameters' names."""
    parameters = known.REPORTED.get(name) or noted.NOTED.get(name)
    if parameters is None:
        return
    named = [
        (parameters[index] if index < len(parameters) else index, value)
        for index, value in enumerate(given.positional)
    ]
    places = tuple(
        (parameters[key] if isinstance(key, int) and key < len(parameters) else key, place)
        for key, place in given.places
    )
    machine.events.append(
        CallEvent(
            name,
            (scope.path, at),
            (*named, *given.keywords.items()),
            places,
            given.complete,
            machine.doubt > 0,
            given.written,
            machine.tries > 0,
            machine.gpus > 0,
        )
    )
