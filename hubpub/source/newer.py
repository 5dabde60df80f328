"""Syntax, and annotations that are evaluated, of later Pythons than the project declares."""

from __future__ import annotations

import ast
import io
import token
import tokenize
from collections.abc import Iterator, Sequence

from hubpub.diagnostic import Span
from hubpub.source import abstract, facts, modules, reading
from hubpub.source.facts_loading import DeclaredPython, NewSyntax
from hubpub.source.text import Text, Unreadable

Version = tuple[int, int]
Use = tuple[Version, str, ast.AST]
"""Since when there is something, what it is, and where it is used."""

NEWEST: Version = (3, 14)
_NODES: dict[str, tuple[Version, str]] = {
    "JoinedStr": ((3, 6), "an f-string"),
    "NamedExpr": ((3, 8), "the operator :="),
    "Match": ((3, 10), "a match statement"),
    "TryStar": ((3, 11), "except*"),
    "TypeAlias": ((3, 12), "a type statement"),
    "TemplateStr": ((3, 14), "a t-string"),
}
"""Nodes of ``ast`` that are new as a whole."""
GENERIC = frozenset({"list", "dict", "tuple", "set", "frozenset", "type"})
"""Builtins that can be subscripted from Python 3.9 on (PEP 585)."""
_GENERIC_MODULES = frozenset({"collections", "collections.abc", "contextlib"})


def new_syntax(
    outcome: reading.Outcome,
    imports: tuple[facts.Import, ...],
    python: DeclaredPython | None,
) -> Iterator[NewSyntax]:
    """Per file that is reached and per Python, the first use of what the declared Python lacks."""
    if python is None or python.minimum >= NEWEST:
        return
    files = {item.file for item in imports if item.file and not item.guarded}
    for path in (reading.HUBCONF, *sorted(files - {reading.HUBCONF})):
        text = outcome.machine.files.text(path) if path in outcome.machine.trees else None
        module = modules.parse(text) if isinstance(text, Text) else None
        if not isinstance(text, Text) or module is None or isinstance(module, Unreadable):
            continue
        first: dict[Version, tuple[str, Span]] = {}
        places = abstract.Lowering(text)
        for minimum, feature, node in uses(module):
            if minimum <= python.minimum:
                continue
            span = Span(*places.at(node))
            if minimum not in first or span < first[minimum][1]:
                first[minimum] = (feature, span)
        if python.minimum < (3, 12):
            for span in _nested(text):
                first.setdefault((3, 12), ("quotes of the same kind inside an f-string", span))
        for minimum, (feature, span) in sorted(first.items()):
            yield NewSyntax(feature, minimum, facts.Place(path, span))


def uses(module: ast.Module) -> Iterator[Use]:
    """What a module uses that has not always been there, in no order."""
    future = False
    for node in ast.walk(module):
        known = _NODES.get(type(node).__name__)
        if known is not None:
            yield (*known, node)
        if isinstance(node, ast.ImportFrom) and _is_future(node):
            future = True
            yield (3, 7), "from __future__ import annotations", node
        yield from _parts(node)
    if not future:
        yield from _Evaluated(module).uses(module.body)


def _parts(node: ast.AST) -> Iterator[Use]:
    if isinstance(node, ast.arguments):
        for item in node.posonlyargs[:1]:
            yield (3, 8), "a parameter that is positional only", item
        starred = node.vararg.annotation if node.vararg else None
        if isinstance(starred, ast.Starred):
            yield (3, 11), "*args: *Ts", starred
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield from _definition(node)
    elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple):
        first = node.slice.elts[0] if node.slice.elts else None
        starred_ = any(isinstance(item, ast.Starred) for item in node.slice.elts)
        # With parentheses the tuple begins before its first element, and is an old one.
        if starred_ and first is not None and _start(first) == _start(node.slice):
            yield (3, 11), "a starred index", node
    elif isinstance(node, ast.Call) and _asks_for_union(node):
        yield (3, 10), "X | Y as a type", node.args[1]


def _definition(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> Iterator[Use]:
    for item in getattr(node, "type_params", ())[:1]:
        yield (3, 12), "type parameters", item
    for decorator in node.decorator_list:
        if not _dotted(decorator.func if isinstance(decorator, ast.Call) else decorator):
            yield (3, 9), "a decorator that is any expression", decorator


def _is_future(node: ast.ImportFrom) -> bool:
    return node.module == "__future__" and any(item.name == "annotations" for item in node.names)


def _asks_for_union(node: ast.Call) -> bool:
    """``isinstance(x, int | str)``."""
    if not isinstance(node.func, ast.Name) or len(node.args) != 2:
        return False
    second = node.args[1]
    named = node.func.id in {"isinstance", "issubclass"}
    return named and isinstance(second, ast.BinOp) and _is_union(second)


def _start(node: ast.expr) -> tuple[int, int]:
    return node.lineno, node.col_offset


def _dotted(node: ast.expr) -> bool:
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)


_TYPES = GENERIC | {"int", "str", "float", "bool", "bytes", "complex", "object"}


