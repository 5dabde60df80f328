"""Every step of action.yml, run in bash as GitHub runs it, and what it hands on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from acting import ACTION, STEPS, Context, Done, Job, UnknownFormError, leftovers, read_outputs
from conftest import ROOT
from hubpub.verify import reportfile
from proving import HEAD, ONCE
from publishing import AROUND, Mirror, write_files

CLEAN = {
    "hubconf.py": 'dependencies = []\n\n\ndef net():\n    """A net."""\n    return object()\n',
    **AROUND,
}
BAD = {"hubconf.py": 'dependencies = "torch"\nimport numpy\ndef net():\n    return numpy\n'}
HOSTILE = (
    "$(touch pwned)",
    "`touch pwned`",
    "'; touch pwned; '",
    '"; touch pwned; "',
    "x\nstatus=pass",
    "x\nstatus<<E\npass\nE",
    "x\n::set-output name=status::pass",
    "##[set-output name=status]pass",
    "-rrequirements.txt",
    "--help",
    "a b  c",
    "*",
    "${{ github.token }}",
)


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(tmp_path / "job")


def checked(job: Job, files: dict[str, Any], **inputs: str) -> Done:
    write_files(job.workspace, files)
    return job.act(**inputs)


def option(arguments: list[str], name: str) -> list[str]:
    return [arguments[at + 1] for at, item in enumerate(arguments[:-1]) if item == name]


# --- the runner of these tests --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a=1\nb=x=y\n", {"a": "1", "b": "x=y"}),
        ("a<<E\n1\n\n2\nE\nb=2\n", {"a": "1\n\n2", "b": "2"}),
        ("a=x<<y\n", {"a": "x<<y"}),
        ("a=1\r\na=2\r\n", {"a": "2"}),
    ],
)
def test_outputs_are_read_as_the_runner_reads_them(text: str, found: dict[str, str]) -> None:
    assert read_outputs(text) == found


@pytest.mark.parametrize("text", ["words\n", "a<<E\n1\n", "<<E\n1\nE\n", "a<<\n1\n"])
def test_outputs_that_the_runner_refuses_fail_a_test(text: str) -> None:
    with pytest.raises(AssertionError):
        read_outputs(text)


@pytest.mark.parametrize(
    "expression", ["github.token", "inputs.nope", "steps.nope.outputs.x", "a && b", "format('x')"]
)
def test_an_expression_that_is_not_known_fails_a_test(expression: str) -> None:
    with pytest.raises(UnknownFormError):
        Context({}).value(expression)


# --- what is true of every step -------------------------------------------------------------------


def test_nothing_of_an_input_is_text_of_a_script() -> None:
    scripts = [step for step in STEPS.values() if "run" in step]
    assert len(scripts) == 3
    for step in scripts:
        assert "${{" not in step["run"]
        assert step["run"].count("\n") == 0
        assert step["run"].startswith('exec "$PYTHON"')


def test_python_is_set_up_beside_the_jobs_own() -> None:
    (step,) = [step for step in STEPS.values() if "uses" in step]
    assert step["with"] == {
        "python-version": "${{ inputs.python-version }}",
        "update-environment": False,
    }


def test_every_input_reaches_a_step() -> None:
    text = json.dumps(ACTION["runs"])
    for name in ACTION["inputs"]:
        assert f"inputs.{name} " in text
    for item in ACTION["inputs"].values():
        assert item["required"] is False


# --- check ----------------------------------------------------------------------------------------


def test_a_clean_repository_passes(job: Job) -> None:
    done = checked(job, CLEAN)
    assert done.code == 0, done.log
    assert done.log.endswith("hubpub check: pass, exit code 0\n")
    assert done.outputs["status"] == "pass"
    assert done.outputs["exit-code"] == "0"
    assert json.loads(Path(done.outputs["report"]).read_text())["diagnostics"] == []
    assert json.loads(Path(done.outputs["sarif"]).read_text())["version"] == "2.1.0"
    assert done.summary.strip()
    assert leftovers(job.workspace) == {path.partition("/")[0] for path in CLEAN}


def test_findings_fail_the_step_and_are_shown_everywhere(job: Job) -> None:
    done = checked(job, BAD)
    assert done.code == 1
    assert (done.outputs["status"], done.outputs["exit-code"]) == ("fail", "1")
    assert "file=hubconf.py" in done.log
    assert "HUB102" in done.said("error") + done.log
    assert "HUB102" in done.summary
    codes = [
        item["code"] for item in json.loads(Path(done.outputs["report"]).read_text())["diagnostics"]
    ]
    assert "HUB102" in codes


@pytest.mark.parametrize(
    ("fail_on", "code"), [("error", 1), ("warning", 1), ("note", 1), ("never", 0)]
)
def test_fail_on_decides_the_step_and_not_the_outputs(job: Job, fail_on: str, code: int) -> None:
    done = checked(job, BAD, fail_on=fail_on)
    assert done.code == code
    assert (done.outputs["status"], done.outputs["exit-code"]) == ("fail", "1")
    assert ("the step passes" in done.said("notice")) == (fail_on == "never")


def test_a_milder_finding_passes_where_only_errors_fail(job: Job) -> None:
    files = {key: text for key, text in CLEAN.items() if not key.startswith("LICENSE")}
    strict = checked(job, files, fail_on="note")
    assert strict.code == 1, strict.log
    assert job.act(fail_on="error").outputs["status"] == "pass"


@pytest.mark.parametrize(
    ("files", "inputs", "says"),
    [
        ({**BAD, "hubpub.toml": "selct = []\n"}, {}, "selct"),
        (BAD, {"reference": "no/such/folder"}, "no/such/folder"),
        (BAD, {"args": "--no-such-option"}, "--no-such-option"),
        (BAD, {"formats": "nope:file"}, "nope"),
        (BAD, {"formats": "junit:no/folder/x.xml"}, "no/folder"),
    ],
)
def test_what_cannot_be_used_says_so_and_what_to_do(
    job: Job, files: dict[str, Any], inputs: dict[str, str], says: str
) -> None:
    for fail_on in ("", "never"):
        write_files(job.workspace, files)
        done = job.act(fail_on=fail_on, **inputs)
        assert done.code == 2, done.log
        assert says in done.log
        assert "exit code 2: an input" in done.said("error")
        assert done.outputs == {"report": "", "sarif": "", "exit-code": "2", "status": "error"}
        assert "ended with exit code 2" in done.summary


@pytest.mark.parametrize(
    ("inputs", "says"),
    [
        ({"command": "chekc"}, "command is check or verify, not 'chekc'"),
        ({"command": ""}, "command is check or verify"),
        ({"fail_on": "warnings"}, "fail-on of check is never, error, warning, note"),
        ({"command": "verify", "fail_on": "note"}, "fail-on of verify is never or not given"),
        ({"formats": "junit"}, "each line is NAME:FILE"),
        ({"args": "--select HUB1"}, "write --option=value"),
        ({"args": "-q\n--jobs 4"}, "args holds '--jobs 4'"),
    ],
)
def test_an_input_that_cannot_be_meant_ends_it_before_anything_is_installed(
    job: Job, inputs: dict[str, str], says: str
) -> None:
    done = job.act(**inputs)
    assert done.code == 2
    assert says in done.said("error")
    assert (done.outputs["status"], done.outputs["exit-code"]) == ("error", "2")
    assert job.pip == []
    assert leftovers(job.temp) == set()


@pytest.mark.parametrize("system", ["Windows", "macOS"])
def test_verify_on_another_system_ends_before_anything_is_installed(
    tmp_path: Path, system: str
) -> None:
    job = Job(tmp_path / "job", RUNNER_OS=system)
    done = checked(job, CLEAN, command="verify")
    assert (done.code, done.outputs["exit-code"], job.pip) == (2, "2", [])
    assert f"such as ubuntu-24.04, and this one is '{system}'" in done.said("error")
    assert job.act().code == 0


def test_further_reports_and_arguments_come_one_a_line(job: Job) -> None:
    done = checked(
        job,
        BAD,
        formats="\njunit:a report.xml\n\n  gitlab:gl.json  \n",
        args="# only these\n--select=HUB102\n\n",
    )
    assert done.code == 1
    assert "HUB102" in (job.workspace / "a report.xml").read_text()
    assert {item["check_name"] for item in json.loads((job.workspace / "gl.json").read_text())} == {
        "HUB102"
    }


def test_a_folder_is_checked_where_it_is_named(job: Job) -> None:
    write_files(job.workspace, {f"-models/{path}": text for path, text in BAD.items()})
    done = job.act(reference="-models")
    assert (done.code, done.outputs["status"]) == (1, "fail")


# --- what comes from others -----------------------------------------------------------------------


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("name", [name for name in ACTION["inputs"] if name != "python-version"])
def test_a_hostile_input_is_never_code_and_sets_no_output(job: Job, name: str, text: str) -> None:
    write_files(job.workspace, BAD)
    context = job.context(**{"command": "check", "packages": "timm", name: text})
    done = job.step("Install hubpub", context)
    assert done.outputs.keys() == ({"python"} if done.code == 0 else {"exit-code"})
    if done.code == 0 and name in {"reference", "formats", "args"}:
        done = job.step("Run hubpub", context)
        assert done.outputs.keys() == {"report", "sarif", "exit-code", "status"}
        comment = name != "reference" and text.startswith("#")
        assert (done.outputs["status"], done.code) == (("fail", 1) if comment else ("error", 2))
    assert leftovers(job.workspace) == set(BAD)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_requirement_is_no_option_of_pip(job: Job, text: str) -> None:
    context = job.context(command="verify", packages=text)
    assert job.step("Install hubpub", context).code == 0
    lines = [] if text.startswith("#") else text.split("\n")
    assert job.pip[job.pip.index("--") + 2 :] == lines
    assert leftovers(job.workspace) == set()


@pytest.mark.parametrize("argument", ["--help", "--exit-zero\n--help"])
def test_what_has_judged_nothing_is_no_pass(job: Job, argument: str) -> None:
    done = checked(job, CLEAN, args=argument)
    assert done.code == 2
    assert (done.outputs["status"], done.outputs["exit-code"]) == ("error", "2")


def test_a_hostile_repository_commands_nothing(job: Job) -> None:
    command = "::set-output name=status::pass"
    hubconf = (
        "dependencies = ['torch', '\\n::set-output name=status::pass', 'x##[error]y']\n"
        f'def net():\n    """\n{command}\n    ##[set-output name=status]pass\n    """\n'
        "    import torch\n"
        f"    return torch.hub.load('octo/net\\n{command}', 'net')\n"
    )
    folder = "##[set-output name=status]pass"
    files = {
        "hubconf.py": hubconf,
        f"{folder}.md": f"```python\ntorch.hub.load('octo/net', 'net')\n```\n{command}\n",
        "::error::x.md": "```python\ntorch.hub.load('octo/other', 'net')\n```\n",
    }
    done = checked(job, files)  # its log is read as the runner reads it, in acting.commands
    assert done.code == 1, done.log
    assert done.outputs["status"] == "fail"


