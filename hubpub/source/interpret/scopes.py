"""Names and what they are bound to, with the doubt that branches leave behind."""

from __future__ import annotations

from dataclasses import dataclass, field

from hubpub.source import tree
from hubpub.source.interpret.values import UNBOUND, Absent, Choice, External, Items, Value, join


@dataclass(eq=False, slots=True)
class Binding:
    """Where a name was last bound; ``name`` None where its own place is the whole statement."""

    path: str
    at: tree.At
    imported: bool = False


@dataclass(eq=False, slots=True)
class Scope:
    """The names of a module, a function call or a class body.

    A write while the machine doubts more than the scope does (the code may not run at all) keeps
    what was there before as a possibility.
    """

    path: str
    module: str
    kind: str
    parent: Scope | None = None
    names: dict[str, Value] = field(default_factory=dict)
    places: dict[str, Binding] = field(default_factory=dict)
    globals: set[str] = field(default_factory=set)
    nonlocals: set[str] = field(default_factory=set)
    doubt: int = 0
    package: str = ""
    stars: list[External] = field(default_factory=list)
    unread: bool = False
    returns: list[Value] = field(default_factory=list)
    yields: Items | None = None

    @property
    def root(self) -> Scope:
        """The scope of the module."""
        scope = self
        while scope.parent is not None:
            scope = scope.parent
        return scope

    def home(self, name: str) -> Scope:
        """The scope in which this one binds ``name``."""
        if name in self.globals:
            return self.root
        if name in self.nonlocals:
            scope = self.parent
            while scope is not None and scope.parent is not None:
                if name in scope.names:
                    return scope
                scope = scope.parent
        return self

    def find(self, name: str) -> Value:
        """What ``name`` means here, builtins aside; :data:`UNBOUND` where it is not bound."""
        if name in self.globals:
            return self.root.names.get(name, UNBOUND)
        scope: Scope | None = self
        missing: list[Value] = []
        while scope is not None:
            if scope is self or scope.kind != "class":
                value = scope.names.get(name, UNBOUND)
                if not isinstance(value, Absent):
                    known = [*missing, value]
                    if isinstance(value, Choice) and UNBOUND in value.options and scope.parent:
                        missing = [item for item in known if not isinstance(item, Absent)]
                    else:
                        return join(known) if missing else value
            scope = scope.parent
        return join(missing) if missing else UNBOUND

    def bind(self, name: str, value: Value, place: Binding, doubt: int) -> None:
        """Bind ``name`` in its home scope."""
        home = self.home(name)
        if doubt > home.doubt:
            value = join([home.names.get(name, UNBOUND), value])
        home.names[name] = value
        home.places[name] = place

    def unbind(self, name: str, doubt: int) -> None:
        """Undo a binding (``del``)."""
        home = self.home(name)
        if doubt > home.doubt:
            home.names[name] = join([home.names.get(name, UNBOUND), UNBOUND])
        else:
            home.names.pop(name, None)


def merge(branches: list[dict[str, Value]]) -> dict[str, Value]:
    """The names after code that took one of several branches."""
    if len(branches) == 1:
        return branches[0]
    names = list(dict.fromkeys(name for branch in branches for name in branch))
    return {name: join(branch.get(name, UNBOUND) for branch in branches) for name in names}
