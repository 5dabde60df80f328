"""Failed loads: whose each is to mend, and what the next step is."""

from __future__ import annotations

import socket

import pytest

from hubpub.verify.egress import Request
from hubpub.verify.explain import explain
from proving import ONCE, Prove
from publishing import Server

URL = "https://files.example/m.pth"


def asked(**fields: object) -> Request:
    return Request("job1", "GET", URL, **{"decision": "allowed", **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "message", "cause", "said"),
    [
        ("KeyError", "'Authorization'", "torch", "skip_validation=True"),
        ("KeyError", "'authorization'", "publisher", None),
        ("EOFError", "EOF when reading a line", "publisher", "trust_repo=True"),
        ("RuntimeError", "Missing dependencies: timm, einops", "dependency", "timm, einops"),
        (
            "RuntimeError",
            "operator torchvision::nms does not exist",
            "environment",
            "not the publisher's fault",
        ),
        ("ImportError", "/x.so: undefined symbol: _ZN3c10", "environment", "belong together"),
        ("OSError", "libGL.so.1: cannot open shared object file", "environment", "library"),
        ("AttributeError", "module 'numpy' has no attribute 'float'", "environment", "float"),
        ("RuntimeError", "Numpy is not available", "environment", "another NumPy"),
        (
            "RuntimeError",
            "Attempting to deserialize object on a CUDA device but torch.cuda.is_available() is",
            "publisher",
            "map_location='cpu'",
        ),
        (
            "FileNotFoundError",
            "[Errno 2] No such file or directory: '/home/alice/m.pth'",
            "publisher",
            "/home/alice/m.pth is on the publisher's machine alone",
        ),
        (
            "FileNotFoundError",
            "[Errno 2] No such file or directory: '/scratch/job3/work/m.pth'",
            "publisher",
            None,
        ),
        (
            "ValueError",
            "The provided filename /data/m.pt does not exist",
            "publisher",
            "/data/m.pt is on the publisher's machine alone",
        ),
        ("AssertionError", "Torch not compiled with CUDA enabled", "publisher", "to the user"),
        ("UnpicklingError", "Weights only load failed. ...", "publisher", "a state_dict"),
        (
            "UnpicklingError",
            "Weights only load failed. x\ny: Unsupported operand 118",
            "publisher",
            "Git LFS",
        ),
        (
            "UnpicklingError",
            "Weights only load failed. x\ny: Unsupported operand 60",
            "publisher",
            "HTML",
        ),
        (
            "UnpicklingError",
            "Weights only load failed. x\ny: Unsupported operand 600",
            "publisher",
            "a state_dict",
        ),
        ("UnpicklingError", "invalid load key, 'v'.", "publisher", "Git LFS"),
        ("UnpicklingError", "invalid load key, '<'.", "publisher", "HTML"),
        (
            "RuntimeError",
            'invalid hash value (expected "0a1b2c3d", got "ffff")',
            "publisher",
            "its name 0a1b2c3d says",
        ),
        ("ImportError", "attempted relative import with no known parent", "publisher", "top"),
        (
            "AttributeError",
            "'NoneType' object has no attribute '__dict__'",
            "torch",
            "in a module beside",
        ),
        ("gaierror", "[Errno -2] Name or service not known", "network", "HTTPS_PROXY"),
        (
            "OSError",
            "[Errno 30] Read-only file system: '/tree/a/w.pth'",
            "sandbox",
            "may not write /tree/a/w.pth",
        ),
        (
            "FileNotFoundError",
            "[Errno 2] No such file or directory: 'weights/net.pth'",
            "publisher",
            "weights/net.pth is looked for in the user's working directory",
        ),
        (
            "FileNotFoundError",
            "[Errno 2] No such file or directory: '/weights/net.pth'",
            "publisher",
            None,
        ),
        (
            "IsADirectoryError",
            "[Errno 21] Is a directory: '/scratch/job1/torch/hub/checkpoints/'",
            "publisher",
            "may be empty",
        ),
        ("MemoryError", "", "limit", "--memory"),
        ("ValueError", "undefined symbol", "publisher", None),
        ("error", "", "publisher", None),
    ],
)
def test_an_error_is_explained(kind: str, message: str, cause: str, said: str | None) -> None:
    found = explain({"type": kind, "message": message}, ())
    assert found.cause == cause
    assert found.help is None if said is None else said in str(found.help)


