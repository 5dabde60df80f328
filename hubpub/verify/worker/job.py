"""One job: what a user would type, run by the real ``torch.hub``, and what came of it.

Whatever this writes to descriptor 3 is a claim: the code under test shares the interpreter and
could write the same. The parent believes none of it without the supervisor's facts.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import itertools
import json
import os
import random
import resource
import signal
import sys
import urllib.request
from collections.abc import Callable
from http.client import HTTPConnection
from typing import Any

from . import apart, beside, forward, imports, kin, offered, state
from .errors import TEXT as _TEXT
from .errors import describe as _describe
from .errors import text as _text

_LOOKS = {"open", "os.listdir", "os.scandir", "ctypes.dlopen"}
CLAIM_BYTES, FORWARD_BYTES = 1 << 20, 1 << 18
"""Of all claims, and of what is left of them for the second line."""
_SHORT_TEXT = 150  # of each of up to a thousand entrypoints
_MOST_PARAMETERS = 1_000_000
_OPEN_FILES = 4096
_CPU_GRACE_S = 5
_ELSEWHERE = "checkout"
"""Where a user has cloned the repository: a directory that is not named after its ref."""
_MORE_THREADS = 128  # the kernel counts threads as processes
_MOST_LIMIT = (1 << 63) - 1
_CHECKPOINT_SUFFIXES = (
    ".pt", ".pth", ".pt2", ".ckpt", ".bin", ".safetensors", ".pkl", ".pickle",
    ".tar", ".t7", ".npz", ".npy", ".h5", ".onnx", ".weights", ".jit", ".model",
)  # fmt: skip


def main(request: dict[str, Any]) -> int:
    """Run the job and write its claims; the exit code of the process."""
    _limit(request["limits"])
    _settle(request)
    opened: set[str] = set()
    touched: set[str] = set()
    imported = imports.Imports(request["tree"])
    if request["kind"] != "inspect":
        sys.addaudithook(_recorder(request["tree"], opened))
    if request["kind"] == "load":
        sys.addaudithook(imported.hook)
    if request["differs"]:
        sys.addaudithook(_watch(request["tree"], frozenset(request["differs"]), touched))
    request["opened"] = opened
    try:
        claims = _KINDS[request["kind"]](request)
    except BaseException as error:
        claims = {"ok": False, "error": _describe(error, request)}
    tell = functools.partial(_tell, request, opened, touched, imported)
    asked = forward.wanted(request)
    ok = tell(claims, CLAIM_BYTES - FORWARD_BYTES if asked else CLAIM_BYTES)
    if ok and asked:
        # Loading is told by now: whatever this comes to, it is the model's own.
        tell({"ok": True, "forward": forward.answer(request)}, FORWARD_BYTES)
    for stream in (sys.stdout, sys.stderr):
        # Code under test may have closed them, or put None there.
        with contextlib.suppress(Exception):
            stream.flush()
    return 0 if ok else 1


def _tell(
    request: dict[str, Any],
    opened: set[str],
    touched: set[str],
    imported: imports.Imports,
    claims: dict[str, Any],
    most: int,
) -> bool:
    """Write one line of claims, of ``most`` bytes; whether they say that all went well."""
    claims.update(nonce=request["nonce"], opened=sorted(opened)[:1000], touched=sorted(touched))
    if request["kind"] == "load":
        with contextlib.suppress(Exception):  # what it looks at may have been tampered with
            claims.update(imported.claims())
    data = json.dumps(claims, default=_text).encode() + b"\n"
    if len(data) > most:
        refused = {"type": "ClaimTooLong", "message": f"the claims are {len(data)} bytes long"}
        claims = {"ok": False, "nonce": request["nonce"], "error": refused}
        data = json.dumps(claims).encode() + b"\n"
    while data:
        data = data[os.write(3, data) :]
    return bool(claims["ok"])


def main_fresh() -> None:
    """Run the job whose request is on standard input, in an interpreter of its own; never returns.

    Unlike a forked job it imports torch itself, which counts as its time.
    """
    leave: Callable[[int], object] = os._exit
    kill, myself = os.kill, os.getpid()
    code = 70
    try:
        with open(0, "rb", closefd=False) as file:
            request = json.load(file)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.close(null)
        code = main(request)
    finally:
        leave(code)
        kill(myself, signal.SIGKILL)


def _limit(limits: dict[str, Any]) -> None:
    """Bounds the kernel keeps; the supervisor watches the rest."""
    os.nice(19)  # the supervisor must get its turn, whatever runs here
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")  # where memory runs out, this goes before anything of the user's
    # Without a pid namespace (tier none) this would count every process of the user.
    alone = os.getppid() == kin.FIRST
    for what, value in (
        (resource.RLIMIT_CPU, limits["cpu_s"]),
        (resource.RLIMIT_FSIZE, limits["disk_bytes"]),
        *([(resource.RLIMIT_NPROC, limits["processes"] + _MORE_THREADS)] if alone else ()),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
    ):
        _lower(what, value)
    if limits["address_space"]:
        # CUDA reserves far more address space than memory, so this is for CPU jobs only.
        _lower(resource.RLIMIT_DATA, limits["memory_bytes"])


def _lower(what: int, value: int) -> None:
    """Set a limit, or keep the one we were started under where that is lower (``ulimit``)."""
    hard = resource.getrlimit(what)[1]
    most = _MOST_LIMIT if hard == resource.RLIM_INFINITY else hard
    # Past the soft limit of CPU time comes SIGXCPU, which says why; only then SIGKILL.
    grace = _CPU_GRACE_S if what == resource.RLIMIT_CPU else 0
    resource.setrlimit(what, (min(value, most), min(value + grace, most)))


def _settle(request: dict[str, Any]) -> None:
    """A user's surroundings: a home, an empty working directory, the hub cache, the proxy."""
    directory = request["directory"]
    home, work, hub = (os.path.join(directory, name) for name in ("home", "work", "torch/hub"))
    for path in (home, work, hub, os.path.join(directory, "tmp")):
        os.makedirs(path)
    os.chdir(work)
    os.environ.update(
        HOME=home,
        TMPDIR=os.path.join(directory, "tmp"),
        TORCH_HOME=os.path.join(directory, "torch"),
        XDG_CACHE_HOME=os.path.join(home, ".cache"),
        **request["environment"],
    )
    if request["kind"] == "beside":
        os.symlink(request["tree"], os.path.join(directory, _ELSEWHERE))
    elif request["kind"] != "inspect":
        # torch.hub takes a directory of this name for a finished download (_get_cache_or_reload).
        os.symlink(request["tree"], os.path.join(hub, os.path.basename(request["tree"])))
    if request.get("offered"):
        offered.place(request["offered"], directory)
    proxy = request["environment"].get("http_proxy")
    if proxy:
        handlers = [urllib.request.ProxyHandler({"http": proxy}), _ParentTLS(proxy)]
        urllib.request.install_opener(urllib.request.build_opener(*handlers))
    import torch

    torch.set_num_threads(request["limits"]["threads"])
    torch.manual_seed(request["seed"])
    if request["seed"]:
        # A fork has the state of its parent: without this two jobs would draw the same numbers.
        random.seed(request["seed"])
        if "numpy" in sys.modules:
            sys.modules["numpy"].random.seed(request["seed"])


