"""Files of which some are not what the disk holds: an editor's text, or what a fix would make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hubpub.source.files import Files
from hubpub.source.text import Unreadable


@dataclass
class Overlaid(Files):
    """Files below ``root``, except that ``over`` maps some paths to other bytes.

    A path of ``over`` is a regular file, whether or not the disk has one there.
    """

    over: Mapping[str, bytes] = field(default_factory=dict)

    def data(self, path: str, limit: int) -> bytes | Unreadable:
        """See :meth:`Files.data`."""
        data = self.over.get(path)
        if data is None:
            return super().data(path, limit)
        return data if len(data) <= limit else Unreadable(f"it is larger than {limit >> 20} MiB")

    def listing(self, directory: str) -> frozenset[str]:
        """See :meth:`Files.listing`."""
        below = f"{directory}/" if directory else ""
        own = {path[len(below) :].partition("/")[0] for path in self.over if path.startswith(below)}
        return super().listing(directory) | own

    def is_file(self, path: str) -> bool:
        """See :meth:`Files.is_file`."""
        return path in self.over or super().is_file(path)

    def is_directory(self, path: str) -> bool:
        """See :meth:`Files.is_directory`."""
        return any(item.startswith(f"{path}/") for item in self.over) or super().is_directory(path)

    def walk(self) -> tuple[str, ...]:
        """See :meth:`Files.walk`."""
        found = super().walk()
        known = set(found)
        return (*found, *sorted(path for path in self.over if path not in known))

    def size(self, path: str) -> int | None:
        """See :meth:`Files.size`."""
        return len(self.over[path]) if path in self.over else super().size(path)