@pytest.mark.parametrize("name", ["click.py", "hubpub/__init__.py", "pip/__init__.py", "json.py"])
def test_a_module_of_the_checkout_is_not_imported(job: Job, name: str) -> None:
    trap = "import pathlib\npathlib.Path('pwned').touch()\n"
    job.variables["PYTHONPATH"] = str(job.workspace)
    done = checked(job, {**CLEAN, name: trap})
    assert not list(job.workspace.rglob("pwned")), done.log
    assert done.outputs["status"] in {"pass", "fail"}


def test_a_summary_that_github_would_not_take_is_a_line(job: Job) -> None:
    calls = "".join(
        f"```python\ntorch.hub.load('octo/net{number}', 'net')\n```\n" for number in range(9000)
    )
    done = checked(job, {**BAD, "README.md": calls})
    assert done.outputs["status"] == "fail"
    assert 1000 < len(done.summary.encode()) <= 1024 * 1024


# --- verify ---------------------------------------------------------------------------------------

NETS = (
    HEAD
    + """
def net():
    \"\"\"A net.\"\"\"
    return torch.nn.Linear(1, 1)
"""
)
QUICK = "\n".join(" ".join(ONCE).replace("--skip ", "--skip=").split())


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Mirror:
    folder = tmp_path_factory.mktemp("published")
    (folder / "mirror").mkdir()
    mirror = Mirror(folder / "mirror", folder / "home")
    mirror.publish({"hubconf.py": NETS, **AROUND})
    mirror.publish(
        {"hubconf.py": NETS.replace("return", "raise ValueError('::warning::x')  #")},
        name="octo/broken",
    )
    return mirror


