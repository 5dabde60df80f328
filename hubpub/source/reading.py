"""Facts from an interpretation: entrypoints, imports and calls, put into words of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from hubpub.diagnostic import Span
from hubpub.source import facts, tree
from hubpub.source.files import Files
from hubpub.source.interpret import callables, calls, imports, statements
from hubpub.source.interpret import machine as machine_
from hubpub.source.interpret.machine import (
    CALL_STEPS,
    Event,
    ExhaustedError,
    LackEvent,
    Machine,
    RaisedError,
)
from hubpub.source.interpret.machine import Place as At
from hubpub.source.interpret.scopes import Scope
from hubpub.source.interpret.values import (
    Bound,
    Class,
    External,
    Function,
    Instance,
    Partial,
    Value,
    options,
)

HUBCONF = "hubconf.py"


@dataclass
class Outcome:
    """An interpreted hubconf: its names, and what happened while it was imported and called."""

    machine: Machine
    scope: Scope
    module: tree.Module
    imported: tuple[Event, ...]
    called: dict[str, tuple[Event, ...]]
    failures: tuple[facts.Problem, ...]
    unfollowed: list[str] = field(default_factory=list)
    returned: dict[str, frozenset[str]] = field(default_factory=dict)
    results: dict[str, tuple[Value, ...]] = field(default_factory=dict)
    lacks: dict[str, LackEvent] = field(default_factory=dict)

    def phases(self) -> Iterator[tuple[str | None, tuple[Event, ...]]]:
        """What happens while hubconf is imported (None), then when each entrypoint is called."""
        yield None, self.imported
        yield from self.called.items()


def place(at: At) -> facts.Place:
    """A path and an extent as a fact."""
    return facts.Place(at[0], Span(*at[1]))


def interpret(files: Files, module: tree.Module) -> Outcome:
    """Import hubconf.py as torch.hub does, then call each of its entrypoints with anything."""
    machine = Machine(files, HUBCONF)
    machine.trees[HUBCONF] = module
    scope = imports.module_scope(machine_.HUBCONF, HUBCONF, (), 0)
    scope.package = ""
    failures = []
    try:
        statements.run_module(machine, module, scope)
    except RaisedError as error:
        failures.append(facts.Problem(error.reason, place(error.place or (HUBCONF, _START))))
    except ExhaustedError:
        machine.dynamic("importing hubconf.py does more than is followed", scope, _START)
    except RecursionError:
        machine.dynamic("importing hubconf.py calls deeper than is followed", scope, _START)
    failures += [
        facts.Problem(failed.reason, place(failed.place))
        for failed in machine.failed
        if failed.place is not None and failed.place[0] == HUBCONF
    ]
    outcome = Outcome(machine, scope, module, tuple(machine.events), {}, tuple(failures))
    machine.importing = False
    for name, value in sorted(scope.names.items()):
        if not name.startswith("_"):
            outcome.called[name], whole = follow(machine, value)
            outcome.returned[name] = frozenset(_from_outside(machine.results))
            outcome.results[name] = tuple(machine.results)
            if not whole:
                outcome.unfollowed.append(name)
    _call_bare(outcome)
    return outcome


_START: tree.At = (1, 1, 1, 1)
BARE_STEPS = 50_000
"""Statements and calls followed when all entrypoints are called without arguments."""


def follow(
    machine: Machine, value: Value, given: calls.Given | None = None
) -> tuple[tuple[Event, ...], bool]:
    """What happens when an entrypoint is called with ``given``, or arguments that are not known.

    False where the call goes further, or deeper, than is followed.
    """
    machine.events, machine.results = [], []
    cut = False
    for option in options(value):
        allowed = min(CALL_STEPS, machine.budget)
        machine.steps, machine.doubt, machine.guards = allowed, 0, 0
        machine.calls.clear()
        machine.running.clear()
        if isinstance(option, (Function, Bound, Class, Partial, Instance)):
            scope = Scope(HUBCONF, machine_.HUBCONF, "function")
            try:
                given = given or calls.Given(complete=False)
                machine.results.append(calls.invoke(machine, option, given, scope, _START))
            except RaisedError:
                pass
            except (ExhaustedError, RecursionError):
                cut = True
            machine.budget -= allowed - max(machine.steps, 0)
    return tuple(machine.events), not cut


def _call_bare(outcome: Outcome) -> None:
    """Call without any argument, as ``torch.hub.load(repo, name)`` does, what takes anything."""
    bare = bare_calls(outcome.machine)
    for name, value in sorted(outcome.scope.names.items()):
        function = value.function if isinstance(value, Partial) else value
        if name.startswith("_") or not isinstance(function, Function) or function.decorated:
            continue
        takes_anything = any(item.kind in {"*", "**"} for item in function.node.parameters)
        if not takes_anything or callables.required(value):
            continue
        found = next((event for event in bare(value) if isinstance(event, LackEvent)), None)
        if found is not None:
            outcome.lacks[name] = found


def bare_calls(machine: Machine) -> Callable[[Value], tuple[Event, ...]]:
    """What happens when an entrypoint is called without any argument, as a function of it.

    All calls of it share :data:`BARE_STEPS`, which other calls do not lack afterwards.
    """
    left = BARE_STEPS

    def call(value: Value) -> tuple[Event, ...]:
        nonlocal left
        kept, machine.budget = machine.budget, left
        events, _ = follow(machine, value, calls.Given())
        left, machine.budget = machine.budget, kept
        return events

    return call


def _from_outside(results: list[Value]) -> Iterator[str]:
    """The functions outside the repository whose results are among ``results``."""
    for result in results:
        for option in options(result):
            if isinstance(option, Instance) and isinstance(option.type, External):
                yield option.type.name.partition("()")[0]
