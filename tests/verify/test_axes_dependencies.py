"""The axis ``dependencies``: an undeclared package is named, with the line that imports it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hubpub.check import check
from hubpub.config import Settings
from hubpub.verify import declared
from hubpub.verify.axes import Evidence
from hubpub.verify.declared import Declared
from hubpub.verify.report import Facts
from proving import Prove

needs_sandbox = pytest.mark.proof
MODULES = frozenset({"torch", "timm"})


def asked(module: str, *, found: bool = True, line: int = 3) -> dict[str, Any]:
    return {"module": module, "path": "hubconf.py", "line": line, "found": found}


def evidence(claims: dict[str, Any] | None) -> Evidence:
    facts = Facts(0, None, 0.1, 0.1, 1, "exit")
    return Evidence("net", {}, frozenset(), False, False, facts, claims, (), (), (), ())


def missing(module: str) -> dict[str, Any]:
    return {"type": "ModuleNotFoundError", "message": "No module", "module": module}


YAML, YAML_X, TIMM = map(missing, ("yaml", "yaml.x", "timm"))


@pytest.mark.parametrize(
    ("claims", "loaded", "status", "words"),
    [
        ({"imports": []}, True, "pass", None),
        ({"imports": [asked("timm")]}, True, "pass", None),
        ({"imports": [asked("yaml")]}, True, "fail", "yaml is imported"),
        ({"imports": [asked("yaml"), asked("cv2")]}, True, "fail", "cv2, yaml are imported"),
        ({"imports": [asked("yaml", found=False)]}, True, "pass", None),  # the code copes
        ({"imports": [asked("yaml", found=False)], "error": YAML}, False, "fail", "yaml"),
        ({"imports": [asked("yaml", found=False)], "error": YAML_X}, False, "fail", "ya"),
        ({"imports": [asked("timm", found=False)], "error": TIMM}, False, "skipped", "l"),
        ({"imports": [], "error": missing("other")}, False, "skipped", "did not load"),
        ({"imports": [asked("yaml")], "error": {"type": "X"}}, False, "fail", "yaml"),
        ({}, True, "skipped", "did not load"),
        (None, False, "skipped", "did not load"),
    ],
)  # fmt: skip
def test_the_verdict(
    claims: dict[str, Any] | None, loaded: bool, status: str, words: str | None
) -> None:
    verdict = declared.judge(evidence(claims), Declared(MODULES), loaded=loaded)
    assert verdict.status == status
    assert (words or "") in (verdict.reason or "")
    assert (verdict.reason is None) == (status == "pass")


def test_what_cannot_be_told_is_skipped_with_its_reason() -> None:
    claims = {"imports": [asked("yaml")]}
    verdict = declared.judge(evidence(claims), Declared(unknown="no list"), loaded=True)
    assert verdict.status == "skipped"
    assert "no list" in (verdict.reason or "")


HUBCONF = """\
dependencies = ["torch"]
import torch
try:
    import yaml
except ImportError:
    yaml = None
import numpy


def net():
    import scipy
    return torch.nn.Linear(1, 1)


def other():
    return torch.nn.Linear(1, 1)
"""


def test_what_torch_has_loaded_is_found_by_its_statement(tmp_path: Path) -> None:
    (tmp_path / "hubconf.py").write_text(HUBCONF)
    known = declared.read(check(tmp_path, Settings()))
    assert "torch" in known.modules
    assert "numpy" not in known.modules
    claims = {"imports": [], "present": ["numpy", "scipy", "yaml"]}
    verdict = declared.judge(evidence(claims), known, loaded=True)
    assert (verdict.status, verdict.line) == ("fail", 7)
    assert verdict.reason is not None
    assert verdict.reason.startswith("numpy, scipy are imported")
    guarded = {"imports": [{**asked("yaml"), "line": 4}], "present": []}
    assert declared.judge(evidence(guarded), known, loaded=True).status == "pass"


def test_unreadable_dependencies_say_so(tmp_path: Path) -> None:
    (tmp_path / "hubconf.py").write_text("import os\ndependencies = os.listdir()\n")
    known = declared.read(check(tmp_path, Settings()))
    assert "cannot be read" in (known.unknown or "")
    known = declared.read(check(tmp_path, Settings()), elsewhere=True)
    assert "image" in (known.unknown or "")


NETS = '''
def plain():
    """Needs torch alone."""
    from own import part
    return torch.nn.Linear(1, 1)


def needs():
    """Needs click, and does not say so."""
    from own import colours
    return torch.nn.Linear(1, 1)


def copes():
    """Takes click where there is one."""
    try:
        import click
    except ImportError:
        click = None
    return torch.nn.Linear(1, 1)


def knows():
    """Needs what torch requires, and so is there wherever torch is."""
    import importlib
    importlib.import_module("filelock")
    return torch.nn.Linear(1, 1)
'''
OWN = {
    "own/__init__.py": "",
    "own/part.py": "",
    "own/colours.py": '"""Text in colours."""\n\nimport click\n',
}


@needs_sandbox
@pytest.mark.parametrize("options", [(), ("--all-packages",)])
def test_an_undeclared_package_is_named_with_its_line(
    prove: Prove, options: tuple[str, ...]
) -> None:
    """Whether it is hidden, so that the case fails, or in sight, so that it loads."""
    run = prove(NETS, *options, files=OWN)
    loads = "pass" if options else "fail"
    assert run.axis("needs")[0] == loads
    status, reason = run.axis("needs", "dependencies")
    assert (status, reason.split(" is ")[0]) == ("fail", "click")
    (finding,) = [item for item in run.report["findings"] if item["axis"] == "dependencies"]
    assert (finding["path"], finding["line"]) == ("own/colours.py", 3)
    assert (finding["severity"], finding["entrypoint"]) == ("warning", "needs")
    assert "'click'" in finding["help"]
    for name in ("plain", "copes", "knows"):
        assert run.axis(name) == ("pass", "")
        assert run.axis(name, "dependencies") == ("pass", ""), name
    assert run.code == (0 if options else 1)


@needs_sandbox
def test_a_module_that_torch_loads_by_itself_is_named_as_well(prove: Prove) -> None:
    pytest.importorskip("numpy", reason="torch loads numpy where it is installed")
    run = prove(
        'def net():\n    "x"\n    import numpy\n    return numpy.zeros(1)\n', "--all-packages"
    )
    assert run.axis("net") == ("pass", "")
    status, reason = run.axis("net", "dependencies")
    assert (status, reason.split(" is ")[0]) == ("fail", "numpy")


@needs_sandbox
def test_code_can_spoil_only_its_own_verdict(prove: Prove) -> None:
    """What stands in sys.modules may be anything, and so may what is imported from it."""
    body = '''
class Odd:
    def __getattr__(self, name):
        raise SystemExit(name)

def net():
    "x"
    import click
    sys.modules["click"] = Odd()
    sys.modules["a" * 5000] = Odd()
    return 1

def last():
    "x"
    return 1
'''  # fmt: skip
    run = prove(body, "--all-packages")
    assert run.axis("net") == ("pass", "")
    assert run.axis("last") == ("pass", "")
    assert run.axis("last", "dependencies") == ("pass", "")
    assert run.axis("net", "dependencies")[0] != "pass"