def verifying(folder: Path, mirror: Mirror, **variables: str) -> Job:
    return Job(folder / "job", HUBPUB_GITHUB_URL=mirror.url, **variables)


@pytest.mark.sandbox
def test_on_a_tag_what_a_stranger_gets_is_verified(tmp_path: Path, published: Mirror) -> None:
    job = verifying(tmp_path, published, GITHUB_REF_TYPE="tag", GITHUB_REF_NAME="v1.0")
    done = job.act(command="verify", devices="cpu", args=QUICK, formats="html:page.html")
    assert done.code == 0, done.log
    assert (done.outputs["status"], done.outputs["exit-code"]) == ("pass", "0")
    document = reportfile.read(Path(done.outputs["report"]))
    assert (document["reference"]["ref"], document["reference"]["kind"]) == ("v1.0", "tag")
    assert json.loads(Path(done.outputs["sarif"]).read_text())["version"] == "2.1.0"
    assert "net" in done.summary
    assert (job.workspace / "page.html").is_file()
    assert "the sandbox starts" in done.log
    assert not done.said("error")


@pytest.mark.sandbox
@pytest.mark.parametrize(("fail_on", "code"), [("", 4), ("never", 0)])
def test_a_proof_of_another_commit_than_the_tags_is_none(
    tmp_path: Path, published: Mirror, fail_on: str, code: int
) -> None:
    """The tag was moved since the push, or a branch has its name, which torch.hub takes."""
    tag = {"GITHUB_REF_TYPE": "tag", "GITHUB_REF_NAME": "v1.0", "GITHUB_SHA": "a" * 40}
    job = verifying(tmp_path, published, **tag)
    done = job.act(command="verify", devices="cpu", args=QUICK, fail_on=fail_on)
    assert done.code == code, done.log
    assert (done.outputs["status"], done.outputs["exit-code"]) == ("error", "4")
    commit = reportfile.read(Path(done.outputs["report"]))["commit"]
    for said in (done.said("error"), done.summary):
        assert f"commit {commit} was proven, and this run is of {'a' * 40}" in said


