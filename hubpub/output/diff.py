"""A unified diff on a terminal: escaped line by line, so that it can still be applied as text."""

from __future__ import annotations

from hubpub.output.escape import visible


def render(diff: str) -> str:
    """``diff`` with control characters spelled out; a diff without any stays as it is."""
    return "".join(
        f"{visible(line) if _hostile(line) else line}\n" for line in diff.split("\n")[:-1]
    )


def _hostile(line: str) -> bool:
    return visible(line.removesuffix("\r")) != line.removesuffix("\r")
