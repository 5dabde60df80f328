"""Which axes decide a run, and which are left out: ``--require`` and ``--skip``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hubpub.errors import UsageError
from hubpub.verify.axes import Verdict
from hubpub.verify.report import AXES, REQUIRED, Finding

_NOT_SKIPPED = "loads"
_OF_THE_RUN = frozenset({"cannot-list", "no-entrypoints", "too-many-entrypoints"})
"""Findings without which there is nothing to verify, whatever is left out."""


@dataclass(frozen=True)
class Demands:
    """``require``: axes that decide beside :data:`REQUIRED`. ``skip``: axes that are not asked."""

    require: frozenset[str] = frozenset()
    skip: frozenset[str] = frozenset()

    def check(self) -> None:
        """Raise :class:`UsageError` where they contradict themselves, or name no axis."""
        for axis in sorted((self.require | self.skip).difference(AXES)):
            raise UsageError(f"there is no axis {axis}", help=f"the axes are {', '.join(AXES)}")
        for axis in sorted(self.require & self.skip):
            raise UsageError(f"--require {axis} and --skip {axis} contradict each other")
        if _NOT_SKIPPED in self.skip:
            raise UsageError(
                f"--skip {_NOT_SKIPPED}: without it nothing is proven",
                help="to leave out an entrypoint, give it a skip in [tool.hubpub.verify]",
            )

    @property
    def required(self) -> frozenset[str]:
        """The axes that fail the run when they fail."""
        return (REQUIRED | self.require) - self.skip

    def apply(self, verdicts: Mapping[str, Verdict]) -> dict[str, Verdict]:
        """``verdicts``, where each axis that is left out says so."""
        return {
            axis: Verdict("skipped", f"left out with --skip {axis}") if axis in self.skip else found
            for axis, found in verdicts.items()
        }

    def keep(self, found: Iterable[Finding]) -> list[Finding]:
        """``found`` without those of axes that are left out."""
        return [item for item in found if item.axis not in self.skip or item.name in _OF_THE_RUN]
