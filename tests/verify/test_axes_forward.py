"""The axes ``forward`` and ``late_imports``: what is loaded is called with what is declared."""

from __future__ import annotations

from typing import Any

import pytest

from proving import ONCE, Proof, Prove

needs_sandbox = pytest.mark.proof
pytest.importorskip("torch", reason="the verify extra is not installed")

NETS = '''
import collections
import dataclasses

_Pair = collections.namedtuple("_Pair", "one two")


@dataclasses.dataclass
class _Output(dict):
    pass


class _Calls(torch.nn.Module):
    def __init__(self, call):
        super().__init__()
        self.call, self.drop = call, torch.nn.Dropout(0.5)

    def forward(self, *args, **kwargs):
        return self.call(self, *args, **kwargs)


def _spin():
    while True:
        pass


def _net(call):
    def entry():
        """A network."""
        return _Calls(call)
    return entry


def linear():
    """An ordinary one."""
    torch.manual_seed(7)
    return torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Dropout(0.9))


def undeclared():
    """Nobody says with what it is called."""
    return torch.nn.Linear(1, 1)


def text():
    """A tokenizer, which is no module."""
    return lambda words: [len(word) for word in words.split()]


def pair():
    """A model and what goes with it."""
    return torch.nn.Linear(3, 1), {"names": ["a"]}


def methods():
    """Called by a method."""
    from late.net import Net
    return Net()


def lazy():
    """Imports a module of its own when it is called."""
    from late.net import Net
    return Net()


def lazy_wrapped():
    """The same, in other words."""
    from late.net import Net
    return Net()


def lazy_sub():
    """A module of a package that is there already."""
    from late.net import Net
    return Net()


def lazy_foreign():
    """A package of somebody else's, when it is called."""
    from late.net import Net
    return Net()


def lazy_uncalled():
    """The same as lazy, without an input."""
    from late.net import Net
    return Net()


two = _net(lambda self, image, scale: image.sum() * scale)
named = _net(lambda self, *, ids, mask: ids.masked_fill(~mask, 0))
nested = _net(lambda self, x: {"logits": x, "parts": [x[:1], (x, None)], "pair": _Pair(x, 2.5)})
evaluates = _net(lambda self, x: self.drop(x) if not torch.is_grad_enabled() else None)
infinite = _net(lambda self, x: x / 0)
crowd = _net(lambda self, x: [x] * 1000)
strange = _net(lambda self, x: object())
raises = _net(lambda self, x: x @ torch.ones(5, 5))
prints = _net(lambda self, x: print("hello") or x)
exits = _net(lambda self, x: sys.exit(0))
leaves = _net(lambda self, x: os._exit(3))
crashes = _net(lambda self, x: os.abort())
sleeps = _net(lambda self, x: _spin())
shouts = _net(lambda self, x: os.write(1, b"x" * (4 << 20)))
closes = _net(lambda self, x: os.close(3) or x)
forges = _net(lambda self, x: os.write(3, b'{"ok": true}') and os._exit(0))
floods = _net(lambda self, x: os.write(3, b"x" * (2 << 20)) and x)
eats = _net(lambda self, x: [torch.ones(1 << 28) for _ in range(99)])
from_file = _net(lambda self, a, b=0: a + b)
by_name = from_file
no_file = from_file
broken_file = from_file
unexpected = from_file
'''
LATE = """
import torch


class Net(torch.nn.Linear):
    def __init__(self):
        super().__init__(3, 2)

    def encode(self, x):
        return {"features": x}

    def lazy(self, x):
        from later import twice
        return twice(x)

    def lazy_wrapped(self, x):
        try:
            import later
        except ImportError as error:
            raise ImportError("build it first") from error

    def lazy_sub(self, x):
        import late.more
        return x

    def lazy_foreign(self, x):
        import no_such_package
        return x

    def predict(self, x):
        import later
        return x
"""
FILES = {
    "late/__init__.py": "",
    "late/net.py": LATE,
    "late/more.py": "",
    "later.py": "def twice(x):\n    return 2 * x\n",
    "inputs/pair.py": "import torch\ndef inputs():\n    return torch.ones(2), torch.ones(2)\n",
    "inputs/named.py": "import torch\ndef inputs():\n    return {'a': torch.ones(2), 'b': 1}\n",
    "inputs/broken.py": "def inputs():\n    raise ValueError('no weather today')\n",
}
ONE = "{ shape = [1, 3] }"
INPUTS = {
    "linear": ONE,
    "text": "{ file = 'inputs/words.py' }",
    "pair": ONE,
    **dict.fromkeys(("methods", "lazy", "lazy_wrapped", "lazy_sub", "lazy_foreign"), ONE),
    "two": "[{ shape = [1, 3, 8, 8] }, { shape = [], dtype = 'float64' }]",
    "named": "{ ids = { shape = [2, 4], dtype = 'int64', low = 1, high = 30522 }, "
    "mask = { shape = [2, 4], dtype = 'bool' } }",
    **dict.fromkeys(
        ("nested", "evaluates", "infinite", "crowd", "strange", "raises", "prints", "exits",
         "leaves", "crashes", "sleeps", "shouts", "closes", "forges", "floods", "eats"), ONE,
    ),
    "from_file": "{ file = 'inputs/pair.py' }",
    "by_name": "{ file = 'inputs/named.py' }",
    "no_file": "{ file = 'inputs/none.py' }",
    "broken_file": "{ file = 'inputs/broken.py' }",
    "unexpected": "{ file = 'inputs/pair.py' }",
}  # fmt: skip
FILES["inputs/words.py"] = "def inputs():\n    return 'a few words'\n"
MORE = {
    "pair": "call = '0'",
    "methods": "call = 'encode'\nexpect = { at = 'features', shape = [1, 3], dtype = 'float32' }",
    **{name: f"call = '{name}'" for name in ("lazy", "lazy_wrapped", "lazy_sub", "lazy_foreign")},
    "linear": "expect = { shape = ['N', 2], finite = true }",
    "text": "expect = { shape = [3], dtype = 'int64', first = [1, 3, 5] }",
    "unexpected": "expect = { shape = [3], mean = 2.5, first = [2, 2, 2] }",
    "sleeps": "limits = { timeout = 4 }",
    "shouts": "limits = { output-limit = '2MiB' }",
    "leaves": "limits = { timeout = 9999, memory = '1TiB' }",
}
EXPECTED: dict[str, tuple[str, str]] = {
    "linear": ("pass", ""),
    "undeclared": ("skipped", "no input is declared: [tool.hubpub.verify.entrypoints.undeclared]"),
    "text": ("pass", ""),
    "pair": ("pass", ""),
    "methods": ("pass", ""),
    "lazy": ("fail", "called with its input: ModuleNotFoundError: No module named 'later'"),
    "lazy_wrapped": ("fail", "ImportError: build it first"),
    "lazy_sub": ("pass", ""),
    "lazy_foreign": ("fail", "No module named 'no_such_package'"),
    "lazy_uncalled": ("skipped", "no input is declared"),
    "two": ("pass", ""),
    "named": ("pass", ""),
    "nested": ("pass", ""),
    "evaluates": ("pass", ""),
    "infinite": ("pass", ""),
    "crowd": ("pass", ""),
    "strange": ("pass", ""),
    "raises": ("fail", "RuntimeError: mat1 and mat2 shapes cannot be multiplied"),
    "prints": ("pass", ""),
    "exits": ("fail", "called with its input: SystemExit: 0"),
    "leaves": ("fail", "called with its input, the process left with status 3"),
    "crashes": ("fail", "called with its input: killed by signal 6"),
    "sleeps": ("fail", "no end within the time limit (limits.timeout of its own settings)"),
    "shouts": ("fail", "more output than the limit (limits.output-limit of its own settings)"),
    "closes": ("fail", "called with its input, the process left with status"),
    "forges": ("fail", "called with its input, the process left with status 0"),
    "eats": ("fail", "called with its input: "),
    "from_file": ("pass", ""),
    "by_name": ("pass", ""),
    "no_file": ("fail", "its input cannot be made: FileNotFoundError: inputs/none.py is not in"),
    "broken_file": ("fail", "its input cannot be made: ValueError: no weather today"),
    "unexpected": ("fail", "shape [3] expected, [2] found; mean 2.5 expected, 2 found; number 2"),
}
NOT_LOADED = {"floods"}
"""What fills the pipe of claims has none that are whole."""


