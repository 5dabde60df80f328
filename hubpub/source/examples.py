"""The ``torch.hub`` calls that documents show: README files, docs, notebooks, docstrings."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from hubpub.diagnostic import Span
from hubpub.source import bindings, callees, facts, pages
from hubpub.source.bindings import Bound, Names
from hubpub.source.pages import Part
from hubpub.source.reached import split
from hubpub.source.scanning import MAX_CALL, Escaped, Scanner
from hubpub.source.text import Text

MAX_CALLS = 2_000
"""So many calls of a document are read."""

_LOADERS = {
    "repo_or_dir", "github", "model", "entrypoint", "source", "trust_repo", "force_reload",
    "verbose", "skip_validation",
}  # fmt: skip
"""The parameters of ``torch.hub.load`` itself, old spellings included."""
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+(?::.*)?")
_MORE = re.compile(r"[ \t]*\.\.\.(?=[ \t]|$)")
"""The prompt before a second line, as :mod:`hubpub.rules.keywords` knows it."""
_MAX_NAMES = 100


@dataclass(frozen=True)
class _Call:
    """A call in a part of a document: ``at`` says where in the part each character of it is."""

    part: Part
    function: str
    code: str
    at: Sequence[int]
    node: ast.Call

    @property
    def begin(self) -> int:
        return self.at[0]

    @property
    def indent(self) -> int:
        return bindings.indent_at(self.part.text, self.begin)

    def argument(self, position: int, *names: str) -> ast.expr | None:
        """The argument that stands at ``position`` or has one of ``names``."""
        for keyword in self.node.keywords:
            if keyword.arg in names:
                return keyword.value
        args = self.node.args[: position + 1]
        if len(args) <= position or any(isinstance(item, ast.Starred) for item in args):
            return None
        return args[position]

    @property
    def target(self) -> ast.expr | None:
        return self.argument(0, "repo_or_dir", "github")

    @property
    def entry(self) -> ast.expr | None:
        return None if self.function == "list" else self.argument(1, "model", "entrypoint")


@dataclass(frozen=True)
class _Known:
    """A call with what its arguments come to; ``bound`` is the name that holds the repository."""

    call: _Call
    target: str | None
    entry: str | None
    source: str | None
    bound: Bound | None


def examples(path: str, text: Text) -> Iterator[facts.HubCall]:
    """The ``torch.hub`` calls that a document shows, wherever they stand in it.

    Of a Python file, those in its triple-quoted strings: examples in docstrings. A name is what it
    was bound to last before the call. ``literal`` is where the document holds ``owner/name[:ref]``
    in so many characters: in the call, or where its name is bound and used for such calls only.
    ``written`` leaves out what :func:`hubpub.rules.keywords.add_keyword` would not do well: calls
    that give ``trust_repo`` already, or that go over several lines of a quotation or a notebook.
    """
    if "hub" not in text.text:
        return
    parts = list(pages.parts(path, text.text))
    named = callees.read(part.text for part in parts)
    scanner = Scanner()
    left = MAX_CALLS
    groups = [[part] for part in parts] if path.lower().endswith(".py") else [parts]
    for group in groups:
        calls = []
        for part in group:
            matches = itertools.islice(named.pattern().finditer(part.text), left)
            for match in matches:
                left -= 1
                function = match[1] or named.functions[match[2]]
                call = _call(part, function, match, scanner)
                if call is not None and (match[1] or _names_one(call)):
                    calls.append(call)
        for known in _resolved(group, calls, scanner):
            yield _fact(path, text, known)


def _call(part: Part, function: str, match: re.Match[str], scanner: Scanner) -> _Call | None:
    """The call whose parenthesis ``match`` ends with; None where it is none."""
    code = part.text
    at: Sequence[int] = range(len(code))
    begin, opening = match.start(), match.end() - 1
    try:
        end = scanner.call_end(code, opening)
    except Escaped:
        code, at = _unescaped(part.text, begin)
        begin, opening = 0, opening - begin
        try:
            end = scanner.call_end(code, opening)
        except Escaped:
            return None
    if end is None:
        return None
    node = scanner.parse(code[begin:end])
    if not isinstance(node, ast.Call) or not (node.args or node.keywords):
        return None
    return _Call(part, function, code[begin:end], at[begin:end], node)


def _unescaped(text: str, begin: int) -> tuple[str, list[int]]:
    """What a shell makes of a string up to its end or its line's, and where each character is."""
    window = text[begin : begin + MAX_CALL].partition("\n")[0]
    first = re.search(r"\\(['\"])", window)
    quote = first[1] if first else '"'
    kept, at = [], []
    for match in re.finditer(rf"\\{quote}|.", window):
        if match.group() == quote:
            break
        kept.append(match.group()[-1])
        at.append(begin + match.end() - 1)
    return "".join(kept), at


def _names_one(call: _Call) -> bool:
    """Whether a bare name's call is one of the loader: its first argument names a repository."""
    text = call.target
    return (
        isinstance(text, ast.Constant)
        and isinstance(text.value, str)
        and _REPOSITORY.fullmatch(text.value) is not None
    )


