"""What documents show: every call is found where it stands, and nothing else is."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubpub.check import fix
from hubpub.config import Settings
from hubpub.source import documents
from hubpub.source.examples import examples
from hubpub.source.facts import HubCall, Place
from hubpub.source.text import Text, of

Row = tuple[str | None, str | None, str | None, str | None]
"""Repository, ref, entrypoint, and the text at ``literal``."""
OR: Row = ("o/r", None, "net", "o/r")
NONE: Row = (None, None, "net", None)


def at(text: Text, place: Place) -> str:
    span = place.span
    begin, end = text.offset(span.line, span.column), text.offset(span.end_line, span.end_column)
    return text.text[begin:end]


def row(text: Text, call: HubCall) -> Row:
    literal = None if call.literal is None else at(text, call.literal)
    return call.repository, call.ref, call.entrypoint, literal


def rows(path: str, shown: str) -> list[Row]:
    text = of(shown)
    found = list(examples(path, text))
    for call in found:
        whole = at(text, call.place)
        assert whole.endswith(")"), whole
        assert whole.split("(")[0].endswith((call.function, "get"))
    return [row(text, call) for call in found]


LOAD = "torch.hub.load(repo, 'net')\n"
NAMES: dict[str, tuple[str, list[Row]]] = {
    "a name": (f"repo = 'o/r'\n{LOAD}", [OR]),
    "with a tag": (f'repo = "o/r:v1"\n{LOAD}', [("o/r", "v1", "net", "o/r:v1")]),
    "annotated": (f"repo: str = 'o/r'\n{LOAD}", [OR]),
    "a tuple": (f"repo, name = 'o/r', 'x'\n{LOAD}", [OR]),
    "a tuple that is unpacked": (f"repo, name = *x, 'x'\n{LOAD}", [NONE]),
    "both": ("repo, m = 'o/r', 'net'\ntorch.hub.load(repo, m)\n", [OR]),
    "bound again": (f"repo = 'a/b'\nrepo = 'o/r'\n{LOAD}", [OR]),
    "bound again to what is not known": (f"repo = 'a/b'\nrepo = find()\n{LOAD}", [NONE]),
    "bound behind": (f"{LOAD}repo = 'o/r'\n", [NONE]),
    "bound between": (
        f"repo = 'a/b'\n{LOAD}repo = 'o/r'\n{LOAD}",
        [("a/b", None, "net", "a/b"), OR],
    ),
    "one line": ("import torch; repo = 'o/r'; torch.hub.load(repo, 'net')\n", [OR]),
    "a comment behind": (f"repo = 'o/r'  # or 'a/b'\n{LOAD}", [OR]),
    "commented out": (f"repo = 'o/r'\n# repo = 'a/b'\n{LOAD}", [OR]),
    "in parentheses": (f"repo = (\n    'o/r'\n)\n{LOAD}", [OR]),
    "an f-string": (
        "owner = 'o'\ntag = 'v1'\ntorch.hub.load(f'{owner}/r:{tag}', 'net')\n",
        [("o/r", "v1", "net", None)],
    ),
    "an f-string of what is not known": ("torch.hub.load(f'o/r:{tag}', 'net')\n", [NONE]),
    "an f-string with a format": ("a = 'o'\ntorch.hub.load(f'{a:>9}/r', 'net')\n", [NONE]),
    "a sum": (
        "tag = 'v1'\nrepo = 'o/r' + ':' + tag\n" + LOAD,
        [("o/r", "v1", "net", None)],
    ),
    "a sum of what is not known": ("torch.hub.load('o/r:' + tag, 'net')\n", [NONE]),
    "two literals": ("torch.hub.load('o/' 'r', 'net')\n", [("o/r", None, "net", None)]),
    "an escape": ("torch.hub.load('o\\x2fr', 'net')\n", [("o/r", None, "net", None)]),
    "raw": ("torch.hub.load(r'o/r', 'net')\n", [OR]),
    "the entrypoint": ("m = 'net'\ntorch.hub.load('o/r', m)\n", [OR]),
    "its own result": ("net = torch.hub.load('o/r', 'net')\n", [OR]),
    "a loop": (
        "name = 'x'\nfor name in ['a', 'b']:\n    torch.hub.load('o/r', name)\n",
        [("o/r", None, None, "o/r")],
    ),
    "a comprehension": (
        "name = 'x'\n[torch.hub.load('o/r', name) for name in names]\n",
        [("o/r", None, None, "o/r")],
    ),
    "a parameter": (f"repo = 'o/r'\ndef f(repo):\n    {LOAD}", [NONE]),
    "a branch": (f"if x:\n    repo = 'o/r'\nelse:\n    repo = 'a/b'\n{LOAD}", [NONE]),
    "below the branch": (f"if x:\n    repo = 'o/r'\n    {LOAD}", [OR]),
    "another branch": (f"if x:\n    repo = 'o/r'\nif y:\n    {LOAD}", [NONE]),
    "added to": (f"repo = 'o/r'\nrepo += ':v1'\n{LOAD}", [NONE]),
    "an argument of another call": (
        "m = 'net'\nf(\n    m='x',\n    repo='a/b'\n)\ntorch.hub.load('o/r', m)\n",
        [OR],
    ),
    "used elsewhere": (f"repo = 'o/r'\nclone(repo)\n{LOAD}", [("o/r", None, "net", None)]),
    "used elsewhere below": (
        f"repo = 'o/r'\n{LOAD}clone(f'x/{{repo}}')\n",
        [("o/r", None, "net", None)],
    ),
    "twice in a call": (
        "repo = 'o/r'\ntorch.hub.load(repo, 'net', path=repo)\n",
        [("o/r", None, "net", None)],
    ),
    "starred": ("torch.hub.load(*args)\n", [(None, None, None, None)]),
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("frame", ["fence", "indented", "doctest", "cell", "docstring", "rst"])
def test_names(name: str, frame: str) -> None:
    code, expected = NAMES[name]
    lines = code.splitlines()
    if frame == "cell":
        source = code.splitlines(keepends=True)
        text = json.dumps({"cells": [{"cell_type": "code", "source": source}]}, indent=1)
        expected = [
            (*item[:3], item[3] if item[3] and item[3] in text else None) for item in expected
        ]
        assert rows("a.ipynb", text) == expected
        return
    shown, path = {
        "fence": (f"# Use\n\n```python\n{code}```\n", "README.md"),
        "indented": ("Use:\n\n" + "".join(f"    {line}\n" for line in lines), "README.md"),
        "doctest": (
            "".join(f"{'... ' if i and line[:1] == ' ' else '>>> '}{line}\n"
                    for i, line in enumerate(lines)), "README",
        ),
        "docstring": (
            '"""Use.\n\n  So:\n' + "".join(f"    {line}\n" for line in lines) + '  """\n', "a.py",
        ),
        "rst": (
            ".. code-block:: python\n\n" + "".join(f"   {line}\n" for line in lines), "README.rst",
        ),
    }[frame]  # fmt: skip
    assert rows(path, shown) == expected
    assert rows(path, shown.replace("\n", "\r\n")) == expected


CALL = 'torch.hub.load("o/r", "net")'
MARKDOWN: dict[str, tuple[str, int]] = {
    "plain": (f"Write {CALL} and go.\n", 1),
    "inline code": (f"Write `{CALL}`.\n", 1),
    "fence": (f"```\n{CALL}\n```\n", 1),
    "tildes": (f"~~~py\n{CALL}\n~~~\n", 1),
    "in a list": (f"1. a\n\n   ```py\n   {CALL}\n   ```\n- `{CALL}`\n", 2),
    "quoted": (f"> ```py\n> {CALL}\n> ```\n", 1),
    "quoted lines": ('> torch.hub.load(\n>   "o/r",\n>   "net",\n> )\n', 1),
    "quoted prompt": (f"> >>> {CALL}\n", 1),
    "a table": (f"| net | `{CALL}` |\n", 1),
    "a comment": (f"<!-- {CALL} -->\n", 0),
    "a comment of lines": (f"<!--\n{CALL}\n\n{CALL}\n-->\n{CALL}\n", 1),
    "a comment in a line": (f"a <!-- {CALL} --> {CALL}\n", 1),
    "a comment around a fence": (f"<!--\n```\n{CALL}\n```\n-->\n", 0),
    "a comment in a fence": (f"```html\n<!-- {CALL} -->\n```\n", 1),
    "a comment without end": (f"a\n\n<!-- old\n\n{CALL}\n", 0),
    "the sign of a comment": (f"Write `<!--` first.\n\n{CALL}\n", 1),
    "the sign in text": (f"a <!-- b\n\n{CALL}\n", 1),
    "an open fence in a quotation": (f"> ```\n> x\n\n<!-- {CALL} -->\n", 0),
    "several lines": ('torch.hub.load(\n  "o/r",  # it\'s (this\n  "net",\n)\n', 1),
    "a mention": ("Use `torch.hub.load()`.\n", 0),
    "a half": ('torch.hub.load("o/r", "net"\n', 0),
    "no Python": ('torch.hub.load("o/r" "net" !)\n', 0),
    "a stand-in": ('torch.hub.load("o/r", "net", weights=<URL/OR/PATH>)\n', 1),
    "a variable of a shell": ('torch.hub.load("o/r", "net", $ARGS)\n', 1),
    "IPython": ('In [1]: torch.hub.load("o/r",\n   ...:                "net")\n', 1),
    "doctest": ('>>> torch.hub.load(\n...     "o/r",\n...     "net",\n... )\n', 1),
    "a shell": ("$ python -c \"import torch; torch.hub.load('o/r', 'net')\"\n", 1),
    "a shell, single quotes": (f"python -c 'import torch; {CALL}'\n", 1),
    "a shell, escapes": ('python -c "import torch; torch.hub.load(\\"o/r\\", \\"net\\")"\n', 1),
    "a shell, no end": ('python -c "torch.hub.load(\\"o/r\\", \\"net\\"" )\n', 0),
    "a shell, a name": (
        "```sh\npython -c \"r = 'o/r'; torch.hub.load(r, 'net')\"\n```\n",
        1,
    ),
    "hub": ('from torch import hub\nhub.load("o/r", "net")\n', 1),
    "hub of an import": ('import torch.hub as hub\nhub.load("o/r", "net")\n', 1),
    "hub without import": ('hub.load("o/r", "net")\n', 1),
    "another hub": ('import tensorflow_hub as hub\nhub.load("o/r", "net")\n', 0),
    "another hub, too": (f'from paddle import hub\nhub.load("o/r", "net")\n{CALL}\n', 1),
    "an alias": ('import torch.hub as th\nth.load("o/r", "net")\n', 1),
    "an alias of torch": ('import torch as t\nt.hub.load("o/r", "net")\n', 1),
    "load": ('from torch.hub import load\nload("o/r", "net")\n', 1),
    "load as": ('from torch.hub import (list, load as get)\nget("o/r", "net")\n', 1),
    "load of no repository": ('from torch.hub import load\nload("a.pth")\nload(x)\n', 0),
    "load without import": ('load("o/r", "net")\n', 0),
    "a hub of another": ('spender.hub.load("o/r", "net")\ngithub.load("o/r")\n', 0),
    "keywords": ("torch.hub.load(repo_or_dir='o/r', model='net')\n", 1),
}


@pytest.mark.parametrize("name", MARKDOWN)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_in_markdown(name: str, end: str) -> None:
    shown, count = MARKDOWN[name]
    assert rows("README.md", shown.replace("\n", end)) == [OR] * count


RST: dict[str, tuple[str, int]] = {
    "literal": (f"Use::\n\n   {CALL}\n", 1),
    "directive": (f".. code-block:: python\n   :linenos:\n\n   {CALL}\n", 1),
    "note": (f".. note:: {CALL}\n", 1),
    "inline": (f"Use ``{CALL}`` or :code:`{CALL}`.\n", 2),
    "a comment": (f".. {CALL}\n\n{CALL}\n", 1),
    "a comment of lines": (f".. old\n   {CALL}\n\n   {CALL}\n\n{CALL}\n", 1),
    "a comment below": (f"..\n   {CALL}\n\n{CALL}\n", 1),
    "an empty comment": (f"..\n\n   {CALL}\n", 1),
    "a footnote": (f".. [1] {CALL}\n", 1),
    "a substitution": (f".. |x| replace:: {CALL}\n", 1),
    "a doctest": ('>>> torch.hub.load("o/r",\n... "net")\n', 1),
}


@pytest.mark.parametrize("name", RST)
def test_in_restructured_text(name: str) -> None:
    shown, count = RST[name]
    assert rows("docs/use.rst", shown) == [OR] * count


def test_comments_of_mdx() -> None:
    assert rows("a.mdx", f"{{/* {CALL} */}}\n{CALL}\n") == [OR]
    assert rows("a.md", f"{{/* {CALL} */}}\n") == [OR]


def test_in_docstrings() -> None:
    text = (
        f"'''A.\n\n>>> {CALL}\n'''\n# {CALL}\nx = \"'''\"\ny = '{CALL}'\n"
        f'def f():\n    """Use.\n\n    >>> torch.hub.load(\n    ...     "o/r", "net")\n    """\n'
        f"    return torch.hub.load('a/b', 'c')\n"
    )
    assert rows("hubconf.py", text) == [OR, OR]
    # A docstring knows nothing of the names in another.
    assert rows("a.py", f'"""\n>>> repo = "o/r"\n"""\n"""\n>>> {LOAD}"""\n') == [NONE]


def notebook(*cells: object, **more: object) -> str:
    content = [{"cell_type": "code", "outputs": [CALL], "source": cell} for cell in cells]
    return json.dumps({"nbformat": 4, "cells": content, **more}, indent=1)


def test_in_notebooks() -> None:
    assert rows("a.ipynb", notebook([f"{CALL}\n", f"# {CALL}"])) == [OR, OR]
    assert rows("a.ipynb", notebook(f"x = 'é\\t😀'\n{CALL}")) == [OR]
    assert rows("a.ipynb", notebook("repo = 'o/r'", LOAD)) == [OR]
    assert rows("a.ipynb", notebook([">>> torch.hub.load(\n", "... 'o/r', 'net')"])) == [OR]
    assert rows("a.ipynb", notebook([f"!python -c '{CALL}'"])) == [OR]
    assert rows("a.ipynb", notebook([CALL]).replace("o/r", "o\\u002fr")) == [
        ("o/r", None, "net", None)
    ]
    old = {"worksheets": [{"cells": [{"cell_type": "code", "input": [CALL]}]}]}
    assert rows("a.ipynb", json.dumps(old)) == [OR]
    hidden = {"cells": [{"source": [f"<!-- {CALL} -->\n", CALL], "cell_type": "markdown"}]}
    assert rows("a.ipynb", json.dumps(hidden)) == [OR]


@pytest.mark.parametrize(
    "text",
    [
        "", "hub", CALL, f'{{"cells": [{{"source": ["{CALL}', '{"cells": "torch.hub.load"}',
        '["torch.hub.load(1)"]', '{"cells": {"source": "hub"}}', "[" * 100_000 + "hub",
        '{"cells": [{"metadata": {"source": "torch.hub.load(1)"}}]}',
        '{"*": [{"source": "torch.hub.load(1)"}], "cells": [["source", "hub"], "hub"]}',
        '{"cells": [{"source": "torch.hub.load(1)", "source": "hub"}]}',
        '{"cells": [{"source": {"*": "torch.hub.load(1)"}}]}',
    ],
)  # fmt: skip
def test_what_is_no_notebook(text: str) -> None:
    assert rows("a.ipynb", text) == []


WRITTEN = {
    "torch.hub.load('o/r', 'x')": True,
    "torch.hub.load('o/r', 'x', trust_repo=True)": True,
    "torch.hub.load('o/r', 'x', trust_repo=None)": False,
    "torch.hub.load('o/r', **k)": False,
    "torch.hub.load(\n    'o/r',\n)": True,
    ">>> torch.hub.load('o/r',\n...     'x')": True,
    ">>> torch.hub.load(\n...     'o/r',\n... )": True,
    "In [1]: torch.hub.load(\n   ...:   'o/r',\n   ...: )": False,
    "> torch.hub.load('o/r',\n>    'x')": True,
    "> torch.hub.load(\n>   'o/r',\n> )": False,
}


@pytest.mark.parametrize("shown", WRITTEN)
def test_where_a_keyword_can_be_added(shown: str) -> None:
    (call,) = examples("README.md", of(f"{shown}\n"))
    assert call.written is WRITTEN[shown]


def test_what_else_a_call_gives() -> None:
    def one(code: str) -> HubCall:
        (call,) = examples("README.md", of(code))
        return call

    assert one("torch.hub.load('.', 'x', source='local')").local
    assert one("torch.hub.load('o/r', 'x', source=where)").local
    assert not one("torch.hub.load('o/r', 'x', source='github')").local
    assert one("torch.hub.load('o/r', 'x', trust_repo=True)").trusted
    assert one("torch.hub.load('o/r', 'x', **options)").trusted
    assert one("torch.hub.load('o/r', ...)").trusted
    assert not one("torch.hub.load('o/r', 'x', trust_repo='check')").trusted
    assert one("torch.hub.load('o/r', 'x', 3)").passes
    assert one("torch.hub.load('o/r', 'x', n=3)").passes
    assert not one("torch.hub.list('o/r', True, True)").passes


DOCUMENTS = {
    "README.md": True, "README": True, "README.rst": True, "README.txt": True,
    "readme.markdown": True,
    "README_zh.md": True, "README.zh-CN.md": True, "README-ja.rst": True, "README _CH.md": True,
    "a/b/c/README.md": True, "a/b/c/d/README.md": False, "USAGE.md": True, "a/USAGE.md": False,
    "docs/a/b/c.rst": True, "doc/x.md": True, "website/docs/x.mdx": True, "hfdocs/x.mdx": True,
    "documentation/x.md": True, "docs/x.txt": False, "docs/requirements.txt": False,
    "use.ipynb": True, "a/b/use.ipynb": True, "a/b/c/use.ipynb": False, "docs/a/b/c/x.ipynb": True,
    ".ipynb_checkpoints/use.ipynb": False, "third_party/x/README.md": False,
    "CHANGELOG.md": False, "changes.rst": False, "HISTORY.md": False,
    "docs/release_notes.md": False,
    "docs/releases/v1.md": False, "NEWS.md": False, "RELEASE.md": False, "docs/whats-new.md": False,
    "exchange.md": True, "newsletter.md": True, "README.py": False, "readmes.md": True,
}  # fmt: skip


@pytest.mark.parametrize("path", DOCUMENTS)
def test_documents(path: str) -> None:
    assert documents.documents([path]) == [path] * DOCUMENTS[path]


# --- whatever a document holds --------------------------------------------------------------------

PIECE = st.sampled_from(
    [
        "torch.hub.load(", "hub.load(", "'o/r'", '"o/r:v1"', "repo", " = ", ", ", ")", "(",
        "\n", "\r",
        "\r\n", "    ", ">>> ", "... ", "> ", "```", "~~~\n", "<!--", "-->", ".. ", "..\n",
        "# ", "\\",
        '\\"', "\0", "😀", "é", "f'{repo}'", "for repo in x", "repo = 'o/r'\n",
        "import torch as t\n",
        "from torch.hub import load\n", "load('o/r', repo)\n", '"""', "'''", "In [1]: ",
        "`", "{/*", "\t",
        "python -c \"", ";", "torch.hub.load(repo, 'net')\n", "<x>", "$X", "[", "{",
        "\x0c", "\u2028",
    ]
)  # fmt: skip
SHOWN = st.lists(st.one_of(PIECE, PIECE, PIECE, st.text(max_size=5)), max_size=40).map("".join)
PATHS = st.sampled_from(["README.md", "a.mdx", "README.rst", "README", "a.py"])


