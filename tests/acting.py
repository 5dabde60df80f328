"""GitHub's runner as far as ``action.yml`` uses it: steps, expressions, files, the log.

The parts are those of https://github.com/actions/runner: an expression that is not known here, a
command in the log or a line of an output file that the runner would refuse fails the test.
"""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from conftest import ROOT
from publishing import clean_environment

ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS: dict[str, dict[str, Any]] = {step["name"]: step for step in ACTION["runs"]["steps"]}
COMMANDS = {"group", "endgroup", "notice", "warning", "error"}
"""What may stand in the log; others set state."""
_COMMAND = re.compile(r"^\s*::([\w-]+)(?: [^:]*(?:%3A[^:]*)*)?::(.*)$")


class UnknownFormError(AssertionError):
    """An expression that the tests cannot evaluate as GitHub would."""


@dataclass
class Context:
    """What expressions can ask for: inputs with their defaults, and outputs of earlier steps."""

    inputs: dict[str, str]
    steps: dict[str, dict[str, str]] = field(default_factory=dict)

    def text(self, template: object) -> str:
        """The value of a field, with each ``${{ }}`` replaced."""
        return re.sub(r"\$\{\{(.*?)\}\}", lambda match: self.value(match[1]), str(template))

    def value(self, expression: str) -> str:
        """``inputs.x``, ``steps.x.outputs.y``, ``'text'``, and the first that is not empty."""
        for part in expression.split("||"):
            found = self._one(part.strip())
            if found:
                return found
        return ""

    def _one(self, part: str) -> str:
        if match := re.fullmatch(r"'([^']*)'", part):
            return match[1]
        if match := re.fullmatch(r"inputs\.([\w-]+)", part):
            if match[1] not in ACTION["inputs"]:
                raise UnknownFormError(f"there is no input {match[1]}")
            return self.inputs[match[1]]
        if match := re.fullmatch(r"steps\.([\w-]+)\.outputs\.([\w-]+)", part):
            if match[1] not in {step.get("id") for step in STEPS.values()}:
                raise UnknownFormError(f"there is no step {match[1]}")
            return self.steps.get(match[1], {}).get(match[2], "")
        raise UnknownFormError(f"no such form: {part}")

    def holds(self, condition: str) -> bool:
        """An ``if:`` of the form ``A == 'text'``; GitHub compares texts without their case."""
        match = re.fullmatch(r"(\S+) == ('[^']*')", condition)
        if match is None:
            raise UnknownFormError(f"no such condition: {condition}")
        return self.value(match[1]).lower() == self.value(match[2]).lower()


def read_outputs(text: str) -> dict[str, str]:
    """A GITHUB_OUTPUT file as the runner reads it: ``name=value`` or ``name<<END`` and lines."""
    found: dict[str, str] = {}
    lines = iter(re.split(r"\r\n|\n|\r", text))
    for line in lines:
        if not line:
            continue
        equals, here = line.find("="), line.find("<<")
        if equals >= 0 and (here < 0 or equals < here):
            name, value = line[:equals], line[equals + 1 :]
        elif here >= 0:
            name, end = line[:here], line[here + 2 :]
            assert name, f"a name is missing: {line!r}"
            assert end, f"a delimiter is missing: {line!r}"
            kept: list[str] = []
            for each in lines:
                if each == end:
                    break
                kept.append(each)
            else:
                raise AssertionError(f"no end of {name}: {end}")
            value = "\n".join(kept)
        else:
            raise AssertionError(f"the runner takes no such line: {line!r}")
        found[name] = value
    return found


def commands(log: str) -> list[tuple[str, str]]:
    """What the runner would obey in a log: name and message, in order.

    It takes ``::name::`` at the start of a line, and ``##[name]`` anywhere in one.
    """
    assert "##[" not in log, log
    found = []
    for line in re.split(r"\r\n|\n|\r", log):
        if line.lstrip().startswith("::"):
            match = _COMMAND.match(line)
            assert match is not None, line
            assert match[1] in COMMANDS, line
            found.append((match[1], match[2]))
    return found


@dataclass(frozen=True)
class Done:
    """What became of a step or of the whole action."""

    code: int
    log: str
    outputs: dict[str, str]
    summary: str

    def said(self, name: str) -> str:
        """All messages of one command in the log, as GitHub shows them."""
        found = [message for each, message in commands(self.log) if each == name]
        return "\n".join(found).replace("%0A", "\n").replace("%25", "%")


