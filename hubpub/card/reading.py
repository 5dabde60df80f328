"""A card, read: its front matter as values with places, and its Markdown as blocks.

YAML and Markdown are read by PyYAML and markdown-it-py, which the extra ``card`` brings. PyYAML is
what the checker of pytorch/hub and huggingface_hub read front matter with, so that what passes
here means the same there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hubpub.diagnostic import FILE_START, Span
from hubpub.errors import UsageError

if TYPE_CHECKING:
    from markdown_it.token import Token

MAX_BYTES = 64 << 10
"""A larger file is not read as a card (bytes). The largest of pytorch/hub has 16 kB, and what
takes the square of its length to read takes seconds at this one.
"""
_MAX_FRONT, _MAX_DEPTH = 16 << 10, 16
_MAX_HEADING = 1000
FENCE = "---"
INSTALL = "pip install 'hubpub[card]'"


@dataclass(frozen=True)
class Field:
    """A key of the front matter, its value as YAML reads it, and the places of both."""

    key: str
    value: Any
    at: Span
    value_at: Span


@dataclass(frozen=True)
class Fault:
    """Why the front matter cannot be read; ``code`` of the rule."""

    code: str
    at: Span
    message: str


@dataclass(frozen=True)
class Heading:
    """A heading at the top level: the texts that stand in it directly, and its line."""

    texts: tuple[str, ...]
    line: int


@dataclass(frozen=True)
class Fenced:
    """A fenced block: the word after its fence, the lines of the whole, and of the text in it."""

    word: str
    line: int
    last: int


@dataclass(frozen=True)
class Text:
    """A card.

    ``lines`` are all of it, ``body`` the 1-based line after the end of its front matter, ``code``
    the 1-based lines that are shown as code.
    """

    path: Path
    lines: Sequence[str]
    body: int
    fields: Mapping[str, Field] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    headings: tuple[Heading, ...] = ()
    fenced: tuple[Fenced, ...] = ()
    code: frozenset[int] = frozenset()

    def whole(self, number: int) -> Span:
        """The span of a 1-based line."""
        return Span(number, 1, number, len(self.lines[number - 1]) + 1)


def read(path: Path) -> Text:
    """The card at ``path``.

    Raises:
        UsageError: the file cannot be read, or what reads cards is not installed.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: {getattr(error, 'strerror', None) or error}") from None
    if len(data) > MAX_BYTES:
        raise UsageError(f"{path}: larger than {MAX_BYTES >> 10} KiB, so it is no card")
    return parse(path, data)


def parse(path: Path, data: bytes) -> Text:
    """The card whose file holds ``data``. Raises UsageError where what reads it is missing."""
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        before = data[: error.start].replace(b"\r\n", b"\n")
        line = before.count(b"\n") + 1
        fault = Fault("CARD001", Span(line, 1, line, 1), "the card is not UTF-8")
        shown = data.decode("utf-8", "replace").split("\n")
        return Text(path, shown, len(shown) + 1, faults=(fault,))
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    end, unfit = _front(lines)
    if unfit is not None:
        return _with_markdown(Text(path, lines, end + 1, faults=(unfit,)))
    fields, faults = _fields(lines[1 : end - 1])
    return _with_markdown(Text(path, lines, end + 1, fields, tuple(faults)))


def _front(lines: Sequence[str]) -> tuple[int, Fault | None]:
    """The 1-based line that ends the front matter (0 where there is none), and what is wrong."""
    first = lines[0]
    if first.startswith("\ufeff"):
        said = "the card begins with a byte order mark, so its first line is no ---"
        return 0, Fault("CARD001", FILE_START, said)
    if first.rstrip() != FENCE:
        return 0, Fault("CARD001", FILE_START, "the card does not begin with a line of ---")
    for number, line in enumerate(lines[1:], start=2):
        if line.startswith(FENCE):
            fit = line.rstrip() == FENCE
            said = "the line that ends the front matter has more than --- in it"
            whole = Span(number, 1, number, len(line) + 1)
            return number, None if fit else Fault("CARD001", whole, said)
    return 0, Fault("CARD001", FILE_START, "the front matter has no end: a second line of ---")


