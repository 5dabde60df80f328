"""Calls that do more than make objects: what they are is a table, a new one is a row of it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from hubpub.source import tree
from hubpub.source.interpret import devices, known
from hubpub.source.interpret.machine import EffectEvent, Machine, Place
from hubpub.source.interpret.scopes import Scope
from hubpub.source.interpret.values import (
    Choice,
    External,
    Items,
    Literal,
    Method,
    Native,
    Unknown,
    Value,
    options,
    string,
)

if TYPE_CHECKING:
    from hubpub.source.interpret.calls import Given


def _rows(kind: str, names: str) -> dict[str, str]:
    return dict.fromkeys(names.split(), kind)


CALLS: dict[str, str] = {
    **_rows(
        "process",
        "subprocess.run subprocess.call subprocess.check_call subprocess.check_output"
        " subprocess.Popen subprocess.getoutput subprocess.getstatusoutput os.spawnv os.spawnl"
        " os.execv os.execl os.execvp os.fork runpy.run_path runpy.run_module"
        " multiprocessing.Process",
    ),
    **_rows("shell", "os.system os.popen"),
    **_rows(
        "install",
        "pip.main pip._internal.main pip._internal.main.main pip._internal.cli.main.main"
        " ensurepip.bootstrap setuptools.setup distutils.core.setup distutils.core.run_setup"
        " setuptools.sandbox.run_setup pyximport.install"
        " torch.utils.cpp_extension.load torch.utils.cpp_extension.load_inline",
    ),
    **_rows("chdir", "os.chdir os.fchdir os.chroot"),
    **_rows(
        "environment",
        "os.putenv os.unsetenv os.environ.update os.environ.setdefault os.environ.pop"
        " os.environ.clear os.environ.__setitem__",
    ),
    **_rows("print", "builtins.print sys.stdout.write pprint.pprint rich.print"),
    **_rows(
        "write",
        "os.makedirs os.mkdir os.remove os.unlink os.rename os.replace os.rmdir os.removedirs"
        " os.symlink shutil.copy shutil.copy2 shutil.copyfile shutil.copytree shutil.move"
        " shutil.rmtree shutil.unpack_archive pathlib.Path.mkdir pathlib.Path.write_text"
        " pathlib.Path.write_bytes pathlib.Path.touch pathlib.Path.unlink pathlib.Path.rename"
        " pathlib.Path.symlink_to",
    ),
    **_rows("open", "builtins.open io.open codecs.open pathlib.Path.open"),
    **_rows(
        "network",
        "urllib.request.urlopen urllib.request.urlretrieve requests.get requests.post"
        " requests.head requests.request torch.hub.load_state_dict_from_url"
        " torch.hub.download_url_to_file torch.utils.model_zoo.load_url torch.hub.load"
        " torch.hub.list torch.hub.help huggingface_hub.hf_hub_download"
        " huggingface_hub.snapshot_download wget.download gdown.download gdown.cached_download"
        " gdown.download_folder nltk.download",
    ),
    **_rows("load", "torch.load torch.jit.load safetensors.torch.load_file joblib.load"),
    **_rows(
        "cuda",
        "torch.cuda.init torch.cuda.set_device torch.cuda.current_device torch.cuda.device"
        " torch.cuda.get_device_name torch.cuda.get_device_capability torch.cuda.mem_get_info"
        " torch.cuda.get_device_properties torch.cuda.synchronize torch.cuda.Stream"
        " torch.cuda.FloatTensor torch.cuda.LongTensor",
    ),
    **_rows(
        "setting",
        "torch.set_default_dtype torch.set_default_tensor_type torch.set_default_device"
        " torch.set_grad_enabled torch.set_num_threads torch.set_num_interop_threads"
        " torch.use_deterministic_algorithms torch.autograd.set_detect_anomaly"
        " torch.autograd.set_grad_enabled torch.hub.set_dir"
        " torch.multiprocessing.set_start_method torch.multiprocessing.set_sharing_strategy"
        " multiprocessing.set_start_method logging.basicConfig",
    ),
    **_rows(
        "seed",
        "torch.manual_seed torch.seed torch.random.manual_seed torch.cuda.manual_seed"
        " torch.cuda.manual_seed_all random.seed numpy.random.seed",
    ),
}  # fmt: skip
"""Function -> what calling it does.

