"""Which repositories the paths of a command line mean."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hubpub.errors import ConfigError, UsageError
from hubpub.source.files import SKIPPED

HUBCONF = "hubconf.py"
OWN = (".git", "pyproject.toml", "setup.py", "setup.cfg")
"""A folder with one of these is a repository by itself, even where its hubconf.py is missing."""
MAX_FOLDERS = 200_000
"""So many folders are searched below one path."""


@dataclass
class Publishers:
    """``roots`` in the order of the paths, then by name; ``searched``: some were looked for.

    ``remarks`` say what was not searched, ``errors`` which configuration of a folder is broken.
    """

    roots: list[Path] = field(default_factory=list)
    searched: bool = False
    remarks: list[str] = field(default_factory=list)
    errors: list[ConfigError] = field(default_factory=list)


def root_of(path: str) -> Path:
    """The folder that ``path`` means: a folder, or the hubconf.py in it.

    Raises:
        UsageError: there is no such path, or it is another file.
    """
    place = Path(path)
    try:
        if place.name == HUBCONF and place.is_file():
            return place.parent
        if not place.exists():
            raise UsageError(f"{path} does not exist", help="give the root of a repository")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"{path} cannot be read: {reason}") from error
    if not place.is_dir():
        raise UsageError(
            f"{path} is not a directory", help="torch.hub reads hubconf.py at the repository's root"
        )
    return place


def find(
    paths: Sequence[str],
    excluded: Callable[[Path], Sequence[str]],
    *,
    recursive: bool = False,
) -> Publishers:
    """The repositories that ``paths`` mean.

    A folder with a hubconf.py is a repository, and so is one with a .git or a Python project's
    files in it; any other is searched for folders with a hubconf.py, whose own folders are then not
    searched. ``recursive`` searches every folder that is given, to the bottom. A folder in which
    none is found stands for itself: that its hubconf.py is missing is a finding. ``excluded`` gives
    the patterns that the configuration of a searched folder excludes.

    Raises:
        UsageError: a path is not there.
    """
    found = Publishers()
    roots: dict[str, Path] = {}
    for path in paths:
        top = root_of(path)
        below: list[Path] = []
        named = Path(path).name == HUBCONF
        if recursive or not (named or any((top / name).exists() for name in (HUBCONF, *OWN))):
            below = list(_below(top, _patterns(top, excluded, found), found, recursive=recursive))
            found.searched = found.searched or bool(below)
        for root in below or [top]:
            roots.setdefault(os.path.realpath(root), root)
    found.roots = list(roots.values())
    return found


def _patterns(
    top: Path, excluded: Callable[[Path], Sequence[str]], found: Publishers
) -> Sequence[str]:
    try:
        return excluded(top)
    except ConfigError as error:
        found.errors.append(ConfigError(f"{top}: {error.message}", help=error.help))
        return ()


def _below(
    top: Path, patterns: Sequence[str], found: Publishers, *, recursive: bool
) -> Iterator[Path]:
    for count, (directory, folders, names) in enumerate(os.walk(top)):
        if count >= MAX_FOLDERS:
            found.remarks.append(f"{top}: the rest of more than {count} folders is not searched")
            return
        place = Path(directory)
        if HUBCONF in names:
            yield place
            if not recursive:
                folders.clear()
        kept = [name for name in folders if name not in SKIPPED]
        folders[:] = sorted(name for name in kept if not _matches(place / name, top, patterns))


def _matches(place: Path, top: Path, patterns: Sequence[str]) -> bool:
    inside = place.relative_to(top).as_posix() if patterns else ""
    return any(
        fnmatch.fnmatchcase(inside if "/" in pattern.strip("/") else place.name, pattern.strip("/"))
        for pattern in patterns
    )
