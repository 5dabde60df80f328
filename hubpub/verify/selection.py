"""Which entrypoints a run takes: those that patterns name, and of those one shard of several.

A run of a selection is no whole proof. The report keeps every name that could have been run, so
that what is missing can be named, and shards can be joined to one report.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from hubpub.errors import UsageError

_MOST_SHARDS = 10_000
_SHOWN = 8


@dataclass(frozen=True)
class Shard:
    """Part ``number`` of ``count``, from 1 on."""

    number: int
    count: int

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"


@dataclass(frozen=True)
class Selection:
    """What was asked for: shell-style ``patterns`` (none is all), and one ``shard`` of them."""

    patterns: tuple[str, ...] = ()
    shard: Shard | None = None

    def __str__(self) -> str:
        """As on a command line."""
        words = [f"--entrypoint {pattern}" for pattern in self.patterns]
        if self.shard is not None:
            words.append(f"--shard {self.shard}")
        return " ".join(words)

    def matching(self, names: Sequence[str]) -> list[str]:
        """Those of ``names`` that a pattern matches, case and all, in their order.

        Raises:
            UsageError: a pattern matches none; the message names close ones.
        """
        for pattern in self.patterns:
            if names and not any(fnmatchcase(name, pattern) for name in names):
                raise UsageError(
                    f"--entrypoint {pattern} matches none of {len(names)} entrypoints",
                    help=_close(pattern, names),
                )
        if not self.patterns:
            return list(names)
        return [name for name in names if any(fnmatchcase(name, each) for each in self.patterns)]

    def take(self, names: Sequence[str]) -> list[str]:
        """The names to run: of those that match, sorted, every ``count``-th from the shard's own.

        So neighbours (``net18``, ``net34``), which tend to cost alike, are spread, and no shard has
        more than one entrypoint above another.

        Raises:
            UsageError: see :meth:`matching`.
        """
        found = sorted(self.matching(names))
        if self.shard is None:
            return found
        return found[self.shard.number - 1 :: self.shard.count]


def read_shard(text: str) -> Shard:
    """``I/N``, from 1/N to N/N.

    Raises:
        UsageError: anything else.
    """
    found = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text)
    number, count = map(int, found.groups()) if found else (0, 0)
    if not 1 <= number <= count <= _MOST_SHARDS:
        raise UsageError(
            f"--shard {text}: not I/N", help=f"such as 1/4 to 4/4; at most {_MOST_SHARDS} shards"
        )
    return Shard(number, count)


def _close(pattern: str, names: Sequence[str]) -> str:
    """The names that were meant, as far as one can tell; else some of those that there are."""
    folded = {name.casefold(): name for name in names}
    same = [name for low, name in folded.items() if fnmatchcase(low, pattern.casefold())]
    if same:
        return f"case counts: {', '.join(sorted(same)[:_SHOWN])}"
    plain = re.sub(r"[*?\[\]!]", "", pattern).casefold()
    near = [folded[low] for low in difflib.get_close_matches(plain, folded, _SHOWN)]
    near = near or sorted(name for low, name in folded.items() if plain and plain in low)[:_SHOWN]
    if near:
        return f"did you mean {', '.join(near)}?"
    more = f", and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"there are {', '.join(sorted(names)[:_SHOWN])}{more}"
