"""Reading whole repositories: hostile content, imports, checkpoints, hub calls, suppression."""

from __future__ import annotations

import json
import os
import sys
import time
import tracemalloc
from pathlib import Path

import hypothesmith
import pytest
from hypothesis import HealthCheck, given, settings

from hubpub import check as checking
from hubpub.check import CheckResult
from hubpub.config import Settings
from hubpub.source import facts, packages, read

GOOD = b'dependencies = ["torch"]\ndef net():\n    """A net."""; return object()\n'


def build(root: Path, files: dict[str, str | bytes]) -> Path:
    for path, content in files.items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content if isinstance(content, bytes) else content.encode())
    root.mkdir(exist_ok=True)
    return root


def check(root: Path) -> CheckResult:
    """What is said of a repository, its missing licence and README aside."""
    alone = Settings(ignore={"HUB605": "no licence here", "HUB606": "no README here"})
    return checking.check(root, alone)


def codes(root: Path) -> list[str]:
    return [item.code for item in check(root).diagnostics]


BAD = {
    "nul bytes": (b"x = 1\ndef \0f(): pass\n", "HUB001", 2),
    "python 2": (b"dependencies = ['torch']\nprint 'a'\n", "HUB001", 2),
    "not utf-8": (b"x = 1\n\ny = '\xff\xfe'\n", "HUB001", 3),
    "unknown encoding": (b"# coding: klingon\nx = 1\n", "HUB001", 1),
    "codec that is no text": (b"# coding: hex\nx = 1\n", "HUB001", 1),
    "bom against cookie": (b"\xef\xbb\xbf# coding: latin-1\nx = 1\n", "HUB001", 1),
    "utf-16": ("x = 1\n".encode("utf-16"), "HUB001", 1),
    "return outside a function": (b"x = 1\nreturn x\n", "HUB001", 2),
    "mixed tabs": (b"if True:\n\tx = 1\n        y = 2\n", "HUB001", 3),
    "open bracket": (b"x = (1,\n", "HUB001", 1),
    "too deep": (b"x = " + b"(" * 10_000 + b")" * 10_000, "HUB001", 1),
    "binary": (bytes(range(1, 256)) * 20, "HUB001", 3),
}


@pytest.mark.parametrize("name", BAD)
def test_a_hubconf_that_cannot_be_parsed(name: str, tmp_path: Path) -> None:
    content, code, line = BAD[name]
    root = build(tmp_path / "r", {"hubconf.py": content})
    (found,) = check(root).diagnostics
    assert found.code == code
    assert found.span.line == line
    assert read(root).entrypoints == ()


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + GOOD,
        GOOD.replace(b"\n", b"\r\n"),
        GOOD.replace(b"\n", b"\r"),
        b"# -*- coding: latin-1 -*-\n" + GOOD.replace(b"A net", b"Ein \xfcbles Netz"),
        b"\x0c\n" + GOOD,
        GOOD.replace(b"    ", b"\t"),
        GOOD.rstrip(b"\n"),
        GOOD + "日本語 = '\u202e'\n".encode(),
        GOOD + b"x = " + b"+".join([b"1"] * 700) + b"\n",
        GOOD + b"x = y" + b".a" * 900 + b"\n",
    ],
)
def test_a_hubconf_in_an_unusual_spelling(content: bytes, tmp_path: Path) -> None:
    repo = read(build(tmp_path / "r", {"hubconf.py": content}))
    assert [item.name for item in repo.entrypoints] == ["net"]
    assert codes(tmp_path / "r") == []


def test_no_hubconf_names_the_one_that_lies_elsewhere(tmp_path: Path) -> None:
    root = build(tmp_path / "r", {"src/pkg/hubconf.py": GOOD})
    (found,) = check(root).diagnostics
    assert found.code == "HUB004"
    assert "src/pkg/hubconf.py" in str(found.help)


def test_empty_repository(tmp_path: Path) -> None:
    assert codes(build(tmp_path / "r", {})) == ["HUB004"]


def test_hubconf_is_spelled_in_small_letters(tmp_path: Path) -> None:
    assert codes(build(tmp_path / "r", {"Hubconf.py": GOOD})) == ["HUB004"]


