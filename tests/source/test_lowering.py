"""The tree that comes of libcst is the tree that comes of ``ast``, extents included."""

from __future__ import annotations

import ast
import dataclasses
import sys
import sysconfig
import warnings
from pathlib import Path

import hypothesmith
import pytest
from hypothesis import HealthCheck, given, settings

from hubpub.source import abstract, hubconf, modules, text, tree

STANDARD = Path(sysconfig.get_paths()["stdlib"])
FILES = [
    STANDARD / name
    for name in (
        "dataclasses.py", "typing.py", "enum.py", "functools.py", "argparse.py", "difflib.py",
        "asyncio/base_events.py", "test/test_fstring.py",
        "test/test_unpack_ex.py", "test/test_generators.py", "test/test_patma.py",
        "test/test_named_expressions.py",
        "test/test_decorators.py", "test/test_positional_only_arg.py",
    )
]  # fmt: skip
OWN = sorted(Path(hubconf.__file__).parents[1].rglob("*.py"))


def difference(one: object, other: object, path: str = "") -> str | None:
    """Where two trees differ; constants compare by type and spelling, so that 1 is not True."""
    if type(one) is not type(other):
        return f"{path}: {one!r:.200} is not {other!r:.200}"
    if isinstance(one, tree.Block) and isinstance(other, tree.Block):
        return difference(one.statements, other.statements, path)
    if isinstance(one, tuple) and isinstance(other, tuple):
        if len(one) != len(other):
            return f"{path}: {len(one)} is not {len(other)} items"
        pairs = [
            difference(*pair, f"{path}[{index}]")
            for index, pair in enumerate(zip(one, other, strict=True))
        ]
        return next((found for found in pairs if found), None)
    if dataclasses.is_dataclass(one):
        for item in dataclasses.fields(one):
            place = f"{path}.{type(one).__name__}.{item.name}{getattr(one, 'at', '')}"
            found = difference(getattr(one, item.name), getattr(other, item.name), place)
            if found:
                return found
        return None
    return None if repr(one) == repr(other) else f"{path}: {one!r} is not {other!r}"


def both(code: str) -> tuple[tree.Module, tree.Module] | None:
    """The two trees of ``code``; None where it does not compile."""
    source = text.of(code)
    module = modules.parse(source, compiled=True)
    if isinstance(module, text.Unreadable):
        assert isinstance(hubconf.read(source), text.Unreadable)
        return None
    concrete = hubconf.read(source)
    assert isinstance(concrete, tree.Module)
    return concrete, abstract.lower(module, source)


