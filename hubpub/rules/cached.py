"""Checkpoints on their way through torch.hub's cache: under which name, and whether checked."""

from __future__ import annotations

import functools
import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

from hubpub.source.facts import CHECKPOINT_SUFFIXES, HASH_REGEX, Argument, Download, Place, Repo

ROOT = "/repository/"
WORKING = "/working-directory"
HUB = "/hub"
"""How computed paths begin: in the repository, where the user works, in torch.hub's directory."""
URL_LOADERS = frozenset({"torch.hub.load_state_dict_from_url", "torch.utils.model_zoo.load_url"})
"""The loader's own function, and its older name (the same object in torch)."""
FETCHERS: Mapping[str, str] = {
    "torch.hub.download_url_to_file": "dst",
    "urllib.request.urlretrieve": "filename",
    "wget.download": "out",
}
"""Functions that put a URL's file somewhere, and the parameter that says where."""
OPENERS: Mapping[str, str] = {
    "torch.load": "f",
    "torch.jit.load": "f",
    "safetensors.torch.load_file": "filename",
    "safetensors.torch.load_model": "filename",
    "safetensors.safe_open": "filename",
    "onnxruntime.InferenceSession": "path_or_bytes",
}
"""Functions that open a checkpoint, and the parameter that names it."""
_STAMP = re.compile(r"[a-f0-9]{8,64}")
_DATE = re.compile(r"(?:19[89]\d|20\d\d)(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")
_COUNT = re.compile(r"\d+000")


class _Unknown:
    """What an argument may be when it is not one known value."""


UNKNOWN = _Unknown()


@dataclass(frozen=True)
class Cached:
    """One checkpoint of one call: its URL, the name that it has in the cache, and where it is said.

    ``place`` is where the name is said (``file_name``, else the URL), ``written`` where the URL is.
    ``folder`` is the directory, "" for torch.hub's own and None where it is not known. ``checked``
    is the effective ``check_hash``, None where that is not known; ``default``: only by a default
    that the caller may change.
    """

    url: str
    name: str
    place: Place
    folder: str | None
    checked: bool | None
    default: bool
    written: Place
    download: Download

    @property
    def loaded(self) -> bool:
        """Whether the loader itself fetches it, and looks for a hash in its name."""
        return self.download.function in URL_LOADERS


def value(argument: Argument | None, absent: Any = None) -> Any:
    """The one value that an argument has, if by default only; :data:`UNKNOWN` for several."""
    if argument is None:
        return absent
    if len(argument.values) != 1:
        return UNKNOWN
    return argument.values[0]


def is_default(argument: Argument | None) -> bool:
    """Whether an argument has its value only where the caller says nothing else."""
    return argument is not None and not argument.known


def strings(argument: Argument | None) -> Iterator[tuple[str, Place]]:
    """The texts that an argument may be, and where each is written."""
    for item, place in zip(argument.values, argument.places, strict=True) if argument else ():
        if isinstance(item, str):
            yield item, place


def visible_hash(name: str) -> str | None:
    """What ``check_hash=True`` compares with the sha256 of a file of this name; None: nothing."""
    match = HASH_REGEX.search(name)
    return match.group(1) if match else None


def is_stamp(found: str | None) -> bool:
    """Whether the loader's hash is one: 8 or more digits, and no date or number of steps."""
    if found is None or not _STAMP.fullmatch(found):
        return False
    return not (_DATE.fullmatch(found) or _COUNT.fullmatch(found))


def cache_name(url: str) -> str:
    """The name that the loader gives to a URL's file: its path's last part, the query aside."""
    try:
        return posixpath.basename(urlsplit(url).path)
    except ValueError:
        return posixpath.basename(url)


def shown(url: str) -> str:
    """A URL as it is said to people: without a name and password before its host."""
    head, sign, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{head}{sign}{host.rpartition('@')[2]}{slash}{path}"


def is_checkpoint(name: str) -> bool:
    """Whether a name ends as those of checkpoints do."""
    return name.lower().endswith(CHECKPOINT_SUFFIXES)


_T = TypeVar("_T")


def once(find: Callable[[Repo], list[_T]]) -> Callable[[Repo], list[_T]]:
    """``find``, which keeps what it found last: several rules ask it of the same repository."""
    kept: list[tuple[Repo, list[_T]]] = []

    @functools.wraps(find)
    def found(repo: Repo) -> list[_T]:
        if not kept or kept[0][0] is not repo:
            kept[:] = [(repo, find(repo))]
        return kept[0][1]

    return found


@once
def cached(repo: Repo) -> list[Cached]:
    """Every checkpoint that is fetched by a known URL, once a name, place and way."""
    found = [item for download in repo.downloads for item in _of(download)]
    unique = {(item.url, item.name, item.place, item.checked, item.folder): item for item in found}
    return list(unique.values())


def _of(download: Download) -> Iterator[Cached]:
    cases = download.cases or (download.arguments,)
    if download.function in URL_LOADERS:
        for case in cases:
            yield from _loaded(download, case)
    elif download.function in FETCHERS:
        for case in cases:
            yield from _fetched(download, case)


def _urls(case: Mapping[str, Argument]) -> Iterator[tuple[str, Place]]:
    for url, place in strings(case.get("url")):
        if "://" in url:
            yield url, place


def _loaded(download: Download, case: Mapping[str, Argument]) -> Iterator[Cached]:
    given = case.get("file_name")
    named = value(given)
    if named is not None and not isinstance(named, str):
        return
    switch = value(case.get("check_hash"), False if download.complete else UNKNOWN)
    checked = None if switch is UNKNOWN else bool(switch)
    default = is_default(case.get("check_hash"))
    folder = value(case.get("model_dir"), "" if download.complete else UNKNOWN)
    for url, place in _urls(case):
        where = given.places[0] if named and given else place
        name = named or cache_name(url)
        yield Cached(url, name, where, _folder(folder), checked, default, place, download)


def _folder(folder: object) -> str | None:
    if folder is None or folder == "":
        return ""
    if not isinstance(folder, str):
        return None
    normal = posixpath.normpath(folder)
    return "" if normal == f"{HUB}/checkpoints" else normal


def _fetched(download: Download, case: Mapping[str, Argument]) -> Iterator[Cached]:
    target = value(case.get(FETCHERS[download.function]), UNKNOWN)
    prefix = value(case.get("hash_prefix"), None)
    for url, place in _urls(case):
        known = isinstance(target, str) and not target.endswith("/")
        names = [cache_name(url), *([posixpath.basename(target)] if known else [])]
        names.sort(key=lambda item: (not is_stamp(visible_hash(item)), not is_checkpoint(item)))
        name = names[0]
        if is_checkpoint(name):
            folder = _folder(posixpath.dirname(target) or ".") if known else None
            checked = None if prefix is UNKNOWN else bool(prefix)
            yield Cached(url, name, place, folder, checked, False, place, download)
