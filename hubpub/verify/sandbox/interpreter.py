"""Which paths of this machine a sandboxed Python needs to see: its prefixes and nothing else."""

from __future__ import annotations

import importlib.util
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from hubpub.errors import CannotVerifyError

SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib64")
"""Directories every sandbox sees; a prefix below them needs no mount of its own."""


@dataclass(frozen=True)
class Interpreter:
    """The Python that will run the loader: this one, with the packages it can import.

    ``prefixes`` are absolute directories to show read-only at the same place. ``paths`` are
    ``sys.path`` entries that isolated mode would drop (a user site directory that holds torch).
    ``covers`` are directories of packages of which only ``shown``, absolute paths below them, is
    to be seen; without any, all installed packages are.
    """

    executable: str
    prefixes: tuple[str, ...]
    paths: tuple[str, ...]
    covers: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()


def current() -> Interpreter:
    """The running interpreter, without importing torch.

    Raises:
        CannotVerifyError: torch is not installed for it.
    """
    spec = importlib.util.find_spec("torch")
    if spec is None or spec.origin is None:
        raise CannotVerifyError(
            f"torch is not installed for {sys.executable}",
            help="pip install 'hubpub[verify]'",
        )
    site = str(Path(spec.origin).parent.parent)
    wanted = [sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix]
    wanted += [str(path.parent) for path in _links(Path(sys.executable))]
    prefixes: list[str] = []
    for prefix in sorted({os.path.realpath(path) for path in wanted} | set(wanted)):
        if not below(prefix, (*SYSTEM, *prefixes)):
            prefixes.append(prefix)
    paths = () if below(site, (*SYSTEM, *prefixes)) else (site,)
    return Interpreter(sys.executable, (*prefixes, *paths), paths)


def _links(path: Path) -> list[Path]:
    """The chain of symbolic links from ``path`` to the real executable, each one absolute."""
    chain = [path]
    while chain[-1].is_symlink() and len(chain) < 40:
        chain.append(chain[-1].parent / chain[-1].readlink())
    return chain


def below(path: str, roots: tuple[str, ...]) -> bool:
    """Whether ``path`` is one of ``roots`` or lies in one."""
    return any(path == root or path.startswith(root.rstrip("/") + "/") for root in roots)
