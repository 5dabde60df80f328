"""hubconf.py read with libcst, the one file that fixes rewrite, into :mod:`hubpub.source.tree`.

libcst keeps every character, so what is read here can be rewritten without touching the rest. Its
metadata providers cost more than the parse (measured: positions alone 50 ms for 900 lines), so one
code generation pass of our own notes at which offset each node begins and ends (9 ms).
"""

from __future__ import annotations

import ast

import libcst as cst

from hubpub.source import abstract, concrete, modules, tree
from hubpub.source.text import Text, Unreadable

_SAFE_DEPTH = 400
"""libcst's parser recurses on the C stack: far deeper input would end the process."""
_MAX_TEXT = 1 << 18
"""A longer hubconf.py is not read (characters): its tree takes thousands of times the memory."""


def read(text: Text) -> tree.Module | Unreadable:
    """``text`` as a tree, or why there is none.

    Python's own parser and compiler look first: they bound the nesting and say what is wrong as the
    loader would. Where libcst cannot give back the text exactly (a lone CR as line end, a form
    feed) or does not know the syntax yet, the tree comes from ``ast``, which lowers to the same.
    """
    if len(text.text) > _MAX_TEXT:
        return Unreadable(f"it is larger than {_MAX_TEXT >> 10} KiB")
    module = modules.parse(text, compiled=True)
    if isinstance(module, Unreadable):
        return module
    if _depth(module) > _SAFE_DEPTH:
        return abstract.lower(module, text)
    try:
        parsed = cst.parse_module(text.text)
        positions = Positions(parsed)
    except (cst.ParserSyntaxError, RecursionError):
        return abstract.lower(module, text)
    if positions.code != text.text:
        return abstract.lower(module, text)
    lowering = concrete.Lowering(text, positions)
    return tree.Module(lowering.block(parsed.body, 0), abstract.docstring(module.body))


def _depth(module: ast.Module) -> int:
    deepest, level = 0, [module]
    nodes: list[ast.AST] = list(level)
    while nodes:
        deepest += 1
        nodes = [child for node in nodes for child in ast.iter_child_nodes(node)]
    return deepest


class _Extent:
    """Notes where the nodes rendered inside a ``with`` block begin and end."""

    __slots__ = ("_begin", "_node", "_positions")

    def __init__(self, positions: Positions, node: cst.CSTNode) -> None:
        self._positions = positions
        self._node = node

    def __enter__(self) -> None:
        self._begin = self._positions.offset

    def __exit__(self, *_: object) -> None:
        self._positions.extents[id(self._node)] = (self._begin, self._positions.offset)


class Positions:
    """Renders a module as libcst's ``CodegenState`` does, and notes offsets on the way.

    ``extents`` holds, by ``id`` of the node, the extent without surrounding white space and
    parentheses where libcst marks one; ``begins`` and ``ends`` those with them.
    """

    provider = None

    def __init__(self, module: cst.Module) -> None:
        self.default_indent = module.default_indent
        self.default_newline = module.default_newline
        self.indent_tokens: list[str] = []
        self.tokens: list[str] = []
        self.offset = 0
        self.extents: dict[int, tuple[int, int]] = {}
        self.begins: dict[int, int] = {}
        self.ends: dict[int, int] = {}
        module._codegen(self)  # type: ignore[arg-type]  # noqa: SLF001

    @property
    def code(self) -> str:
        """The text that was rendered."""
        return "".join(self.tokens)

    def increase_indent(self, value: str) -> None:
        """One level more of indentation."""
        self.indent_tokens.append(value)

    def decrease_indent(self) -> None:
        """One level less."""
        self.indent_tokens.pop()

    def add_indent_tokens(self) -> None:
        """Render the indentation."""
        for token in self.indent_tokens:
            self.add_token(token)

    def add_token(self, value: str) -> None:
        """Render ``value``."""
        self.tokens.append(value)
        self.offset += len(value)

    def pop_trailing_newline(self) -> None:
        """Take back the last token: the file does not end in a newline."""
        if self.tokens:
            self.offset -= len(self.tokens.pop())

    def before_codegen(self, node: cst.CSTNode) -> None:
        """Called before ``node`` is rendered."""
        self.begins[id(node)] = self.offset

    def after_codegen(self, node: cst.CSTNode) -> None:
        """Called after ``node`` is rendered."""
        self.ends[id(node)] = self.offset

    def record_syntactic_position(
        self,
        node: cst.CSTNode,
        *,
        start_node: cst.CSTNode | None = None,  # noqa: ARG002
        end_node: cst.CSTNode | None = None,  # noqa: ARG002
    ) -> _Extent:
        """A context in which the code of ``node`` proper is rendered."""
        return _Extent(self, node)