def judge(path: str, shown: str) -> None:
    text = of(shown)
    for call in examples(path, text):
        if not path.endswith(".ipynb"):
            whole = at(text, call.place)
            assert whole.endswith(")")
            assert whole.startswith(("torch.hub.", "hub.", "t.hub.", "load"))
        if call.literal is not None:
            named = at(text, call.literal)
            assert named == (call.repository or "") + (
                f":{call.ref}" if call.ref is not None else ""
            )


@given(PATHS, SHOWN)
def test_any_text(path: str, shown: str) -> None:
    judge(path, shown)


@given(st.lists(SHOWN, max_size=4), st.booleans(), st.integers(0, 2), st.data())
def test_any_notebook(cells: list[str], lines: bool, indent: int, data: st.DataObject) -> None:
    sources = [cell.splitlines(keepends=True) if lines else cell for cell in cells]
    content = [{"cell_type": "code", "source": source} for source in sources]
    text = json.dumps({"cells": content}, indent=indent, ensure_ascii=data.draw(st.booleans()))
    judge("a.ipynb", text)
    judge("a.ipynb", text[: data.draw(st.integers(0, len(text)))])


SIZE = 1 << 18
SLOW = [
    "hub.load(", "hub.load(a", "hub.load('", 'hub.load(\\"', "hub.load(x)\n", "hub.load(a,'b')\n",
    "a=hub.load(a)\n", "hub.load(f'{a}')\na=b\n", "a=(\n", "a = a + 'x'\n", "<!-- ",
    "`<!--`", "> > > ",
    "```\n~~~\n", ".. a\n b\n", "..\n\n", "\\'''", '\\"\n', "import a, b, c\n",
    "for a in b ", "(", "\\", " ",
    "hub.load(a);a='x/y';", "def f(a", "hub.load(<a>,$b, 'c d')\n", "a,\n#,\na=1\n", "\t;",
    "{/*", "-c'a=",
]  # fmt: skip