class _ParentTLS(urllib.request.HTTPSHandler):
    """Ask the proxy for ``https://`` by absolute URL: the parent makes the TLS and hashes it."""

    def __init__(self, proxy: str) -> None:
        super().__init__()
        self._address = proxy.split("//", 1)[1]

    def https_open(self, req: urllib.request.Request) -> Any:
        """Send ``GET https://host/path`` to the proxy in the clear, inside the sandbox."""
        req.selector, req.host = req.full_url, self._address
        return self.do_open(HTTPConnection, req)


def _recorder(tree: str, opened: set[str]) -> Callable[[str, tuple[Any, ...]], None]:
    """An audit hook that notes which checkpoint files of the tree are opened, by relative name."""
    root = os.path.join(tree, "")

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event != "open" or not isinstance(args[0], (str, bytes)):
            return
        path = os.path.realpath(os.fsdecode(args[0]))
        if path.startswith(root) and path.lower().endswith(_CHECKPOINT_SUFFIXES):
            opened.add(path[len(root) :])

    return hook


def _watch(tree: str, paths: frozenset[str], touched: set[str]) -> Callable[..., None]:
    """An audit hook that notes which of ``paths`` are opened or listed, or what lies below them."""
    root = os.path.join(tree, "")

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event not in _LOOKS or not args or not isinstance(args[0], (str, bytes)):
            return
        path = os.path.realpath(os.fsdecode(args[0]))
        while path.startswith(root):
            if path[len(root) :] in paths:
                touched.add(path[len(root) :])
                return
            path = os.path.dirname(path)

    return hook


def _list(request: dict[str, Any]) -> dict[str, Any]:
    """``torch.hub.list``, then ``torch.hub.help`` and the signature of each name."""
    import torch

    reference = request["reference"]
    names = torch.hub.list(reference, trust_repo=True, verbose=False)
    described = []
    for name in names[: request["most"]]:
        entry: dict[str, Any] = {"name": name, "help": None, "required": [], "pretrained": False}
        try:
            entry["help"] = _says_something(torch.hub.help(reference, name, trust_repo=True))
        except Exception as error:
            entry["help_error"] = f"{type(error).__name__}: {_text(error)}"[:_SHORT_TEXT]
        described.append(entry)
    # A hubconf.py that cannot be imported once more in one process is listed all the same.
    with contextlib.suppress(Exception):
        _signatures(reference, described)
    return {"ok": True, "count": len(names), "entrypoints": described}


def _says_something(text: object) -> bool:
    """Whether a docstring tells a user anything: not blank, and not ``functools.partial``'s own."""
    return isinstance(text, str) and bool(text.strip()) and text != functools.partial.__doc__


