"""Finding a checkpoint's name in code: only there, whatever stands around it."""

from __future__ import annotations

import ast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hubpub.source.text import of
from hubpub.stamping.mentions import Mention, Name, strings
from hubpub.stamping.naming import stamped

SHA = "0a1b2c3d" + "4e5f6071" * 7
OLD, NEW = "m-1.x.pth", "m_1.x-0a1b2c3d.pth"
NAME = Name(OLD, stamped(OLD, SHA))


def found(text: str, path: str = "README.md") -> list[Mention]:
    return list(NAME.found(path, of(text)))


def replaced(text: str, path: str) -> str:
    for item in reversed(found(text, path)):
        text = text[: item.begin] + item.new + text[item.end :]
    return text


TEXTS = [
    # text, what is found in it: the URL before it or the folders
    ("m-1.x.pth", [("", ())]),
    ("(https://h/a/m-1.x.pth)", [("https://h/a/", ())]),
    ("see <https://h/a/m-1.x.pth>.", [("https://h/a/", ())]),
    ("`weights/m-1.x.pth`, ./weights/m-1.x.pth", [("", ("weights",)), ("", ("weights",))]),
    ("url=https://h/?f=/w/m-1.x.pth", [("https://h/?f=/w/", ())]),
    ("{BASE}/m-1.x.pth", [("", ())]),
    ("{BASE}/w/m-1.x.pth", [("", ())]),
    ("C:\\w\\m-1.x.pth", [("", ("w",))]),
    ("m-1.x.pth. m-1.x.pth? m-1.x.pth:", [("", ())] * 3),
    ("m_1.x-cafebabe.pth m_1.x.pth", [("", ())] * 2),
    ("m_1.x-20240131.pth", []),
    ("am-1.x.pth .m-1.x.pth -m-1.x.pth m-1.x.pthx m-1.x.pth-2 m-1.x.pth.tar m-1yx.pth", []),
]


@pytest.mark.parametrize(("text", "wanted"), TEXTS)
def test_what_stands_before_it(text: str, wanted: list[tuple[str, tuple[str, ...]]]) -> None:
    assert [(item.before, item.folder) for item in found(text)] == wanted


PIECES = st.sampled_from([
    OLD, NEW, "m_1.x-cafebabe.pth", "m_1.x.pth", "'", '"', '"""', "f'", "r'", "{", "}", "\\", "\n",
    "\r\n", " ", "#", "/", "https://h/", "x", ".", "-", "=", "1", "é", "(", ")", "b'", "\f", "\r",
])  # fmt: skip


@given(st.lists(PIECES, max_size=14).map("".join))
@example(f"x = f'{{x}}/{OLD}'\n")
@example(f"x = 1\ry = '{OLD}'\n")
def test_code_keeps_its_shape(text: str) -> None:
    """What parses goes on parsing, and differs in strings alone."""
    try:
        before = ast.parse(text)
    except (SyntaxError, ValueError):
        found(text, "a.py")  # does not fail
        return
    after = ast.parse(replaced(text, "a.py"))
    assert shape(after) == shape(before)


def shape(module: ast.Module) -> list[str]:
    """The nodes of a module in order, strings alike."""
    kinds = []
    for node in ast.walk(module):
        text = isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)
        kinds.append("text" if text else ast.dump(node) if not list(ast.iter_child_nodes(node)) else
                     type(node).__name__)  # fmt: skip
    return kinds


@given(st.lists(PIECES, max_size=14).map("".join))
def test_what_is_replaced_is_found_no_more(text: str) -> None:
    after = replaced(text, "README.md")
    assert all(item.name == item.new for item in found(after))
    assert replaced(after, "README.md") == after


def test_strings_and_comments_alone_are_looked_into() -> None:
    text = "a = 'b' + f'{c}d'  # e\nf = (\n'''g\nh''')\n"
    shown = [text[begin:end] for begin, end in strings(text)]
    assert shown == ["'b'", "f'{c}d'", "# e", "'''g\nh'''"]
    assert [text[b:e] for b, e in strings("a = 'b'\nc = (")] == ["'b'"]
