"""One defect, one finding: the places of one message in one file belong together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hubpub.diagnostic import Diagnostic, Fix, Note, Severity


@dataclass(frozen=True)
class Group:
    """Findings of one file that say the same; never empty, in the order in which they came."""

    items: tuple[Diagnostic, ...]

    @property
    def first(self) -> Diagnostic:
        """The one that speaks for all."""
        return self.items[0]

    @property
    def places(self) -> tuple[tuple[int, int], ...]:
        """Line and column of each, without repetition."""
        return tuple(dict.fromkeys((item.span.line, item.span.column) for item in self.items))

    @property
    def notes(self) -> tuple[Note, ...]:
        """The notes of all, without repetition."""
        return tuple(dict.fromkeys(note for item in self.items for note in item.notes))

    def fixes(self, *, safe: bool) -> tuple[Fix, ...]:
        """The fixes that are safe, or those that are not; one for each finding that has one."""
        return tuple(
            item.fix for item in self.items if item.fix is not None and item.fix.safe is safe
        )


def grouped(diagnostics: Sequence[Diagnostic]) -> list[Group]:
    """The findings in groups, each where its first one stands."""
    groups: dict[tuple[object, ...], list[Diagnostic]] = {}
    for item in diagnostics:
        key = (item.root, item.path, item.code, item.severity, item.message, item.help)
        groups.setdefault(key, []).append(item)
    return [Group(tuple(items)) for items in groups.values()]


def tally(diagnostics: Sequence[Diagnostic]) -> str:
    """How many of which severity, as in ``1 error, 2 warnings``; empty without findings."""
    return ", ".join(
        f"{count} {severity.label}{'s' if count != 1 else ''}"
        for severity in sorted(Severity, reverse=True)
        if (count := sum(item.severity is severity for item in diagnostics))
    )
