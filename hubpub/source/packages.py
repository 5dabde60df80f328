"""Import names and distribution names: ``cv2`` comes with ``opencv-python``.

The metadata of what is installed knows best; a hook's environment has none of it, so names that
differ are also kept in a table, as the distributions' own pages on the package index give them.
Everything else is the plain guess: the same name, with ``-`` for ``_``.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence

IMPORTS: dict[str, str] = {
    "opencv-python": "cv2", "opencv-python-headless": "cv2", "opencv-contrib-python": "cv2",
    "opencv-contrib-python-headless": "cv2", "opencv": "cv2", "pillow": "PIL",
    "pillow-simd": "PIL", "pyyaml": "yaml", "scikit-learn": "sklearn", "scikit-image": "skimage",
    "hydra-core": "hydra", "python-dateutil": "dateutil", "beautifulsoup4": "bs4",
    "protobuf": "google.protobuf", "gitpython": "git", "pywavelets": "pywt", "biopython": "Bio",
    "umap-learn": "umap", "faiss-cpu": "faiss", "faiss-gpu": "faiss", "mmcv-full": "mmcv",
    "openai-clip": "clip", "openai-whisper": "whisper", "nvidia-ml-py": "pynvml",
    "python-levenshtein": "Levenshtein", "pyserial": "serial", "pyzmq": "zmq",
    "pycryptodome": "Crypto", "msgpack-python": "msgpack", "attrs": "attr", "pytorch": "torch",
    "antlr4-python3-runtime": "antlr4", "ruamel-yaml": "ruamel.yaml",
    "tensorflow-gpu": "tensorflow",
    "tensorflow-cpu": "tensorflow", "pysoundfile": "soundfile", "gputil": "GPUtil",
    "websocket-client": "websocket", "python-dotenv": "dotenv", "pyopenssl": "OpenSSL",
    "setuptools-scm": "setuptools_scm", "rdkit-pypi": "rdkit", "pynrrd": "nrrd",
    "simpleitk": "SimpleITK", "tensorboardx": "tensorboardX", "onnxruntime-gpu": "onnxruntime",
    "torch-scatter": "torch_scatter", "pyaml": "pyaml", "python-magic": "magic", "pymupdf": "fitz",
    "editdistance-s": "editdistance_s", "jupyter-core": "jupyter_core",
}  # fmt: skip
"""Distribution name (normalised as PEP 503 says) -> the module that it brings."""

_FIRST: dict[str, str] = {}
for _distribution, _module in IMPORTS.items():
    _FIRST.setdefault(_module.partition(".")[0], _distribution)


def normal(name: str) -> str:
    """A distribution name as PEP 503 normalises it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def module_of(distribution: str) -> str | None:
    """The module that a distribution brings, where it is not the distribution's own name.

    The table first (it needs no environment), then what is installed, then the plain guess. None
    for a name that may be imported as it stands.
    """
    known = IMPORTS.get(normal(distribution))
    if known is not None and known != distribution:
        # Both `attr` and `attrs` can be imported; both names of some packages are right.
        return None if distribution in {"attrs", "pyaml"} else known
    if re.fullmatch(r"[A-Za-z0-9]+(?:-[A-Za-z0-9_]+)+", distribution):
        wanted = normal(distribution)
        brought = [name for name, by in installed().items() if wanted in map(normal, by)]
        public = sorted(name for name in brought if not name.startswith("_"))
        return public[0] if public else distribution.replace("-", "_")
    return None


def distribution_of(module: str) -> tuple[str, str]:
    """The distribution to install for a module, and how that is known.

    ``installed`` (metadata of this environment), ``table`` (:data:`IMPORTS`), or ``guess``.
    """
    found = sorted(
        set(installed().get(module, ())), key=lambda name: (normal(name) != module, name)
    )
    if found:
        return normal(found[0]), "installed"
    known = _FIRST.get(module)
    return (known, "table") if known else (module.replace("_", "-"), "guess")


@functools.cache
def installed() -> Mapping[str, Sequence[str]]:
    """Top-level module -> the distributions that bring it, here; asked for at most once a run."""
    from importlib import metadata

    try:
        return metadata.packages_distributions()
    except Exception:  # noqa: BLE001 - one damaged distribution in the environment is no finding
        return {}
