"""Sizes as people write them."""

from __future__ import annotations

import re

MOST = 1 << 60
"""More bytes than there are."""


def size(text: str | int) -> int:
    """Bytes, or KiB, MiB, GiB: ``512MiB``. Raises ValueError for anything else."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(?:([KMGT])i?B?|B|)\s*", str(text), re.IGNORECASE)
    if not found:
        raise ValueError(f"{text!r} is no size; write 512MiB or 2GiB")
    power = " KMGT".index((found.group(2) or " ").upper())
    return int(min(float(found.group(1)) * 1024**power, MOST))
