"""Checkpoints of a run, named by content: who used them, where they came from, what they hold."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from hubpub.source.facts import Download
from hubpub.verify.formats import file_format
from hubpub.verify.harvest import LeftFile, Stamp, origins, sha256_of, stamp
from hubpub.verify.jobs import Done
from hubpub.verify.report import Axis, Checkpoint, StampReport, Use

_MOST = 10_000
_TOO_MANY = f"is one of more than {_MOST} checkpoints of one run"
_MOST_GLOBALS, _GLOBAL, _REASON = 50, 150, 300
"""What the report says of the code in a checkpoint: names, characters of each, and of an error."""

Inspect = Callable[[str], Mapping[str, Any] | None]
"""Path inside the sandbox -> claims of a job that re-read the file without repository code."""


@dataclass(frozen=True)
class Found:
    """What one job used: checkpoints, files that were refused, and HTML pages saved as weights.

    Each checkpoint has the name and the path under which this job used it.
    """

    checkpoints: tuple[Checkpoint, ...]
    refused: tuple[LeftFile, ...]
    pages: tuple[str, ...]


@dataclass
class Ledger:
    """Collects the checkpoints of a run; each content is inspected once.

    ``hash_checked`` are cache names that the code loads with ``check_hash=True``: without a hash
    in such a name the loader checks nothing, which it does not say.
    """

    hash_checked: frozenset[str]
    _by_sha256: dict[str, Checkpoint] = field(default_factory=dict)
    _roots: dict[str, set[str]] = field(default_factory=dict)
    _tree: dict[str, tuple[str, str, int]] = field(default_factory=dict)
    _urls: dict[str, dict[str, tuple[str, int]]] = field(default_factory=dict)
    """Of each content its URLs, each with the first entrypoint that asked for it, and when."""
    _uses: dict[str, dict[Use, None]] = field(default_factory=dict)
    _noted: int = 0
    _named: dict[str, tuple[bool, str]] = field(default_factory=dict)
    """Whose name the report gives to each content, and whether its stamp does not agree."""
    _kinds: dict[str, str] = field(default_factory=dict)
    _entering: threading.Lock = field(default_factory=threading.Lock)
    _inspecting: dict[str, threading.Lock] = field(default_factory=dict)
    """One for each content: none is inspected twice, and no lane waits for another's."""
    _inspected: dict[str, tuple[Axis, tuple[str, ...]]] = field(default_factory=dict)

    def enter(self, entrypoint: str, done: Done, tree: Path, inspect: Inspect) -> Found:
        """Record what ``entrypoint`` used in a job: downloads, and files of the tree it opened."""
        for sha256, kind, inside in self._contents(done, tree):
            self._inspect(sha256, kind, inside, inspect)
        with self._entering:
            return self._enter(entrypoint, done, tree)

    def _contents(self, done: Done, tree: Path) -> Iterator[tuple[str, str, str]]:
        """Hash, format and place inside the sandbox of each file that a job used."""
        for file in done.files:
            if file.sha256 is None:
                continue
            if file.sha256 not in self._kinds:
                self._kinds[file.sha256] = file_format(done.folder / file.path)
            yield file.sha256, self._kinds[file.sha256], f"{done.directory}/{file.path}"
        for path in _opened(done.claims, tree):
            digest, kind, _ = self._read(tree, path)
            yield digest, kind, f"{done.tree}/{path}"

    def _inspect(self, sha256: str, kind: str, inside: str, inspect: Inspect) -> None:
        if kind == "html" or (sha256 not in self._inspected and len(self._inspected) >= _MOST):
            return
        with self._entering:
            one_at_a_time = self._inspecting.setdefault(sha256, threading.Lock())
        with one_at_a_time:
            if sha256 not in self._inspected:
                self._inspected[sha256] = _weights_only(kind, inside, inspect)

    def _enter(self, entrypoint: str, done: Done, tree: Path) -> Found:
        refused = [file for file in done.files if file.sha256 is None]
        pages: list[str] = []
        used: list[Checkpoint] = []
        led = origins(done.requests)
        torn = _torn(done)
        for file in done.files:
            if file.sha256 is None or file.sha256 in torn:
                continue
            kind = self._kinds[file.sha256]
            urls = led.get(file.sha256, ())
            if kind == "html":
                pages.append(urls[0] if urls else file.path)
                continue
            if file.sha256 not in self._inspected:
                refused.append(replace(file, sha256=None, reason=_TOO_MANY))
                continue
            if urls and file.path.startswith("torch/hub/checkpoints/"):
                self._roots.setdefault(PurePosixPath(file.path).name, set()).add(urls[0])
            known = self._record(file.path, file.sha256, file.size, kind)
            used.append(replace(self._used(known, entrypoint, urls, None), path=None))
            cached = file.path.startswith("torch/hub/checkpoints/")
            self._note(known, entrypoint, urls[0] if urls and cached else None, None)
        for path in _opened(done.claims, tree):
            digest, kind, size = self._read(tree, path)
            if kind == "html":
                pages.append(path)
                continue
            if digest not in self._inspected:
                refused.append(LeftFile(path, size, None, _TOO_MANY))
                continue
            known = self._record(path, digest, size, kind)
            used.append(replace(self._used(known, entrypoint, (), path), path=path))
            self._note(known, entrypoint, None, path)
        return Found(tuple(used), tuple(refused), tuple(pages))

    def _read(self, tree: Path, path: str) -> tuple[str, str, int]:
        """Hash, format and size of a file of the tree, which no job can change: read once."""
        if path not in self._tree:
            data = tree / path
            with data.open("rb") as opened:
                digest = sha256_of(opened)
            self._tree[path] = digest, file_format(data), data.stat().st_size
        return self._tree[path]

    def all(self) -> tuple[Checkpoint, ...]:
        """Every checkpoint of the run, by file name and content."""
        found = []
        for item in self._by_sha256.values():
            order = self._urls[item.sha256]
            urls = tuple(sorted(order, key=order.__getitem__))
            uses = sorted(self._uses[item.sha256], key=lambda use: use.entrypoint)
            asked_by = {url: order[url][0] for url in urls}
            found.append(replace(item, urls=urls, asked_by=asked_by, uses=tuple(uses)))
        return tuple(sorted(found, key=lambda item: (item.filename, item.sha256)))

    def clashes(self) -> Iterable[tuple[str, tuple[str, ...]]]:
        """Cache names that stand for more than one URL: the second user gets the first's file."""
        for name, urls in sorted(self._roots.items()):
            if len(urls) > 1:
                yield name, tuple(sorted(urls))

    def _record(self, path: str, sha256: str, size: int, kind: str) -> Checkpoint:
        filename = PurePosixPath(path).name
        found: Stamp = stamp(filename, sha256)
        if found.status == "absent" and filename in self.hash_checked:
            found = Stamp(None, "vacuous")
        known = self._by_sha256.get(sha256)
        if known is not None:
            # One content under several names: each name makes a promise of its own.
            own = StampReport(found.prefix, found.status)
            return replace(known, filename=filename, stamp=own)
        axis, names = self._inspected[sha256]
        return Checkpoint(
            filename=filename,
            sha256=sha256,
            size=size,
            stamp=StampReport(found.prefix, found.status),
            urls=(),
            entrypoints=(),
            weights_only=axis,
            unsafe_globals=names,
            format=kind,
        )

    def _used(
        self, checkpoint: Checkpoint, entrypoint: str, urls: tuple[str, ...], path: str | None
    ) -> Checkpoint:
        seen = self._urls.setdefault(checkpoint.sha256, {})
        for url in urls:
            if url not in seen or entrypoint < seen[url][0]:
                seen[url] = entrypoint, len(seen)
        if entrypoint not in checkpoint.entrypoints:
            names = tuple(sorted((*checkpoint.entrypoints, entrypoint)))
            checkpoint = replace(checkpoint, entrypoints=names)
        paths = [each for each in (checkpoint.path, path) if each is not None]
        updated = replace(checkpoint, path=min(paths, default=None))
        known, kept = self._by_sha256.get(checkpoint.sha256), updated
        broken = updated.stamp.status == "mismatch"
        if known is not None and not self._is_named_by(entrypoint, checkpoint.sha256, broken):
            kept = replace(updated, filename=known.filename, stamp=known.stamp)
        else:
            self._named[checkpoint.sha256] = broken, entrypoint
        self._by_sha256[checkpoint.sha256] = kept
        return updated

    def _note(
        self, checkpoint: Checkpoint, entrypoint: str, url: str | None, path: str | None
    ) -> None:
        """Keep under which name an entrypoint had a content, for reports that are joined."""
        uses = self._uses.setdefault(checkpoint.sha256, {})
        if not uses or self._noted < _MOST:
            self._noted += 1
            uses[Use(entrypoint, checkpoint.filename, checkpoint.stamp, url, path)] = None

    def _is_named_by(self, entrypoint: str, sha256: str, broken: bool) -> bool:
        """Whether the report takes the name of a content from this use, and not from another.

        As where all come in the order of their names, whichever lane is quicker: the first, or the
        last one whose stamp does not agree.
        """
        was_broken, by = self._named[sha256]
        if broken:
            return not was_broken or entrypoint >= by
        return not was_broken and entrypoint < by


