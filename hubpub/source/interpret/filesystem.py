"""Paths built from ``__file__``, and looking around in the repository: computed, inside it only."""

from __future__ import annotations

import fnmatch
import posixpath
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from hubpub.source.interpret.machine import ROOT, Machine
from hubpub.source.interpret.values import (
    Items,
    Literal,
    Method,
    NotPlain,
    Unknown,
    Value,
    literal,
    plain,
)

if TYPE_CHECKING:
    from hubpub.source.interpret.calls import Given

CWD = "/working-directory"
"""Stands for the user's working directory in computed paths."""
HOME = "/home-directory"
"""Stands for the user's home directory in computed paths."""

_PURE: dict[str, Callable[..., Any]] = {
    "os.path.join": posixpath.join, "os.path.dirname": posixpath.dirname,
    "os.path.basename": posixpath.basename, "os.path.normpath": posixpath.normpath,
    "os.path.splitext": posixpath.splitext, "os.path.split": posixpath.split,
    "os.path.isabs": posixpath.isabs, "os.path.commonpath": posixpath.commonpath,
    "os.fspath": str, "os.path.normcase": str,
    "os.path.abspath": lambda path: posixpath.normpath(posixpath.join(CWD, path)),
    "os.path.realpath": lambda path, **_: posixpath.normpath(posixpath.join(CWD, path)),
    "os.path.expanduser": lambda path: str(path).replace("~", HOME, 1),
    "os.path.expandvars": str, "os.getcwd": lambda: CWD,
    "pathlib.Path": PurePosixPath, "pathlib.PurePath": PurePosixPath,
    "pathlib.PosixPath": PurePosixPath, "pathlib.PurePosixPath": PurePosixPath,
    "pathlib.Path.cwd": lambda: PurePosixPath(CWD),
    "pathlib.Path.home": lambda: PurePosixPath(HOME),
}  # fmt: skip


def call(machine: Machine, name: str, given: Given) -> Value | None:
    """The result of a function that makes or asks about paths; None for any other function."""
    look = _LOOK.get(name)
    if name not in _PURE and look is None:
        return None
    if not given.complete:
        return Unknown("a path that is not known")
    try:
        values = [plain(value) for value in given.positional]
        named = {key: plain(value) for key, value in given.keywords.items()}
        if look is not None:
            return look(machine, *values)
        return literal(_PURE[name](*values, **named))
    except NotPlain:
        return Unknown("a path that is not known")
    except Exception:  # noqa: BLE001 - arguments of hostile code may raise anything
        return Unknown("a path that cannot be computed")


def inside(text: str) -> str | None:
    """The path inside the repository that a computed path means; None for any other place."""
    if not text.startswith("/"):
        return None
    normal = posixpath.normpath(text)
    if normal == ROOT:
        return ""
    return normal.removeprefix(f"{ROOT}/") if normal.startswith(f"{ROOT}/") else None


def _listdir(machine: Machine, path: object = ".") -> Value:
    place = inside(str(path))
    if place is None or not machine.files.is_directory(place):
        return Unknown("the files of a directory outside the repository")
    return literal(sorted(machine.files.listing(place)))


def _glob(machine: Machine, pattern: object) -> Value:
    directory, _, name = str(pattern).rpartition("/")
    place = inside(directory)
    if place is None or any(char in directory for char in "*?["):
        return Unknown("a pattern that is not followed")
    names = sorted(machine.files.listing(place))
    found = [f"{directory}/{entry}" for entry in names if fnmatch.fnmatchcase(entry, name)]
    return literal([entry for entry in found if not entry.rpartition("/")[2].startswith(".")])


def _is_directory(machine: Machine, path: object) -> Value:
    machine.asked.add(str(path))
    place = inside(str(path))
    if place is None:
        return Unknown("a place outside the repository")
    return Literal(machine.files.is_directory(place))


def _is_file(machine: Machine, path: object) -> Value:
    machine.asked.add(str(path))
    place = inside(str(path))
    if place is None:
        return Unknown("a place outside the repository")
    return Literal(bool(place) and machine.files.is_file(place))


def _exists(machine: Machine, path: object) -> Value:
    machine.asked.add(str(path))
    place = inside(str(path))
    if place is None:
        return Unknown("a place outside the repository")
    return Literal(not place or machine.files.has(place))


def _modules(machine: Machine, path: object = None, prefix: str = "") -> Value:
    """``pkgutil.iter_modules(path, prefix)``: (finder, name, is_package), by name."""
    places = [inside(str(place)) for place in path] if isinstance(path, (list, tuple)) else []
    rows: list[Value] = []
    for place in places:
        if place is None:
            return Unknown("modules outside the repository")
        for entry in sorted(machine.files.listing(place)):
            package = f"{place}/{entry}/__init__.py".lstrip("/")
            name = entry.removesuffix(".py")
            if machine.files.is_file(package):
                rows.append(Items("tuple", [Literal(None), Literal(prefix + entry), Literal(True)]))
            elif entry.endswith(".py") and name != "__init__":
                rows.append(Items("tuple", [Literal(None), Literal(prefix + name), Literal(False)]))
    return Items("list", rows, not places)


_LOOK: dict[str, Callable[..., Value]] = {
    "os.listdir": _listdir,
    "glob.glob": _glob,
    "glob.iglob": _glob,
    "os.path.isdir": _is_directory,
    "os.path.isfile": _is_file,
    "os.path.exists": _exists,
    "pkgutil.iter_modules": _modules,
}


PATH_QUESTIONS: dict[str, Callable[..., Value]] = {
    "exists": _exists,
    "is_file": _is_file,
    "is_dir": _is_directory,
}
"""Methods of a path that look into the repository."""


def path_attribute(value: Literal, name: str) -> Value:
    """An attribute of a path."""
    if name in {"parent", "name", "stem", "suffix", "parents", "parts"}:
        found = getattr(value.value, name)
        return literal(list(found) if name == "parents" else found)
    return Method(value, name)


def path_method(receiver: Literal, name: str, given: Given) -> Value:
    """The result of a method of a path."""
    path: PurePosixPath = receiver.value
    if name in {"resolve", "absolute"}:
        return Literal(PurePosixPath(posixpath.normpath(posixpath.join(CWD, str(path)))))
    if name == "expanduser":
        return Literal(PurePosixPath(str(path).replace("~", HOME, 1)))
    if name in {"joinpath", "with_suffix", "with_name", "as_posix", "relative_to", "__str__"}:
        try:
            return literal(getattr(path, name)(*[plain(value) for value in given.positional]))
        except (NotPlain, TypeError, ValueError):
            return Unknown("a path that is not known")
    return Unknown(f"the result of {name}")
