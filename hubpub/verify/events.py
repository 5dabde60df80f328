"""The steps of a run, for whoever watches it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hubpub.verify.report import Result


@dataclass(frozen=True)
class Event:
    """Progress.

    ``kind``: fetched, sandbox, device, listed, selected, resumed, started, tick, waiting, ended.

    ``received``: bytes that the jobs that run now have received, of a tick.
    """

    kind: str
    text: str = ""
    entrypoint: str = ""
    result: Result | None = None
    received: int = 0


Say = Callable[[Event], None]


def silence(event: Event) -> None:
    """For a caller who only wants the report."""
