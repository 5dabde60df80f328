"""Every rule's documentation is its test: the fenced blocks become repositories."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest

from hubpub import check, rules, source
from hubpub.config import Settings
from hubpub.source.facts import Answer
from publishing import AROUND, Repository, write_files

RULES = rules.all_rules()
UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
WITHOUT_HUBCONF = {"HUB004"}
"""Rules whose examples have no hubconf.py at the root on purpose."""
WITHOUT = {"HUB605": {"LICENSE"}}
"""Files of :data:`publishing.AROUND` that a rule's example lacks on purpose."""
PLAIN = """dependencies = ["torch"]


def tiny():
    '''A tiny network.'''
    return object()
"""


def build(root: Path, rule: rules.Rule, heading: str) -> Path:
    """The repository that the blocks below ``heading`` describe."""
    blocks = rule.blocks(heading)
    assert blocks, f"{rule.code} has no {heading}"
    root.mkdir()
    for block in blocks:
        if block.language == "tree":
            for line in block.text.splitlines():
                path, amount, unit = line.split()
                place = root / path
                place.parent.mkdir(parents=True, exist_ok=True)
                with place.open("wb") as file:
                    file.truncate(int(amount) * UNITS[unit])  # sparse: takes no space
        elif block.language == "git":
            clone(root, block.text)
        else:
            place = root / block.file
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(block.text, encoding="utf-8")
    files = {block.file for block in blocks}
    named = {path for block in blocks for path in (block.file, *block.text.split())}
    for path, text in AROUND.items():
        if path not in named and not (heading == "Example" and path in WITHOUT.get(rule.code, ())):
            write_files(root, {path: text})
    if "hubconf.py" not in files and not (rule.code in WITHOUT_HUBCONF and heading == "Example"):
        (root / "hubconf.py").write_text(PLAIN, encoding="utf-8")
    return root


def clone(root: Path, text: str) -> None:
    """Make ``root`` a clone that has what each line says: a remote, a tag, a branch, the default.

    Without a branch the remote has main, which is then the default.
    """
    lines = [line.split() for line in text.splitlines()]
    repository = Repository(root, root.parent / "home")
    repository.git("init", "--quiet")
    repository.git("commit", "--quiet", "--allow-empty", "--message", "first")
    if not any(kind in {"branch", "default"} for kind, _ in lines):
        lines += [["branch", "main"], ["default", "main"]]
    for kind, name in lines:
        remote = f"refs/remotes/origin/{name}"
        if kind == "remote":
            repository.git("remote", "add", "origin", name)
        elif kind == "tag":
            repository.git("tag", name)
        elif kind == "branch":
            repository.git("update-ref", remote, "HEAD")
        else:
            repository.git("symbolic-ref", "refs/remotes/origin/HEAD", remote)


def judged(root: Path, settings: Settings | None = None) -> check.CheckResult:
    """A check; ``answers.txt`` says what the hosts of checkpoints would: a URL and a status each.

    A status of 200 comes with a file of a megabyte.
    """
    answers = {}
    if (root / "answers.txt").exists():
        for line in (root / "answers.txt").read_text().splitlines():
            url, status = line.split()
            answers[url] = Answer(int(status), 1 << 20 if status == "200" else None)
    repo = replace(source.read(root), answers=MappingProxyType(answers))
    return check.judge(repo, settings or Settings())


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_example_raises_exactly_this_code(rule: rules.Rule, tmp_path: Path) -> None:
    result = judged(build(tmp_path / "r", rule, "Example"))
    assert {item.code for item in result.diagnostics} == {rule.code}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_use_instead_is_clean(rule: rules.Rule, tmp_path: Path) -> None:
    result = judged(build(tmp_path / "r", rule, "Use instead"))
    assert result.diagnostics == ()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_fixed_example_is_clean(rule: rules.Rule, tmp_path: Path) -> None:
    root = build(tmp_path / "r", rule, "Example")
    before = judged(root)
    fixable = [item for item in before.diagnostics if item.fix is not None]
    # A rule that speaks of its fix has one in its example, and the other way round.
    assert bool(fixable) == bool(rule.section("Fix safety"))
    safe = [item for item in fixable if item.fix is not None and item.fix.safe]
    fixed = check.fix(root)
    if fixable and len(safe) < len(fixable):
        # An unsafe fix is for people to take; it mends all the same.
        assert check.fix(root, unsafe=True).result.diagnostics == ()
    elif fixable:
        assert fixed.result.diagnostics == ()
    assert check.fix(root, unsafe=True).changed == {}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_document_has_its_headings_in_order(rule: rules.Rule) -> None:
    found = re.findall(r"^## (.+)$", rule.document, flags=re.MULTILINE)
    wanted = [heading for heading in rules.SECTIONS if heading in found]
    assert found == wanted
    required = ["What it does", "Why is this bad?", "Example", "Use instead"]
    assert [heading for heading in found if heading in required] == required
    for heading in found:
        assert rule.section(heading)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_rule_can_be_left_out_by_code_prefix_and_name(rule: rules.Rule, tmp_path: Path) -> None:
    root = build(tmp_path / "r", rule, "Example")
    for selector in (rule.code, rule.code[:5], rule.name):
        settings = Settings(ignore={selector: "reason"})
        assert judged(root, settings).diagnostics == ()
        only = Settings(select=(selector,))
        assert {item.code for item in judged(root, only).diagnostics} == {rule.code}


def test_codes_and_names_are_unique_and_well_formed() -> None:
    assert len({rule.name for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert re.fullmatch(r"HUB\d{3}", rule.code)
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", rule.name)
        assert rule.summary.endswith(".")
