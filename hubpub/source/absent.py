"""Which files that calls open are not in the tree, or are not what they seem."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hubpub.source.facts import Download
from hubpub.source.files import Files
from hubpub.source.interpret.filesystem import inside
from hubpub.source.text import Unreadable

MISSING = "the repository does not hold it"
POINTER = "git LFS keeps it elsewhere, and GitHub's zip holds a pointer"
_MAX_POINTER = 1024
_POINTER = b"version https://git-lfs.github.com/spec/"


def absent(files: Files, downloads: Iterable[Download]) -> Mapping[str, str]:
    """Why paths of the repository that calls name cannot be opened; those that can are left out.

    Paths are as the calls compute them (``/repository/weights/a.pth``).
    """
    found: dict[str, str] = {}
    for download in downloads:
        for argument in download.arguments.values():
            for value in argument.values:
                path = inside(value) if isinstance(value, str) and value not in found else None
                reason = _why(files, path) if path else None
                if reason is not None:
                    found[value] = reason
    return found


def _why(files: Files, path: str) -> str | None:
    if not files.has(path):
        return MISSING
    size = files.size(path) if files.is_file(path) else None
    if size is None or size > _MAX_POINTER:
        return None
    data = files.data(path, _MAX_POINTER)
    return POINTER if not isinstance(data, Unreadable) and data.startswith(_POINTER) else None
