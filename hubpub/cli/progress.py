"""How a run is watched: a live table on a terminal, plain lines in a log. Always on stderr."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import click

from hubpub.output.escape import visible
from hubpub.output.report_text import size

if TYPE_CHECKING:
    from hubpub.verify.events import Event

_STEPS = {"fetched", "sandbox", "device", "listed", "selected", "resumed", "waiting"}


@contextlib.contextmanager
def watch(target: str) -> Iterator[Callable[[Event], None]]:
    """A function to call with each event, for as long as the run takes."""
    if sys.stderr is not None and sys.stderr.isatty():
        with _live(target) as say:
            yield say
    else:
        yield _say_line


def _say_line(event: Event) -> None:
    """One line a step; nothing while a job runs, so that logs stay short."""
    if event.kind in _STEPS:
        click.echo(f"{event.kind}: {visible(event.text)}", err=True)
    elif event.kind == "ended":
        click.echo(f"{visible(event.entrypoint)} ({event.text}): {outcome(event)}", err=True)


def outcome(event: Event) -> str:
    """What came of a job, in a few words."""
    result = event.result
    if result is None:
        return ""
    loads = result.axes["loads"]
    if result.facts is None or loads.status != "pass":
        return visible(f"{loads.status}: {loads.reason}")
    return f"loads in {result.facts.wall_s:.2f} s"


@contextlib.contextmanager
def _live(target: str) -> Iterator[Callable[[Event], None]]:
    """A table that grows by one row a job, the running one last with its time and bytes."""
    from rich.console import Console
    from rich.live import Live
    from rich.table import Table
    from rich.text import Text

    done: list[tuple[str, str, str]] = []
    steps: list[str] = []
    running: dict[tuple[str, str], float] = {}
    received = 0

    def table() -> Table:
        grid = Table(title=Text(visible(target)), title_justify="left", box=None)
        for heading in ("entrypoint", "case", "result"):
            grid.add_column(heading)
        for name, case, text in done[-20:]:
            style = "green" if text.startswith("loads") else "red" if "fail" in text[:4] else "dim"
            grid.add_row(Text(name), Text(case), Text(text, style=style))
        for (name, case), since in running.items():
            text = f"{time.monotonic() - since:.0f} s"
            grid.add_row(Text(name), Text(case), Text(text, style="cyan"))
        fetched = [f"{size(received)} received"] if received else []
        grid.caption = Text("; ".join([*steps, *fetched]), style="dim")
        return grid

    with Live(console=Console(stderr=True), refresh_per_second=8, transient=True) as live:

        def say(event: Event) -> None:
            nonlocal received
            job = (visible(event.entrypoint), event.text)
            if event.kind == "started":
                running[job] = time.monotonic()
            elif event.kind == "tick":
                received = event.received
            elif event.kind == "ended":
                done.append((*job, outcome(event)))
                running.pop(job, None)
            else:
                steps.append(visible(event.text))
            live.update(table())

        yield say
