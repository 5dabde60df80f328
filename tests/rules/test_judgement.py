"""What the rules say beyond their examples, and above all where they stay silent."""

from __future__ import annotations

from pathlib import Path

import pytest

from hubpub import check, rules
from hubpub.config import Settings
from hubpub.diagnostic import Severity

SUBJECT = (
    "HUB001", "HUB002", "HUB003", "HUB004", "HUB005", "HUB006", "HUB101", "HUB102", "HUB103",
    "HUB105", "HUB201", "HUB203", "HUB205", "HUB301", "HUB302", "HUB401", "HUB402", "HUB404",
    "HUB411",
)  # fmt: skip
"""The rules that these cases speak of; what others would add is a matter of their own tests."""
LOAD = "torch.hub.load_state_dict_from_url"


def judge(root: Path, files: dict[str, str]) -> list[tuple[str, str]]:
    """(code, severity) of each finding."""
    for path, text in files.items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    found = check.check(root, Settings(select=SUBJECT)).diagnostics
    return [(item.code, item.severity.label) for item in found]


def hubconf(body: str, dependencies: str = '["torch"]', top: str = "import torch") -> str:
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return f'{top}\ndependencies = {dependencies}\ndef net(big=False):\n    """A net."""\n{lines}'


E, W, N = "error", "warning", "note"
CASES: dict[str, tuple[dict[str, str], list[tuple[str, str]]]] = {
    "dependencies in a tuple": ({"hubconf.py": hubconf("pass", '("torch",)')}, []),
    "dependencies in a dict": ({"hubconf.py": hubconf("pass", '{"torch": 1}')}, []),
    "dependencies put together": (
        {
            "hubconf.py": hubconf("import numpy", '["torch"] + ["numpy"]')
            + 'dependencies += ["x"]\n'
        },
        [],
    ),
    "dependencies appended": (
        {"hubconf.py": hubconf("import numpy") + 'dependencies.append("numpy")\n'},
        [],
    ),
    "dependencies is a number": ({"hubconf.py": hubconf("pass", "3")}, [("HUB102", E)]),
    "an item that is a number": ({"hubconf.py": hubconf("pass", '["torch", 3]')}, [("HUB102", E)]),
    "dependencies that cannot be read": (
        {"hubconf.py": hubconf("pass", "open('r.txt').read().split()")},
        [("HUB102", W)],
    ),
    "dependencies is None": ({"hubconf.py": hubconf("pass", "None")}, [("HUB101", W)]),
    "the module of a distribution": ({"hubconf.py": hubconf("import PIL", '["torch", "PIL"]')}, []),
    "pillow for PIL is one finding": (
        {"hubconf.py": hubconf("import PIL", '["torch", "Pillow"]')},
        [("HUB103", E)],
    ),
    "a dash can never be imported": (
        {"hubconf.py": hubconf("pass", '["torch", "pytorch-lightning"]')},
        [("HUB103", E)],
    ),
    "an underscore can": ({"hubconf.py": hubconf("pass", '["torch", "pytorch_lightning"]')}, []),
    "an undeclared import at the top": (
        {"hubconf.py": hubconf("pass", top="import torch\nimport numpy")},
        [("HUB105", E)],
    ),
    "an undeclared import behind a fallback": (
        {
            "hubconf.py": hubconf(
                "pass",
                top="import torch\ntry:\n    import numpy\nexcept ImportError:\n    numpy = None",
            )
        },
        [],
    ),
    "an import of some calls": (
        {"hubconf.py": hubconf("if big:\n    import numpy")},
        [("HUB105", W)],
    ),
    "one finding per package": (
        {"hubconf.py": hubconf("import numpy\nimport numpy.linalg\nfrom numpy import array")},
        [("HUB105", W)],
    ),
    "a pure re-export": (
        {
            "hubconf.py": 'dependencies = ["torch"]\nfrom nets import small, Large\n',
            "nets.py": 'def small():\n    """S."""\nclass Large:\n    """L."""\n',
        },
        [],
    ),
    "a class that the entrypoint uses": (
        {
            "hubconf.py": hubconf("return Net()", top="from nets import Net"),
            "nets.py": "class Net: pass\n",
        },
        [("HUB203", W)],
    ),
    "a re-export without a docstring is shown where it is defined": (
        {
            "hubconf.py": 'dependencies = ["torch"]\nfrom nets import small\n',
            "nets.py": "def small(): pass\n",
        },
        [("HUB201", W)],
    ),
    "a partial of a documented function": (
        {
            "hubconf.py": hubconf("pass", top="from functools import partial as _p")
            + "big = _p(net, 1)\n"
        },
        [],
    ),
    "a docstring that is assigned": (
        {"hubconf.py": 'dependencies = ["torch"]\ndef net(): pass\nnet.__doc__ = "A net."\n'},
        [],
    ),
    "functools.wraps passes the docstring on": (
        {
            "hubconf.py": 'from functools import wraps as _w\ndependencies = ["torch"]\n'
            "def _d(f):\n    @_w(f)\n    def g(*a): return f(*a)\n    return g\n"
            '@_d\ndef net():\n    """A net."""\n'
        },
        [],
    ),
    "a helper with an underscore": (
        {
            "hubconf.py": hubconf("return _load()")
            + f"def _load():\n    return {LOAD}('https://e.org/a-0a1b2c3d.pth', check_hash=True)\n"
        },
        [],
    ),
    "a hidden function that a document loads": (
        {
            "hubconf.py": hubconf("pass") + "def _big(): pass\n",
            "README.md": "torch.hub.load('o/r:v1', '_big')",
        },
        [("HUB205", W)],
    ),
    "a part of a public function that only hubs": (
        {
            "hubconf.py": hubconf("return _load()")
            + "def _load(): return torch.hub.load('o/r:v1', 'e')\n"
        },
        [],
    ),
    "a pinned call": ({"hubconf.py": hubconf("torch.hub.load('o/r:v1', 'e')")}, []),
    "a call of a local path": (
        {"hubconf.py": hubconf("torch.hub.load('./r', 'e', source='local')")},
        [],
    ),
    "an unpinned call that nothing reaches": (
        {"hubconf.py": hubconf("pass"), "train.py": "import torch\ntorch.hub.load('o/r', 'e')\n"},
        [],
    ),
    "an unpinned call in a module": (
        {
            "hubconf.py": hubconf("from nets import make\nreturn make()"),
            "nets.py": "import torch\ndef make(): return torch.hub.load('o/r', 'e')\n",
        },
        [("HUB301", W)],
    ),
    "a placeholder in an example": (
        {"hubconf.py": hubconf("pass"), "README.md": "torch.hub.load('<owner>/<repo>', 'net')"},
        [],
    ),
    "an unpinned example": (
        {"hubconf.py": hubconf("pass"), "docs/use.md": "torch.hub.load('o/r', 'net')"},
        [("HUB302", N)],
    ),
    "an example in the README of a part": (
        {"hubconf.py": hubconf("pass"), "part/README.md": "torch.hub.load('o/r', 'net')"},
        [("HUB302", N)],
    ),
    "an example that is not about hub": (
        {"hubconf.py": hubconf("pass"), "src/notes.md": "torch.hub.load('o/r', 'net')"},
        [],
    ),
    "a stamp in file_name": (
        {"hubconf.py": hubconf(f"{LOAD}('https://e.org/a.pth', file_name='a-0a1b2c3d.pth')")},
        [],
    ),
    "a query is no part of the name": (
        {"hubconf.py": hubconf(f"{LOAD}('https://e.org/a-0a1b2c3d.pth?dl=1')")},
        [],
    ),
    "a short stamp": (
        {"hubconf.py": hubconf(f"{LOAD}('https://e.org/a-0a1b.pth')")},
        [("HUB402", W)],
    ),
    "each URL of a table once": (
        {
            "hubconf.py": "import torch\ndependencies = ['torch']\n_U = {'a': 'https://e.org/a.pth',"
            " 'b': 'https://e.org/b.pth'}\ndef _l(k): return "
            f"{LOAD}(_U[k])\ndef a():\n    'A.'\n    return _l('a')\n"
            "def b():\n    'B.'\n    return _l('b')\n"
        },
        [("HUB402", W), ("HUB402", W)],
    ),
    "a hash that is given": (
        {
            "hubconf.py": hubconf(
                "torch.hub.download_url_to_file('https://e.org/a.pth', '/tmp/a', hash_prefix='0a')"
            )
        },
        [],
    ),
    "check_hash with an underscore is one finding": (
        {"hubconf.py": hubconf(f"{LOAD}('https://e.org/a_0a1b2c3d.pth', check_hash=True)")},
        [("HUB404", E)],
    ),
    "check_hash that is not known": (
        {"hubconf.py": hubconf(f"{LOAD}('https://e.org/a-0a1b2c3d.pth', check_hash=big)")},
        [],
    ),
    "a relative path": ({"hubconf.py": hubconf("torch.load('a.pth')")}, [("HUB411", E)]),
    "the working directory by name": (
        {"hubconf.py": hubconf("import os\ntorch.load(os.path.join(os.getcwd(), 'a.pth'))")},
        [("HUB411", E)],
    ),
    "a path from __file__": (
        {
            "hubconf.py": hubconf(
                "import os\ntorch.load(os.path.join(os.path.dirname(__file__), 'a.pth'))"
            )
        },
        [],
    ),
    "a path below home": (
        {"hubconf.py": hubconf("import os\ntorch.load(os.path.expanduser('~/.cache/a.pth'))")},
        [],
    ),
    "a path that was downloaded there": (
        {
            "hubconf.py": hubconf(
                "torch.hub.download_url_to_file('https://e.org/a-0a1b2c3d.pth', 'a.pth')\n"
                "torch.load('a.pth')"
            )
        },
        [],
    ),
    "a path that the caller gives": ({"hubconf.py": hubconf("torch.load(big)")}, []),
    "a module that does not parse": (
        {"hubconf.py": hubconf("pass", top="import nets"), "nets.py": "def (:\n"},
        [("HUB001", E)],
    ),
    "a module that nothing imports": ({"hubconf.py": hubconf("pass"), "nets.py": "def (:\n"}, []),
}