def mixed(number: int) -> int:
    """The finalizer of MurmurHash3, of whole numbers that never wrap."""
    number %= 1 << 32
    number = (number ^ number >> 16) * 0x85EBCA6B % (1 << 32)
    number = (number ^ number >> 13) * 0xC2B2AE35 % (1 << 32)
    return number ^ number >> 16


def configuration() -> str:
    tables = []
    for name, text in INPUTS.items():
        lines = [f"[verify.entrypoints.{name}]", f"input = {text}", MORE.get(name, "")]
        tables.append("\n".join(lines))
    return "\n".join(tables)


def named(run: Proof, name: str, severity: str) -> list[dict[str, Any]]:
    return [
        item
        for item in run.report["findings"]
        if item["entrypoint"] == name and item["severity"] == severity and item["code"] == "verify"
    ]


@needs_sandbox
def test_each_publisher_gets_its_verdict(prove: Prove) -> None:
    files = {**FILES, "hubpub.toml": configuration()}
    run = prove(NETS, *ONCE, "--memory", "1GiB", files=files)
    assert run.code == 1
    names = {item["name"] for item in run.report["entrypoints"]}
    assert names == {*EXPECTED, *NOT_LOADED}
    for name, (status, words) in EXPECTED.items():
        found, reason = run.axis(name, "forward")
        assert (found, words in reason) == (status, True), (name, found, reason)
        assert run.axis(name) == ("pass", ""), name
        errors = [item["axis"] for item in named(run, name, "error")]
        assert errors == (["forward"] if status == "fail" else []), name
    for name in NOT_LOADED:
        assert run.axis(name)[0] == "fail"
        assert run.axis(name, "forward") == ("skipped", "the case did not load")
    _late(run)
    _told(run)
    _places(run)


