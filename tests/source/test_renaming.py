"""Renaming a leaked name: complete where it is offered, and not offered where it may not be."""

from __future__ import annotations

import contextlib
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubpub.diagnostic import Edit, Fix
from hubpub.source import edits, renaming, text

NAME = "partial"


def renamed(source: str, name: str = NAME) -> str | None:
    """``source`` after renaming ``name``; None where that is not offered."""
    shown = text.of(source)
    item = renaming.renamings("hubconf.py", shown, [name]).get(name)
    if item is None:
        return None
    new = f"_{name}"
    found = [Edit("hubconf.py", item.place.span, item.before + new)]
    found += [Edit("hubconf.py", place.span, new) for place in item.uses]
    return edits.apply({"hubconf.py": shown}, [Fix("", False, tuple(found))])["hubconf.py"]


OFFERED = {
    "an import": ("from functools import partial\n", "from functools import partial as _partial\n"),
    "an alias": ("from functools import lru_cache as partial\n",
                 "from functools import lru_cache as _partial\n"),
    "parentheses, lines and comments": (
        "from functools import (  # some\n    partial,  # this\n    wraps,\n)\nx = partial(1)\n",
        ("from functools import (  # some\n    partial as _partial,  # this\n    wraps,\n)\n"
        "x = _partial(1)\n"),
    ),
    "after characters of several bytes": (
        "from functools import partial\nx = 'é𝛼', partial\n",
        "from functools import partial as _partial\nx = 'é𝛼', _partial\n",
    ),
    "annotations and decorators": (
        "from functools import partial\n@partial\ndef f(a: partial, *b: partial) -> partial: ...\n",
        ("from functools import partial as _partial\n"
        "@_partial\ndef f(a: _partial, *b: _partial) -> _partial: ...\n"),
    ),
    "a keyword and an attribute are other names": (
        "from functools import partial\nx = f(partial=partial).partial\n",
        "from functools import partial as _partial\nx = f(partial=_partial).partial\n",
    ),
    "a guarded import": (
        "try:\n    from functools import partial\nexcept ImportError:\n    pass\n",
        "try:\n    from functools import partial as _partial\nexcept ImportError:\n    pass\n",
    ),
    "a function": (
        "def partial(n): return partial(n - 1)\nx = partial(2)\n",
        "def _partial(n): return _partial(n - 1)\nx = _partial(2)\n",
    ),
    "a coroutine function": ("async  def  partial(): ...\n", "async  def  _partial(): ...\n"),
    "a class": ("class partial(object): ...\nx = [partial() for _ in y]\n",
                "class _partial(object): ...\nx = [_partial() for _ in y]\n"),
    "docstrings and comments speak of it": (
        "'''Uses partial.'''\nfrom functools import partial\n# partial\n'partial'\n",
        "'''Uses partial.'''\nfrom functools import partial as _partial\n# partial\n'partial'\n",
    ),
    "a string that is no code": (
        "from functools import partial\nx = 'octo/partial', 'a partial', partial\n",
        "from functools import partial as _partial\nx = 'octo/partial', 'a partial', _partial\n",
    ),
    "eval of something else": (
        "from functools import partial\nmodel.eval()\nx = vars(y), partial\n",
        "from functools import partial as _partial\nmodel.eval()\nx = vars(y), _partial\n",
    ),
    "carriage returns": (
        "from functools import partial\r\nx = partial\r\n",
        "from functools import partial as _partial\r\nx = _partial\r\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", OFFERED)
def test_offered(name: str) -> None:
    before, after = OFFERED[name]
    assert renamed(before) == after


IMPORT = "from functools import partial\n"
REFUSED = {
    "nothing binds it": "x = 1\n",
    "a star import": "from functools import *\nx = partial\n",
    "a star import beside it": IMPORT + "from nets import *\n",
    "bound twice": IMPORT + "partial = 1\n",
    "imported twice": IMPORT + "def f():\n    from functools import partial\n",
    "defined again": IMPORT + "def partial(): ...\n",
    "a fallback": "try:\n    from x import partial\nexcept ImportError:\n    partial = None\n",
    "a parameter": IMPORT + "def f(partial): return partial\n",
    "a parameter of a lambda": IMPORT + "x = lambda *, partial=1: partial\n",
    "a bag of arguments": IMPORT + "def f(**partial): return partial\n",
    "a local": IMPORT + "def f():\n    partial = 1\n    return partial\n",
    "a loop": IMPORT + "for partial in y: ...\n",
    "a comprehension": IMPORT + "x = [partial for partial in y]\n",
    "a walrus": IMPORT + "x = (partial := 1)\n",
    "a context": IMPORT + "with y as partial: ...\n",
    "an exception": IMPORT + "try: ...\nexcept E as partial: ...\n",
    "a match": IMPORT + "match y:\n    case [*partial]: ...\n",
    "a match of a mapping": IMPORT + "match y:\n    case {**partial}: ...\n",
    "a capture": IMPORT + "match y:\n    case partial: ...\n",
    "an attribute of a class": IMPORT + "class A:\n    partial = 1\n",
    "a method": IMPORT + "class A:\n    def partial(self): ...\n",
    "global": IMPORT + "def f():\n    global partial\n",
    "del": IMPORT + "del partial\n",
    "augmented": IMPORT + "partial += 1\n",
    "an f-string": IMPORT + "x = f'{partial}'\n",
    "a nested f-string": IMPORT + "x = f'{y:{partial}}'\n",
    "__all__": IMPORT + "__all__ = ['partial']\n",
    "an annotation in a string": IMPORT + "def f(a: 'list[partial] | None'): ...\n",
    "getattr": IMPORT + "x = getattr(y, 'partial')\n",
    "a long string": IMPORT + f"x = '{'y ' * 600}partial'\n",
    "globals": IMPORT + "globals()['par' + 'tial']\n",
    "vars of this module": IMPORT + "x = vars()\n",
    "eval": IMPORT + "x = eval(y)\n",
    "eval by another name": IMPORT + "import builtins\nx = builtins.eval(y)\n",
    "sys.modules": IMPORT + "import sys\nx = sys.modules\n",
    "the new name is taken": IMPORT + "_partial = 1\n",
    "the new name is an attribute": IMPORT + "x._partial = 1\n",
    "no Python": "def (:\n",
    "a nul byte": IMPORT + "\0",
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    assert renamed(REFUSED[name]) is None


PIECES = st.lists(
    st.sampled_from(
        [
            "found.append(partial(pow, 2)(3))\n",
            "def f1(x: partial = partial) -> 'int': return x(pow, 2)(4)\nfound.append(f1())\n",
            (
                "class C1:\n    inner = partial\n    def go(self): return partial(pow, 3)(2)\n"
                "found.append(C1().go())\n"
            ),
            "found.append([partial(pow, n)(2) for n in (1, 2)])\n",
            "found.append((lambda: partial(pow, 5)(2))())\n",
            "if partial: found.append('é', ) if not partial else found.append(dict(partial=1))\n",
            "@(lambda g: partial(g, 7))\ndef f2(x): return x\nfound.append(f2())\n",
            "found.append(type(partial(pow)) is partial)\n",
            "def f3(partial): return partial\nfound.append(f3(3))\n",
            (
                "def f4():\n    from functools import partial\n    return partial(pow, 6)(2)\n"
                "found.append(f4())\n"
            ),
            "found.append(f'{partial(pow, 2)(2)}')\n",
            "found.append('partial' in globals())\n",
            "found.append(eval('partial(pow, 2)(2)'))\n",
            "x: 'partial' = None\n",
            "def f5():\n    global partial\n    return partial\nfound.append(f5()(pow, 2)(5))\n",
        ]
    ),
    max_size=8,
)


@given(
    pieces=PIECES, opening=st.sampled_from([IMPORT, "import os\nfrom functools import (partial)\n"])
)
def test_a_renamed_module_does_the_same(pieces: list[str], opening: str) -> None:
    before = f"found = []\n{opening}{''.join(pieces)}"
    after = renamed(before)
    if after is None:
        return
    results = []
    for source in (before, after):
        names: dict[str, object] = {}
        exec(compile(source, "<module>", "exec", dont_inherit=True), names)
        results.append((names["found"], NAME in names, f"_{NAME}" in names))
    assert results == [(results[0][0], True, False), (results[0][0], False, True)]


@given(source=st.text(alphabet="partial_ .:=()[]'\"#\n\t\\f,@*é", max_size=80))
def test_any_text_is_survived(source: str) -> None:
    with contextlib.redirect_stderr(io.StringIO()):
        after = renamed(f"{IMPORT}{source}\n")
    assert after is None or after != source
