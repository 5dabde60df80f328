"""Why a load failed, whose it is to mend, and the next step.

A new explanation is a new row of :data:`_ERRORS`, or a new function in :data:`_KNOWN`. What an
error says is a claim: an explanation can mislead its reader, never change what passes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from hubpub.verify.egress import Request
from hubpub.verify.harvest import is_checkpoint_name

Cause = Literal[
    "publisher", "arguments", "dependency", "environment", "network", "sandbox", "limit", "torch"
]
"""Where the mend is: the repository; arguments that nobody declared; a package that is not here;
packages that do not fit each other; a host, or hubpub's rules for hosts; what a sandbox keeps from
a job and a user's machine would not; a limit of the run; torch itself."""


@dataclass(frozen=True)
class Explanation:
    """Whose a failure is, and the next step; None where there is nothing to say beyond it."""

    cause: Cause
    help: str | None = None


@dataclass(frozen=True)
class _Error:
    kind: str
    message: str
    module: str | None
    elsewhere: bool
    """Whether code outside the repository raised it."""
    requests: Sequence[Request]


def explain(error: Mapping[str, Any], requests: Sequence[Request]) -> Explanation:
    """What an error of ``torch.hub.load`` means.

    Args:
        error: what the job claims of it: its type and message, and the module that it lacks.
        requests: what the job asked of the network, which comes first: it is a fact.
    """
    module = error.get("module")
    known = _Error(
        str(error.get("type") or "error"),
        str(error.get("message", "")),
        module if isinstance(module, str) else None,
        error.get("elsewhere") is True,
        requests,
    )
    for function in _KNOWN:
        if found := function(known):
            return found
    for kind, pattern, cause, advice in _ERRORS:
        match = re.search(pattern, known.message)
        if match and re.fullmatch(kind, known.kind):
            return Explanation(cause, match.expand(advice))
    return Explanation("publisher")


def place(error: Mapping[str, Any]) -> tuple[str, int]:
    """Path and line of the repository's last frame of an error, as the job claims them."""
    frame = error.get("frame")
    if isinstance(frame, dict) and isinstance(frame.get("line"), int) and "path" in frame:
        return str(frame["path"]), max(1, frame["line"])
    return "hubconf.py", 1


def of_requests(requests: Sequence[Request]) -> Explanation | None:
    """The first request that went wrong."""
    for request in requests:
        if request.decision == "denied" and request.reason:
            text = f"{request.url} was refused: {request.reason}"
            return Explanation("network", text + _by_hand(request))
        if request.decision == "allowed" and request.status is None:
            host = urlsplit(request.url).hostname
            text = f"{request.url} could not be fetched: {request.reason}; is {host} reachable?"
            return Explanation("network", text + _by_hand(request))
        if request.status is not None and request.status >= 400:
            text = f"{request.url} answered {request.status}: is the checkpoint still there?"
            return Explanation("publisher", text)
    return None


def _by_hand(request: Request) -> str:
    """How a checkpoint is verified where its host is not to be asked."""
    name = PurePosixPath(unquote(urlsplit(request.url).path)).name
    told = "--checkpoints" in (request.reason or "")
    if request.method != "GET" or told or not is_checkpoint_name(name):
        return ""
    return f"; or put {name} into the directory of --checkpoints"


def _asks_whether_to_trust(error: _Error) -> Explanation | None:
    """``torch.hub._check_repo_is_trusted`` asks on a terminal."""
    if error.kind != "EOFError" or "reading a line" not in error.message:
        return None
    return Explanation(
        "publisher",
        "it asks a question, and nobody answers in a script or in CI: pass trust_repo=True to "
        "torch.hub.load inside the repository, and read nothing with input()",
    )


