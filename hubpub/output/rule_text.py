"""One rule for a person at a terminal: headings, wrapped prose, indented code."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

from hubpub.diagnostic import Severity
from hubpub.output.rule import Described
from hubpub.output.style import COLORS, paint

WIDEST = 100
"""Prose in longer lines is hard to read (columns)."""
_FIXES = {"safe": "safe, with --fix", "unsafe": "unsafe, with --unsafe-fixes", "none": "none"}
_NAMES = {"markdown": "README.md", "tree": "files", "git": "git"}
"""What a code block without a title stands for, where it is not hubconf.py."""
_TEXT, _CODE = "  ", "      "
_BULLET = re.compile(r"[-*] ")


def render(item: Described, width: int, *, color: bool = False) -> str:
    """The rule's documentation in lines of at most ``width`` columns, code aside."""
    severity = paint(item.severity, COLORS[Severity.from_label(item.severity)], color=color)
    title = f"{item.code} {item.name}"
    lines = [
        paint(title, "1", color=color),
        f"{severity} · fix: {_FIXES[item.fix]} · since {item.since}",
    ]
    for number, part in enumerate(re.split(r"^## (.+)$", item.document, flags=re.MULTILINE)):
        if number % 2:
            lines += ["", paint(part, "1;36", color=color)]
        elif part.strip():
            lines.append("\n\n".join(_blocks(part, max(20, min(width, WIDEST)), color=color)))
    return "\n".join(lines) + "\n"


def _blocks(section: str, width: int, *, color: bool) -> Iterator[str]:
    """Paragraphs, lists and code blocks, each as it is shown."""
    # Prose, the fence of a block, its info string, its text, prose, ...
    parts = re.split(r"^(`{3,})([^\n]*)\n(.*?)^\1$", section, flags=re.MULTILINE | re.DOTALL)
    for number, part in enumerate(parts):
        if number % 4 == 0:
            for text in filter(None, re.split(r"\n\s*\n", part.strip())):
                yield _prose(text, width)
        elif number % 4 == 3:
            title = re.search(r'title="([^"]+)"', parts[number - 1])
            name = title[1] if title else _NAMES.get(parts[number - 1].strip(), "")
            head = paint(f"{_CODE}{name}:", "2", color=color) + "\n" if name else ""
            yield head + textwrap.indent(part.strip("\n"), _CODE)


def _prose(text: str, width: int) -> str:
    if not _BULLET.match(text):
        return _filled(text, width, "")
    items = re.split(r"\n(?=[-*] )", text)
    return "\n".join(_filled(_BULLET.sub("", item, count=1), width, "- ") for item in items)


def _filled(text: str, width: int, bullet: str) -> str:
    linked = re.sub(r"\[([^\]]+)\]\(([^)\s]+)\)", r"\1: \2", text)
    return textwrap.fill(
        " ".join(linked.split()),
        width,
        initial_indent=f"{_TEXT}{bullet}",
        subsequent_indent=_TEXT + " " * len(bullet),
        break_long_words=False,
        break_on_hyphens=False,
    )
