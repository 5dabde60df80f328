"""Which modules the code under test imports, and the line of the tree that asks for each.

All of it is a claim: the hook lives in the interpreter that it watches.
"""

from __future__ import annotations

import os
import sys
from types import FrameType, ModuleType
from typing import Any

_MOST = 200
_OURS = frozenset({"__main__", "__mp_main__", "hubpub_worker"})


class Imports:
    """Top-level modules outside the standard library, as they are imported from now on.

    ``sys.addaudithook(imports.hook)``: an ``import`` event is raised for a module that is not in
    ``sys.modules`` yet, whether it is found or not (the audit events table of CPython).
    """

    def __init__(self, tree: str) -> None:
        self._root = os.path.join(os.path.realpath(tree), "")
        self._asked: dict[str, tuple[str, int]] = {}

    def hook(self, event: str, args: tuple[Any, ...]) -> None:
        """Note the first line of the tree that asks for each module by itself."""
        if event != "import" or not isinstance(args[0], str):
            return
        top = args[0].partition(".")[0]
        if top in self._asked or top in sys.stdlib_module_names or len(self._asked) >= _MOST:
            return
        frame = _importer(sys._getframe(1))  # noqa: SLF001 - there is no other way to the caller
        if frame is None:
            return
        path = os.path.realpath(frame.f_code.co_filename)
        if path.startswith(self._root):
            self._asked[top] = path[len(self._root) :], frame.f_lineno

    def claims(self) -> dict[str, Any]:
        """``imports``: asked for by the tree; ``present``: loaded without the tree's doing."""
        loaded = dict(sys.modules)
        imports = [
            {"module": top, "path": path, "line": line, "found": top in loaded}
            for top, (path, line) in self._asked.items()
            if not self._is_own(loaded.get(top))
        ]
        tops = {name.partition(".")[0] for name in loaded}
        present = tops - set(self._asked) - sys.stdlib_module_names - _OURS
        return {"imports": imports, "present": sorted(present)[:_MOST]}

    def _is_own(self, module: ModuleType | None) -> bool:
        """Whether the module lies in the tree itself."""
        try:
            places = [getattr(module, "__file__", None), *getattr(module, "__path__", ())]
            return any(
                os.path.realpath(place).startswith(self._root)
                for place in places
                if isinstance(place, str)
            )
        except BaseException:  # what stands in sys.modules may be anything
            return False


def _importer(frame: FrameType | None) -> FrameType | None:
    """The frame that asked for an import: the first one that is not the import system's own."""
    while frame is not None:
        name = frame.f_code.co_filename
        if not name.startswith("<frozen importlib") and not name.endswith("/importlib/__init__.py"):
            return frame
        frame = frame.f_back
    return None
