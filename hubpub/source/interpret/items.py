"""Items: ``value[index]``, read and written, of dicts, lists and ``globals()``."""

from __future__ import annotations

from typing import Any

from hubpub.source import tree
from hubpub.source.interpret import attributes, searchpath, standard
from hubpub.source.interpret.machine import HUBCONF, Machine, RaisedError
from hubpub.source.interpret.scopes import Binding, Scope
from hubpub.source.interpret.values import (
    UNBOUND,
    Absent,
    Choice,
    Class,
    External,
    Function,
    Instance,
    Items,
    Literal,
    Native,
    NotPlain,
    Table,
    Unknown,
    Value,
    join,
    literal,
    options,
    plain,
    string,
)


def item(machine: Machine, value: Value, index: Value, scope: Scope, at: tree.At) -> Value:
    """``value[index]``."""
    found = [_item(machine, value, option, scope, at) for option in options(index)]
    return join(found)


def _item(machine: Machine, value: Value, index: Value, scope: Scope, at: tree.At) -> Value:
    if isinstance(value, Table):
        return _table_item(value, index)
    if isinstance(value, Items):
        return _items_item(value, index)
    if isinstance(value, Native) and value.name == "sys.modules":
        return _loaded(machine, string(index), scope, at)
    if searchpath.is_search_path(value):
        return searchpath.entry(machine, index)
    if isinstance(value, Native) and value.value is not None:
        return Native(f"{value.name}[...]", list[int]) if _generic(value) else Unknown("an item")
    if isinstance(value, External):
        return External(f"{value.name}[...]", called=True)
    if isinstance(value, Class):
        name = string(index)
        if attributes.is_enum(value):
            return (
                attributes.member(value, name, value.names[name])
                if name in value.names
                else join(attributes.members(value) or [Unknown("a member")])
            )
        return value
    if isinstance(value, Literal):
        try:
            return literal(value.value[plain(index)])
        except (NotPlain, TypeError, KeyError, IndexError, ValueError):
            return Unknown("an item of a literal")
    return Unknown("an item of a value that is not known")


def _generic(value: Native) -> bool:
    return isinstance(value.value, type) or value.name.partition(".")[0] in {
        "typing", "collections", "typing_extensions",
    }  # fmt: skip


def _loaded(machine: Machine, name: str | None, scope: Scope, at: tree.At) -> Value:
    """``sys.modules[name]``. The loader never puts hubconf there (torch.hub._import_module)."""
    if name is None:
        return Unknown("a module whose name is not literal")
    if name == HUBCONF:
        raise RaisedError(
            "KeyError", "hubconf is never in sys.modules when torch.hub loads it", (scope.path, at)
        )
    found = machine.modules.get(name)
    if found is not None:
        return found
    return standard.module(name) or External(name)


def _key(index: Value) -> Any:
    key = plain(index)
    hash(key)
    return key


def _table_item(value: Table, index: Value) -> Value:
    try:
        key = _key(index)
    except (NotPlain, TypeError):
        members_ = list(contents(value).values())
        if isinstance(index, Instance):  # members of an enumeration as keys
            for name, member in value.items.items():
                if isinstance(name, Identity) and name.matches(index):
                    return member
        return join(members_) if members_ else Unknown("an item of an unknown dict")
    found = contents(value).get(key, UNBOUND)
    if isinstance(found, Absent):
        return Unknown(f"no such key: {key!r:.40}")
    return found


def contents(value: Table) -> dict[Any, Value]:
    """What a dict holds: for ``globals()``, the names of the module."""
    return value.items if value.scope is None else value.scope.names


def keys(value: Table) -> list[Value]:
    """The keys of a dict."""
    held = contents(value)
    return [
        literal(key) if not isinstance(key, Identity) else key.value
        for key, member in held.items()
        if not isinstance(member, Absent)
    ]


