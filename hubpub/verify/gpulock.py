"""One lock per GPU of this machine, so that two runs do not share a GPU's memory.

A file that is locked with ``flock``: the kernel lets go of it when its process ends, however. All
users of the machine use the same place, where anybody can make a file and nobody another's go away;
what lies there already may be anything, and is opened with care and only read.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from hubpub.errors import CannotVerifyError

_PLACES = (Path("/run/lock"), Path("/tmp"))  # noqa: S108 - shared on purpose, opened with care
_SHARED = stat.S_ISVTX | stat.S_IWOTH
_POLL_S = 0.1


class BusyError(Exception):
    """Another process had the GPU until there was no time left."""


def place() -> Path:
    """The directory of the locks: the same for every user, where the machine has such a one."""
    for folder in _PLACES:
        with contextlib.suppress(OSError):
            if folder.stat().st_mode & _SHARED == _SHARED:
                return folder
    return Path(tempfile.gettempdir())


@contextlib.contextmanager
def hold(
    key: str,
    left_s: Callable[[], float],
    tick: Callable[[], None],
    waits: Callable[[str], None],
    folder: Path | None = None,
) -> Iterator[None]:
    """Have the GPU ``key`` alone, among all runs of this machine.

    Args:
        key: :attr:`hubpub.verify.gpus.Gpu.key`.
        left_s: seconds until the caller waits no longer.
        tick: called a few times a second while it waits.
        waits: told once, when it has to wait.
        folder: of the locks, instead of :func:`place`.

    Raises:
        BusyError: it was not free in time.
        CannotVerifyError: what lies in the place of the lock is none.
    """
    path = (folder or place()) / f"hubpub-gpu-{key}.lock"
    descriptor = _open(path)
    try:
        told = False
        while not _take(descriptor):
            if left_s() <= 0:
                raise BusyError(f"another run of hubpub has the GPU ({path})")
            if not told:
                waits(f"for another run of hubpub that has the GPU ({path})")
                told = True
            tick()
            time.sleep(_POLL_S)
        yield
    finally:
        os.close(descriptor)  # which gives it back


def _take(descriptor: int) -> bool:
    import fcntl  # not on Windows, where reports are read and nothing is verified

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _open(path: Path) -> int:
    """The file to lock, made where it is not there; never one that a link leads to.

    Opened for reading: another user's in a sticky directory cannot be opened with ``O_CREAT``
    (``fs.protected_regular``), nor for writing.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    for _ in range(100):  # it may be made, or go, between two looks
        try:
            descriptor = os.open(path, flags)
        except FileNotFoundError:
            try:
                descriptor = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o644)
            except FileExistsError:
                continue
            except OSError as error:
                raise _no_lock(path, error.strerror or "") from error
            os.fchmod(descriptor, 0o644)  # whatever the umask: others must be able to wait for it
        except OSError as error:
            link = error.errno == errno.ELOOP
            raise _no_lock(path, "it is a link" if link else error.strerror or "") from error
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            return descriptor
        os.close(descriptor)
        raise _no_lock(path, "it is no regular file")
    raise _no_lock(path, "it comes and goes")


def _no_lock(path: Path, why: str) -> CannotVerifyError:
    return CannotVerifyError(
        f"{path} cannot be the lock of a GPU: {why}", help="look who made it, and delete it"
    )
