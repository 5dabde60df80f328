"""Docstrings that are added: where they go, whatever the definition looks like."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubpub.diagnostic import Edit, Fix
from hubpub.source import edits, hubconf, suites, text, tree
from hubpub.source.text import Unreadable


def documented(source: str) -> str | None:
    """``source`` with the docstring D in its last definition; None where no place is known."""
    shown = text.of(source)
    module = hubconf.read(shown)
    assert not isinstance(module, Unreadable), module
    nodes = [
        item for item in tree.walk(module.body) if isinstance(item, tree.Function | tree.Class)
    ]
    found = suites.suite("hubconf.py", shown, nodes[-1], suites.style(shown))
    if found is None:
        return None
    new = f"{found.indent}{found.quotes}D{found.quotes}\n"
    new = f"\n{new}{found.indent}" if found.inline else new
    edit = Edit(found.place.path, found.place.span, new)
    return edits.apply({"hubconf.py": shown}, [Fix("", False, (edit,))]).get("hubconf.py")


CASES = {
    "a body": ("def f():\n  return 1\n", 'def f():\n  """D"""\n  return 1\n'),
    "a body on the line": ("def f(): return 1\n", 'def f():\n    """D"""\n    return 1\n'),
    "two statements on it": ("def f():a=1;return a", 'def f():\n    """D"""\n    a=1;return a'),
    "comments stay": (
        "def f():  # why\n    # what\n\n    return 1  # so\n",
        'def f():  # why\n    """D"""\n    # what\n\n    return 1  # so\n',
    ),
    "a comment after a body on the line": (
        "def f(): return 1  # so\n",
        'def f():\n    """D"""\n    return 1  # so\n',
    ),
    "tabs": ("def f():\n\treturn 1\n", 'def f():\n\t"""D"""\n\treturn 1\n'),
    "tabs elsewhere": (
        "if x:\n\ty = 1\ndef f(): return 1\n",
        'if x:\n\ty = 1\ndef f():\n\t"""D"""\n\treturn 1\n',
    ),
    "the quotes of the file": (
        "'''A file.'''\ndef f(): return 1\n",
        "'''A file.'''\ndef f():\n    '''D'''\n    return 1\n",
    ),
    "decorated": ("@a(b=':')\ndef f():\n    return 1\n",
                  '@a(b=\':\')\ndef f():\n    """D"""\n    return 1\n'),
    "async": ("async def f():\n    return 1\n", 'async def f():\n    """D"""\n    return 1\n'),
    "colons in the header": (
        "def f(a: int = {1: 2}[1:2], *, b=lambda: 1) -> 'x:y':\n    return 1\n",
        "def f(a: int = {1: 2}[1:2], *, b=lambda: 1) -> 'x:y':\n    \"\"\"D\"\"\"\n    return 1\n",
    ),
    "a header of several lines": (
        "def f(\n    a,  # one: two\n    b,\n) -> int:\n    return 1\n",
        'def f(\n    a,  # one: two\n    b,\n) -> int:\n    """D"""\n    return 1\n',
    ),
    "inside a branch": (
        "if x:\n    def f(): return 1\n",
        'if x:\n    def f():\n        """D"""\n        return 1\n',
    ),
    "a class": ("class A(B, m=C):\n    x = 1\n", 'class A(B, m=C):\n    """D"""\n    x = 1\n'),
    "an empty class": ("class A: pass\n", 'class A:\n    """D"""\n    pass\n'),
    "carriage returns": ("def f():\r\n  return 1\r\n", 'def f():\r\n  """D"""\r\n  return 1\r\n'),
    "wide characters before it": ("def f(é='𝛼'): return 1\n",
                                  'def f(é=\'𝛼\'):\n    """D"""\n    return 1\n'),
    "no newline at the end": ("def f():\n    return 1", 'def f():\n    """D"""\n    return 1'),
    "a docstring is there": ("def f():\n    'A.'\n", None),
    "an empty one is there": ("def f():\n    ''\n    return 1\n", None),
    "a line that goes on": ("def f(): \\\n    return 1\n", None),
    "an odd annotation is left alone": ("def f() -> lambda: 3: return 1\n", None),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_where_it_goes(name: str) -> None:
    before, after = CASES[name]
    assert documented(before) == after


HEADERS = st.tuples(
    st.sampled_from(["", "@a\n", "@a(1, b={2: 3})\n# c\n"]),
    st.sampled_from(["def f", "async def f", "async  def  f"]),
    st.sampled_from(["()", "(a, b: 'x:y' = 1)", "(\n  a,\n  *b,\n)", "(a=(lambda q: q),)"]),
    st.sampled_from(["", " -> int", " -> 'a: b'", " -> x[1:2]"]),
    st.sampled_from([":", " :", ":  "]),
)
BODIES = st.sampled_from(
    [
        "return 1",
        "pass; x = 1",
        "\n  return 1",
        "\n\treturn 1",
        " # c\n\n    # d\n    return 1",
        "...",
    ]
)


@given(header=HEADERS, body=BODIES, nested=st.booleans(), ending=st.sampled_from(["\n", "\r\n"]))
def test_the_docstring_is_found_and_nothing_else_changes(
    header: tuple[str, ...], body: str, nested: bool, ending: str
) -> None:
    source = "".join((*header, body)) + "\n"
    if nested:
        source = "if x:\n" + "".join(f"   {line}\n" for line in source.splitlines())
    after = documented(source.replace("\n", ending))
    assert after is not None
    plain, changed = ast.parse(source), ast.parse(after)
    (node,) = (
        item
        for item in ast.walk(changed)
        if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    assert ast.get_docstring(node) == "D"
    del node.body[0]
    assert ast.dump(changed) == ast.dump(plain)
