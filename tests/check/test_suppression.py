"""Suppression and selection: what is hidden, what is said of comments that hide nothing."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from hubpub import check
from hubpub.config import Settings
from publishing import Files, write_files

NET = 'dependencies = ["torch"]\n\n\ndef net():\n    return object()\n'
README = '# net\n\n```python\ntorch.hub.load("octo/net", "net", trust_repo=True)\n```\n'
SELECTED = Settings(select=("HUB0", "HUB201", "HUB302"))


def judge(root: Path, files: Files, settings: Settings = SELECTED) -> list[str]:
    write_files(root, {"hubconf.py": NET, **files})
    found = check.check(root, settings).diagnostics
    return [f"{item.path}:{item.span.line} {item.code}" for item in found]


def test_what_there_is_to_suppress(tmp_path: Path) -> None:
    found = judge(tmp_path, {"README.md": README})
    assert found == ["README.md:4 HUB302", "hubconf.py:4 HUB201"]


@pytest.mark.parametrize(
    "readme",
    [
        f"<!-- hubpub: file-ignore[HUB302] not released -->\n{README}",
        README.replace("```py", "<!-- hubpub: ignore[HUB302] not released -->\n```py"),
        README.replace("```py", "<!-- hubpub: ignore[unpinned-example] -->\n\n```py"),
        README.replace(
            "```py", "<!-- hubpub: ignore[HUB201] -->\n<!-- hubpub: ignore[HUB302] -->\n```py"
        ),
    ],
)
def test_a_document(readme: str, tmp_path: Path) -> None:
    found = judge(tmp_path, {"README.md": readme})
    assert [item for item in found if "HUB002" not in item] == ["hubconf.py:4 HUB201"]


def test_a_page_about_comments_has_none(tmp_path: Path) -> None:
    page = "`<!-- hubpub: ignore[HUB302] x -->`\n\n```\n<!-- hubpub: ignore[HUB302] x -->\n```\n"
    assert judge(tmp_path, {"README.md": page}) == ["hubconf.py:4 HUB201"]


UNUSED: Files = {
    "hubconf.py": NET.replace("net():", "net():  # hubpub: ignore[HUB201, HUB203, HUB402] why")
}


@pytest.mark.parametrize(
    ("select", "expected"),
    [
        (("ALL",), "HUB203, HUB402"),
        (("HUB002", "HUB201", "HUB203"), "HUB203"),
        (("HUB002", "HUB201"), None),
        (("HUB201", "HUB203", "HUB402"), None),  # HUB002 itself is not selected
        (("HUB002",), "HUB203, HUB402"),  # nothing else is: then all comments are meant
        (("unused-ignore",), "HUB203, HUB402"),
    ],
)
def test_a_comment_is_unused_only_where_its_rule_ran(
    select: tuple[str, ...], expected: str | None, tmp_path: Path
) -> None:
    write_files(tmp_path, {"LICENSE": "x", **UNUSED})
    found = check.check(tmp_path, Settings(select=select)).diagnostics
    said = [item.message for item in found if item.code == "HUB002"]
    wanted = f"nothing here needs to be suppressed for {expected}"
    assert said == ([] if expected is None else [wanted])


@pytest.mark.parametrize(
    "files",
    [
        {"hubconf.py": "def net(:  # hubpub: ignore[HUB201] why\n"},
        {"hubconf.py": f"import nets  # hubpub: ignore[HUB203] why\n{NET}", "nets.py": "def (:\n"},
    ],
)
def test_nothing_is_unused_while_a_file_cannot_be_read(files: Files, tmp_path: Path) -> None:
    assert not [item for item in judge(tmp_path, files) if "HUB002" in item]


def test_a_comment_names_whole_codes(tmp_path: Path) -> None:
    files = {"hubconf.py": NET.replace("net():", "net():  # hubpub: ignore[HUB2, ALL] why")}
    write_files(tmp_path, files)
    found = check.check(tmp_path, SELECTED).diagnostics
    assert [item.code for item in found] == ["HUB201", "HUB003"]
    assert found[1].message.startswith("'HUB2', 'ALL' names several rules")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x = 1  # hubpub: ignore[HUB203] why\n", "x = 1\n"),
        ("x = 1  # hubpub: ignore[HUB203] why  # noqa\n", "x = 1  # noqa\n"),
        ("x = 1  # noqa  # hubpub: ignore[HUB203] why\n", "x = 1  # noqa\n"),
        ("# hubpub: ignore[HUB203] why\nx = 1\n", "x = 1\n"),
        ("x = 1\n    # hubpub: ignore[HUB203] why", "x = 1\n"),
        ("x = 1\r\n# hubpub: ignore[HUB203]\r\n", "x = 1\r\n"),
    ],
)
def test_an_unused_comment_goes_and_nothing_else(before: str, after: str, tmp_path: Path) -> None:
    text = f'dependencies = ["torch"]\ndef net():\n    "A net."\n{before}'
    write_files(tmp_path, {"hubconf.py": text})
    fixed = check.fix(tmp_path, Settings(select=("HUB002",)))
    assert fixed.result.diagnostics == ()
    found = (tmp_path / "hubconf.py").read_bytes().decode()
    assert found == f'dependencies = ["torch"]\ndef net():\n    "A net."\n{after}'


def test_an_unused_comment_of_a_document_goes(tmp_path: Path) -> None:
    comment = "<!-- hubpub: ignore[HUB302] why -->"
    text = f"# net\n\n{comment}\nno example\n\nhere {comment} is more\n"
    write_files(tmp_path, {"hubconf.py": NET, "README.md": text})
    check.fix(tmp_path, Settings(select=("HUB002",)))
    assert (tmp_path / "README.md").read_text() == "# net\n\nno example\n\nhere is more\n"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (Settings(select=("ALL",)), True),
        (Settings(select=("all",)), True),
        (Settings(ignore={"ALL": ""}), False),
        (Settings(select=("HUB201",), ignore={"ALL": ""}), True),
        (Settings(select=("ALL",), ignore={"HUB2": ""}), False),
        (Settings(select=("ALL", "HUB201"), ignore={"HUB2": ""}), True),
        (Settings(extend_select=("missing-docstring",), ignore={"HUB2": ""}), True),
    ],
)
def test_all(settings: Settings, expected: bool, tmp_path: Path) -> None:
    assert ("hubconf.py:4 HUB201" in judge(tmp_path, {}, settings)) is expected


def test_an_unknown_rule_of_the_configuration_has_its_line(tmp_path: Path) -> None:
    from hubpub import config

    table = '[project]\nname = "net"\n[tool.hubpub]\nselect = [\n  "ALL",\n  "HUB999",\n]\n'
    write_files(tmp_path, {"hubconf.py": NET, "pyproject.toml": table})
    found = [
        item
        for item in check.check(tmp_path, config.load(tmp_path)).diagnostics
        if item.code == "HUB003"
    ]
    assert [(item.path, item.span.line) for item in found] == [("pyproject.toml", 6)]


@pytest.mark.parametrize(
    "comment",
    [
        "# hubpub: ignore[HUB201]\n",
        "# hubpub: ignore[HUB9999x]\n",
        f"# hubpub: ignore[{','.join(f'x{n}' for n in range(90))}]\n",
    ],
)
def test_many_comments_cost_little(comment: str, tmp_path: Path) -> None:
    text = comment * 3_000 + NET + "def a(): pass\n" * 300
    write_files(tmp_path, {"hubconf.py": text})
    start = time.process_time()
    check.check(tmp_path, SELECTED)
    assert time.process_time() - start < 30
