"""The name of a checkpoint with the stamp that the loader reads. Text only: no file is touched."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hubpub.errors import HubpubError
from hubpub.rules.cached import is_stamp, visible_hash
from hubpub.source.facts import CHECKPOINT_SUFFIXES, HASH_REGEX

LEAST_DIGITS, MOST_DIGITS = 8, 64
"""How many digits of a sha256 a stamp holds: torchvision's names have 8, a sha256 has 64."""

_PACKED = frozenset({".gz", ".bz2", ".xz", ".zst", ".lzma", ".zip", ".tar", ".7z"})
_INNER = frozenset(CHECKPOINT_SUFFIXES) | _PACKED
"""What may stand before another suffix and belongs to it: ``.pth.tar``, ``.tar.gz``."""
_SUFFIX = re.compile(r"\.(?:[A-Za-z][A-Za-z0-9_]{0,15}|7z)\Z")
"""A suffix begins with a letter: in ``unet-2.0`` there is none."""
_LAST = re.compile(r"[-_.]([0-9A-Fa-f]{8,64})\Z")
_READ = re.compile(r"-([a-f0-9]*)[^A-Za-z0-9_-]")
"""What the loader reads, and what it would read after GitHub has changed the name: in names of
release assets it replaces special characters (docs.github.com/en/rest/releases/assets; seen: full
stops for spaces, tildes, colons, parentheses)."""
_SPECIAL = re.compile(r"[^A-Za-z0-9._-]")


@dataclass(frozen=True)
class Stamped:
    """What becomes of a file's name.

    ``name`` is the new one, ``right`` whether it is the old one, whose stamp is right.
    ``replaced`` is the stamp of other content that stood in its place. ``misread`` are the parts
    that the loader would have taken for the stamp, in which ``-`` became ``_``. ``suffix`` was
    added, because the loader reads a stamp only before a full stop. ``special`` are characters that
    GitHub replaces in names of release assets. ``begin`` and ``end`` enclose the stamp's digits.
    """

    name: str
    right: bool
    begin: int
    end: int
    replaced: str | None = None
    misread: tuple[str, ...] = ()
    suffix: str = ""
    special: str = ""

    @property
    def around(self) -> tuple[str, str]:
        """What stands before the stamp's ``-`` and after its digits."""
        return self.name[: self.begin - 1], self.name[self.end :]


def stamped(name: str, sha256: str, digits: int = LEAST_DIGITS, suffix: str = ".pth") -> Stamped:
    """The name of a file called ``name`` whose content has this ``sha256`` (64 digits).

    The first match of ``torch.hub.HASH_REGEX`` in the new name is the first ``digits`` of the
    sha256, whatever else the name holds; more where those could be a date or a round number. A name
    whose stamp is right and long enough stays; ``suffix`` is for names that have none.

    Raises:
        ValueError: ``digits`` is not from 8 to 64, or ``sha256`` is none.
    """
    if not LEAST_DIGITS <= digits <= MOST_DIGITS or not re.fullmatch(r"[a-f0-9]{64}", sha256):
        raise ValueError(f"{digits} digits of {sha256!r}")
    while not is_stamp(sha256[:digits]) and digits < MOST_DIGITS:
        digits += 1  # it begins as a date or a round number would: `hubpub check` sees no stamp
    special = "".join(sorted(set(_SPECIAL.findall(name))))
    seen, wide = HASH_REGEX.search(name), _READ.search(name)
    if seen and wide and wide.start() == seen.start() and _is_of(seen.group(1), sha256, digits):
        return Stamped(name, True, seen.start(1), seen.end(1), special=special)
    stem, after, replaced = _parts(name, sha256)
    added = "" if after.strip(".") else suffix
    stem, misread = _readable(stem.rstrip("-") or "_", f"-{sha256[:digits]}{added or after}")
    new = f"{stem}-{sha256[:digits]}{added or after}"
    if visible_hash(new) != sha256[:digits]:  # checked as the loader does it, whatever came before
        raise HubpubError(f"no name was found for {name!r} in which the loader reads its stamp")
    begin = len(stem) + 1
    return Stamped(new, False, begin, begin + digits, replaced, misread, added, special)


def _is_of(found: str, sha256: str, digits: int) -> bool:
    return len(found) >= digits and sha256.startswith(found)


def _parts(name: str, sha256: str) -> tuple[str, str, str | None]:
    """What stands before the stamp and after it, and the stamp of other content that is given up.

    A stamp that the loader reads keeps its place; else the stamp comes last before the suffixes. A
    date and a round number are no stamps, and stay.
    """
    seen = HASH_REGEX.search(name)
    if seen and is_stamp(seen.group(1)):
        return name[: seen.start()], name[seen.end(1) :], _other(seen.group(1), sha256)
    stem, after = split(name)
    last = _LAST.search(stem)
    if last:
        found = last.group(1)
        if sha256.startswith(found.lower()) or (last.group()[0] == "-" and is_stamp(found)):
            return stem[: last.start()], after, _other(found, sha256)
    return stem, after, None


def _other(found: str, sha256: str) -> str | None:
    return None if sha256.startswith(found.lower()) else found


def split(name: str) -> tuple[str, str]:
    """A name's stem and all of its suffixes: ``bert-base``, ``.tar.gz``; full stops at its end go.

    >>> split("unet-2.0.pth.tar")
    ('unet-2.0', '.pth.tar')
    """
    found = _SUFFIX.search(name)
    if found is None or not name[: found.start()].strip("."):
        return name.rstrip("."), ""
    stem, after = name[: found.start()], found.group()
    while True:
        inner = stem[stem.rfind(".") :] if "." in stem else ""
        shorter = stem[: len(stem) - len(inner)]
        if inner.lower() not in _INNER or not shorter.strip("."):
            return stem, after
        stem, after = shorter, inner + after


def _readable(stem: str, rest: str) -> tuple[str, tuple[str, ...]]:
    """``stem`` with ``_`` for each ``-`` that would be read before ``rest``, and those places."""
    misread: list[str] = []
    while True:
        found = _READ.search(stem + rest)
        if found is None or found.start() >= len(stem):
            return stem, tuple(misread)
        misread.append(found.group())
        stem = f"{stem[: found.start()]}_{stem[found.start() + 1 :]}"
