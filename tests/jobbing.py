"""A machine for workflows: as much of GitHub's runner as the templates need, on this one.

Jobs run in the order of their needs, their scripts by bash as GitHub calls it, in an environment of
their own. What a step uses is done by what stands in for it: a checkout is a clone from the mirror,
artifacts are folders, and the action of hubpub is action/run.py, with the inputs of action.yml and
the hubpub that is installed here. ``gh`` and ``python`` are programs on PATH that write down what
they are called with; gh keeps releases, refs, labels and issues as GitHub would.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from publishing import Mirror, clean_environment

ROOT = Path(__file__).resolve().parents[1]
_PROGRAM = f"#!{sys.executable}\n"
_PYTHON = """
import json, os, sys
with open(os.environ["GH_STATE"] + ".python", "a") as calls:
    calls.write(json.dumps(sys.argv[1:]) + "\\n")
"""
_GH = """
import json, os, pathlib, subprocess, sys

file = pathlib.Path(os.environ["GH_STATE"])
state = json.loads(file.read_text())
words = sys.argv[1:]
assert os.environ["GH_TOKEN"] == "token", "no token"
body = None


def option(name):
    return words[words.index(name) + 1] if name in words else None


def fail(text):
    sys.stderr.write(text + "\\n")
    sys.exit(1)


answer = None
given = [b for a, b in zip(words, words[1:]) if a == "-f"]
match words[:2]:
    case ["release", "list"]:
        answer = [{"tagName": name} for name in state["releases"]]
    case ["release", "create"]:
        if "--verify-tag" in words and "refs/tags/" + words[2] not in state["refs"]:
            fail("tag does not exist")
        state["releases"].insert(0, words[2])
    case ["api", path] if "/matching-refs/" in path:
        start = "refs/" + path.partition("/matching-refs/")[2]
        answer = [
            {"ref": name, "object": {"sha": sha}}
            for name, sha in state["refs"].items() if name.startswith(start)
        ]
    case ["api", path] if "/commits/tags/" in path:
        name = "refs/tags/" + path.partition("/commits/tags/")[2]
        if name not in state["refs"]:
            fail("gh: No commit found for SHA (HTTP 422)")
        answer = {"sha": state["refs"][name]}
    case ["api", path] if path.endswith("/git/refs") and option("--method") == "POST":
        fields = dict(each.split("=", 1) for each in given)
        if fields["ref"] in state["refs"]:
            fail("gh: Reference already exists (HTTP 422)")
        state["refs"][fields["ref"]] = fields["sha"]
    case ["label", "create"]:
        state["labels"] = sorted({*state["labels"], words[2]})
    case ["issue", "list"]:
        answer = [
            {"number": each["number"]} for each in state["issues"]
            if each["state"] == option("--state") and each["label"] == option("--label")
        ]
    case ["issue", "create"]:
        assert option("--label") in state["labels"]
        body = pathlib.Path(option("--body-file")).read_text()
        number = len(state["issues"]) + 1
        label, title = option("--label"), option("--title")
        issue = {"number": number, "state": "open", "label": label, "title": title, "body": body}
        state["issues"].append(issue)
    case ["issue", "edit" | "close" as what]:
        issue = next(each for each in state["issues"] if str(each["number"]) == words[2])
        if what == "edit":
            issue["body"] = pathlib.Path(option("--body-file")).read_text()
        else:
            issue.update(state="closed", comment=option("--comment"))
    case _:
        fail("unexpected: " + " ".join(words))
if body is not None and len(body) > 65536:
    fail("body is too long (maximum is 65536 characters)")
state["calls"].append(words)
file.write_text(json.dumps(state))
if answer is not None:
    query = option("--jq") or "."
    done = subprocess.run(["jq", "-r", query], input=json.dumps(answer), text=True, check=True,
                          stdout=subprocess.PIPE)
    sys.stdout.write(done.stdout)
"""

WITHOUT = """
import sys

class Without:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"torch", "h11", "rich", *sys.argv[1].split(",")}:
            raise ModuleNotFoundError(f"No module named {name!r}")

