"""Entrypoints from names: what each public callable of hubconf.py is, and whether it was meant."""

from __future__ import annotations

import re
import types
from dataclasses import replace

from hubpub.source import annotated, facts, reading, results, suites, tree
from hubpub.source.facts_entry import UNREAD_DOCSTRINGS, Lack
from hubpub.source.interpret import attributes, callables
from hubpub.source.interpret.machine import (
    CallEvent,
    DynamicEvent,
    LackEvent,
)
from hubpub.source.interpret.values import (
    Bound,
    Class,
    External,
    Function,
    Instance,
    Literal,
    Native,
    Partial,
    Unknown,
    Value,
    options,
    string,
)
from hubpub.source.reached import NO_CHECKPOINTS
from hubpub.source.text import Text


def entrypoints(
    outcome: reading.Outcome, loaded: frozenset[str], text: Text
) -> tuple[facts.Entrypoint, ...]:
    """The public callables of hubconf.py, by name; ``loaded`` are those that documents load.

    ``text`` is that of hubconf.py.
    """
    found = []
    uses = _uses(outcome.module, annotated.names(text))
    for name, value in sorted(outcome.scope.names.items()):
        if name.startswith("_"):
            continue
        answer = callables.certainty(value)
        if answer.callable is False or (answer.callable is None and not _likely(name, value)):
            continue
        found.append(_entrypoint(outcome, name, value, answer, uses))
    judged = _leaks(tuple(found), loaded, _without_model(outcome), text)
    style = suites.style(text)
    names = outcome.scope.names
    return tuple(_with_suite(item, names[item.name], text, style) for item in judged)


_VALUES = (
    "attribute ", "an operation", "a comparison", "an f-string", "a formatted", "a test", "a text",
    "a computation", "a path", "a padded", "a result", "a range", "the files", "an exception",
)  # fmt: skip
"""How the reasons begin for which a value is unknown, but hardly something that can be called."""


def _likely(name: str, value: Value) -> bool:
    """Whether a name of which nothing is known may be an entrypoint: constants are not."""
    if name.isupper():
        return False
    return not (isinstance(value, Unknown) and value.reason.startswith(_VALUES))


def _uses(module: tree.Module, more: frozenset[str] = frozenset()) -> dict[str, int]:
    """How often hubconf.py reads each name, a function's own body aside; and ``more``, once."""
    count: dict[str, int] = dict.fromkeys(more, 1)
    for statement in module.body:
        own = statement.name if isinstance(statement, (tree.Function, tree.Class)) else None
        targets = {
            id(target)
            for target in (statement.targets if isinstance(statement, tree.Assign) else ())
        }
        for node in tree.walk(statement):
            if isinstance(node, tree.Name) and node.id != own and id(node) not in targets:
                count[node.id] = count.get(node.id, 0) + 1
    return count


def _entrypoint(
    outcome: reading.Outcome,
    name: str,
    value: Value,
    answer: callables.Callability,
    uses: dict[str, int],
) -> facts.Entrypoint:
    binding = outcome.scope.places.get(name)
    bound = reading.place((binding.path, binding.at)) if binding else facts.Place(reading.HUBCONF)
    best = _definition(value)
    defined, origin = bound, answer.origin
    if best is not None:
        defined = reading.place((best.scope.path, best.node.at))
        origin = "hubconf" if best.scope.path == reading.HUBCONF else "repository"
    elif isinstance(value, Partial):
        defined, origin = reading.place((value.path, value.at)), "hubconf"
    docstring = _docstring(value)
    return facts.Entrypoint(
        name=name,
        kind=answer.kind,
        origin=origin,
        certainty="certain" if answer.callable and answer.certain else "possible",
        place=defined,
        bound=bound,
        docstring=docstring,
        documented=docstring is not None or best is None,
        parameters=_parameters(value),
        required=callables.required(value) or (),
        leak=False,
        imported=bool(binding and binding.imported),
        target=_target(value),
        decorated=getattr(best, "decorated", False),
        used=uses.get(name, 0) > 0,
        constructor=_constructor(best),
        coroutine=isinstance(best, Function) and getattr(best.node, "is_async", False),
        nothing=results.returns_nothing(value, outcome.results.get(name, ()))
        and name not in outcome.unfollowed,
        lack=_lack(outcome.lacks.get(name)),
    )


