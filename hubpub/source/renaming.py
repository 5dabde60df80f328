"""Which names of hubconf.py can be renamed there, and everywhere that they stand.

Read with ``ast``, not from our own tree: annotations count too. A name is left out as soon as it is
bound twice, shadowed, deleted, or written in a string that may be read as code.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from hubpub.diagnostic import Span
from hubpub.source import abstract, modules
from hubpub.source.facts import Place
from hubpub.source.facts_entry import Renaming
from hubpub.source.text import Text, Unreadable, of

_ROUNDABOUT = frozenset({"eval", "exec", "globals", "locals", "vars"})
"""Builtins by which code reaches names that are not written out."""
_ANNOTATION = (
    ast.Module, ast.Expr, ast.Name, ast.Attribute, ast.Subscript, ast.Tuple, ast.List,
    ast.Constant, ast.Starred, ast.BinOp, ast.BitOr, ast.Load,
)  # fmt: skip
"""What annotations are made of: "octo/net" is none, though it can be parsed."""
_LONG = 1_000
"""A string of more characters is not looked into: a name in it stays as it is."""
_NO_NAMES = {"attr", "value", "kind", "module", "type_comment", "kwd_attrs"}
"""Fields of ``ast`` that hold text, but no name that the module binds or reads."""


def renamings(path: str, text: Text, wanted: Iterable[str]) -> dict[str, Renaming]:
    """How the names ``wanted`` of the file ``path`` can be renamed; those missing cannot."""
    taken = _words(text.text)
    words = {name for name in wanted if f"_{name}" not in taken}
    module = modules.parse(text) if words else Unreadable("nothing is wanted")
    if isinstance(module, Unreadable):
        return {}
    search = _Search(path, text, words)
    search.run(module)
    return {name: item for name in words if (item := search.renaming(name)) is not None}


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text))


class _Search:
    """One walk over a module: the bindings and uses of ``words``, and what forbids a renaming."""

    def __init__(self, path: str, text: Text, words: set[str]) -> None:
        self._path = path
        self._text = text
        self._lowering = abstract.Lowering(text)
        self._words = words
        self._bindings: dict[str, list[tuple[Place, str]]] = {name: [] for name in words}
        self._uses: dict[str, list[Place]] = {name: [] for name in words}
        self._blocked: set[str] = set()
        self._of_others: set[int] = set()  # functions called with arguments: `vars(options)`

    def renaming(self, name: str) -> Renaming | None:
        """The renaming of ``name``, if nothing forbids it."""
        bindings = self._bindings[name]
        if name in self._blocked or len(bindings) != 1:
            return None
        place, before = bindings[0]
        uses = tuple(self._uses[name])
        right = all(self._at(item) == name for item in uses)
        return Renaming(place, before, uses) if right and self._at(place) else None

    def run(self, module: ast.Module) -> None:
        """Look at every node; what stands inside an f-string has no place of its own."""
        stack: list[tuple[ast.AST, bool]] = [(module, False)]
        while stack:
            node, formatted = stack.pop()
            self._look(node, formatted=formatted)
            inside = formatted or type(node).__name__ in {"JoinedStr", "TemplateStr"}
            stack.extend(
                (child, inside)
                for child in ast.iter_child_nodes(node)
                if not (isinstance(node, ast.Expr) and isinstance(child, ast.Constant))
            )

    def _look(self, node: ast.AST, *, formatted: bool) -> None:
        if isinstance(node, ast.Name):
            self._name(node, formatted=formatted)
        elif isinstance(node, ast.alias):
            self._alias(node)
        elif isinstance(node, ast.Constant):
            if isinstance(node.value, str):
                self._blocked |= set(self._read_as_code(node.value))
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            if node.name in self._words:
                self._bindings[node.name].append((self._named(node), ""))
        else:
            if isinstance(node, ast.Attribute) and _is_roundabout(node):
                self._blocked |= self._words
            if isinstance(node, ast.Call) and node.args and isinstance(node.func, ast.Name):
                self._of_others.add(id(node.func))
            self._blocked |= self._words & set(_identifiers(node))

    def _name(self, node: ast.Name, *, formatted: bool) -> None:
        if node.id in _ROUNDABOUT and not (node.id == "vars" and id(node) in self._of_others):
            self._blocked |= self._words
        if node.id not in self._words:
            return
        if formatted or not isinstance(node.ctx, ast.Load):
            self._blocked.add(node.id)
        self._uses[node.id].append(self._place(node))

    def _alias(self, node: ast.alias) -> None:
        if node.name == "*":
            self._blocked |= self._words
        name = node.asname or node.name.partition(".")[0]
        if name not in self._words:
            return
        place = self._place(node)
        written = re.sub(r"\s+", " ", self._at(place))
        if written != (f"{node.name} as {node.asname}" if node.asname else node.name):
            self._blocked.add(name)
        self._bindings[name].append((place, f"{node.name} as "))

    def _named(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> Place:
        """The place of the name after ``def`` or ``class``; an empty one where it is not found."""
        line, column, *_ = self._lowering.start(node)
        begin = self._text.offset(line, column)
        pattern = re.compile(rf"(?:async\s+)?(?:def|class)\s+(?={re.escape(node.name)}\b)")
        match = pattern.match(self._text.text, begin)
        begin = match.end() if match else begin
        end = begin + len(node.name) if match else begin
        span = Span(*self._text.position(begin), *self._text.position(end))
        return Place(self._path, span)

    def _read_as_code(self, value: str) -> Iterator[str]:
        """The names in a string that may be an annotation, or the name of something."""
        found = self._words & _words(value)
        if not found:
            return
        if len(value) > _LONG:
            yield from found
            return
        module = modules.parse(of(value.strip()))
        nodes = [] if isinstance(module, Unreadable) else list(ast.walk(module))
        if all(isinstance(item, _ANNOTATION) for item in nodes):
            yield from (item.id for item in nodes if isinstance(item, ast.Name))

    def _place(self, node: ast.expr | ast.alias) -> Place:
        return Place(self._path, Span(*self._lowering.at(node)))

    def _at(self, place: Place) -> str:
        span = place.span
        begin = self._text.offset(span.line, span.column)
        return self._text.text[begin : self._text.offset(span.end_line, span.end_column)]


def _is_roundabout(node: ast.Attribute) -> bool:
    """Whether an attribute is a way to names that are not written out."""
    owner = node.value.id if isinstance(node.value, ast.Name) else ""
    return (
        node.attr == "__globals__"
        or (owner, node.attr) == ("sys", "modules")
        or (owner == "builtins" and node.attr in _ROUNDABOUT)
    )


def _identifiers(node: ast.AST) -> Iterator[str]:
    """The names that a node holds as text: parameters, ``global``, captures of ``match``."""
    if isinstance(node, (ast.keyword, ast.ImportFrom)):
        return
    for field, value in ast.iter_fields(node):
        if field in _NO_NAMES:
            continue
        if isinstance(value, str):
            yield value
        elif isinstance(value, list):
            yield from (item for item in value if isinstance(item, str))
