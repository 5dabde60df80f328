"""Findings as workflow commands, which GitHub Actions shows beside the code of a pull request."""

from __future__ import annotations

from collections.abc import Sequence

from hubpub.diagnostic import FILE_START, Diagnostic, Severity
from hubpub.output.escape import visible
from hubpub.output.run import Run

COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def render(diagnostics: Sequence[Diagnostic], run: Run) -> str:  # noqa: ARG001
    """One command a line: ``::error file=...,line=...,title=...::message``.

    The log shows the message alone, so it repeats the place. Whatever comes from the repository is
    escaped twice: as for a log, and as the runner's own commands escape their values.
    """
    return "".join(f"{_command(item)}\n" for item in diagnostics)


def _command(item: Diagnostic) -> str:
    span, location = item.span, visible(item.location)
    values: dict[str, str | int] = {"file": location, "line": span.line}
    if span != FILE_START:
        values["endLine"] = span.end_line
        if span.end_line == span.line:  # GitHub refuses columns that lie on different lines
            values |= {"col": span.column, "endColumn": span.end_column}
    values["title"] = visible(f"hubpub {item.code} {item.name}")
    shown = ",".join(f"{key}={_value(str(value))}" for key, value in values.items())
    lines = [f"{location}:{span.line}:{span.column}: {visible(item.message)}"]
    for note in item.notes:
        where = f"{visible(item.seen_from_here(note.path))}:{note.span.line}"
        lines.append(f"{where}: {visible(note.message)}")
    lines += [visible(line) for line in f"help: {item.help}".splitlines() if item.help is not None]
    return f"::{COMMANDS[item.severity]} {shown}::{'%0A'.join(map(_data, lines))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _value(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