def test_empty_hubconf(tmp_path: Path) -> None:
    assert codes(build(tmp_path / "r", {"hubconf.py": b""})) == ["HUB005", "HUB101"]


def test_hubconf_is_a_directory(tmp_path: Path) -> None:
    assert codes(build(tmp_path / "r", {"hubconf.py/__init__.py": GOOD})) == ["HUB004"]


@pytest.mark.parametrize("target", ["hubconf.py", "nowhere", "/etc/passwd", "/dev/zero"])
def test_hubconf_is_a_symlink_to_nothing_good(target: str, tmp_path: Path) -> None:
    root = build(tmp_path / "r", {})
    (root / "hubconf.py").symlink_to(target)
    assert codes(root) == ["HUB004"]


def test_hubconf_is_a_fifo(tmp_path: Path) -> None:
    root = build(tmp_path / "r", {})
    os.mkfifo(root / "hubconf.py")
    assert codes(root) == ["HUB004"]


def test_loops_of_symlinks_and_odd_names(tmp_path: Path) -> None:
    root = build(tmp_path / "r", {"hubconf.py": GOOD + b"import a.b\n", "a/b.py": b""})
    (root / "a" / "loop").symlink_to(root, target_is_directory=True)
    (root / "c").symlink_to("c")
    odd = Path(os.fsdecode(os.fsencode(root) + b"/\xff\xfe"))
    odd.mkdir()
    (odd / os.fsdecode(b"w-\xff.pth")).write_bytes(b"")
    assert codes(root) == []


def test_a_large_file_is_an_ordinary_finding(tmp_path: Path) -> None:
    root = build(tmp_path / "r", {"hubconf.py": b"x = 1\n" * (20 << 20 >> 2)})
    assert codes(root) == ["HUB001"]
    root = build(tmp_path / "s", {"hubconf.py": GOOD + b"import big\n"})
    (root / "big.py").write_bytes(b"#" * (20 << 20))
    (found,) = check(root).diagnostics
    assert (found.code, found.path) == ("HUB001", "big.py")
    assert found.severity.label == "warning"  # it may well import: we only did not read it


def test_more_python_than_people_write_is_not_read(tmp_path: Path) -> None:
    """Its tree takes a thousand times the memory: 16 MiB would end the process that checks."""
    root = build(tmp_path / "r", {"hubconf.py": b"x=1\n" * 100_000})
    assert codes(root) == ["HUB001"]
    names = [f"m{number}" for number in range(20)]
    root = build(tmp_path / "s", {"hubconf.py": GOOD + f"import {', '.join(names)}\n".encode()})
    for name in names:
        (root / f"{name}.py").write_bytes(b"#" * (1 << 20))
    assert {item.path for item in check(root).diagnostics} <= {f"{name}.py" for name in names}
    assert len(check(root).diagnostics) >= 4


def test_a_text_of_one_character_is_not_made_large(tmp_path: Path) -> None:
    """It counted as a number: ten gigabytes in the process that checks."""
    root = build(tmp_path / "r", {"hubconf.py": b"x = 'a' * 10**8\ny = 10**8 * b'a'\n"})
    tracemalloc.start()
    try:
        read(root)
        assert tracemalloc.get_traced_memory()[1] < 32 << 20
    finally:
        tracemalloc.stop()


