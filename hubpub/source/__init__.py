"""Reading: a repository's bytes become facts. The only room that parses, and it runs nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hubpub.source.facts import Repo
from hubpub.source.files import Files

if TYPE_CHECKING:
    from hubpub.source.cache import Cache


def read(root: Path, cache: Cache | None = None) -> Repo:
    """Read the repository at ``root``: whatever it holds, this never raises.

    ``root`` is the directory that holds hubconf.py. What torch.hub would show follows
    ``torch.hub._import_module``, ``_load_entry_from_hubconf`` and ``list``; nothing of the
    repository is executed. With a ``cache`` the parsers are imported only where what was read has
    changed since it was kept.
    """
    if cache is None:
        return read_files(Files(root))
    found = cache.load(root)
    if found is not None:
        return found
    from hubpub.source.cache import Observed

    files = Observed(root)
    repo = read_files(files)
    cache.store(root, repo, files)
    return repo


def read_files(files: Files) -> Repo:
    """Read a repository through ``files``, which may hold other texts than the disk does."""
    from hubpub.source import repository

    return repository.read(files)
