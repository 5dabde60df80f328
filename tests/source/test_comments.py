"""Suppression comments: what is one, what it speaks for, and that hostile files cost no time."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubpub.source import blocks, comments, logical, text

I = "hubpub: ignore[HUB201]"  # noqa: E741


def spoken(path: str, content: str) -> list[tuple[int, list[int]]]:
    """For each comment of ``content`` its line and the lines that it speaks for."""
    found = comments.read(path, text.of(content))
    return [(item.place.span.line, list(item.lines)) for item in found]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (f"x = 1  # {I}\ny = 2\n", [(1, [1])]),
        (f"# {I}\nx = 1\n", [(1, [1, 2])]),
        (f"# {I}\n\nx = 1\n", [(1, [1, 2])]),
        (f"# {I}\n# more\nx = 1\n", [(1, [1, 2, 3])]),
        (f"x = f(  # {I}\n    1,\n)\n", [(1, [1, 2, 3])]),
        (f"x = f(\n    1,  # {I}\n)\n", [(2, [2])]),
        (f"x = f(\n    # {I}\n    1,\n)\n", [(2, [2, 3])]),
        (f"if (a and  # {I}\n        b):\n    c\n", [(1, [1, 2])]),
        (f"def f(  # {I}\n    a,\n):\n    pass\n", [(1, [1, 2, 3])]),
        (f"@d  # {I}\n@e(\n1)\ndef f(\n    a):\n    pass\n", [(1, [1, 2, 3, 4, 5])]),
        (f"@d\ndef f():  # {I}\n    pass\n", [(2, [2])]),
        (f"def f():\n    # {I}\n    '''A\n    B.'''\n", [(2, [2, 3, 4])]),
        (f"x = 1 \\\n    + 2  # {I}\n", [(2, [2])]),
        (f"x = '# {I}'\n", []),
        (f"'''\n# {I}\n'''\n", []),
        (f"x = '# {I}'  # {I}\n", [(1, [1])]),
        (f"x = 1  # noqa: E501  # {I} why  # type: ignore\n", [(1, [1])]),
        (f"x = 1  # not {I}\n", []),
        ("# hubpub: file-ignore[HUB201]\nx = 1\n", [(1, [])]),
    ],
)
def test_python(content: str, expected: list[tuple[int, list[int]]]) -> None:
    assert spoken("a.py", content) == expected


M = f"<!-- {I} why -->"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (f"{M}\ntext\nmore\n\nlast\n", [(1, [1, 2, 3])]),
        (f"{M}\n\ntext\nmore\n\nlast\n", [(1, [1, 2, 3, 4])]),
        (f"{M}\n{M}\ntext\n", [(1, [1, 2, 3]), (2, [2, 3])]),
        (f"some {M} text\nmore\n", [(1, [1])]),
        (f"{M}\n```python\na\n\nb\n```\n\nend\n", [(1, [1, 2, 3, 4, 5, 6])]),
        (f"{M}\n- a\n\n- b\n\n  c\n\nend\n", [(1, [1, 2, 3, 4, 5, 6])]),
        (f"{M}\n1. a\n\n   ```\n\n   b\n   ```\n\n2. c\n", [(1, list(range(1, 10)))]),
        (f"{M}\n| a | b |\n| - | - |\n| c | d |\n\nend\n", [(1, [1, 2, 3, 4])]),
        (f"```\n{M}\n```\n", []),
        (f"write `{M}` there\n", []),
        (f"~~~\n```\n{M}\n~~~\n{M}\nend\n", [(5, [5, 6])]),
        (f"---\ntitle: x\n---\n{M}\n# Net\n", [(4, [4, 5])]),
        (M, [(1, [1])]),
    ],
)
def test_markdown(content: str, expected: list[tuple[int, list[int]]]) -> None:
    assert spoken("README.md", content) == expected


@pytest.mark.parametrize(
    ("path", "content", "expected"),
    [
        ("README.rst", f".. {I} why\n\nUse::\n\n    a\n\n    b\n\nend\n", [(1, list(range(1, 8)))]),
        ("README.rst", f"text .. {I}\n", []),
        ("pyproject.toml", f"# {I}\na = 1\nb = 2\n", [(1, [1, 2])]),
        ("pyproject.toml", f"a = 1 # {I}\n", [(1, [1])]),
        ("pyproject.toml", f'a = "# {I}"\n', []),
        ("requirements.txt", f"numpy # {I}\n", [(1, [1])]),
        (".gitattributes", f"# {I}\n*.pth export-ignore\n", [(1, [1, 2])]),
        ("nets.ipynb", f'{{"source": "# {I}"}}', []),
    ],
)
def test_other_files(path: str, content: str, expected: list[tuple[int, list[int]]]) -> None:
    assert spoken(path, content) == expected


def test_what_a_comment_holds() -> None:
    (found,) = comments.read("a.py", text.of("x = 1  # hubpub:ignore[ HUB1 , a-name ] why  # b\n"))
    assert (found.selectors, found.reason, found.file) == (("HUB1", "a-name"), "why", False)
    assert (found.place.span.column, found.place.span.end_column) == (8, 44)
    (found,) = comments.read("a.md", text.of("a <!-- hubpub: file-ignore[HUB1] why not --> b\n"))
    assert (found.reason, found.file) == ("why not", True)
    assert (found.place.span.column, found.place.span.end_column) == (3, 45)


HOSTILE = {
    "beginnings": ("a.md", "<!-- hubpub: ignore[HUB201] " * 20_000),
    "open brackets": ("a.md", "<!-- hubpub: ignore[" * 20_000),
    "one line of comments": ("a.md", f"x {M}" * 30_000),
    "backticks": ("a.md", f"` {M}" * 30_000),
    "lines of comments": ("a.md", f"{M}\n" * 30_000),
    "a comment left open": ("a.md", f"{M}\n" + "<!--\n\n" * 20_000),
    "fences": ("a.md", f"{M}\n" + "> - " * 20_000 + "\n```\n" * 20_000),
    "comments in Python": ("a.py", f"# {I}\n" * 20_000 + "x = 1\n"),
    "comments in one line": ("a.py", f"x = 1  # {I}" + f" # {I}" * 20_000),
    "decorators": ("a.py", f"@d  # {I}\n" * 30_000 + "def f(): pass\n"),
    "a long string": ("a.py", f"# {I}\nx = '''" + "a\n" * 100_000 + "'''\n"),
    "one statement": ("a.py", f"x = [  # {I}\n" + "1,\n" * 40_000 + "]\n"),
    "backslashes": ("a.py", f"# {I}\nx = 1" + " + \\\n1" * 20_000 + "\n"),
    "toml": ("a.toml", f"# {I}\n" * 20_000),
    "toml in one line": ("a.toml", f"a = '{'#' * 20_000} # {I}'" * 3),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_cost_little(name: str) -> None:
    path, content = HOSTILE[name]
    start = time.process_time()
    comments.read(path, text.of(content))
    assert time.process_time() - start < 10


WORDS = st.lists(
    st.sampled_from(
        ["# ", "hubpub: ignore[HUB201]", "<!-- ", " -->", "\n", "\\\n", "'''", '"', "f'{", "}'",
         "(", ")", "x = 1", "    ", "```", "- ", "@d", "def f():", "\r\n", "\x0c", "\t", "日", "..",
         "\r"]
    )
)  # fmt: skip


@given(WORDS, st.sampled_from(["a.py", "a.md", "a.rst", "a.toml"]))
def test_any_text_can_be_read(words: list[str], path: str) -> None:
    source = text.of("".join(words))
    for comment in comments.read(path, source):
        span = comment.place.span
        shown = source.line(span.line)[span.column - 1 : span.end_column - 1]
        assert "hubpub: ignore[HUB201]" in shown
        assert comment.lines.start == span.line
    logical.read(source)
    parts = blocks.read(source)
    edges = [edge for block in parts.blocks for edge in (block.first, block.last)]
    assert edges == sorted(edges)