def _items_item(value: Items, index: Value) -> Value:
    if isinstance(index, Literal) and isinstance(index.value, slice):
        return Items(value.kind, value.items[index.value], value.open)
    if isinstance(index, Literal) and isinstance(index.value, int) and not value.open:
        try:
            return value.items[index.value]
        except IndexError:
            return Unknown("an index past the end")
    return join(value.items) if value.items else Unknown("an item of an unknown list")


class Identity:
    """A dict key that is compared by what it is: a member of an enumeration, a class."""

    def __init__(self, value: Value) -> None:
        self.value = value

    def _mark(self) -> tuple[object, ...]:
        value = self.value
        if isinstance(value, Instance) and "name" in value.attributes:
            return (id(value.type), string(value.attributes["name"]))
        return (id(value),)

    def matches(self, other: Value) -> bool:
        """Whether ``other`` is the same key."""
        return self._mark() == Identity(other)._mark()  # noqa: SLF001

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Identity) and self.matches(other.value)

    def __hash__(self) -> int:
        return hash(self._mark())


def store_item(
    machine: Machine, table: Value, index: Value, given: Value, scope: Scope, at: tree.At
) -> None:
    """``table[index] = given``, which binds a name where the table is that of a module."""
    for option in options(index):
        with machine.doubtful(1 if isinstance(index, Choice) else 0):
            _store(machine, table, option, given, scope, at)


def _store(
    machine: Machine, table: Value, index: Value, given: Value, scope: Scope, at: tree.At
) -> None:
    if isinstance(table, Items):
        if (
            isinstance(index, Literal)
            and isinstance(index.value, int)
            and (-len(table.items) <= index.value < len(table.items))
        ):
            table.items[index.value] = given
        return
    if not isinstance(table, Table):
        return
    try:
        key = _key(index)
    except (NotPlain, TypeError):
        known = isinstance(index, (Class, Function)) or (
            isinstance(index, Instance) and isinstance(index.type, Class)
        )
        if known and table.scope is None:
            table.items[Identity(index)] = given
            return
        table.open = True
        if table.scope is not None:
            machine.unread(table.scope, "a name that is made at import", scope, at)
        return
    if table.scope is not None:
        if isinstance(key, str):
            table.scope.bind(key, given, Binding(scope.path, at), machine.doubt)
        return
    old = table.items.get(key, UNBOUND)
    table.items[key] = join([old, given]) if machine.doubt > table.doubt else given


def update(machine: Machine, table: Table, other: Value, scope: Scope, at: tree.At) -> None:
    """``table.update(other)`` for a dict, or for an iterable of pairs."""
    if isinstance(other, Table):
        for key, value in list(contents(other).items()):
            index = key.value if isinstance(key, Identity) else literal(key)
            with machine.doubtful(1 if other.scope is None and _optional(value) else 0):
                _store(machine, table, index, value, scope, at)
        if not other.open and not (other.scope is not None and other.scope.unread):
            return
    elif isinstance(other, Items) and not other.open:
        pairs = [pair.items for pair in other.items if isinstance(pair, Items)]
        if len(pairs) == len(other.items) and all(len(pair) == 2 for pair in pairs):
            for index, value in pairs:
                store_item(machine, table, index, value, scope, at)
            return
    table.open = True
    if table.scope is not None:
        machine.unread(table.scope, "names that are made at import", scope, at)


def _optional(value: Value) -> bool:
    return isinstance(value, Choice) and UNBOUND in value.options


def remove(machine: Machine, table: Table, index: Value, scope: Scope, at: tree.At) -> None:
    """``del table[index]``."""
    key = string(index)
    if key is None:
        if table.scope is not None:
            machine.unread(table.scope, "a name that is deleted at import", scope, at)
        for name, value in list(table.items.items()):
            table.items[name] = join([value, UNBOUND])
        table.open = True
    elif table.scope is not None:
        table.scope.unbind(key, machine.doubt)
    elif machine.doubt > table.doubt:
        table.items[key] = join([table.items.get(key, UNBOUND), UNBOUND])
    else:
        table.items.pop(key, None)
