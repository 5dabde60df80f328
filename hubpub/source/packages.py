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

COMPANIONS: dict[str, frozenset[str]] = {
    name: frozenset(users.split())
    for name, users in {
        "numpy": "torch",
        "PIL": "torchvision timm transformers diffusers matplotlib skimage imageio",
        "torchvision": "timm transformers kornia detectron2 torchmetrics lpips segmentation_models"
        "_pytorch pretrainedmodels torchaudio open_clip clip",
        "timm": "segmentation_models_pytorch open_clip transformers pretrainedmodels",
        "huggingface_hub": "timm transformers diffusers safetensors open_clip",
        "safetensors": "torch timm transformers diffusers huggingface_hub",
        "scipy": "torchvision sklearn skimage librosa timm kornia networkx resampy pandas",
        "sklearn": "librosa imblearn umap",
        "soundfile": "torchaudio librosa speechbrain datasets",
        "resampy": "librosa", "soxr": "librosa transformers", "audioread": "librosa",
        "sox": "torchaudio", "numba": "librosa resampy umap",
        "sentencepiece": "transformers", "tokenizers": "transformers", "sacremoses": "transformers",
        "accelerate": "transformers diffusers", "google": "transformers sentencepiece",
        "bitsandbytes": "transformers diffusers", "ftfy": "diffusers transformers open_clip",
        "regex": "transformers open_clip nltk", "peft": "transformers diffusers",
        "tensorboard": "torch pytorch_lightning lightning", "ninja": "torch",
        "omegaconf": "hydra", "antlr4": "omegaconf hydra", "fsspec": "torch pytorch_lightning",
        "pycocotools": "torchvision detectron2", "av": "torchvision imageio torchaudio",
        "imageio_ffmpeg": "imageio moviepy", "openpyxl": "pandas", "xlrd": "pandas",
        "pyarrow": "pandas datasets", "tables": "pandas", "lxml": "pandas bs4",
        "tqdm": "torch", "requests": "huggingface_hub",
        "typing_extensions": "torch", "xformers": "diffusers transformers",
    }.items()
}  # fmt: skip
"""Package -> those that load it by themselves when they need it, without asking for it at install.

Source: the packages' own code (``torch.Tensor.numpy``, ``torch.hub``'s progress bar,
``transformers.utils.import_utils``, ``pandas.compat._optional``) and their documented extras.
"""

REQUIRED: dict[str, frozenset[str]] = {
    name: frozenset(needs.split())
    for name, needs in {
        "torch": "filelock fsspec jinja2 networkx sympy typing_extensions",
        "torchvision": "torch numpy PIL",
        "timm": "torch torchvision huggingface_hub safetensors yaml",
        "transformers": "huggingface_hub numpy packaging regex safetensors tokenizers tqdm yaml",
        "diffusers": "PIL filelock huggingface_hub numpy regex requests safetensors",
        "accelerate": "torch huggingface_hub numpy packaging psutil safetensors yaml",
        "huggingface_hub": "filelock fsspec packaging tqdm typing_extensions yaml",
        "pytorch_lightning": "torch fsspec lightning_utilities packaging torchmetrics tqdm yaml",
        "torchmetrics": "torch numpy packaging",
        "fvcore": "PIL iopath numpy tabulate termcolor tqdm yacs yaml",
        "hydra": "antlr4 omegaconf packaging", "omegaconf": "yaml", "yacs": "yaml",
        "librosa": "audioread decorator joblib lazy_loader msgpack numba numpy pooch scipy sklearn "
        "soundfile soxr typing_extensions",
        "matplotlib": "PIL contourpy cycler dateutil fontTools kiwisolver numpy packaging "
        "pyparsing",
        "seaborn": "matplotlib numpy pandas", "pandas": "dateutil numpy", "scipy": "numpy",
        "sklearn": "joblib numpy scipy threadpoolctl", "cv2": "numpy",
        "skimage": "PIL imageio networkx numpy packaging scipy tifffile",
    }.items()
}  # fmt: skip
"""Package -> those that its distribution always installs with it, old releases and new.

Source: the distributions' ``Requires-Dist`` on the package index.
"""

_WELL_KNOWN = """
numpy scipy pandas matplotlib seaborn plotly bokeh sklearn skimage cv2 PIL imageio h5py yaml
torchvision torchaudio torchtext torchdata torchmetrics torchcodec torch_geometric torch_scatter
torch_sparse torch_cluster torchdiffeq torchsummary torchinfo torchio pytorch_lightning
lightning lightning_utilities ignite fastai catalyst skorch accelerate transformers tokenizers
diffusers datasets evaluate huggingface_hub safetensors peft trl timm einops kornia
albumentations monai detectron2 mmcv mmdet mmengine mmseg mmcls mmpretrain
segmentation_models_pytorch pretrainedmodels efficientnet_pytorch open_clip clip lpips xformers
flash_attn triton apex deepspeed fairscale bitsandbytes ninja pybind11 tensorflow keras jax flax
optax haiku onnx onnxruntime tensorrt openvino coremltools tflite tensorboard tensorboardX wandb
mlflow comet_ml neptune clearml visdom aim hydra omegaconf yacs fvcore iopath easydict munch
addict ml_collections absl fire click typer tqdm rich loguru termcolor colorama colorlog
prettytable tabulate humanize requests urllib3 aiohttp httpx gdown wget boto3 botocore google
azure fsspec s3fs packaging setuptools pkg_resources pip wheel six future attr attrs
typing_extensions filelock joblib dill cloudpickle psutil GPUtil pynvml regex ftfy nltk spacy
gensim sentencepiece sacremoses sacrebleu subword_nmt fastBPE librosa soundfile resampy pyworld
webrtcvad pesq pystoi speechbrain espnet fairseq whisper audioread sox pydub g2p_en phonemizer
unidecode inflect jiwer numba cupy cython networkx sympy shapely rasterio nibabel SimpleITK
pydicom nilearn openslide tifffile Bio rdkit biotite openmm esm openfold trimesh open3d
pytorch3d pyrender pycolmap smplx chumpy moviepy decord av ffmpeg faiss annoy hnswlib umap
hdbscan lightgbm xgboost catboost shap optuna ray dask flask fastapi gradio streamlit starlette
pydantic jsonschema toml tomli ujson orjson lxml bs4 git docker pytest hypothesis IPython
ipywidgets notebook nbformat psycopg2 sqlalchemy lmdb zarr pyarrow tables webcolors
prefetch_generator astropy nflows gym gymnasium pettingzoo dgl ogb bitarray blobfile thop
ptflops ultralytics natten mamba_ssm causal_conv1d rfconv
"""
WELL_KNOWN = frozenset(_WELL_KNOWN.split())
"""Modules that people install: an import of one of these means it, whatever the tree holds."""

_BROUGHT_BY = {"pkg_resources": "setuptools", "google": "protobuf", "mpl_toolkits": "matplotlib"}

_FIRST: dict[str, str] = dict(_BROUGHT_BY)
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
