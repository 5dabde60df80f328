"""What ends a run in its middle, and what its report says of that."""

from __future__ import annotations

import errno
from dataclasses import replace

from hubpub.errors import CannotVerifyError, HubpubError
from hubpub.verify.report import Finding, Report

STOPPED = "stopped"
"""The name of the finding that says why a run could not go on."""
_SCARCE = {
    errno.ENOSPC: "free some disk",
    errno.EDQUOT: "free some disk",
    errno.EIO: "look at the disk",
    errno.ENOMEM: "free some memory",
    errno.EMFILE: "raise the number of open files (ulimit -n)",
    errno.ENFILE: "close programs that hold many files open",
    errno.EAGAIN: "raise the number of processes (ulimit -u)",
}
"""What this machine can run out of, and what helps."""
_RESUME = (
    "then go on from this report: the same command with --resume FILE, if it was saved as JSON"
)


class InterruptedRun(BaseException):
    """Something ended the run, as ``ended`` says; ``report`` has what was proven before that."""

    def __init__(self, report: Report, ended: BaseException) -> None:
        super().__init__()
        self.report, self.ended = report, ended


def interrupted(part: Report, error: BaseException) -> InterruptedRun:
    """``part`` marked interrupted. What was no signal is named in a finding.

    A machine that runs out of something is an error that a user can act on; any other exception is
    a defect of hubpub, which stays one.
    """
    ended = _named(error)
    if isinstance(ended, Exception):
        part = replace(part, findings=(*part.findings, _finding(ended)))
    return InterruptedRun(replace(part, status="interrupted"), ended)


def _named(error: BaseException) -> BaseException:
    if not isinstance(error, OSError) or error.errno not in _SCARCE:
        return error
    said = f"the run could not go on: {error.strerror}"
    named = CannotVerifyError(said, help=_SCARCE[error.errno])
    named.__cause__ = error
    return named


def _finding(error: Exception) -> Finding:
    if isinstance(error, HubpubError):
        said, advice = error.message, f"{error.help}\n{_RESUME}" if error.help else _RESUME
    else:
        said, advice = f"hubpub itself failed: {type(error).__name__}", "please report this"
    return Finding("verify", STOPPED, "error", f"the run ended before its end: {said}", help=advice)