HOSTILE = [
    "x = 'a' * 10**9 * 10**9",
    "x = 'a' * 10**10",
    "x = f'{1:999999999999}'",
    "x = '{:{}}'.format(1, 10**10)",
    "x = '%*d' % (10**10, 1)",
    "x = 10 ** 10 ** 10",
    "x = sum(range(10**15)); y = 1.5 in range(10**15); z = sorted(range(10**12))",
    "x = [[0] * 10**4 for _ in range(10**9)]",
    "x = 'a'\nwhile True:\n    x += x",
    "x = []\nfor i in range(10**9):\n    x.append(i)",
    "x = [1]\nfor i in x:\n    x.append(i)",
    "def f(n): return f(n + 1) + f(n + 2)\nx = f(0)",
    "def f(): f()\nf()",
    "x = {}\nx[0] = x\ny = str(x)",
    "x = []\nx.append(x)\ny = x + x\nz = [*x, *x]",
    "class A(A): pass",
    "class A: pass\nA.B = A\nclass C(A.B.B.B): pass",
    "import re\nx = re.sub('(a+)+$', '', 'a' * 40 + 'b')",
    "import this, antigravity, turtle, test.autotest, idlelib.idle",
    "from hubconf import *\nimport hubconf",
    "import sys\nsys.path.insert(0, '/')\nsys.path.append('..')\nimport etc, tmp",
    "import importlib\nimportlib.import_module('.' * 50, 'a')\n__import__('')",
    "globals()[globals] = 1\nglobals().update(globals())\nglobals().clear()",
    "exec('x = 1')\neval('y')\ndel x",
    "x = lambda: x()\nx()",
    "from . import a\nfrom .. import b",
    "(x := x)\n[y for y in y for y in y]",
    "x, *y, z = 1\n*a, = ()\n[b, c] = 'ab'",
    "raise SystemExit\ndef g(): pass",
    "import sys\nsys.exit(1)",
    "try:\n    raise\nfinally:\n    raise ValueError",
    "match x:\n    case {'a': [b, *_]}: pass",
    "dependencies = {}\ndependencies[print] = dependencies",
    "dependencies = [b'torch', 1, None, ['a'], f'{x}']",
]


@pytest.mark.parametrize("code", HOSTILE)
def test_hostile_code_is_read_quickly(code: str, tmp_path: Path) -> None:
    root = build(tmp_path / "r", {"hubconf.py": code.encode()})
    start = time.perf_counter()
    check(root)
    assert time.perf_counter() - start < 5


