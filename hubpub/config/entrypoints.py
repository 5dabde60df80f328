"""``[tool.hubpub.verify.entrypoints.NAME]``: how verify calls one entrypoint, and what comes of it.

What is read here has passed the schema; what a schema cannot say is refused here.
"""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from hubpub.config.sizes import size
from hubpub.errors import ConfigError

MOST_NUMBERS = 1 << 26
"""Of the tensors of one input, together."""
MOST_INPUT = 1 << 15
"""Bytes of one input, as it is passed to a job."""
_MAX_ARGUMENTS = 1 << 15
_MOST = 1 << 53
"""Numbers beyond are not whole as floats, and no model takes them."""
_SIZES = ("memory", "disk", "output-limit", "download-limit")


def _empty() -> Mapping[str, Any]:
    return MappingProxyType({})


@dataclass(frozen=True)
class Skip:
    """Leave an entrypoint out, for a reason, until a day after which it counts again."""

    reason: str
    until: dt.date

    def active(self, today: dt.date) -> bool:
        """Whether the skip still holds on ``today``."""
        return today <= self.until


@dataclass(frozen=True)
class Tensor:
    """A tensor of made-up numbers: from ``low``, less than ``high``."""

    shape: tuple[int, ...]
    dtype: str = "float32"
    low: float = 0
    high: float = 1


@dataclass(frozen=True)
class Input:
    """What forward is called with: tensors by position, by name, or what ``file`` makes."""

    args: tuple[Tensor, ...] = ()
    kwargs: Mapping[str, Tensor] = field(default_factory=_empty)
    file: str | None = None
    """A path in the tree; the Python file there defines ``inputs()``."""


@dataclass(frozen=True)
class Expected:
    """What one tensor of the output has to be; None where that is not said.

    ``at`` is its place in the output, None for the first one. In ``shape`` -1 is any size, a text
    any that is the same wherever that text stands. A number may be off by ``atol`` and ``rtol``
    times what is expected.
    """

    at: str | None = None
    shape: tuple[int | str, ...] | None = None
    dtype: str | None = None
    finite: bool | None = None
    mean: float | None = None
    std: float | None = None
    first: tuple[float, ...] = ()
    sha256: str | None = None
    atol: float = 1e-4
    rtol: float = 1e-3


@dataclass(frozen=True)
class CaseSettings:
    """One of ``cases``: what it says for itself, None where it is as the entrypoint has it."""

    name: str
    args: tuple[Any, ...] | None = None
    kwargs: Mapping[str, Any] | None = None
    input: Input | None = None
    call: str | None = None
    expect: tuple[Expected, ...] = ()
    devices: tuple[str, ...] | None = None
    limits: Mapping[str, float] | None = None
    skip: Skip | None = None


@dataclass(frozen=True)
class EntrypointSettings:
    """How verify calls one entrypoint.

    ``call`` is what is called with ``input``, from what the entrypoint returns; None for that
    itself. ``devices`` None is all. ``limits`` are seconds, bytes and counts by the name of the
    flag.
    """

    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=_empty)
    skip: Skip | None = None
    input: Input | None = None
    call: str | None = None
    expect: tuple[Expected, ...] = ()
    devices: tuple[str, ...] | None = None
    limits: Mapping[str, float] = field(default_factory=_empty)
    cases: tuple[CaseSettings, ...] = ()


def read(entry: Mapping[str, Any], where: str) -> EntrypointSettings:
    """The settings of one entrypoint, from a table that has passed the schema.

    Args:
        entry: the table.
        where: the file and the table, for messages.

    Raises:
        ConfigError: what no schema can say is wrong with it.
    """
    found = _common(entry, where)
    cases = tuple(
        CaseSettings(item["name"], **_common(item, f"{where}.cases.{item['name']}"))
        for item in entry.get("cases", ())
    )
    names = [case.name for case in cases]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"{where}.cases: two are called {name}", help="give each its name")
    for case in cases:
        if case.expect and case.input is None and "input" not in entry:
            raise ConfigError(
                f"{where}.cases.{case.name}.expect: there is no input to expect it of"
            )
    if found.get("expect") and "input" not in entry:
        raise ConfigError(f"{where}.expect: there is no input to expect it of")
    return EntrypointSettings(**found, cases=cases)


