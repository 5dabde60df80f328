"""What a renderer is told besides the findings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hubpub import __version__
from hubpub.diagnostic import Severity
from hubpub.output.links import rule_url

if TYPE_CHECKING:
    from hubpub.output.rule import Described


def _no_line(path: str, number: int) -> str:  # noqa: ARG001
    return ""


@dataclass(frozen=True)
class Run:
    """One run of check, as far as a report needs to know it.

    A location is a path from the current directory: :attr:`hubpub.diagnostic.Diagnostic.location`.

    Args:
        line: gives a line (of a location, 1-based) without its end; empty past the end.
        color: whether ANSI colours are wanted.
        rules: code -> rule, at least for every code among the findings; other codes are shown
            without explanation.
        roots: every repository that was checked, as :attr:`hubpub.diagnostic.Diagnostic.root`.
        fail_on: the least severity that makes the run a failure.
        files_url: the URL of the current directory's files at the commit that was checked, without
            a slash at its end; empty where it is not known.
        version: hubpub's.
        rule_url: gives the page that explains a rule, of its code and name; empty without one.
    """

    line: Callable[[str, int], str] = _no_line
    color: bool = False
    rules: Mapping[str, Described] = field(default_factory=dict)
    roots: tuple[str, ...] = ("",)
    fail_on: Severity = Severity.WARNING
    files_url: str = ""
    version: str = __version__
    rule_url: Callable[[str, str], str] = rule_url