@pytest.mark.parametrize("name", CASES)
def test_findings(name: str, tmp_path: Path) -> None:
    files, expected = CASES[name]
    assert judge(tmp_path, files) == expected


SUPPRESSED = {
    "on the line": "def net():  # hubpub: ignore[HUB201] internal\n    pass\n",
    "by name": "def net():  # hubpub: ignore[missing-docstring]\n    pass\n",
    "in small letters": "def net():  # hubpub: ignore[hub201]\n    pass\n",
    "alone on the line before": "# hubpub: ignore[HUB201]\ndef net():\n    pass\n",
    "for the file": "# hubpub: file-ignore[HUB201] reason\ndef net():\n    pass\n",
    "on the first line of a statement": (
        "import torch\ndef net():\n    'A net.'\n"
        "    torch.load(  # hubpub: ignore[HUB411] it is there\n        'a.pth'\n    )\n"
    ),
}


@pytest.mark.parametrize("name", SUPPRESSED)
def test_suppressed(name: str, tmp_path: Path) -> None:
    text = f"dependencies = ['torch']\n{SUPPRESSED[name]}"
    assert judge(tmp_path, {"hubconf.py": text}) == []


NOT_SUPPRESSED = {
    "another code": ("def net():  # hubpub: ignore[HUB203]\n    pass\n", ["HUB002", "HUB201"]),
    "no code": ("def net():  # hubpub: ignore[]\n    pass\n", ["HUB003", "HUB201"]),
    "a blanket": ("def net():  # hubpub: ignore\n    pass\n", ["HUB201"]),
    "in a string": ("def net(): pass\nx = '# hubpub: ignore[HUB201]'\n", ["HUB201"]),
    "too far away": ("# hubpub: ignore[HUB201]\n\n\ndef net():\n    pass\n", ["HUB002", "HUB201"]),
    "unknown code": ("def net():  # hubpub: ignore[HUB201, HUB2O1]\n    pass\n", ["HUB003"]),
    "half used": ("def net():  # hubpub: ignore[HUB201, HUB203]\n    pass\n", ["HUB002"]),
}