def _common(entry: Mapping[str, Any], where: str) -> dict[str, Any]:
    """What an entrypoint and a case can both say, of what is said."""
    found: dict[str, Any] = {}
    for key in ("args", "kwargs"):
        _passable(entry.get(key), f"{where}.{key}")
    if "args" in entry:
        found["args"] = tuple(entry["args"])
    if "kwargs" in entry:
        found["kwargs"] = MappingProxyType(dict(entry["kwargs"]))
    if "input" in entry:
        found["input"] = _input(entry["input"], f"{where}.input")
    if "call" in entry:
        found["call"] = entry["call"]
    if "expect" in entry:
        said = entry["expect"]
        many = said if isinstance(said, list) else [said]
        found["expect"] = tuple(_expected(item, f"{where}.expect") for item in many)
    if "devices" in entry:
        found["devices"] = tuple(entry["devices"])
    if "limits" in entry:
        found["limits"] = _limits(entry["limits"], f"{where}.limits")
    if "skip" in entry:
        skip = entry["skip"]
        found["skip"] = Skip(skip["reason"], _date(skip["until"], f"{where}.skip.until"))
    return found


def _input(said: Any, where: str) -> Input:
    """The form is told from the types, as the schema does: an argument may be called ``shape``."""
    if isinstance(said, list):
        found = Input(args=tuple(_tensor(item, where) for item in said))
    elif isinstance(said.get("file"), str):
        if ".." in said["file"].split("/"):
            raise ConfigError(f"{where}.file: {said['file'][:200]!r} leads out of the repository")
        return Input(file=said["file"])
    elif said and all(isinstance(item, dict) for item in said.values()):
        kwargs = {name: _tensor(item, f"{where}.{name}") for name, item in said.items()}
        found = Input(kwargs=MappingProxyType(kwargs))
    else:
        found = Input(args=(_tensor(said, where),))
    tensors = (*found.args, *found.kwargs.values())
    count = sum(math.prod(tensor.shape) for tensor in tensors)
    if count > MOST_NUMBERS:
        raise ConfigError(f"{where}: {count} numbers, more than {MOST_NUMBERS}")
    if len(json.dumps(said)) > MOST_INPUT:
        raise ConfigError(f"{where}: more than {MOST_INPUT} bytes")
    return found


def _tensor(said: Mapping[str, Any], where: str) -> Tensor:
    dtype = said.get("dtype", "float32")
    whole = "int" in dtype or dtype == "bool"
    low = _number(said.get("low", 0), f"{where}.low")
    high = _number(said.get("high", 2 if dtype == "bool" else 10 if whole else 1), f"{where}.high")
    if whole:
        low, high = math.ceil(low), math.ceil(high)
    if low >= high:
        raise ConfigError(
            f"{where}: no number is at least {low} and less than {high}",
            help="low is the least number, high is more than all",
        )
    most = _most(dtype)
    if whole and not (most[0] <= low and high - 1 <= most[1]):
        raise ConfigError(f"{where}: {dtype} goes from {most[0]} to {most[1]}")
    return Tensor(tuple(said["shape"]), dtype, low, high)


def _most(dtype: str) -> tuple[int, int]:
    """The least and the greatest number of an integer type."""
    bits = int("".join(filter(str.isdigit, dtype)) or 1)
    if dtype.startswith(("u", "b")):
        return 0, (1 << bits) - 1
    return -(1 << bits - 1), (1 << bits - 1) - 1


def _number(value: Any, where: str) -> Any:
    if not -_MOST <= value <= _MOST:  # nor is what is no number
        raise ConfigError(f"{where}: {str(value)[:40]} is no number to work with")
    return value


def _expected(said: Mapping[str, Any], where: str) -> Expected:
    for key in ("mean", "std", "atol", "rtol"):
        _number(said.get(key, 0), f"{where}.{key}")
    first = tuple(_number(item, f"{where}.first") for item in said.get("first", ()))
    shape = tuple(said["shape"]) if "shape" in said else None
    for item in shape or ():
        if isinstance(item, int):
            _number(item, f"{where}.shape")
    rest = {key: value for key, value in said.items() if key not in {"first", "shape"}}
    return Expected(shape=shape, first=first, **rest)


def _limits(said: Mapping[str, Any], where: str) -> Mapping[str, float]:
    found = {}
    for key, value in said.items():
        found[key] = size(value) if key in _SIZES else value
        if not 0 < found[key] <= 1 << 60:
            raise ConfigError(f"{where}.{key}: {str(value)[:40]} is no limit")
    return MappingProxyType(found)


def _passable(value: object, where: str) -> None:
    """Arguments reach the sandbox as JSON, which has no dates, in one message of bounded size."""
    try:
        length = len(json.dumps(value))
    except TypeError as error:
        raise ConfigError(
            f"{where}: a date or time cannot be passed", help="write it as text, in quotes"
        ) from error
    if length > _MAX_ARGUMENTS:
        raise ConfigError(f"{where}: more than {_MAX_ARGUMENTS} bytes")


def _date(value: object, where: str) -> dt.date:
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    try:
        # Newer Pythons read more spellings; take the one that all of them read.
        return dt.datetime.strptime(str(value), "%Y-%m-%d").date()  # noqa: DTZ007
    except ValueError as error:
        raise ConfigError(
            f"{where}: {value!r} is not a date", help="write it as 2027-01-31"
        ) from error
