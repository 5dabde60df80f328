"""What a case left in its caches, kept by content, so that another job of the same case finds it.

The only way from one job to another: the parent copies each plain file while it hashes it, into a
directory that jobs can read and not change, with a list that says what lies where. Nothing else of
what a job left is there, and it is gone when the case has been asked everything.
"""

from __future__ import annotations

import hashlib
import json
import os
import posixpath
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hubpub.verify.harvest import GoOn, remove

LIST = "offered.json"
"""In the directory beside the files; what it says is read by ``worker/offered.py``."""
_CACHES = ("torch", "home", "work")
"""Of a job's directory; what lies in its temporary one, a user would lose as well."""
_MOST_FILES, _DEPTH, _CHUNK = 1000, 24, 1 << 20
if hasattr(os, "O_NOFOLLOW"):  # on Windows reports are read and nothing is verified
    _OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


@dataclass
class Offer:
    """What another job will find. ``lacks`` says what was left and is not offered, and why."""

    files: dict[str, str] = field(default_factory=dict)
    """Path below a job's directory -> sha256."""
    sizes: dict[str, int] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    """Path -> relative target, which is one of ``files``."""
    lacks: str | None = None

    def without(self, path: str, why: str) -> None:
        """Keep the first reason."""
        shown = path.encode("ascii", "backslashreplace").decode()
        if self.lacks is None:
            self.lacks = f"{shown[:200]} {why}"


class Store:
    """The directory of one lane's offer; empty between cases."""

    def __init__(self, folder: Path) -> None:
        """Make ``folder``, which others may pass through and not list."""
        folder.mkdir(mode=0o711)
        self.folder = folder

    def clear(self) -> None:
        """Offer nothing any more."""
        for path in self.folder.iterdir():
            remove(path)

    def fill(
        self,
        left: Path,
        hashed: Mapping[str, str | None],
        most_bytes: int,
        skip: str,
        go_on: GoOn = lambda: None,
    ) -> Offer:
        """Copy what the dead job in ``left`` keeps in its caches, and write the list of it.

        Args:
            left: the job's directory, as the parent sees it.
            hashed: path -> sha256 of the files that were hashed before; None where one was refused.
                What is another content by now is not offered.
            most_bytes: of all together.
            skip: a path that hubpub itself put there.
            go_on: what it returns, unless None, is why nothing more is copied.
        """
        self.clear()
        offer = Offer()
        links: dict[str, str] = {}
        for name in _CACHES:
            for path, folder, found in _walk(left, name, offer):
                if path == skip:
                    continue
                if stat.S_ISLNK(found.st_mode):
                    links[path] = os.readlink(posixpath.basename(path), dir_fd=folder)
                    continue
                why = _refusal(found, most_bytes - sum(offer.sizes.values())) or go_on()
                if len(offer.files) >= _MOST_FILES:
                    why = f"is one of more than {_MOST_FILES} files"
                if why is None:
                    why = self._keep(path, folder, hashed, offer)
                if why is not None:
                    offer.without(path, why)
        for path, target in links.items():
            leads = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
            if leads in offer.files and not target.startswith("/"):
                offer.links[path] = target
            else:
                offer.without(path, "is a symbolic link")
        self._write(offer)
        return offer

    def _keep(
        self, path: str, folder: int, hashed: Mapping[str, str | None], offer: Offer
    ) -> str | None:
        """Copy one file by its content; why it is not offered, None where it is."""
        part = self.folder / "part"
        digest, size = hashlib.sha256(), 0
        try:
            descriptor = os.open(posixpath.basename(path), _OPEN, dir_fd=folder)
            with os.fdopen(descriptor, "rb") as source, part.open("wb") as copy:
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    return "is not a plain file"
                while chunk := source.read(_CHUNK):
                    digest.update(chunk)
                    size += len(chunk)
                    copy.write(chunk)
            part.chmod(0o444)
            if hashed.get(path, digest.hexdigest()) != digest.hexdigest():
                return "was refused, or has changed since it was hashed"
            part.replace(self.folder / digest.hexdigest())
        except OSError as error:
            return f"cannot be kept: {error.strerror}"
        finally:
            part.unlink(missing_ok=True)
        offer.files[path], offer.sizes[path] = digest.hexdigest(), size
        return None

    def _write(self, offer: Offer) -> None:
        listed: list[dict[str, Any]] = [
            {"path": path, "sha256": sha256, "size": offer.sizes[path]}
            for path, sha256 in offer.files.items()
        ]
        listed += [{"path": path, "link": target} for path, target in offer.links.items()]
        file = self.folder / LIST
        file.write_text(json.dumps(listed))
        file.chmod(0o444)


def _walk(left: Path, name: str, offer: Offer) -> Iterator[tuple[str, int, os.stat_result]]:
    """Each thing below ``left/name`` that is no directory: path, its open folder, its status."""
    try:
        top = os.open(left, _OPEN | os.O_DIRECTORY)
    except OSError:
        return
    try:
        walk = os.fwalk(
            name, dir_fd=top, onerror=lambda error: offer.without(str(error.filename), "is closed")
        )
        for folder, dirs, files, descriptor in walk:
            if folder.count("/") >= _DEPTH:
                offer.without(folder, "is too deep to be looked into")
                dirs.clear()
                continue
            for each in sorted((*dirs, *files)):
                found = os.stat(each, dir_fd=descriptor, follow_symlinks=False)
                if not stat.S_ISDIR(found.st_mode):
                    yield f"{folder}/{each}", descriptor, found
    except FileNotFoundError:
        pass  # a job may delete what is its own
    except OSError as error:
        offer.without(name, f"cannot be read: {error.strerror}")
    finally:
        os.close(top)


def _refusal(found: os.stat_result, left: int) -> str | None:
    if not stat.S_ISREG(found.st_mode):
        return "is not a plain file"
    if found.st_nlink != 1:
        return "has several hard links"
    if found.st_blocks * 512 < found.st_size // 2:
        return "is sparse"
    return (
        "is larger than the disk limit, with the files before it" if found.st_size > left else None
    )
