"""What git's own files say of a clone, as facts."""

from __future__ import annotations

import re
from dataclasses import dataclass

_PLAIN = re.compile(r"[\w./+@-]+")


@dataclass(frozen=True)
class Git:
    """A clone, as it was when it last fetched.

    ``own`` are the names ``owner/name`` of its remotes on GitHub: origin first, then upstream.
    ``tags`` are its tags, newest last where that can be told; ``branches`` the local ones and those
    of the remote; ``remote_branches`` those of the remote (``origin``, or the only one) alone.
    ``default`` is the remote's default branch, None where the clone does not know it.
    ``all_tags`` and ``all_branches``: it has all of the remote's, as far as it has fetched.
    """

    tags: tuple[str, ...] = ()
    branches: frozenset[str] = frozenset()
    remote_branches: frozenset[str] = frozenset()
    default: str | None = None
    all_tags: bool = False
    all_branches: bool = False
    own: tuple[str, ...] = ()

    @property
    def newest(self) -> str | None:
        """The newest tag that can stand in any quotes, None where there is none."""
        return next((tag for tag in reversed(self.tags) if _PLAIN.fullmatch(tag)), None)