@pytest.mark.parametrize("name", NOT_SUPPRESSED)
def test_not_suppressed(name: str, tmp_path: Path) -> None:
    text, codes = NOT_SUPPRESSED[name]
    found = judge(tmp_path, {"hubconf.py": f"dependencies = ['torch']\n{text}"})
    assert sorted(code for code, _ in found) == codes


def test_an_unused_comment_is_removed_and_a_half_used_one_kept(tmp_path: Path) -> None:
    text = (
        "dependencies = ['torch']\ndef a():  # hubpub: ignore[HUB201, HUB203] why\n    pass\n"
        "def b():  # hubpub: ignore[HUB203] why\n    'B.'\n# hubpub: file-ignore[HUB301]\n"
    )
    (tmp_path / "hubconf.py").write_text(text)
    fixed = check.fix(tmp_path, Settings(select=SUBJECT))
    assert fixed.result.diagnostics == ()
    assert (tmp_path / "hubconf.py").read_text() == (
        "dependencies = ['torch']\ndef a():  # hubpub: ignore[HUB201] why\n    pass\n"
        "def b():\n    'B.'\n"
    )


def test_longest_selector_wins() -> None:
    by_code = {item.code: item for item in rules.all_rules()}
    chosen = [
        (Settings(), True),
        (Settings(ignore={"HUB4": ""}), False),
        (Settings(select=("HUB40",), ignore={"HUB4": ""}), True),
        (Settings(select=("HUB1",), extend_select=("HUB402",)), True),
        (Settings(select=("HUB1",)), False),
        (Settings(select=("HUB402",), ignore={"unstamped-checkpoint": ""}), False),
        (Settings(select=("unstamped-checkpoint",), ignore={"HUB": ""}), True),
        (Settings(select=()), False),
    ]
    for settings, expected in chosen:
        assert check.is_selected(by_code["HUB402"], settings) is expected


