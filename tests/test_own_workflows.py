"""The workflows of this repository: what they call is there, and the example is proven."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from conftest import ROOT, MakeRepository
from jobbing import Machine
from proving import ONCE
from publishing import Mirror

FOLDER = ROOT / ".github" / "workflows"
WORKFLOWS = sorted(FOLDER.glob("*.yml"))
COPIED = ("examples/tiny", "examples/release")


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_nobody_may_write_and_every_target_of_make_is_there(path: Path) -> None:
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {}
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for job in workflow["jobs"].values():
        assert job["permissions"] == {"contents": "read"}
        assert job["timeout-minutes"]
        for step in job["steps"]:
            words = step.get("run", "").split()
            assert words[:1] != ["make"] or set(words[1:]) <= targets


@pytest.mark.sandbox
def test_the_example_is_checked_and_verified(
    repository: MakeRepository, mirror: Mirror, tmp_path: Path
) -> None:
    """hub.yml, job by job, on a repository that holds the example where this one has it."""
    files = {
        path.relative_to(ROOT).as_posix(): path.read_bytes()
        for folder in COPIED
        for path in sorted((ROOT / folder).rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
    own = repository(files, name="hubpub/hubpub")
    skips = tuple(f"--skip={axis}" for axis in ONCE[1::2])
    sha = own.git("rev-parse", "HEAD")
    machine = Machine(mirror, tmp_path / "ci", sha, repository="hubpub/hubpub", args=skips)
    done = machine.run((FOLDER / "hub.yml").read_text(encoding="utf-8"))
    assert {name: ran.result for name, (ran,) in done.items()} == {
        "check": "success", "verify": "success",
    }, done  # fmt: skip
    report = json.loads((machine.artifacts / "report" / "report.json").read_text())
    assert report["status"] == "pass"
    assert [each["name"] for each in report["entrypoints"]] == ["bigram", "tokenizer", "unigram"]
