"""HUB111, HUB213, HUB214 and HUB501 to HUB508: where they fire, and where they stay silent."""

from __future__ import annotations

from pathlib import Path

import pytest

from hubpub import check
from hubpub.config import Settings

SUBJECT = ("HUB111", "HUB213", "HUB214", "HUB5")
HEAD = 'import torch\ndependencies = ["torch"]\n'
NET = 'def net(big=False):\n    """A net."""\n    return torch.nn.Linear(2, 1)\n'
PLAIN = HEAD + NET


def judge(root: Path, files: dict[str, str]) -> list[str]:
    """The code of each finding, with the first letter of its severity and its line."""
    for path, text in files.items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    found = check.check(root, Settings(select=SUBJECT)).diagnostics
    return [f"{item.code} {item.severity.label[0]} {item.path}:{item.span.line}" for item in found]


def net(body: str, signature: str = "big=False") -> str:
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return f'{HEAD}def net({signature}):\n    """A net."""\n{lines}'


def at(line: int, code: str, severity: str = "w", path: str = "hubconf.py") -> str:
    return f"{code} {severity} {path}:{line}"


TOP: dict[str, tuple[str, list[str]]] = {
    "pip at import": ("import os\nos.system('pip install x')", ["HUB111 w"]),
    "any shell command at import": ("import os\nos.system('make -C ops')", ["HUB111 w"]),
    "pip by subprocess": (
        "import subprocess, sys as s\nsubprocess.run([s.executable, '-m', 'pip', 'install', 'x'])",
        ["HUB111 w"],
    ),
    "pip with an f-string": (
        "import subprocess\ndef _r(x):\n    subprocess.run(f'pip install {x}')\n_r(id(1))",
        ["HUB111 w"],
    ),
    "a build": ("from setuptools import setup\nsetup(name='x')", ["HUB111 w"]),
    "an extension": (
        "from torch.utils.cpp_extension import load\n_ops = load('ops', ['ops.cpp'])",
        ["HUB111 w"],
    ),
    "an install where an import fails": (
        "import os\ntry:\n    import x\nexcept ImportError:\n    os.system('pip install x')",
        ["HUB111 w"],
    ),
    "git at import is another rule's": (
        "import subprocess\n_v = subprocess.check_output(['git', 'describe'])",
        [],
    ),
    "a process at import": ("import subprocess\nsubprocess.run(['nvcc'])", ["HUB503 w"]),
    "a process that may fail": (
        "import subprocess\ntry:\n    subprocess.run(['nvcc'])\nexcept OSError:\n    pass",
        [],
    ),
    "only below __main__": ("if __name__ == '__main__':\n    print(1)\n    1 / 0", []),
    "print": ("print('hello')", ["HUB503 w"]),
    "print to elsewhere": ("import sys\nprint('hello', file=sys.stderr)", []),
    "print in a branch": ("if torch.cuda.is_available():\n    print('hello')", []),
    "print in a handler": ("try:\n    import x\nexcept ImportError:\n    print('no x')", []),
    "print in a loop is one": ("for _i in range(9):\n    print(_i)", ["HUB503 w"]),
    "print in a function that is called": (
        "def _f():\n    print(1)\n_f()\n_f()",
        ["HUB503 w"],
    ),
    "print in a function that is not": ("def _f():\n    print(1)", []),
    "chdir": ("import os\nos.chdir('/')", ["HUB503 w"]),
    "the environment": ("import os\nos.environ['A'] = '1'", ["HUB503 w"]),
    "the environment by setdefault": ("import os\nos.environ.setdefault('A', '1')", ["HUB503 w"]),
    "the environment read": ("import os\n_a = os.environ['A'], os.environ.get('B')", []),
    "a file written": ("with open('x', 'w') as _f:\n    pass", ["HUB503 w"]),
    "a file read": ("with open(__file__) as _f:\n    _t = _f.read()", []),
    "a folder made": ("import os\nos.makedirs('x', exist_ok=True)", ["HUB503 w"]),
    "a folder made by pathlib": ("from pathlib import Path\nPath('x').mkdir()", ["HUB503 w"]),
    "a folder made somewhere": (
        "import os\nfrom pathlib import Path\nPath(os.environ['X']).mkdir()",
        ["HUB503 w"],
    ),
    "a checkpoint opened": ("_w = torch.load('x')", ["HUB503 w"]),
    "a download": (
        "_w = torch.hub.load_state_dict_from_url('https://e.org/a.pth')",
        ["HUB503 w"],
    ),
    "CUDA": ("torch.cuda.set_device(0)", ["HUB503 w"]),
    "a tensor on CUDA": ("_t = torch.zeros(1, device='cuda')", ["HUB503 w"]),
    "asking for CUDA": ("_c = torch.cuda.is_available()", []),
    "a device object": ("_d = torch.device('cuda')", []),
    "a seed": ("torch.manual_seed(0)", ["HUB503 w"]),
    "a generator's seed": ("_g = torch.Generator()\n_g.manual_seed(0)", []),
    "a global setting": ("torch.set_default_dtype(torch.float64)", ["HUB503 w"]),
    "a switch of cudnn": ("torch.backends.cudnn.benchmark = True", []),
    "warnings are filtered": ("import warnings\nwarnings.filterwarnings('ignore')", []),
    "a bare except": ("try:\n    import x\nexcept:\n    x = None", ["HUB508 n"]),
    "except Exception": ("try:\n    import x\nexcept Exception:\n    x = None", ["HUB508 n"]),
    "except ImportError": ("try:\n    import x\nexcept ImportError:\n    x = None", []),
    "ImportError first": (
        "try:\n    import x\nexcept ImportError:\n    x = 1\nexcept Exception:\n    x = 2",
        [],
    ),
    "a handler that tells": (
        "import warnings\ntry:\n    import x\nexcept Exception as e:\n    warnings.warn(str(e))",
        [],
    ),
    "a handler that raises": ("try:\n    import x\nexcept Exception:\n    raise", []),
    "a handler that keeps the exception": (
        "try:\n    import x\nexcept Exception as _e:\n    x = _e",
        [],
    ),
    "a handler with another import": (
        "try:\n    import x\nexcept Exception:\n    import y as x",
        [],
    ),
    "a bare except of a standard module": (
        "try:\n    import cProfile\nexcept:\n    pass",
        [],
    ),
    "a bare except of imports and calls": (
        "try:\n    import x\n    x.start()\nexcept:\n    x = None",
        [],
    ),
    "a bare except of other things": ("try:\n    _x = int('3')\nexcept:\n    _x = 1", []),
}


