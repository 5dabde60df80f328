"""Calls that are noted beside those of checkpoints: what opens files, and what asks for a version.

Names and parameters are those of the packages' own documentation.
"""

from __future__ import annotations

OPENING: dict[str, tuple[str, ...]] = {
    "builtins.open": ("file", "mode"),
    "io.open": ("file", "mode"),
    "pathlib.Path.open": ("file", "mode"),
    "gzip.open": ("filename", "mode"),
    "numpy.genfromtxt": ("fname",), "numpy.loadtxt": ("fname",), "numpy.fromfile": ("file",),
    "PIL.Image.open": ("fp", "mode"), "cv2.imread": ("filename",), "torchaudio.load": ("uri",),
    "torchvision.io.read_image": ("path",), "soundfile.read": ("file",), "librosa.load": ("path",),
    "scipy.io.loadmat": ("file_name",), "scipy.io.wavfile.read": ("filename",),
    "pandas.read_csv": ("filepath_or_buffer",), "pandas.read_pickle": ("filepath_or_buffer",),
    "omegaconf.OmegaConf.load": ("file_",), "h5py.File": ("name", "mode"),
    "sentencepiece.SentencePieceProcessor": ("model_file",),
}  # fmt: skip
"""Functions that open the file that their first parameter names."""

READING = frozenset({"open", "read_text", "read_bytes"})
"""Methods of a path that open it."""

RUNNING: dict[str, tuple[str, ...]] = {
    "subprocess.check_output": ("args",), "subprocess.check_call": ("args",),
    "subprocess.run": ("args",),
}  # fmt: skip
"""Functions that run a program; the last one raises with ``check=True`` alone."""

ASKING: dict[str, tuple[str, ...]] = {
    "importlib.metadata.version": ("distribution_name",),
    "importlib.metadata.distribution": ("distribution_name",),
    "importlib_metadata.version": ("distribution_name",),
    "pkg_resources.get_distribution": ("dist",), "pkg_resources.require": ("dist",),
    "setuptools_scm.get_version": ("root",),
}  # fmt: skip
"""Functions that ask for the version of a distribution, the last one git."""

NOTED = {**OPENING, **RUNNING, **ASKING}
