"""``--add-ignore``: afterwards the check is clean, and nothing but comments was written."""

from __future__ import annotations

import ast
from pathlib import Path

import hypothesmith
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from hubpub import check
from hubpub.config import Settings
from hubpub.diagnostic import FILE_START, Span
from hubpub.errors import UsageError
from hubpub.source import suppressing, text
from hubpub.source.suppressing import Wanted
from publishing import write_files

W = "# hubpub: ignore[HUB201] why"
PYTHON = {
    "a line": ("def f(): pass\n", 1, f"def f(): pass  {W}\n"),
    "a line with a comment": ("x = 1  # noqa\n", 1, f"x = 1  # noqa  {W}\n"),
    "a comment of ours": (
        "x = 1  # hubpub: ignore[HUB402] then\n",
        1,
        "x = 1  # hubpub: ignore[HUB402, HUB201] then; why\n",
    ),
    "a comment with the same reason": (
        "x = 1  # hubpub: ignore[HUB402] why\n",
        1,
        "x = 1  # hubpub: ignore[HUB402, HUB201] why\n",
    ),
    "a comment of ours above": (
        "# hubpub: ignore[HUB402]\nx = 1\n",
        2,
        "# hubpub: ignore[HUB402, HUB201] why\nx = 1\n",
    ),
    "a later line of a statement": ("x = f(\n    1,\n)\n", 2, f"x = f(  {W}\n    1,\n)\n"),
    "a string of several lines": (
        "def f():\n    x = '''\na\n'''\n",
        3,
        f"def f():\n    {W}\n    x = '''\na\n'''\n",
    ),
    "a docstring": (
        'def f():\n    """A.\n    B."""\n',
        3,
        f'def f():\n    {W}\n    """A.\n    B."""\n',
    ),
    "a backslash": ("x = 1 + \\\n    2\n", 2, f"{W}\nx = 1 + \\\n    2\n"),
    "a header of several lines": (
        "def f(\n    a,\n):\n    pass\n",
        2,
        f"def f(  {W}\n    a,\n):\n    pass\n",
    ),
    "no newline at the end": ("x = 1", 1, f"x = 1  {W}"),
    "crlf": ("x = 1\r\ny = 2\r\n", 1, f"x = 1  {W}\r\ny = 2\r\n"),
    "crlf above": ("x = '''\r\n'''\r\n", 2, f"{W}\r\nx = '''\r\n'''\r\n"),
    "tabs": ("if x:\n\ty = '''\n'''\n", 2, f"if x:\n\t{W}\n\ty = '''\n'''\n"),
    "an f-string": ("x = f'''\n{y}\n'''\n", 2, f"{W}\nx = f'''\n{{y}}\n'''\n"),
}


@pytest.mark.parametrize("case", PYTHON)
def test_python(case: str) -> None:
    before, line, after = PYTHON[case]
    wanted = [Wanted("HUB201", Span(line, 1, line, 2))]
    assert suppressing.add("a.py", text.of(before), wanted, "why") == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("import os\n", "{}\nimport os\n"),
        ("#!/usr/bin/python\nimport os\n", "#!/usr/bin/python\n{}\nimport os\n"),
        (
            "#!/usr/bin/python\n# -*- coding: utf-8 -*-\nimport os\n",
            "#!/usr/bin/python\n# -*- coding: utf-8 -*-\n{}\nimport os\n",
        ),
        ("\n# vim: set fileencoding=utf-8\n", "\n# vim: set fileencoding=utf-8\n{}\n"),
        ('"""Doc."""\n', '{}\n"""Doc."""\n'),
    ],
)
def test_a_whole_python_file(before: str, after: str) -> None:
    wanted = [Wanted("HUB005", FILE_START)]
    made = suppressing.add("a.py", text.of(before), wanted, "why")
    assert made == after.format("# hubpub: file-ignore[HUB005] why")