def _hides_an_http_error(error: _Error) -> Explanation | None:
    """``torch.hub._validate_not_a_forked_repo`` deletes a header that it never set."""
    if error.kind != "KeyError" or error.message != "'Authorization'":
        return None
    answer = of_requests(error.requests)
    return Explanation(
        "torch",
        "torch.hub hides an answer of api.github.com behind this error: the repository loads "
        "another one by torch.hub.load, and GitHub refused to list its branches (60 requests an "
        "hour without GITHUB_TOKEN); pass skip_validation=True there"
        + (f"; {answer.help}" if answer and answer.help else ""),
    )


def _asked_the_network(error: _Error) -> Explanation | None:
    return of_requests(error.requests)


def _lacks_a_module(error: _Error) -> Explanation | None:
    if error.kind != "ModuleNotFoundError" or error.module is None:
        return None
    if error.elsewhere:
        return Explanation(
            "environment",
            f"an installed package asks for {error.module}, which is not installed where hubpub "
            "runs: install what that package requires (`pip check` tells)",
        )
    return Explanation(
        "dependency",
        f"{error.module} is not installed where hubpub runs: install it there, and name it in "
        "`dependencies` so that users are told; if it should be a module of the repository, this "
        "release lacks it",
    )


def _is_denied_by_the_sandbox(error: _Error) -> Explanation | None:
    """A place that cannot be written: the tree, what is installed, the system."""
    if not re.search(r"\[Errno 30\] Read-only file system", error.message):
        return None
    place = re.search(r": '(.+)'", error.message)
    return Explanation(
        "sandbox",
        f"a job may not write {place.group(1) if place else 'there'}: keep what is downloaded in "
        "torch.hub.get_dir(), for a user's copy of the repository may be read-only too, and is "
        "deleted by force_reload",
    )


_KNOWN: tuple[Callable[[_Error], Explanation | None], ...] = (
    _asks_whether_to_trust,
    _hides_an_http_error,
    _asked_the_network,
    _lacks_a_module,
    _is_denied_by_the_sandbox,
)