def hash_checked(downloads: Iterable[Download]) -> frozenset[str]:
    """The cache names that the code loads with ``check_hash=True``, as far as they can be read.

    The name is ``file_name`` where that is given, else the last part of the URL's path
    (``torch.hub.load_state_dict_from_url``).
    """
    names: set[str] = set()
    for download in downloads:
        check = download.argument("check_hash")
        if check is None or True not in check.values:
            continue
        given = download.argument("file_name") or download.argument("url")
        for value in given.values if given is not None else ():
            if isinstance(value, str):
                names.add(PurePosixPath(urlsplit(value).path).name)
    return frozenset(names)


def _torn(done: Done) -> set[str | None]:
    """Hashes of bodies that did not arrive whole: their files are pieces, and no checkpoints."""
    cut = {entry.sha256 for entry in done.requests if entry.short or entry.decision == "cut"}
    whole = {entry.sha256 for entry in done.requests if not entry.short}
    return cut - whole


def _opened(claims: Mapping[str, Any] | None, tree: Path) -> list[str]:
    """The files of the tree that a job says it opened, those of them that are there."""
    names = (claims or {}).get("opened")
    if not isinstance(names, list):
        return []
    # The same file under many spellings is one file.
    plain = {str(PurePosixPath(name)): None for name in names if isinstance(name, str)}
    return [name for name in plain if _is_inside(tree, name)]


