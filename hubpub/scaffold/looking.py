"""What is in the folder already: read, bounded, and nothing of it run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hubpub import config
from hubpub.errors import ConfigError
from hubpub.scaffold import classes
from hubpub.scaffold.classes import ModelClass
from hubpub.source import distribution, documents, git
from hubpub.source.facts import HASH_REGEX
from hubpub.source.files import Files
from hubpub.source.packages import IMPORTS, module_of
from hubpub.source.text import Unreadable

SUFFIXES = (".pth", ".pt", ".ckpt", ".safetensors")
"""How the names of the checkpoints end that init offers, in lower case."""
MAX_PROJECT = 1 << 20
"""A larger pyproject.toml is not read (bytes)."""
_STAMP_DIGITS = 8
_RELEASE = re.compile(r"v?\d+(?:\.\d+){1,3}\Z")
_NOT_PACKAGES = frozenset({"tests", "test", "docs", "doc", "examples", "scripts", "build", "dist"})


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint in the folder; ``size`` in bytes. ``stamped``: its name ends as it should."""

    path: str
    size: int
    stamped: bool


@dataclass(frozen=True)
class Found:
    """What :func:`look` saw. Paths are relative to the folder, with forward slashes.

    ``owner`` and ``repo`` come from git's remotes on GitHub, or the project's own pages there;
    ``tag`` is the newest release. ``project``, ``description`` and ``author`` are what the
    packaging files say, empty where they do not. ``packages`` can be imported from the root,
    ``sources`` from the folder ``src``. ``dependencies`` are import names. ``readme`` and
    ``licence`` are the files that are there, None without one; ``licensed`` also where a packaging
    file names the licence. ``settings`` is the file that holds settings of hubpub.
    """

    root: Path
    git: bool = False
    owner: str | None = None
    repo: str | None = None
    tag: str | None = None
    project: str = ""
    description: str = ""
    author: str = ""
    packages: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    dependencies: tuple[str, ...] = ()
    models: tuple[ModelClass, ...] = ()
    checkpoints: tuple[Checkpoint, ...] = ()
    readme: str | None = None
    licence: str | None = None
    licensed: bool = False
    hubconf: bool = False
    paths: frozenset[str] = frozenset()

    def candidates(self) -> tuple[ModelClass, ...]:
        """The networks to offer: those that no other is made of, or else all."""
        whole = tuple(model for model in self.models if not model.part)
        return whole or self.models

    def remarks(self) -> Iterator[str]:
        """What was seen, one line each, for people."""
        if self.owner and self.repo:
            yield f"found the repository {self.owner}/{self.repo} on GitHub"
        if self.project:
            yield f"found the project {self.project} in the packaging files"
        if self.models:
            names = ", ".join(model.dotted for model in self.candidates()[:5])
            more = len(self.candidates()) - 5
            yield f"found networks: {names}{f' and {more} more' if more > 0 else ''}"
        for item in self.checkpoints[:5]:
            how = "stamped" if item.stamped else "not stamped: see --from-checkpoint"
            yield f"found the checkpoint {item.path} ({mebibytes(item.size)}, {how})"


def mebibytes(size: int) -> str:
    """A size as people read it; ``size`` in bytes."""
    return f"{size} bytes" if size < 1 << 20 else f"{size / (1 << 20):.1f} MiB"


def is_stamped(name: str) -> bool:
    """Whether ``torch.hub`` reads at least eight digits of a hash from a file name."""
    match = HASH_REGEX.search(name)
    return match is not None and len(match.group(1)) >= _STAMP_DIGITS


def look(root: Path) -> Found:
    """Look at the folder ``root``, which may be missing or empty; whatever it holds, never raises.

    Nothing of it is run, and git itself is not asked: only its files are read.
    """
    files = Files(root)
    if not files.is_directory(""):
        return Found(root)
    paths = files.walk()
    clone, about = git.read(files), distribution.project(files, paths)
    own = (*clone.own, *about.homes)
    owner, _, repo = own[0].partition("/") if own else ("", "", "")
    project = _project(files)
    return Found(
        root,
        git=files.has(".git"),
        owner=owner or None,
        repo=repo or None,
        tag=next((tag for tag in reversed(clone.tags) if _RELEASE.match(tag)), None),
        project=_text(project.get("name")) or min(about.names, default=""),
        description=_text(project.get("description")),
        author=_author(project),
        packages=tuple(_packages(files, "")),
        sources=tuple(_packages(files, "src")),
        dependencies=tuple(_modules(about.required)),
        models=classes.find(files, paths),
        checkpoints=tuple(
            Checkpoint(item.path, item.size, is_stamped(item.path.rpartition("/")[2]))
            for item in documents.checkpoints(files, paths)
            if item.path.lower().endswith(SUFFIXES)
        ),
        readme=_present(files, ("readme",)),
        licence=_present(files, ("license", "licence", "copying")),
        licensed=documents.licensed(files, paths),
        hubconf=files.has("hubconf.py"),
        paths=frozenset(paths),
    )


def _present(files: Files, beginnings: tuple[str, ...]) -> str | None:
    names = [name for name in files.listing("") if name.lower().startswith(beginnings)]
    return min(names, default=None)


def _packages(files: Files, folder: str) -> Iterator[str]:
    """The folders that hold an ``__init__.py``, by name."""
    base = f"{folder}/" if folder else ""
    for name in sorted(files.listing(folder)):
        if name not in _NOT_PACKAGES and files.is_file(f"{base}{name}/__init__.py"):
            yield name


def _modules(required: frozenset[str]) -> Iterator[str]:
    """The import names of distributions, whose names are normalised."""
    for name in sorted(required - {"python"}):
        module = IMPORTS.get(name) or module_of(name) or name
        top = module.partition(".")[0]
        if top.isidentifier():
            yield top


def _project(files: Files) -> Mapping[str, Any]:
    """The table ``[project]``, or poetry's; empty where there is none that can be read."""
    data = files.data("pyproject.toml", MAX_PROJECT) if files.has("pyproject.toml") else b""
    if isinstance(data, Unreadable):
        return {}
    try:
        whole = config.parse(data.decode("utf-8", "replace"), "pyproject.toml")
    except ConfigError:
        return {}
    tool = whole.get("tool")
    poetry = tool.get("poetry") if isinstance(tool, dict) else None
    for table in (whole.get("project"), poetry):
        if isinstance(table, dict):
            return table
    return {}


def _author(project: Mapping[str, Any]) -> str:
    authors = project.get("authors")
    first = authors[0] if isinstance(authors, list) and authors else ""
    if isinstance(first, dict):
        return _text(first.get("name"))
    return _text(first).partition("<")[0].strip()


def _text(value: object) -> str:
    """A value of the table as one line without control characters; empty for what is no text."""
    if not isinstance(value, str):
        return ""
    return "".join(char for char in " ".join(value.split()) if char.isprintable())[:200]