``open``, ``process`` and ``shell`` are looked into further: they may be ``write``, ``install``
(which builds, too, and fetches code) and ``git``.
"""

PATH_METHODS = frozenset({"mkdir", "write_text", "write_bytes"})
"""Methods that only paths have: they are known where the path is not."""
INSTALLERS = frozenset({
    "pip", "pip3", "conda", "mamba", "micromamba", "apt", "apt-get", "brew", "yum", "dnf", "poetry",
    "uv", "npm",
})  # fmt: skip
"""Programs that install something when they are told to ``install``."""
BUILDERS = frozenset({"setup.py", "easy_install", "make", "cmake", "ninja"})
MAX_SHOWN = 60
"""Characters of a command that are shown."""
_MAX_NODES = 300


def note(machine: Machine, node: tree.Call, function: Value, given: Given, scope: Scope) -> None:
    """Report what a call does, if it is in the tables."""
    choice = isinstance(function, Choice)
    for option in options(function):
        name = _name(option, node)
        if not name:
            continue
        place = (scope.path, node.at)
        if isinstance(option, (External, Unknown)):
            _remote_code(machine, name, given, place)
            found = devices.of_call(name, given)
            if found is not None:
                certain, default = found
                shown = name.lstrip("?")
                _add(machine, "cuda", shown, place, default, maybe=choice or not certain)
                continue
        kind = CALLS.get(name) or (
            "network" if name.endswith(".from_pretrained") and isinstance(option, External) else ""
        )
        if kind:
            _called(machine, kind, name, node, given, place, maybe=choice)


def environment(machine: Machine, index: Value, scope: Scope, at: tree.At) -> None:
    """``os.environ[index] = value``."""
    name = string(index)
    shown = "os.environ" if name is None else f"os.environ[{name[:MAX_SHOWN]!r}]"
    _add(machine, "environment", shown, (scope.path, at), None)


def _name(function: Value, node: tree.Call) -> str:
    """The dotted name of what is called, as :data:`CALLS` has it; empty for the repository's."""
    if isinstance(function, External):
        return known.canonical(function.name) if not function.called else f"?.{_last(node)}"
    if isinstance(function, Native):
        return function.name
    if isinstance(function, Method):
        if isinstance(function.receiver, Native):
            return f"{function.receiver.name}.{function.name}"
        path = isinstance(function.receiver, Literal) and isinstance(
            function.receiver.value, PurePosixPath
        )
        return f"pathlib.Path.{function.name}" if path else ""
    if isinstance(function, Unknown):
        last = _last(node)
        return f"pathlib.Path.{last}" if last in PATH_METHODS else f"?.{last}"
    return ""


def _last(node: tree.Call) -> str:
    return node.function.name if isinstance(node.function, tree.Attribute) else ""


def _called(
    machine: Machine,
    kind: str,
    name: str,
    node: tree.Call,
    given: Given,
    place: Place,
    *,
    maybe: bool,
) -> None:
    shown = name
    if kind == "open":
        if not _writes(name, given):
            return
        kind = "write"
    elif kind == "print" and "file" in given.keywords:
        return
    elif kind in {"process", "shell"}:
        command = " ".join(_texts(node, given))
        kind = "install" if _installs(command) else "git" if command.startswith("git ") else kind
        shown = f"{name}: {command[:MAX_SHOWN]}" if command else name
    elif kind == "environment" and given.positional:
        variable = string(given.positional[0])
        shown = f"{name}({variable[:MAX_SHOWN]!r})" if variable is not None else name
    _add(machine, kind, shown, place, None, maybe=maybe)


def _add(
    machine: Machine,
    kind: str,
    shown: str,
    place: Place,
    default: Place | None,
    *,
    maybe: bool = False,
) -> None:
    event = EffectEvent(
        kind,
        shown,
        place,
        machine.doubt > 0 or maybe,
        machine.tries > 0,
        machine.handling > 0,
        tuple(machine.running),
        default,
    )
    if machine.importing:
        # A loop of many rounds is one effect. (Calls are not filtered: their events are replayed.)
        mark = (kind, place, event.conditional, event.guarded, event.fallback)
        if mark in machine.noted:
            return
        machine.noted.add(mark)
    machine.events.append(event)


def _remote_code(machine: Machine, name: str, given: Given, place: Place) -> None:
    value = given.keywords.get("trust_remote_code")
    for option in options(value) if value is not None else ():
        inner = option.default if isinstance(option, Unknown) else option
        if inner is not None and Literal(True) in options(inner):
            shown = name.rpartition(".")[2]
            _add(machine, "remote code", shown, place, None, maybe=inner is not value)
            return


def _writes(name: str, given: Given) -> bool:
    """Whether a file is opened for writing."""
    mode = given.get(0 if name.startswith("pathlib") else 1, "mode")
    return any(set("wax+") & set(string(item) or "") for item in options(mode or Literal("r")))


def _texts(node: tree.Call, given: Given) -> list[str]:
    """The words of a command: of the arguments as they are known, else as they are written."""
    first = given.get(0, "args")
    words: list[str] = []
    for value in _flat(first) if first is not None else ():
        words += (string(value) or "").split()[:50]
    if not words:
        nodes = itertools.islice(tree.walk(node.arguments), _MAX_NODES)
        for item in nodes:
            if isinstance(item, tree.Const) and isinstance(item.value, str):
                words += item.value.split()[:50]
    return [word for word in words[:50] if any(char.isalnum() for char in word)]


def _flat(value: Value, depth: int = 0) -> Iterator[Value]:
    if isinstance(value, Items) and depth < 3:
        for item in value.items[:50]:
            yield from _flat(item, depth + 1)
    else:
        yield from options(value)


def _installs(command: str) -> bool:
    """Whether a command installs or builds something, or fetches code."""
    words = [word.strip("'\";&|()").rpartition("/")[2] for word in command.lower().split()]
    present = set(words)
    if present & INSTALLERS and "install" in present:
        return True
    if words and words[0] in BUILDERS:
        return True
    return "setup.py" in present or ("git" in present and bool(present & {"clone", "submodule"}))
