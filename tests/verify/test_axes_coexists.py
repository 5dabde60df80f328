"""The axis ``coexists``: other code of common names, and a directory of another name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hubpub.verify import again
from hubpub.verify.jobs import Done
from hubpub.verify.report import Facts
from proving import Prove
from publishing import Server

needs_sandbox = pytest.mark.proof
torch = pytest.importorskip("torch", reason="the verify extra is not installed")

NETS = '''
def own():
    """Imports from a package of its own name."""
    from mynet import layers
    return layers.Net()


def shares():
    """Imports from a module that many projects have."""
    from utils import scale
    return torch.nn.Linear(scale, 1)


def deep():
    """Imports from a package that many projects have."""
    from models.net import Net
    return Net()


def attribute():
    """Uses what it takes for its own module."""
    import utils
    return torch.nn.Linear(utils.scale, 1)


def by_name():
    """Takes the directory that torch.hub unpacks to for granted."""
    place = os.path.join(torch.hub.get_dir(), "octo_net_v1.0", "mynet", "size.txt")
    return torch.nn.Linear(int(open(place).read()), 1)


def by_file():
    """Finds what lies beside its own code."""
    place = os.path.join(os.path.dirname(os.path.abspath(__file__)), "mynet", "size.txt")
    return torch.nn.Linear(int(open(place).read()), 1)


def broken():
    """Loads nowhere."""
    raise ValueError("no")
'''
FILES = {
    "mynet/__init__.py": "",
    "mynet/layers.py": "import torch\n\n\nclass Net(torch.nn.Linear):\n"
    "    def __init__(self):\n        super().__init__(1, 1)\n",
    "mynet/size.txt": "3",
    "models/__init__.py": "",
    "models/net.py": "from mynet.layers import Net\n",
    "utils.py": "scale = 2\n",
    "config/default.yaml": "nothing: of Python\n",
}
EXPECTED = {
    "own": ("pass", ""),
    "by_file": ("pass", ""),
    "shares": ("fail", "another module named utils is imported already: ImportError: cannot"),
    "deep": ("fail", "another module named models is imported already: ModuleNotFoundError"),
    "attribute": ("fail", "another module named utils is imported already: AttributeError"),
    "by_name": ("fail", "from a directory of another name: FileNotFoundError"),
    "broken": ("skipped", "did not load"),
}


@needs_sandbox
def test_each_publisher_gets_its_verdict(prove: Prove) -> None:
    run = prove(NETS, files=FILES)
    for name, (status, words) in EXPECTED.items():
        found, reason = run.axis(name, "coexists")
        assert found == status, (name, reason)
        assert words in reason, (name, reason)
        assert run.axis(name)[0] == ("fail" if name == "broken" else "pass")
    advice = {
        item["entrypoint"]: (item["help"], item["path"], item["severity"])
        for item in run.report["findings"]
        if item["axis"] == "coexists"
    }
    assert advice["deep"] == (
        "move models, utils into a package that has your project's name",
        "hubconf.py",
        "warning",
    )
    assert set(advice) == {"shares", "deep", "attribute", "by_name"}


@needs_sandbox
def test_it_takes_what_was_downloaded_from_the_cache(prove: Prove, http_server: Server) -> None:
    http_server.serve({"/labels-1.txt": b"cat"})
    body = f"""
def net():
    "x"
    path = os.path.join(torch.hub.get_dir(), "labels.txt")
    if not os.path.exists(path):
        torch.hub.download_url_to_file("{http_server.url("/labels-1.txt")}", path, progress=False)
    assert open(path).read() == "cat"
    return torch.nn.Linear(1, 1)
"""
    run = prove(body, "--allow-host", http_server.host)
    for axis in ("loads", "offline", "coexists"):
        assert run.axis("net", axis) == ("pass", ""), axis
    assert len(http_server.requests) == 1


@needs_sandbox
def test_the_other_module_is_the_working_directorys(prove: Prove) -> None:
    """Loaded, and in the way of those that are looked for by name; the first load sees its own."""
    body = """
def net():
    "x"
    import utils
    here = os.path.dirname(os.path.abspath(utils.__file__))
    assert here == (os.getcwd() if "checkout" in __file__ else os.path.dirname(__file__)), here
    return torch.nn.Linear(1, 1)
"""
    run = prove(body, files={"utils.py": "x = 1\n"})
    assert run.axis("net") == ("pass", "")
    assert run.axis("net", "coexists") == ("pass", "")


STAND = """
import sys
from hubpub.verify.worker import beside
beside.stand(sys.argv[1], ["utils", "click", "json"])
print(sorted(set(sys.modules) & {"utils", "click"}), sys.modules["utils"].__file__)
"""


def test_a_package_that_is_installed_keeps_its_name(tmp_path: Path) -> None:
    line = [sys.executable, "-c", STAND, str(tmp_path)]
    ran = subprocess.run(line, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert ran.stdout == f"['utils'] {tmp_path / 'utils.py'}\n"
    assert [path.name for path in tmp_path.glob("*.py")] == ["utils.py"]


def done(error: dict[str, Any] | None) -> Done:
    claims = {"ok": error is None, **({"error": error} if error else {})}
    facts = Facts(1 if error else 0, None, 0.1, 0.1, 1, "exit")
    return Done(facts, claims, (), (), Path("/nowhere"), "/scratch/job2", "/tree/x")


FRAME = {"path": "a/b.py", "line": 7}


@pytest.mark.parametrize(
    ("clashing", "second", "status", "words", "line"),
    [
        ({"utils"}, None, "skipped", "deadline", 1),
        ({"utils"}, done(None), "pass", "", 1),
        ({"utils"}, done({"type": "E", "message": "in utils", "frame": FRAME}), "fail", "utils", 7),
        ({"utils"}, done({"type": "E", "message": "my_utils"}), "fail", "another name: E: my", 1),
        (set(), done({"type": "E", "message": "utils", "frame": {}}), "fail", "another name", 1),
    ],
)
def test_the_verdict(
    clashing: set[str], second: Done | None, status: str, words: str, line: int
) -> None:
    verdict = again.coexists(frozenset(clashing), second)
    assert (verdict.status, verdict.line) == (status, line)
    assert words in (verdict.reason or "")