@pytest.mark.parametrize("piece", SLOW)
def test_time_follows_size(piece: str) -> None:
    for path in ("README.md", "a.py", "a.ipynb"):
        assert seconds(path, piece, SIZE) < 8


def test_a_document_of_beginnings() -> None:
    assert seconds("README.md", "hub.load(", 2 << 20) < 8


def seconds(path: str, piece: str, size: int) -> float:
    shown = f"hub.load(a, f'{{b}}')\n{piece * (size // len(piece))}"
    if path == "a.ipynb":
        shown = notebook(shown, shown[: size // 2].splitlines(keepends=True))
    elif path == "a.py":
        shown = f'"""{shown}"""\n{shown}'
    text = of(shown)
    start = time.process_time()
    for _ in examples(path, text):
        pass
    return time.process_time() - start


# --- what fixes do in notebooks -------------------------------------------------------------------


def publisher(root: Path, files: dict[str, str]) -> Path:
    root.mkdir()
    hubconf = 'dependencies = ["torch"]\n\n\ndef net():\n    """A net."""\n    return 1\n'
    for path, text in {"hubconf.py": hubconf, **files}.items():
        (root / path).write_text(text, encoding="utf-8")
    for words in (
        ("init", "-q"), ("remote", "add", "origin", "https://github.com/o/r"), ("add", "."),
        ("-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-q", "-m", "a"), ("tag", "v1.0"),
    ):  # fmt: skip
        subprocess.run(["git", "-C", str(root), *words], check=True, capture_output=True)
    return root


@pytest.mark.parametrize("lines", [True, False])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_a_fixed_notebook_differs_in_nothing_else(
    lines: bool, ascii_only: bool, tmp_path: Path
) -> None:
    code = f"# é 😀 \"\n{CALL}\nm = hub.load('o/r',\n  \"net\",\n)\nrepo = 'o/r'\n{LOAD}"
    new = code.replace("o/r", "o/r:v1.0")
    sources = [item.splitlines(keepends=True) if lines else item for item in (code, new)]
    before, after = (notebook(item, "1", metadata={"a": [1]}) for item in sources)
    before = json.dumps(json.loads(before), indent=1, ensure_ascii=ascii_only)
    root = publisher(tmp_path / "r", {"use.ipynb": before})
    fix(root, Settings(select=("HUB302",)))
    assert json.loads((root / "use.ipynb").read_text(encoding="utf-8")) == json.loads(after)


def test_a_named_repository_is_pinned_where_it_is_bound(tmp_path: Path) -> None:
    shown = f"```python\nrepo = 'o/r'\n{LOAD}{LOAD}```\n"
    root = publisher(tmp_path / "r", {"README.md": shown})
    fix(root, Settings(select=("HUB302",)))
    assert (root / "README.md").read_text() == shown.replace("o/r", "o/r:v1.0")