def _resolved(group: list[Part], calls: list[_Call], scanner: Scanner) -> list[_Known]:
    """The calls with what their arguments come to, in order."""
    values = [value for call in calls for value in (call.target, call.entry) if value is not None]
    if all(isinstance(value, ast.Constant) for value in values):
        return [_known(call, Names(scanner)) for call in calls]
    names = Names(scanner)
    targets = dict.fromkeys(call.target.id for call in calls if isinstance(call.target, ast.Name))
    names.followed.update(list(targets)[:_MAX_NAMES])
    used = re.compile(rf"(?<![\w.])(?:{'|'.join(names.followed) or '(?!)'})(?!\w)")
    found = []
    for part in group:
        mine = [call for call in calls if call.part is part]
        for event in _events(part, mine, names, used):
            if isinstance(event, _Call):
                found.append(_known(event, names))
            elif isinstance(event, str):
                names.share(event)
            else:
                names.bind(part, *event)
    return found


_Binding = tuple[int, re.Match[str], "int | None"]


def _events(
    part: Part, calls: list[_Call], names: Names, used: re.Pattern[str]
) -> Iterator[_Call | _Binding | str]:
    """What happens in a part, in order: bindings, uses of names beside calls, and calls."""
    events: list[tuple[int, int, _Call | _Binding | str]] = []
    spoken_for = {offset for call in calls if (offset := _name_at(call)) is not None}
    for binding in names.bindings(part):
        events.append((binding[0], 0, binding))
        begin, end = binding[1].span("targets")
        spoken_for.update(match.start() for match in used.finditer(part.text, begin, end))
    events += [
        (match.start(), 1, match.group())
        for match in used.finditer(part.code)
        if match.start() not in spoken_for and not _commented(part.code, match.start())
    ]
    events += [(call.begin, 2, call) for call in calls]
    events.sort(key=lambda event: event[:2])
    return (event for _, _, event in events)


def _commented(text: str, at: int) -> bool:
    """Whether the line that holds ``at`` is a comment."""
    start = text.rfind("\n", max(0, at - MAX_CALL), at) + 1
    return text[start:at].lstrip().startswith("#")


def _name_at(call: _Call) -> int | None:
    """Where the name stands that a call gives for its repository."""
    if not isinstance(call.target, ast.Name):
        return None
    return call.at[bindings.offset(call.code, call.target.lineno, call.target.col_offset)]


def _known(call: _Call, names: Names) -> _Known:
    value_of = partial(names.value, part=call.part, begin=call.begin, indent=call.indent)
    target, entry, source = (
        bindings.evaluate(item, value_of)
        for item in (call.target, call.entry, call.argument(99, "source"))
    )
    name = call.target.id if isinstance(call.target, ast.Name) else ""
    followed = name in names.followed
    bound = names.at(name, call.part, call.begin, call.indent) if followed else None
    return _Known(call, target, entry, source, bound)


def _fact(path: str, text: Text, known: _Known) -> facts.HubCall:
    call, node = known.call, known.call.node
    named = {keyword.arg: keyword.value for keyword in node.keywords}
    repository, ref = split(known.target) if known.target is not None else (None, None)
    trust, skip = named.get("trust_repo"), named.get("skip_validation")
    elided = any(isinstance(item, ast.Constant) and item.value is ... for item in node.args)
    # What stands behind ** or a name may be True: nothing is said of it, as in code.
    trusted = elided or None in named or not isinstance(trust, ast.Constant | None)
    trusted = trusted or (isinstance(trust, ast.Constant) and trust.value is True)
    complete = None not in named and not any(isinstance(item, ast.Starred) for item in node.args)
    begin, end = call.part.begins[call.begin], call.part.ends[call.at[-1]]
    return facts.HubCall(
        function=call.function,
        repository=repository,
        ref=ref,
        entrypoint=known.entry,
        trusted=trusted,
        local="source" in named and (known.source or "local").lower() == "local",
        skip_validation=isinstance(skip, ast.Constant) and skip.value is True,
        place=_place(path, text, begin, end),
        literal=_literal(path, text, known) if repository else None,
        document=True,
        passes=call.function == "load" and (len(node.args) > 2 or bool(named.keys() - _LOADERS)),
        written=complete and (trust is None or trusted) and _addable(call, text.text[begin:end]),
    )


def _literal(path: str, text: Text, known: _Known) -> facts.Place | None:
    """Where the document holds the repository, and nothing else would change with it."""
    call, bound = known.call, known.bound
    part = call.part
    span = bindings.literal(call.code, call.target)
    if span is not None:
        span = call.at[span[0]], call.at[span[1] - 1] + 1
    elif bound is not None and bound.literal is not None and not bound.shared:
        part, span = bound.part, bound.literal
        if not part.code[slice(*span)].strip():
            return None  # uses are looked for in code only
    if span is None:
        return None
    begin, end = part.begins[span[0]], part.ends[span[1] - 1]
    return _place(path, text, begin, end) if text.text[begin:end] == known.target else None


def _addable(call: _Call, raw: str) -> bool:
    """Whether a keyword finds its place: behind an argument, or on a line like the others."""
    shown = call.part.text[call.begin : call.at[-1] + 1]
    lines = raw.replace("\r\n", "\n ").replace("\r", "\n").split("\n")
    if shown[:-1].rpartition("\n")[2].strip():
        last = call.begin + len(shown[:-1].rstrip()) - 1
        after = call.part.begins[call.at[-1]] - call.part.ends[last]
        return not raw[len(raw) - 1 - after : -1].strip()
    if not call.part.plain:
        return False
    for line, seen in itertools.islice(zip(lines, shown.split("\n"), strict=True), 1, None):
        match = _MORE.match(line)
        end = match.end() if match and line != seen else 0
        if line[end:] != seen[end:]:
            return False
    return True


def _place(path: str, text: Text, begin: int, end: int) -> facts.Place:
    return facts.Place(path, Span(*text.position(begin), *text.position(end)))
