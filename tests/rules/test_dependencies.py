"""HUB1xx: the dependencies list, its fixes, and where its rules stay silent."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hubpub import check
from hubpub.config import Settings
from publishing import write_files

SELECT = tuple(f"HUB1{number:02}" for number in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10))
E, W, N = "error", "warning", "note"


def hubconf(dependencies: str, body: str = "return 1", top: str = "") -> str:
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return f'{top}dependencies = {dependencies}\n\n\ndef net(big=False):\n    """A net."""\n{lines}'


def judge(root: Path, files: dict[str, str], select: tuple[str, ...] = SELECT) -> list[str]:
    write_files(root, files)
    found = check.check(root, Settings(select=select)).diagnostics
    return [f"{item.code} {item.severity.label} {item.path}:{item.span.line}" for item in found]


CASES: dict[str, tuple[dict[str, str], list[str]]] = {
    # HUB104
    "a version": ({"hubconf.py": hubconf('["torch>=1.6"]')}, ["HUB104 error hubconf.py:1"]),
    "an extra and a marker": (
        {
            "hubconf.py": hubconf(
                '["torch", "hydra-core[all]; python_version < \'4\'"]', "import hydra"
            )
        },
        ["HUB104 error hubconf.py:1"],
    ),
    "a version of a distribution is one finding": (
        {"hubconf.py": hubconf('["torch", "opencv-python>=4"]', "import cv2")},
        ["HUB104 error hubconf.py:1"],
    ),
    "an address": (
        {"hubconf.py": hubconf('["torch", "git+https://github.com/o/r"]')},
        ["HUB104 error hubconf.py:1"],
    ),
    "blanks around a name": (
        {"hubconf.py": hubconf('["torch", " yaml"]', "import yaml")},
        ["HUB104 error hubconf.py:1"],
    ),
    # HUB102
    "an empty name": ({"hubconf.py": hubconf('["torch", ""]')}, ["HUB102 error hubconf.py:1"]),
    "two names in one": (
        {"hubconf.py": hubconf('["torch", "numpy yaml"]')},
        ["HUB102 error hubconf.py:1"],
    ),
    "a relative name": ({"hubconf.py": hubconf('["torch", ".x"]')}, ["HUB102 error hubconf.py:1"]),
    # HUB107
    "the standard library": (
        {"hubconf.py": hubconf('["torch", "os", "os.path"]')},
        ["HUB107 note hubconf.py:1", "HUB107 note hubconf.py:1"],
    ),
    "an own module": (
        {"hubconf.py": hubconf('["torch", "nets"]'), "nets.py": ""},
        ["HUB107 warning hubconf.py:1"],
    ),
    "an own folder of modules": (
        {"hubconf.py": hubconf('["torch", "nets"]', "import nets.a"), "nets/a.py": ""},
        ["HUB107 warning hubconf.py:1"],
    ),
    "a folder that only has the name of a package": (
        {"hubconf.py": hubconf('["torch", "yaml"]', "import yaml"), "yaml/a.yml": ""},
        [],
    ),
    # HUB108
    "a duplicate": (
        {"hubconf.py": hubconf('["torch", "yaml", "torch"]', "import yaml")},
        ["HUB108 note hubconf.py:1"],
    ),
    # HUB110
    "a part": (
        {"hubconf.py": hubconf('["torch", "scipy.io"]', "import scipy.io")},
        ["HUB110 warning hubconf.py:1"],
    ),
    # HUB101
    "no list and an import": (
        {"hubconf.py": "import numpy\n\n\ndef net():\n    'A.'\n    import yaml\n"},
        ["HUB101 error hubconf.py:1"],
    ),
    "no list and an import of a call": (
        {"hubconf.py": "def net():\n    'A.'\n    import yaml\n"},
        ["HUB101 warning hubconf.py:1"],
    ),
    # HUB106
    "unused": ({"hubconf.py": hubconf('["torch", "yaml"]')}, ["HUB106 note hubconf.py:1"]),
    "torch is never unused": ({"hubconf.py": hubconf('["torch"]')}, []),
    "what torch loads by itself": ({"hubconf.py": hubconf('["torch", "numpy", "tqdm"]')}, []),
    "what a package loads by itself": (
        {
            "hubconf.py": hubconf(
                '["torch", "transformers", "sentencepiece"]', "import transformers"
            )
        },
        [],
    ),
    "mentioned in a string": ({"hubconf.py": hubconf('["torch", "yaml"]', "return 'yaml'")}, []),
    "imported in a method that nothing calls": (
        {
            "hubconf.py": hubconf('["torch", "yaml"]', "import nets\nreturn nets.Net()"),
            "nets.py": "class Net:\n    def forward(self):\n        import yaml\n",
        },
        [],
    ),
    "imported in a module that such a method imports": (
        {
            "hubconf.py": hubconf('["torch", "yaml"]', "import nets\nreturn nets.Net()"),
            "nets.py": "class Net:\n    def forward(self):\n        import more\n",
            "more.py": "import yaml\n",
        },
        [],
    ),
    "a guarded import uses it": (
        {
            "hubconf.py": hubconf(
                '["torch", "yaml"]',
                top="try:\n    import yaml\nexcept ImportError:\n    yaml = 1\n",
            )
        },
        [],
    ),
    "a module whose name is not known": (
        {"hubconf.py": hubconf('["torch", "yaml"]', "import importlib as i\ni.import_module(big)")},
        [],
    ),
    "exec": ({"hubconf.py": hubconf('["torch", "yaml"]', "exec(big)")}, []),
    "a star import of another package": (
        {"hubconf.py": hubconf('["torch", "timm", "yaml"]', top="from timm.models import *\n")},
        ["HUB109 warning hubconf.py:1"],
    ),
    "a module that does not parse": (
        {"hubconf.py": hubconf('["torch", "yaml"]', "import nets"), "nets.py": "def (:\n"},
        [],
    ),
    # HUB109
    "a declared import at the top": (
        {"hubconf.py": hubconf('["torch", "numpy"]', top="import numpy\nimport numpy.linalg\n")},
        ["HUB109 warning hubconf.py:1"],
    ),
    "a declared import in a module": (
        {
            "hubconf.py": hubconf('["torch", "numpy"]', top="import nets\n"),
            "nets.py": "import os\nimport numpy\n",
        },
        ["HUB109 warning nets.py:2"],
    ),
    "a declared import with a fallback": (
        {
            "hubconf.py": hubconf(
                '["torch", "yaml"]',
                top="try:\n    import yaml\nexcept ImportError:\n    yaml = 1\n",
            )
        },
        [],
    ),
    "a declared import that may not run": (
        {
            "hubconf.py": hubconf(
                '["torch", "yaml"]', top="import os\nif os.environ.get('X'):\n    import yaml\n"
            )
        },
        [],
    ),
    "a declared import for types": (
        {
            "hubconf.py": hubconf(
                '["torch", "yaml"]',
                top="from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import yaml\n",
            )
        },
        [],
    ),
    "torch at the top": ({"hubconf.py": hubconf('["torch"]', top="import torch\n")}, []),
    "an undeclared one is HUB105 alone": (
        {"hubconf.py": hubconf('["torch"]', top="import yaml\n")},
        ["HUB105 error hubconf.py:1"],
    ),
    "an undeclared one that a declared one brings": (
        {"hubconf.py": hubconf('["torch", "torchvision"]', "import torchvision", "import numpy\n")},
        ["HUB105 warning hubconf.py:1"],
    ),
    "an undeclared one that a declared one brings with another": (
        {"hubconf.py": hubconf('["torch", "timm"]', "import timm", "import PIL\nimport scipy\n")},
        ["HUB105 warning hubconf.py:1", "HUB105 error hubconf.py:2"],
    ),
    "an undeclared one that torch brings": (
        {"hubconf.py": hubconf('["torch"]', top="import typing_extensions\n")},
        ["HUB105 warning hubconf.py:1"],
    ),
    "one that torch brings, without a list": (
        {"hubconf.py": 'import filelock\ndef net():\n    """A net."""\n'},
        ["HUB101 warning hubconf.py:1"],
    ),
    "one that torch does not bring, without a list": (
        {"hubconf.py": 'import numpy\ndef net():\n    """A net."""\n'},
        ["HUB101 error hubconf.py:1"],
    ),
    "a guard that raises again": (
        {
            "hubconf.py": hubconf(
                '["torch"]', top="try:\n    import yaml\nexcept ImportError as e:\n    raise e\n"
            )
        },
        ["HUB105 error hubconf.py:2"],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_findings(name: str, tmp_path: Path) -> None:
    files, expected = CASES[name]
    assert judge(tmp_path, files) == expected


FIXED: dict[str, tuple[str, str]] = {
    "a version": ("['torch>=1.6']", "['torch', 'yaml']"),
    "a version of a distribution": ('["torch", "PyYAML==5"]', '["torch", "yaml"]'),
    "a distribution": ("['torch', 'PyYAML']", "['torch', 'yaml']"),
    "a part of a listed package": ('["torch", "yaml", "yaml.x"]', '["torch", "yaml"]'),
    "a part": ('["torch", "yaml.x"]', '["torch", "yaml"]'),
    "the last": ('["torch", "yaml", "os"]', '["torch", "yaml"]'),
    "the last with a comma": ('["torch", "yaml", "os",]', '["torch", "yaml",]'),
    "the first": ('["os", "torch", "yaml"]', '["torch", "yaml"]'),
    "all of three": ('["os", "sys", "re", "yaml"]', '["yaml"]'),
    "a tuple of two": ('("yaml", "os")', '("yaml",)'),
    "a tuple of three": ('("yaml", "os", "re")', '("yaml",)'),
    "the first of a tuple of two": ('("os", "yaml")', '("yaml",)'),
    "the first two of a tuple of three": ('("os", "re", "yaml")', '("yaml",)'),
    "the first of a tuple of two with a last comma": ('("os", "yaml",)', '("yaml",)'),
    "the first of a tuple of three": ('("os", "torch", "yaml")', '("torch", "yaml",)'),
    "the first of a tuple without parentheses": ('"os", "yaml"', '"yaml",'),
    "a tuple without parentheses": ('"yaml", "os"', '"yaml",'),
    "lines": (
        '[\n    "torch",\n    "os",\n    "yaml",\n]',
        '[\n    "torch",\n    "yaml",\n]',
    ),
    "lines without a last comma": (
        '[\n    "torch",\n    "yaml",\n    "os"\n]',
        '[\n    "torch",\n    "yaml"\n]',
    ),
    "comments stay": (
        '[\n    "torch",  # always\n    "os",  # paths\n    "yaml",  # files\n]',
        '[\n    "torch",  # always\n    # paths\n    "yaml",  # files\n]',
    ),
    "two a line": (
        '[\n    "torch", "os",\n    "re", "yaml",\n]',
        '[\n    "torch",\n    "yaml",\n]',
    ),
    "a set": ('{"yaml", "os"}', '{"yaml"}'),
    "added": ('["torch"]', '["torch", "yaml"]'),
    "added to nothing": ("[]", '["yaml"]'),
    "added in its quotes": ("['torch']", "['torch', 'yaml']"),
    "added to a tuple": ('("torch",)', '("torch", "yaml",)'),
    "added on a line": ('[\n    "torch",\n]', '[\n    "torch",\n    "yaml",\n]'),
    "added after a comment": (
        '[\n    "torch",  # always\n    # end\n]',
        '[\n    "torch",  # always\n    "yaml",\n    # end\n]',
    ),
    "added after an item without a comma": (
        "[\n  'torch'  # always\n]",
        "[\n  'torch',  # always\n  'yaml'\n]",
    ),
    "added beside the bracket": ('[\n  "torch"]', '[\n  "torch", "yaml"]'),
    "added and removed": ('("torch", "os")', '("torch", "yaml",)'),
    "no list": ("None", '["torch", "yaml"]'),
}


@pytest.mark.parametrize("ends", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("name", FIXED)
def test_fixed(name: str, ends: str, tmp_path: Path) -> None:
    before, after = FIXED[name]
    body = "import yaml, yaml.x\nimport torch"
    text = hubconf(before, body).replace("\n", ends)
    (tmp_path / "hubconf.py").write_bytes(text.encode())
    fixed = check.fix(tmp_path, Settings(select=SELECT))
    assert fixed.result.diagnostics == ()
    written = (tmp_path / "hubconf.py").read_bytes().decode()
    assert written == hubconf(after, body).replace("\n", ends)


NOT_FIXED = {
    "an item that has a name of its own": "[_NAME]",
    "put together": '["torch"] + ["os"]',
    "the only one of a tuple": '("os",)',
    "the only one of a set": '{"os"}',
    "the only one of a set with a comma": '{"os",}',
}


@pytest.mark.parametrize("name", NOT_FIXED)
def test_what_is_written_in_another_way_is_left_alone(name: str, tmp_path: Path) -> None:
    text = hubconf(NOT_FIXED[name], top='_NAME = "os"\n')
    (tmp_path / "hubconf.py").write_text(text)
    check.fix(tmp_path, Settings(select=("HUB107",)))
    assert (tmp_path / "hubconf.py").read_text() == text


NAMES = ["torch", "yaml", "os", "re", "yaml>=5", "PyYAML", "yaml.x", "scipy"]
GAPS = ["", " ", "  # a comment\n    ", "\n    ", "\n\n        "]


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    items=st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(GAPS), st.booleans())),
    brackets=st.sampled_from(["[]", "()", "{}"]),
    last=st.booleans(),
    start=st.sampled_from(GAPS),
)
@example(items=[("os", "", False), ("os", "", False)], brackets="{}", last=True, start="")
@example(items=[("os", "", False), ("yaml", "", False)], brackets="()", last=False, start="")
def test_any_list_is_mended_whole(
    items: list[tuple[str, str, bool]],
    brackets: str,
    last: bool,
    start: str,
    tmp_path: Path,
) -> None:
    """After fixing, the display still is one of its kind, with the right names, in order."""
    parts = []
    for index, (name, gap, single) in enumerate(items):
        comma = "," if last or index < len(items) - 1 or len(items) == 1 else ""
        parts.append(f"{repr(name) if single else chr(34) + name + chr(34)}{comma}{gap}")
    display = f"{brackets[0]}{start}{''.join(parts)}{brackets[1]}"
    if display == "{}" or (brackets == "{}" and not items):
        return
    (tmp_path / "hubconf.py").write_text(hubconf(display, "import yaml"))
    result = check.fix(tmp_path, Settings(select=SELECT)).result
    text = (tmp_path / "hubconf.py").read_text()
    value = ast.parse(text).body[0]
    assert isinstance(value, ast.Assign)
    found: Any = ast.literal_eval(value.value)
    kinds = {"[]": "list", "()": "tuple", "{}": "set"}
    assert type(found).__name__ == kinds[brackets]
    assert text.count("# a comment") == display.count("# a comment")
    left = {item.code for item in result.diagnostics}
    if brackets == "[]":
        assert left == set()
        kept = ["torch"] if any(name == "torch" for name, _, _ in items) else []
        assert set(found) == {*kept, "yaml"}
        assert len(found) == len(set(found))
    else:
        assert left <= {"HUB105", "HUB106", "HUB107"}


TWO = 'dependencies = ["torch"]\n\n\ndef net():\n    """A net."""\n    import yaml\n'
OTHER = '\n\ndef other():\n    """A net."""\n    return 1\n'
LEAK = "\n\nclass Net:\n    pass\n\n\ndef other():\n    return Net()\n"
LEAKED = 'dependencies = ["torch"]\n\n\nclass Net:\n    def __init__(self): import yaml\n'
PARTS: dict[str, tuple[str, str, bool | None]] = {
    # what it is -> hubconf.py, the entrypoints that are named, whether the fix is safe
    "the only entrypoint": (TWO, "by net", True),
    "one of two": (TWO + OTHER, "by net", False),
    "both": (TWO + OTHER.replace("return 1", "import yaml"), "by net, other", True),
    "one, and some calls of the other": (
        TWO + OTHER.replace("other()", "other(n=1)").replace("return 1", "if n: import yaml"),
        "by net",
        False,
    ),
    "some calls": (
        TWO.replace("net()", "net(n=1)").replace("import yaml", "if n: import yaml"),
        "by some calls of net",
        None,
    ),
    "all that are meant": (TWO + LEAK.replace("def other", "def _other"), "by net", True),
    "what leaked, and some calls": (
        LEAKED + '\n\ndef net(n=1):\n    """A net."""\n    return Net() if n else 2\n',
        "by some calls of net",
        None,
    ),
}


@pytest.mark.parametrize("name", PARTS)
def test_who_needs_a_package(name: str, tmp_path: Path) -> None:
    text, named, safe = PARTS[name]
    write_files(tmp_path, {"hubconf.py": text})
    (found,) = check.check(tmp_path, Settings(select=("HUB105",))).diagnostics
    assert found.message == f"yaml is imported {named} and is not in dependencies"
    assert (found.fix.safe if found.fix else None) is safe


def test_a_new_list_names_what_every_entrypoint_needs(tmp_path: Path) -> None:
    body = "    import numpy\n    import yaml\n"
    nets = f'def net():\n    """A net."""\n{body}{OTHER}    import numpy\n'
    write_files(tmp_path, {"hubconf.py": nets.replace("    return 1\n", "")})
    (found,) = check.check(tmp_path, Settings(select=("HUB101",))).diagnostics
    assert found.message == "hubconf.py has no dependencies list, though it needs numpy"