@pytest.mark.parametrize(
    ("request_", "cause", "said"),
    [
        (asked(decision="denied", reason="not allowed"), "network", "was refused: not allowed"),
        (asked(decision="denied", reason="no"), "network", "put m.pth into the directory of --ch"),
        (asked(reason="no route"), "network", "is files.example reachable?"),
        (asked(reason="no route"), "network", "put m.pth into the directory of --checkpoints"),
        (asked(status=404), "publisher", "answered 404"),
        (asked(status=200), "publisher", None),
    ],
)
def test_what_the_network_said_comes_first(request_: Request, cause: str, said: str | None) -> None:
    found = explain({"type": "ModuleNotFoundError", "message": "x"}, (request_,))
    assert found.cause == cause
    assert found.help is None if said is None else said in str(found.help)


def test_a_file_that_was_put_there_is_not_asked_for() -> None:
    """Nor is what is no file of weights."""
    for request in (
        asked(decision="denied", reason="m.pth in the --checkpoints directory cannot be read: x"),
        Request("job1", "GET", "https://api.example/list", "denied", "not allowed"),
        Request("job1", "CONNECT", "https://h.example:443/m.pth", "denied", "not allowed"),
    ):
        assert "or put" not in str(explain({"type": "URLError", "message": "x"}, (request,)).help)


def test_an_error_that_hides_another_tells_both() -> None:
    request = asked(decision="denied", reason="not allowed")
    found = explain({"type": "KeyError", "message": "'Authorization'"}, (request,))
    assert found.cause == "torch"
    assert "was refused: not allowed" in str(found.help)


@pytest.mark.parametrize("value", [None, 3, ["x"], {"a": 1}])
def test_any_claim_is_explained(value: object) -> None:
    error = dict.fromkeys(("type", "message", "module", "frame"), value)
    assert explain(error, ()).cause == "publisher"


REAL = """
import dataclasses, socket

def asks():
    "x"
    return torch.hub.load("octo/other:v1", "net")

def beside():
    "x"
    with open(os.path.join(os.path.dirname(__file__), "w.pth"), "w") as file:
        file.write("x")

def pointer():
    "x"
    return torch.load(os.path.join(os.path.dirname(__file__), "lfs.pth"), map_location="cpu")

def pointer_unguarded():
    "x"
    path = os.path.join(os.path.dirname(__file__), "lfs.pth")
    return torch.load(path, map_location="cpu", weights_only=False)

def cuda():
    "x"
    return torch.nn.Linear(1, 1).cuda()

def absent():
    "x"
    import no_such_package_at_all

def resolves():
    "x"
    socket.getaddrinfo("files.example", 443)

def stamped():
    "x"
    torch.hub.load_state_dict_from_url("SERVER/m-0a1b2c3d.pth", check_hash=True, progress=False)

def gone():
    "x"
    torch.hub.load_state_dict_from_url("SERVER/gone.pth", progress=False)

def denied():
    "x"
    torch.hub.load_state_dict_from_url("https://files.example/m.pth", progress=False)

def hungry():
    "x"
    return bytearray(3 << 30)

def dataclass():
    "x"
    text = "from __future__ import annotations\\n@dataclasses.dataclass\\nclass A:\\n    x: int = 1"
    exec(text, globals())

def needs(size):
    "x"

def defect():
    "x"
    return {}["layer4"]
"""
CAUSES = {
    "asks": "publisher", "beside": "sandbox", "pointer": "publisher", "cuda": "publisher",
    "pointer_unguarded": "publisher", "absent": "dependency", "resolves": "network",
    "stamped": "publisher", "gone": "publisher", "denied": "network", "hungry": "limit",
    "dataclass": "torch", "needs": "arguments", "defect": "publisher",
}  # fmt: skip


