"""One cause, one code: what is wrong with a checkpoint's name, decided once for all rules."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from hubpub.rules.cached import Cached, cached, is_stamp, once, visible_hash
from hubpub.source.facts import CHECKPOINT_SUFFIXES, Place, Repo

_NUMBER_OR_WORD = re.compile(r"\d+|[a-f]+|[a-f]+\d+|\d+[a-f]+|.{1,3}")
_GENERIC = re.compile(
    r"(?:pytorch_|flax_|torch_|adapter_|diffusion_pytorch_|my_|the_)?"
    r"(?:model|weights?|ckpt|checkpoint|net|network|state_?dict|params|pretrained|best|last|final"
    r"|latest|uc|download|file|content|generator|discriminator|encoder|decoder|backbone|epoch)"
    r"(?:[._-]?(?:model|weights?|ckpt|checkpoint|net|network|best|last|final|latest|state_?dict"
    r"|epoch|iter|ema|v)?[._-]?\d{0,7})?",
    re.IGNORECASE,
)
"""Names that say nothing of the model: another repository has one as well."""
_HIDDEN = re.compile(r"[-_.]([0-9A-Fa-f]{8,64})(?=[-_.]|$)")
STAMPED = (
    "publish it as name-<first 8 digits of its sha256>.pth, and load that name: "
    "`hubpub stamp --update FILE` makes both"
)
_UNIMPORTANT = {"download", "raw", "dl", "export", "confirm", "authuser", "rlkey", "st", "e"}


@dataclass(frozen=True)
class Fault:
    """What is wrong with the name of a checkpoint, and under which code it is said.

    ``first`` is the other checkpoint whose place in the cache it takes, for a clash.
    """

    code: str
    checkpoint: Cached
    hash: str | None
    checked: bool
    first: Cached | None = None


@once
def faults(repo: Repo) -> list[Fault]:
    """Every name of a checkpoint that is wrong, once a place, under its one code."""
    items = cached(repo)
    clashing = _clashes(items)
    groups: dict[object, list[Cached]] = {}
    for item in items:
        groups.setdefault((item.name, item.place), []).append(item)
    found = []
    for group in groups.values():
        seen, checked = visible_hash(group[0].name), any(item.checked for item in group)
        others = [(item, clashing.get(id(item))) for item in group]
        found += [
            Fault("HUB410", item, seen, checked, other)
            for item, other in others
            if other is not None and other is not item
        ]
        code = _code(group, seen, checked)
        if code and all(other is None for _, other in others):
            found.append(Fault(code, group[0], seen, checked))
    return found


def faults_of(repo: Repo, code: str) -> Iterator[tuple[Fault, str]]:
    """The faults of one code, one a place, each with words for the other names that it makes."""
    places: dict[Place, dict[str, Fault]] = {}
    for fault in faults(repo):
        if fault.code == code:
            item = fault.checkpoint
            place = item.written if fault.first else item.place
            places.setdefault(place, {}).setdefault(item.name, fault)
    for names in places.values():
        first = next(iter(names.values()))
        yield first, f" (and {len(names) - 1} more here)" if len(names) > 1 else ""


def advice(name: str) -> str:
    """How to stamp a name; one that carries a hash where the loader does not look says so."""
    hidden = _HIDDEN.search(name)
    if hidden is not None:
        return f"the loader sees a hash as -{hidden.group(1).lower()}. only: lower case, then a dot"
    return STAMPED


def _code(group: list[Cached], found: str | None, checked: bool) -> str | None:
    """The one code for a name, clashes inside the repository aside; None where nothing is wrong."""
    first = group[0]
    if is_stamp(found) or (not first.loaded and all(item.checked for item in group)):
        return None
    if not first.loaded:
        return "HUB402"
    if found:
        return "HUB405" if _NUMBER_OR_WORD.fullmatch(found) or len(found) >= 8 else "HUB402"
    if checked:
        return "HUB404"
    return "HUB410" if is_generic(first.name) and first.folder == "" else "HUB402"


def is_generic(name: str) -> bool:
    """Whether a name without a stamp is likely that of another repository's checkpoint too."""
    stem = name
    while stem.lower().endswith(CHECKPOINT_SUFFIXES) and "." in stem:
        stem = stem.rpartition(".")[0]
    return not stem or _GENERIC.fullmatch(stem) is not None


def _clashes(items: list[Cached]) -> dict[int, Cached]:
    """Checkpoints (by id) whose name in the cache another URL has too, with the first of those.

    URLs that are tried one after the other (a handler copes with the failure of the call) may be
    the same file in several places, and names with a stamp are.
    """
    places: dict[tuple[str, str], list[tuple[str, Cached]]] = {}
    for item in items:
        certain = item.loaded and item.folder is not None and not item.download.guarded
        if certain and not is_stamp(visible_hash(item.name)):
            group = places.setdefault((str(item.folder), item.name), [])
            group.append((_same(item.url), item))
    found: dict[int, Cached] = {}
    for group in places.values():
        if len({same for same, _ in group}) > 1:
            key = min(group, key=lambda pair: (pair[1].written.path, pair[1].written.span))
            for same, item in group:
                found[id(item)] = item if same == key[0] else key[1]
    return found


def _same(url: str) -> str:
    """Equal for URLs of the same file: the scheme and a query's requests to download it aside."""
    try:
        parts = urlsplit(url)
        words = [item for item in parse_qsl(parts.query) if item[0].lower() not in _UNIMPORTANT]
    except ValueError:
        return url
    return f"{parts.netloc.lower()} {posixpath.normpath(parts.path)} {sorted(words)}"
