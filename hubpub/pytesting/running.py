"""One run of verify for all tests of a session, whichever process of pytest-xdist comes first."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hubpub import signals
from hubpub.errors import CannotVerifyError
from hubpub.pytesting.asked import Asked
from hubpub.pytesting.child import PROGRAM

_GRACE_S = 60.0
"""Seconds in which a run that is ended takes its sandboxes and files away."""
_TAIL = 4000
_REPORT, _ENDED, _SAID, _LOCK = "report.json", "ended", "stderr.txt", "lock"


@dataclass(frozen=True)
class Running:
    """The run. ``folder`` is shared by all processes of the session, and taken away after it."""

    asked: Asked
    folder: Path

    def report(self, entrypoints: Sequence[str] | None) -> Mapping[str, Any]:
        """The report of the one run, which begins now where nobody has begun it.

        Args:
            entrypoints: the names to run; None for all that ``torch.hub.list`` shows.

        Raises:
            CannotVerifyError: there is none, with what to do.
        """
        with _locked(self.folder / _LOCK):
            if not (self.folder / _ENDED).exists():
                try:
                    self._run(self._command(entrypoints))
                finally:
                    # What ended it from outside would end it again, in the next process.
                    (self.folder / _ENDED).touch()
        return self._read()

    def _command(self, entrypoints: Sequence[str] | None) -> list[str]:
        patterns = [] if entrypoints is None else [_exactly(name) for name in entrypoints]
        return [
            "verify",
            str(self.asked.root.absolute()),
            *([] if self.asked.committed else ["--working-tree"]),
            *self.asked.args,
            *(word for pattern in patterns for word in ("--entrypoint", pattern)),
            "--output-format",
            f"json:{self.folder / _REPORT}",
        ]

    def _run(self, arguments: Sequence[str]) -> None:
        """Wait for its end; whatever ends the wait ends the run, and its sandboxes with it."""
        with (self.folder / _SAID).open("wb") as said:
            child = subprocess.Popen(
                [sys.executable, "-c", PROGRAM, str(os.getpid()), *arguments],
                cwd=self.asked.root,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=said,
            )
            try:
                child.wait()
            except BaseException:
                with signals.held():
                    child.terminate()
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        child.wait(_GRACE_S)
                    if child.poll() is None:
                        child.kill()
                        child.wait()
                raise

    def _read(self) -> Mapping[str, Any]:
        from hubpub.verify import report

        file = self.folder / _REPORT
        if not file.exists():
            message, advice = self._said()
            raise CannotVerifyError(f"hubpub verify did not run: {message}", help=advice)
        found = report.read(file)
        if found["status"] == "error" and not found["entrypoints"]:
            said = next((item for item in found["findings"] if item["code"] == "verify"), None)
            if said is not None:
                message = f"nothing could be proven: {said['message']}"
                raise CannotVerifyError(message, help=said["help"])
        return found

    def _said(self) -> tuple[str, str | None]:
        """What the run said last: its error, with the advice below it."""
        text = (self.folder / _SAID).read_text(encoding="utf-8", errors="replace")[-_TAIL:]
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        begins = [number for number, line in enumerate(lines) if line.startswith("error: ")]
        if not begins:
            return "it said nothing that is an error", "\n".join(lines[-20:]) or None
        message, *rest = lines[begins[-1] :]
        advice = "\n".join(line.removeprefix("help: ") for line in rest)
        return message.removeprefix("error: "), advice or None


def _exactly(name: str) -> str:
    """The pattern that matches this name and no other."""
    return "".join(f"[{char}]" if char in "*?[" else char for char in name)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Alone among the processes of the session; one that dies lets go."""
    try:
        import fcntl
    except ImportError:  # not a system on which verify runs: it says so itself
        yield
        return
    with path.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
