"""HUB2xx beyond its examples: where the rules about entrypoints fire, and where they are silent."""

from __future__ import annotations

from pathlib import Path

import pytest

from hubpub import check
from hubpub.config import Settings

OWN = '[remote "origin"]\n\turl = git@github.com:octo/net.git\n'
TOP = "import torch\ndependencies = ['torch']\n"
NET = "def net():\n    'A net.'\n    return torch.nn.Linear(2, 1)\n"
URL = "'https://e.org/a-0a1b2c3d.pth'"
FETCH = f"torch.hub.load_state_dict_from_url({URL})"
E, W, N = "error", "warning", "note"


def judge(root: Path, code: str, files: dict[str, str], *, own: bool = False) -> list[str]:
    """The severities of the findings of ``code``."""
    for path, text in ({".git/config": OWN} if own else {}).items() | files.items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    found = check.check(root, Settings(select=(code,))).diagnostics
    return [item.severity.label for item in found]


HUBCONF: dict[str, tuple[str, str, list[str]]] = {
    # what it is -> code, hubconf.py, severities
    "one definition under two names is one finding": (
        "HUB201",
        TOP + "def a(): return torch.nn.Linear(2, 1)\nb = a\n",
        [W],
    ),
    "partials of one function are one finding": (
        "HUB201",
        TOP + "from functools import partial as _p\ndef _a(n): return torch.nn.Linear(n, 1)\n"
        "b = _p(_a, 1)\nc = _p(_a, 2)\n",
        [W],
    ),
    "an argument that is named nowhere": (
        "HUB202",
        TOP + "def net(size=1):\n    'A net.'\n    return 1\n",
        [N],
    ),
    "a part of a word does not name it": (
        "HUB202",
        TOP + "def net(size=1):\n    'A net of any sizes.'\n    return 1\n",
        [N],
    ),
    "all arguments of one entrypoint are one finding": (
        "HUB202",
        TOP + "def net(a, b, c=1):\n    'A net.'\n    return 1\n",
        [N],
    ),
    "no docstring, no argument is missing": ("HUB202", TOP + "def net(size): return 1\n", []),
    "stars and underscores": (
        "HUB202",
        TOP + "def net(*args, _fast=1, **kwargs):\n    'A net.'\n    return 1\n",
        [],
    ),
    "what a partial gives is not asked for": (
        "HUB202",
        TOP
        + "from functools import partial as _p\ndef _net(a, size):\n    'A net.'\n    return 1\n"
        "net = _p(_net, 1, size=2)\n",
        [],
    ),
    "a docstring that is made at import": (
        "HUB202",
        TOP + "import time\ndef net(size=1): return 1\nnet.__doc__ = str(time.time())\n",
        [],
    ),
    "a class that documents its arguments below __init__": (
        "HUB202",
        TOP + "class Net:\n    'A net.'\n    def __init__(self, size=1):\n        'size: wide.'\n",
        [],
    ),
    "a helper that is used and needs arguments": (
        "HUB204",
        TOP + "def make(n): return n\n" + NET.replace("2, 1", "make(2), 1"),
        [W],
    ),
    "a class that is used": ("HUB204", TOP + "class Net: pass\ndef net(): return Net()\n", [W]),
    "a class that only annotates": (
        "HUB204",
        TOP + "class Net: pass\ndef net() -> 'Net': return _net()\n",
        [W],
    ),
    "a helper that gives settings": (
        "HUB204",
        TOP + "import argparse\ndef parse(): return argparse.ArgumentParser().parse_args()\n"
        "def net(): return torch.nn.Linear(parse().n, 1)\n",
        [W],
    ),
    "a function that is called for what it does": (
        "HUB204",
        TOP + NET + "def main():\n    print(net())\nif __name__ == '__main__':\n    main()\n",
        [W],
    ),
    "an entrypoint that another one calls": (
        "HUB204",
        TOP + NET + "def large():\n    'L.'\n    return net()\n",
        [],
    ),
    "a class alone is the entrypoint": ("HUB204", TOP + "class Net: pass\n", []),
    "a helper that nothing uses": ("HUB204", TOP + NET + "def make(n): return n\n", []),
    "a helper decorated as the entrypoints are by Python": (
        "HUB205",
        TOP + "@torch.no_grad()\n" + NET + "@torch.no_grad()\ndef _big(): return net()\n",
        [],
    ),
    "a sibling by a decorator of one's own": (
        "HUB205",
        TOP + "def _add(f): return f\n@_add\n" + NET + "@_add\ndef _big(): return net()\n",
        [W],
    ),
    "a decorated part": (
        "HUB205",
        TOP + "def _add(f): return f\n@_add\ndef _big(): return 1\n"
        "@_add\ndef net(): return _big()\n",
        [],
    ),
    "the only way to a checkpoint": (
        "HUB205",
        TOP + NET + f"def _big(): return {FETCH}\n",
        [W],
    ),
    "an argument without a default": ("HUB206", TOP + "def net(n): return 1\n", [N]),
    "two, one by keyword": ("HUB206", TOP + "def net(a, *, b): return 1\n", [N]),
    "all have defaults": ("HUB206", TOP + "def net(a=1, *, b=2, **c): return 1\n", []),
    "a partial gives it": (
        "HUB206",
        TOP + "import functools as _f\ndef _net(n): return 1\nnet = _f.partial(_net, 1)\n",
        [],
    ),
    "hidden behind stars": (
        "HUB206",
        TOP + "def _net(n, m=1): return 1\ndef net(*args, **kw): return _net(*args, **kw)\n",
        [N],
    ),
    "hidden two calls below": (
        "HUB206",
        TOP + "def _a(n): return 1\ndef _b(*a, **k): return _a(*a, **k)\n"
        "def net(*a, **k): return _b(*a, **k)\n",
        [N],
    ),
    "hidden in a class": (
        "HUB206",
        TOP + "class _Net:\n    def __init__(self, n): pass\ndef net(**kw): return _Net(**kw)\n",
        [N],
    ),
    "given beside the stars": (
        "HUB206",
        TOP + "def _net(n, m): return 1\ndef net(*a, **k): return _net(1, *a, m=2, **k)\n",
        [],
    ),
    "set in the stars": (
        "HUB206",
        TOP + "def _net(n): return 1\ndef net(**k):\n    k.setdefault('n', 1)\n"
        "    return _net(**k)\n",
        [],
    ),
    "only in a branch that the defaults do not take": (
        "HUB206",
        TOP + "def _net(n): return 1\ndef net(big=False, **k):\n"
        "    if big:\n        return _net(**k)\n    return 1\n",
        [],
    ),
    "in a branch of which nothing is known": (
        "HUB206",
        TOP + "def _net(n): return 1\ndef net(**k):\n"
        "    if torch.cuda.is_available():\n        return _net(**k)\n    return 1\n",
        [],
    ),
    "a callee from outside": (
        "HUB206",
        TOP + "def net(**k): return torch.nn.Linear(**k)\n",
        [],
    ),
    "a decorator that may give it": (
        "HUB206",
        "import hydra\n" + TOP + "@hydra.main()\ndef net(n): return 1\n",
        [],
    ),
    "verbose with a default is swallowed": (
        "HUB207",
        TOP + "def net(verbose=True): return 1\n",
        [E],
    ),
    "source without one": ("HUB207", TOP + "def net(source): return 1\n", [E]),
    "model with a default can be given by position": (
        "HUB207",
        TOP + "def net(model='a'): return 1\n",
        [W],
    ),
    "model without one": ("HUB207", TOP + "def net(*, model): return 1\n", [E]),
    "positional-only": ("HUB207", TOP + "def net(model, verbose=1, /): return 1\n", []),
    "a bag of arguments": ("HUB207", TOP + "def net(*model, **verbose): return 1\n", []),
    "other names": ("HUB207", TOP + "def net(models=1, verbosity=2): return 1\n", []),
    "a partial that gives it": (
        "HUB207",
        TOP + "import functools as _f\ndef _n(model): return 1\nnet = _f.partial(_n, 'a')\n",
        [],
    ),
    "a helper with such a parameter": (
        "HUB207",
        TOP + "def tune(model): return model\ndef net(): return tune(torch.nn.Linear(2, 1))\n",
        [],
    ),
    "one parameter of two names is one finding": (
        "HUB207",
        TOP + "def net(verbose=1): return 1\nother = net\n",
        [E],
    ),
    "weights in any case": (
        "HUB208",
        TOP + f"def net():\n    s = {FETCH}\n    return torch.nn.Linear(s, 1)\n",
        [N],
    ),
    "weights below a switch": (
        "HUB208",
        TOP + f"def net(pretrained=True):\n    n = torch.nn.Linear(2, 1)\n    if pretrained:\n"
        f"        n.load_state_dict({FETCH})\n    return n\n",
        [],
    ),
    "an early way out": (
        "HUB208",
        TOP + "def net(pretrained=True):\n    n = torch.nn.Linear(2, 1)\n    if not pretrained:\n"
        f"        return n\n    n.load_state_dict({FETCH})\n    return n\n",
        [],
    ),
    "one function, with a switch and without": (
        "HUB208",
        TOP + f"def _load(n):\n    n.load_state_dict({FETCH})\n    return n\n"
        "def a():\n    return _load(torch.nn.Linear(2, 1))\n"
        "def b(pretrained=True):\n    n = torch.nn.Linear(2, 1)\n"
        "    return _load(n) if pretrained else n\n",
        [N],
    ),
    "a partial that presets the switch": (
        "HUB208",
        TOP + "import functools as _f\ndef _n(pretrained=False):\n    n = torch.nn.Linear(2, 1)\n"
        f"    if pretrained:\n        n.load_state_dict({FETCH})\n    return n\n"
        "net = _f.partial(_n, pretrained=True)\n",
        [],
    ),
    "a file that the caller names": (
        "HUB208",
        TOP + "def net(path):\n    n = torch.nn.Linear(2, 1)\n"
        "    n.load_state_dict(torch.load(path))\n    return n\n",
        [],
    ),
    "a URL that the caller gives": (
        "HUB208",
        TOP + "def net(url):\n    n = torch.nn.Linear(2, 1)\n"
        "    n.load_state_dict(torch.hub.load_state_dict_from_url(url))\n    return n\n",
        [],
    ),
    "the checkpoint is the model": ("HUB208", TOP + f"def net(): return {FETCH}\n", []),
    "a file of the repository": (
        "HUB208",
        TOP + "import os\ndef net():\n    n = torch.nn.Linear(2, 1)\n    n.load_state_dict("
        "torch.load(os.path.join(os.path.dirname(__file__), 'a.pth')))\n    return n\n",
        [],
    ),
    "a file of the working directory": (
        "HUB208",
        TOP + "def net():\n    n = torch.nn.Linear(2, 1)\n"
        "    n.load_state_dict(torch.load('a.pth'))\n    return n\n",
        [N],
    ),
    "a vocabulary": (
        "HUB208",
        TOP + "def net():\n    torch.hub.download_url_to_file('https://e.org/v.json', '/tmp/v')\n"
        "    return torch.nn.Linear(2, 1)\n",
        [],
    ),
    "a coroutine function": ("HUB209", TOP + "async def net(): return 1\n", [W]),
    "a coroutine function that is hidden": ("HUB209", TOP + "async def _net(): return 1\n", []),
    "a value that no document loads": ("HUB209", TOP + NET + "size = 3\n", []),
    "__all__ hides nothing of it": ("HUB210", TOP + "__all__ = ['net']\n" + NET, [N]),
    "__all__ that is not known": ("HUB210", TOP + "__all__ = _names()\n" + NET, [N]),
    "no __all__": ("HUB210", TOP + NET, []),
    "a forgotten return": ("HUB215", TOP + "def net():\n    torch.nn.Linear(2, 1)\n", [E]),
    "a stub": ("HUB215", TOP + "def net():\n    'A net.'\n", [E]),
    "return alone": ("HUB215", TOP + "def net(a=1):\n    if a: return\n    return None\n", [E]),
    "the result of a function without one": (
        "HUB215",
        TOP + "def _net(): pass\ndef net(): return _net()\n",
        [E],
    ),
    "a partial of one": (
        "HUB215",
        TOP + "import functools as _f\ndef _net(a): pass\nnet = _f.partial(_net, 1)\n",
        [E],
    ),
    "one way returns": ("HUB215", TOP + "def net(a=1):\n    if a: return torch.nn.ReLU()\n", []),
    "a return in a loop over nothing": (
        "HUB215",
        TOP + "_ALL = {}\ndef net():\n    for k in _ALL: return _ALL[k]\n",
        [],
    ),
    "it raises": ("HUB215", TOP + "def net(): raise NotImplementedError\n", []),
    "it leaves": ("HUB215", TOP + "import sys\ndef net(): sys.exit(1)\n", []),
    "a generator": ("HUB215", TOP + "def net():\n    yield 1\n", []),
    "a coroutine returns": ("HUB215", TOP + "async def net(): pass\n", []),
    "a decorator that may return": (
        "HUB215",
        "import hydra\n" + TOP + "@hydra.main()\ndef net(): pass\n",
        [],
    ),
    "a decorator of one's own that does": (
        "HUB215",
        TOP
        + "def _d(f):\n    def g(): return torch.nn.ReLU()\n    return g\n@_d\ndef net(): pass\n",
        [],
    ),
    "a result that is not known": ("HUB215", "import x\n" + TOP + "def net(): return x.y()\n", []),
    "a class is never None": ("HUB215", TOP + "class Net:\n    def __init__(self): pass\n", []),
    "a helper that leaked": (
        "HUB215",
        TOP + "def show(n): print(n)\ndef net():\n    show(1)\n    return torch.nn.ReLU()\n",
        [],
    ),
    "a function that recurses": ("HUB215", TOP + "def net(): return net()\n", []),
}


