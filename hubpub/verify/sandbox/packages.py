"""Which installed packages code in the sandbox may import: torch, what is declared, what they need.

A user installs what ``dependencies`` names, and no more. With all packages of the one who verifies
in sight, a dependency that nobody declared would be found here and missed there.

What a distribution is made of its installer wrote down (``RECORD``). Where that is missing, or code
is installed to be edited, or ``dependencies`` cannot be read, nothing is hidden, and the report
says why.
"""

from __future__ import annotations

import csv
import functools
import json
import os
import re
import site
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path

from hubpub.verify.sandbox.interpreter import Interpreter, below

_ALWAYS = "torch"
_FOLDERS = frozenset({"site-packages", "dist-packages"})
_REQUIREMENT = re.compile(
    r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[([^\]]*)\])?[^;]*(?:;(.*))?", re.DOTALL
)
_EXTRA = re.compile(r"""extra\s*==\s*['"]([^'"]+)['"]""")


class CannotTellError(Exception):
    """What is declared cannot be told from the rest; the text says why."""


@dataclass(frozen=True)
class Installed:
    """One distribution: its normalised name, its folder, its files there, what it requires."""

    name: str
    folder: str
    files: tuple[tuple[str, ...], ...] | None
    requires: tuple[str, ...]
    editable: bool = False

    @property
    def modules(self) -> frozenset[str]:
        """The top-level names that can be imported from it."""
        return frozenset(parts[0].split(".")[0] for parts in self.files or ())


def restricted(python: Interpreter, declared: Iterable[str] | None) -> tuple[Interpreter, str]:
    """``python`` with only the declared packages in sight, and the report's words for that.

    Args:
        python: the interpreter, with everything in sight.
        declared: the modules that ``dependencies`` names; None where it cannot be read.
    """
    try:
        if declared is None:
            raise CannotTellError("dependencies cannot be read without running it")  # noqa: TRY301
        everything = installed()
        wanted = needed(everything, declared)
        covers = _covers(python, everything)
        shown = [path for folder in covers for path in _shown(folder, everything, wanted)]
    except CannotTellError as error:
        return python, f"all: {error}"
    # A folder that only a .pth file named is not found by itself any more.
    own = {*site.getsitepackages(), *python.paths}
    added = tuple(folder for folder in covers if folder not in own)
    return (
        replace(python, covers=covers, shown=tuple(shown), paths=(*python.paths, *added)),
        f"declared: {', '.join(sorted(wanted))}",
    )


@functools.cache
def installed() -> tuple[Installed, ...]:
    """Every distribution that this Python can import; of one name, the first on the path."""
    found: dict[str, Installed] = {}
    for item in metadata.distributions():
        name = _normal(item.metadata["Name"] or "")
        if name and name not in found:
            # Not ``item.files``: it makes an object a file, and later Pythons look for each.
            record = item.read_text("RECORD")
            files = None if record is None else tuple(_inside(record))
            editable = _is_editable(item.read_text("direct_url.json"))
            folder = str(Path(str(item.locate_file(""))))
            found[name] = Installed(name, folder, files, tuple(item.requires or ()), editable)
    return tuple(found.values())


def _inside(record: str) -> Iterable[tuple[str, ...]]:
    """The files below the folder of packages itself: not programs, manuals and headers."""
    for row in csv.reader(record.splitlines()):
        parts = tuple(row[0].split("/")) if row else ()
        if parts and all(parts) and ".." not in parts:
            yield parts


def _is_editable(direct_url: str | None) -> bool:
    try:
        found = json.loads(direct_url or "{}")
        return bool(found.get("dir_info", {}).get("editable", False))
    except (ValueError, AttributeError):
        return False


def needed(everything: Sequence[Installed], declared: Iterable[str]) -> frozenset[str]:
    """The names of the distributions that bring ``declared`` and torch, and all they require.

    Markers are not evaluated, but for extras: what is installed and required on some platform is
    taken. That shows too much rather than too little.

    Raises:
        CannotTellError: one of them left no list of its files, or is installed to be edited.
    """
    by_name = {item.name: item for item in everything}
    modules = {_ALWAYS, *(name.split(".")[0] for name in declared)} - sys.stdlib_module_names
    # Debian leaves no list: then nothing can be said of what any module belongs to.
    listed = {name for item in everything for name in item.modules}
    waiting = [(item.name, "") for item in everything if item.modules & modules]
    unlisted = [item.name for item in everything if item.files is None]
    if modules - listed and unlisted:
        raise CannotTellError(f"{unlisted[0]} was installed without a list of its files")
    seen: set[tuple[str, str]] = set()
    while waiting:
        name, extras = waiting.pop()
        if (name, extras) in seen or name not in by_name:
            continue
        seen.add((name, extras))
        waiting += _required(by_name[name], frozenset(filter(None, extras.split(","))))
    wanted = frozenset(name for name, _ in seen)
    for name in sorted(wanted):
        if by_name[name].files is None:
            raise CannotTellError(f"{name} was installed without a list of its files")
        if by_name[name].editable:
            raise CannotTellError(f"{name} is installed to be edited")
    return wanted


def _required(item: Installed, extras: frozenset[str]) -> Iterable[tuple[str, str]]:
    for text in item.requires:
        found = _REQUIREMENT.match(text)
        if found is None:
            continue
        of = {_normal(name) for name in _EXTRA.findall(found.group(3) or "")}
        if not of or of & extras:
            wanted = sorted(_normal(name.strip()) for name in (found.group(2) or "").split(","))
            yield _normal(found.group(1)), ",".join(filter(None, wanted))


def _covers(python: Interpreter, everything: Sequence[Installed]) -> tuple[str, ...]:
    """The folders of packages that would be in sight."""
    folders = {*site.getsitepackages(), *(item.folder for item in everything)}
    seen = (*python.prefixes, "/usr")
    return tuple(
        sorted(
            folder
            for folder in folders
            if Path(folder).is_dir()
            and (Path(folder).name in _FOLDERS or folder in python.paths)
            and below(folder, seen)
        )
    )


def _shown(folder: str, everything: Sequence[Installed], wanted: frozenset[str]) -> list[str]:
    """The fewest paths of ``folder`` that hold all files of what is wanted, and no other's."""
    entries = [
        (parts, item.name in wanted)
        for item in everything
        if item.folder == folder
        for parts in item.files or ()
    ]
    found = [os.path.join(folder, *parts) for parts in fewest(entries)]  # noqa: PTH118
    return [path for path in found if Path(path).exists()]


def fewest(
    entries: Sequence[tuple[tuple[str, ...], bool]], depth: int = 0
) -> list[tuple[str, ...]]:
    """The shortest paths below which everything is wanted, of (path, wanted) pairs.

    A folder that several distributions share (a namespace, ``__pycache__``) is gone into.
    """
    groups: dict[str, list[tuple[tuple[str, ...], bool]]] = {}
    for entry in entries:
        groups.setdefault(entry[0][depth], []).append(entry)
    found: list[tuple[str, ...]] = []
    for group in groups.values():
        leaves = [entry for entry in group if len(entry[0]) == depth + 1]
        if all(wanted for _, wanted in group) or any(wanted for _, wanted in leaves):
            found.append(group[0][0][: depth + 1])
        elif any(wanted for _, wanted in group):
            found += fewest([entry for entry in group if len(entry[0]) > depth + 1], depth + 1)
    return found


def _normal(name: str) -> str:
    """A distribution's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()