def test_a_selector_of_the_configuration_that_is_no_rule(tmp_path: Path) -> None:
    (tmp_path / "hubconf.py").write_text("dependencies = ['torch']\ndef a():\n    'A.'\n")
    settings = Settings(path="pyproject.toml", select=SUBJECT, ignore={"HUB20l": "typo"})
    (found,) = check.check(tmp_path, settings).diagnostics
    assert (found.code, found.path, found.severity) == (
        "HUB003",
        "pyproject.toml",
        Severity.WARNING,
    )


def test_the_newest_tag_pins_an_example(tmp_path: Path) -> None:
    refs = tmp_path / ".git" / "refs" / "tags"
    refs.mkdir(parents=True)
    for tag in ("v1.9", "v1.10", "v1.10rc1", "v1.2"):
        (refs / tag).write_text("0" * 40)
    (tmp_path / ".git" / "config").write_text(
        '[remote "origin"]\n\turl = git@github.com:octo/net.git\n'
    )
    (tmp_path / "hubconf.py").write_text("dependencies = ['torch']\ndef net():\n    'A.'\n")
    readme = tmp_path / "README.md"
    readme.write_text(
        "é torch.hub.load('octo/net', 'net') and torch.hub.load('other/net', 'net')\n"
    )
    fixed = check.fix(tmp_path, Settings(select=SUBJECT))
    assert readme.read_text() == (
        "é torch.hub.load('octo/net:v1.10', 'net') and torch.hub.load('other/net', 'net')\n"
    )
    assert [item.code for item in fixed.result.diagnostics] == ["HUB302"]
