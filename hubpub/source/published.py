"""What GitHub's zip holds: the index of git, ``.gitattributes``, submodules, symlinks, LFS."""

from __future__ import annotations

import posixpath
import re
import unicodedata
from collections.abc import Sequence

from hubpub.source.facts import Repo
from hubpub.source.facts_published import Published, with_parents
from hubpub.source.files import Files
from hubpub.source.gitattributes import read as read_attributes
from hubpub.source.interpret import filesystem
from hubpub.source.text import Unreadable

HUBCONF = "hubconf.py"
MAX_FILE = 1 << 20
"""A larger .gitattributes or .gitmodules is not read (bytes)."""
MAX_ATTRIBUTE_FILES = 100
POINTER = b"version https://git-lfs.github.com/spec/"
"""How a pointer of Git LFS begins (git-lfs: docs/spec.md)."""
POINTER_BYTES = 1024
"""A pointer is smaller (bytes; the same page)."""
MAX_TARGET = 255
"""A text that stands for a symlink is no longer (bytes)."""
MAX_POINTERS = 2000
"""So many small files are looked into; no more."""


def published(files: Files, paths: Sequence[str], repo: Repo) -> Published:
    """The tree that users get of ``repo``, whose folder holds ``paths``."""
    index = files.tracked()
    listed = _listed_submodules(files)
    here = tuple(sorted(paths))
    reached = _reached(repo)
    tracked, untracked = here, tuple[str, ...]()
    # Nothing is said of untracked files before hubconf.py itself is added.
    if index is None or HUBCONF not in index.files:
        links = _links(files, reached)
        submodules = {path for path in listed if _is_empty_or_clone(files, path)}
    else:
        tracked, links = index.files, index.links
        submodules = {*index.submodules, *(path for path in listed if not _below(tracked, path))}
        known = {_composed(path) for path in tracked}
        untracked = tuple(
            path
            for path in here
            if _composed(path) not in known and submodules.isdisjoint(with_parents(path))
        )
    suspects = sorted({*reached, *(item.path for item in repo.checkpoints)})[:MAX_POINTERS]
    attributes = read_attributes(_attribute_texts(files, tracked))
    return Published(
        files=tracked,
        tracked=index is not None and tracked is index.files,
        untracked=untracked,
        submodules=tuple(sorted(submodules)),
        links=links,
        pointers=tuple(path for path in suspects if _is_pointer(files, path)),
        ignores=attributes["export-ignore"],
        filters=attributes["filter"],
    )


def _reached(repo: Repo) -> set[str]:
    """The files that importing hubconf.py and calling entrypoints open, as far as is known."""
    found = {item.file for item in repo.imports if item.file}
    found.update(item.path for item in repo.opened)
    for download in repo.downloads:
        for argument in download.arguments.values():
            inside = [filesystem.inside(text) for text in argument.values if type(text) is str]
            found.update(path for path in inside if path)
    return found


def _is_pointer(files: Files, path: str) -> bool:
    """Whether a file is a pointer of Git LFS."""
    size = files.size(path)
    if size is None or size >= POINTER_BYTES:
        return False
    data = files.data(path, POINTER_BYTES)
    return not isinstance(data, Unreadable) and data.startswith(POINTER)


def _composed(path: str) -> str:
    """Git composes names, which macOS spells decomposed in folders (core.precomposeUnicode)."""
    return path if path.isascii() else unicodedata.normalize("NFC", path)


def _attribute_texts(files: Files, paths: Sequence[str]) -> dict[str, str]:
    name = ".gitattributes"
    found = [path for path in paths if path == name or path.endswith(f"/{name}")]
    found.sort(key=lambda path: path.count("/"))
    texts = {}
    for path in found[:MAX_ATTRIBUTE_FILES]:
        data = files.data(path, MAX_FILE)
        if not isinstance(data, Unreadable):
            texts[path.removesuffix(name).rstrip("/")] = data.decode("utf-8", "surrogateescape")
    return texts


def _links(files: Files, reached: set[str]) -> tuple[str, ...]:
    """The symlinks on the way to what is reached, where git's index does not name them all."""
    places = {item for path in reached for item in with_parents(path)}
    return tuple(sorted(path for path in places if files.is_link(path) or _stands_in(files, path)))


def _stands_in(files: Files, path: str) -> bool:
    """Whether a module is the text file that stands in a zip for a symlink to another one."""
    if not path.endswith(".py") or (files.size(path) or MAX_TARGET + 1) > MAX_TARGET:
        return False
    data = files.data(path, MAX_TARGET)
    target = "" if isinstance(data, Unreadable) else data.decode("utf-8", "replace").strip()
    if not re.fullmatch(r"[\w./-]+\.py", target):
        return False
    place = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
    return place != path and not place.startswith("..") and files.is_file(place)


def _listed_submodules(files: Files) -> tuple[str, ...]:
    """The folders that ``.gitmodules`` names."""
    data = files.data(".gitmodules", MAX_FILE) if files.has(".gitmodules") else b""
    if isinstance(data, Unreadable):
        return ()
    found = []
    for line in data.decode("utf-8", "surrogateescape").split("\n"):
        key, _, value = line.partition("=")
        path = value.strip().strip('"').strip("/")
        if key.strip().lower() == "path" and path and not path.startswith(".."):
            found.append(path)
    return tuple(dict.fromkeys(found))


def _is_empty_or_clone(files: Files, path: str) -> bool:
    names = files.listing(path)
    return not names or ".git" in names


def _below(paths: Sequence[str], folder: str) -> bool:
    return any(path.startswith(f"{folder}/") for path in paths)
