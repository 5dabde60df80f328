"""What builtins and the standard library do to values, as far as names depend on it."""

from __future__ import annotations

import argparse
import enum
import functools
import logging
import math
import operator
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hubpub.source import tree
from hubpub.source.interpret import (
    attributes,
    calls,
    filesystem,
    imports,
    iterables,
    reflection,
    reporting,
    searchpath,
    tame,
)
from hubpub.source.interpret.machine import Machine
from hubpub.source.interpret.scopes import Scope
from hubpub.source.interpret.values import (
    NONE,
    Function,
    Instance,
    Literal,
    Native,
    NotPlain,
    Partial,
    Unknown,
    Value,
    join,
    literal,
    options,
    plain,
    string,
)

if TYPE_CHECKING:
    from hubpub.source.interpret.calls import Given

LEAVES = "the interpreter is left"

_PURE: dict[str, Callable[..., Any]] = {
    "builtins.len": len, "builtins.str": str, "builtins.int": int, "builtins.float": float,
    "builtins.bool": bool, "builtins.abs": abs, "builtins.min": min, "builtins.max": max,
    "builtins.sum": sum, "builtins.any": any, "builtins.all": all, "builtins.repr": repr,
    "builtins.round": round, "builtins.ord": ord, "builtins.chr": chr, "builtins.hex": hex,
    "builtins.slice": slice, "builtins.complex": complex,
    "math.ceil": math.ceil,
    "math.floor": math.floor, "operator.add": operator.add,
    "re.sub": tame.substitute, "re.split": tame.split, "re.findall": tame.find_all,
}  # fmt: skip
"""Functions that are computed for real when every argument is plain data and short."""

_TYPED = {
    "os.getenv": str, "os.environ.get": str, "os.getcwd": str, "time.time": float,
    "platform.system": str, "platform.machine": str, "platform.python_version": str,
    "subprocess.check_output": bytes, "json.load": dict, "json.loads": dict,
    "os.path.exists": bool, "os.makedirs": type(None), "builtins.print": type(None),
    "builtins.open": object, "builtins.input": str, "re.compile": re.Pattern,
    "builtins.id": int, "builtins.hash": int, "builtins.super": object,
    "argparse.ArgumentParser.parse_args": argparse.Namespace,
    "logging.getLogger": logging.Logger, "logging.basicConfig": type(None),
    "warnings.warn": type(None), "warnings.filterwarnings": type(None),
    "importlib.metadata.version": str, "importlib.util.find_spec": object,
}  # fmt: skip
"""What some functions return: enough to know whether it can be called, and nothing else."""

_CALLABLES = {
    "operator.attrgetter", "operator.itemgetter", "operator.methodcaller", "typing.NewType",
    "collections.namedtuple", "typing.NamedTuple", "typing.TypedDict", "types.new_class",
    "dataclasses.make_dataclass", "functools.cmp_to_key", "contextlib.contextmanager",
    "ctypes.CFUNCTYPE", "builtins.memoryview",
}  # fmt: skip
_SAME = {
    "functools.lru_cache", "functools.cache", "functools.singledispatch", "typing.cast",
    "functools.total_ordering", "dataclasses.dataclass", "contextlib.contextmanager",
    "copy.copy", "copy.deepcopy", "typing.final", "typing.no_type_check", "typing.overload",
    "typing.runtime_checkable", "atexit.register", "abc.abstractmethod", "typing.assert_type",
    "enum.unique", "types.MappingProxyType", "warnings.deprecated",
    "contextlib.asynccontextmanager",
}  # fmt: skip
"""Functions (of these, the last argument) that give back what they are given, or its like."""


def native(machine: Machine, function: Native, given: Given, scope: Scope, at: tree.At) -> Value:
    """The result of calling something of the standard library."""
    name = function.name
    model = _NATIVE.get(name) or iterables.ITERABLES.get(name) or reflection.REFLECTION.get(name)
    if model is not None:
        return model(machine, given, scope, at)
    reporting.report(machine, name, given, scope, at)
    filed = filesystem.call(machine, function.name, given)
    if filed is not None:
        return filed
    for argument in given.positional:
        calls.follow_callback(machine, argument)
    if function.name in _PURE:
        return compute(_PURE[function.name], given)
    if function.name in _SAME and given.positional:
        return given.positional[-1]
    if function.name in _CALLABLES:
        return Native(function.name + "()", len)
    if function.name in _TYPED:
        return Instance(Native(function.name, _TYPED[function.name]), doubt=machine.doubt)
    if isinstance(function.value, enum.EnumMeta) and len(given.positional) > 1:
        return Native(f"{function.name}(...)", function.value)  # the functional way to make one
    if isinstance(function.value, type):
        return Instance(function, doubt=machine.doubt, arguments=given.positional[:2])
    if function.name in _SAME:
        return function
    return Instance(Native(f"{function.name}()", object), doubt=machine.doubt)


