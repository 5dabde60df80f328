"""The ``dependencies`` of hubconf.py, and where each item is written."""

from __future__ import annotations

from hubpub.source import facts, reading, tree
from hubpub.source.interpret import items
from hubpub.source.interpret.values import (
    Choice,
    External,
    Instance,
    Items,
    Literal,
    Table,
    Unknown,
    Value,
)


def dependencies(outcome: reading.Outcome) -> facts.Dependencies:
    """The ``dependencies`` of hubconf.py, as torch.hub._check_dependencies reads them."""
    value = outcome.scope.names.get("dependencies")
    binding = outcome.scope.places.get("dependencies")
    if value is None or binding is None:
        return facts.Dependencies("absent", (), facts.Place(reading.HUBCONF), True)
    bound = reading.place((binding.path, binding.at))
    kinds = {str: "string", type(None): "none"}
    found: list[Value] = []
    complete = True
    if isinstance(value, Items):
        kind, found, complete = value.kind, value.items, not value.open
    elif isinstance(value, Table):
        kind, found, complete = "dict", items.keys(value), not value.open
    elif isinstance(value, Literal):
        kind = kinds.get(type(value.value), "other")
        found = [value] if kind == "string" else []
    elif isinstance(value, (Choice, Unknown, External, Instance)):
        kind, complete = "unknown", False
    else:
        kind = "other"
    display = _display(outcome.module)
    written = display is not None and len(value.items if isinstance(value, Items) else ()) == len(
        display.items
    )
    return facts.Dependencies(
        kind,
        tuple(_requirement(item, bound) for item in found),
        bound,
        complete,
        reading.place((reading.HUBCONF, display.at)) if display is not None and written else None,
        _assigned(outcome.module),
    )


def _requirement(value: Value, bound: facts.Place) -> facts.Requirement:
    if isinstance(value, Literal):
        where = reading.place(value.place) if value.place else bound
        text = value.value if isinstance(value.value, str) else None
        return facts.Requirement(text, repr(value.value)[:80], where)
    return facts.Requirement(None, "(not a literal)", bound)


def _display(module: tree.Module) -> tree.Display | None:
    """The one list display that is assigned to ``dependencies``, if that is how it is written."""
    found = _assignments(module)
    if len(found) == 1 and isinstance(found[0].value, tree.Display):
        display = found[0].value
        return None if any(isinstance(item, tree.Starred) for item in display.items) else display
    return None


def _assigned(module: tree.Module) -> facts.Place | None:
    found = _assignments(module)
    value = found[0].value if len(found) == 1 else None
    return None if value is None else reading.place((reading.HUBCONF, value.at))


def _assignments(module: tree.Module) -> list[tree.Assign]:
    return [
        statement
        for statement in module.body
        if isinstance(statement, tree.Assign)
        and any(
            isinstance(item, tree.Name) and item.id == "dependencies" for item in statement.targets
        )
    ]