class Job:
    """A job on a machine under test; its steps run in ``workspace``, the checkout.

    Its Python is a program that installs nothing: ``pip`` is written down in :attr:`pip`, and
    hubpub comes from the environment of the tests.
    """

    def __init__(self, folder: Path, **variables: str) -> None:
        self.workspace, self.temp = folder / "workspace", folder / "temp"
        self._files = folder / "files"
        self._installed = folder / "pip.txt"
        for path in (self.workspace, self.temp, self._files):
            path.mkdir(parents=True)
        self.python = self._program(folder / "python")
        self.variables = clean_environment(folder / "home") | {
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_WORKSPACE": str(self.workspace),
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_REPOSITORY": "octo/net",
            "GITHUB_REF_TYPE": "branch",
            "GITHUB_REF_NAME": "main",
            "RUNNER_TEMP": str(self.temp),
            "RUNNER_OS": "Linux",
            "RUNNER_ENVIRONMENT": "self-hosted",
            **variables,
        }

    def _program(self, path: Path) -> Path:
        """A Python that makes environments in which ``pip`` only writes its arguments down."""
        path.write_text(
            "#!/bin/bash\n"
            'case "$*" in\n'
            '"-I -m venv "*) mkdir -p "$4/bin" && cp "$0" "$4/bin/python" ;;\n'
            f'"-I -m pip "*) printf "%s\\0" "$@" >"{self._installed}"\n'
            '    exit "${PIP_EXITS:-0}" ;;\n'
            f'*) exec "{sys.executable}" "$@" ;;\n'
            "esac\n"
        )
        path.chmod(0o755)
        return path

    @property
    def pip(self) -> list[str]:
        """The arguments of the ``pip`` that was run, none when it was not."""
        if not self._installed.exists():
            return []
        return self._installed.read_text().split("\0")[3:-1]

    def context(self, **inputs: str) -> Context:
        """Inputs as a workflow gives them, ``fail_on`` for fail-on, and Python set up."""
        given = {name.replace("_", "-"): value for name, value in inputs.items()}
        assert given.keys() <= ACTION["inputs"].keys()
        defaults = {name: str(item["default"]) for name, item in ACTION["inputs"].items()}
        return Context(defaults | given, {"python": {"python-path": str(self.python)}})

    def start(self, name: str, context: Context) -> subprocess.Popen[str]:
        """Start a step as the runner does; its first process is the one that gets signals."""
        step = STEPS[name]
        assert step["shell"] == "bash"
        assert "${{" not in step["run"], "an expansion in a script is an injection"
        script = self._files / "step.sh"
        script.write_text(step["run"])
        for file in ("output", "summary", "env", "path", "state"):
            (self._files / file).write_text("")
        environment = {key: context.text(value) for key, value in step["env"].items()}
        files = {
            "GITHUB_OUTPUT": "output", "GITHUB_STEP_SUMMARY": "summary", "GITHUB_ENV": "env",
            "GITHUB_PATH": "path", "GITHUB_STATE": "state",
        }  # fmt: skip
        return subprocess.Popen(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            cwd=self.workspace,
            env=self.variables
            | {key: str(self._files / file) for key, file in files.items()}
            | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )

    def so_far(self) -> str:
        """What the running step has written to GITHUB_OUTPUT."""
        return (self._files / "output").read_text(encoding="utf-8")

    def finish(self, process: subprocess.Popen[str], *, earlier: str = "") -> Done:
        """Wait for a step and read what it left; nothing goes to later steps but its outputs."""
        log, _ = process.communicate(timeout=300)
        for file in ("env", "path", "state"):
            assert (self._files / file).read_text() == ""
        outputs = read_outputs((self._files / "output").read_text(encoding="utf-8"))
        summary = (self._files / "summary").read_text(encoding="utf-8")
        commands(earlier + log)
        return Done(process.returncode, earlier + log, outputs, summary)

    def step(self, name: str, context: Context) -> Done:
        """Run one step, and keep its outputs in ``context``."""
        done = self.finish(self.start(name, context))
        if "id" in STEPS[name]:
            context.steps[STEPS[name]["id"]] = done.outputs
        return done

    def act(self, **inputs: str) -> Done:
        """Run the action to its first step that fails; the outputs are those of the action."""
        context = self.context(**inputs)
        log, summary, code = "", "", 0
        for name, step in STEPS.items():
            if "uses" in step or ("if" in step and not context.holds(step["if"])):
                continue
            done = self.step(name, context)
            log, summary, code = log + done.log, summary + done.summary, done.code
            if code != 0:
                break
        outputs = {name: context.text(item["value"]) for name, item in ACTION["outputs"].items()}
        return Done(code, log, outputs, summary)


def leftovers(folder: Path) -> set[str]:
    """The names of what lies in a folder, hidden files too."""
    return {path.name for path in folder.iterdir()}
