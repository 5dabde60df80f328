"""Operators: on every combination of what their operands may be."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Any

from hubpub.source import tree
from hubpub.source.interpret import attributes, expressions
from hubpub.source.interpret.machine import ExhaustedError, Machine
from hubpub.source.interpret.values import (
    Choice,
    External,
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
)

MAX_CONTAINED = 5_000
"""Longer lists are not multiplied."""
MAX_TEXT = 100_000
"""Strings and containers longer than this are not computed."""


BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
    "//": operator.floordiv, "%": operator.mod, "|": operator.or_, "&": operator.and_,
    "^": operator.xor, "<<": operator.lshift, ">>": operator.rshift, "**": operator.pow,
}  # fmt: skip
COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt,
    ">=": operator.ge, "in": lambda one, other: one in other,
    "not in": lambda one, other: one not in other,
}  # fmt: skip


def binary(
    machine: Machine, sign: str, left: Value, right: Value, place: tuple[str, tree.At]
) -> Value:
    """``left sign right`` for every combination of possibilities, while they are few."""
    pairs = [(one, other) for one in options(left) for other in options(right)]
    if len(pairs) > 256:
        return Unknown("too many possibilities")
    return join(_operate(machine, sign, one, other, place) for one, other in pairs)


def _operate(
    machine: Machine, sign: str, left: Value, right: Value, place: tuple[str, tree.At]
) -> Value:
    if sign == "+" and isinstance(left, Items) and isinstance(right, Items):
        joined = [*left.items, *right.items]
        machine.step(len(joined) // 10)
        return Items(
            left.kind, joined[: expressions.MAX_ITEMS], left.open or right.open, machine.doubt
        )
    if sign == "|" and isinstance(left, Table) and isinstance(right, Table):
        merged = {**left.items, **right.items}
        return Table(merged, left.open or right.open, machine.doubt)
    if sign == "|" and attributes.is_type(left) and attributes.is_type(right):
        return Native("types.UnionType", int | str)
    try:
        one, other = plain(left), plain(right)
        if _too_large(sign, one, other):
            return Unknown("a result too large to compute")
        result = BINARY[sign](one, other)
        if isinstance(result, (list, tuple, set, dict)):
            machine.step(len(result) // 10)
        value = literal(result)
    except ExhaustedError:
        raise
    except (NotPlain, KeyError):
        return Unknown("an operation on values that are not literal")
    except Exception:  # noqa: BLE001 - literal operands of hostile code may raise anything
        return Unknown("an operation that fails")
    return Literal(value.value, place) if isinstance(value, Literal) else value


def _too_large(sign: str, one: Any, other: Any) -> bool:
    """Whether computing would take long or fill memory; a hostile file may ask for anything."""
    sizes = [
        len(value) if isinstance(value, (str, bytes, list, tuple)) else 1 for value in (one, other)
    ]
    counts = [abs(value) if isinstance(value, (int, float)) else 1 for value in (one, other)]
    if sign == "*":
        contained = any(isinstance(value, (list, tuple)) for value in (one, other))
        # A text of one character is a text: what it is multiplied with decides alone.
        textual = any(isinstance(value, (str, bytes)) for value in (one, other))
        limit = MAX_CONTAINED if contained else MAX_TEXT if textual else MAX_TEXT**3
        return max(sizes) * max(counts) > limit
    if sign in {"**", "<<"}:
        return counts[0] > MAX_TEXT or counts[1] > 64
    if sign == "%" and isinstance(one, (str, bytes)):
        shown = one if isinstance(one, str) else one.decode("latin-1")
        return sizes[0] > MAX_TEXT // 10 or bool(re.search(r"%[^a-zA-Z%]*(\d{4}|\*)", shown))
    return sum(sizes) > MAX_TEXT


def relation(sign: str, left: Value, right: Value) -> bool | None:
    """Whether ``left sign right`` holds; None where that is not known."""
    if sign in {"is", "is not"} or (sign in {"==", "!="} and right == Literal(None)):
        same = _identical(left, right)
        return same if same is None or sign in {"is", "=="} else not same
    try:
        one, other = plain(left), _keys(right) if sign in {"in", "not in"} else plain(right)
        return bool(COMPARE[sign](one, other))
    except NotPlain:
        pass
    except Exception:  # noqa: BLE001 - comparing literals of hostile code may raise anything
        return None
    if isinstance(left, Native) and isinstance(left.value, tuple):
        try:
            return bool(COMPARE[sign](tuple(left.value), plain(right)))
        except (NotPlain, TypeError, KeyError):
            return None
    return None


def _keys(value: Value) -> Any:
    """What ``in`` looks through: the keys of a table, which are plain as they are, else all."""
    if isinstance(value, Table) and not value.open and not value.scope:
        return value.items
    return plain(value)


def _identical(left: Value, right: Value) -> bool | None:
    if isinstance(left, Literal) and isinstance(right, Literal):
        if left.value is None or right.value is None or isinstance(left.value, bool):
            return left.value is right.value
        return None
    for one, other in ((left, right), (right, left)):
        if other == Literal(None):
            certain = not isinstance(one, (Choice, Unknown, External, Native))
            return False if certain else None
    return None
