"""What GitHub's zip of a repository holds, as against the folder that is checked."""

from __future__ import annotations

import bisect
import dataclasses
import functools
import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from hubpub.source import gitattributes
from hubpub.source.gitattributes import Line

if TYPE_CHECKING:
    from hubpub.source.facts import Import, Place

MAX_MODULES = 500

Absence: TypeAlias = Literal["untracked", "export-ignored", "submodule", "symlink", "lfs"]


@dataclass(frozen=True)
class Project:
    """What the files of packaging say: setup.py, setup.cfg, pyproject.toml, requirements files.

    ``names`` are what the repository calls its own distribution, ``required`` the distributions
    that it asks for (both as PEP 503 normalises names), ``built`` the modules that setup.py
    compiles, ``versions`` the paths of files that a build writes the version into. ``from_git``:
    the version comes from git's tags. ``homes`` are ``owner/name`` of the pages on GitHub that they
    call the project's.
    """

    names: frozenset[str] = frozenset()
    required: frozenset[str] = frozenset()
    built: frozenset[str] = frozenset()
    versions: frozenset[str] = frozenset()
    from_git: bool = False
    homes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Opened:
    """A file of the repository that code opens, by its path; ``when`` is import or call.

    ``guarded``: a handler copes with its failure. ``conditional``: it may not be opened.
    """

    path: str
    place: Place
    when: str
    guarded: bool
    conditional: bool
    entrypoints: tuple[str, ...] = ()


@dataclass(frozen=True)
class VersionCall:
    """A call that asks for a version when hubconf is imported, and raises where there is none.

    ``kind`` is git (it runs git, or setuptools_scm) or metadata (of the installed ``distribution``,
    empty where that is not known).
    """

    kind: str
    function: str
    distribution: str
    place: Place
    chain: tuple[Place, ...] = ()


@dataclass(frozen=True)
class Missing:
    """An import of a module that users do not get.

    ``cause`` is submodule, export-ignored, symlink, untracked, lfs, version (a file that a build
    writes the version into), built (a module that setup.py compiles), elsewhere (the tree holds it,
    but not where it is looked for), case (spelled in other letters), or nowhere. ``path`` is the
    file or folder concerned, where there is one; ``sure`` False where it may also be a package, or
    come with the repository's own distribution, which ``dependencies`` names.
    """

    item: Import
    cause: str
    path: str | None = None
    sure: bool = True

    @property
    def subject(self) -> str:
        """What is missing: one defect, however often it is imported."""
        if self.path and self.cause not in {"built", "elsewhere", "case", "nowhere"}:
            return self.path
        return self.item.package if self.item.origin == "third party" else self.item.module


