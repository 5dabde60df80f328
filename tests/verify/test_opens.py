"""A file of weights that a job opened and that nobody gets: what is told of it, and of which."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import pytest

from hubpub.verify import claims, opens
from hubpub.verify.jobs import Done
from hubpub.verify.report import Facts
from proving import DOWNLOAD, HEAD, ONCE, Prove
from publishing import Server

needs_sandbox = pytest.mark.proof
torch = pytest.importorskip("torch", reason="the verify extra is not installed")


def done(*names: str, error: str | None = None) -> Done:
    said: dict[str, Any] = {
        "ok": error is None,
        "elsewhere": [{"name": name, "path": "net.py", "line": 3} for name in names],
    }
    if error is not None:
        said["error"] = {"type": "FileNotFoundError", "message": error}
    facts = Facts(0, None, 0.1, 0.1, 1, "exit")
    return Done(facts, said, (), (), Path("/nowhere"), "/scratch/job1", "/tree/octo_net_v1")


@pytest.mark.parametrize(
    ("names", "error", "told"),
    [
        (["/home/alice/model.pth"], None, ["/home/alice/model.pth"]),
        (["/home/alice/a.pth", "/home/alice/b.pth"], None, ["/home/alice/a.pth", "/home/alice/b"]),
        (["/home/alice/model.pth"], "No such file: '/home/alice/model.pth'", []),
        (["/home/alice/model.pth"], "another trouble", ["/home/alice/model.pth"]),
        (["/scratch/job1/torch/x.pth", "/tree/octo_net_v1/x.pth", "x.pth"], None, []),
        (["/scratch/job2/x.pth", "/tree/octo_net_v10/x.pth"], None, ["/scratch/job2", "/tree/oct"]),
        (["/home/\ud800\x1b[31m\u202e.pth"], None, ["/home/\\ud800"]),
        (["/x" * 1900], None, ["/x/x"]),
        ([f"/x/{number}" for number in range(90)], None, ["/x/"] * 20),
    ],
)
def test_what_is_told(names: list[str], error: str | None, told: list[str]) -> None:
    seen: set[str] = set()
    found = opens.unexplained("net", done(*names, error=error), seen)
    assert len(found) == len(told)
    for finding, words in zip(found, told, strict=True):
        assert words in finding.message
        assert len(finding.message) < 400
        assert finding.message.isascii()
        assert (finding.name, finding.severity, finding.entrypoint) == (
            "unexplained-open", "warning", "net",
        )  # fmt: skip
        assert (finding.path, finding.line) == ("net.py", 3)
    assert opens.unexplained("net", done(*names, error=error), seen) == []


@pytest.mark.parametrize(
    "said",
    [
        b'{"nonce": "n", "elsewhere": 3}',
        b'{"nonce": "n", "elsewhere": [1, null, [], {}, {"name": 3}, {"name": ""}]}',
        b'{"nonce": "n", "elsewhere": [{"name": "/x", "path": 3, "line": 0}]}',
    ],
)
def test_any_claim_is_read(said: bytes) -> None:
    found = claims.read(said, "n")
    assert found is not None
    for item in found.get("elsewhere", []):
        assert (item["name"], item["path"], item["line"]) == ("/x", "hubconf.py", 1)
    told = opens.unexplained("net", Done(done().facts, found, (), (), Path(), "/s", "/t"), set())
    assert len(told) == (1 if b'"/x"' in said else 0)


NETS = """
from torch.jit import load as _early


def _net(path, **more):
    model = torch.nn.Linear(1, 1)
    model.load_state_dict(torch.load(path, **more))
    return model


def copes():
    "Tries the publisher's disk first."
    try:
        return _net("/home/alice/weights/model.pth")
    except FileNotFoundError:
        return torch.nn.Linear(1, 1)


def nameless():
    "Has no suffix."
    try:
        return _net("/data/model")
    except FileNotFoundError:
        return torch.nn.Linear(1, 1)


def fails():
    "Needs the publisher's disk."
    return _net("/home/alice/weights/model.pth")


def native():
    "Needs it too."
    return torch.jit.load("/home/alice/weights/model.pt")


def scripted():
    "Has TorchScript in the tree, whatever it is called, and had the function early."
    return _early(os.path.join(os.path.dirname(__file__), "scripted.dat"))


def explained():
    "Opens what it was given, has made or has installed."
    import tempfile
    model = _net(os.path.join(os.path.dirname(__file__), "tree.pth"))
    _net(_get("URL", "net.pth"))
    with tempfile.NamedTemporaryFile(suffix=".pt") as file:
        torch.save(model.state_dict(), file.name)
        _net(file.name)
    torch.save(model.state_dict(), "/tmp/own.pth")
    _net("/tmp/own.pth")
    os.unlink("/tmp/own.pth")
    for place in (os.path.dirname(torch.__file__), os.path.dirname(json.__file__)):
        try:
            open(os.path.join(place, "weights.bin"), "rb")
        except FileNotFoundError:
            pass
    try:
        open("/usr/share/made.pth", "wb")
    except OSError:
        pass
    return model
"""


@needs_sandbox
def test_a_run_names_them_once(prove: Prove, http_server: Server) -> None:
    buffer = io.BytesIO()
    torch.save(torch.nn.Linear(1, 1).state_dict(), buffer)
    http_server.serve({"/net.pth": buffer.getvalue()})
    text = DOWNLOAD + NETS.replace("URL", http_server.url("/net.pth"))
    scripted = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of TorchScript, from torch 2.9 on
        torch.jit.save(torch.jit.script(torch.nn.Linear(1, 1)), scripted)
    files: dict[str, Any] = {"tree.pth": buffer.getvalue(), "scripted.dat": scripted.getvalue()}
    run = prove(text, *ONCE, "--allow-host", http_server.host, files=files)
    (found,) = [item for item in run.report["checkpoints"] if item["path"] == "scripted.dat"]
    assert (found["format"], found["entrypoints"]) == ("torchscript", ["scripted"])
    for name in ("copes", "nameless", "scripted", "explained"):
        assert run.axis(name) == ("pass", ""), (name, run.text)
    told = [item for item in run.report["findings"] if item["name"] == "unexplained-open"]
    assert [(item["entrypoint"], item["severity"]) for item in told] == [
        ("copes", "warning"), ("nameless", "warning"),
    ]  # fmt: skip
    assert "/home/alice/weights/model.pth, which is not in the repository" in told[0]["message"]
    assert "/data/model, which" in told[1]["message"]
    lines = (HEAD + text).splitlines()
    for item in told:
        assert item["path"] == "hubconf.py"
        assert "torch.load(path" in lines[item["line"] - 1]
    failed = {
        item["entrypoint"]: item for item in run.report["findings"] if item["name"] == "loads"
    }
    assert set(failed) == {"fails", "native"}
    for item in failed.values():
        assert "/home/alice/weights/model.pt" in item["help"]
        assert "on the publisher's machine alone" in item["help"]
        assert item["cause"] == "publisher"
