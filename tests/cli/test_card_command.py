"""``hubpub card`` as it is typed: written from a report, kept from being written, checked."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from carding import HUB, HUGGINGFACE, changed, report, two
from conftest import ROOT, MakeRepository, RunHubpub
from proving import Prove
from publishing import write_files
from reporting import HOSTILE

TOML = "[project]\ndescription = 'It: sees'\nauthors = [{name = 'Ada'}]\n"
CITED = "title: U-Net\nauthors:\n- given-names: Ada\n  family-names: L\n- name: Lab\n"
HUBCONF = '''"""Nets for `images`."""
dependencies = []
def unet(size, pretrained=False):
    """Finds what is there.

    Args:
        size: of the net.
    """
    return object()
'''
PEOPLE = ("--summary", "Finds things", "--author", "Octo", "--image", "no-image", "--tag", "vision")
CARD = "octo_net_unet.md"


@pytest.fixture
def folder(tmp_path: Path, repository: MakeRepository) -> Path:
    """A folder with a report, ``report.json``, and the repository ``src`` at the same commit."""
    made = repository({"hubconf.py": HUBCONF})
    (tmp_path / "src").symlink_to(made.path)
    write(tmp_path, two() | {"commit": made.git("rev-parse", "HEAD").strip()})
    return tmp_path


def write(folder: Path, document: dict[str, Any]) -> None:
    (folder / "report.json").write_text(json.dumps(document))


def test_a_card_is_written_and_passes_its_check(hubpub: RunHubpub, folder: Path) -> None:
    done = hubpub("card", "--report", "report.json", "src", *PEOPLE, cwd=folder)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"wrote {CARD}\n", "")
    text = (folder / CARD).read_text()
    assert "Nets for `images`." in text
    assert "\nFinds what is there.\n\nArguments: `size`, `pretrained` (optional).\n" in text
    assert "\n    Args:\n        size: of the net.\n" in text
    checked = hubpub("card", "--check", CARD, cwd=folder)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "no findings\n")


def test_what_is_left_to_do_is_said_and_found(hubpub: RunHubpub, folder: Path) -> None:
    writing = ("card", "--report", "report.json", "src", "-o", "card.md", "--force")
    for options, left in (
        ((), "summary, image, author, tags"),
        (("--format", "huggingface"), "license, pipeline_tag"),
    ):
        done = hubpub(*writing, *options, cwd=folder)
        assert f"left to do in it: {left}\n" in done.stderr
        assert "then: hubpub card --check card.md\n" in done.stderr
        checked = hubpub("card", "--check", "card.md", *options, cwd=folder)
        assert checked.returncode == 1
        assert checked.stdout.count("error[CARD028] left-to-do: ") == left.count(",") + 1


@pytest.mark.parametrize(
    ("files", "options", "shown"),
    [
        ({"pyproject.toml": TOML}, (), ["summary: It - sees", "author: Ada"]),
        ({"pyproject.toml": "[project]\nlicense = 'MIT'\n"}, ("--format", "huggingface"),
         ["license: mit"]),
        ({"CITATION.cff": CITED, "pyproject.toml": TOML}, (),
         ["title: U-Net", 'author: "Ada L, Lab"']),
        ({"CITATION.cff": "title: U-Net\n"}, ("--title", "V-Net"), ["title: V-Net"]),
        ({"CITATION.cff": "title: [" * 5000}, (), ["title: unet"]),
        ({"CITATION.cff": "- x"}, (), ["title: unet"]),
    ],
)  # fmt: skip
def test_what_people_have_said_elsewhere(
    files: dict[str, str],
    options: tuple[str, ...],
    shown: list[str],
    hubpub: RunHubpub,
    folder: Path,
) -> None:
    write_files(folder / "src", files)
    done = hubpub("card", "--report", "report.json", "src", "-o", "card.md", *options, cwd=folder)
    assert done.returncode == 0, done.stderr
    lines = (folder / "card.md").read_text().splitlines()
    assert set(shown) <= set(lines), lines[:16]


def test_of_another_commit_no_documentation_is_taken(hubpub: RunHubpub, folder: Path) -> None:
    write(folder, two())
    done = hubpub("card", "--report", "report.json", "src", *PEOPLE, cwd=folder)
    assert "note: src is at commit " in done.stderr
    assert "Finds what is there." not in (folder / CARD).read_text()
    none = hubpub("card", "--report", "report.json", "-o", "x.md", *PEOPLE, cwd=folder)
    assert "note: no hubconf.py in .: " in none.stderr


def test_nothing_is_overwritten_unless_asked(hubpub: RunHubpub, folder: Path) -> None:
    (folder / CARD).write_text("mine\n")
    arguments = ("card", "--report", "report.json", "src", *PEOPLE)
    done = hubpub(*arguments, cwd=folder)
    assert done.returncode == 2
    assert f"{CARD} is there already" in done.stderr
    assert (folder / CARD).read_text() == "mine\n"
    shown = hubpub(*arguments, "--diff", cwd=folder)
    assert shown.returncode == 0
    assert f"--- a/{CARD}\n+++ b/{CARD}\n" in shown.stdout
    assert "-mine\n+---\n" in shown.stdout
    assert (folder / CARD).read_text() == "mine\n"
    new = hubpub(*arguments, "--diff", "-o", "new.md", cwd=folder)
    assert new.stdout.startswith("--- /dev/null\n+++ b/new.md\n")
    assert not (folder / "new.md").exists()
    assert hubpub(*arguments, "--force", cwd=folder).returncode == 0
    assert (folder / CARD).read_text().startswith("---\nlayout: hub_detail\n")
    assert sorted(path.name for path in folder.iterdir() if "hubpub-" in path.name) == []


def test_a_link_to_nowhere_is_in_the_way(hubpub: RunHubpub, folder: Path) -> None:
    (folder / CARD).symlink_to("elsewhere.md")
    done = hubpub("card", "--report", "report.json", "src", cwd=folder)
    assert done.returncode == 2
    assert not (folder / "elsewhere.md").exists()


REFUSED: list[tuple[tuple[str, ...], str]] = [
    ((), "a card is written from one report"),
    (("--check",), "--check needs a card"),
    (("--check", "nowhere.md"), "nowhere.md: No such file"),
    (("--check", "."), "Is a directory"),
    (("--check", CARD, "--report", "report.json"), "--report goes only without --check"),
    (("--check", CARD, "--tag", "vision"), "--tag goes only without --check"),
    (("--report", "report.json", "--output-format", "json"), "--output-format goes only with"),
    (("--report", "report.json", "src", "src"), "one DIR"),
    (("--report", "report.json", "nowhere"), "nowhere is not a directory"),
    (("--report", "nowhere.json", "src"), "nowhere.json: No such file"),
    (("--report", "broken.json", "src"), "is no JSON"),
    (("--report", "report.json", "src", "--tag", "visoin"), "--tag 'visoin' is not known"),
    (("--report", "report.json", "src", "--category", "x"), "--category 'x' is not known"),
    (("--report", "report.json", "src", "--license", "x"), "--license 'x' is not known"),
    (("--report", "report.json", "src", "--pipeline-tag", "x"), "--pipeline-tag 'x' is not known"),
    (("--report", "report.json", "src", "--image", "images/x.png"), "give its bare name"),
    (("--report", "report.json", "src", "--repository", "x"), "'x' is no owner/name"),
    (("--report", "report.json", "src", "-o", "no/card.md"), "no directory"),
    (("--report", "failed.json", "src"), "the status of the report is fail"),
]


@pytest.mark.parametrize(("options", "said"), REFUSED)
def test_what_is_refused(
    options: tuple[str, ...], said: str, hubpub: RunHubpub, folder: Path
) -> None:
    (folder / "broken.json").write_text("{")
    (folder / "failed.json").write_text(json.dumps(two() | {"status": "fail"}))
    before = sorted(folder.iterdir())
    done = hubpub("card", *options, cwd=folder)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(folder.iterdir()) == before


def test_findings_in_every_format(hubpub: RunHubpub, tmp_path: Path) -> None:
    (tmp_path / CARD).write_text(changed(HUB, "tags: [vision]", "tags: [visoin]"))
    (tmp_path / "README.md").write_text(changed(HUGGINGFACE, "license: bsd-3-clause\n", ""))
    done = hubpub("card", "--check", CARD, "README.md", "--output-format", "concise",
                  "--output-format", "sarif:out.sarif", "--output-format", "json:out.json",
                  cwd=tmp_path)  # fmt: skip
    assert done.returncode == 1
    assert done.stdout.splitlines()[0].startswith(f"{CARD}:10:7: error[CARD007] ")
    assert done.stdout.splitlines()[1].startswith("README.md:9:1: warning[CARD102] ")
    assert done.stderr == "1 error, 1 warning\n"
    found = json.loads((tmp_path / "out.json").read_text())["diagnostics"]
    assert [item["code"] for item in found] == ["CARD007", "CARD102"]
    (rule, _) = json.loads((tmp_path / "out.sarif").read_text())["runs"][0]["tool"]["driver"][
        "rules"
    ]
    assert rule["helpUri"].endswith("/docs/card.md#unknown-tag-card007")
    assert "is a list of one or more" in rule["shortDescription"]["text"]
    lenient = hubpub("card", "--check", "README.md", "--fail-on", "error", cwd=tmp_path)
    assert lenient.returncode == 0
    other = hubpub("card", "--check", "README.md", "--format", "hub", cwd=tmp_path)
    assert "CARD017" in other.stdout


def test_a_hostile_card_is_shown_as_text(hubpub: RunHubpub, tmp_path: Path) -> None:
    text = changed(HUB, "title: U-Net", f"title: {json.dumps(HOSTILE.replace(chr(0xDCFF), ''))}")
    (tmp_path / CARD).write_text(text)
    done = hubpub("card", "--check", CARD, cwd=tmp_path)
    assert done.returncode == 1
    assert "\x1b" not in done.stdout + done.stderr
    assert not re.search(r"(?m)^::", done.stdout)


def test_a_rule_is_explained(hubpub: RunHubpub, tmp_path: Path) -> None:
    for name in ("CARD022", "rule-in-body"):
        done = hubpub("rule", name, cwd=tmp_path)
        assert done.returncode == 0
        assert "pytorch/hub scripts/sanity_check.py at c7895df70c77 (2024-04-15)" in done.stdout


WITHOUT = """
import sys
sys.modules[sys.argv[1]] = None
from hubpub.cli import run
sys.exit(run(sys.argv[2:]))
"""


@pytest.mark.parametrize("missing", ["yaml", "markdown_it"])
def test_without_the_extra(missing: str, folder: Path) -> None:
    """Checking says what to install; writing does without it."""
    (folder / "README.md").write_text(HUGGINGFACE)
    (folder / "src" / "CITATION.cff").write_text("title: U-Net\n")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", WITHOUT, missing, "card", *arguments]
        return subprocess.run(command, cwd=folder, capture_output=True, text=True)

    done = run("--check", "README.md")
    assert done.returncode == 2
    assert "pip install 'hubpub[card]'" in done.stderr
    made = run("--report", "report.json", "src", "-o", "card.md", *PEOPLE)
    assert made.returncode == 0, made.stderr
    assert ("CITATION.cff is not read" in made.stderr) == (missing == "yaml")


@pytest.mark.proof
def test_from_a_real_release_to_a_card(prove: Prove, hubpub: RunHubpub, tmp_path: Path) -> None:
    """A repository is verified in the sandbox, and its card is written from that report."""
    proof = prove(
        'def net(size=1):\n    """A net."""\n    import torch\n    return torch.nn.Identity()\n'
    )
    assert proof.report["status"] == "pass"
    done = hubpub("card", "--report", tmp_path / "report.json", *PEOPLE, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "octo_net_net.md").read_text()
    assert 'model = torch.hub.load("octo/net:v1.0", "net", trust_repo=True)\n' in text
    assert "Says of itself: Identity, 0 parameters." in text
    assert f"commit `{proof.report['commit']}`" in text
    assert hubpub("card", "--check", "octo_net_net.md", cwd=tmp_path).returncode == 0


def test_the_report_that_says_anything(hubpub: RunHubpub, folder: Path) -> None:
    write(folder, report(HOSTILE))
    done = hubpub("card", "--report", "report.json", "src", "--allow-unproven", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout + done.stderr


def test_the_page_names_every_flag_and_no_other(hubpub: RunHubpub, tmp_path: Path) -> None:
    text = (ROOT / "docs" / "card.md").read_text(encoding="utf-8").partition("## Rules")[0]
    text = re.sub(
        r"<!--.*?-->|^\$ git .*?$", "", text, flags=re.DOTALL | re.MULTILINE
    )  # no flags of ours
    shown = hubpub("card", "--help", cwd=tmp_path).stdout
    known = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", shown)) - {"--help", "--color"}
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text))
    assert named == known
