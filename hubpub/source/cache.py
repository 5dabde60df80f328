"""Facts kept between runs, so that a warm run imports no parser.

Facts are a function of what was read: the bytes of files, the names in directories, what is there
and what is not. All of that goes through :class:`~hubpub.source.files.Files`, so while facts are
made each question and the digest of its answer is written down; later the same questions are asked
again, and the facts hold when every answer is the same. Nothing is believed of times or sizes.

An entry is one file, written whole under a temporary name and then renamed, so a crash or a second
run leaves either the old entry or the new one. What cannot be read is as good as absent.
"""

from __future__ import annotations

import contextlib
import copyreg
import dataclasses
import hashlib
import io
import os
import pickle
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from hubpub import __version__
from hubpub.source.facts import Repo
from hubpub.source.files import Files
from hubpub.source.text import Text

MAX_BYTES = 64 << 20
"""All entries together (bytes); the ones used longest ago go first."""

_MODULES = (
    "hubpub.source.facts", "hubpub.source.facts_entry", "hubpub.source.facts_loading",
    "hubpub.source.facts_published", "hubpub.source.facts_git", "hubpub.source.gitattributes",
    "hubpub.diagnostic",
)  # fmt: skip
_BUILTINS = {"frozenset", "set", "complex", "Ellipsis", "bytearray", "slice", "range"}

Question = tuple[str, tuple[Any, ...]]


class Observed(Files):
    """Files that remember what was asked of them; ``observations`` maps a question to a digest."""

    observations: dict[Question, str]

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.observations = {}

    def observe(self, name: str, *arguments: Any) -> Any:
        """Ask, and write down the question and the digest of the answer."""
        answer = getattr(Files, name)(self, *arguments)
        self.observations[name, arguments] = _digest(answer)
        return answer

    def data(self, path: str, limit: int) -> Any:
        """See :meth:`Files.data`."""
        return self.observe("data", path, limit)

    def tracked(self) -> Any:
        """See :meth:`Files.tracked`."""
        return self.observe("tracked")

    def git(self, path: str, limit: int) -> Any:
        """See :meth:`Files.git`."""
        return self.observe("git", path, limit)

    def git_walk(self, top: str) -> Any:
        """See :meth:`Files.git_walk`."""
        return self.observe("git_walk", top)

    def is_link(self, path: str) -> Any:
        """See :meth:`Files.is_link`."""
        return self.observe("is_link", path)

    def listing(self, directory: str) -> Any:
        """See :meth:`Files.listing`."""
        return self.observe("listing", directory)

    def is_file(self, path: str) -> Any:
        """See :meth:`Files.is_file`."""
        return self.observe("is_file", path)

    def is_directory(self, path: str) -> Any:
        """See :meth:`Files.is_directory`."""
        return self.observe("is_directory", path)

    def size(self, path: str) -> Any:
        """See :meth:`Files.size`."""
        return self.observe("size", path)

    def walk(self) -> Any:
        """See :meth:`Files.walk`."""
        return self.observe("walk")


def _digest(answer: object) -> str:
    """A digest that is the same for equal answers: of bytes, of their order where it matters."""
    if isinstance(answer, bytes):
        return hashlib.sha256(answer).hexdigest()
    if isinstance(answer, frozenset):
        answer = sorted(answer)
    return hashlib.sha256(repr(answer).encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True)
class _Entry:
    """What a cache file holds: the facts without the texts, whose paths are kept instead."""

    repo: Repo
    texts: tuple[str, ...]
    observations: tuple[tuple[Question, str], ...]


def default_folder() -> Path:
    """``HUBPUB_CACHE_DIR``, else ``hubpub`` in the user's cache directory (XDG)."""
    chosen = os.environ.get("HUBPUB_CACHE_DIR")
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111
    return Path(base) / "hubpub"


@dataclass(frozen=True)
class Cache:
    """Facts below ``folder``, one file a repository, Python version and hubpub version."""

    folder: Path = field(default_factory=default_folder)

    def load(self, root: Path) -> Repo | None:
        """The facts of the repository at ``root``, if they still hold; never raises."""
        path = self._path(root)
        try:
            with path.open("rb") as file:
                entry = _Unpickler(file).load()
            if not isinstance(entry, dict):
                return None
            kept = _Entry(**entry)
            files = Files(root)
            for (name, arguments), digest in kept.observations:
                if _digest(getattr(files, name)(*arguments)) != digest:
                    return None
            texts = {name: files.text(name) for name in kept.texts}
        except FileNotFoundError:
            return None
        except Exception:  # noqa: BLE001 - a damaged entry is no entry
            return None
        with contextlib.suppress(OSError):
            os.utime(path)
        found = {name: text for name, text in texts.items() if isinstance(text, Text)}
        return dataclasses.replace(kept.repo, root=root, texts=MappingProxyType(found))

    def store(self, root: Path, repo: Repo, files: Observed) -> None:
        """Keep ``repo`` for the next run; says nothing where that cannot be done."""
        entry = {
            # No path either: their pickled form differs between Python versions.
            "repo": dataclasses.replace(repo, root=None, texts=MappingProxyType({})),  # type: ignore[arg-type]
            "texts": tuple(repo.texts),
            "observations": tuple(files.observations.items()),
        }
        try:
            data = _pickled(entry)
            path = self._path(root)
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
                file.write(data)
            os.replace(file.name, path)  # noqa: PTH105
        except (OSError, pickle.PicklingError, TypeError, AttributeError, RecursionError):
            return
        self._trim()

    def clear(self) -> int:
        """Remove every entry; how many there were."""
        count = 0
        for path in self._entries():
            with contextlib.suppress(OSError):
                path.unlink()
                count += 1
        return count

    def _path(self, root: Path) -> Path:
        """One entry a repository: what it depends on beside the repository is in its name."""
        parts = (__version__, sys.version, _own_code(), os.path.realpath(root))
        key = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()
        return self.folder / "facts" / f"{key[:40]}.pickle"

    def _entries(self) -> Iterable[Path]:
        with contextlib.suppress(OSError):
            yield from (self.folder / "facts").iterdir()

    def _trim(self) -> None:
        found = []
        for path in self._entries():
            with contextlib.suppress(OSError):
                status = path.stat()
                found.append((status.st_mtime_ns, status.st_size, path))
        total = sum(size for _, size, _ in found)
        for _, size, path in sorted(found):
            if total <= MAX_BYTES:
                break
            with contextlib.suppress(OSError):
                path.unlink()
            total -= size


def _own_code() -> str:
    """Changes whenever the reader itself does: an editable install keeps its version number."""
    stamps = []
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        status = path.stat()
        stamps.append(f"{path.name} {status.st_size} {status.st_mtime_ns}")
    return hashlib.sha256("\n".join(stamps).encode()).hexdigest()


def _pickled(entry: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    pickler = pickle.Pickler(buffer, protocol=5)
    pickler.dispatch_table = copyreg.dispatch_table | {
        MappingProxyType: lambda mapping: (_read_only, (dict(mapping),))
    }
    pickler.dump(entry)
    return buffer.getvalue()


def _read_only(mapping: dict[Any, Any]) -> MappingProxyType[Any, Any]:
    return MappingProxyType(mapping)


class _Unpickler(pickle.Unpickler):
    """Reads facts: a file that names anything else is damaged or not ours."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == (__name__, "_read_only"):
            return _read_only
        if module in _MODULES or (module == "builtins" and name in _BUILTINS):
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} is no fact")