@pytest.mark.proof
def test_real_errors_are_told_apart(prove: Prove, http_server: Server) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"
    http_server.serve({"/m-0a1b2c3d.pth": b"other"})
    text = REAL.replace("SERVER", http_server.url(""))
    allowed = ("--allow-host", http_server.host, "--memory", "2GiB")
    proof = prove(text, *allowed, files={"lfs.pth": pointer})
    found = {
        item["entrypoint"]: item for item in proof.report["findings"] if item["axis"] == "loads"
    }
    assert {name: item["cause"] for name, item in found.items()} == CAUSES, proof.text
    for name, said in {
        "asks": "trust_repo=True", "beside": "octo_net_v1.0/w.pth: keep what", "pointer": "Git LFS",
        "pointer_unguarded": "Git LFS", "cuda": "to the user", "stamped": "0a1b2c3d",
        "resolves": "HTTPS_PROXY", "dataclass": "beside hubconf.py", "needs": "kwargs = {",
    }.items():  # fmt: skip
        assert said in str(found[name]["help"]), (name, found[name])
    assert found["defect"]["help"] is None
    assert socket.gethostname() not in proof.text


HIDDEN = '''
def inside():
    """Imports what is installed here and declared nowhere."""
    import click
    return torch.nn.Linear(1, 1)

def absent():
    """Imports what is installed nowhere."""
    import no_such_package_at_all
'''


@pytest.mark.proof
def test_an_undeclared_package_that_is_installed_here_is_not_called_missing(prove: Prove) -> None:
    proof = prove(HIDDEN, *ONCE)
    found = {
        item["entrypoint"]: item for item in proof.report["findings"] if item["axis"] == "loads"
    }
    assert found["inside"]["cause"] == "publisher"
    assert "click is installed here and hidden" in found["inside"]["help"]
    assert "--all-packages" in found["inside"]["help"]
    assert found["absent"]["cause"] == "dependency"
    assert "is not installed where hubpub runs" in found["absent"]["help"]


@pytest.mark.proof
@pytest.mark.parametrize(
    ("line", "cause", "said"),
    [
        ("import click", "publisher", "click is installed here and hidden"),
        ("import no_such_package_at_all", "dependency", "no_such_package_at_all is not installed"),
        (
            'dependencies = ["torch", "no_such_package_at_all"]\nimport no_such_package_at_all.x',
            "dependency",
            "no_such_package_at_all, which `dependencies` names",
        ),
        (
            "import torch.utils.tensorboard",
            "environment",
            "an installed package asks for tensorboard",
        ),
        ("raise ValueError('build me first')", "publisher", "nobody can load this ref"),
    ],
)
def test_a_list_that_fails_is_explained_like_a_load(
    prove: Prove, line: str, cause: str, said: str
) -> None:
    (found,) = [
        item for item in prove(f"{line}\n").report["findings"] if item["name"] == "cannot-list"
    ]
    assert (found["cause"], said in found["help"]) == (cause, True), found


PASSED_ON = '''
from torch.hub import download_url_to_file

class _Net(torch.nn.Module):
    def __init__(self, width, depth=2, *, bias):
        super().__init__()

def passes(*args, **kwargs):
    """Hands everything on."""
    return _Net(*args, **kwargs)

def forgets():
    """Takes nothing, so that no argument can mend it."""
    return _Net()
'''


@pytest.mark.proof
def test_arguments_that_are_only_passed_on_are_asked_for(prove: Prove) -> None:
    proof = prove(PASSED_ON, *ONCE)
    found = {
        item["entrypoint"]: item for item in proof.report["findings"] if item["axis"] == "loads"
    }
    assert found["passes"]["cause"] == "arguments"
    lines = '[tool.hubpub.verify.entrypoints.passes]\nkwargs = { width = "..." }'
    assert lines in found["passes"]["help"]
    assert found["forgets"]["cause"] == "publisher"
    assert found["download_url_to_file"]["cause"] == "publisher"
    assert "import it as _download_url_to_file" in found["download_url_to_file"]["help"]


@pytest.mark.proof
def test_a_package_that_is_not_here_is_no_defect_of_the_docstring(prove: Prove) -> None:
    """``torch.hub.help`` looks for all dependencies before it shows anything."""
    text = 'dependencies = ["torch", "no_such_package_at_all"]\ndef net():\n    "A net."\n'
    proof = prove(text, *ONCE)
    status, reason = proof.axis("net", "documented")
    assert (status, "no_such_package_at_all" in reason) == ("skipped", True)
    (found,) = [item for item in proof.report["findings"] if item["axis"] == "loads"]
    assert (found["cause"], "install it there" in found["help"]) == ("dependency", True)
