"""Names that a document gives to texts, and what expressions of them come to."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

from hubpub.source.pages import Part
from hubpub.source.scanning import Scanner

MAX_TEXT = 300
"""A longer text is no name of a repository (characters)."""
_DEEP = 20
_FAR = 3_000
"""A line goes on for more characters only where no person wrote it."""
_NEAR = 20_000
"""A name that is bound below a condition is not looked for further away (characters)."""

_BINDING = re.compile(
    r"""
    (?:^|;|-c[ ]?["'])[ \t]*
    (?P<targets>[^\W\d]\w{0,99}(?:[ \t]*,[ \t]*[^\W\d]\w{0,99}){0,9})[ \t]{0,9}
    (?::[ \t]*[\w.\[\],|][\w.\[\], |]{0,79})?(?P<sign>[-+*/%|&^@]{0,2}:?=)(?!=)
    | \bfor[ \t]{1,9}(?P<loop>[\w, \t()*]{1,200}?)[ \t]{1,9}in\b
    | \b(?:as|lambda|import)[ \t]{1,9}(?P<names>[\w, \t*]{1,200})
    | \bdef[ \t]{1,9}\w{1,100}[ \t]{0,9}\((?P<parameters>[^()]{0,500})
    | \b(?P<walrus>[^\W\d]\w{0,99})[ \t]{0,9}:=
    """,
    re.MULTILINE | re.VERBOSE,
)
_GROUPS = ("targets", "loop", "names", "parameters", "walrus")
_BEFORE = 1_000
"""A comprehension names what it goes over at most so many characters behind its use."""
_NAME = re.compile(r"[^\W\d]\w*")
_SIMPLE = re.compile(r"""[ \t]*(["'])([^'"\\\n]{0,300})\1(?=[ \t]*(?:$|[;#]))""", re.MULTILINE)
_LITERAL = re.compile(r"""[rRuU]?('''|\"""|'|")(.*)\1""", re.DOTALL)


@dataclass
class Bound:
    """What a name holds: ``value`` is None where it cannot be told.

    ``literal`` is where in the part a single plain literal holds it, quotes aside. ``shared``: the
    name is used for something else than the repository of a call.
    """

    part: Part
    end: int
    indent: int
    value: str | None = None
    literal: tuple[int, int] | None = None
    shared: bool = False


@dataclass
class Names:
    """What the names of a document hold at the place up to which it was read.

    ``followed`` are the names of whose uses note is taken.
    """

    scanner: Scanner
    followed: set[str] = field(default_factory=set)
    bound: dict[str, Bound] = field(default_factory=dict)

    def bindings(self, part: Part) -> Iterator[tuple[int, re.Match[str], int | None]]:
        """From where on each binding in ``part`` holds, and where its value begins."""
        for match in _BINDING.finditer(part.text):
            if match["targets"] is not None:
                if not _goes_on(part.text, match.start()):
                    yield self._value_end(part.text, match), match, match.end()
            elif match["names"] is None or part.code[match.start() : match.end()].strip():
                # A comprehension names what it goes over behind what it does with it.
                yield (
                    max(match.start() - _BEFORE, part.text.rfind("\n", 0, match.start())),
                    match,
                    None,
                )

    def _value_end(self, text: str, match: re.Match[str]) -> int:
        simple = _SIMPLE.match(text, match.end())
        end = simple.end() if simple else self.scanner.value_end(text, match.end())
        return end if end is not None else match.end()

    def bind(self, part: Part, end: int, match: re.Match[str], begin: int | None) -> None:
        """Take note of a binding; ``end`` and ``begin`` as :meth:`bindings` gives them."""
        if begin is None or match["sign"] != "=":
            shown = [match[group] for group in _GROUPS if match[group]]
            for name in _NAME.findall(" ".join(shown)):
                self.bound[name] = Bound(part, end, 0)
            return
        targets = [name.strip() for name in match["targets"].split(",")]
        indent = indent_at(part.text, match.start("targets"))
        simple = _SIMPLE.match(part.text, begin) if len(targets) == 1 else None
        if simple:
            place = simple.start(2), simple.end(2)
            self.bound[targets[0]] = Bound(part, end, indent, simple[2], place)
            return
        code = part.text[begin:end]
        lead = len(code) - len(code.lstrip())
        node = self.scanner.parse(code.strip())
        values: list[ast.expr | None] = [node]
        if len(targets) > 1:
            values = list(node.elts) if isinstance(node, ast.Tuple | ast.List) else []
            if len(values) != len(targets) or any(isinstance(v, ast.Starred) for v in values):
                values = [None] * len(targets)
        value_of = partial(self.value, part=part, begin=begin, indent=indent)
        found = [evaluate(value, value_of) for value in values]
        for name, value, text in zip(targets, values, found, strict=True):
            span = literal(code.strip(), value)
            start = begin + lead
            whole = (span[0] + start, span[1] + start) if span else None
            self.bound[name] = Bound(part, end, indent, text, whole)

    def share(self, name: str) -> None:
        """Take note that ``name`` is used for something else than a call's repository."""
        if name in self.bound:
            self.bound[name].shared = True

    def value(self, name: str, part: Part, begin: int, indent: int) -> str | None:
        """The text that ``name`` holds there; None where it cannot be told."""
        bound = self.at(name, part, begin, indent)
        return bound.value if bound else None

    def at(self, name: str, part: Part, begin: int, indent: int) -> Bound | None:
        """What ``name`` holds at ``begin`` of ``part``, on a line that is indented so far."""
        bound = self.bound.get(name)
        if bound is None or bound.indent == 0:
            return bound
        if bound.indent > indent or (bound.part is part and _left(bound, begin)):
            return None
        return bound


def indent_at(text: str, at: int) -> int:
    """How far the line that holds ``at`` is indented; 0 where it begins too far away."""
    start = text.rfind("\n", max(0, at - _FAR), at) + 1
    line = text[start:at]
    return len(line) - len(line.lstrip()) if start or at < _FAR else 0


def _goes_on(text: str, begin: int) -> bool:
    """Whether the line at ``begin`` goes on with a call or a list: what is bound is an argument."""
    if text[begin : begin + 1] in {";", "-"}:
        return False
    before = text[max(0, begin - _BEFORE) : begin].rstrip()
    last = before[before.rfind("\n") + 1 :].partition("#")[0].rstrip()
    return last.endswith(("(", "[", "{", ",", "\\"))


def _left(bound: Bound, begin: int) -> bool:
    """Whether the block that binds a name ends before ``begin``: it may not have been run."""
    if begin - bound.end > _NEAR:
        return True
    between = bound.part.code[bound.end : begin].split("\n")[1:]
    return any(line.strip() and len(line) - len(line.lstrip()) < bound.indent for line in between)


def evaluate(
    node: ast.expr | None, value_of: Callable[[str], str | None], deep: int = 0
) -> str | None:
    """The text that an expression of literals and known names comes to; None for any other."""
    if deep > _DEEP:
        return None
    found: str | None = None
    match node:
        case ast.Constant(value=str(text)):
            found = text
        case ast.Name(id=name):
            found = value_of(name)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            first = evaluate(left, value_of, deep + 1)
            second = None if first is None else evaluate(right, value_of, deep + 1)
            found = None if first is None or second is None else first + second
        case ast.JoinedStr(values=pieces):
            texts = [evaluate(piece, value_of, deep + 1) for piece in pieces]
            if all(text is not None for text in texts):
                found = "".join(map(str, texts))
        case ast.FormattedValue(value=value, conversion=-1, format_spec=None):
            found = evaluate(value, value_of, deep + 1)
    return found if found is None or len(found) <= MAX_TEXT else None


def literal(code: str, node: ast.expr | None) -> tuple[int, int] | None:
    """Where in ``code`` the text of ``node`` stands, if it is one literal without escapes."""
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or not node.value:
        return None
    if node.end_lineno is None or node.end_col_offset is None:
        return None
    begin = offset(code, node.lineno, node.col_offset)
    match = _LITERAL.fullmatch(code, begin, offset(code, node.end_lineno, node.end_col_offset))
    if match is None or match[2] != node.value:
        return None
    return match.span(2)


def offset(code: str, row: int, column: int) -> int:
    """The offset of a place that :mod:`ast` gives: a row and a column in bytes of UTF-8."""
    lines = code.split("\n")
    before = sum(len(line) + 1 for line in lines[: row - 1])
    return before + len(lines[row - 1].encode()[:column].decode("utf-8", "ignore"))
