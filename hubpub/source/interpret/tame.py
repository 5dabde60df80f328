"""Regular expressions of a repository, matched only where that cannot take long.

A hostile pattern can backtrack for ever, and Python cannot be told to stop. What computes names is
simple: character classes, literals, and at most one repetition.
"""

from __future__ import annotations

import re

MAX_TEXT = 2_000
"""Longer texts are not searched (characters): one repetition takes quadratic time."""
_CLASS = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)


def is_tame(pattern: str) -> bool:
    """Whether ``pattern`` repeats at most one thing, and holds no group that could repeat it."""
    rest = _CLASS.sub("x", pattern)
    repeats = len(re.findall(r"[*+{]", rest))
    return len(pattern) <= 200 and repeats <= 1 and not (repeats and "(" in rest)


def _check(pattern: str, text: str) -> None:
    if not is_tame(pattern) or len(text) > MAX_TEXT:
        raise ValueError("a pattern that is not followed")


def substitute(pattern: str, replacement: str, text: str, count: int = 0) -> str:
    """``re.sub`` of a tame pattern; raises ValueError for any other."""
    _check(pattern, text)
    return re.sub(pattern, replacement, text, count=count)


def split(pattern: str, text: str) -> list[str]:
    """``re.split`` by a tame pattern; raises ValueError for any other."""
    _check(pattern, text)
    return re.split(pattern, text)


def find_all(pattern: str, text: str) -> list[str]:
    """``re.findall`` of a tame pattern; raises ValueError for any other."""
    _check(pattern, text)
    return re.findall(pattern, text)
