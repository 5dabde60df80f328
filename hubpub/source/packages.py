"""Import names and distribution names: ``cv2`` comes with ``opencv-python``.

Only names that differ are kept, as the distributions' own pages on the package index give them.
Everything else is the plain guess: the same name, with ``-`` for ``_``.
"""

from __future__ import annotations

import re

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

    None for a name that may be imported as it stands.
    """
    known = IMPORTS.get(normal(distribution))
    if known is not None and known != distribution:
        # Both `attr` and `attrs` can be imported; both names of some packages are right.
        return None if distribution in {"attrs", "pyaml"} else known
    if re.fullmatch(r"[A-Za-z0-9]+(?:-[A-Za-z0-9_]+)+", distribution):
        return distribution.replace("-", "_")
    return None


def distribution_of(module: str) -> tuple[str, bool]:
    """The distribution to install for a module, and whether that is more than a guess."""
    known = _FIRST.get(module)
    return (known, True) if known else (module.replace("_", "-"), False)