def _lack(event: LackEvent | None) -> Lack | None:
    if event is None:
        return None
    return Lack(event.callee, event.parameters, reading.place(event.place))


def _constructor(definition: Function | Class | None) -> str | None:
    if not isinstance(definition, Class):
        return None
    init = attributes.find_method(definition, "__init__")
    return getattr(init.node, "docstring", None) if isinstance(init, Function) else None


def _with_suite(
    item: facts.Entrypoint, value: Value, text: Text, style: suites.Style
) -> facts.Entrypoint:
    """An entrypoint with the place for its docstring, if it wants one."""
    definition = _definition(value)
    node = getattr(definition, "node", None)
    here = item.place.path == reading.HUBCONF
    if item.documented or item.leak or not here or not isinstance(node, _DEFINITIONS):
        return item
    suite = suites.suite(reading.HUBCONF, text, node, style)
    if suite is None or definition is None:
        return item
    stars = {"*": "*", "**": "**"}
    arguments = tuple(f"{stars.get(one.kind, '')}{one.name}" for one in _parameters(definition))
    return replace(item, suite=replace(suite, arguments=arguments))


_DEFINITIONS = (tree.Function, tree.Class)


def _definition(value: Value) -> Function | Class | None:
    """The function or class of the repository behind an entrypoint."""
    for option in options(value):
        if isinstance(option, (Function, Class)):
            if isinstance(option, Function) and isinstance(option.wrapped, (Function, Class)):
                return option.wrapped
            return option
        if isinstance(option, Bound):
            return option.function
        if isinstance(option, Partial):
            return _definition(option.function)
        if isinstance(option, Instance) and isinstance(option.type, Class):
            return option.type
    return None


def _docstring(value: Value) -> str | None:
    """What ``torch.hub.help`` shows, or a documented target where that shows something else."""
    for option in options(value):
        if isinstance(option, (Function, Class, Partial)) and option.shown is not None:
            shown = string(option.shown)
            if isinstance(option.shown, Literal) and shown is None:
                continue
            return shown if shown is not None else UNREAD_DOCSTRINGS[0]
        if isinstance(option, (Function, Class)) and not isinstance(option.node, tree.Lambda):
            if option.node.docstring and option.node.docstring.strip():
                return option.node.docstring
            if isinstance(option, Class) and callables.has_fields(option):
                return f"{option.node.name}(...)"
        elif isinstance(option, (Bound, Partial)):
            return _docstring(option.function)
        elif isinstance(option, Instance) and isinstance(option.type, Class):
            return _docstring(option.type)
        elif isinstance(option, (External, Native)):
            return UNREAD_DOCSTRINGS[1]
    return None


def _parameters(value: Value) -> tuple[facts.Parameter, ...]:
    function = _definition(value)
    skip = 0
    if isinstance(function, Class):
        init = attributes.find_method(function, "__init__")
        function, skip = (init, 1) if isinstance(init, Function) else (None, 0)
    if function is None:
        return ()
    skip = 1 if isinstance(value, Bound) and function.kind != "static" else skip
    given: frozenset[str] = frozenset()
    if isinstance(value, Partial):
        skip, given = skip + len(value.arguments), frozenset(value.keywords)
    return tuple(
        facts.Parameter(
            item.name,
            item.kind,
            item.default is not None,
            reading.place((function.scope.path, item.at)),
        )
        for index, item in enumerate(function.node.parameters)
        if (index >= skip or item.kind in {"*", "keyword", "**"}) and item.name not in given
    )


def _target(value: Value) -> str:
    for option in options(value):
        if isinstance(option, (External, Native)):
            return option.name
        if isinstance(option, (Function, Class)):
            name = option.name if isinstance(option, Function) else option.node.name
            return f"{option.scope.root.module}.{name}"
    return ""


def _without_model(outcome: reading.Outcome) -> frozenset[str]:
    """Functions that certainly give no model: plain data, or nothing that hubconf.py looks at."""
    uses, effects = _uses(outcome.module), _called_for_effect(outcome.module)
    return frozenset(
        name
        for name, given in outcome.results.items()
        if results.is_data(given)
        or (
            0 < uses.get(name, 0) == effects.get(name, 0)
            and results.returns_nothing(outcome.scope.names[name], given)
        )
    )