def _late(run: Proof) -> None:
    found = {
        item["name"]: item["results"][0]["axes"]["late_imports"]
        for item in run.report["entrypoints"]
    }
    failing = {name for name, axis in found.items() if axis["status"] == "fail"}
    assert failing == {"lazy", "lazy_wrapped"}
    assert found["lazy"]["reason"].startswith("late/net.py:13 imports later when it is called")
    (warning,) = named(run, "lazy", "warning")
    assert (warning["axis"], warning["path"], warning["line"]) == (
        "late_imports", "late/net.py", 13,
    )  # fmt: skip
    assert "at the top of a module" in warning["help"]
    (error,) = named(run, "lazy", "error")
    assert (error["axis"], error["cause"], error["help"]) == (
        "forward", "publisher", warning["help"],
    )  # fmt: skip
    assert named(run, "lazy_foreign", "error")[0]["cause"] == "dependency"
    assert found["lazy_sub"]["status"] == "pass"
    assert found["lazy_foreign"]["reason"] == "the call failed for another reason"
    assert "late/net.py:" in found["lazy_uncalled"]["reason"]


def _told(run: Proof) -> None:
    outputs = {
        item["name"]: item["results"][0]["claims"].get("output")
        for item in run.report["entrypoints"]
    }
    shapes = {
        name: [(leaf["at"], leaf.get("shape")) for leaf in output or ()]
        for name, output in outputs.items()
    }
    assert shapes["nested"] == [
        ("logits", [1, 3]), ("parts.0", [1, 3]), ("parts.1.0", [1, 3]), ("parts.1.1", None),
        ("pair.one", [1, 3]), ("pair.two", []),
    ]  # fmt: skip
    assert shapes["two"] == [("", [])]
    assert len(shapes["crowd"]) == 32
    assert outputs["infinite"][0]["finite"] is False
    assert "mean" not in outputs["infinite"][0]
    assert outputs["strange"] == [{"at": "", "type": "object"}]
    # The same numbers on every machine.
    drawn = [mixed(index + 0x9E3779B9) for index in range(3)]
    assert outputs["evaluates"][0]["first"] == [(number >> 8) / (1 << 24) for number in drawn]
    assert set(outputs["named"][0]["first"]) - {0.0} <= {float(n) for n in range(1, 30522)}
    assert outputs["named"][0]["dtype"] == "int64"


def _places(run: Proof) -> None:
    (error,) = named(run, "raises", "error")
    assert (error["path"], error["cause"]) == ("hubconf.py", "arguments")
    assert "`shape`" in error["help"]
    (error,) = named(run, "broken_file", "error")
    assert (error["path"], error["line"]) == ("inputs/broken.py", 2)
    causes = {name: named(run, name, "error")[0]["cause"] for name in ("sleeps", "eats", "leaves")}
    assert causes == {"sleeps": "limit", "eats": "limit", "leaves": "publisher"}
    raised = [item for item in named(run, "leaves", "warning") if item["axis"] is None]
    assert [item["name"] for item in raised] == ["limit-not-raised"] * 2
    assert "timeout 9999, above the 600 of this run" in raised[1]["message"]
    assert "--timeout" in raised[1]["help"]


@needs_sandbox
def test_what_is_left_out_is_not_called(prove: Prove) -> None:
    body = "def net():\n    'x'\n    return lambda x: os._exit(1)\n"
    settings = "[verify.entrypoints.net]\ninput = { shape = [1] }\n"
    run = prove(body, *ONCE, "--skip", "forward", files={"hubpub.toml": settings})
    assert run.code == 0, run.text
    assert run.axis("net", "forward") == ("skipped", "left out with --skip forward")
    assert run.axis("net", "late_imports") == ("skipped", "it was not called: --skip forward")
