"""What the pages about attestations show is one, and the workflow on them does what they say."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from attesting import as_numbers, as_toto, checkpoint, proof
from conftest import ROOT
from hubpub.output import attestation
from hubpub.verify import attested
from publishing import clean_environment
from reporting import HOSTILE

PAGE = ROOT / "docs" / "attestation.md"
SPECIFICATION = ROOT / "docs" / "attestation" / "v1" / "README.md"
PROGRAMS = Path(sys.executable).parent
RULES = "rules:\n  unpinned-uses:\n    config:\n      policies:\n        'hubpub/*': ref-pin\n"
"""hubpub is named by its tag, as all of its pages do; every other action by its commit."""


def blocks(page: Path, language: str) -> list[str]:
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def workflows() -> tuple[str, str]:
    """The workflow that is shown, and the one with the job that is shown for cosign."""
    whole, job = blocks(PAGE, "yaml")
    first, attest, _ = whole.partition("  attest:\n")
    assert job.startswith(attest)
    return whole, first + job


def test_the_example_is_a_statement() -> None:
    (text,) = blocks(SPECIFICATION, "json")
    example = json.loads(text)
    attested.validate(example)
    assert as_toto(text) == as_numbers(example)
    assert attestation.statement(example["predicate"]) == example


def test_the_pages_have_the_types() -> None:
    for page in (PAGE, SPECIFICATION):
        found = re.findall(r"https://github\.com/hubpub/hubpub/tree/\S*?docs/attestation/v\d+",
                           page.read_text(encoding="utf-8"))  # fmt: skip
        assert set(found) == {attestation.PREDICATE_TYPE}
    said = SPECIFICATION.read_text(encoding="utf-8")
    assert attestation.STATEMENT_TYPE in said
    assert f"at most {attestation.MAX_SUBJECTS}" in said


@pytest.fixture
def workflow(tmp_path: Path) -> Path:
    path = tmp_path / ".github" / "workflows" / "release.yml"
    path.parent.mkdir(parents=True)
    path.write_text(workflows()[0])
    (tmp_path / "zizmor.yml").write_text(RULES)
    return path


@pytest.mark.parametrize(
    "command",
    [
        ("zizmor", "--offline", "--persona", "pedantic", "--config", "zizmor.yml"),
        ("actionlint",),
    ],
    ids=lambda command: command[0],
)
@pytest.mark.parametrize("broken", [False, True], ids=["as it is", "broken"])
@pytest.mark.parametrize("text", workflows(), ids=["actions/attest", "cosign"])
def test_the_workflow_is_clean(
    command: tuple[str, ...], broken: bool, text: str, workflow: Path, tmp_path: Path
) -> None:
    workflow.write_text(text)
    if broken:  # what each of both has to see
        text = text.replace("permissions: {}", "permissions: write-all")
        workflow.write_text(text.replace("runs-on: ubuntu-24.04", "runs-on: ubuntu-24.05"))
    done = subprocess.run(
        [PROGRAMS / command[0], *command[1:], workflow],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert (done.returncode != 0) is broken, done.stdout + done.stderr


@pytest.mark.parametrize("said", ["x", HOSTILE])
def test_what_actions_attest_is_given(said: str, workflow: Path, tmp_path: Path) -> None:
    """The script of the workflow, and its files read as actions/attest does (src/subject.ts)."""
    report = proof(
        said,
        checkpoints=[checkpoint(said, "a" * 64), checkpoint("* two  three", "b" * 64),
                     checkpoint("é.pth", "c" * 64)],
    )  # fmt: skip
    statement = attestation.statement(report)
    (tmp_path / "attestation.json").write_text(attestation.dumps(statement))
    (script,) = re.findall(r"- run: \|\n((?: {10}.*\n)+)", workflow.read_text())
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=tmp_path,
        env=clean_environment(tmp_path / "home"),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    predicate = (tmp_path / "predicate.json").read_text()
    assert json.loads(predicate) == statement["predicate"]
    subjects = []
    for record in filter(None, re.split(r"\r?\n", (tmp_path / "checksums.txt").read_text())):
        digest, _, rest = record.partition(" ")
        assert re.fullmatch("[0-9a-f]{64}", digest)
        name = rest[1:] if rest[:1] in {"*", " "} else rest
        subjects.append({"name": name, "digest": {"sha256": digest}})
    assert subjects == statement["subject"][:-1]


def test_every_part_of_a_workflow_is_named_by_its_commit() -> None:
    used = [name for text in workflows() for name in re.findall(r"uses: (\S+)", text)]
    assert len(used) == 9
    for name in used:
        assert re.fullmatch(r"hubpub/hubpub@v\d+\.\d+\.\d+|[a-z]+/[a-z-]+@[0-9a-f]{40}", name)
