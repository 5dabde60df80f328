"""The state of one abstract interpretation, and what it reports on the way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from hubpub.source import tree
from hubpub.source.files import Files
from hubpub.source.interpret.scopes import Scope
from hubpub.source.interpret.values import Module, Value
from hubpub.source.text import Unreadable

HUBCONF = "hubconf.py"
"""The module name that torch.hub gives to hubconf (torch.hub._import_module), not ``hubconf``."""
ROOT = "/repository"
"""Where the repository stands, for ``__file__``; a path that exists nowhere is read nowhere."""

IMPORT_STEPS = 400_000
"""Statements and calls followed while hubconf is imported, all modules together."""
CALL_STEPS = 20_000
"""Statements and calls followed inside one entrypoint."""
ALL_CALL_STEPS = 200_000
"""Statements and calls followed inside all entrypoints together."""
MAX_CALLS = 40
"""Calls nested deeper than this are not followed."""

Place = tuple[str, tree.At]
"""A path and an extent in it."""


@dataclass(frozen=True, slots=True)
class ImportEvent:
    """An import statement was reached.

    ``origin`` is ``repository``, ``standard library``, ``third party`` or ``missing`` (a module
    that belongs to the repository by its first part, but that the tree does not hold). ``inside``
    is ``guarded`` and ``conditional`` as seen from the module that is being imported.
    """

    module: str
    origin: str
    place: Place
    guarded: bool
    conditional: bool
    chain: tuple[Place, ...]
    file: str | None = None
    inside: tuple[bool, bool] = (False, False)


@dataclass(frozen=True, slots=True)
class CallEvent:
    """A call of a function that rules ask about was reached.

    ``written``: it is written as a call of this function, and nothing hides any of its arguments.
    ``guarded``: a handler copes with its failure. ``on_gpu``: where torch sees a GPU only.
    """

    function: str
    place: Place
    arguments: tuple[tuple[str | int, Value], ...]
    places: tuple[tuple[str | int, Place], ...]
    complete: bool
    conditional: bool
    written: bool = False
    guarded: bool = False
    on_gpu: bool = False


@dataclass(frozen=True, slots=True)
class PathEvent:
    """``sys.path`` was changed; ``entry`` is the directory as far as it is known.

    ``action`` is add, remove or assign; ``index`` where in the list, None where that is not known.
    ``keeps``: the loader's own entry may still be there afterwards.
    """

    entry: str | None
    place: Place
    action: str = "add"
    index: int | None = None
    conditional: bool = False
    chain: tuple[Place, ...] = ()
    keeps: bool = True


@dataclass(frozen=True, slots=True)
class EffectEvent:
    """A call that does something beyond making objects (:mod:`.effects`) was reached.

    ``guarded``: a handler copes with its failure; ``fallback``: it stands in a handler.
    ``default`` is where the text stands that makes it so.
    """

    kind: str
    shown: str
    place: Place
    conditional: bool
    guarded: bool
    fallback: bool
    chain: tuple[Place, ...]
    default: Place | None


@dataclass(frozen=True, slots=True)
class RelativeEvent:
    """A relative import in hubconf.py, which has no parent package, was reached."""

    place: Place
    conditional: bool


@dataclass(frozen=True, slots=True)
class SwallowEvent:
    """A handler takes any exception of the import of ``modules`` and says nothing of it."""

    modules: tuple[str, ...]
    caught: str
    place: Place


@dataclass(frozen=True, slots=True)
class DynamicEvent:
    """A place where names are made or lost that cannot be read."""

    reason: str
    place: Place


@dataclass(frozen=True, slots=True)
class LackEvent:
    """A call that passes ``*args`` or ``**kwargs`` on certainly lacks arguments of ``callee``."""

    callee: str
    parameters: tuple[str, ...]
    place: Place


Event = (
    ImportEvent
    | CallEvent
    | PathEvent
    | DynamicEvent
    | LackEvent
    | EffectEvent
    | RelativeEvent
    | SwallowEvent
)


class RaisedError(Exception):
    """The interpreted code certainly raises here. ``kind`` is the exception's class name."""

    def __init__(self, kind: str, reason: str, place: Place | None) -> None:
        super().__init__(reason)
        self.kind = kind
        self.reason = reason
        self.place = place


class ExhaustedError(Exception):
    """More work than is followed."""


@dataclass(eq=False)
class Machine:
    """One interpretation of one repository.

    ``doubt`` counts the enclosing branches that may not run at all; whatever was made under less
    doubt than the machine's can only be joined with, never overwritten. ``guards`` counts the
    enclosing handlers that cope with a failed import, ``tries`` those that cope with anything,
    ``gpus`` the branches that are taken only where torch sees a GPU; ``handling`` counts the
    handlers that are being run. ``noted`` are effects of importing.
    ``bases`` are the guards and doubts under which the modules that are being imported began, and
    ``reached`` is what each module imported by itself, where it may be imported again otherwise.
    ``asked`` are the paths of which the code asks whether they are there, ``results`` what the
    entrypoint that was followed last returns.
    """

    files: Files
    hub: str
    path: list[str] = field(default_factory=lambda: [""])
    modules: dict[str, Module | None] = field(default_factory=dict)
    running: list[Place] = field(default_factory=list)
    bases: list[tuple[int, int]] = field(default_factory=list)
    reached: dict[str, tuple[ImportEvent, ...]] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    doubt: int = 0
    guards: int = 0
    name_guards: int = 0
    tries: int = 0
    gpus: int = 0
    handling: int = 0
    steps: int = IMPORT_STEPS
    calls: list[object] = field(default_factory=list)
    importing: bool = True
    budget: int = ALL_CALL_STEPS
    memo: dict[object, tuple[Value, tuple[Event, ...]]] = field(default_factory=dict)
    trees: dict[str, tree.Module | None] = field(default_factory=dict)
    unreadable: dict[str, Unreadable] = field(default_factory=dict)
    failed: list[RaisedError] = field(default_factory=list)
    asked: set[str] = field(default_factory=set)
    noted: set[object] = field(default_factory=set)
    results: list[Value] = field(default_factory=list)

    @property
    def circumstances(self) -> tuple[bool, ...]:
        """All that events say of where they happen: a call is remembered for these alone."""
        depths = (self.doubt, self.guards, self.tries, self.handling, self.gpus)
        return tuple(depth > 0 for depth in depths)

    def step(self, cost: int = 1) -> None:
        """Spend some of the budget; raises :class:`ExhaustedError` when it is gone."""
        self.steps -= cost
        if self.steps < 0:
            raise ExhaustedError

    @contextmanager
    def doubtful(self, levels: int = 1) -> Iterator[None]:
        """What is interpreted inside may not run at all."""
        self.doubt += levels
        try:
            yield
        finally:
            self.doubt -= levels

    @contextmanager
    def guarded(self, levels: int = 1) -> Iterator[None]:
        """What is interpreted inside is caught when it fails to import."""
        self.guards += levels
        try:
            yield
        finally:
            self.guards -= levels

    def dynamic(self, reason: str, scope: Scope, at: tree.At) -> None:
        """Report that names cannot be read, if it happens while hubconf is imported."""
        event = DynamicEvent(reason, (scope.path, at))
        if self.importing and event not in self.events:
            self.events.append(event)

    def unread(self, scope: Scope, reason: str, origin: Scope, at: tree.At) -> None:
        """Names of the module of ``scope`` change in a way that cannot be read."""
        scope.root.unread = True
        if scope.root.path == self.hub:
            self.dynamic(reason, origin, at)