def compute(function: Callable[..., Any], given: Given) -> Value:
    """The result of a real function on plain data; unknown for anything else."""
    if not given.complete:
        return Unknown("a computation on values that are not literal")
    try:
        positional = [plain(value) for value in given.positional]
        keywords = {name: plain(value) for name, value in given.keywords.items()}
        if len(repr(positional)) > 20_000:
            return Unknown("a computation on values that are too long")
        return literal(function(*positional, **keywords))
    except NotPlain:
        return Unknown("a computation on values that are not literal")
    except Exception:  # noqa: BLE001 - arguments of hostile code may raise anything
        return Unknown("a computation that fails")


Model = Callable[[Machine, "Given", Scope, tree.At], Value]


def _partial(machine: Machine, given: Given, scope: Scope, at: tree.At) -> Value:
    del machine
    if not given.positional:
        return Unknown("partial() of nothing")
    found = [
        Partial(function, given.positional[1:], dict(given.keywords), at, scope.path)
        for function in options(given.positional[0])
    ]
    return join(found)


def _wraps(machine: Machine, given: Given, scope: Scope, at: tree.At) -> Value:
    del machine
    updater = Native("functools.update_wrapper", functools.update_wrapper)
    wrapped = {"wrapped": given.positional[0]} if given.positional else {}
    return Partial(updater, (), wrapped, at, scope.path)


def _update_wrapper(machine: Machine, given: Given, scope: Scope, at: tree.At) -> Value:
    wrapper = given.get(0, "wrapper")
    wrapped = given.get(1, "wrapped")
    if isinstance(wrapper, (Function, Partial)) and wrapped is not None:
        wrapper.shown = attributes.get(machine, wrapped, "__doc__", scope, at)
        if isinstance(wrapper, Function):
            wrapper.wrapped = wrapped
            wrapper.attributes["__name__"] = attributes.get(machine, wrapped, "__name__", scope, at)
    return wrapper or NONE


def _import(machine: Machine, given: Given, scope: Scope, at: tree.At) -> Value:
    """``importlib.import_module(name, package)``."""
    name = string(given.positional[0]) if given.positional else None
    if name is None:
        machine.unread(scope, "a module whose name is not literal is imported", scope, at)
        return Unknown("a module whose name is not literal")
    level = len(name) - len(name.lstrip("."))
    dotted = imports.absolute(scope, name.lstrip("."), level, at)
    return imports.import_module(machine, dotted, scope, at)


def _dunder_import(machine: Machine, given: Given, scope: Scope, at: tree.At) -> Value:
    name = string(given.positional[0]) if given.positional else None
    if name is None:
        return Unknown("a module whose name is not literal")
    value = imports.import_module(machine, name, scope, at)
    if len(given.positional) > 3 or "fromlist" in given.keywords:
        return value
    return machine.modules.get(name.partition(".")[0]) or value


def _exec(machine: Machine, given: Given, scope: Scope, at: tree.At) -> Value:
    del given
    machine.unread(scope, "exec() runs code that is made at import", scope, at)
    return NONE


def _unknown(machine: Machine, given: Given, scope: Scope, at: tree.At) -> Value:
    del machine, given, scope, at
    return Unknown("what is not known before the code runs")


def _exit(machine: Machine, given: Given, scope: Scope, at: tree.At) -> Value:
    del machine, given, scope, at
    return Unknown(LEAVES)


def _path_insert(machine: Machine, given: Given, scope: Scope, at: tree.At) -> Value:
    if len(given.positional) == 2:
        index = given.positional[0]
        place = index.value if isinstance(index, Literal) and isinstance(index.value, int) else 0
        searchpath.add_search_path(machine, given.positional[1], place, scope, at)
    return NONE


def _path_append(machine: Machine, given: Given, scope: Scope, at: tree.At) -> Value:
    for entry in given.positional[:1]:
        searchpath.add_search_path(machine, entry, len(machine.path), scope, at)
    return NONE


def _path_extend(machine: Machine, given: Given, scope: Scope, at: tree.At) -> Value:
    for entries in given.positional[:1]:
        searchpath.extend_search_path(machine, entries, scope, at)
    return NONE


_NATIVE: dict[str, Model] = {
    "functools.partial": _partial,
    "functools.wraps": _wraps,
    "functools.update_wrapper": _update_wrapper,
    "importlib.import_module": _import,
    "builtins.__import__": _dunder_import,
    "builtins.exec": _exec,
    "builtins.eval": _unknown,
    "importlib.util.find_spec": _unknown,
    "sys.exit": _exit,
    "os._exit": _exit,
    "builtins.exit": _exit,
    "builtins.quit": _exit,
    "sys.path.insert": _path_insert,
    "sys.path.append": _path_append,
    "sys.path.extend": _path_extend,
    "sys.path.pop": searchpath.pop,
    "sys.path.remove": searchpath.remove,
    "sys.path.clear": searchpath.clear,
}
