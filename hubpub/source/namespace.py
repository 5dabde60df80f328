"""The names of hubconf.py that are no entrypoints, ``__all__``, and which leaks can be renamed."""

from __future__ import annotations

from types import MappingProxyType

from hubpub.source import facts, reading, renaming, tree
from hubpub.source.facts_entry import Listed, Namespace, PlainName
from hubpub.source.interpret import callables, known
from hubpub.source.interpret.values import External, Items, Module, Native, Value, options, string
from hubpub.source.text import Text

_BY_DESIGN = {"dependencies"}
"""Names that torch.hub itself reads."""


def namespace(
    outcome: reading.Outcome, found: tuple[facts.Entrypoint, ...], text: Text
) -> Namespace:
    """What is known of the names of hubconf.py; ``found`` are its entrypoints."""
    wanted = [item.name for item in found if item.leak and (item.imported or not item.decorated)]
    names = renaming.renamings(reading.HUBCONF, text, wanted)
    places = {item.name: item.bound if item.imported else item.place for item in found}
    return Namespace(
        frozenset(outcome.scope.names),
        tuple(_plain(outcome)),
        _listed(outcome),
        MappingProxyType(
            {name: item for name, item in sorted(names.items()) if item.place == places[name]}
        ),
    )


def _plain(outcome: reading.Outcome) -> list[PlainName]:
    found = []
    for name, value in sorted(outcome.scope.names.items()):
        if name.startswith("_") or name in _BY_DESIGN:
            continue
        answer = callables.certainty(value)
        binding = outcome.scope.places.get(name)
        if answer.callable is not False or not answer.certain or binding is None:
            continue
        kind = "module" if all(_is_module(item) for item in options(value)) else "value"
        found.append(PlainName(name, kind, reading.place((binding.path, binding.at))))
    return found


def _is_module(value: Value) -> bool:
    if isinstance(value, Native):
        return type(value.value).__name__ == "module"
    return isinstance(value, Module) or (isinstance(value, External) and known.is_module(value))


def _listed(outcome: reading.Outcome) -> Listed | None:
    """``__all__``, where hubconf.py itself assigns it."""
    for statement in outcome.module.body:
        targets = statement.targets if isinstance(statement, tree.Assign) else ()
        for target in targets:
            if isinstance(target, tree.Name) and target.id == "__all__":
                return Listed(
                    reading.place((reading.HUBCONF, target.at)),
                    _strings(outcome.scope.names.get("__all__")),
                )
    return None


def _strings(value: Value | None) -> frozenset[str] | None:
    if not isinstance(value, Items) or value.open:
        return None
    found = [string(item) for item in value.items]
    return None if None in found else frozenset(item for item in found if item is not None)
