"""``--checkpoints DIR``: files that answer for downloads, where the network is not to be asked.

``DIR/HOST/PATH/NAME``, as ``wget -x`` makes it, answers for that URL; else ``DIR/NAME`` answers for
every URL whose path ends in NAME. The folder is the caller's: links in it are followed.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote_to_bytes

from hubpub.errors import UsageError
from hubpub.verify.egress.place import Place

_NAME_BYTES = 255


@dataclass(frozen=True)
class Supplied:
    """The files below ``folder``, by the URLs that they answer for."""

    folder: Path

    def check(self, *, write_lock: bool = False) -> None:
        """Raise UsageError where the folder cannot be read.

        Or where a lock is to be written, which says what lies behind a URL: no server said it.
        """
        if write_lock:
            raise UsageError(
                "--write-lock with --checkpoints would lock files that no server was asked for",
                help="write the lock in a run with a network; --locked goes with --checkpoints",
            )
        advice = "name the directory that holds the files, each under the last part of its URL"
        try:
            next(self.folder.iterdir(), None)
        except NotADirectoryError:
            text = f"--checkpoints: {self.folder} is not a directory"
            raise UsageError(text, help=advice) from None
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            raise UsageError(f"--checkpoints: {self.folder}: {why}", help=advice) from None

    def find(self, place: Place) -> str | None:
        """The file that answers for ``place``, relative to the folder."""
        return next((name for name in _names(place) if self._is_file(name)), None)

    def _is_file(self, name: str) -> bool:
        try:
            return stat.S_ISREG((self.folder / name).stat().st_mode)
        except (OSError, ValueError):  # not there, or nothing that could be
            return False


def _names(place: Place) -> Iterator[str]:
    """Where the file of a URL may lie, the closest first."""
    path, _, query = place.target.partition("?")
    raw = path.split("/")[1:]
    plain = [os.fsdecode(unquote_to_bytes(part)) for part in raw]
    last = plain[-1]
    hosts = dict.fromkeys((place.authority, place.host))
    for host in hosts:
        for parts in (plain, raw):
            whole = [host, *parts]
            if query and all(map(_is_name, (*whole[:-1], f"{whole[-1]}?{query}"))):
                yield "/".join(whole) + f"?{query}"
            if all(map(_is_name, whole)):
                yield "/".join(whole)
    if _is_name(last):
        yield last


def _is_name(text: str) -> bool:
    """Whether a stranger may name a file by it: of one part, and not hidden (``..`` is neither)."""
    plain = "/" not in text and "\0" not in text and not text.startswith(".")
    return plain and 0 < len(os.fsencode(text)) <= _NAME_BYTES
