"""Errors a user can act on. Each class knows its exit code; only ``hubpub.cli`` prints them.

Exit codes: 0 clean, 1 findings, 2 usage or configuration, 3 a defect of hubpub itself, 4 verify
could not run, 130 interrupted.
"""

from __future__ import annotations


class HubpubError(Exception):
    """An expected failure.

    Args:
        message: what went wrong and where, one sentence without a trailing full stop.
        help: what to do next; may span lines.
    """

    exit_code = 3

    def __init__(self, message: str, *, help: str | None = None) -> None:  # noqa: A002
        super().__init__(message)
        self.message = message
        self.help = help


class UsageError(HubpubError):
    """The command line asks for something that cannot be done (exit 2)."""

    exit_code = 2


class ConfigError(HubpubError):
    """``[tool.hubpub]`` or ``hubpub.toml`` cannot be read or is not valid (exit 2)."""

    exit_code = 2


class CannotVerifyError(HubpubError):
    """Nothing could be proven: no sandbox, no such ref, no network, git failed (exit 4)."""

    exit_code = 4
