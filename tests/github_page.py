"""Markdown as GitHub renders it, and what it would then make of the words of the page.

The first step is GitHub's own fork of cmark, with the extensions that GitHub has on. What follows
there works on the text between the tags: names, issues, commits, emoji and formulas.
"""

from __future__ import annotations

import html.parser
import re
from collections.abc import Iterator

from cmarkgfm import cmark

EXTENSIONS = ["table", "strikethrough", "autolink", "tagfilter", "tasklist"]
OPTIONS = (
    cmark.Options.CMARK_OPT_UNSAFE
    | cmark.Options.CMARK_OPT_FOOTNOTES
    | cmark.Options.CMARK_OPT_GITHUB_PRE_LANG
)
_LEFT_ALONE = {"code", "pre", "a"}
_LIVE = {
    "a name": re.compile(r"@\w"),
    "an issue": re.compile(r"#\d|\bgh-\d", re.IGNORECASE),
    "a commit": re.compile(r"\b[0-9a-f]{7,40}\b", re.IGNORECASE),
    "an emoji": re.compile(r":[\w+-]+:"),
    "a formula": re.compile(r"\$.|.\$", re.DOTALL),
    "an alert": re.compile(r"^\s*\[!\w+\]"),
}


class GitHubPage(html.parser.HTMLParser):
    """The elements, links, texts and tables of a text in Markdown."""

    def __init__(self, markdown: str) -> None:
        super().__init__(convert_charrefs=True)
        self.html = cmark.markdown_to_html_with_extensions(markdown, OPTIONS, EXTENSIONS)
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.links: list[str] = []
        self.texts: list[str] = []
        """The text of each node on which GitHub's filters work."""
        self.words = ""
        self.tables: list[list[list[str]]] = []
        self.open = ""
        """The words that are seen before anything is unfolded."""
        self._inside: list[str] = []
        self._broken = True
        self.feed(self.html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name in {"href", "src"}]
        if tag not in {"br", "hr", "img", "input"}:
            self._inside.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in {"td", "th"}:
            self.tables[-1][-1].append("")
        self._broken = True

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self._inside.pop() == tag, self.html
        self._broken = True

    def handle_data(self, data: str) -> None:
        self.words += data
        if "td" in self._inside or "th" in self._inside:
            self.tables[-1][-1][-1] += data
        if "details" not in self._inside or "summary" in self._inside:
            self.open += data
        if self._broken:
            self.texts.append("")
            self._broken = False
        if not _LEFT_ALONE & set(self._inside):
            self.texts[-1] += data

    def live(self) -> Iterator[str]:
        """What GitHub would make something of."""
        for text in self.texts:
            for what, pattern in _LIVE.items():
                if pattern.search(text):
                    yield f"{what}: {text!r}"
        for what in ("img", "blockquote", "sup", "input", "section", "pre", "del", "em", "script"):
            if what in self.tags:
                yield f"an element: {what}"