def test_a_file_of_the_repository_is_never_taken_for_a_standard_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trap = b"open('trapped', 'w')\n"
    names = ["wave", "xdrlib", "sndhdr", "chunk", "mailcap", "tabnanny", "sched"]
    code = "".join(f"from {name} import *\n" for name in names)
    files: dict[str, str | bytes] = {f"{name}.py": trap for name in names}
    root = build(tmp_path / "r", {"hubconf.py": code.encode(), **files})
    monkeypatch.chdir(root)
    monkeypatch.syspath_prepend(str(root))
    read(root)
    # Names that the tree does not hold must not be looked for there either.
    read(build(tmp_path / "s", {"hubconf.py": b"from colorsys import rgb_to_hsv\n"}))
    assert not (root / "trapped").exists()


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(code=hypothesmith.from_grammar())
def test_any_hubconf(code: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    root = tmp_path_factory.mktemp("r")
    content = code.encode("utf-8", "surrogatepass")
    (root / "hubconf.py").write_bytes(content)
    lines = content.decode("utf-8", "replace").split("\n")
    for item in check(root).diagnostics:
        assert 1 <= item.span.line <= max(len(lines), 1) + code.count("\r")


def one_import(code: str, files: dict[str, str | bytes] | None = None, *, root: Path) -> list[str]:
    """``module when guarded/conditional`` of each third-party import that is reached."""
    repo = read(build(root, {"hubconf.py": code.encode(), **(files or {})}))
    return [
        f"{item.module} {item.when}{' guarded' * item.guarded}{' conditional' * item.conditional}"
        for item in repo.imports
        if item.origin == "third party" and item.package != "torch"
    ]


IMPORTS = {
    "at import": ("import numpy as np\n", ["numpy import"]),
    "in an entrypoint": ("def f():\n    import numpy\n", ["numpy call"]),
    "under a parameter": (
        "def f(big=False):\n    if big:\n        import numpy\n",
        ["numpy call conditional"],
    ),
    "guarded": (
        "try:\n    import numpy\nexcept ImportError:\n    numpy = None\n",
        ["numpy import guarded"],
    ),
    "guard that raises again": (
        "try:\n    import numpy\nexcept ImportError as e:\n    raise RuntimeError('x') from e\n",
        ["numpy import"],
    ),
    "never reached": (
        (
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import numpy\n"
            "if __name__ == '__main__':\n    import numpy\ndef _unused():\n    import numpy\n"
        ),
        [],
    ),
    "a method that nobody calls": (
        "class M:\n    def __init__(self): import einops\n    def forward(self): import numpy\n",
        ["einops call"],
    ),
    "through a constructor and super": (
        (
            "class A:\n    def __init__(self): import numpy\nclass B(A):\n"
            "    def __init__(self): super().__init__()\ndef f(): return B()\n"
        ),
        ["numpy call"],
    ),
}


@pytest.mark.parametrize("name", IMPORTS)
def test_imports(name: str, tmp_path: Path) -> None:
    code, expected = IMPORTS[name]
    assert one_import(code, root=tmp_path / "r") == expected


def test_the_chain_of_imports(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "hubconf.py": b"from pkg import net\ndef f():\n    return net()\n",
        "pkg/__init__.py": b"\nfrom .deep import net\n",
        "pkg/deep.py": b"import numpy\ndef net():\n    from . import late\n",
        "pkg/late.py": b"import scipy\n",
        "pkg/train.py": b"import never\n",
    }
    repo = read(build(tmp_path / "r", files))
    chains = {
        item.module: [(step.path, step.span.line) for step in item.chain]
        for item in repo.imports
        if item.origin == "third party"
    }
    assert chains == {
        "numpy": [("hubconf.py", 1), ("pkg/__init__.py", 2)],
        "scipy": [("pkg/deep.py", 3)],
    }


LATE = "def _make(big): import pkg\n"
AGAIN: dict[str, tuple[str, str, list[str]]] = {
    # what it is -> hubconf.py, pkg.py, what is said of each package that is reached
    "each entrypoint that loads the module": (
        LATE + "def a(): _make(1)\ndef b(): _make(2)\n",
        "import numpy\n",
        ["numpy call a, b in any case: a, b"],
    ),
    "one in any case, another perhaps": (
        LATE + "def a(big=False):\n    if big: _make(1)\ndef b(): _make(2)\n",
        "import numpy\n",
        ["numpy call a, b in any case: b"],
    ),
    "perhaps, then in any case": (
        "def a(big=False):\n    if big: import pkg\n    import pkg\n",
        "import numpy\n",
        ["numpy call a in any case: a"],
    ),
    "the module has a fallback of its own": (
        LATE + "def a(): _make(1)\ndef b(): _make(2)\n",
        "try: import numpy\nexcept ImportError: pass\n",
        ["numpy call guarded a, b in any case: "],
    ),
    "the module decides by itself": (
        LATE + "def a(): _make(1)\ndef b(): _make(2)\n",
        "import os\nif os.environ.get('X'): import numpy\n",
        ["numpy call conditional a, b in any case: "],
    ),
    "perhaps, then in any case, at import": (
        "import os\nif os.environ.get('X'):\n    import pkg\nimport pkg\n",
        "import numpy\n",
        ["numpy import  in any case: "],
    ),
    "with a fallback, then without, at import": (
        "try:\n    import pkg\nexcept ImportError:\n    pass\nimport pkg\n",
        "import numpy\n",
        ["numpy import  in any case: "],
    ),
    "with a fallback in any case, without one perhaps": (
        "try: import pkg\nexcept ImportError: pkg = None\nif open(pkg): import pkg\n",
        "import numpy\n",
        ["numpy import conditional  in any case: "],
    ),
}


@pytest.mark.parametrize("name", AGAIN)
def test_a_module_that_is_imported_again(name: str, tmp_path: Path) -> None:
    code, module, expected = AGAIN[name]
    repo = read(build(tmp_path / "r", {"hubconf.py": code.encode(), "pkg.py": module.encode()}))
    assert [
        f"{item.module} {item.when}{' guarded' * item.guarded}{' conditional' * item.conditional} "
        f"{', '.join(item.entrypoints)} in any case: {', '.join(item.certain)}"
        for item in repo.imports
        if item.origin == "third party"
    ] == expected


def test_the_chain_of_a_module_that_is_imported_again(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "hubconf.py": b"import os\nif os.environ.get('X'):\n    import pkg\nimport pkg.deep\n",
        "pkg/__init__.py": b"import numpy\nfrom . import deep\n",
        "pkg/deep.py": b"import scipy\n",
    }
    repo = read(build(tmp_path / "r", files))
    chains = {
        item.module: (item.conditional, [(step.path, step.span.line) for step in item.chain])
        for item in repo.imports
        if item.origin == "third party"
    }
    assert chains == {
        "numpy": (False, [("hubconf.py", 4)]),
        "scipy": (False, [("hubconf.py", 4)]),
    }


def downloads(code: str, root: Path, **files: str) -> list[facts.Download]:
    made = {f"{name}.py": text for name, text in files.items()}
    return list(read(build(root, {"hubconf.py": code, **made})).downloads)


URLS = {
    "a literal": "load('https://e.org/a.pth')",
    "a constant": "load(URL)",
    "an f-string": "load(f'{BASE}/{NAME}.pth')",
    "a format": "load('{}/{name}.pth'.format(BASE, name=NAME))",
    "a sum": "load(BASE + '/' + NAME + '.pth')",
    "percent": "load('%s/%s.pth' % (BASE, NAME))",
    "a dict": "load({'n': URL}['n'])",
    "a dict and get": "load(URLS.get('n'))",
    "an unknown key": "load(URLS[arch])",
    "another module": "load(consts.URLS['n'])",
    "a dataclass field": "load(CONFIG.url)",
    "an enum member": "load(Weights.A.value)",
    "a default": "fetch()",
    "a keyword": "load(url=URL, progress=True)",
    "a partial": "partial(load, URL)()",
    "a method": "Zoo().load()",
}
PRELUDE = """
from torch.hub import load_state_dict_from_url as load
from functools import partial
from dataclasses import dataclass
import enum, consts
BASE, NAME = 'https://e.org', 'a'
URL = 'https://e.org/a.pth'
URLS = {'n': URL}
@dataclass
class Config:
    url: str
CONFIG = Config(url=URL)
class Weights(enum.Enum):
    A = URL
def fetch(url=URL):
    return load(url, check_hash=True)
class Zoo:
    base = BASE
    def load(self): return load(self.base + '/a.pth')
def net(arch='n'):
    return """


@pytest.mark.parametrize("name", URLS)
def test_urls_are_resolved(name: str, tmp_path: Path) -> None:
    code = PRELUDE + URLS[name]
    consts = "from os import path\nURLS = dict(n='https://e.org/a.pth')\n"
    found = [
        item for item in downloads(code, tmp_path / "r", consts=consts) if "net" in item.entrypoints
    ]
    (download,) = found
    assert download.function == "torch.hub.load_state_dict_from_url"
    url = download.argument("url")
    assert url is not None
    assert url.values == ("https://e.org/a.pth",)


def test_what_cannot_be_resolved_is_said(tmp_path: Path) -> None:
    code = "import os\nimport torch\ndef f(url):\n    torch.hub.load_state_dict_from_url(url)\n"
    (download,) = downloads(code, tmp_path / "r")
    url = download.argument("url")
    assert url is not None
    assert (url.values, url.known) == ((), False)


SPELLINGS = [
    "import torch\ndef f(): torch.hub.load('o/r', 'e')",
    "from torch import hub\ndef f(): hub.load('o/r', 'e')",
    "from torch.hub import load\ndef f(): load('o/r', model='e')",
    "import torch.hub as h\ndef f(): h.load(repo_or_dir='o/r', model='e')",
    "import torch, functools\ng = functools.partial(torch.hub.load, 'o/r')\ndef f(): g('e')",
    "import torch\nR = 'o/' + 'r'\ndef f(): torch.hub.load(R, 'e')",
]


@pytest.mark.parametrize("code", SPELLINGS)
def test_hub_calls_in_code(code: str, tmp_path: Path) -> None:
    repo = read(build(tmp_path / "r", {"hubconf.py": code}))
    found = [call for call in repo.hub_calls if "f" in call.entrypoints]
    assert [(call.function, call.repository, call.ref, call.entrypoint) for call in found] == [
        ("load", "o/r", None, "e")
    ]


DOCUMENTS = {
    "```python\nm = torch.hub.load('o/r', 'e')\n```": ("o/r", None, "e", False),
    "Use `hub.load(\"o/r:v1\", \"e\", trust_repo=True)`.": ("o/r", "v1", "e", True),
    ">>> torch.hub.load(\n...     repo_or_dir='o/r:feat/x',\n...     model='e')": (
        "o/r", "feat/x", "e", False,
    ),
    "torch.hub.load(repo, 'e')": (None, None, "e", False),
    "torch.hub.load('./r', 'e', source='local')": (None, None, "e", False),
    "torch.hub.load('o/r'": None,
    "torch.hub.load('o/r', ...": None,
    "torch.hub.load('o/r' 'e' !)": None,
    "github.load('o/r')": None,
}  # fmt: skip


@pytest.mark.parametrize("text", DOCUMENTS)
def test_hub_calls_in_documents(text: str, tmp_path: Path) -> None:
    root = build(tmp_path / "r", {"hubconf.py": GOOD, "README.md": f"# é 日本\n\n{text}\n"})
    found = [
        (call.repository, call.ref, call.entrypoint, call.trusted) for call in read(root).hub_calls
    ]
    expected = DOCUMENTS[text]
    assert found == ([] if expected is None else [expected])


def test_the_place_of_an_example_in_characters(tmp_path: Path) -> None:
    root = build(
        tmp_path / "r",
        {"hubconf.py": GOOD, "README.md": "日本 torch.hub.load('o/r', 'net')\n".encode()},
    )
    (call,) = read(root).hub_calls
    assert call.literal is not None
    span = call.literal.span
    assert (span.line, span.column, span.end_column) == (1, 20, 23)


def test_hub_calls_in_notebooks(tmp_path: Path) -> None:
    cell = ["# 日本\n", 'm = torch.hub.load("o/r",\n', "   'net', trust_repo=True)\n", "m()"]
    notebook = json.dumps({"cells": [{"source": cell}]}, indent=1, ensure_ascii=False)
    root = build(tmp_path / "r", {"hubconf.py": GOOD, "notebooks/use.ipynb": notebook})
    (call,) = read(root).hub_calls
    assert (call.repository, call.entrypoint, call.trusted) == ("o/r", "net", True)
    assert call.literal is not None
    line = notebook.split("\n")[call.literal.span.line - 1]
    assert line[call.literal.span.column - 1 : call.literal.span.end_column - 1] == "o/r"


def test_growth_follows_what_is_reached(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {f"pkg/m{index}.py": "x = 1\n" * 100 for index in range(300)}
    files["hubconf.py"] = b"from pkg.m1 import x\n" + GOOD
    repo = read(build(tmp_path / "r", files))
    assert sorted(path for path in repo.texts if path.endswith(".py")) == [
        "hubconf.py",
        "pkg/m1.py",
    ]


def test_examples_in_docstrings_are_read_and_comments_are_not(tmp_path: Path) -> None:
    text = (
        '"""Models.\n\n    >>> torch.hub.load("octo/net", "tiny")  # it\'s one\n"""\n'
        'dependencies = ["torch"]\n'
        '# """ no docstring: torch.hub.load("octo/comment", "x")\n\n\n'
        "def tiny():\n    '''Tiny.\n\n    >>> torch.hub.load('octo/net:v1', 'tiny')\n    '''\n"
        "    return \"torch.hub.load('octo/plain', 1)\"\n"
    )
    root = build(tmp_path / "r", {"hubconf.py": text, "unreached.py": text})
    calls = [call for call in read(root).hub_calls if call.document]
    assert [(call.repository, call.ref) for call in calls] == [
        ("octo/net", None),
        ("octo/net", "v1"),
    ]
    (first, second) = [call.literal for call in calls]
    assert first is not None
    assert second is not None
    assert (first.path, first.span.line, first.span.column) == ("hubconf.py", 3, 25)
    assert second.span.line == 12


ALL_METADATA = pytest.mark.skipif(
    sys.version_info < (3, 11), reason="importlib.metadata of 3.10 only knows top_level.txt"
)


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        pytest.param("click", ("click", "installed"), marks=ALL_METADATA),
        ("skimage", ("scikit-image", "table")),
        ("cv2", ("opencv-python", "table")),
        ("no_such_module_here", ("no-such-module-here", "guess")),
    ],
)
def test_distributions_are_known_installed_first(module: str, expected: tuple[str, str]) -> None:
    assert packages.distribution_of(module) == expected