sys.meta_path.insert(0, Without())
from hubpub.cli import run
sys.exit(run(sys.argv[2:]))
"""
"""hubpub without torch, without what the proxy needs, and without what the first argument names.
The other arguments are hubpub's."""


class _StepError(Exception):
    """A step failed."""


@dataclass
class Ran:
    """One job, or one of its matrix: success, failure or skipped; what its steps said."""

    name: str
    result: str
    outputs: Mapping[str, str]
    log: str


@dataclass
class Machine:
    """Runs the jobs of one workflow on ``repository`` of the mirror, at the commit ``sha``.

    ``args`` are further arguments of the action, so that a test need not load everything again.
    """

    mirror: Mirror
    folder: Path
    sha: str
    repository: str = "octo/net"
    ref: str = "main"
    ref_type: str = "branch"
    inputs: Mapping[str, str] = field(default_factory=dict)
    args: Sequence[str] = ()
    log: str = ""

    def __post_init__(self) -> None:
        programs = self.folder / "programs"
        programs.mkdir(parents=True, exist_ok=True)
        for name, text in (("gh", _GH), ("python", _PYTHON)):
            (programs / name).write_text(_PROGRAM + text)
            (programs / name).chmod(0o755)
        (programs / "hubpub").unlink(missing_ok=True)
        (programs / "hubpub").symlink_to(Path(sys.executable).parent / "hubpub")
        self.state_file = self.folder / "github.json"
        self.artifacts = self.folder / "artifacts"
        if not self.state_file.exists():
            empty: list[Any] = []
            plain = {"releases": empty, "refs": {}, "issues": empty, "labels": empty}
            self.state_file.write_text(json.dumps(plain | {"calls": empty}))

    @property
    def pythons(self) -> list[list[str]]:
        """The arguments of each python that a script has called."""
        calls = Path(f"{self.state_file}.python").read_text(encoding="utf-8")
        return [json.loads(line) for line in calls.splitlines()]

    @property
    def state(self) -> dict[str, Any]:
        """What GitHub knows, and ``calls``, the arguments of each gh."""
        found: dict[str, Any] = json.loads(self.state_file.read_text())
        return found

    def knows(self, **known: Any) -> None:
        """Change what GitHub knows."""
        self.state_file.write_text(json.dumps(self.state | known))

    def run(self, text: str, only: Sequence[str] = ()) -> dict[str, list[Ran]]:
        """Run the workflow ``text``; of ``only`` the jobs that are named, others as if they passed.

        Every job that is run begins on an empty machine; artifacts stay.
        """
        import yaml

        jobs: dict[str, Any] = yaml.safe_load(text)["jobs"]
        known: dict[str, Any] = {"github": self._github(), "inputs": dict(self.inputs)}
        known["needs"] = {}
        done: dict[str, list[Ran]] = {}
        while left := [name for name in jobs if name not in done]:
            name = next(each for each in left if set(_needs(jobs[each])) <= set(done))
            if only and name not in only:
                done[name] = [Ran(name, "success", {}, "")]
            else:
                needs = {each: known["needs"][each] for each in _needs(jobs[name])}
                done[name] = self._job(name, jobs[name], {**known, "needs": needs})
            results = {ran.result for ran in done[name]}
            worst = next(word for word in ("failure", "success", "skipped") if word in results)
            known["needs"][name] = {"result": worst, "outputs": dict(done[name][-1].outputs)}
        return done

    def _github(self) -> dict[str, str]:
        return {
            "token": "token", "sha": self.sha, "repository": self.repository, "ref": self.ref,
            "ref_type": self.ref_type, "workflow": "hubpub",
        }  # fmt: skip

    def _job(self, name: str, job: Mapping[str, Any], known: dict[str, Any]) -> list[Ran]:
        passed = all(each["result"] == "success" for each in known["needs"].values())
        asked = str(job.get("if", ""))
        always = "cancelled()" in asked or "always()" in asked
        if not (passed or always) or (asked and not _holds(asked, known)):
            return [Ran(name, "skipped", {}, "")]
        matrix = job.get("strategy", {}).get("matrix")
        if matrix is None:
            return [self._steps(name, job, known)]
        cells = _filled(matrix, known) if isinstance(matrix, str) else {
            key: _filled(value, known) for key, value in matrix.items()
        }  # fmt: skip
        assert cells.keys() == {"include"}
        assert 0 < len(cells["include"]) <= 256
        return [self._steps(name, job, {**known, "matrix": cell}) for cell in cells["include"]]

    def _steps(self, name: str, job: Mapping[str, Any], known: dict[str, Any]) -> Ran:
        machine = self.folder / "machine"
        shutil.rmtree(machine, ignore_errors=True)
        for part in ("work", "temp", "files"):
            (machine / part).mkdir(parents=True)
        machine.chmod(0o755)
        known = {**known, "steps": {}, "runner": {"temp": str(machine / "temp")}}
        failed, self.log = False, ""
        for number, step in enumerate(job["steps"]):
            condition = str(step.get("if", ""))
            if failed and "always()" not in condition:
                continue
            if condition and not _holds(condition, known):
                continue
            outputs: dict[str, str] = {}
            try:
                self._step(step, machine, number, known, outputs)
            except _StepError:
                failed = True
            if "id" in step:
                known["steps"][step["id"]] = {"outputs": outputs}
        outputs = {key: str(_filled(text, known)) for key, text in job.get("outputs", {}).items()}
        return Ran(name, "failure" if failed else "success", outputs, self.log)

    def _step(
        self, step: Mapping[str, Any], machine: Path, number: int, known: dict[str, Any],
        outputs: dict[str, str],
    ) -> None:  # fmt: skip
        given = {
            key: str(_filled(str(value), known)) for key, value in step.get("with", {}).items()
        }
        work = machine / "work"
        if "run" in step:
            assert "${{" not in step["run"]
            script = machine / "files" / f"{number}.sh"
            script.write_text(step["run"])
            environment = {k: str(_filled(v, known)) for k, v in step.get("env", {}).items()}
            self._call(["bash", "-e", str(script)], machine, number, environment, outputs)
            return
        action = step["uses"].partition("@")[0]
        if action == "actions/checkout":
            assert given["persist-credentials"] == "False"
            self._checkout(work, given.get("ref", self.sha))
        elif action in {"hubpub/hubpub", "./"}:
            self._hubpub(machine, number, given, outputs)
        elif action == "actions/upload-artifact":
            self._upload(Path(given["path"]), work, given)
        elif action == "actions/download-artifact":
            self._download(work / given["path"], given)
        else:
            assert action == "actions/setup-python", action

    def _checkout(self, work: Path, ref: str) -> None:
        """As actions/checkout does: that one commit, without history, branches and other tags."""
        url = f"{self.mirror.url}/{self.repository}"
        for words in (
            ["init", "--quiet", "--initial-branch=none"],
            ["remote", "add", "origin", f"https://github.com/{self.repository}"],
            ["fetch", "--quiet", "--depth=1", "--no-tags", url, ref],
            ["checkout", "--quiet", "--detach", "FETCH_HEAD"],
        ):
            clean = clean_environment(self.mirror.home)
            subprocess.run(["git", "-C", str(work), *words], check=True, env=clean)

    def _hubpub(
        self, machine: Path, number: int, given: dict[str, str], outputs: dict[str, str]
    ) -> None:
        import yaml

        action = yaml.safe_load((ROOT / "action.yml").read_text())
        assert given.keys() <= action["inputs"].keys()
        inputs = {name: str(item.get("default", "")) for name, item in action["inputs"].items()}
        inputs |= given
        if inputs["command"] == "verify":
            inputs["args"] += "\n" + "\n".join(self.args)
        environment = {f"INPUT_{name.upper().replace('-', '_')}": text
                       for name, text in inputs.items()}  # fmt: skip
        command = [sys.executable, "-Es", str(ROOT / "action" / "run.py")]
        self._call(command, machine, number, environment, outputs)

    def _call(
        self, command: list[str], machine: Path, number: int, environment: Mapping[str, str],
        outputs: dict[str, str],
    ) -> None:  # fmt: skip
        files = {name: machine / "files" / f"{name}{number}" for name in ("output", "summary")}
        for file in files.values():
            file.touch()
        clean = clean_environment(self.mirror.home)
        done = subprocess.run(
            command,
            cwd=machine / "work",
            env=clean
            | {
                "PATH": f"{self.folder / 'programs'}{os.pathsep}{clean['PATH']}",
                "GH_STATE": str(self.state_file), "HUBPUB_GITHUB_URL": self.mirror.url,
                "GITHUB_ACTIONS": "true", "GITHUB_SERVER_URL": "https://github.com",
                "GITHUB_REPOSITORY": self.repository, "GITHUB_SHA": self.sha,
                "GITHUB_REF_NAME": self.ref, "GITHUB_REF_TYPE": self.ref_type,
                "GITHUB_RUN_ID": "42", "GITHUB_WORKSPACE": str(machine / "work"),
                "RUNNER_TEMP": str(machine / "temp"),
                "GITHUB_OUTPUT": str(files["output"]),
                "GITHUB_STEP_SUMMARY": str(files["summary"]),
                **environment,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )  # fmt: skip
        self.log += done.stdout + files["summary"].read_text()
        outputs |= _outputs(files["output"].read_text())
        if done.returncode != 0:
            raise _StepError

    def _download(self, path: Path, given: Mapping[str, str]) -> None:
        """As its src/download-artifact.ts does: a folder for each, but none where there is one."""
        artifacts = [
            each for each in sorted(self.artifacts.glob(given["pattern"])) if any(each.iterdir())
        ]
        flat = given.get("merge-multiple") == "True" or len(artifacts) == 1
        for each in artifacts:
            target = path if flat else path / each.name
            shutil.copytree(each, target, dirs_exist_ok=True)

    def _upload(self, path: Path, work: Path, given: Mapping[str, str]) -> None:
        path, target = work / path, self.artifacts / given["name"]
        shutil.rmtree(target, ignore_errors=True)
        found = [path] if path.is_file() else sorted(path.iterdir()) if path.is_dir() else []
        if not found and given.get("if-no-files-found") == "error":
            raise _StepError
        for file in found:
            target.mkdir(parents=True, exist_ok=True)
            if file.is_dir():
                shutil.copytree(file, target / file.name)
            else:
                shutil.copy(file, target)


def _needs(job: Mapping[str, Any]) -> list[str]:
    needs = job.get("needs", [])
    return [needs] if isinstance(needs, str) else list(needs)


def _outputs(text: str) -> dict[str, str]:
    """GITHUB_OUTPUT as the runner reads it: ``name=value``, or lines between two of one word."""
    found, lines = {}, iter(text.splitlines())
    for line in lines:
        name, block, word = line.partition("<<")
        if block and "=" not in name:
            value = []
            while (each := next(lines)) != word:
                value.append(each)
            found[name] = "\n".join(value)
        else:
            name, equals, plain = line.partition("=")
            assert equals, line
            found[name] = plain
    return found


def _value(name: str, known: Mapping[str, Any]) -> Any:
    """What a context holds; as at GitHub an output that was not set is empty."""
    value: Any = known
    *path, last = name.split(".")
    for part in path:
        value = value[part]
    return value.get(last, "") if "outputs" in path else value[last]


def _filled(text: Any, known: Mapping[str, Any]) -> Any:
    """``text`` with every ``${{ name }}`` in it, or the value of one ``${{ fromJSON(name) }}``."""
    if whole := re.fullmatch(r"\$\{\{ fromJSON\(([\w.-]+)\) \}\}", str(text)):
        return json.loads(_value(whole[1], known))
    return re.sub(r"\$\{\{ ([\w.-]+) \}\}", lambda each: str(_value(each[1], known)), str(text))


def _holds(text: str, known: Mapping[str, Any]) -> bool:
    """A condition of a job or step, of the few forms that the templates have."""
    plain = text.replace("!cancelled()", "True").replace("always()", "True").replace("&&", "and")
    plain = re.sub(r"\b\w+(?:\.[\w-]+)+", lambda each: repr(_value(each[0], known)), plain)
    return bool(eval(plain, {"__builtins__": {}}))
