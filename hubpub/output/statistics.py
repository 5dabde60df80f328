"""``hubpub check --statistics``: how often each rule speaks, instead of what it says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hubpub.diagnostic import Diagnostic, Severity
from hubpub.output.json import VERSION, dumps
from hubpub.output.run import Run
from hubpub.output.style import COLORS, paint

MODES = {"full": "text", "concise": "text", "json": "json"}
"""The formats of check that a count can stand for -> the form it then has."""


@dataclass(frozen=True)
class Count:
    """The findings of one rule: how many, the worst severity, and how many have which fix."""

    code: str
    name: str
    severity: Severity
    count: int
    safe: int
    unsafe: int


def counted(diagnostics: Sequence[Diagnostic]) -> list[Count]:
    """A count for each rule, the most frequent first."""
    found: dict[str, list[Diagnostic]] = {}
    for item in diagnostics:
        found.setdefault(item.code, []).append(item)
    counts = [
        Count(
            code,
            items[0].name,
            max(item.severity for item in items),
            len(items),
            sum(item.fix is not None and item.fix.safe for item in items),
            sum(item.fix is not None and not item.fix.safe for item in items),
        )
        for code, items in found.items()
    ]
    return sorted(counts, key=lambda item: (-item.count, item.code))


def render(name: str, diagnostics: Sequence[Diagnostic], run: Run) -> str:
    """The counts for the format ``name``, one of :data:`MODES`."""
    counts = counted(diagnostics)
    return _json(counts) if MODES[name] == "json" else _text(counts, run)


def _text(counts: Sequence[Count], run: Run) -> str:
    """A table; ``[*]`` where --fix mends some, ``[-]`` where only --unsafe-fixes does."""
    wide = max((len(str(item.count)) for item in counts), default=0)
    lines = [
        f"{item.count:>{wide}}  {item.code}  "
        f"{paint(item.severity.label.ljust(7), COLORS[item.severity], color=run.color)}  "
        f"{_marker(item)} {item.name}"
        for item in counts
    ]
    if any(item.safe for item in counts):
        lines.append("[*] can be mended with --fix")
    if any(item.unsafe and not item.safe for item in counts):
        lines.append("[-] can be mended with --unsafe-fixes")
    return "".join(f"{line}\n" for line in lines)


def _marker(item: Count) -> str:
    return "[*]" if item.safe else "[-]" if item.unsafe else "   "


def _json(counts: Sequence[Count]) -> str:
    return dumps(
        {
            "version": VERSION,
            "statistics": [
                {
                    "code": item.code,
                    "name": item.name,
                    "severity": item.severity.label,
                    "count": item.count,
                    "safe_fixes": item.safe,
                    "unsafe_fixes": item.unsafe,
                }
                for item in counts
            ],
        }
    )
