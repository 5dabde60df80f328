"""The names a new publisher starts with: derived from the folder, or given, and always checked."""

from __future__ import annotations

import builtins
import datetime as dt
import keyword
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from hubpub.errors import UsageError

OWNER_PLACEHOLDER = "OWNER"
"""Stands in the examples until the publisher says who owns the repository."""

# Names that many repositories use. torch.hub leaves a repository's modules in sys.modules, so the
# second repository with one of these gets the first one's code, or the user's own folder.
_SHARED = frozenset(
    """
    app architectures backbone backbones base code common config configs core data dataset datasets
    demo doc docs engine evaluate eval example examples experiments features helper helpers hub
    inference layer layers lib libs loss losses main misc model modeling models module modules net
    nets network networks nn ops package predict project scripts setup src test tests tool tools
    train trainer training transforms util utils weights
    """.split()  # noqa: SIM905 (a word a line would be two pages)
)
# Packages that a user of torch.hub has, or hubconf itself: a folder of this name would hide them.
_TAKEN = frozenset(
    """
    albumentations cv2 einops fastai flax hubconf huggingface_hub hydra jax keras kornia librosa
    lightning matplotlib numpy omegaconf onnx pandas pil pytest pytorch_lightning requests
    safetensors scipy setuptools skimage sklearn tensorflow timm tokenizers torch torchaudio
    torchmetrics torchtext torchvision tqdm transformers wandb yaml
    """.split()  # noqa: SIM905
)
_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")
_OWNER = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})\Z")
_REPO = re.compile(r"[A-Za-z0-9._-]{1,100}\Z")


@dataclass(frozen=True)
class Answers:
    """Everything the templates ask for."""

    package: str
    entrypoint: str
    owner: str
    repo: str
    holder: str
    year: int
    kind: str = "in-tree"
    """Which of the templates under ``templates/kinds``."""
    around: frozenset[str] = frozenset({"readme", "licence", "test"})
    """Which optional pieces under ``templates/around``."""
    tag: str = "v1.0"
    """The release that examples are pinned to."""
    dependencies: tuple[str, ...] = ()
    """Import names that hubconf.py declares, beside torch."""
    description: str = ""
    """One line for the README; empty where nobody gave one."""
    licence: str = "BSD-3-Clause"
    """SPDX identifier."""


def answer(
    directory: Path,
    *,
    name: str | None = None,
    entrypoint: str | None = None,
    owner: str | None = None,
    repo: str | None = None,
) -> Answers:
    """Settle the names for the folder ``directory``; see :func:`hubpub.scaffold.init`.

    Raises:
        UsageError: a name, given or derived, cannot be used.
    """
    # Not resolved: a folder reached by a link goes by the name the publisher gave.
    folder = Path(os.path.abspath(directory)).name  # noqa: PTH100 (absolute() keeps "..")
    package = _package(folder, name)
    if repo is None:
        repo = re.sub(r"[^A-Za-z0-9._-]+", "-", folder).strip("-.") or package
    _require(
        _REPO.match(repo) and repo not in {".", ".."} and not repo.endswith(".git"),
        f"{repo!r} is not a GitHub repository name",
        "letters, digits, '.', '-' and '_'; without '.git'",
    )
    if owner is not None:
        _require(
            _OWNER.match(owner),
            f"{owner!r} is not a GitHub account name",
            "letters, digits and '-', at most 39",
        )
    return Answers(
        package=package,
        entrypoint=_entrypoint(package if entrypoint is None else entrypoint),
        owner=owner or OWNER_PLACEHOLDER,
        repo=repo,
        holder=owner or f"the {repo} authors",
        year=dt.datetime.now(tz=dt.timezone.utc).year,
    )


def _package(folder: str, name: str | None) -> str:
    if name is None:
        package = re.sub(r"[^A-Za-z0-9]+", "_", folder).strip("_").lower()
        origin, advice = f"the folder {folder!r} gives the package name {package!r}", "--name NAME"
    else:
        package = name
        origin, advice = f"the package name {package!r}", "another --name"
    advice = f"choose {advice}, a word of your own such as the model's name"
    _require(
        _IDENTIFIER.match(package) and not keyword.iskeyword(package),
        f"{origin}, which cannot be imported" if name is None else f"{origin} cannot be imported",
        f"{advice}: letters, digits and '_', a letter first, no Python keyword",
    )
    lower = package.lower()
    reason = None
    if lower in _SHARED:
        reason = "many repositories use it, and torch.hub keeps only one of them in sys.modules"
    elif lower in {module.lower() for module in sys.stdlib_module_names}:
        reason = "Python's standard library has a module of that name"
    elif lower in _TAKEN:
        reason = "it would hide the package of that name"
    _require(reason is None, f"{origin}: {reason}", advice)
    return package


def _entrypoint(entrypoint: str) -> str:
    _require(
        _IDENTIFIER.match(entrypoint) and not keyword.iskeyword(entrypoint),
        f"the entrypoint name {entrypoint!r} cannot be a public function's",
        "letters, digits and '_', a letter first, no Python keyword",
    )
    _require(
        not hasattr(builtins, entrypoint) and entrypoint not in {"dependencies", "torch"},
        f"the entrypoint name {entrypoint!r} would hide another name in hubconf.py",
        "choose another --entrypoint",
    )
    return entrypoint


def _require(condition: object, message: str, advice: str) -> None:
    if not condition:
        raise UsageError(message, help=advice)