H = "<!-- hubpub: ignore[HUB302] why -->"
DOCUMENTS = {
    "a paragraph": ("a.md", "# T\n\na\nb\n", 4, f"# T\n\n{H}\na\nb\n"),
    "a fence": ("a.md", "a\n\n```py\nx\n\ny\n```\n", 6, f"a\n\n{H}\n```py\nx\n\ny\n```\n"),
    "a list": (
        "a.md",
        "- a\n\n- b\n\n  ```\n  c\n  ```\n",
        6,
        f"{H}\n- a\n\n- b\n\n  ```\n  c\n  ```\n",
    ),
    "a numbered list": ("a.md", "1. a\n2. b\n", 2, f"{H}\n1. a\n2. b\n"),
    "a table": ("a.md", "t\n\n| a |\n| - |\n| b |\n", 5, f"t\n\n{H}\n| a |\n| - |\n| b |\n"),
    "indented code": ("a.md", "t\n\n    a\n\n    b\n", 5, f"{H}\nt\n\n    a\n\n    b\n"),
    "a comment of ours": (
        "a.md",
        "<!-- hubpub: ignore[HUB305] then -->\na\n",
        2,
        "<!-- hubpub: ignore[HUB305, HUB302] then; why -->\na\n",
    ),
    "front matter": ("a.md", "---\na: b\n---\ntext\n", 4, f"---\na: b\n---\n{H}\ntext\n"),
    "inside front matter": ("a.md", "---\na: b\n---\ntext\n", 2, None),
    "crlf": ("a.md", "a\r\n\r\nb\r\n", 3, f"a\r\n\r\n{H}\r\nb\r\n"),
    "rst": (
        "a.rst",
        "T\n=\n\nUse::\n\n    a\n\n    b\n",
        8,
        "T\n=\n\n.. hubpub: ignore[HUB302] why\n\nUse::\n\n    a\n\n    b\n",
    ),
    "toml": ("a.toml", "[a]\nb = 1\n", 2, "[a]\n# hubpub: ignore[HUB302] why\nb = 1\n"),
    "toml in a string": ("a.toml", "a = '''\nb\n'''\n", 2, None),
    "toml that is none": ("a.toml", "a = \n", 1, None),
    "requirements": ("requirements.txt", "a\nb\n", 2, "a\n# hubpub: ignore[HUB302] why\nb\n"),
    "a continued line": ("requirements.txt", "a \\\nb\n", 2, None),
    "a notebook": ("a.ipynb", "{}\n", 1, None),
    "json": ("a.json", "{}\n", 1, None),
    "python that is none": ("a.py", "def (\n", 1, None),
    "a line that is not there": ("a.md", "a\n", 9, None),
    "nothing": ("a.md", "", 1, None),
}


@pytest.mark.parametrize("case", DOCUMENTS)
def test_documents(case: str) -> None:
    path, before, line, after = DOCUMENTS[case]
    wanted = [Wanted("HUB302", Span(line, 1, line, 2))]
    assert suppressing.add(path, text.of(before), wanted, "why") == after


@pytest.mark.parametrize(
    "reason", ["", "  ", "a\nb", "a --> b", "a # b", "coding: utf-7", "a\x1b[31m", "a\u202eb"]
)
def test_a_reason_that_would_break_a_comment(reason: str, tmp_path: Path) -> None:
    write_files(tmp_path, {"hubconf.py": "def f(): pass\n"})
    with pytest.raises(UsageError, match="the reason cannot be written"):
        check.add_ignores(tmp_path, Settings(), reason)


REPOSITORY = {
    "hubconf.py": (
        "import numpy\nfrom pathlib import Path\nfrom nets import deep\n\n\n"
        "def net():\n    return numpy\n\n\n"
        "def load():\n    import torch\n    return torch.load(\n        'a.pth'\n    )\n"
    ),
    "nets.py": "import yaml\ndef deep(): return 1 + \\\n    yaml.x\n",
    "README.md": "# net\n\n- like this:\n\n      torch.hub.load('octo/net', 'net')\n",
    "docs/a.rst": "Use::\n\n    torch.hub.load('octo/net', 'net')\n",
    "a.ipynb": '{"cells": [{"source": [\n"torch.hub.load(\'octo/net\', \'net\')"\n]}]}\n',
}


