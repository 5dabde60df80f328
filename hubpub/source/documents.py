"""What is not Python: README and docs, .git's own files, checkpoints."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hubpub.source import facts
from hubpub.source.files import Files
from hubpub.source.text import Text, Unreadable, decode

MAX_DOCUMENT = 2 << 20
"""Documents larger than this are not read (bytes)."""
MAX_NOTEBOOK = 8 << 20
"""Notebooks hold what their cells drew, and may be larger (bytes)."""
MAX_DOCUMENTS = 300
MAX_NOTEBOOKS = 60
DEPTH = 3
"""README files below so many folders are read."""


_MARKED = (".md", ".markdown", ".mdx", ".rst")
_README = re.compile(r"readme(?:[ ._-].*)?\Z")
_FOLDER = re.compile(r"(?:[^/]+/)?(?:[a-z]*docs?|documentation)/")
_PAST = re.compile(
    r"(?:^|/)(?:change[ _-]?logs?|changes|history|news|releases?|release[ _-]?notes?|"
    r"what[ _-]?s[ _-]?new)(?:\.d)?(?:[/._ -]|\Z)"
)
"""Documents of what once was: an old example in them is right as it stands."""
_FOREIGN = re.compile(
    r"(?:^|/)(?:\.ipynb_checkpoints|third[_-]?party|3rd[_-]?party|externals?|vendor(?:ed)?|"
    r"site-packages)/"
)


def documents(paths: Sequence[str]) -> list[str]:
    """README files, notebooks, and what lies at the root and below docs, by path.

    Left out is what tells a history, and what others wrote who are only quoted in the tree.
    """
    found = [path for path in paths if _is_document(path.lower())]
    notebooks = set([path for path in found if path.lower().endswith(".ipynb")][MAX_NOTEBOOKS:])
    return [path for path in found if path not in notebooks][:MAX_DOCUMENTS]


def _is_document(path: str) -> bool:
    name = path.rpartition("/")[2]
    depth = path.count("/")
    if _PAST.search(path) or _FOREIGN.search(path):
        return False
    if path.endswith(".ipynb"):
        return depth <= 2 or _FOLDER.match(path) is not None
    if name.endswith(_MARKED):
        return depth == 0 or _FOLDER.match(path) is not None or _readme(name, depth)
    return name in {"readme", "readme.txt"} and depth <= DEPTH


def _readme(name: str, depth: int) -> bool:
    return depth <= DEPTH and _README.match(name) is not None


def read(files: Files, path: str) -> Text | None:
    """The text of a document; None where there is none. Bytes that are not UTF-8 are replaced."""
    limit = MAX_NOTEBOOK if path.lower().endswith(".ipynb") else MAX_DOCUMENT
    data = files.data(path, limit)
    if isinstance(data, Unreadable):
        return None
    text = decode(data)
    if isinstance(text, Unreadable):
        text = decode(data.replace(b"\0", b" ").decode("utf-8", "replace").encode())
    return None if isinstance(text, Unreadable) else text


def checkpoints(files: Files, paths: Sequence[str]) -> tuple[facts.CheckpointFile, ...]:
    """Files that look like checkpoints, with their sizes."""
    found = []
    for path in paths:
        if path.lower().endswith(facts.CHECKPOINT_SUFFIXES):
            size = files.size(path)
            if size is not None:
                found.append(facts.CheckpointFile(path, size))
    return tuple(found)


_LICENCE = re.compile(r"(?:un)?licen[cs]e|copying|licenses/", re.IGNORECASE)
_NAMED_LICENCE = re.compile(rb"(?m)^\s*licen[cs]e\s*=|License ::")


def licensed(files: Files, paths: Sequence[str]) -> bool:
    """Whether a licence file lies at the root, or a packaging file names a licence."""
    if any(_LICENCE.match(path) for path in paths if path.count("/") <= 1):
        return True
    for path in ("pyproject.toml", "setup.cfg", "setup.py"):
        data = files.data(path, 1 << 20) if path in paths else b""
        if not isinstance(data, Unreadable) and _NAMED_LICENCE.search(data):
            return True
    return False