def _is_inside(tree: Path, name: str) -> bool:
    if name.startswith("/") or ".." in name.split("/"):
        return False
    try:
        return (tree / name).is_file()
    except (OSError, ValueError):  # too long for any file, or not to be written as a name
        return False


def _weights_only(kind: str, inside: str, inspect: Inspect) -> tuple[Axis, tuple[str, ...]]:
    """Whether the file loads without unpickling code, and the globals it would need."""
    if kind == "safetensors":
        return Axis("pass"), ()
    if kind == "unknown":
        return Axis("skipped", "not a file of torch.save"), ()
    claims = inspect(inside)
    if claims is not None and claims.get("weights_only") == "skipped":
        return Axis("skipped", str(claims["reason"])), ()
    if claims is None or claims.get("weights_only") not in {"pass", "fail"}:
        return Axis("fail", "reading it with weights_only=True ends the process"), ()
    names = claims.get("globals")
    all_names = [str(name)[:_GLOBAL] for name in names] if isinstance(names, list) else []
    found = tuple(all_names[:_MOST_GLOBALS])
    if len(all_names) > _MOST_GLOBALS:
        found += (f"and {len(all_names) - _MOST_GLOBALS} more",)
    if claims["weights_only"] == "pass":
        return Axis("pass"), found
    lines = str(claims.get("reason") or "").splitlines() or ["needs pickled code"]
    return Axis("fail", lines[0][:_REASON] or "needs pickled code"), found
