"""Which commit a work tree has checked out, read from git's files without git."""

from __future__ import annotations

import re
from pathlib import Path

from hubpub.source.files import Files
from hubpub.source.git import MAX_PACKED
from hubpub.source.text import Unreadable

_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_REF = re.compile(r"ref: (refs/[^\s\0]{1,500})")


def head(root: Path) -> str | None:
    """The commit of HEAD; None where there is no git, no commit yet, or it cannot be told.

    Source of the format: git's gitrepository-layout page.
    """
    files = Files(root)
    own = _text(files.git_own("HEAD", 4096)).strip()
    named = _REF.fullmatch(own)
    if named is None:
        return own if _ID.fullmatch(own) else None
    loose = _text(files.git(named[1], 4096)).strip()
    if _ID.fullmatch(loose):
        return loose
    for line in _text(files.git("packed-refs", MAX_PACKED)).splitlines():
        commit, _, ref = line.partition(" ")
        if ref == named[1] and _ID.fullmatch(commit):
            return commit
    return None


def _text(data: bytes | Unreadable) -> str:
    return "" if isinstance(data, Unreadable) else data.decode("utf-8", "replace")