def _called_for_effect(module: tree.Module) -> dict[str, int]:
    """How often hubconf.py calls each name as a statement, with no use of the result."""
    count: dict[str, int] = {}
    for node in tree.walk(module.body):
        if isinstance(node, tree.Evaluate) and isinstance(node.value, tree.Call):
            function = node.value.function
            if isinstance(function, tree.Name):
                count[function.id] = count.get(function.id, 0) + 1
    return count


def _leaks(
    found: tuple[facts.Entrypoint, ...],
    loaded: frozenset[str],
    helpers: frozenset[str],
    text: Text,
) -> tuple[facts.Entrypoint, ...]:
    """Judge which names the publisher did not mean.

    An import that hubconf.py itself uses serves its functions; one that it does not use is there to
    be loaded. Names of torch and the standard library are never meant. An own class, or a helper
    with required arguments or without a model, that other entrypoints use is a part of them, and so
    is what has no model and a name that hubconf.py does not write (a star import brings it along),
    unless documents load it.
    """
    own = [item for item in found if item.origin == "hubconf" and item.kind != "class"]
    words = set(re.findall(r"\w+", text.text))
    result = []
    for item in found:
        foreign = item.origin in {"torch", "standard library"} and item.imported
        helper = item.imported and bool(own) and (item.used or item.origin == "third party")
        part = (
            item.origin == "hubconf"
            and not item.imported
            and item.used
            and len(own) > (item.kind != "class")
        )
        part = part and (item.kind == "class" or bool(item.required) or item.name in helpers)
        brought = item.name not in words and (item.nothing or item.name in helpers)
        brought = brought and not all(other.nothing for other in found)
        leak = (foreign or helper or part or brought) and item.name not in loaded
        result.append(replace(item, leak=leak))
    return tuple(result)


def dynamic(outcome: reading.Outcome) -> tuple[facts.DynamicPlace, ...]:
    """Places where hubconf's names cannot be read."""
    found = [
        facts.DynamicPlace(event.reason, reading.place(event.place))
        for event in outcome.imported
        if isinstance(event, DynamicEvent)
    ]
    for name in ("__dir__", "__getattr__"):
        if name in outcome.scope.names:
            binding = outcome.scope.places[name]
            reason = f"hubconf.py defines {name}()"
            found.append(facts.DynamicPlace(reason, reading.place((binding.path, binding.at))))
    return tuple(dict.fromkeys(found))


def modules(outcome: reading.Outcome) -> dict[str, str]:
    """The names that hubconf.py binds to modules of the standard library."""
    return {
        name: value.name
        for name, value in outcome.scope.names.items()
        if isinstance(value, Native) and isinstance(value.value, types.ModuleType)
    }


def hidden(outcome: reading.Outcome) -> tuple[facts.HiddenCallable, ...]:
    """Functions and classes of hubconf.py with one leading underscore."""
    uses = _uses(outcome.module)
    own = [item for item in outcome.module.body if isinstance(item, (tree.Function, tree.Class))]
    public = {
        _decorators(outcome, item): item.name for item in own if not item.name.startswith("_")
    }
    found = []
    for item in own:
        if not item.name.startswith("_") or item.name.startswith("__"):
            continue
        events, _ = reading.follow(outcome.machine, outcome.scope.names.get(item.name, Unknown("")))
        marks = _decorators(outcome, item)
        found.append(
            facts.HiddenCallable(
                item.name,
                reading.place((reading.HUBCONF, item.at)),
                public.get(marks) if marks else None,
                any(
                    isinstance(event, CallEvent) and event.function not in NO_CHECKPOINTS
                    for event in events
                ),
                used=uses.get(item.name, 0) > 0,
            )
        )
    return tuple(found)


def _decorators(outcome: reading.Outcome, node: tree.Function | tree.Class) -> tuple[str, ...]:
    """The decorators of a definition that may register it: none of Python's own, nor torch's."""
    names = filter(None, (_dotted(item) for item in node.decorators))
    return tuple(name for name in names if _may_register(outcome, name.partition(".")[0]))


def _may_register(outcome: reading.Outcome, name: str) -> bool:
    value = outcome.scope.names.get(name)
    outside = isinstance(value, External) and value.package == "torch"
    return value is not None and not outside and not isinstance(value, Native)


def _dotted(node: tree.Expr) -> str:
    if isinstance(node, tree.Call):
        return _dotted(node.function)
    if isinstance(node, tree.Attribute):
        inner = _dotted(node.value)
        return f"{inner}.{node.name}" if inner else ""
    return node.id if isinstance(node, tree.Name) else ""
