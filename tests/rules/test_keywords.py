"""A keyword that is added to a call lands behind its last argument and changes nothing else."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubpub.diagnostic import Fix, Span
from hubpub.rules.keywords import add_keyword
from hubpub.source import edits, read
from hubpub.source.facts import Place, Repo
from hubpub.source.text import of

CASES = {
    "one line": ("f(a)", "f(a, k=True)"),
    "no argument": ("f()", "f(k=True)"),
    "blanks": ("f( a )", "f( a, k=True )"),
    "trailing comma": ("f(a,)", "f(a, k=True,)"),
    "trailing comma and blank": ("f(a, )", "f(a, k=True, )"),
    "own lines": ("f(\n    a,\n    b,\n)", "f(\n    a,\n    b,\n    k=True,\n)"),
    "own lines without a comma": ("f(\n    a\n)", "f(\n    a,\n    k=True\n)"),
    "a comment": ("f(\n    a,  # why (\n)", "f(\n    a,  # why (\n    k=True,\n)"),
    "a comment, no comma": ("f(\n    a  # why\n)", "f(\n    a,  # why\n    k=True\n)"),
    "a comment below": (
        "f(\n    a,\n    # c=1,\n)",
        "f(\n    a,\n    k=True,\n    # c=1,\n)",
    ),
    "a comment below, no comma": (
        "f(\n    a\n    # c=1,\n)",
        "f(\n    a,\n    k=True\n    # c=1,\n)",
    ),
    "hanging": ("f(a,\n  b)", "f(a,\n  b, k=True)"),
    "the parenthesis below": ("f(a,\n  b,\n  )", "f(a,\n  b,\n  k=True,\n  )"),
    "first line": ("f(a,\n)", "f(a, k=True,\n)"),
    "only a comment": ("f(  # nothing\n)", "f(k=True  # nothing\n)"),
    "nested": ("f(g(\n    a,\n))", "f(g(\n    a,\n), k=True)"),
    "nested, own line": ("f(\n  g(\n    a,\n  ),\n)", "f(\n  g(\n    a,\n  ),\n  k=True,\n)"),
    "a string with marks": ("f('#, ) (', \"'\")", "f('#, ) (', \"'\", k=True)"),
    "a string of lines": ('f("""a\n)""")', 'f("""a\n)""", k=True)'),
    "parentheses": ("f((a))", "f((a), k=True)"),
    "a backslash": ("f(a, \\\n)", "f(a, k=True, \\\n)"),
    "wide characters": ("f('漢字')", "f('漢字', k=True)"),
    "a callee of lines": ("(f\n .g)(a)", "(f\n .g)(a, k=True)"),
}


def repo(path: str, text: str) -> Repo:
    return replace(read(Path("/nowhere")), texts=MappingProxyType({path: of(text)}))


def added(text: str, begin: int, end: int, path: str = "a.py") -> str | None:
    here = of(text)
    span = Span(*here.position(begin), *here.position(end))
    edit = add_keyword(repo(path, text), Place(path, span), "k", "True")
    if edit is None:
        return None
    return edits.apply({path: here}, [Fix("add", True, (edit,))]).get(path, text)


def test_line_ends_of_windows() -> None:
    before, after = (item.replace("\n", "\r\n") for item in CASES["a comment, no comma"])
    assert added(before, 0, len(before)) == after


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("indent", ["", "    "])
def test_where_it_lands(name: str, indent: str) -> None:
    before, after = CASES[name]
    head = f"if x:\n{indent}y = " if indent else "y = "
    text = f"{head}{before} + 1\nz = 2\n"
    assert added(text, len(head), len(head) + len(before)) == text.replace(before, after)


@pytest.mark.parametrize(
    "text", ["x", "f(a", "f[a]", "f'{g(a)}'", "f(\n  '''a\n  '''\n)", "f($\n)"]
)
def test_what_is_no_call_is_left_alone(text: str) -> None:
    assert added(text, 0, len(text)) is None


def test_in_documents() -> None:
    prompt = '>>> hub.load("a/b:v1",\n...          "net")\n'
    assert added(prompt, 4, len(prompt) - 1, "README.md") == prompt.replace('")', '", k=True)')
    below = 'hub.load(\n    "a/b:v1",\n    "net",  # small\n)\n'
    assert added(below, 0, len(below) - 1, "README.md") == below.replace(
        "small\n", "small\n    k=True,\n"
    )
    cell = '"hub.load(\\"a/b\\", \\"net\\")\\n"'
    assert added(cell, 1, len(cell) - 3, "a.ipynb") == cell.replace('net\\")', 'net\\", k=True)')


SPACE = st.sampled_from(["", " ", "\n", "\n    ", "  # ),(\n", " \\\n", "\n\n  # b\n  "])
VALUE = st.sampled_from(
    ["a", "'x)'", "b=1", "g(h,)", "[1,\n2]", '"""p\n#q"""', "(c)", "lambda: (1,)"]
)


@st.composite
def calls(draw: st.DrawFn) -> str:
    values = sorted(draw(st.lists(VALUE, max_size=4)), key=lambda value: "=" in value[:2])
    values = [value.replace("b=", f"b{index}=") for index, value in enumerate(values)]
    parts = [f"{draw(SPACE)}{value}{draw(SPACE)}" for value in values]
    tail = draw(st.sampled_from(["", ","])) if parts else ""
    return f"f({','.join(parts)}{tail}{draw(SPACE)})"


@given(calls(), st.sampled_from(["", "if x:\n        "]))
def test_whatever_the_call_looks_like(call: str, indent: str) -> None:
    head = f"{indent}y = "
    text = f"{head}{call}\n"
    result = added(text, len(head), len(head) + len(call))
    if result is None:
        return
    before, after = (ast.parse(code).body[0] for code in (text, result))
    (old,) = (node for node in ast.walk(before) if _is_f(node))
    (new,) = (node for node in ast.walk(after) if _is_f(node))
    assert isinstance(old, ast.Call)
    assert isinstance(new, ast.Call)
    assert [ast.dump(item) for item in new.args] == [ast.dump(item) for item in old.args]
    assert [item.arg for item in new.keywords] == [*(item.arg for item in old.keywords), "k"]
    assert sorted(text.count(mark) for mark in "#\n") <= sorted(
        result.count(mark) for mark in "#\n"
    )


def _is_f(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "f"
