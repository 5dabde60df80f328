"""What is known of packages outside the repository, without importing them.

torch: its public modules, and its public values that cannot be called, as ``dir()`` and the files
of the 2.13 wheel show them. Other packages: the submodules that people import with ``from``, from
the packages' own documentation. Everything else outside is taken for something callable, with the
certainty ``possible``.
"""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path
from typing import Any

from hubpub.source import tree
from hubpub.source.interpret.machine import Machine
from hubpub.source.interpret.scopes import Binding, Scope
from hubpub.source.interpret.values import (
    External,
    Function,
    Items,
    Literal,
    Value,
    options,
)


@functools.cache
def _read() -> dict[str, Any]:
    path = Path(__file__).with_name("outside.json")
    tables: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return tables


def outside(name: str) -> frozenset[str]:
    """A table of names from outside.json, which is kept beside this module."""
    return frozenset(_read()[name])


LOADED = frozenset({"torch", "hubpub"})
"""Modules that are in ``sys.modules`` when hubconf is imported, whatever the repository holds."""

_TORCH_MODULES = outside("torch modules")
_TORCH_VALUES = outside("torch values")
_MODULES = {name: frozenset(items) for name, items in _read()["modules"].items()}

_VALUE_TYPES = re.compile(
    r"(^|\.)(CfgNode|CN|DictConfig|ListConfig|OmegaConf|EasyDict|edict|Munch|ConfigDict|AttrDict|"
    r"ndarray|Tensor|device|dtype|Generator|Size|Version|DataFrame|Series|Namespace|Registry)$"
)
_VALUE_FUNCTIONS = re.compile(
    r"^(torch\.(device|tensor|zeros|ones|rand|randn|arange|linspace|empty|full|eye|from_numpy|"
    r"cuda\.\w+|hub\.(get_dir|list|help|set_dir|download_url_to_file|load_state_dict_from_url)|"
    r"load|finfo|iinfo|Generator|manual_seed|set_\w+|get_\w+|is_\w+|version\..*|backends\..*|"
    r"Tensor|FloatTensor|LongTensor|Size|utils\.model_zoo\.load_url)|"
    r"numpy\.(?!vectorize|poly1d|frompyfunc|random).*|yaml\..*|omegaconf\..*|packaging\..*|"
    r"huggingface_hub\..*|PIL\.Image\..*|cv2\..*|requests\..*|pkg_resources\..*|"
    r"yacs\.config\..*|easydict\..*|.*\.(get_cfg|get_config|load_config|merge_from_file|parse))$"
)

REPORTED: dict[str, tuple[str, ...]] = {
    "torch.hub.load_state_dict_from_url": (
        "url", "model_dir", "map_location", "progress", "check_hash", "file_name", "weights_only",
    ),
    "torch.utils.model_zoo.load_url": (
        "url", "model_dir", "map_location", "progress", "check_hash", "file_name", "weights_only",
    ),
    "torch.hub.download_url_to_file": ("url", "dst", "hash_prefix", "progress"),
    "torch.hub.load": ("repo_or_dir", "model"),
    "torch.hub.list": ("github", "force_reload", "skip_validation", "trust_repo", "verbose"),
    "torch.hub.help": ("github", "model", "force_reload", "skip_validation", "trust_repo"),
    "torch.load": ("f", "map_location", "pickle_module"),
    "torch.jit.load": ("f", "map_location"),
    "safetensors.torch.load_file": ("filename", "device"),
    "safetensors.torch.load_model": ("model", "filename"),
    "safetensors.safe_open": ("filename", "framework", "device"),
    "onnxruntime.InferenceSession": ("path_or_bytes",),
    "huggingface_hub.hf_hub_download": ("repo_id", "filename"),
    "huggingface_hub.snapshot_download": ("repo_id",),
    "urllib.request.urlretrieve": ("url", "filename"),
    "wget.download": ("url", "out"),
    "gdown.download": ("url", "output"),
    "gdown.cached_download": ("url", "path"),
    "gdown.download_folder": ("url", "id", "output"),
    "torchvision.datasets.utils.download_url": ("url", "root", "filename"),
    "torchvision.datasets.utils.download_file_from_google_drive": ("file_id", "root", "filename"),
    "requests.get": ("url",),
    "pickle.load": ("file",),
    "dill.load": ("file",),
    "cloudpickle.load": ("file",),
    "joblib.load": ("filename",),
    "numpy.load": ("file", "mmap_mode", "allow_pickle"),
}  # fmt: skip
"""Functions whose calls are reported, with their positional parameters (torch 2.13's for torch)."""

UNPICKLERS = frozenset(
    {"pickle.load", "dill.load", "cloudpickle.load", "joblib.load", "numpy.load"}
)
"""Those of them that read pickles, which may be checkpoints or any other data."""

_ALIASES = {
    "load_state_dict_from_url": "torch.hub.load_state_dict_from_url",
    "download_url_to_file": "torch.hub.download_url_to_file",
    "hf_hub_download": "huggingface_hub.hf_hub_download",
    "snapshot_download": "huggingface_hub.snapshot_download",
}


def canonical(name: str) -> str:
    """The one name of a function that other packages pass on (torchvision, timm, model_zoo)."""
    last = name.rpartition(".")[2]
    if name.startswith("torch.serialization.") and last == "load":
        return "torch.load"
    return _ALIASES.get(last, name)


def is_one(function: Value) -> bool:
    """Whether calling ``function`` is calling one function, as torch or its companions have it.

    Other packages have functions of the same names that take other arguments.
    """
    found = options(function)
    if not all(isinstance(item, External) and item.package in _SAME for item in found):
        return False
    names = {canonical(item.name) for item in found if isinstance(item, External)}
    return len({_ONE.get(name, name) for name in names}) == 1


_SAME = {"torch", "torchvision", "timm"}
_ONE = {"torch.utils.model_zoo.load_url": "torch.hub.load_state_dict_from_url"}


def is_module(value: External) -> bool:
    """Whether a name outside the repository is a module, not something callable."""
    if value.called:
        return False
    package, _, rest = value.name.partition(".")
    if not rest:
        return True
    if package == "torch":
        return rest in _TORCH_MODULES
    return rest in _MODULES.get(package, ())


def is_value(value: External) -> bool:
    """Whether a name outside the repository is a value: a dtype, or spelled as a constant is."""
    package, _, rest = value.name.partition(".")
    if package == "torch" and rest in _TORCH_VALUES:
        return True
    last = value.name.rpartition(".")[2]
    return not value.called and last.isupper() and "_" in last


def makes_value(name: str) -> bool:
    """Whether calling ``name`` gives plain data, not something that can be called in turn."""
    return bool(_VALUE_TYPES.search(name) or _VALUE_FUNCTIONS.search(name))


def register_model(machine: Machine, function: Function, scope: Scope) -> None:
    """Timm's ``register_model`` appends the function's name to its module's ``__all__``."""
    root = scope.root
    listed: Value | None = root.names.get("__all__")
    if not isinstance(listed, Items):
        listed = Items("list", [], doubt=machine.doubt)
        place = function.node.at if isinstance(function.node, tree.Function) else (1, 1, 1, 1)
        root.bind("__all__", listed, Binding(root.path, place), machine.doubt)
    if not any(item == Literal(function.name) for item in listed.items):
        listed.items.append(Literal(function.name))
