"""The standard library, looked up for real: its modules may be imported, nothing is called.

What the running interpreter has is what the loader would see. Only the standard library is ever
imported, from its own directories: while it is, ``sys.path`` holds nothing else, so that a file of
the repository under test (or of the current directory) can never be taken for one of its modules.
"""

from __future__ import annotations

import functools
import importlib
import io
import sys
import sysconfig
import types
import warnings
from contextlib import redirect_stdout

from hubpub.source.interpret import known
from hubpub.source.interpret.values import External, Native, Unknown, Value, literal

_NEVER = {
    "antigravity", "this", "idlelib", "turtledemo", "turtle", "test", "lib2to3", "tkinter", "site",
    "pip", "ensurepip", "venv", "sitecustomize", "usercustomize", "__main__", "msilib", "winreg",
    "nt", "curses", "readline", "rlcompleter", "pty", "webbrowser",
}  # fmt: skip
"""Modules that do something when they are imported, need a terminal, or are not worth it."""

UNLOADED = known.outside("not loaded by torch")
"""Standard modules that ``import torch`` does not load: a file of the repository wins over them.

Source: ``sys.stdlib_module_names - set(sys.modules)`` after ``import torch`` (2.13, Python 3.11),
and ``test``. Every other standard module is in ``sys.modules``
before the loader imports hubconf, so it wins whatever the repository is called.
"""


def is_absent(name: str) -> bool:
    """Whether ``name`` is a standard module that this platform or Python does not have."""
    top = name.partition(".")[0]
    return top in sys.stdlib_module_names and top not in _NEVER and module(top) is None


def is_standard(name: str) -> bool:
    """Whether the top-level part of ``name`` is a module of the standard library."""
    return name.partition(".")[0] in sys.stdlib_module_names


@functools.cache
def module(name: str) -> Native | None:
    """The module of the standard library called ``name``; None where it has no such module."""
    top = name.partition(".")[0]
    if top not in sys.stdlib_module_names:
        return None
    if name == "importlib":
        pass
    found = sys.modules.get(name) if _genuine(sys.modules.get(name)) else None
    if found is None and top not in _NEVER:
        found = _import(name)
    return None if found is None else Native(name, found)


def _directories() -> list[str]:
    paths = sysconfig.get_paths()
    base = [paths["stdlib"], paths["platstdlib"]]
    return [*base, *(f"{path}/lib-dynload" for path in base)]


def _genuine(found: object) -> bool:
    """Whether a loaded module comes from the standard library's own files."""
    if not isinstance(found, types.ModuleType):
        return False
    file = getattr(found, "__file__", None)
    return file is None or any(
        file.startswith(path) and "site-packages" not in file for path in _directories()
    )


def _import(name: str) -> types.ModuleType | None:
    before = sys.path[:]
    sys.path[:] = _directories()
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            return importlib.import_module(name)
    except (Exception, SystemExit):  # noqa: BLE001 - modules of other platforms raise anything
        return None
    finally:
        sys.path[:] = before


def attribute(value: Native, name: str) -> Value:
    """An attribute of a standard module, submodules included; unbound as an unknown value."""
    found = getattr(value.value, name, _MISSING)
    if found is _MISSING:
        submodule = module(f"{value.name}.{name}")
        return submodule or Unknown(f"{value.name} has no {name}")
    return wrap(f"{value.name}.{name}", found)


_MISSING = object()
_CONSTANTS = {"os.sep", "os.linesep", "os.pathsep", "os.path.sep", "os.name", "sys.platform"}
"""Known as they are on the machine that runs hubpub, as the version of Python is."""


def wrap(name: str, found: object) -> Value:
    """A real object as a value. Plain constants are only known where no machine changes them."""
    if isinstance(found, types.ModuleType):
        if not _genuine(found):
            return External(name)
        return Native(_canonical(found), found)
    if (
        isinstance(found, bool)
        or name in _CONSTANTS
        or (name.startswith(("string.", "math.")) and isinstance(found, (str, int, float)))
    ):
        return literal(found)
    return Native(name, found)


def _canonical(found: types.ModuleType) -> str:
    return {"posixpath": "os.path", "ntpath": "os.path"}.get(found.__name__, found.__name__)


def public_names(value: Native) -> list[str]:
    """What ``from value import *`` binds."""
    listed = getattr(value.value, "__all__", None)
    if isinstance(listed, (list, tuple)):
        return [name for name in listed if isinstance(name, str)]
    return [name for name in vars(value.value) if not name.startswith("_")]
