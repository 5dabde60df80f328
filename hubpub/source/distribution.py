"""What the files of packaging say of a repository, found by their words; none of them is run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from hubpub.source.facts_published import Project
from hubpub.source.files import Files
from hubpub.source.packages import normal
from hubpub.source.text import Text, Unreadable

MAX_FILE = 256 << 10
"""A larger file is not read (bytes)."""
MAX_FILES = 30

_SETUP = {"setup.py", "setup.cfg", "pyproject.toml"}
_LISTS = re.compile(
    r"requirements[\w.-]*\.(?:txt|in)|environment[\w.-]*\.ya?ml|conda[\w.-]*\.ya?ml"
)
_NAME = re.compile(
    r"^[ \t]*name[ \t]*=[ \t]*[\"']?([\w.-]+)|[(,\s]name\s*=\s*[\"']([\w.-]+)", re.MULTILINE
)
_BUILT = re.compile(r"Extension\s*\(\s*(?:name\s*=\s*)?[\"']([\w.]+)[\"']")
_VERSION_FILE = re.compile(r"(?:write_to|version[_-]file)[\"']?\s*[=:]\s*[\"']([\w./-]+)")
_FROM_GIT = re.compile(r"setuptools[_-]scm|use_scm_version|hatch[_-]vcs|versioningit|dunamai|pbr\b")
_WANTED = re.compile(r"(?:requir|depend)[\w-]{0,40}[\"']?[ \t]{0,9}[=:][ \t]{0,9}([\[{(])")
_QUOTED = re.compile(r"[\"']\s*([A-Za-z][\w.-]*)")
_LINE = re.compile(r"^[ \t-]*([A-Za-z][\w.-]*)", re.MULTILINE)
_SECTION = re.compile(r"^\[[\w.\"-]*dependenc[\w.\"-]*\]$(.*?)(?=^\[|\Z)", re.MULTILINE | re.DOTALL)
_HOME = re.compile(
    r"^[ \t]*[\"']?[\w \t-]{0,40}(?:ur[il]|home|repo|source|code|git-?hub|project|tracker|issues)"
    r"[\w \t-]{0,40}[\"']?[ \t]*[=:][ \t]*[\"']?https?://(?:www\.)?github\.com/([\w.-]+)/([\w.-]+)",
    re.MULTILINE | re.IGNORECASE,
)
"""A line of ``[project.urls]``, of setup.cfg, or of the call in setup.py."""
_HOOKS = re.compile(
    r"\b(?:meta_path|path_hooks)\b|\bsys\.modules\s*\[[^\]\n]{0,200}\][ \t]*=[^=]"
    r"|\bsys\.modules\.(?:setdefault|update)"
)


def hooked(texts: Mapping[str, Text]) -> bool:
    """Whether code changes how modules are found: a finder, or an entry in ``sys.modules``."""
    return any(path.endswith(".py") and _HOOKS.search(text.text) for path, text in texts.items())


def project(files: Files, paths: Sequence[str]) -> Project:
    """What the packaging files at the root, and in the folders below it, say."""
    names: set[str] = set()
    required: set[str] = set()
    built: set[str] = set()
    versions: set[str] = set()
    homes: dict[str, None] = {}
    from_git = False
    for path in _packaging(paths):
        data = files.data(path, MAX_FILE)
        if isinstance(data, Unreadable):
            continue
        text, name = data.decode("utf-8", "replace"), path.rpartition("/")[2]
        required.update(normal(word) for word in _required(name, text))
        if name in _SETUP:
            names.update(normal(one or other) for one, other in _NAME.findall(text))
            built.update(_BUILT.findall(text))
            base = path[: -len(name)]
            versions.update(f"{base}{found}" for found in _VERSION_FILE.findall(text))
            from_git |= bool(_FROM_GIT.search(text))
            if not base:
                found = _HOME.findall(text)
                homes.update((f"{owner}/{one.removesuffix('.git')}", None) for owner, one in found)
    return Project(
        frozenset(names), frozenset(required - names), frozenset(built), frozenset(versions),
        from_git, tuple(homes),
    )  # fmt: skip


def _packaging(paths: Sequence[str]) -> list[str]:
    found = [path for path in paths if _is_packaging(path)]
    return sorted(found, key=lambda path: (path.count("/"), path))[:MAX_FILES]


def _is_packaging(path: str) -> bool:
    name = path.rpartition("/")[2]
    if path.count("/") <= 1 and (name in _SETUP or _LISTS.fullmatch(name)):
        return True
    return bool(re.fullmatch(r"requirements/[\w.-]+\.(?:txt|in)", path))


def _required(name: str, text: str) -> Iterator[str]:
    if name not in _SETUP or name == "setup.cfg":
        yield from _LINE.findall(text)
        return
    position = 0
    while (match := _WANTED.search(text, position)) is not None:
        position = _closing(text, match.start(1))
        yield from _QUOTED.findall(text[match.end(1) : position])
    if name == "pyproject.toml":
        for part in _SECTION.findall(text):
            yield from _LINE.findall(part)
            yield from _QUOTED.findall(part)


def _closing(text: str, start: int, limit: int = 20_000) -> int:
    """The offset of the bracket that closes the one at ``start``, or where the search ends."""
    depth = 0
    for offset in range(start, min(start + limit, len(text))):
        depth += (text[offset] in "[{(") - (text[offset] in ")}]")
        if depth == 0:
            return offset
    return min(start + limit, len(text))
