"""zizmor, actionlint and GitHub's schemas find nothing in what runs on GitHub, here and as shown.

That is action.yml, the workflows of this repository, those that ``hubpub init`` writes, and every
block of a page that is a workflow or steps of one. A control for each tool shows that it looks.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from acting import ACTION, STEPS
from conftest import ROOT
from hubpub.scaffold import Answers, plan
from hubpub.scaffold.kinds import PIECES
from publishing import clean_environment, write_files

PROGRAMS = Path(sys.executable).parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
ALL = frozenset(PIECES)
ANSWERS = Answers("sky", "skynet", "octo", "sky-net", "Ada Lovelace", 2026, around=ALL)
RENDERED = {
    "full": replace(ANSWERS, dependencies=("timm", "einops")),
    "plain": replace(ANSWERS, around=ALL - {"readme", "test"}),
    "untagged": replace(ANSWERS, tag="1.0"),
}
WRAPPED: dict[str, Any] = {
    "name": "steps of a page",
    "on": {"pull_request": {}},
    "permissions": {},
    "concurrency": {"group": "${{ github.ref }}", "cancel-in-progress": True},
    "jobs": {"one": {"name": "one", "runs-on": "ubuntu-24.04"}},
}


def blocks(page: Path) -> Iterator[tuple[str, str]]:
    """The YAML blocks of a page, each with its line, without the indent that it stands in."""
    text = page.read_text(encoding="utf-8")
    for match in re.finditer(r"^( *)```ya?ml\n(.*?)^\1```$", text, re.MULTILINE | re.DOTALL):
        line = text.count("\n", 0, match.start()) + 1
        body = re.sub(f"^{match[1]}", "", match[2], flags=re.MULTILINE)
        yield f"{page.stem}-{line}", body


def around(steps: list[dict[str, Any]]) -> str:
    """A workflow that holds ``steps`` and nothing to complain of."""
    jobs = {"one": {**WRAPPED["jobs"]["one"], "steps": steps}}
    return str(yaml.safe_dump({**WRAPPED, "jobs": jobs}, sort_keys=False))


def as_workflow(block: str) -> str | None:
    """The workflow that a block is, or whose steps it is; None for other YAML."""
    document = yaml.safe_load(block)
    if isinstance(document, dict) and "jobs" in document:
        return block
    if isinstance(document, list) and all({"uses", "run"} & item.keys() for item in document):
        # As text: a comment behind a pinned commit is part of the pin.
        head = around([]).replace("    steps: []\n", "    steps:\n")
        return head + re.sub(r"^", "    ", block, flags=re.MULTILINE)
    return None


def found() -> dict[str, str]:
    """Every workflow there is to judge: a name -> its text."""
    workflows = {
        f"own-{path.stem}": path.read_text(encoding="utf-8")
        for path in sorted((ROOT / ".github" / "workflows").glob("*.y*ml"))
    }
    for name, answers in RENDERED.items():
        for file in plan(answers):
            if file.path.startswith(".github/workflows/"):
                workflows[f"init-{name}-{Path(file.path).stem}"] = file.text
    for page in PAGES:
        for name, block in blocks(page):
            text = as_workflow(block)
            if text is not None:
                workflows[f"page-{name}"] = text
    return workflows


WORKFLOWS = found()
BODIES = [step["run"] for step in STEPS.values() if "run" in step]
SCRIPTS = around([{"shell": "bash", "run": body} for body in BODIES])
USED = around([{"uses": "./", "with": dict.fromkeys(ACTION["inputs"], "x")}])
"""The action as a job of its own repository uses it: actionlint then reads action.yml."""


def project(folder: Path, workflows: Mapping[str, str], **files: str) -> Path:
    """A repository of these workflows and the action."""
    (folder / ".git").mkdir()
    write_files(
        folder,
        {
            "action.yml": (ROOT / "action.yml").read_text(encoding="utf-8"),
            "action/run.py": "",
            "zizmor.yml": (ROOT / "zizmor.yml").read_text(encoding="utf-8"),
            **{f".github/workflows/{name}.yml": text for name, text in workflows.items()},
            **files,
        },
    )
    return folder


def run(program: str, *arguments: str | Path, cwd: Path) -> tuple[int, str]:
    done = subprocess.run(
        [PROGRAMS / program, *map(str, arguments)],
        cwd=cwd,
        env=clean_environment(cwd / ".home") | {"XDG_CACHE_HOME": str(cwd / ".home")},
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.returncode, done.stdout + done.stderr


def files(folder: Path) -> list[Path]:
    return sorted((folder / ".github" / "workflows").glob("*.yml"))


def zizmor(folder: Path) -> tuple[int, str]:
    """Code and text; it takes the folder's own zizmor.yml."""
    where = ("--offline", "--strict-collection", "--config=zizmor.yml")
    how = ("--persona=pedantic", "--no-progress", "--color=never")
    return run("zizmor", *where, *how, "action.yml", *files(folder), cwd=folder)


