"""Documents as their readers see them, every character in its place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hubpub.source import blocks, notebooks

MARKDOWN = (".md", ".markdown", ".mdx")

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_QUOTE = re.compile(r"(?:[ \t]{0,20}>(?!>>)[ \t]?){1,10}")
_PROMPT = re.compile(r"[ \t]*(?:>>>|In[ \t]?\[\d{0,6}\]:)")
_MORE = re.compile(r"[ \t]*\.\.\.:?(?=\s|$)")
_FENCE = re.compile(r"(?:[\s>]|[-*+][ \t]|\d{1,9}[.)][ \t]){0,40}(`{3,}|~{3,})([^\n]*)")
_COMMENT = re.compile(r"<!--|\{/\*")
_CLOSES = {"<!--": "-->", "{/*": "*/}"}
_DOTS = re.compile(r"[ \t]*\.\.(?:[ \t]+(?P<rest>[^\s][^\n]*))?[ \t]*\n?$")
_MARKUP = re.compile(r"\[|_|\||[\w.+:-]+[ \t]*::")
"""How footnotes, targets, substitutions and directives begin, which are no comments."""
_BLANKS = re.compile(r"[^\n]")


@dataclass(frozen=True)
class Part:
    """A stretch of a document: ``text`` is what it shows.

    Comments, prompts and the marks of quoting are blanked in it, and every line ends in LF.
    ``code`` is ``text`` with blanks for what looks like prose. ``begins`` and ``ends`` say where
    in the document each character begins and ends; ``plain`` is whether they follow on each other.
    ``alone``: the part knows nothing of those before it.
    """

    text: str
    code: str
    begins: Sequence[int]
    ends: Sequence[int]
    plain: bool = True
    alone: bool = False


def parts(path: str, text: str) -> Iterator[Part]:
    """The parts of the document at ``path`` in order."""
    name = path.lower()
    if name.endswith(".ipynb"):
        for cell in notebooks.cells(text):
            shown, code = _shown(cell.text, "code" if cell.kind == "code" else ".md")
            yield Part(shown, code, cell.begins, cell.ends, plain=False)
    elif name.endswith(".py"):
        for begin, end in _triple_quoted(text):
            shown, code = _shown(text[begin:end], ".txt")
            yield Part(shown, code, *_places(begin, end), alone=True)
    else:
        ending = next((item for item in (*MARKDOWN, ".rst") if name.endswith(item)), ".txt")
        yield Part(*_shown(text, ending), *_places(0, len(text)))


def _places(begin: int, end: int) -> tuple[range, range]:
    return range(begin, end), range(begin + 1, end + 1)


def _shown(text: str, ending: str) -> tuple[str, str]:
    # A backslash must stay before its line end, so that CR LF becomes LF and a blank.
    text = text.replace("\r\n", "\n ").replace("\r", "\n")
    if ending == "code":
        shown = "".join(line for line, _ in _unprompted(text, quotes=False))
        return shown, shown
    if ending in MARKDOWN:
        return _markdown(text, mdx=ending == ".mdx")
    margin = 0
    if ending == ".rst":
        text = _without_comments(text)
    else:
        indents = {_indent(line) for line in text.split("\n")[1:] if line.strip()}
        # Code is indented below the text about it; where nothing is, all may be code.
        margin = min(indents) if len(indents) > 1 else -1
    lines = list(_unprompted(text, quotes=True))
    code = (
        line if prompted or _indent(line) > margin else _blank(line) for line, prompted in lines
    )
    return "".join(line for line, _ in lines), "".join(code)


def _blank(text: str) -> str:
    return _BLANKS.sub(" ", text)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))


def _lines(text: str) -> Iterator[str]:
    return (match.group() for match in _LINE.finditer(text))


def _unprompted(text: str, *, quotes: bool) -> Iterator[tuple[str, bool]]:
    """The lines with blanks for what quotes them and for prompts, and whether they had one."""
    prompted = False
    for line in _lines(text):
        quoted = _QUOTE.match(line) if quotes else None
        start = quoted.end() if quoted else 0
        match = _PROMPT.match(line, start) or (_MORE.match(line, start) if prompted else None)
        prompted = match is not None
        end = match.end() if match else start
        yield " " * end + line[end:], prompted


def _markdown(text: str, *, mdx: bool) -> tuple[str, str]:
    shown, code = [], []
    fence, closing, quoted = "", "", False
    last = {close: text.rfind(close) for close in _CLOSES.values()}
    offset = 0
    lines = _unprompted(text, quotes=True)
    for raw, (line, prompted) in zip(_lines(text), lines, strict=True):
        if fence and quoted and ">" not in raw[: len(raw) - len(raw.lstrip(" \t>"))]:
            fence = ""  # a fence ends with the quotation that it stands in
        if not fence:
            line, closing = _uncommented(line, closing, offset, last, mdx=mdx)  # noqa: PLW2901
        was = fence
        if not closing:
            fence = blocks.fence_after(_FENCE.match(line), fence)
            quoted = quoted if was else ">" in raw[: raw.find(fence[:1] or "\n")]
        shown.append(line)
        inside = (was and fence) or prompted or line[:4].replace("\t", "    ")[:4] == "    "
        code.append(line if inside else _blank(line))
        offset += len(raw)
    return "".join(shown), "".join(code)


def _uncommented(
    line: str, closing: str, offset: int, last: dict[str, int], *, mdx: bool
) -> tuple[str, str]:
    """A line with blanks for comments, and what closes the one that is open after it, if any.

    ``offset`` is where the line begins, and ``last`` where what closes a comment stands last.
    """
    kept: list[str] = []
    at = ticks = 0
    lead = len(line) - len(line.lstrip())
    while True:
        if closing:
            end = line.find(closing, at)
            if end < 0:
                return "".join([*kept, _blank(line[at:])]), closing
            kept.append(" " * (end + len(closing) - at))
            at, closing = end + len(closing), ""
        match = _COMMENT.search(line, at)
        if match is None:
            return "".join([*kept, line[at:]]), ""
        begin, sign = match.start(), match.group()
        ticks += line.count("`", at, begin)
        stop = begin + 2 if sign == "<!--" else match.end()
        # One that never ends hides the rest where it begins a line, and is text elsewhere.
        opens = last[_CLOSES[sign]] >= offset + stop or begin <= lead
        kept.append(line[at:begin])
        if ticks % 2 or not opens or (sign == "{/*" and not mdx):
            kept.append(sign)
            at = match.end()
        else:
            kept.append(" " * (stop - begin))
            at, closing = stop, _CLOSES[sign]


def _without_comments(text: str) -> str:
    """A reStructuredText document with blanks for its comments."""
    kept = []
    comment = empty = -1
    for line in _lines(text):
        indent, bare = _indent(line), not line.strip()
        if empty >= 0 and not bare and indent > empty:
            comment = empty
        empty = -1
        if comment >= 0 and (bare or indent > comment):
            kept.append(_blank(line))
            continue
        comment = -1
        match = _DOTS.match(line)
        if match and match["rest"] is None:
            empty = indent
        elif match and not _MARKUP.match(match["rest"]):
            comment = indent
        kept.append(line if comment < 0 else _blank(line))
    return "".join(kept)


_TOKEN = re.compile(r'"""|\'\'\'|["\']|#[^\n\r]*')
_ENDS = {
    '"""': re.compile(r'\\.|"""', re.DOTALL),
    "'''": re.compile(r"\\.|'''", re.DOTALL),
    '"': re.compile(r'\\.|["\n\r]', re.DOTALL),
    "'": re.compile(r"\\.|['\n\r]", re.DOTALL),
}


def _triple_quoted(text: str) -> Iterator[tuple[int, int]]:
    """Where the triple-quoted strings of a Python file begin and end, quotes aside."""
    at = 0
    while match := _TOKEN.search(text, at):
        sign, at = match.group(), match.end()
        if sign[0] == "#":
            continue
        ends = (item for item in _ENDS[sign].finditer(text, at) if item.group()[0] != "\\")
        end = next(ends, None)
        if end is not None and len(sign) == 3:
            yield at, end.start()
        at = len(text) if end is None else end.end()