def test_a_repository(tmp_path: Path) -> None:
    write_files(tmp_path, REPOSITORY)
    settings = Settings(select=("HUB1", "HUB2", "HUB302", "HUB411", "HUB0"))
    before = check.check(tmp_path, settings)
    done = check.add_ignores(tmp_path, settings, "we know")
    after = check.check(tmp_path, settings)
    assert done.result.diagnostics == after.diagnostics
    assert {(item.path, item.code) for item in after.diagnostics} == {("a.ipynb", "HUB302")}
    assert done.suppressed == len(before.diagnostics) - len(after.diagnostics)
    where = "in pyproject.toml below [tool.hubpub.ignore]"
    said = f'a.ipynb: no comment can suppress HUB302 there; {where} write HUB302 = "we know"'
    assert done.left == (said,)
    for path in done.changed:
        lines = (tmp_path / path).read_text().split("\n")
        signs = ("# hubpub:", "<!-- hubpub:", ".. hubpub:")
        kept = [line for line in lines if not line.lstrip().startswith(signs)]
        bare = "\n".join(line.partition("  # hubpub:")[0] for line in kept)
        assert bare.lstrip("\n") == REPOSITORY[path], path
    again = check.add_ignores(tmp_path, settings, "we know")
    assert (again.changed, again.suppressed) == ((), 0)


def test_findings_about_comments_are_not_suppressed(tmp_path: Path) -> None:
    content = 'dependencies = ["torch"]  # hubpub: ignore[HUB105, HUB999] x\n\ndef f(): "F."\n'
    write_files(tmp_path, {"hubconf.py": content})
    done = check.add_ignores(tmp_path, Settings(select=("HUB0", "HUB1")), "why")
    assert done.changed == ()
    assert [line.partition(";")[2] for line in done.left] == [
        " correct the name of the rule" if "HUB003" in line else " --fix removes the comment"
        for line in done.left
    ]
    assert len(done.left) == 2


SOME = st.lists(
    st.sampled_from(
        [
            "import numpy as _n; import yaml as _y",
            "from pathlib import Path",
            "def net(a,\n        b=(1,\n           2)): return a",
            "class Net(object):\n    '''A\n    net.'''",
            "if 1:\n  def inner(\n      ):\n    '''\n    torch.hub.load('a/b', 'c')\n    '''",
            "def other(): \\\n    return 1",
            "@(lambda f:\n    f)\n@(lambda f: f)\ndef decorated(): return 1",
            "# hubpub: ignore[HUB201, HUB203] then\ndef third(): pass",
            "x = f'''\n{1}''' ; y = 2  # a comment",
        ]
    ),
    max_size=5,
    unique=True,
)


@pytest.mark.filterwarnings("ignore::SyntaxWarning", "ignore::DeprecationWarning")
@settings(max_examples=30, suppress_health_check=list(HealthCheck))
@given(SOME, hypothesmith.from_grammar(), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_any_module(
    tmp_path_factory: pytest.TempPathFactory, parts: list[str], strange: str, end: str, first: bool
) -> None:
    around = [strange, *parts] if first else [*parts, strange]
    data = "\n".join(around).replace("\r", "").replace("\n", end).encode("utf-8", "replace")
    assume(b"\0" not in data)
    root = tmp_path_factory.mktemp("r")
    write_files(root, {"hubconf.py": data})
    chosen = Settings(select=("HUB002", "HUB1", "HUB2", "HUB3"))
    cleaned = check.fix(root, Settings(select=("HUB002",))).result
    assume(cleaned.repo.hubconf is not None)
    data = (root / "hubconf.py").read_bytes()
    done = check.add_ignores(root, chosen, "why")
    after = (root / "hubconf.py").read_bytes()
    assert check.check(root, chosen).diagnostics == done.result.diagnostics
    assert done.problems == ()
    if not done.changed:
        assert after == data
        return
    assert ast.dump(ast.parse(data)) == ast.dump(ast.parse(after))
    assert done.result.diagnostics == ()
    assert done.left == ()