@pytest.mark.sandbox
def test_a_release_that_does_not_load_fails_the_step(tmp_path: Path, published: Mirror) -> None:
    job = verifying(tmp_path, published)
    done = job.act(command="verify", reference="octo/broken:v1.0", devices="cpu", args=QUICK)
    assert done.code == 1, done.log
    assert (done.outputs["status"], done.outputs["exit-code"]) == ("fail", "1")
    assert "net" in done.said("error")
    assert Path(done.outputs["report"]).is_file()
    assert "::warning::x" not in done.log.splitlines()


@pytest.mark.sandbox
@pytest.mark.parametrize(("fail_on", "code"), [("", 4), ("never", 0)])
def test_where_nothing_can_be_proven(
    tmp_path: Path, published: Mirror, fail_on: str, code: int
) -> None:
    job = verifying(tmp_path, published)
    done = job.act(command="verify", reference="octo/net:v9", fail_on=fail_on)
    assert done.code == code, done.log
    assert (done.outputs["status"], done.outputs["exit-code"]) == ("error", "4")
    assert "nothing could be proven" in done.said("error")
    assert "v9" in done.log
    assert reportfile.read(Path(done.outputs["report"]))["status"] == "error"
    assert done.summary


@pytest.mark.sandbox
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_cancelled_job_leaves_its_outputs(
    tmp_path: Path, published: Mirror, number: signal.Signals
) -> None:
    published.publish(
        {"hubconf.py": NETS.replace("return", "time.sleep(120)\n    return")},
        name=f"octo/slow{number}",
    )
    job = verifying(tmp_path, published)
    context = job.context(
        command="verify", reference=f"octo/slow{number}:v1.0", devices="cpu", args=QUICK
    )
    context.steps["install"] = {"python": str(job.python)}
    process = job.start("Run hubpub", context)
    assert process.stdout is not None
    earlier = ""
    while "listed" not in earlier:
        line = process.stdout.readline()
        assert line, earlier
        earlier += line
    process.send_signal(number)
    done = job.finish(process, earlier=earlier)
    assert done.code == (130 if number == signal.SIGINT else 143)
    assert done.outputs["status"] == "interrupted"
    assert done.outputs["exit-code"] == str(done.code)
    assert reportfile.read(Path(done.outputs["report"]))["status"] == "interrupted"


def test_a_job_that_is_killed_leaves_a_status(job: Job) -> None:
    job.variables["HUBPUB_GITHUB_URL"] = "http://127.0.0.1:9"
    context = job.context(command="verify", reference="octo/net")
    context.steps["install"] = {"python": str(job.python)}
    process = job.start("Run hubpub", context)
    while not (found := job.so_far().endswith("\n") and read_outputs(job.so_far())):
        assert process.poll() is None
    process.kill()
    process.communicate()
    assert found == {"exit-code": "130", "status": "interrupted"}


