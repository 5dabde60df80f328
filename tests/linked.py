"""The links of Markdown documents, and the anchors that GitHub gives their headings."""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

PARSER = MarkdownIt("gfm-like", {"linkify": False})


def _inline(text: str) -> Iterator[tuple[int, Token]]:
    for token in PARSER.parse(text):
        for child in token.children or ():
            yield (token.map or [0])[0] + 1, child


def links(text: str) -> list[tuple[int, str]]:
    """The targets of links and pictures, each with a line near it."""
    found = []
    for line, token in _inline(text):
        target = token.attrGet("href") or token.attrGet("src")
        if target is not None:
            found.append((line, str(target)))
    return found


def anchors(text: str) -> set[str]:
    """What can stand behind ``#`` in a link to this document on GitHub.

    Small letters, spaces to hyphens, without punctuation; a second one of a name ends in ``-1``.
    (gjtorikian/html-pipeline, lib/html/pipeline/toc_filter.rb, from which GitHub's own came.)
    """
    seen: Counter[str] = Counter()
    found = set()
    tokens = PARSER.parse(text)
    for at, token in enumerate(tokens):
        if token.type == "heading_open":
            name = _plain(tokens[at + 1])
            slug = re.sub(r"[^\w\- ]", "", name.lower()).replace(" ", "-")
            found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
            seen[slug] += 1
    return found


@functools.cache
def _anchors(path: Path) -> set[str]:
    return anchors(path.read_text(encoding="utf-8"))


def _plain(heading: Token) -> str:
    return "".join(part.content for part in heading.children or () if part.type != "image")


def dead(page: Path, root: Path) -> list[str]:
    """The links of ``page`` that lead nowhere, outside of ``root``, or are no address."""
    wrong = []
    for line, target in links(page.read_text(encoding="utf-8")):
        why = _why_dead(page, target, root)
        if why:
            wrong.append(f"{page.name}:{line}: {target}: {why}")
    return wrong


def _why_dead(page: Path, target: str, root: Path) -> str | None:
    parts = urlsplit(target)
    if parts.scheme or parts.netloc:
        shaped = parts.scheme == "https" and re.fullmatch(r"[\w-]+(\.[\w-]+)+", parts.netloc)
        return None if shaped else "not https:// and a host"
    path = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    if not path.is_relative_to(root):
        return "outside of the repository"
    if not path.exists():
        return "no such file"
    if parts.fragment and parts.fragment not in _anchors(path):
        return "no such heading"
    return None


def reached(start: Path, pages: set[Path]) -> set[Path]:
    """Those of ``pages`` to which links lead from ``start``."""
    found, open_ = set(), [start]
    while open_:
        page = open_.pop()
        if page in found:
            continue
        found.add(page)
        for _, target in links(page.read_text(encoding="utf-8")):
            parts = urlsplit(target)
            path = (page.parent / unquote(parts.path)).resolve()
            if not parts.scheme and path in pages:
                open_.append(path)
    return found
