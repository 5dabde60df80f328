"""Install hubpub from the action's own checkout into an environment of its own.

Run by the job's Python with the standard library alone. Outputs: ``python``, the Python of that
environment; ``exit-code`` where it ends early.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import inputs
import workflow

TORCH_INDEX = "https://download.pytorch.org/whl/cpu"
_TORCH = re.compile(r"torch\s*([\[<>=!~;@]|$)", re.IGNORECASE)
_CANNOT_RUN = 4  # hubpub's own exit code for: nothing could be said
_PINNED = re.compile(r"^torch==(\S+)", re.MULTILINE)


def main() -> int:
    """Install, and return the exit status of the step."""
    try:
        wanted = inputs.read(os.environ)
    except inputs.WrongInputError as error:
        workflow.error(f"{error}. See docs/action.md of hubpub")
        workflow.outputs(exit_code="2")
        return 2
    folder = Path(tempfile.mkdtemp(prefix="hubpub-", dir=os.environ["RUNNER_TEMP"]))
    with workflow.group("Install hubpub"):
        python = _make_environment(folder)
        done = python is not None and _run(
            [str(python), "-I", "-m", "pip", *_pip_arguments(wanted, folder)], folder
        )
    if python is None or not done:
        _say_what_to_do(wanted)
        workflow.outputs(exit_code=str(_CANNOT_RUN))
        return _CANNOT_RUN
    workflow.outputs(python=str(python))
    return 0


def _make_environment(folder: Path) -> Path | None:
    """The Python of a new environment; None where it could not be made."""
    environment = folder / "environment"
    if not _run([os.environ["PYTHON"], "-I", "-m", "venv", str(environment)], folder):
        return None
    name = "Scripts/python.exe" if os.name == "nt" else "bin/python"
    return environment / name


def _pip_arguments(wanted: inputs.Inputs, folder: Path) -> list[str]:
    """Arguments of pip: no option comes from an input, for those stand after ``--``."""
    root = Path(os.environ["GITHUB_ACTION_PATH"]).resolve()
    options = ["install", "--no-cache-dir", "--disable-pip-version-check", "--no-input"]
    if wanted.command == "check":
        return [*options, "--", f"hubpub @ {root.as_uri()}"]
    if not wanted.wants_gpu:
        # A build for the CPU is a fifth of the others' size. Its version ends in +cpu, which pip
        # takes for newer than the same one without, so that torchvision and the like fit it.
        options += ["--extra-index-url", TORCH_INDEX]
    pin = _pinned_torch(root, gpu=wanted.wants_gpu)
    if pin and not any(_TORCH.match(line) for line in wanted.packages):
        # The torch that this hubpub was tested with, so that the same ref proves the same.
        constraint = folder / "constraints.txt"
        constraint.write_text(f"torch=={pin}\n", encoding="utf-8")
        options += ["--constraint", str(constraint)]
    return [*options, "--", f"hubpub[verify] @ {root.as_uri()}", *wanted.packages]


def _pinned_torch(root: Path, *, gpu: bool) -> str | None:
    """The version that constraints.txt names; for a GPU, the same one without +cpu."""
    found = _PINNED.search((root / "constraints.txt").read_text(encoding="utf-8"))
    if found is None:
        return None
    return found[1].partition("+")[0] if gpu else found[1]


def _run(command: list[str], folder: Path) -> bool:
    """Run in ``folder``, where nothing of the checkout can be imported; whether it went well."""
    workflow.flush()
    done = subprocess.run(command, check=False, cwd=folder, env=workflow.environment())
    return done.returncode == 0


def _say_what_to_do(wanted: inputs.Inputs) -> None:
    advice = "hubpub could not be installed: the log of this step says why"
    if wanted.command == "verify":
        advice += (
            ". Where pip finds no versions that fit, name a torch that fits your packages in"
            " `packages`, such as torch==2.6.0"
        )
    workflow.error(advice)


if __name__ == "__main__":
    sys.exit(main())