def test_the_server_of_an_enterprise_is_asked(job: Job) -> None:
    job.variables["GITHUB_SERVER_URL"] = "http://127.0.0.1:9"
    job.variables["GITHUB_REF_TYPE"] = "tag"
    job.variables["GITHUB_REF_NAME"] = "v1.0"
    context = job.context(command="verify")
    context.steps["install"] = {"python": str(job.python)}
    done = job.step("Run hubpub", context)
    assert done.outputs["exit-code"] == "4"
    assert "127.0.0.1:9" in done.log


# --- what is installed ----------------------------------------------------------------------------

CPU = "https://download.pytorch.org/whl/cpu"


@pytest.mark.parametrize(
    ("inputs", "extra", "cpu", "pin", "packages"),
    [
        ({}, "", False, None, []),
        ({"packages": "timm", "devices": "cuda"}, "", False, None, []),
        ({"command": "verify"}, "[verify]", True, "cpu", []),
        ({"command": "verify", "devices": "cpu"}, "[verify]", True, "cpu", []),
        ({"command": "verify", "devices": "auto"}, "[verify]", True, "cpu", []),
        ({"command": "verify", "devices": "cpu,cuda:1"}, "[verify]", False, "gpu", []),
        ({"command": "verify", "devices": "all"}, "[verify]", False, "gpu", []),
        ({"command": "verify", "packages": "timm>=1\n\n# to read\nPyYAML ; python_version > '3'"},
         "[verify]", True, "cpu", ["timm>=1", "PyYAML ; python_version > '3'"]),
        ({"command": "verify", "packages": "torch==2.6.0\ntorchvision"}, "[verify]", True, None,
         ["torch==2.6.0", "torchvision"]),
        ({"command": "verify", "packages": "torchvision"}, "[verify]", True, "cpu",
         ["torchvision"]),
        ({"command": "verify", "packages": "-r x.txt\n--index-url=http://evil.test"}, "[verify]",
         True, "cpu", ["-r x.txt", "--index-url=http://evil.test"]),
    ],
)  # fmt: skip
def test_pip_is_told(
    job: Job,
    inputs: dict[str, str],
    extra: str,
    cpu: bool,
    pin: str | None,
    packages: list[str],
) -> None:
    done = job.step("Install hubpub", job.context(**inputs))
    assert done.code == 0, done.log
    options, wanted = job.pip[: job.pip.index("--")], job.pip[job.pip.index("--") + 1 :]
    assert wanted == [f"hubpub{extra} @ {ROOT.as_uri()}", *packages]
    assert "--no-cache-dir" in options
    assert option(options, "--extra-index-url") == ([CPU] if cpu else [])
    lines = [Path(file).read_text() for file in option(options, "--constraint")]
    pinned = next(
        line
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if line.startswith("torch==")
    )
    assert pinned.endswith("+cpu")
    assert lines == {
        None: [], "cpu": [f"{pinned}\n"], "gpu": [pinned.removesuffix("+cpu") + "\n"]
    }[pin]  # fmt: skip


def test_an_environment_is_made_anew_each_time(job: Job) -> None:
    first = job.step("Install hubpub", job.context()).outputs["python"]
    second = job.step("Install hubpub", job.context()).outputs["python"]
    assert first != second
    assert Path(first).is_file()
    assert Path(first).is_relative_to(job.temp)


def test_a_failing_pip_says_what_to_do(job: Job) -> None:
    job.variables["PIP_EXITS"] = "1"
    done = job.act(command="verify", packages="torchvision==0.1")
    assert done.code == 4
    assert "could not be installed" in done.said("error")
    assert "name a torch" in done.said("error")
    assert done.outputs == {"report": "", "sarif": "", "exit-code": "4", "status": "error"}


@pytest.mark.slow
def test_check_is_installed_without_torch(job: Job) -> None:
    job.variables |= {key: value for key, value in os.environ.items() if key.startswith("PIP_")}
    context = job.context()
    context.steps["python"]["python-path"] = sys.executable
    before = leftovers(ROOT)
    done = job.step("Install hubpub", context)
    assert done.code == 0, done.log
    python = done.outputs["python"]
    listed = subprocess.run(
        [python, "-I", "-m", "pip", "list", "--format=json"], capture_output=True, check=True
    )
    names = {item["name"].lower() for item in json.loads(listed.stdout)}
    assert {"hubpub", "libcst", "click"} <= names
    assert not names & {"torch", "gitpython", "rich"}
    assert leftovers(ROOT) == before
    write_files(job.workspace, BAD)
    assert job.step("Run hubpub", context).outputs["status"] == "fail"