@pytest.mark.parametrize("path", [*FILES, *OWN], ids=lambda path: f"{path.parent.name}/{path.name}")
def test_real_files(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not path.exists():
        pytest.skip(f"this Python has no {path.name}")
    if path.name == "test_fstring.py" and sys.version_info >= (3, 12):
        pytest.skip("libcst refuses nested f-strings of this file, so ast reads it alone")
    source = text.decode(path.read_bytes())
    assert isinstance(source, text.Text)
    with monkeypatch.context() as patch:
        if "\x0c" not in source.text:  # libcst cannot give a form feed back
            patch.delattr(abstract, "lower")  # falling back would compare nothing
        concrete = hubconf.read(source)
    module = modules.read(source)
    assert difference(concrete, module) is None


CODE = r'''
x = (1,), (2, 3,), ((4, 5)), f(a for a in b), f((a for a in b)), a[1, 2,], a[1:2, ::3], a[b:=1]
s = "a" 'b' f"c{d!r:>{e}}{{}}\n" r"\d" if 0 else b"x" b"y"
é = "日本語"; ｆｕｌｌ = é + "e\u0301"; del é, (ｆｕｌｌ)
assert (a and b) and c or not (d or e), a < b <= c is not d not in e
def f(a, /, b: int = 1, *args, c, d=2, **kw) -> "x": "doc" "string"
async def g(*, a=1): return await a, *b
@a.b(c)
@d
class K(B, metaclass=M, *c, **d):
    """Doc."""; x: int = 1; y: "str"
    async def m(self):
        async with a as b, c: pass
        async for x, *y in z: break
        else: pass
        return [i async for i in j if k if l], {**a, 'b': c}, {*a, b}, lambda *a, b=1: (yield)
if a: pass
elif b: x += 1; y @= 2
else:
    if c: pass
    else: z //= 3
try: pass
except (A, B) as e: raise
except C: raise D from e
except: pass
else: pass
finally: pass
with (a as b, c as (d, e)): pass
while (x := f()): nonlocal_ = 1
def h():
    global q; yield; q = yield from x
    def i(): nonlocal_ = 1; nonlocal z; z = 2
    z = 1
from . import a as b, c
from ..d.e import (f, g as h,)
from .... import *
import a.b.c as d, e . f
print(-1 ** 2, ~a, +b, not c, 1j, 0x1F, 1_000, ..., None, True)
match a:
    case {"k": v, **rest}: pass
    case [1, *others] as whole if guard: pass
    case Point(x=0, y=w) | Other(w): pass
    case _: pass
'''


def test_every_construct() -> None:
    found = both(CODE)
    assert found is not None, modules.parse(text.of(CODE), compiled=True)
    assert difference(*found) is None


@pytest.mark.parametrize(
    "code",
    [
        "x = '日本語' + y\n",
        "x = 'e\u0301e\u0301' ; z(a)\n",
        "\tx\n".lstrip() + "if a:\n\ty = '\t' + b\n",
        "x = (\r\n 'é',\r\n b)\r\n",
        "def é(ü, *ñ): pass\n",
        "x = f'{é}' + f'''\n{ü}\n''' + w\n",
        "a = 1;  b = 2 ;\n",
        "x = \\\n  y\n",
        "x = 1,\n",
        "for x, in y: pass\n",
        "",
        "\n\n# nothing\n",
        "x = 1",
    ],
)
def test_extents_in_characters(code: str) -> None:
    found = both(code)
    assert found is not None
    assert difference(*found) is None
    source = text.of(code)
    for node in tree.walk(found[0].body):
        at = getattr(node, "at", None)
        if at is None:
            continue
        begin, end = source.offset(at[0], at[1]), source.offset(at[2], at[3])
        assert 0 <= begin <= end <= len(code)
        if isinstance(node, tree.Name) and node.id.isascii() and "f'" not in code:
            assert code[begin:end] == node.id


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.filter_too_much,
        HealthCheck.data_too_large,
    ],
)
@given(hypothesmith.from_grammar())
def test_any_module(code: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = both(code)
    if found is None:
        return
    assert difference(*found) is None
    source = text.of(code)
    for node in tree.walk(found[0].body):
        at = getattr(node, "at", None)
        if at is not None:
            assert (1, 1) <= at[:2] <= at[2:]
            assert at[2] <= len(source.starts)
            assert at[3] <= len(source.line(at[2])) + 1


def test_deep_nesting_falls_back_and_never_ends_the_process() -> None:
    for code in (
        "x = " + "not " * 2_500 + "1\n",
        "x = a" + ".b" * 2_500 + "\n",
        "x = " + "+".join("1" * 2_500) + "\n",
        "x = " + "(" * 150 + ")" * 150 + "\n",
        "x = " + "(" * 5_000 + ")" * 5_000 + "\n",
        "if a:\n pass\n" + "elif b:\n pass\n" * 2_500,
        "".join(" " * depth + "if a:\n" for depth in range(90)) + " " * 90 + "pass\n",
    ):
        found = hubconf.read(text.of(code))
        assert isinstance(found, (tree.Module, text.Unreadable))


def test_bodies_are_lowered_when_they_are_looked_at() -> None:
    module = abstract.lower(ast.parse("def f():\n    x = 1\n"), text.of("def f():\n    x = 1\n"))
    function = module.body.statements[0]
    assert isinstance(function, tree.Function)
    assert [type(node) for node in function.body] == [tree.Assign]
