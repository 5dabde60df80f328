"""The Python that a project declares, and what needs a later one."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubpub.source import declared_python, newer, read
from hubpub.source.files import Files

LEAST = {
    ">=3.8": (3, 8),
    ">= 3.8.1, <3.12": (3, 8),
    "<4,>=3.10": (3, 10),
    "~=3.9": (3, 9),
    "==3.11.*": (3, 11),
    ">3.6": (3, 6),
    "^3.8": (3, 8),
    "3.7": (3, 7),
    ">=3": (3, 0),
    ">=3.6, >=3.9": (3, 9),
    "<3.12": None,
    "!=3.8": None,
    "": None,
    "^3.8 || ^3.11": None,
    "any": None,
}


@pytest.mark.parametrize("specifier", LEAST)
def test_the_least_python_of_a_specifier(specifier: str) -> None:
    assert declared_python.least(specifier) == LEAST[specifier]


@given(st.text(max_size=200))
def test_any_specifier_has_an_answer(specifier: str) -> None:
    found = declared_python.least(specifier)
    assert found is None or len(found) == 2


DECLARED: dict[str, tuple[dict[str, str], tuple[str, tuple[int, int], int] | None]] = {
    "pyproject": (
        {"pyproject.toml": '[project]\nname = "x"\nrequires-python = ">=3.9"\n'},
        ("pyproject.toml", (3, 9), 3),
    ),
    "poetry": (
        {"pyproject.toml": '[tool.poetry.dependencies]\npython = "^3.8"\n'},
        ("pyproject.toml", (3, 8), 2),
    ),
    "another table": (
        {"pyproject.toml": '[tool.other]\nrequires-python = ">=3.9"\npython = "^3.8"\n'},
        None,
    ),
    "a comment": ({"pyproject.toml": '[project]\n# requires-python = ">=3.9"\n'}, None),
    "setup.cfg": (
        {"setup.cfg": "[metadata]\nname = x\n[options]\npython_requires = >=3.7\n"},
        ("setup.cfg", (3, 7), 4),
    ),
    "setup.py": (
        {"setup.py": "setup(\n    name='x', python_requires='>=3.6,<4',\n)\n"},
        ("setup.py", (3, 6), 2),
    ),
    "setup.py in a comment": ({"setup.py": "# python_requires='>=3.6'\n"}, None),
    "setup.py that computes": ({"setup.py": "setup(python_requires=REQUIRED)\n"}, None),
    "the newest kind wins": (
        {
            "pyproject.toml": '[project]\nrequires-python = ">=3.9"\n',
            "setup.py": "setup(python_requires='>=3.6')\n",
        },
        ("pyproject.toml", (3, 9), 2),
    ),
    "not text": ({"pyproject.toml": "\0"}, None),
    "classifiers do not count": (
        {"setup.py": "setup(classifiers=['Programming Language :: Python :: 3.6'])\n"},
        None,
    ),
}


@pytest.mark.parametrize("name", DECLARED)
def test_the_declared_python(name: str, tmp_path: Path) -> None:
    files, expected = DECLARED[name]
    for path, text in files.items():
        (tmp_path / path).write_text(text)
    found = declared_python.read(Files(tmp_path))
    shown = found and (found.place.path, found.minimum, found.place.span.line)
    assert shown == expected


@given(st.text(alphabet="[]pythonrequires-=\"'>3.\n #", max_size=400))
def test_hostile_project_files(text: str) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        for name in ("pyproject.toml", "setup.cfg", "setup.py"):
            Path(folder, name).write_text(text)
        declared_python.read(Files(Path(folder)))


def test_large_project_files_are_quick(tmp_path: Path) -> None:
    text = "[x]\n" + 'python = "^3.8"\n[y]\n' * 40_000 + " " * 100_000
    for name in ("pyproject.toml", "setup.cfg", "setup.py"):
        (tmp_path / name).write_text(text)
    assert declared_python.read(Files(tmp_path)) is None


FUTURE = "from __future__ import annotations\n"
USES: dict[str, tuple[int, int] | None] = {
    "def f(a: int, b: 'int | None' = None) -> str: ...": None,
    "def f(a, /): ...": (3, 8),
    "f = lambda a, /: a": (3, 8),
    "def f():\n    if (x := 1): ...": (3, 8),
    "x = {1: 2} | {3: 4}": None,
    "X = 1 | 2": None,
    "X = A | B": None,
    "X = int | str": (3, 10),
    "X = list[int]": (3, 9),
    "X = table[int]": None,
    "def f(a: list[int]): ...": (3, 9),
    "def f() -> dict[str, int]: ...": (3, 9),
    "class A:\n    a: tuple[int, ...]": (3, 9),
    "class A(dict[str, int]): ...": (3, 9),
    "from typing import List as list\nX = list[int]": None,
    "from collections.abc import Callable\ndef f(a: Callable[[int], str]): ...": (3, 9),
    "from typing import Callable\ndef f(a: Callable[[int], str]): ...": None,
    "def f(a: int | None): ...": (3, 10),
    "def f(a: List[int | None]): ...": (3, 10),
    "def f(a: Literal['a', 'b'] = 'a'): ...": None,
    "def f(a: Annotated[int, A | B]): ...": None,
    "def f():\n    a: int | None = 1\n    b: list[int] = []": None,
    "def f():\n    def g(a: int | None): ...": None,
    "isinstance(x, int | str)": (3, 10),
    "isinstance(x, A | B)": None,
    "isinstance(x, (int, str))": None,
    "match x:\n    case 1: ...": (3, 10),
    "match = 1": None,
    "@a[0].b\ndef f(): ...": (3, 9),
    "@a.b(1)\ndef f(): ...": None,
    "if TYPE_CHECKING:\n    X = list[int]": None,
    "if sys.version_info >= (3, 10):\n    X = int | str": None,
    "try:\n    X = int | str\nexcept TypeError:\n    X = int": None,
    f"{FUTURE}def f(a: int | None, b: list[int]): ...": (3, 7),
}  # fmt: skip
if sys.version_info >= (3, 11):
    USES |= {
        "try: ...\nexcept* ValueError: ...": (3, 11),
        "a[*b]": (3, 11),
        "a[(*b,)]": None,
        "def f(*args: *Ts): ...": (3, 11),
    }
if sys.version_info >= (3, 12):
    USES |= {
        "type X = int": (3, 12),
        "def f[T](a: T): ...": (3, 12),
        "class A[T]: ...": (3, 12),
    }


@pytest.mark.parametrize("code", USES)
def test_since_when_there_is_something(code: str) -> None:
    found = [version for version, _, _ in newer.uses(ast.parse(code)) if version > (3, 6)]
    assert max(found, default=None) == USES[code]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="an older Python refuses such a file")
@pytest.mark.parametrize(
    ("code", "new"),
    [
        ("x = f'{d['k']}'", True),
        ("x = f'{\"\\n\".join(d)}'", True),
        ("x = f'{d[\"k\"]}'", False),
        ("x = f'a' 'b' f'{d}'", False),
        ("x = f'''{d['k']}'''", False),
    ],
)
def test_quotes_inside_an_f_string(code: str, new: bool, tmp_path: Path) -> None:
    (tmp_path / "hubconf.py").write_text(f"{code}\n")
    (tmp_path / "setup.cfg").write_text("[options]\npython_requires = >=3.8\n")
    found = read(tmp_path).loading.new_syntax
    assert [item.minimum for item in found] == ([(3, 12)] if new else [])


def test_the_place_and_one_finding_a_version(tmp_path: Path) -> None:
    code = "é = 1; x = (y := 2)\nz = (w := 3)\ndef f(a: list[int]): ...\n"
    (tmp_path / "hubconf.py").write_text(code, encoding="utf-8")
    (tmp_path / "setup.cfg").write_text("[options]\npython_requires = >=3.6\n")
    found = read(tmp_path).loading.new_syntax
    assert [(item.minimum, item.place.span.line) for item in found] == [((3, 8), 1), ((3, 9), 3)]
    assert found[0].place.span.column == 13


def test_a_module_that_is_guarded_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "hubconf.py").write_text(
        "try:\n    import nets\nexcept (ImportError, SyntaxError):\n    nets = None\n"
    )
    (tmp_path / "nets.py").write_text("x = (y := 2)\n")
    (tmp_path / "setup.cfg").write_text("[options]\npython_requires = >=3.6\n")
    assert read(tmp_path).loading.new_syntax == ()