def _signatures(reference: str, described: list[dict[str, Any]]) -> None:
    """Fill in what each callable asks for: parameters without a default, a switch for weights.

    Reads the callables as ``torch.hub.load`` gets them, through its own import of hubconf.py.
    """
    import torch

    root = os.path.join(torch.hub.get_dir(), reference.replace("/", "_").replace(":", "_"))
    with torch.hub._add_to_sys_path(root):  # noqa: SLF001
        module = torch.hub._import_module("hubconf.py", os.path.join(root, "hubconf.py"))  # noqa: SLF001
    for entry in described:
        try:
            parameters = inspect.signature(getattr(module, entry["name"])).parameters.values()
        except Exception:  # a `__signature__` of the repository's own may raise anything
            continue
        plain = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
        entry["required"] = [
            parameter.name
            for parameter in parameters
            if parameter.default is parameter.empty and parameter.kind not in plain
        ]
        switches = {parameter.name: parameter for parameter in parameters}
        off = switches.get("pretrained")
        entry["pretrained"] = off is not None and off.default is False
        entry["weights"] = _takes_weights(switches.get("weights"))


def _takes_weights(parameter: inspect.Parameter | None) -> bool:
    """Whether ``weights`` is None by default, and takes a member of an enumeration or its name.

    So torchvision has it (``torchvision.models.WeightsEnum``); others take a path of their own.
    """
    if parameter is None or parameter.default is not None:
        return False
    return "Weights" in _text(parameter.annotation)


def _call(request: dict[str, Any], where: str, **how: Any) -> Any:
    """What ``torch.hub.load``, unpatched, returns for the case."""
    import torch

    return torch.hub.load(
        where, request["entrypoint"], *request["args"], **how, **request["kwargs"]
    )


def _load(request: dict[str, Any]) -> dict[str, Any]:
    """``torch.hub.load``, unpatched, then to the device when that is not the CPU."""
    import torch

    where: str = request["reference"]
    how: dict[str, Any] = {"trust_repo": True}
    if request["kind"] == "beside":
        beside.stand(os.getcwd(), request["decoys"])
        where, how = os.path.join(request["directory"], _ELSEWHERE), {"source": "local"}
    value = _call(request, where, **how)
    request["loaded"] = value
    if value is None:
        return {"ok": False, "error": {"type": "NoModel", "message": "the entrypoint returns None"}}
    kind = type(value)
    claims: dict[str, Any] = {"ok": True}
    # Loaded: nothing that the value says of itself can change that.
    with contextlib.suppress(Exception):
        claims["type"] = _text(kind.__qualname__)
        claims["module"] = _text(kind.__module__)
    if issubclass(kind, torch.nn.Module):
        with contextlib.suppress(Exception):  # a lazy module has no count yet
            parameters = itertools.islice(torch.nn.Module.parameters(value), _MOST_PARAMETERS)
            claims["parameters"] = sum(parameter.numel() for parameter in parameters)
        if request["opened"] or _kept(request["directory"]):
            with contextlib.suppress(Exception):
                claims.update(state.digest(value))
        if request["device"] != "cpu":
            value.to(request["device"])
            torch.cuda.synchronize()
            claims["device_peak_bytes"] = torch.cuda.max_memory_allocated()
    return claims


def _kept(directory: str) -> bool:
    """Whether anything lies in the caches of the job: without a checkpoint, weights are random."""
    places = (os.path.join(directory, name) for name in ("torch", "home", "work"))
    return any(files for place in places for _, _, files in os.walk(place))


def _pickles(request: dict[str, Any]) -> dict[str, Any]:
    """``torch.hub.load``, then what it returns to a process as ``multiprocessing`` spawns one."""
    other = apart.Apart()
    value = _call(request, request["reference"], trust_repo=True)
    try:
        error = other.returns(value, os.path.join(request["directory"], "model.pickle"))
    except (OSError, MemoryError):
        raise  # of this place, not of the model
    except Exception as problem:
        return {"ok": False, "reason": "pickled", "error": _describe(problem, request)}
    return {"ok": False, "reason": "unpickled", "error": error} if error else {"ok": True}


def _inspect(request: dict[str, Any]) -> dict[str, Any]:
    """Re-read a checkpoint without any code of the repository: does it need pickled code?"""
    import torch

    path = request["checkpoint"]
    claims: dict[str, Any] = {"ok": True, "weights_only": "pass", "reason": None, "globals": []}
    try:
        torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        claims.update(weights_only="fail", reason=f"{type(error).__name__}: {error}"[:_TEXT])
        try:
            claims["globals"] = sorted(torch.serialization.get_unsafe_globals_in_checkpoint(path))
        except Exception:
            claims["globals"] = []
    return claims


_KINDS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "list": _list,
    "load": _load,
    "again": _load,
    "beside": _load,
    "pickles": _pickles,
    "inspect": _inspect,
}
