"""``--output-format NAME[:FILE]``, colour, and files that are written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO, Any

from hubpub.errors import UsageError

Target = tuple[str, "Path | None"]
"""A format, and the file that it goes to; None is stdout."""


def targets(formats: tuple[str, ...], known: tuple[str, ...]) -> list[Target]:
    """What each ``NAME[:FILE]`` asks for, judged before anything runs.

    Args:
        formats: the values of ``--output-format``; the first of ``known`` when there is none.
        known: the names of the formats.

    Raises:
        UsageError: no such format, no such folder, or two formats for stdout.
    """
    found: list[Target] = []
    for text in formats or known[:1]:
        name, colon, file = text.partition(":")
        if name not in known or (colon and not file):
            raise UsageError(
                f"no such output format: {text!r}", help=f"one of {', '.join(known)}, or NAME:FILE"
            )
        path = Path(file) if file else None
        if path is not None and not path.absolute().parent.is_dir():
            raise UsageError(f"--output-format {text}: no directory {path.absolute().parent}")
        found.append((name, path))
    if sum(path is None for _, path in found) > 1:
        raise UsageError("only one output format can go to stdout", help="name a file: json:FILE")
    return found


def use_color(stream: IO[Any]) -> bool:
    """NO_COLOR beats FORCE_COLOR beats whether ``stream`` is a terminal."""
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or stream.isatty()


def write_file(path: Path, text: str) -> None:
    """Write a report under a temporary name, then rename: never half of one.

    Raises:
        UsageError: it cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error
