"""Which checkpoint-like files the code under test opens, of the tree and elsewhere.

All of it is a claim, and what native code opens by itself (safetensors) raises no event.
"""

from __future__ import annotations

import os
import sys
from types import FrameType
from typing import Any

_SUFFIXES = (
    ".pt", ".pth", ".pt2", ".ckpt", ".bin", ".safetensors", ".pkl", ".pickle",
    ".tar", ".t7", ".npz", ".npy", ".h5", ".onnx", ".weights", ".jit", ".model",
)  # fmt: skip
_LOADER = os.path.join("torch", "serialization.py")
_SYSTEM = ("/proc", "/sys", "/dev", "/tmp")
"""Where nothing is that a job did not make, or that was no file."""
_MOST, _NAME = 100, 500
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class Opens:
    """``sys.addaudithook(opens.hook)``: an ``open`` event comes before a file is looked for.

    ``tree`` are files of the tree, by relative name. Elsewhere are files that lie neither there
    nor among what is installed, nor where a job can write: by absolute path, each with the last
    line of the tree on the way there.
    """

    def __init__(self, request: dict[str, Any]) -> None:
        self.tree: set[str] = set()
        self._elsewhere: dict[str, dict[str, Any]] = {}
        self._root = _folder(request["tree"])
        known = [os.path.dirname(request["directory"]), *_SYSTEM, *filter(os.path.isabs, sys.path)]
        self._known = tuple(
            {_folder(place) for place in (*known, request.get("offered") or "/tmp")}
        )

    def hook(self, event: str, args: tuple[Any, ...]) -> None:
        """Note what is opened."""
        if event != "open" or not isinstance(args[0], (str, bytes)):
            return
        name = os.fsdecode(args[0])
        frame = sys._getframe(1)  # noqa: SLF001 - there is no other way to the caller
        if name.lower().endswith(_SUFFIXES) or frame.f_code.co_filename.endswith(_LOADER):
            self._see(name, frame, written=_is_written(args))

    def watch_torchscript(self) -> None:
        """Note what ``torch.jit.load`` opens, under whatever name a module has got hold of it.

        It reads in native code, by a function that it looks up when it is called.
        """
        import torch

        native: Any = torch._C  # noqa: SLF001
        read = native.import_ir_module

        def import_ir_module(unit: Any, name: Any, *args: Any, **kwargs: Any) -> Any:
            if isinstance(name, str):
                self._see(name, sys._getframe(1))  # noqa: SLF001
            return read(unit, name, *args, **kwargs)

        native.import_ir_module = import_ir_module

    def _see(self, name: str, frame: FrameType, *, written: bool = False) -> None:
        path = os.path.realpath(name)
        if path.startswith(self._root):
            self.tree.add(path[len(self._root) :])
        elif not path.startswith(self._known) and not written:
            self._note(path, frame)

    def _note(self, path: str, frame: FrameType | None) -> None:
        if path in self._elsewhere or len(self._elsewhere) >= _MOST:
            return
        item: dict[str, Any] = {"name": path[:_NAME]}
        while frame is not None and "path" not in item:
            place = os.path.realpath(frame.f_code.co_filename)
            if place.startswith(self._root):
                item.update(path=place[len(self._root) :], line=frame.f_lineno)
            frame = frame.f_back
        self._elsewhere[path] = item

    def claims(self) -> dict[str, Any]:
        """``opened`` and ``elsewhere``, in the order of their names."""
        found = [self._elsewhere[path] for path in sorted(self._elsewhere)]
        return {"opened": sorted(self.tree)[:1000], "elsewhere": found}


def _folder(path: str) -> str:
    return os.path.join(os.path.realpath(path), "")


def _is_written(args: tuple[Any, ...]) -> bool:
    """Whether a file is opened to be written: by the mode of ``open``, or the flags of the call."""
    return len(args) > 2 and isinstance(args[2], int) and bool(args[2] & _WRITES)
