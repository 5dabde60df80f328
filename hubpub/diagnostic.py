"""What a rule says: frozen values that every room may use, and nothing else."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field


class Severity(enum.IntEnum):
    """How much a finding hurts; ordered, so that ``--fail-on`` is a comparison."""

    NOTE = 1
    """A convention."""
    WARNING = 2
    """It fails for some users, or is unsafe."""
    ERROR = 3
    """A documented load fails, or is silently wrong, for everyone."""

    @property
    def label(self) -> str:
        """The word used in output and configuration: ``note``, ``warning`` or ``error``."""
        return self.name.lower()

    @classmethod
    def from_label(cls, label: str) -> Severity:
        """The severity called ``label``; raises ``KeyError`` for any other word."""
        return cls[label.upper()]


@dataclass(frozen=True, order=True)
class Span:
    """A stretch of text. Lines and columns are 1-based; columns count characters, not bytes.

    ``end_column`` is the column after the last character, so an empty span has both ends equal.
    """

    line: int
    column: int
    end_line: int
    end_column: int


FILE_START = Span(1, 1, 1, 1)
"""The span of a finding about a whole file, or about a file that is not there."""


@dataclass(frozen=True)
class Edit:
    """Replace the text at ``span`` in ``path`` by ``text``; an empty span inserts."""

    path: str
    span: Span
    text: str


@dataclass(frozen=True)
class Fix:
    """Edits that mend a finding together. ``safe``: what users can call stays the same."""

    title: str
    safe: bool
    edits: tuple[Edit, ...]


@dataclass(frozen=True)
class Note:
    """Another place that explains a finding."""

    path: str
    span: Span
    message: str


@dataclass(frozen=True, order=True)
class Diagnostic:
    """One finding. Ordered by path, line, column, code.

    ``path`` is relative to the repository root, with forward slashes. ``root`` is the way from the
    current directory to that root, empty where they are the same: people and CI want paths from
    where they stand, :attr:`location` and :meth:`seen_from_here`; the JSON contract wants ``path``.
    """

    path: str
    span: Span
    code: str
    name: str = field(compare=False)
    severity: Severity = field(compare=False)
    message: str = field(compare=True)
    help: str | None = field(default=None, compare=False)
    notes: tuple[Note, ...] = field(default=(), compare=False)
    fix: Fix | None = field(default=None, compare=False)
    root: str = ""

    @property
    def location(self) -> str:
        """The path of the finding from the current directory."""
        return self.seen_from_here(self.path)

    def seen_from_here(self, path: str) -> str:
        """A path of the finding's repository (its own, or a note's) from the current directory."""
        return f"{self.root}/{path}" if self.root else path