@pytest.mark.parametrize("name", TOP)
def test_at_import(name: str, tmp_path: Path) -> None:
    top, expected = TOP[name]
    found = judge(tmp_path, {"hubconf.py": f"{HEAD}{top}\n{NET}"})
    assert [item.rpartition(" ")[0] for item in found] == expected


def test_a_side_effect_of_a_module_says_how_it_is_reached(tmp_path: Path) -> None:
    (tmp_path / "hubconf.py").write_text("from nets import net\n" + HEAD)
    (tmp_path / "nets.py").write_text("import torch\nprint(1)\n" + NET)
    found = check.check(tmp_path, Settings(select=("HUB503",))).diagnostics
    assert [(item.path, item.span.line) for item in found] == [("nets.py", 2)]
    assert [(note.path, note.span.line) for note in found[0].notes] == [("hubconf.py", 1)]


def test_effects_of_entrypoints_are_no_effects_of_the_import(tmp_path: Path) -> None:
    body = (
        "import os, subprocess\nos.makedirs('x')\nprint(1)\nos.system('ls')\n"
        "subprocess.run(['ffmpeg', '-version'])\nreturn torch.nn.Linear(2, 1)"
    )
    assert judge(tmp_path, {"hubconf.py": net(body)}) == []


CALLS: dict[str, tuple[str, str, list[str]]] = {
    "pip": ("import os\nos.system('pip install x')", "", [at(6, "HUB111")]),
    "pip where a package lacks": (
        "try:\n    import x\nexcept ImportError:\n    import os\n    os.system('pip install x')",
        "",
        [at(9, "HUB111")],
    ),
    "an optional build": (
        "import subprocess\ntry:\n    subprocess.run(['make'])\nexcept OSError:\n    pass",
        "",
        [],
    ),
    "cuda()": ("return torch.nn.Linear(2, 1).cuda()", "", [at(5, "HUB504")]),
    "to('cuda')": ("return torch.nn.Linear(2, 1).to('cuda')", "", [at(5, "HUB504")]),
    "a default": ("return torch.nn.Linear(2, 1).to(d)", "d='cuda'", [at(3, "HUB504")]),
    "a default twice is one": (
        "m = torch.nn.Linear(2, 1).to(d)\nreturn m.to(torch.device(d))",
        "d='cuda:0'",
        [at(3, "HUB504")],
    ),
    "a default by keyword": (
        "return torch.load('x', map_location=d)",
        "d='cuda'",
        [at(3, "HUB504")],
    ),
    "a default of the CPU": ("return torch.nn.Linear(2, 1).to(d)", "d='cpu'", []),
    "no default": ("return torch.nn.Linear(2, 1).to(d)", "d", []),
    "a default None": (
        "d = d or ('cuda' if torch.cuda.is_available() else 'cpu')\nreturn torch.zeros(1).to(d)",
        "d=None",
        [],
    ),
    "a switch that is off": (
        "m = torch.zeros(1)\nif gpu:\n    m.cuda()\nreturn m",
        "gpu=False",
        [],
    ),
    "a switch that is on": (
        "m = torch.zeros(1)\nif gpu:\n    m.cuda()\nreturn m",
        "gpu=True",
        [at(7, "HUB504")],
    ),
    "asked for": (
        "m = torch.zeros(1)\nif torch.cuda.is_available():\n    m.cuda()\nreturn m",
        "",
        [],
    ),
    "asked for in one line": (
        "d = 'cuda' if torch.cuda.is_available() else 'cpu'\nreturn torch.zeros(1, device=d)",
        "",
        [],
    ),
    "overridden on a CPU": (
        "if not torch.cuda.is_available():\n    d = 'cpu'\nreturn torch.zeros(1).to(d)",
        "d='cuda'",
        [],
    ),
    "left early on a CPU": (
        "m = torch.zeros(1)\nif not torch.cuda.is_available():\n    return m\nreturn m.cuda()",
        "",
        [],
    ),
    "a failure that is caught": (
        "m = torch.zeros(1)\ntry:\n    m = m.cuda()\nexcept RuntimeError:\n    pass\nreturn m",
        "",
        [],
    ),
    "autocast": ("with torch.autocast(device_type='cuda'):\n    return torch.zeros(1)", "", []),
    "remote code": (
        "import transformers as x\nreturn x.Net.from_pretrained('o/r', trust_remote_code=True)",
        "",
        [at(6, "HUB507")],
    ),
    "remote code by default": (
        "import transformers as x\nreturn x.AutoModel.from_pretrained('o/r', trust_remote_code=t)",
        "t=True",
        [at(6, "HUB507")],
    ),
    "remote code for who asks": (
        "import transformers as x\nreturn x.AutoModel.from_pretrained('o/r', trust_remote_code=t)",
        "t=False",
        [],
    ),
    "remote code by **": (
        "import transformers as t\nkw = {'trust_remote_code': True}\nreturn t.load('o/r', **kw)",
        "",
        [at(7, "HUB507")],
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_at_a_call(name: str, tmp_path: Path) -> None:
    body, signature, expected = CALLS[name]
    assert judge(tmp_path, {"hubconf.py": net(body, signature)}) == expected


def test_what_only_training_runs_is_not_reached(tmp_path: Path) -> None:
    module = (
        "import torch\nclass Net(torch.nn.Module):\n    def forward(self, x):\n"
        "        return x.cuda()\n    def fit(self):\n        self.cuda()\n"
    )
    body = net("from tiny_nets import Net\nreturn Net()")
    assert judge(tmp_path, {"hubconf.py": body, "tiny_nets.py": module}) == []


def test_what_a_constructor_runs_is_reached(tmp_path: Path) -> None:
    module = (
        "import torch\nclass Net(torch.nn.Module):\n    def __init__(self):\n"
        "        super().__init__()\n        self.to('cuda')\n"
    )
    body = net("from tiny_nets import Net\nreturn Net()")
    found = judge(tmp_path, {"hubconf.py": body, "tiny_nets.py": module})
    assert found == [at(5, "HUB504", path="tiny_nets.py")]


FILES: dict[str, tuple[dict[str, str], list[str]]] = {
    "a generic name": (
        {"hubconf.py": "import utils as _u\n" + PLAIN, "utils.py": ""},
        [at(1, "HUB501")],
    ),
    "a generic name of nobody here": ({"hubconf.py": "import utils as _u\n" + PLAIN}, []),
    "a generic name inside a package": (
        {"hubconf.py": "import tinynet.utils\n" + PLAIN, "tinynet/utils.py": ""},
        [],
    ),
    "one finding a name, where it is nearest": (
        {
            "hubconf.py": PLAIN + "from models import a as _a\n",
            "models/__init__.py": "",
            "models/a.py": "from models import b\nimport models.b\n",
            "models/b.py": "",
        },
        [at(6, "HUB501")],
    ),
    "a generic name that a call imports": (
        {"hubconf.py": net("import models\nreturn models.f()"), "models.py": "def f(): return {}"},
        [at(5, "HUB501")],
    ),
    "a class that is returned": (
        {"hubconf.py": net("return (_C(), 1)") + "class _C: pass\n"},
        [at(6, "HUB213", "n")],
    ),
    "a class inside a container of torch": (
        {"hubconf.py": net("return torch.nn.Sequential(_C())") + "class _C: pass\n"},
        [at(6, "HUB213", "n")],
    ),
    "a module that is defined": (
        {"hubconf.py": PLAIN + "class _C(torch.nn.Module): pass\n"},
        [at(6, "HUB213", "n")],
    ),
    "classes that stay inside": (
        {
            "hubconf.py": PLAIN + "from enum import Enum as _E\nfrom dataclasses import dataclass "
            "as _d\nclass _C: pass\nclass _K(_E):\n    A = 1\n@_d\nclass _D:\n    a: int = 1\n"
            "class _X(Exception): pass\n_c = _C()\n"
        },
        [],
    ),
    "a dataclass with string annotations": (
        {
            "hubconf.py": "from __future__ import annotations\nfrom dataclasses import dataclass "
            "as _d\n" + PLAIN + "@_d(frozen=True)\nclass _D:\n    b = 2\n    a: int = 1\n"
        },
        [at(11, "HUB213", "e")],
    ),
    "a dataclass with a quoted annotation": (
        {
            "hubconf.py": PLAIN + "import dataclasses as _d\n@_d.dataclass\nclass _D:\n"
            "    b: int = 1\n    a: 'int' = 1\n"
        },
        [at(10, "HUB213", "e")],
    ),
    "a dataclass with dotted annotations": (
        {
            "hubconf.py": "from __future__ import annotations\nfrom dataclasses import dataclass "
            "as _d\n" + PLAIN + "@_d\nclass _D:\n    a: torch.Tensor = None\n"
        },
        [],
    ),
    "a dataclass in a module": (
        {
            "hubconf.py": "from tiny_nets import D as _D\n" + PLAIN,
            "tiny_nets.py": "from __future__ import annotations\nfrom dataclasses import dataclass"
            "\n@dataclass\nclass D:\n    a: int = 1\n",
        },
        [],
    ),
    "a relative import": (
        {"hubconf.py": "from .tiny_nets import f as _f\n" + PLAIN, "tiny_nets.py": "def f(): 1\n"},
        [at(1, "HUB214", "e")],
    ),
    "a relative import of nothing": (
        {"hubconf.py": "from . import x\n" + PLAIN},
        [at(1, "HUB214", "e")],
    ),
    "a relative import with a fallback": (
        {
            "hubconf.py": "try:\n    from .tiny_nets import f as _f\nexcept ImportError:\n"
            "    from tiny_nets import f as _f\n" + PLAIN,
            "tiny_nets.py": "def f(): 1\n",
        },
        [],
    ),
    "a relative import in a call": (
        {"hubconf.py": net("from .x import y\nreturn y()"), "x.py": "def y(): return {}\n"},
        [at(5, "HUB214", "e")],
    ),
    "a relative import in a package": (
        {
            "hubconf.py": "import tiny_nets as _t\n" + PLAIN,
            "tiny_nets/__init__.py": "from . import a\n",
            "tiny_nets/a.py": "",
        },
        [],
    ),
    "a directory of the repository": (
        {
            "hubconf.py": "import os, sys\nsys.path.insert(0, os.path.dirname(__file__) + '/a')\n"
            + PLAIN
        },
        [at(2, "HUB502")],
    ),
    "the root": (
        {"hubconf.py": "import os, sys\nsys.path.insert(0, os.path.dirname(__file__))\n" + PLAIN},
        [at(2, "HUB502")],
    ),
    "the root, unless it is there": (
        {
            "hubconf.py": "import os, sys\n_r = os.path.dirname(__file__)\nif _r not in sys.path:\n"
            "    sys.path.insert(0, _r)\n" + PLAIN
        },
        [],
    ),
    "an entry that is taken away again": (
        {
            "hubconf.py": "import os, sys\n_r = os.path.dirname(__file__) + '/a'\n"
            "sys.path.insert(0, _r)\nimport os.path as _p\nsys.path.remove(_r)\n"
            "sys.path.insert(0, _r)\nsys.path.pop(0)\n" + PLAIN
        },
        [],
    ),
    "the working directory": (
        {"hubconf.py": "import sys\nsys.path.append('.')\n" + PLAIN},
        [at(2, "HUB502")],
    ),
    "the working directory by name": (
        {"hubconf.py": "import os, sys\nsys.path.append(os.getcwd())\n" + PLAIN},
        [at(2, "HUB502")],
    ),
    "a relative entry that an import needs": (
        {
            "hubconf.py": "import sys\nsys.path.append('source')\nimport tiny_nets as _t\n" + PLAIN,
            "source/tiny_nets.py": "",
        },
        [at(2, "HUB502", "e")],
    ),
    "below the first entry": (
        {
            "hubconf.py": "import sys\nsys.path.append(sys.path[0] + '/source')\n"
            "import tiny_nets as _t\n" + PLAIN,
            "source/tiny_nets.py": "",
        },
        [at(2, "HUB502")],
    ),
    "the loader's entry is taken away": (
        {"hubconf.py": "import sys\nsys.path.pop(0)\n" + PLAIN},
        [at(2, "HUB502", "e")],
    ),
    "the loader's entry is deleted": (
        {"hubconf.py": "import sys\ndel sys.path[0]\n" + PLAIN},
        [at(2, "HUB502", "e")],
    ),
    "another list without it": (
        {"hubconf.py": "import sys\nsys.path = ['/opt/x']\n" + PLAIN},
        [at(2, "HUB502", "e")],
    ),
    "another list with it": (
        {"hubconf.py": "import sys\nsys.path = ['/opt/x'] + sys.path\n" + PLAIN},
        [at(2, "HUB502")],
    ),
    "perhaps taken away, which is not told": (
        {"hubconf.py": "import os, sys\nif os.environ.get('X'):\n    sys.path.pop(0)\n" + PLAIN},
        [],
    ),
    "an entry that is not known, in some cases": (
        {
            "hubconf.py": "import os, sys\nif os.environ.get('X'):\n"
            "    sys.path.append(os.environ['X'])\n" + PLAIN
        },
        [],
    ),
    "a late import": (
        {
            "hubconf.py": net("from tiny_nets import Net\nreturn Net()"),
            "tiny_nets.py": "class Net:\n    def forward(self):\n        import tiny_ops\n",
            "tiny_ops.py": "",
        },
        [at(3, "HUB505", path="tiny_nets.py")],
    ),
    "a late import of what is loaded": (
        {
            "hubconf.py": net("import tiny_ops\nfrom tiny_nets import Net\nreturn Net()"),
            "tiny_nets.py": "class Net:\n    def forward(self):\n        import tiny_ops\n",
            "tiny_ops.py": "",
        },
        [],
    ),
    "a late import of a submodule": (
        {
            "hubconf.py": net("from tiny_nets.net import Net\nreturn Net()"),
            "tiny_nets/net.py": "class Net:\n    def forward(self):\n"
            "        import tiny_nets.ops\n        from .ops import f\n",
            "tiny_nets/ops.py": "def f(): 1\n",
        },
        [],
    ),
    "a late import where the root stays on the path": (
        {
            "hubconf.py": net(
                "import os, sys\nsys.path.append(os.path.dirname(__file__))\n"
                "from tiny_nets import Net\nreturn Net()"
            ),
            "tiny_nets.py": "class Net:\n    def forward(self):\n        import tiny_ops\n",
            "tiny_ops.py": "",
        },
        [at(6, "HUB502")],
    ),
    "a late import of another package": (
        {
            "hubconf.py": net("from tiny_nets import Net\nreturn Net()"),
            "tiny_nets.py": "class Net:\n    def forward(self):\n        import wandb\n",
            "wandb/notes.txt": "",
        },
        [],
    ),
    "newer syntax": (
        {"hubconf.py": PLAIN + "_x = (_y := 1)\n", "setup.py": "f(python_requires='>=3.7')"},
        [at(6, "HUB506")],
    ),
    "newer syntax of a Python that is declared": (
        {"hubconf.py": PLAIN + "_x = (_y := 1)\n", "setup.py": "setup(python_requires='>=3.8')"},
        [],
    ),
    "newer syntax, nothing declared": ({"hubconf.py": PLAIN + "_x = (_y := 1)\n"}, []),
    "newer syntax that nothing reaches": (
        {
            "hubconf.py": PLAIN,
            "train.py": "_x = (_y := 1)\n",
            "setup.py": "setup(python_requires='>=3.6')",
        },
        [],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_files(name: str, tmp_path: Path) -> None:
    files, expected = FILES[name]
    assert judge(tmp_path, files) == expected


FIXED = {
    "from .tiny_nets import f as _f": "from tiny_nets import f as _f",
    "from . import tiny_nets": "import tiny_nets",
    "from . import tiny_nets as _t, other as _o": "import tiny_nets as _t, other as _o",
    "from .tiny_nets.deep import f": "from tiny_nets.deep import f",
}
NOT_FIXED = ["from ..tiny_nets import f", "from .nothing import f", "from . import (tiny_nets)"]


@pytest.mark.parametrize("line", [*FIXED, *NOT_FIXED])
def test_a_relative_import_is_made_absolute(line: str, tmp_path: Path) -> None:
    (tmp_path / "tiny_nets").mkdir()
    (tmp_path / "tiny_nets/__init__.py").write_text("def f(): 1\n")
    (tmp_path / "tiny_nets/deep.py").write_text("def f(): 1\n")
    (tmp_path / "other.py").write_text("")
    (tmp_path / "hubconf.py").write_text(f"{line}\n{PLAIN}")
    check.fix(tmp_path, Settings(select=("HUB214",)))
    wanted = FIXED.get(line, line)
    assert (tmp_path / "hubconf.py").read_text() == f"{wanted}\n{PLAIN}"
