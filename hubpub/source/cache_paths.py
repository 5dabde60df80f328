"""Paths in code that guess where torch.hub keeps things."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from hubpub.diagnostic import Span
from hubpub.source import abstract, modules, reading
from hubpub.source.facts import Place
from hubpub.source.facts_loading import CachePath
from hubpub.source.text import Text, Unreadable

MAX_PATHS = 100
"""So many are told; no more."""
_USER_CACHE = re.compile(r"(?:^|/)\.cache/torch/(?:hub|checkpoints)(?:/|$)")
_TREE = re.compile(r"/?[A-Za-z0-9][\w.-]*_[\w.-]+_(?:master|main)(?:/[^\s]*)?")
"""A folder of torch.hub's: owner, name and ref (torch.hub._get_cache_or_reload)."""
_PARTS = (".cache", "torch", "hub")


def cache_paths(outcome: reading.Outcome) -> tuple[CachePath, ...]:
    """The texts in modules that are reached that spell such a path, in the order of the code."""
    found: list[CachePath] = []
    for path in sorted(outcome.machine.trees):
        text = outcome.machine.files.text(path)
        if isinstance(text, Text) and ("get_dir" in text.text or ".cache" in text.text):
            found.extend(_of(path, text))
    return tuple(found[:MAX_PATHS])


def _of(path: str, text: Text) -> Iterator[CachePath]:
    module = modules.parse(text)
    if isinstance(module, Unreadable):
        return
    asks = "get_dir" in text.text
    places = abstract.Lowering(text)
    for node, value in _said(module):
        if _USER_CACHE.search(value) or (asks and _TREE.fullmatch(value)):
            yield CachePath(value, Place(path, Span(*places.at(node))))


def _said(module: ast.Module) -> Iterator[tuple[ast.expr, str]]:
    """Texts that are part of something, which documentation is not; and parts that are joined."""
    for node in ast.walk(module):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Constant) and not isinstance(node, ast.Expr):
                if isinstance(child.value, str) and not re.search(r"\s", child.value):
                    yield child, child.value
            elif isinstance(child, ast.Call) and _joins(child):
                yield child, "/".join(_PARTS)


def _joins(call: ast.Call) -> bool:
    """Whether the arguments of a call name the folder part by part."""
    said = [item.value if isinstance(item, ast.Constant) else None for item in call.args]
    return any(tuple(said[at : at + 3]) == _PARTS for at in range(len(said)))
