"""What a run has beside the network to answer its jobs with."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from hubpub.verify.egress.kept import Kept
from hubpub.verify.egress.supplied import Supplied

_PART_OF_DISK = 4
"""No more than one part in so many of what is free: jobs need the rest."""


@dataclass(frozen=True)
class Stock:
    """``kept``: what servers answered before, for all lanes; ``supplied``: by the caller."""

    kept: Kept | None = None
    supplied: Supplied | None = None

    @staticmethod
    def of_run(folder: Path, most_bytes: int, supplied: Path | None) -> Stock:
        """A stock for all lanes of one run.

        Args:
            folder: of the run, which jobs cannot list; what is kept lies below it.
            most_bytes: of all that is kept.
            supplied: the caller's directory, which has been checked.
        """
        most = min(most_bytes, shutil.disk_usage(folder).free // _PART_OF_DISK)
        kept = Kept(folder / "kept", most)
        return Stock(kept, None if supplied is None else Supplied(supplied))
