"""docs/action.md says what action.yml takes and gives, and README has its six lines."""

from __future__ import annotations

import re

import pytest
import yaml

from acting import ACTION, STEPS
from conftest import ROOT

PAGE = (ROOT / "docs" / "action.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """The cells of the table below a heading, without its head."""
    section = re.split(r"^## ", PAGE.split(f"\n## {heading}\n")[1], flags=re.MULTILINE)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line[1:-1].split("|")] for line in lines[2:]]


def test_every_input_has_its_row_and_its_default() -> None:
    found = {name.strip("`"): default.strip("`") for name, default, _ in rows("Inputs")}
    assert found == {name: item["default"] for name, item in ACTION["inputs"].items()}
    assert list(found) == list(ACTION["inputs"])


def test_every_output_has_its_row() -> None:
    assert [name.strip("`") for name, _ in rows("Outputs")] == list(ACTION["outputs"])


def test_every_step_has_its_row() -> None:
    assert [name for name, _ in rows("What happens on the runner")] == list(STEPS)


@pytest.mark.parametrize("page", [PAGE, README], ids=["page", "readme"])
def test_the_six_lines(page: str) -> None:
    blocks = re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    block = next(block for block in blocks if "uses: hubpub/hubpub@" in block)
    assert block.count("\n") == 6
    checkout, hubpub = yaml.safe_load(block)
    assert checkout["with"] == {"persist-credentials": False}
    assert hubpub["with"] == {"command": "verify"}


def test_what_is_shown_is_this_release() -> None:
    from hubpub import __version__

    shown = re.findall(r"hubpub/hubpub@(\S+)", PAGE + README)
    assert set(shown) == {f"v{__version__}"}


def test_every_input_that_is_shown_is_one() -> None:
    for block in re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL):
        document = yaml.safe_load(block)
        jobs = document["jobs"].values() if isinstance(document, dict) else [{"steps": document}]
        for step in (step for job in jobs for step in job["steps"]):
            if step.get("uses", "").startswith("hubpub/hubpub@"):
                assert step.get("with", {}).keys() <= ACTION["inputs"].keys()