@dataclass(frozen=True)
class Published:
    """The tree that users get. All paths are relative to the root, sorted, and no folders.

    ``files`` are those that git tracks, or what the folder holds where that is not known;
    ``tracked`` says which. ``untracked`` are files of the folder that git does not track: empty
    where that is not known, or where hubconf.py itself is among them. ``submodules`` are folders
    that the zip has empty, ``links`` are symlinks, which it has as small text files, ``pointers``
    files that are pointers of Git LFS already in the folder. ``ignores`` and ``filters`` are the
    lines of ``.gitattributes`` about ``export-ignore`` and ``filter``.
    """

    files: tuple[str, ...] = ()
    tracked: bool = False
    untracked: tuple[str, ...] = ()
    submodules: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    pointers: tuple[str, ...] = ()
    ignores: tuple[Line, ...] = ()
    filters: tuple[Line, ...] = ()

    def __getstate__(self) -> dict[str, object]:
        """The facts alone, without what was computed from them."""
        return {item.name: getattr(self, item.name) for item in dataclasses.fields(self)}

    def holds(self, path: str) -> bool:
        """Whether users get ``path``, a file or a folder, as it is meant.

        Where git's index cannot be read, that is judged by the folder and ``.gitattributes``.
        """
        return self.why_absent(path) is None and (
            _has(self.files, path) or _has_below(self.files, path)
        )

    def is_module(self, name: str) -> bool:
        """Whether the root of the tree holds a module or a package called ``name``."""
        if _has(self.files, f"{name}.py") or _has(self.files, f"{name}/__init__.py"):
            return True
        below = bisect.bisect_left(self.files, f"{name}/")
        for path in self.files[below : below + 1000]:
            if not path.startswith(f"{name}/"):
                break
            if path.endswith(".py") and path.count("/") == 1:
                return True
        return False

    def modules_in(self, folder: str) -> tuple[str, ...]:
        """The modules and packages directly in ``folder``, by path; at most 500."""
        prefix = f"{folder}/" if folder else ""
        found: dict[str, None] = {}
        index = bisect.bisect_left(self.files, prefix)
        while index < len(self.files) and len(found) < MAX_MODULES:
            path = self.files[index]
            if not path.startswith(prefix):
                break
            name, slash, _ = path[len(prefix) :].partition("/")
            if slash:
                package = f"{prefix}{name}"
                if _has(self.files, f"{package}/__init__.py"):
                    found[package] = None
                index = bisect.bisect_left(self.files, f"{package}0", index)  # "0" follows "/"
                continue
            if name.endswith(".py"):
                found[path] = None
            index += 1
        return tuple(found)

    @functools.cached_property
    def _places(self) -> dict[str, list[str]]:
        """The modules and packages of the tree by their names in small letters."""
        found: dict[str, list[str]] = {}
        for path in self.files:
            if path.endswith(".py"):
                place = path.removesuffix("/__init__.py").removesuffix(".py")
                places = found.setdefault(posixpath.basename(place).casefold(), [])
                if len(places) < MAX_MODULES:
                    places.append(path.removesuffix("/__init__.py"))
        return found

    def modules_called(self, name: str, parts: Sequence[str]) -> tuple[str, ...]:
        """Where the tree holds a module or package ``name`` that has ``parts``, below the root."""
        ends = f"/{name}", f"/{name}.py"
        places = [path for path in self._places.get(name.casefold(), ()) if path.endswith(ends)]
        return tuple(place for place in places if self.holds_module(place, parts))

    def holds_module(self, place: str, parts: Sequence[str]) -> bool:
        """Whether the module at ``place`` has the submodule with the dotted name ``parts``."""
        path = posixpath.join(place, *parts)
        return not parts or _has(self.files, f"{path}.py") or _has_below(self.files, path)

    def spelled(self, folder: str, name: str) -> str | None:
        """A module in ``folder`` whose name differs from ``name`` in the case of letters alone."""
        for path in self._places.get(name.casefold(), ()):
            above, _, last = path.rpartition("/")
            if above == folder and last.removesuffix(".py") != name:
                return path
        return None

    def why_absent(self, path: str) -> Absence | None:
        """Why users do not get ``path`` as it is meant, though the publisher may have it.

        ``untracked`` (git does not track it), ``export-ignored`` (``.gitattributes`` leaves it out,
        or a folder above it), ``submodule`` (it lies in one, or is one), ``symlink`` (it is one, or
        below one: a text file), ``lfs`` (a pointer stands in its place). None where users get it,
        where nothing is known, and for a path that the publisher does not have either.
        """
        above = with_parents(path)
        if any(_has(self.submodules, item) for item in above):
            return "submodule"
        if any(_has(self.links, item) for item in above):
            return "symlink"
        if self.export_ignored(path):
            return "export-ignored"
        if _has(self.untracked, path) or (
            _has_below(self.untracked, path) and not _has_below(self.files, path)
        ):
            return "untracked"
        if _has(self.pointers, path):
            return "lfs"
        return "lfs" if gitattributes.judge(self.filters, path) == "lfs" else None

    def submodule_of(self, path: str) -> str | None:
        """The submodule that ``path`` lies in, or is."""
        return next((item for item in with_parents(path) if _has(self.submodules, item)), None)

    def export_ignored(self, path: str) -> bool:
        """Whether ``.gitattributes`` leaves ``path``, or a folder above it, out of archives."""
        if not self.ignores:
            return False
        last, *folders = with_parents(path)
        if any(self._is_ignored(item, directory=True) for item in folders):
            return True
        # A path that is no file that is known of may be a folder.
        file = _has(self.files, last) or _has(self.untracked, last)
        return any(
            self._is_ignored(last, directory=kind) for kind in ((False,) if file else (False, True))
        )

    @functools.cached_property
    def _ignored(self) -> dict[tuple[str, bool], bool]:
        return {}

    def _is_ignored(self, path: str, *, directory: bool) -> bool:
        known = self._ignored.get((path, directory))
        if known is None:
            known = gitattributes.judge(self.ignores, path, directory=directory) is True
            self._ignored[path, directory] = known
        return known


def with_parents(path: str) -> list[str]:
    """A path and the folders above it: ``a/b/c``, ``a/b``, ``a``; dots in it are resolved."""
    normal = posixpath.normpath(path)
    found = []
    while normal not in ("", ".", "/"):
        found.append(normal)
        normal = posixpath.dirname(normal)
    return found or [path]


def _has(paths: tuple[str, ...], path: str) -> bool:
    index = bisect.bisect_left(paths, path)
    return index < len(paths) and paths[index] == path


def _has_below(paths: tuple[str, ...], folder: str) -> bool:
    index = bisect.bisect_left(paths, f"{folder}/")
    return index < len(paths) and paths[index].startswith(f"{folder}/")
