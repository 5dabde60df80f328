"""Calls: functions of the repository are followed, those from outside are looked up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from hubpub.source import tree
from hubpub.source.interpret import (
    attributes,
    effects,
    expressions,
    known,
    lacking,
    methods,
    models,
    reporting,
    statements,
)
from hubpub.source.interpret.machine import (
    MAX_CALLS,
    Machine,
    Place,
    RaisedError,
)
from hubpub.source.interpret.scopes import Binding, Scope
from hubpub.source.interpret.values import (
    NONE,
    UNBOUND,
    Absent,
    Bound,
    Choice,
    Class,
    External,
    Function,
    Instance,
    Items,
    Literal,
    Method,
    Native,
    Partial,
    Table,
    Unknown,
    Value,
    join,
    options,
)


@dataclass(frozen=True)
class Given:
    """The arguments of a call. ``complete`` is False where ``*`` or ``**`` hides some.

    ``written``: they stand in the source as arguments of the function that is called.
    """

    positional: tuple[Value, ...] = ()
    keywords: dict[str, Value] = field(default_factory=dict)
    complete: bool = True
    places: tuple[tuple[str | int, Place], ...] = ()
    written: bool = False

    def get(self, index: int, name: str) -> Value | None:
        """The argument at ``index`` or called ``name``; None where it is not given."""
        if index < len(self.positional):
            return self.positional[index]
        return self.keywords.get(name)


def call(machine: Machine, node: tree.Call, scope: Scope) -> Value:
    """A call expression."""
    machine.step()
    function = expressions.evaluate(machine, node.function, scope)
    given = arguments(machine, node.arguments, scope)
    lacking.report(machine, function, given, scope, node)
    effects.note(machine, node, function, given, scope)
    if known.is_one(function) and given.complete:
        given = replace(given, written=not _is_generator(node))
    if not isinstance(function, Choice):
        return invoke(machine, function, given, scope, node.at)
    with machine.doubtful():
        return join([invoke(machine, one, given, scope, node.at) for one in function.options])


def _is_generator(node: tree.Call) -> bool:
    """Whether the one argument may be a generator without parentheses of its own."""
    return len(node.arguments) == 1 and isinstance(node.arguments[0].value, tree.Comprehension)


def arguments(machine: Machine, nodes: Sequence[tree.Argument], scope: Scope) -> Given:
    """The arguments of a call, unpacked as far as they are known."""
    positional: list[Value] = []
    keywords: dict[str, Value] = {}
    places: list[tuple[str | int, Place]] = []
    complete = True
    for node in nodes:
        value = expressions.evaluate(machine, node.value, scope)
        if node.star == "*":
            members, known_ = expressions.iterate(machine, value)
            positional.extend(members if known_ else [])
            complete &= known_
        elif node.star == "**":
            known_ = isinstance(value, Table) and not value.open and value.scope is None
            complete &= known_
            if isinstance(value, Table) and value.scope is None:
                keywords.update(
                    (key, item) for key, item in value.items.items() if isinstance(key, str)
                )
        elif node.name is None:
            places.append((len(positional), (scope.path, node.value.at)))
            positional.append(value)
        else:
            places.append((node.name, (scope.path, node.value.at)))
            keywords[node.name] = value
    return Given(tuple(positional), keywords, complete, tuple(places))


def invoke(machine: Machine, function: Value, given: Given, scope: Scope, at: tree.At) -> Value:
    """What calling ``function`` may return."""
    if isinstance(function, Function):
        return call_function(machine, function, given, None)
    if isinstance(function, Bound):
        return call_function(machine, function.function, given, function.receiver)
    if isinstance(function, Class):
        return instantiate(machine, function, given, scope, at)
    if isinstance(function, Partial):
        merged = Given(
            (*function.arguments, *given.positional),
            {**function.keywords, **given.keywords},
            given.complete,
        )
        return invoke(machine, function.function, merged, scope, at)
    if isinstance(function, Method):
        return methods.method(machine, function, given, scope, at)
    if isinstance(function, Native):
        return models.native(machine, function, given, scope, at)
    if isinstance(function, External):
        return _external(machine, function, given, scope, at)
    if isinstance(function, Instance):
        found = (
            UNBOUND
            if isinstance(function.type, Native)
            else attributes.find_method(function.type, "__call__")
        )
        if isinstance(found, Function):
            return call_function(machine, found, given, function)
        if isinstance(function.type, External):
            return External(f"{function.type.name}()", called=True)
    return Unknown("the result of a call that is not known")


def _external(
    machine: Machine, function: External, given: Given, scope: Scope, at: tree.At
) -> Value:
    name = known.canonical(function.name)
    if not function.called:
        reporting.report(machine, name, given, scope, at)
    for argument in (*given.positional, *given.keywords.values()):
        follow_callback(machine, argument)
    if name == "torch.hub.get_dir":
        return Literal("/hub")
    if function.called:
        return External(f"{function.name}()", called=True)
    return Instance(External(name), doubt=machine.doubt, arguments=given.positional[:2])


def follow_callback(machine: Machine, argument: Value) -> None:
    """A function handed to foreign code is likely called: follow it with unknown arguments."""
    if machine.importing:
        return
    for option in options(argument):
        if isinstance(option, (Function, Bound)):
            with machine.doubtful():
                invoke_unknown(machine, option)


def invoke_unknown(machine: Machine, function: Function | Bound) -> Value:
    """Call with every parameter unknown, as any user might."""
    target, receiver = (
        (function.function, function.receiver) if isinstance(function, Bound) else (function, None)
    )
    return call_function(machine, target, Given(complete=False), receiver)


def call_function(
    machine: Machine, function: Function, given: Given, receiver: Value | None
) -> Value:
    """Follow a function of the repository into its body."""
    if machine.calls.count(function.node) > 1 or len(machine.calls) >= MAX_CALLS:
        return Unknown("a call nested too deeply to follow")
    key = None if machine.importing else _key(function, given, receiver, machine.circumstances)
    if key is not None and key in machine.memo:
        value, events = machine.memo[key]
        machine.events.extend(events)
        return value
    scope = Scope(
        function.scope.path, function.scope.module, "function", function.scope, doubt=machine.doubt
    )
    _bind(machine, function, given, receiver, scope)
    start = len(machine.events)
    machine.calls.append(function.node)
    try:
        value = _run(machine, function, scope)
    except RecursionError:
        value = Unknown("a call nested too deeply to follow")
    finally:
        machine.calls.pop()
    if key is not None:
        # Each event once: replays of replays would double at every level of nesting.
        once = {id(event): event for event in machine.events[start:]}
        machine.memo[key] = (value, tuple(once.values()))
    return value


def _run(machine: Machine, function: Function, scope: Scope) -> Value:
    if isinstance(function.node, tree.Lambda):
        return expressions.evaluate(machine, function.node.body, scope)
    ways = statements.run(machine, function.node.body, scope)
    if function.node.is_async:
        return Unknown("a coroutine")
    if scope.yields is not None:
        return scope.yields
    if statements.Way.FALL in ways:
        scope.returns.append(NONE)
    if not scope.returns:
        raise RaisedError("Exception", f"{function.name} always raises", None)
    return join(scope.returns)


def _key(
    function: Function, given: Given, receiver: Value | None, circumstances: tuple[bool, ...]
) -> object | None:
    marks = [_mark(value) for value in given.positional]
    named = sorted((name, _mark(value)) for name, value in given.keywords.items())
    return (
        id(function.node), id(function.scope), tuple(marks), tuple(named), given.complete,
        None if receiver is None else _mark(receiver), *circumstances,
    )  # fmt: skip


def _mark(value: Value) -> str:
    """A text that is equal for values between which following a call would not tell."""
    if isinstance(value, Literal):
        return repr(value.value)[:200]
    if isinstance(value, Unknown):
        return "?" if value.default is None else f"?{_mark(value.default)}"
    if isinstance(value, (Function, Class)):
        return f"@{id(value)}"
    if isinstance(value, Instance):
        owner = value.type
        return f"instance {owner.name if isinstance(owner, (External, Native)) else id(owner)}"
    if isinstance(value, (Items, Choice)):
        members = value.items if isinstance(value, Items) else value.options
        return f"{type(value).__name__}({','.join(_mark(item) for item in members[:20])})"
    if isinstance(value, (Table, Partial)):
        return f"@{id(value)}"
    return repr(value)[:200] if isinstance(value, External) else type(value).__name__


def _bind(
    machine: Machine, function: Function, given: Given, receiver: Value | None, scope: Scope
) -> None:
    """Bind the parameters; those not given get their default, or stay unknown."""
    positional = list(given.positional)
    if receiver is not None and function.kind != "static":
        positional.insert(0, receiver)
    keywords = dict(given.keywords)
    for parameter in function.node.parameters:
        if parameter.kind == "*":
            value: Value = Items("tuple", positional, not given.complete, machine.doubt)
            positional = []
        elif parameter.kind == "**":
            value = Table(dict(keywords), not given.complete, machine.doubt)
        elif positional and parameter.kind != "keyword":
            value = positional.pop(0)
            keywords.pop(parameter.name, None)
        elif parameter.name in keywords:
            value = keywords.pop(parameter.name)
        else:
            value = _missing(function, parameter, given)
        scope.names[parameter.name] = value
        scope.places[parameter.name] = Binding(scope.path, parameter.at)
    if function.owner is not None:
        scope.names["__class__"] = function.owner


def _missing(function: Function, parameter: tree.Parameter, given: Given) -> Value:
    default = function.defaults.get(parameter.name)
    if given.complete and default is not None:
        return default
    return Unknown(f"the parameter {parameter.name}", default)


def instantiate(machine: Machine, owner: Class, given: Given, scope: Scope, at: tree.At) -> Value:
    """Call a class of the repository."""
    if attributes.is_enum(owner) and given.positional:
        return join(attributes.members(owner) or [Unknown("a member")])
    instance = Instance(owner, doubt=machine.doubt, arguments=given.positional[:2])
    made = attributes.find_method(owner, "__new__")
    if isinstance(made, Function):
        result = call_function(machine, made, given, owner)
        if isinstance(result, (Function, Class)):
            return result
    init = attributes.find_method(owner, "__init__")
    if isinstance(init, Function):
        call_function(machine, init, given, instance)
    else:
        _fields(owner, given, instance)
        after = attributes.find_method(owner, "__post_init__")
        if isinstance(after, Function):
            call_function(machine, after, Given(), instance)
    del scope, at
    return instance


def _fields(owner: Class, given: Given, instance: Instance) -> None:
    """The fields of a dataclass or a named tuple: in order of annotation, else by keyword."""
    names = [
        target.id
        for node in owner.node.body
        if isinstance(node, tree.Assign) and node.annotation is not None
        for target in node.targets
        if isinstance(target, tree.Name)
    ]
    instance.attributes.update(zip(names, given.positional, strict=False))
    instance.attributes.update(given.keywords)


def apply_decorator(
    machine: Machine, decorator: Value, value: Value, scope: Scope, at: tree.At
) -> Value:
    """``value`` decorated; what foreign decorators return is taken for what they are given."""
    if isinstance(decorator, Native) and isinstance(value, Function):
        kinds = {
            "builtins.staticmethod": "static",
            "builtins.classmethod": "class",
            "builtins.property": "property",
            "functools.cached_property": "property",
        }
        value.kind = kinds.get(decorator.name, value.kind)
        return value
    if isinstance(decorator, (Function, Bound, Class)) or (
        isinstance(decorator, Partial) and not isinstance(decorator.function, External)
    ):
        result = invoke(machine, decorator, Given((value,)), scope, at)
        if not isinstance(result, (Unknown, Absent)):
            return result
    if isinstance(decorator, (Native, Method)) or _outside(decorator, "torch"):
        if isinstance(value, Class) and _named(decorator) == "dataclasses.dataclass":
            value.fields = True
        return value
    if _outside(decorator, "timm") and isinstance(value, Function):
        known.register_model(machine, value, scope)
        return value
    if isinstance(value, (Function, Class)) and not isinstance(decorator, Bound):
        value.decorated = True
    return value


def _named(decorator: Value) -> str:
    made = decorator.type if isinstance(decorator, Instance) else decorator
    return made.name if isinstance(made, Native) else ""


def _outside(value: Value, package: str) -> bool:
    owner = value.type if isinstance(value, Instance) else value
    return isinstance(owner, External) and owner.package == package


def suppresses(value: Value) -> bool:
    """Whether a context manager swallows exceptions (``contextlib.suppress``)."""
    return (
        isinstance(value, Instance)
        and isinstance(value.type, Native)
        and (value.type.name == "contextlib.suppress")
    )


def leaves(value: Value) -> bool:
    """Whether a call never returns (``sys.exit()``)."""
    return isinstance(value, Unknown) and value.reason == models.LEAVES


def extend(machine: Machine, target: Items, given: Value) -> None:
    """``target.extend(given)``."""
    members_, complete = expressions.iterate(machine, given)
    optional = machine.doubt > target.doubt
    target.items.extend(join([item, UNBOUND]) if optional else item for item in members_)
    target.open |= not complete