@pytest.mark.parametrize("name", HUBCONF)
def test_hubconf(name: str, tmp_path: Path) -> None:
    code, text, expected = HUBCONF[name]
    assert judge(tmp_path, code, {"hubconf.py": text}) == expected


def load(entry: str, repository: str = "octo/net") -> str:
    return f"torch.hub.load('{repository}', '{entry}')\n"


DOCUMENTS: dict[str, tuple[str, str, str, bool, list[str]]] = {
    # what it is -> code, hubconf.py after TOP, README.md, whether the owner is known, severities
    "missing": ("HUB211", NET, load("nett"), True, [E]),
    "missing from help": ("HUB211", NET, "torch.hub.help('octo/net', 'nett')\n", True, [E]),
    "missing twice": ("HUB211", NET, load("nett") * 2, True, [E]),
    "two that are missing": ("HUB211", NET, load("nett") + load("not"), True, [E, E]),
    "the owner in other letters": ("HUB211", NET, load("nett", "Octo/Net"), True, [E]),
    "missing at a tag": ("HUB211", NET, load("nett", "octo/net:v1"), True, [W]),
    "missing at a tag and without": (
        "HUB211",
        NET,
        load("nett", "octo/net:v1") + load("nett"),
        True,
        [E],
    ),
    "it is there": ("HUB211", NET, load("net"), True, []),
    "hidden, but there": ("HUB211", NET + "def _n(): return 1\n", load("_n"), True, []),
    "a value is there": ("HUB211", NET + "size = 3\n", load("size"), True, []),
    "of another repository": ("HUB211", NET, load("nett", "other/net"), True, []),
    "the owner is not known": ("HUB211", NET, load("nett"), False, []),
    "the owner is known by a name": ("HUB211", NET, load("nett") + load("net"), False, [E]),
    "a name in brackets": ("HUB211", NET, load("<name>"), True, []),
    "dots": ("HUB211", NET, load("...") + load("net_..."), True, []),
    "a word for a name": (
        "HUB211",
        NET,
        load("model_name") + load("MODEL") + load("xxx"),
        True,
        [],
    ),
    "a variable": ("HUB211", NET, "torch.hub.load('octo/net', name)\n", True, []),
    "an f-string": ("HUB211", NET, "torch.hub.load('octo/net', f'net{n}')\n", True, []),
    "a local path": ("HUB211", NET, "torch.hub.load('.', 'nett', source='local')\n", True, []),
    "names that are made at import": (
        "HUB211",
        NET + "for _n in open('x'):\n    globals()[_n] = net\n",
        load("nett"),
        True,
        [],
    ),
    "a star import from outside": ("HUB211", NET + "from x import *\n", load("nett"), True, []),
    "hubconf.py does not parse": ("HUB211", "def (:\n", load("nett"), True, []),
    "hubconf.py cannot be imported": (
        "HUB211",
        "from . import x\n" + NET,
        load("nett"),
        True,
        [],
    ),
    "a value": ("HUB209", NET + "size = 3\n", load("size"), True, [W]),
    "a module": ("HUB209", NET + "import json\n", load("json"), True, [W]),
    "a value that nobody loads": ("HUB209", NET + "size = 3\n", load("net"), True, []),
    "a value of another repository": (
        "HUB209",
        NET + "size = 3\n",
        load("size", "a/b"),
        True,
        [],
    ),
    "something from outside": ("HUB209", "import x\n" + NET + "n = x.n\n", load("n"), True, []),
    "a hidden name that is loaded": (
        "HUB205",
        NET + "def _n(): return 1\n",
        load("_n"),
        True,
        [W],
    ),
    "a hidden name of another repository": (
        "HUB205",
        NET + "def _n(): return 1\n",
        load("_n", "a/b"),
        True,
        [],
    ),
    "shown with its arguments": (
        "HUB206",
        "def net(n): return 1\n",
        "torch.hub.load('octo/net', 'net', n=1)\n",
        True,
        [],
    ),
    "shown with the loader's arguments": (
        "HUB206",
        "def net(n): return 1\n",
        "torch.hub.load('octo/net', 'net', trust_repo=True)\n",
        True,
        [N],
    ),
    "a helper that is loaded": (
        "HUB204",
        "def make(n): return n\ndef net(): return make(1)\n",
        load("make"),
        True,
        [],
    ),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents(name: str, tmp_path: Path) -> None:
    code, body, readme, own, expected = DOCUMENTS[name]
    files = {"hubconf.py": TOP + body, "README.md": readme}
    assert judge(tmp_path, code, files, own=own) == expected


@pytest.mark.parametrize("path", ["CHANGELOG.md", "docs/releases.md", "HISTORY.md", "docs/news.md"])
def test_the_past_is_not_judged(path: str, tmp_path: Path) -> None:
    files = {"hubconf.py": TOP + NET, path: load("nett")}
    assert judge(tmp_path, "HUB211", files, own=True) == []


@pytest.mark.parametrize(("tag", "expected"), [("v1", []), ("v2", [W]), ("v3", [W])])
def test_examples_of_earlier_releases_are_not_judged(
    tag: str, expected: list[str], tmp_path: Path
) -> None:
    tags = {f".git/refs/tags/{name}": "0" * 40 for name in ("v1", "v2")}
    files = {"hubconf.py": TOP + NET, "README.md": load("nett", f"octo/net:{tag}"), **tags}
    assert judge(tmp_path, "HUB211", files, own=True) == expected


def test_what_a_star_import_brings_along_is_no_entrypoint(tmp_path: Path) -> None:
    files = {
        "hubconf.py": "from nets import *\n" + TOP,
        "nets.py": "def net():\n    return object()\ndef convert(path): print(path)\n",
    }
    assert judge(tmp_path, "HUB215", files) == []
    assert judge(tmp_path, "HUB203", files) == [W]


def test_the_nearest_spelling_is_named(tmp_path: Path) -> None:
    files = {"hubconf.py": TOP + NET.replace("net()", "netLarge()"), "README.md": load("NETlarge")}
    judge(tmp_path, "HUB211", files, own=True)
    (found,) = check.check(tmp_path, Settings(select=("HUB211",))).diagnostics
    assert found.help == "did you mean netLarge?"


def test_the_call_that_fails_is_named(tmp_path: Path) -> None:
    text = TOP + (
        "class _Net:\n    def __init__(self, wide, deep, flat=1): pass\n"
        "def net(*args, **kw): return _Net(*args, **kw)\n"
    )
    judge(tmp_path, "HUB206", {"hubconf.py": text})
    (found,) = check.check(tmp_path, Settings(select=("HUB206",))).diagnostics
    assert found.message == (
        'torch.hub.load(repo, "net") fails: net passes its arguments on to _Net, '
        "which needs wide and deep"
    )
    assert found.notes[0].span.line == 5


def test_many_names_stay_quick(tmp_path: Path) -> None:
    names = [f"net_{index}_{'x' * 40}" for index in range(2000)]
    body = TOP + "".join(f"def {name}(): return torch.nn.ReLU()\n" for name in names)
    readme = "".join(load(f"{name}y") for name in names)
    found = judge(tmp_path, "HUB211", {"hubconf.py": body, "README.md": readme}, own=True)
    assert len(found) == len(names)