@pytest.mark.parametrize(
    ("distribution", "module"),
    [
        ("opencv-python", "cv2"),
        ("PyYAML", "yaml"),
        ("Pillow", "PIL"),
        pytest.param("pytest-xdist", "xdist", marks=ALL_METADATA),  # installed, in no table
        ("some-new-package", "some_new_package"),
        ("numpy", None),
        ("torch", None),
        ("attrs", None),
    ],
)
def test_modules_of_distributions(distribution: str, module: str | None) -> None:
    assert packages.module_of(distribution) == module


CHECKPOINTS = '''dependencies = ["torch"]
import torch
from dataclasses import dataclass
from enum import Enum
from functools import partial
from torch.hub import load_state_dict_from_url as _load, download_url_to_file as _fetch
from torch.utils import model_zoo as _zoo
from urllib.request import urlretrieve as _retrieve
from pk.consts import BASE, URLS


@dataclass
class _Config:
    url: str
    name: str = "x"


class _Weights(Enum):
    A = "https://e.org/enum.pth"


_CONFIG = _Config(url=f"{BASE}/config.pth")


def net(size="s", path=None):
    """A net."""
    from huggingface_hub import hf_hub_download
    from safetensors.torch import load_file

    _load(URLS[size], check_hash=True)
    _load(_CONFIG.url, file_name="named.pth")
    partial(_load, map_location="cpu")(_Weights.A.value)
    _load(f"{BASE}/{size}.pth")
    _zoo.load_url(BASE + "/zoo.pth")
    load_file(hf_hub_download(repo_id="o/r", filename="m.safetensors"))
    _fetch("https://e.org/fetched.pth", "/tmp/f.pth")
    _retrieve("https://e.org/retrieved.pth", "r.pth")
    torch.load(path, weights_only=True)
'''