def _is_union(node: ast.BinOp) -> bool:
    """Whether ``a | b`` certainly joins types: one side is a builtin type or None."""
    return isinstance(node.op, ast.BitOr) and any(
        (isinstance(side, ast.Name) and side.id in _TYPES)
        or (isinstance(side, ast.Constant) and side.value is None)
        for side in (node.left, node.right)
    )


class _Evaluated:
    """Annotations and aliases that run when a module is imported."""

    def __init__(self, module: ast.Module) -> None:
        self.generic = set(GENERIC)
        for node in module.body:
            if isinstance(node, ast.ImportFrom):
                names = {item.asname or item.name for item in node.names}
                standard = node.module in _GENERIC_MODULES and not node.level
                self.generic = self.generic | names if standard else self.generic - names

    def uses(self, body: Sequence[ast.stmt]) -> Iterator[Use]:
        """What the statements use, without the bodies of functions and what may be caught."""
        pending = list(reversed(body))
        while pending:
            node = pending.pop()
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                for annotation in _annotations(node):
                    yield from self._annotation(annotation)
            elif isinstance(node, ast.ClassDef):
                for base in node.bases:
                    yield from self._annotation(base, unions=False)
                pending.extend(reversed(node.body))
            elif isinstance(node, ast.AnnAssign):
                yield from self._annotation(node.annotation)
            elif isinstance(node, ast.Assign):
                yield from self._alias(node.value)
            elif isinstance(node, ast.If):
                if not _asks_for_version(node.test):
                    pending.extend(reversed([*node.body, *node.orelse]))
            elif isinstance(node, (ast.With, ast.For, ast.While)):
                pending.extend(reversed(node.body))

    def _alias(self, value: ast.expr) -> Iterator[Use]:
        if isinstance(value, ast.Subscript):
            yield from self._annotation(value, unions=False)
        elif isinstance(value, ast.BinOp) and _is_union(value):
            yield from self._annotation(value)

    def _annotation(self, annotation: ast.expr, *, unions: bool = True) -> Iterator[Use]:
        pending: list[ast.AST] = [annotation]
        while pending:
            node = pending.pop()
            if isinstance(node, ast.Subscript):
                name = _name(node.value)
                last = name.rpartition(".")[2]
                if name in self.generic or name.startswith("collections.abc."):
                    yield (3, 9), f"{name}[...]", node
                if last == "Literal":
                    continue
                if last == "Annotated" and isinstance(node.slice, ast.Tuple):
                    pending.extend(node.slice.elts[:1])
                    continue
                pending.append(node.slice)
            elif isinstance(node, ast.BinOp):
                if unions and isinstance(node.op, ast.BitOr) and not _textual(node):
                    yield (3, 10), "X | Y in an annotation", node
                pending.extend((node.left, node.right))
            elif isinstance(node, (ast.Tuple, ast.List)):
                pending.extend(node.elts)


def _textual(node: ast.BinOp) -> bool:
    """Whether a side is a string: then it fails on every Python, or is no union of types."""
    return any(
        isinstance(side, ast.Constant) and side.value is not None
        for side in (node.left, node.right)
    )


def _annotations(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.expr]:
    given = node.args
    every = [*given.posonlyargs, *given.args, given.vararg, *given.kwonlyargs, given.kwarg]
    for item in every:
        if item is not None and item.annotation is not None:
            yield item.annotation
    if node.returns is not None:
        yield node.returns


def _name(node: ast.expr) -> str:
    parts: list[str] = []
    while isinstance(node, ast.Attribute) and len(parts) < 10:
        parts.append(node.attr)
        node = node.value
    return ".".join(reversed([*parts, node.id])) if isinstance(node, ast.Name) else ""


def _asks_for_version(test: ast.expr) -> bool:
    """Whether a branch is for some Pythons, or for type checkers."""
    words = {"version_info", "TYPE_CHECKING", "hexversion", "PY3"}
    return any(getattr(node, "id", getattr(node, "attr", None)) in words for node in ast.walk(test))


def _nested(text: Text) -> Iterator[Span]:
    """Strings inside f-strings that are written as Python 3.12 first allows (PEP 701).

    An older Python refuses the file as a whole, so that there is nothing to look for.
    """
    start, end = getattr(token, "FSTRING_START", None), getattr(token, "FSTRING_END", None)
    if start is None:
        return
    quotes: list[str] = []
    try:
        for item in tokenize.generate_tokens(io.StringIO(text.text).readline):
            if item.type in {start, token.STRING}:
                mark = item.string.lstrip("rRbBuUfFtT")
                quote = mark[:3] if mark[:3] in {'"""', "'''"} else mark[:1]
                again = any(quote[0] == outer[0] and len(quote) >= len(outer) for outer in quotes)
                if again or (quotes and "\\" in item.string):
                    yield Span(item.start[0], item.start[1] + 1, item.end[0], item.end[1] + 1)
                    return
                if item.type == start:
                    quotes.append(quote)
            elif item.type == end and quotes:
                quotes.pop()
            elif item.type == token.COMMENT and quotes:
                yield Span(item.start[0], item.start[1] + 1, item.end[0], item.end[1] + 1)
                return
    except (tokenize.TokenError, SyntaxError, IndentationError):
        return
