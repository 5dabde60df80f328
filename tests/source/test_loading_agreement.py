"""What is said to fail in every load does, and what is not said does not: torch's own loader."""

from __future__ import annotations

from pathlib import Path

import pytest

import loader
from hubpub import check
from hubpub.config import Settings
from hubpub.diagnostic import Severity

pytest.importorskip("torch", reason="the real loader is the oracle, and torch is not installed")

NET = "import torch\ndef net():\n    return torch.nn.Linear(2, 1)\n"
FUTURE = "from __future__ import annotations\nimport dataclasses, torch, typing\n"
DATA = "@dataclasses.dataclass\nclass _D:\n    "
PATH = "import os, sys\n_here = os.path.dirname(__file__)\n"
LATE = "import torch\nclass Net(torch.nn.Module):\n    def forward(self):\n        "
USE = "def net():\n    from tiny_nets.net import Net\n    return Net()\n"
AROUND = {
    "tiny.py": "value = 1\n", "source/deep.py": "", "source/deeper.py": "", "tiny_ops.py": "",
}  # fmt: skip

HUBCONFS: dict[str, tuple[str, str | None]] = {
    # case -> hubconf.py, and the class of what a load raises; None where it loads
    "a dataclass under future annotations": (f"{FUTURE}{DATA}a: int = 1\n{NET}", "AttributeError"),
    "a generic under future annotations": (
        f"{FUTURE}{DATA}a: list[int] = None\n{NET}",
        "AttributeError",
    ),
    "a union under future annotations": (
        f"{FUTURE}{DATA}a: int | None = None\n{NET}",
        "AttributeError",
    ),
    "None under future annotations": (f"{FUTURE}{DATA}a: None = None\n{NET}", "AttributeError"),
    "a dotted name under future annotations": (f"{FUTURE}{DATA}a: torch.Tensor = 1\n{NET}", None),
    "a dotted generic": (f"{FUTURE}{DATA}a: typing.Optional[int] = 1\n{NET}", None),
    "a dotted union": (f"{FUTURE}{DATA}a: torch.Tensor | None = None\n{NET}", None),
    "quotes under future annotations": (f"{FUTURE}{DATA}a: 'int' = 1\n{NET}", None),
    "no annotation": (f"{FUTURE}{DATA}a = 1\n{NET}", None),
    "quotes": (f"import dataclasses\n{DATA}a: 'int' = 1\n{NET}", "AttributeError"),
    "quotes in the second field": (
        f"import dataclasses\n{DATA}a: int = 1\n    b: 'int' = 1\n{NET}",
        "AttributeError",
    ),
    "quotes around a dotted name": (
        f"import dataclasses\n{DATA}a: 'torch.Tensor' = 1\n{NET}",
        None,
    ),
    "quotes inside": (
        f"import dataclasses\nfrom typing import List\n{DATA}a: List['int'] = None\n{NET}",
        None,
    ),
    "a plain dataclass": (f"import dataclasses\n{DATA}a: int = 1\n{NET}", None),
    "a plain class": (f"{FUTURE}class _D:\n    a: int = 1\n{NET}", None),
    "a dataclass of a branch that is not taken": (
        f"{FUTURE}if 0:\n    @dataclasses.dataclass\n    class _D:\n        a: int = 1\n{NET}",
        None,
    ),
    "from . import": (f"from . import tiny\n{NET}", "ImportError"),
    "from .module import": (f"from .tiny import value\n{NET}", "ImportError"),
    "from ..module import": (f"from ..tiny import value\n{NET}", "ImportError"),
    "a relative import in the entrypoint": (
        "def net():\n    from .tiny import value\n    return value\n",
        "ModuleNotFoundError",
    ),
    "from . import in the entrypoint": (
        "def net():\n    from . import tiny\n    return tiny\n",
        "ImportError",
    ),
    "from . import of an own name": (
        "def _f(): return {}\ndef net():\n    from . import _f\n    return _f()\n",
        None,
    ),
    "a relative import with a fallback": (
        f"try:\n    from .tiny import value\nexcept ImportError:\n    import tiny\n{NET}",
        None,
    ),
    "a relative import that nothing reaches": (f"{NET}def _f():\n    from . import tiny\n", None),
    "sys.path.pop(0)": (f"{PATH}sys.path.pop(0)\n{NET}", "ValueError"),
    "sys.path.pop()": (f"{PATH}sys.path.pop()\n{NET}", None),
    "del sys.path[0]": (f"{PATH}del sys.path[0]\n{NET}", "ValueError"),
    "sys.path.clear()": (f"{PATH}sys.path.clear()\n{NET}", "ValueError"),
    "sys.path is another list": (f"{PATH}sys.path = ['x']\n{NET}", "ValueError"),
    "sys.path is a longer list": (f"{PATH}sys.path = ['x'] + sys.path\n{NET}", None),
    "the first entry is another": (f"{PATH}sys.path[0] = 'x'\n{NET}", "ValueError"),
    "the root is removed": (f"{PATH}sys.path.remove(_here)\n{NET}", "ValueError"),
    "what was inserted is removed": (
        f"{PATH}sys.path.insert(0, 'x')\nsys.path.pop(0)\n{NET}",
        None,
    ),
    "the root twice, removed once": (
        f"{PATH}sys.path.insert(0, _here)\nsys.path.remove(_here)\n{NET}",
        None,
    ),
    "relative to the working directory": (
        f"{PATH}sys.path.append('source')\nimport deep\n{NET}",
        "ModuleNotFoundError",
    ),
    "relative to the working directory by name": (
        f"{PATH}sys.path.append(os.path.join(os.getcwd(), 'source'))\nimport deep\n{NET}",
        "ModuleNotFoundError",
    ),
    "relative and not needed": (f"{PATH}sys.path.append('source')\nimport tiny\n{NET}", None),
    "relative to the first entry": (
        f"{PATH}sys.path.append(sys.path[0] + '/source')\nimport deep\n{NET}",
        None,
    ),
    "relative to the file": (f"{PATH}sys.path.append(_here + '/source')\nimport deep\n{NET}", None),
}