_PERSONAL = (
    r"/(?:home|root|Users|mnt|media|data|datasets|content|workspace|opt|srv|storage|net|nfs)/"
)
"""Where a publisher's own files lie, and no user's."""
_ELSEWHERE = (
    r"\1 is on the publisher's machine alone: upload it to a release and load it with "
    "torch.hub.load_state_dict_from_url, or put it into the repository and find it by __file__"
)
_NO_GPU = (
    r"Torch not compiled with (CUDA|XPU)|Found no NVIDIA driver|No CUDA GPUs are available|"
    r"requires CUDA support|^module 'torch\._C' has no attribute '_(cuda|xpu)_|"
    r"Cannot get CUDA generator|dummy base class (Event|Stream|CUDAGraph)"
)
"""How torch says that there is no GPU, or that it was built without one."""
_TWO_DEVICES = (
    "Expected all tensors to be on the same device|is not on the expected device|"
    r"^Input type \(.*\) and weight type \(.*\) should be the same"
)
_OPERAND = r"Weights only load failed[\s\S]*Unsupported operand"
"""How ``torch.load(weights_only=True)`` speaks of a first byte that begins no pickle."""
_ERRORS: tuple[tuple[str, str, Cause, str], ...] = (
    # type, pattern in the message, whose it is, what to do
    (
        "RuntimeError", r"^Missing dependencies: (.+)$", "dependency",
        r"`dependencies` names \1, which is not installed where hubpub runs: install it there",
    ),
    (
        "RuntimeError", r"operator torchvision::\w+ does not exist", "environment",
        "torchvision here was built for another torch: not the publisher's fault",
    ),
    (
        "ImportError|OSError", r"undefined symbol|cannot open shared object file", "environment",
        ("a compiled package here does not fit this torch, or a library of the system is missing: "
        "install builds that belong together"),
    ),
    (
        "AttributeError", r"module 'numpy' has no attribute '(\w+)'", "environment",
        r"NumPy here no longer has \1: the publisher should follow, or users need an older NumPy",
    ),
    (
        "RuntimeError", "module was compiled against (ABI|API) version|Numpy is not available",
        "environment", "a package here was built for another NumPy: install builds that fit",
    ),
    ("FileNotFoundError", rf"No such file[^/]*'({_PERSONAL}.+)'", "publisher", _ELSEWHERE),
    ("ValueError", rf"^The provided filename ({_PERSONAL}.+) does not", "publisher", _ELSEWHERE),
    (
        "RuntimeError", r"^Attempting to deserialize object on (a )?(\w+)", "publisher",
        "the checkpoint was saved on a GPU: torch.load needs map_location='cpu' (HUB403)",
    ),
    (
        "AssertionError|RuntimeError|TypeError|AttributeError", _NO_GPU,
        "publisher", "it moves the model to a GPU by itself: leave the device to the user",
    ),
    (
        "RuntimeError", "pin_memory=True requires|Cannot access accelerator device when none",
        "publisher", "pinned memory needs a GPU: pin only where torch.cuda.is_available()",
    ),
    (
        "RuntimeError", _TWO_DEVICES, "publisher",
        ("a tensor of the model is on another device than the rest: make it a parameter or "
        "register_buffer(...), and create tensors in forward on the device of the input"),
    ),
    (
        "NotImplementedError", "Cannot copy out of meta tensor", "publisher",
        "some of its weights were never loaded: they are still on the meta device",
    ),
    (
        "RuntimeError", "Cannot re-initialize CUDA in forked subprocess", "publisher",
        "it forks a process after CUDA was used: start processes with the method spawn",
    ),
    (
        "OutOfMemoryError|AcceleratorError|RuntimeError", "^(CUDA|XPU) .*out of memory", "limit",
        "the GPU has too little memory for it, or another process has it: see nvidia-smi",
    ),
    (
        "AcceleratorError|RuntimeError", "no kernel image is available", "environment",
        "this build of torch has no code for this GPU: install one that does",
    ),
    (
        "UnpicklingError", f"invalid load key, 'v'|{_OPERAND} {ord('v')}\\b", "publisher",
        ("the checkpoint is probably a pointer of Git LFS, which is all that GitHub's zip holds: "
        "upload the file to a release"),
    ),
    (
        "UnpicklingError", f"invalid load key, '<'|{_OPERAND} {ord('<')}\\b", "publisher",
        "the checkpoint is probably a page of HTML: link the file itself",
    ),
    (
        "UnpicklingError", "Weights only load failed", "publisher",
        ("the checkpoint holds pickled code, which torch.load refuses by default since 2.6: "
        "publish a state_dict"),
    ),
    (
        "RuntimeError", r"^invalid hash value \(expected \"(.+)\", got \"(.+)\"\)", "publisher",
        (r"the file behind the URL has another content than its name \1 says: upload it under its "
        "own stamp"),
    ),
    (
        "ImportError", "attempted relative import", "publisher",
        "hubconf.py is no module of a package: import from the top of the repository",
    ),
    (
        "AttributeError", "^'NoneType' object has no attribute '__dict__'$", "torch",
        ("torch.hub does not put hubconf.py into sys.modules, and dataclasses look for it there: "
        "define the class in a module beside hubconf.py"),
    ),
    (
        "gaierror", "", "network",
        ("a job has no resolver: what it downloads must go through HTTPS_PROXY, as urllib does, "
        "and requests, and huggingface_hub"),
    ),
    (
        "FileNotFoundError", r"^\[Errno 2\] .+: '([^/'][^']*)'$", "publisher",
        (r"\1 is looked for in the user's working directory: join it to the directory of the file "
        "that opens it (os.path.dirname(__file__)), or download it"),
    ),
    (
        "IsADirectoryError", r"^\[Errno 21\] .*/checkpoints/?'$", "publisher",
        "the URL of the checkpoint does not end in the name of a file: it may be empty",
    ),
    ("MemoryError", "", "limit", "see --memory"),
)  # fmt: skip
