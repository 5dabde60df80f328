"""What a step says to GitHub's runner: lines of the log, outputs, the job's summary.

The files and commands are those of
https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path

MOST_SUMMARY_BYTES = 1024 * 1024
"""What GitHub takes of one step; of more it shows nothing."""
_MOST_SHOWN = 200


def quoted(text: str) -> str:
    """``text`` of an input as one short line of ASCII that the runner takes for no command."""
    cut = text if len(text) <= _MOST_SHOWN else text[:_MOST_SHOWN] + "..."
    return ascii(cut).replace("##[", "# #[")


def say(text: str) -> None:
    """A line of the log, at once, so that it stands before what a program says after it."""
    print(text, flush=True)


@contextlib.contextmanager
def group(title: str) -> Iterator[None]:
    """What is said within folds under ``title`` in the log."""
    say(f"::group::{_data(title)}")
    try:
        yield
    finally:
        say("::endgroup::")


def notice(message: str) -> None:
    """Say what was done, on the page of the run too."""
    say(f"::notice title=hubpub::{_data(message)}")


def error(message: str) -> None:
    """Say what is wrong and what to do, on the page of the run too."""
    say(f"::error title=hubpub::{_data(message)}")


def outputs(**values: str) -> None:
    """Set outputs of the step: ``exit_code`` is called exit-code. A later value wins.

    Each stands between two lines of a random word, so that no value can end it and add another.
    """
    file = os.environ.get("GITHUB_OUTPUT")
    if file is None:
        return
    lines = []
    for name, value in values.items():
        word = f"hubpub-{secrets.token_hex(16)}"
        lines.append(f"{name.replace('_', '-')}<<{word}\n{value}\n{word}\n")
    _append(file, "".join(lines))


def summary(text: str) -> None:
    """Add to the step's part of the job's summary, or say there that it is too long."""
    file = os.environ.get("GITHUB_STEP_SUMMARY")
    if file is None:
        return
    taken = Path(file).stat().st_size if Path(file).exists() else 0
    if taken + len(text.encode()) > MOST_SUMMARY_BYTES:
        text = "hubpub: the summary is longer than GitHub shows; the report holds all of it.\n"
    _append(file, text)


def _append(file: str, text: str) -> None:
    with Path(file).open("a", encoding="utf-8", newline="") as stream:
        stream.write(text)


def _data(message: str) -> str:
    """Escape as the runner unescapes; a message of several lines stays one command."""
    return message.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def environment() -> dict[str, str]:
    """The job's variables, without those that would let the checkout lend modules to Python."""
    left_out = ("PYTHONPATH", "PYTHONHOME")
    return {name: value for name, value in os.environ.items() if name not in left_out}


def flush() -> None:
    """Write out what was said, before another program writes to the same log."""
    sys.stdout.flush()
