"""What ends a run in its middle, and what the report of it says."""

from __future__ import annotations

import errno

import pytest

from hubpub.errors import CannotVerifyError
from hubpub.verify.report import Environment, Reference, Report, SandboxReport
from hubpub.verify.stopping import interrupted

PART = Report(
    status="fail",
    reference=Reference("octo", "net", "v1.0", "tag", "v1.0"),
    environment=Environment("0", "3", "2", "x", ("cpu",)),
    sandbox=SandboxReport("bwrap", {}),
)


@pytest.mark.parametrize(
    ("error", "kind", "message", "advice"),
    [
        (OSError(errno.ENOSPC, "No space left"), CannotVerifyError, "No space left", "free some"),
        (OSError(errno.EMFILE, "Too many"), CannotVerifyError, "Too many", "ulimit -n"),
        (OSError(errno.ENOENT, "secret"), OSError, "hubpub itself failed: File", "report this"),
        (CannotVerifyError("no way", help="a\nb"), CannotVerifyError, "no way", "a\nb\nthen"),
        (CannotVerifyError("no way"), CannotVerifyError, "no way", "--resume FILE"),
        (KeyError("x"), KeyError, "hubpub itself failed: KeyError", "report this"),
    ],
)
def test_an_error_is_named_and_keeps_its_kind(
    error: Exception, kind: type[Exception], message: str, advice: str
) -> None:
    found = interrupted(PART, error)
    assert isinstance(found.ended, kind)
    assert found.report.status == "interrupted"
    (finding,) = found.report.findings
    assert (finding.name, finding.severity) == ("stopped", "error")
    assert message in finding.message
    assert advice in str(finding.help)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(143)])
def test_a_signal_needs_no_finding(error: BaseException) -> None:
    found = interrupted(PART, error)
    assert (found.ended, found.report.status, found.report.findings) == (error, "interrupted", ())
