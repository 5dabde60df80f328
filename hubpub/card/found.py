"""What a rule of cards finds, before it is a diagnostic."""

from __future__ import annotations

from dataclasses import dataclass

from hubpub.diagnostic import Span


@dataclass(frozen=True)
class Found:
    """A rule that does not hold at a place; ``help`` where there is better than the rule's own."""

    code: str
    at: Span
    message: str
    help: str | None = None