def test_checkpoints_are_resolved_wherever_their_names_come_from(tmp_path: Path) -> None:
    constants = (
        'BASE = "https://e.org/v1"\nURLS = {"s": BASE + "/s.pth", "l": "{}/l.pth".format(BASE)}\n'
    )
    root = build(tmp_path / "r", {"hubconf.py": CHECKPOINTS, "pk/consts.py": constants})
    found = read(root).downloads
    assert all(download.entrypoints == ("net",) for download in found)
    urls = [
        (download.function.rpartition(".")[2], argument.values if argument.known else None)
        for download in found
        for name in ("url", "filename", "f")
        if (argument := download.argument(name)) is not None
    ]
    assert urls == [
        ("load_state_dict_from_url", ("https://e.org/v1/s.pth", "https://e.org/v1/l.pth")),
        ("load_state_dict_from_url", ("https://e.org/v1/config.pth",)),
        ("load_state_dict_from_url", ("https://e.org/enum.pth",)),
        ("load_state_dict_from_url", None),  # any size: said to be unknown
        ("load_url", ("https://e.org/v1/zoo.pth",)),
        ("hf_hub_download", ("m.safetensors",)),
        ("load_file", None),
        ("download_url_to_file", ("https://e.org/fetched.pth",)),
        ("urlretrieve", ("https://e.org/retrieved.pth",)),
        ("urlretrieve", ("r.pth",)),
        ("load", None),
    ]
    named = [download.argument("file_name") for download in found]
    assert [argument.values for argument in named if argument is not None] == [("named.pth",)]
    where = [download.argument("map_location") for download in found]
    assert [argument.values for argument in where if argument is not None] == [("cpu",)]


@pytest.mark.parametrize(
    ("hubconf", "package", "fails"),
    [
        ("from pk import gone\n", "def there(): pass\n", True),
        ("from pk import there\n", "def there(): pass\n", False),
        ("from pk import sub\n", "", False),  # a submodule
        ("from pk import gone\n", "def __getattr__(name): return name\n", False),
        ("from pk import gone\n", "from elsewhere import *\n", False),
        ("from pk import gone\n", "exec('gone = 1')\n", False),
        ("try:\n    from pk import gone\nexcept ImportError:\n    gone = None\n", "", False),
        ("import os\nif os.environ.get('X'):\n    from pk import gone\n", "", False),
        ("import pk\n", "from pk.sub import late\nlate = 1\n", False),  # a cycle
    ],
)
def test_a_name_that_a_module_lacks_fails_the_import(
    tmp_path: Path, hubconf: str, package: str, fails: bool
) -> None:
    files = {"hubconf.py": hubconf + "def net(): pass\n", "pk/__init__.py": package}
    root = build(tmp_path / "r", {**files, "pk/sub.py": "from pk import late\n"})
    found = [failure.reason for failure in read(root).failures]
    assert found == (["cannot import name 'gone' from 'pk'"] if fails else [])