def actionlint(folder: Path) -> tuple[int, str]:
    return run("actionlint", "-no-color", *files(folder), cwd=folder)


def schemas(folder: Path) -> tuple[int, str]:
    """GitHub's schemas, those that check-jsonschema brings along."""
    of_workflows = run(
        "check-jsonschema", "--builtin-schema=vendor.github-workflows", *files(folder), cwd=folder
    )
    of_actions = run(
        "check-jsonschema", "--builtin-schema=vendor.github-actions", "action.yml", cwd=folder
    )
    return max(of_workflows[0], of_actions[0]), of_workflows[1] + of_actions[1]


TOOLS = {"zizmor": zizmor, "actionlint": actionlint, "schemas": schemas}


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return project(tmp_path_factory.mktemp("everything"), WORKFLOWS)


@pytest.mark.parametrize("tool", TOOLS)
def test_nothing_is_found(everything: Path, tool: str) -> None:
    code, text = TOOLS[tool](everything)
    assert code == 0, text


@pytest.mark.parametrize("workflow", [SCRIPTS, USED], ids=["scripts", "used"])
def test_actionlint_reads_the_action(tmp_path: Path, workflow: str) -> None:
    code, text = actionlint(project(tmp_path, {"use": workflow}))
    assert code == 0, text


def test_what_is_judged_is_there() -> None:
    names = set(WORKFLOWS)
    assert {name.split("-")[0] for name in names} >= {"init", "page"}
    assert {name.split("-")[1] for name in names if name.startswith("init-")} == set(RENDERED)
    assert {name.split("-")[1] for name in names if name.startswith("page-")} >= {
        "README", "action", "formats",
    }  # fmt: skip
    own = list((ROOT / ".github" / "workflows").glob("*.y*ml"))
    assert len([name for name in names if name.startswith("own-")]) == len(own)


# --- controls: each tool finds what is bad --------------------------------------------------------

PINNED = "actions/checkout@d23441a48e516b6c34aea4fa41551a30e30af803 # v6.1.0"
NO_CREDENTIALS = {"persist-credentials": False}


@pytest.mark.parametrize(
    ("tool", "steps", "says"),
    [
        ("zizmor", [{"run": "echo ${{ github.head_ref }}"}], "template-injection"),
        ("zizmor", [{"uses": "actions/setup-python@v6"}], "unpinned-uses"),
        ("zizmor", [{"uses": "hubpub/hubpub"}], "malformed `uses` ref"),
        ("zizmor", [{"uses": "octo/hubpub@v0.1.0"}], "unpinned-uses"),
        ("zizmor", [{"uses": PINNED.partition(" ")[0]}], "artipacked"),
        ("actionlint", [{"uses": "./", "with": {"comand": "check"}}], '"comand" is not defined'),
        ("actionlint", [{"run": "x", "env": {"A": "${{ github.nope }}"}}], '"nope" is not defined'),
        ("schemas", [{"run": "x", "usess": "y"}], "usess"),
    ],
)
def test_a_bad_workflow_is_found(
    tmp_path: Path, tool: str, steps: list[dict[str, Any]], says: str
) -> None:
    code, text = TOOLS[tool](project(tmp_path, {"bad": around(steps)}))
    assert code != 0
    assert says in text


@pytest.mark.parametrize(
    ("tool", "old", "new", "says"),
    [
        ("zizmor", 'run: exec "$PYTHON"', 'run: exec "${{ inputs.args }}"', "template-injection"),
        ("zizmor", "@ece7cb06caefa5fff74198d8649806c4678c61a1", "@v6", "unpinned-uses"),
        ("schemas", "using: composite", "using: compost", "compost"),
        ("actionlint", "icon: check-circle", "icon: no-such-icon", "no-such-icon"),
    ],
)
def test_a_bad_action_is_found(tmp_path: Path, tool: str, old: str, new: str, says: str) -> None:
    text = (ROOT / "action.yml").read_text(encoding="utf-8")
    assert old in text
    folder = project(tmp_path, {"use": USED}, **{"action.yml": text.replace(old, new)})
    code, text = TOOLS[tool](folder)
    assert code != 0
    assert says in text


def test_actionlint_asks_shellcheck(tmp_path: Path) -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not installed; `make test` installs it")
    script = {"shell": "bash", "run": 'for file in $(ls *.txt); do echo "$file"; done'}
    code, text = actionlint(project(tmp_path, {"bad": around([script])}))
    assert code != 0
    assert "shellcheck reported issue" in text


def test_a_page_with_a_bad_block_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("1. x\n\n   ```yaml\n   - uses: octo/net@v1\n   ```\n\n```yaml\na: 1\n```\n")
    (name, block), (_, other) = blocks(page)
    assert (name, block) == ("page-3", "- uses: octo/net@v1\n")
    assert as_workflow(other) is None
    text = as_workflow(block)
    assert text is not None
    (tmp_path / "project").mkdir()
    code, said = zizmor(project(tmp_path / "project", {"bad": text}))
    assert code != 0
    assert "unpinned-uses" in said