METHODS: dict[str, tuple[str, bool]] = {
    # case -> the import in forward, and whether it fails after the load
    "a top-level module": ("import tiny_ops", True),
    "from a top-level module": ("from tiny_ops import x", True),
    "a submodule": ("import tiny_nets.ops", False),
    "from a submodule": ("from tiny_nets.ops import x", False),
    "a relative import": ("from .ops import x", False),
    "itself": ("import tiny_nets.net", False),
}

ATTEMPT = """
answer = None
model = torch.hub.load("owner/name", "net", trust_repo=True)
if type(model).__name__ == "Net":
    model()
"""


def _files() -> dict[str, dict[str, str]]:
    found = {name: AROUND | {"hubconf.py": text} for name, (text, _) in HUBCONFS.items()}
    for name, (text, _) in METHODS.items():
        net = {
            "hubconf.py": USE,
            "tiny_nets/net.py": f"{LATE}{text}\n",
            "tiny_nets/ops.py": "x = 1",
        }
        found[f"in forward: {name}"] = AROUND | net | {"tiny_ops.py": "x = 1"}
    return found


CASES = _files()


@pytest.fixture(scope="module")
def raised(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str | None]:
    """Case -> what the real ``torch.hub.load`` raised, in one process per case."""
    return loader.answers(tmp_path_factory.mktemp("cases"), CASES, ATTEMPT, "type(error).__name__")


@pytest.mark.parametrize("name", HUBCONFS)
def test_errors_are_loads_that_fail(
    name: str, raised: dict[str, str | None], tmp_path: Path
) -> None:
    expected = HUBCONFS[name][1]
    assert raised[name] == expected, "the table is not what torch does"
    settings = Settings(select=("HUB213", "HUB214", "HUB502"))
    found = check.check(loader.write(tmp_path / "r", CASES[name]), settings).diagnostics
    errors = [item for item in found if item.severity is Severity.ERROR]
    assert bool(errors) == (expected is not None)


@pytest.mark.parametrize("name", METHODS)
def test_late_imports_fail_after_the_load(
    name: str, raised: dict[str, str | None], tmp_path: Path
) -> None:
    case, fails = f"in forward: {name}", METHODS[name][1]
    assert raised[case] == ("ModuleNotFoundError" if fails else None)
    found = check.check(loader.write(tmp_path / "r", CASES[case]), Settings(select=("HUB505",)))
    assert bool(found.diagnostics) == fails
