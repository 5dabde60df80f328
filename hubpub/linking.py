"""Giving a file its name without ever replacing what stands there."""

from __future__ import annotations

import errno
import os
from pathlib import Path

_UNABLE = {errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK}
"""What ``link(2)`` fails with where a file system (FAT, some network shares) has no hard links, or
where the file is another user's (``fs.protected_hardlinks``)."""


def link(source: Path, target: Path) -> bool:
    """Give the file ``source`` the second name ``target``; False where there are no hard links.

    Unlike a rename, this never replaces what is there.

    Raises:
        FileExistsError: ``target`` exists.
        OSError: it cannot be done for another reason.
    """
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in _UNABLE:
            raise
        return False
    return True


def rename(source: Path, target: Path) -> None:
    """Rename ``source`` where there are no hard links; ``target`` is made first, so it was free.

    Raises:
        FileExistsError: ``target`` exists.
        OSError: it cannot be done for another reason; then ``target`` is not there.
    """
    with target.open("xb") as file:
        made = os.fstat(file.fileno())
    try:
        source.replace(target)
    except BaseException:
        if os.path.samestat(target.lstat(), made):
            target.unlink()
        raise
