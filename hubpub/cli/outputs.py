"""``--output-format NAME[:FILE]``, colour, and files that are written whole or not at all."""

from __future__ import annotations

import os
import re
import sys
import tempfile
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
        if path is not None and path.is_dir():
            raise UsageError(f"--output-format {text}: {path} is a directory")
        found.append((name, path))
    if sum(path is None for _, path in found) > 1:
        raise UsageError("only one output format can go to stdout", help="name a file: json:FILE")
    return found


def use_color(stream: IO[Any] | None, choice: str = "auto") -> bool:
    """Whether to write colours to ``stream`` (None: it is closed).

    A ``choice`` of ``always`` or ``never`` beats the environment; else NO_COLOR beats FORCE_COLOR
    beats whether the stream is a terminal that can show colours.
    """
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"


def files_url(here: Path) -> str:
    """Where the files of the directory ``here`` are shown on the web, in a job of GitHub Actions.

    Empty elsewhere, and where the variables that GitHub sets do not have the form they have there.
    """
    variables = ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_SHA", "GITHUB_WORKSPACE")
    server, repository, commit, workspace = (os.environ.get(name, "") for name in variables)
    if not (
        re.fullmatch(r"https://[\w.:-]+", server)
        and re.fullmatch(r"[\w.-]+/[\w.-]+", repository)
        and re.fullmatch(r"[0-9a-f]{40,64}", commit)
        and Path(workspace).is_absolute()
    ):
        return ""
    from hubpub.output.links import encoded

    try:
        below = here.resolve().relative_to(Path(workspace).resolve()).as_posix()
    except ValueError:
        return ""
    folder = "" if below == "." else f"/{encoded(below)}"
    return f"{server}/{repository}/blob/{commit}{folder}"


def write_file(path: Path, text: str) -> None:
    """Write a report under a temporary name, then rename: never half of one.

    What is no plain file (a pipe, /dev/null) is written to, and a link stays one.

    Raises:
        UsageError: it cannot be written.
    """
    data = text.encode("utf-8", "backslashreplace")
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(data)
        else:
            _rename_over(path.resolve(), data)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error


def _rename_over(path: Path, data: bytes) -> None:
    descriptor, name = tempfile.mkstemp(prefix=".hubpub-", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_report(document: dict[str, Any], name: str, path: Path | None) -> None:
    """Write a verification report in the format ``name`` to a file, or to stdout."""
    from hubpub.output import reports

    _write(reports.render(name, document, color=path is None and use_color(sys.stdout)), path)


def write_comparison(document: dict[str, Any], name: str, path: Path | None) -> None:
    """Write a comparison of two reports in the format ``name`` to a file, or to stdout."""
    from hubpub.output import comparisons

    _write(comparisons.render(name, document, color=path is None and use_color(sys.stdout)), path)


def _write(text: str, path: Path | None) -> None:
    import click

    if path is None:
        # click would take the colours out again where stdout is no terminal.
        click.echo(text, nl=False, color=True)
    else:
        write_file(path, text)