def _fields(lines: Sequence[str]) -> tuple[Mapping[str, Field], list[Fault]]:
    """The fields of the front matter, which begins on line 2, and what is wrong with it."""
    try:
        import yaml
    except ImportError:
        raise UsageError("cards are read with PyYAML, which is missing", help=INSTALL) from None
    text = "\n".join(lines)
    start = Span(2, 1, 2, 1)
    if len(text) > _MAX_FRONT:
        said = f"the front matter is larger than {_MAX_FRONT >> 10} KiB"
        return {}, [Fault("CARD002", start, said)]
    try:
        refused = _refused(yaml.parse(text, yaml.SafeLoader))
        if refused is not None:
            return {}, [refused]
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        if not isinstance(node, yaml.MappingNode):
            return {}, [Fault("CARD002", start, "the front matter holds no key: value")]
        return _mapping(node, loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = start if mark is None else _span(mark, mark)
        said = " ".join(str(error.problem or error.context).split())
        return {}, [Fault("CARD002", at, f"the front matter is no YAML: {said[:200]}")]
    except (yaml.YAMLError, ValueError, RecursionError, OverflowError) as error:
        said = " ".join(str(error).split())[:200]
        return {}, [Fault("CARD002", start, f"the front matter is no YAML: {said}")]


def _refused(events: Iterator[Any]) -> Fault | None:
    """What YAML knows and a front matter has no use for; found before anything is built of it."""
    import yaml

    depth = 0
    for event in events:
        at = _span(event.start_mark, event.end_mark)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            return Fault("CARD002", at, "the front matter has an anchor or an alias")
        if getattr(event, "tag", None):
            return Fault("CARD002", at, "the front matter has a tag (!)")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _MAX_DEPTH:
            return Fault("CARD002", at, f"the front matter is nested deeper than {_MAX_DEPTH}")
    return None


def _mapping(node: Any, loader: Any) -> tuple[Mapping[str, Field], list[Fault]]:
    found: dict[str, Field] = {}
    faults = []
    for key, value in node.value:
        at = _span(key.start_mark, key.end_mark)
        name = loader.construct_object(key, deep=True)
        if not isinstance(name, str):
            faults.append(Fault("CARD002", at, f"the key {str(name)[:60]!r} is no text"))
            continue
        if name in found:
            said = f"{name[:60]} stands on line {found[name].at.line} already"
            faults.append(Fault("CARD003", at, said))
        given = loader.construct_object(value, deep=True)
        str(given)  # raises ValueError for a number that Python does not write
        found[name] = Field(name, given, at, _span(value.start_mark, value.end_mark))
    return found, faults


def _span(start: Any, end: Any) -> Span:
    """Marks of PyYAML count from 0, and from the line after the first ---."""
    return Span(start.line + 2, start.column + 1, end.line + 2, end.column + 1)


def _with_markdown(card: Text) -> Text:
    try:
        from markdown_it import MarkdownIt
    except ImportError:
        said = "cards are read with markdown-it-py, which is missing"
        raise UsageError(said, help=INSTALL) from None
    import dataclasses

    blocks = MarkdownIt("commonmark").disable(["inline", "text_join"])
    inline = MarkdownIt("commonmark").disable("text_join")
    above = card.body - 1
    tokens = blocks.parse("\n".join(card.lines[above:]))
    headings: list[Heading] = []
    fenced: list[Fenced] = []
    code: set[int] = set()
    for index, token in enumerate(tokens):
        if token.map is None:
            continue
        first, last = token.map[0] + above + 1, token.map[1] + above
        if token.type == "heading_open" and token.level == 0:
            children = (
                inline.parseInline(tokens[index + 1].content[:_MAX_HEADING])[0].children or []
            )
            headings.append(Heading(tuple(_texts(children)), first))
        elif token.type in {"fence", "code_block"}:
            code.update(range(first, last + 1))
            if token.type == "fence":
                fenced.append(Fenced(token.info.strip().split(" ")[0], first, last))
    return dataclasses.replace(
        card, headings=tuple(headings), fenced=tuple(fenced), code=frozenset(code)
    )


def _texts(children: Sequence[Token]) -> Iterator[str]:
    """The texts as mistune, which the checker reads with, has them: references are not resolved."""
    for token in children:
        if token.level:
            continue  # in emphasis, or a link
        if token.type == "text":
            yield token.content
        elif token.type == "text_special":
            yield token.markup if token.info == "entity" else token.content
