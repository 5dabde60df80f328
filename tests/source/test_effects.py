"""Effects as facts: where they are reached, and that hostile code cannot make much of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from hubpub.source import read
from hubpub.source.facts_loading import Effect, Loading


def facts(root: Path, text: str, **modules: str) -> Loading:
    (root / "hubconf.py").write_text(text)
    for name, module in modules.items():
        (root / f"{name}.py").write_text(module)
    return read(root).loading


def only(root: Path, text: str, **modules: str) -> Effect:
    (found,) = facts(root, text, **modules).effects
    return found


def test_when_and_by_whom(tmp_path: Path) -> None:
    found = only(tmp_path, "def _p(): print(1)\ndef a(): _p()\ndef b(): _p()\ndef c(): pass\n")
    assert (found.kind, found.when, found.entrypoints) == ("print", "call", ("a", "b"))
    assert (found.place.path, found.place.span.line) == ("hubconf.py", 1)


def test_the_import_comes_first(tmp_path: Path) -> None:
    found = only(tmp_path, "def _p(): print(1)\n_p()\ndef a(): _p()\n")
    assert (found.when, found.entrypoints) == ("import", ())


def test_the_chain(tmp_path: Path) -> None:
    found = only(tmp_path, "import one\n", one="import two\n", two="print(1)\n")
    assert [(step.path, step.span.line) for step in found.chain] == [
        ("hubconf.py", 1),
        ("one.py", 1),
    ]


CERTAINTY = {
    "print(1)": (False, False, False),
    "if x:\n    print(1)": (True, False, False),
    "try:\n    print(1)\nexcept OSError:\n    pass": (False, True, False),
    "try:\n    print(1)\nexcept OSError:\n    raise": (False, False, False),
    "try:\n    f()\nexcept OSError:\n    print(1)": (True, False, True),
}


@pytest.mark.parametrize("code", CERTAINTY)
def test_certainty(code: str, tmp_path: Path) -> None:
    lines = "".join(f"    {line}\n" for line in code.splitlines())
    found = only(tmp_path, f"def a(x):\n{lines}")
    assert (found.conditional, found.guarded, found.fallback) == CERTAINTY[code]


def test_one_way_that_is_certain_is_enough(tmp_path: Path) -> None:
    text = "def _p(): print(1)\ndef a(x):\n    if x: _p()\ndef b(): _p()\n"
    assert not only(tmp_path, text).conditional


KINDS = {
    "import os; os.system('ls')": ("shell", "os.system: ls"),
    "from os import system as s; s('pip install x')": ("install", "os.system: pip install x"),
    "import os; os.system('/usr/bin/pip3 install x')": ("install", None),
    "import os; os.system('cd x && python setup.py build_ext')": ("install", None),
    "import os; os.system('git clone https://e.org/x')": ("install", None),
    "import subprocess; subprocess.run(('git', 'log'))": ("git", "subprocess.run: git log"),
    "import subprocess; subprocess.run(['ffmpeg', x])": ("process", "subprocess.run: ffmpeg"),
    "import pip; pip.main(['install', 'x'])": ("install", "pip.main"),
    "from setuptools import sandbox; sandbox.run_setup('setup.py')": ("install", None),
    "import os; os.environ['A'] = 'b'": ("environment", "os.environ['A']"),
    "from os import environ as e; e[x] = 'b'": ("environment", "os.environ"),
    "import os; os.putenv('A', 'b')": ("environment", "os.putenv('A')"),
    "import sys; sys.stdout.write('a')": ("print", "sys.stdout.write"),
    "import shutil; shutil.rmtree(x)": ("write", "shutil.rmtree"),
    "open(x, mode='ab')": ("write", "builtins.open"),
    "from pathlib import Path; Path('x').open('w')": ("write", "pathlib.Path.open"),
    "import requests; requests.get('https://e.org')": ("network", "requests.get"),
    "from urllib.request import urlopen as u; u('https://e.org')": ("network", None),
    "from transformers import A; A.from_pretrained('o/r')": ("network", None),
    "import torch; torch.jit.load(x)": ("load", "torch.jit.load"),
    "import torch; torch.set_default_device('cuda')": ("cuda", "torch.set_default_device"),
    "import torch; torch.set_default_device('cpu')": ("setting", "torch.set_default_device"),
    "import torch; torch.set_default_tensor_type(torch.cuda.FloatTensor)": ("cuda", None),
    "import numpy; numpy.random.seed(0)": ("seed", "numpy.random.seed"),
}


@pytest.mark.parametrize("code", KINDS)
def test_kinds(code: str, tmp_path: Path) -> None:
    found = only(tmp_path, f"import os\nx = os.environ.get('X')\n{code}\n")
    kind, shown = KINDS[code]
    assert found.kind == kind
    assert shown is None or found.shown == shown


NOTHING = [
    "open(x)", "open(x, 'rb')", "import os; os.environ.get('A')", "import os; os.getcwd()",
    "import torch; torch.cuda.is_available()", "import torch; torch.cuda.device_count()",
    "import torch; torch.device('cuda')", "import torch; torch.zeros(1).to('cpu')",
    "import subprocess", "x.to('utf-8')", "x.system('ls')", "f = print",
    "import shutil; shutil.which('x')",
]  # fmt: skip


@pytest.mark.parametrize("code", NOTHING)
def test_no_effect(code: str, tmp_path: Path) -> None:
    assert facts(tmp_path, f"import os\nx = os.environ.get('X')\n{code}\n").effects == ()


def test_calls_nested_in_pairs_are_quick(tmp_path: Path) -> None:
    chain = "".join(f"def f{i}():\n    f{i - 1}()\n    f{i - 1}()\n" for i in range(1, 39))
    found = facts(tmp_path, f"import torch\ndef f0():\n    torch.zeros(1).cuda()\n{chain}")
    assert len(found.effects) == 1
    assert len(found.effects[0].entrypoints) == 39


def test_many_effects_are_bounded(tmp_path: Path) -> None:
    text = "".join(f"print({index})\n" for index in range(2_000))
    assert len(facts(tmp_path, text).effects) == 500


def test_a_long_command_is_shown_in_part(tmp_path: Path) -> None:
    found = only(
        tmp_path, f"import os\nos.system('pip install ' + 'x ' * 20_000 + {'y' * 9_000!r})\n"
    )
    assert found.kind == "install"
    assert len(found.shown) < 100
