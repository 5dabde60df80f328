"""Git's own files, read without git: remotes, tags, branches. Nothing that they name is run.

Sources of the formats: git's gitrepository-layout, git-config and git-pack-refs pages.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from hubpub.source.facts_git import Git
from hubpub.source.files import Files
from hubpub.source.text import Unreadable

MAX_CONFIG = 1 << 16
MAX_PACKED = 1 << 22
"""A larger file is not read (bytes)."""

_REMOTE = re.compile(
    r"(?:^|[/@])(?:(?:www|ssh)\.)?github\.com(?::\d+)?[:/]+([\w.-]+)/([\w.-]+?)(?:\.git)?/?\s*$",
    re.IGNORECASE,
)
_SECTION = re.compile(r'\s*\[\s*([\w.-]+)\s*(?:"((?:[^"\\]|\\.)*)")?\s*\]')
_ALL_BRANCHES = re.compile(r"\+?refs/heads/\*:refs/remotes/[^*]+/\*")

Remotes = Mapping[str, Sequence[tuple[str, str]]]
"""The keys and values of each remote's section, in the order of the file."""


def read(files: Files) -> Git:
    """What git's files say; where there are none, or none that can be read this way, nothing."""
    refs = set(_refs(files))
    remotes = _remotes(files)
    remote = "origin" if "origin" in remotes or len(remotes) != 1 else next(iter(remotes))
    settings = remotes.get(remote, ())
    below = f"refs/remotes/{remote}/"
    published = {ref.removeprefix(below) for ref in refs if ref.startswith(below)} - {"HEAD"}
    local = {ref.removeprefix("refs/heads/") for ref in refs if ref.startswith("refs/heads/")}
    shallow = _text(files, "shallow", MAX_PACKED) is not None
    fetched = bool(published) and not shallow
    return Git(
        newest_last(ref.removeprefix("refs/tags/") for ref in refs if ref.startswith("refs/tags/")),
        frozenset(local | published),
        frozenset(published),
        _default(files, below),
        fetched and ("tagopt", "--no-tags") not in settings,
        fetched and any(key == "fetch" and _ALL_BRANCHES.fullmatch(it) for key, it in settings),
        _own(remotes),
    )


def _own(remotes: Remotes) -> tuple[str, ...]:
    order = sorted(remotes, key=lambda name: {"origin": 0, "upstream": 1}.get(name, 2))
    values = [value for name in order for key, value in remotes[name] if key == "url"]
    found = [match for value in values if (match := _REMOTE.search(value))]
    return tuple(dict.fromkeys(f"{match.group(1)}/{match.group(2)}" for match in found))


def _default(files: Files, below: str) -> str | None:
    text = _text(files, f"{below}HEAD", 4096) or ""
    word, _, ref = text.strip().partition(" ")
    found = word == "ref:" and ref.strip().startswith(below)
    return ref.strip().removeprefix(below) if found else None


def _refs(files: Files) -> Iterator[str]:
    """The full names of all refs, loose and packed."""
    for line in (_text(files, "packed-refs", MAX_PACKED) or "").splitlines():
        if not line.startswith(("#", "^")):
            yield line.partition(" ")[2].strip()
    for kind in ("heads", "tags", "remotes"):
        yield from (f"refs/{kind}/{path}" for path in files.git_walk(f"refs/{kind}"))


def _remotes(files: Files) -> Remotes:
    found: dict[str, list[tuple[str, str]]] = {}
    section: list[tuple[str, str]] | None = None
    for line in (_text(files, "config", MAX_CONFIG) or "").splitlines():
        match = _SECTION.match(line)
        if match:
            named = match.group(1).lower() == "remote" and match.group(2)
            section = found.setdefault(named, []) if named else None
        key, equals, value = (line[match.end() :] if match else line).partition("=")
        if section is not None and equals:
            section.append((key.strip().lower(), value.strip().strip('"')))
    return found


def _text(files: Files, path: str, limit: int) -> str | None:
    data = files.git(path, limit)
    return None if isinstance(data, Unreadable) else data.decode("utf-8", "replace")


def newest_last(names: Iterable[str]) -> tuple[str, ...]:
    """Tags in the order of their version numbers, highest last."""
    return tuple(sorted(names, key=_version))


def _version(tag: str) -> tuple[object, ...]:
    # A pre-release (v1.0rc1, v1.0-beta) comes before the release that it is of; a tag that is no
    # version before any that is one.
    match = re.search(r"\d{1,9}(?:\.\d{1,9})*", tag)
    if match is None:
        return ((), False, tag)
    numbers = tuple(int(part) for part in match.group().split("."))
    rest = tag[match.end() :]
    return ((*numbers, 0, 0, 0)[:4], not re.search(r"[A-Za-z]", rest), tag)
