"""The names in the annotations of hubconf.py, which our own tree does not hold."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from hubpub.source import modules
from hubpub.source.text import Text, Unreadable


def names(text: Text) -> frozenset[str]:
    """The names that annotations of functions and variables mention, in strings as well."""
    module = modules.parse(text)
    if isinstance(module, Unreadable):
        return frozenset()
    return frozenset(
        name
        for node in ast.walk(module)
        for annotation in _annotations(node)
        for name in _names(annotation)
    )


def _annotations(node: ast.AST) -> Iterator[ast.expr]:
    for field in ("annotation", "returns"):
        value = getattr(node, field, None)
        if isinstance(value, ast.expr):
            yield value


def _names(annotation: ast.expr) -> Iterator[str]:
    for node in ast.walk(annotation):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from re.findall(r"\w+", node.value)
