"""Run hubpub, and say what came of it: outputs, the job's summary, the step's exit status.

Run by the Python of hubpub's own environment, with the standard library alone.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from types import FrameType

import inputs
import workflow

STATUS = {0: "pass", 1: "fail", 129: "interrupted", 130: "interrupted", 143: "interrupted"}
"""hubpub's exit code -> the output ``status``; any other is an error."""
ADVICE = {
    2: "an input, an argument or the repository's settings cannot be used: the log of this step "
    "names which, and what can",
    3: "a defect of hubpub: please report it with the log of this step at "
    "https://github.com/hubpub/hubpub/issues",
    4: "nothing could be proven: the log of this step says why (no such ref, no network, no "
    "sandbox) and what to do; docs/action.md of hubpub has the usual reasons",
}
_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
_FOUND_NOTHING_OR_SOMETHING = (0, 1, 4)


def main() -> int:
    """Run, and return the exit status of the step."""
    try:
        wanted = inputs.read(os.environ)
    except inputs.WrongInputError as error:
        workflow.error(str(error))
        workflow.outputs(exit_code="2", status="error")
        return 2
    folder = Path(tempfile.mkdtemp(prefix="hubpub-", dir=os.environ["RUNNER_TEMP"]))
    # For a job that is killed before hubpub could say more.
    workflow.outputs(exit_code="130", status="interrupted")
    code = _run([sys.executable, "-I", "-m", "hubpub", *wanted.arguments(folder)])
    reports = {name: folder / file for name, file in inputs.REPORTS.items()}
    if code == 0 and not reports["json"].is_file():
        # `--help` and the like end well, and have judged nothing.
        code = 2
    astray = _astray(wanted, reports["json"]) if code == 0 else None
    if astray is not None:
        code = 4
        workflow.summary(f"**{astray}.**\n\n")
    status = STATUS.get(code, "error")
    workflow.outputs(
        report=_existing(reports["json"]),
        sarif=_existing(reports["sarif"]),
        exit_code=str(code),
        status=status,
    )
    workflow.say(f"hubpub {wanted.command}: {status}, exit code {code}")
    _summarize(wanted.command, code, reports["markdown"])
    if astray is not None:
        workflow.error(f"hubpub {wanted.command}, exit code {code}: {astray}")
    elif code in ADVICE:
        workflow.error(f"hubpub {wanted.command}, exit code {code}: {ADVICE[code]}")
    if wanted.fail_on == "never" and code in _FOUND_NOTHING_OR_SOMETHING:
        if code != 0:
            workflow.notice(f"status {status}, exit code {code}; fail-on is never, the step passes")
        return 0
    return code


def _run(command: list[str]) -> int:
    """Run to its end, handing on what a cancelled job sends; the exit code as a shell has it."""
    earlier: list[int] = []
    process: subprocess.Popen[bytes] | None = None

    def hand_on(number: int, _: FrameType | None) -> None:
        if process is None:
            earlier.append(number)
        else:
            process.send_signal(number)

    for name in _SIGNALS:
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), hand_on)
    workflow.flush()
    process = subprocess.Popen(command, env=_environment(), stdin=subprocess.DEVNULL)
    for number in earlier:
        process.send_signal(number)
    code = process.wait()
    return code if code >= 0 else 128 - code


def _astray(wanted: inputs.Inputs, report: Path) -> str | None:
    """Where the tag of this run was to be proven, and something else was: what that was.

    A tag can be moved after its push, and of a branch and a tag of one name torch.hub takes the
    branch. What a job makes of a proof here, such as a release, is for the commit of the push.
    """
    commit = os.environ.get("GITHUB_SHA", "")
    if wanted.command != "verify" or wanted.reference != inputs.own_tag(os.environ) or not commit:
        return None
    found = str(json.loads(report.read_text(encoding="utf-8"))["commit"])
    if found == commit:
        return None
    proven = found if re.fullmatch(r"[0-9a-f]{40,64}", found) else "that its report names"
    return (
        f"The commit {proven} was proven, and this run is of {commit}: the tag was moved, or a"
        " branch has its name, which is what torch.hub takes. Delete or rename that branch, or let"
        " the run of the newer push decide"
    )


def _environment() -> dict[str, str]:
    """The job's variables; on GitHub Enterprise, with the server that the repository is on."""
    found = workflow.environment()
    server = found.get("GITHUB_SERVER_URL", "https://github.com")
    if server != "https://github.com":
        found.setdefault("HUBPUB_GITHUB_URL", server)
    return found


def _existing(path: Path) -> str:
    return str(path) if path.is_file() else ""


def _summarize(command: str, code: int, page: Path) -> None:
    if page.is_file():
        workflow.summary(page.read_text(encoding="utf-8", errors="replace"))
    else:
        workflow.summary(
            f"**hubpub {command}** ended with exit code {code}, without a report:"
            f" {ADVICE.get(code, 'it was ended')}.\n"
        )


if __name__ == "__main__":
    sys.exit(main())
