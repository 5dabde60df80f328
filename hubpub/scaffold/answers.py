"""The names a new publisher starts with: derived from the folder, or given, and always checked."""

from __future__ import annotations

import builtins
import datetime as dt
import keyword
import os
import re
import sys
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from hubpub.errors import UsageError
from hubpub.scaffold.kinds import KINDS, LICENCES, PIECES

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
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}\Z")
MAX_LINE = 200
"""A description or a name of a person is at most so long (characters)."""


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
    around: frozenset[str] = frozenset({"readme", "licence", "test", "settings"})
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
    holder: str | None = None,
    kind: str | None = None,
    around: Iterable[str] | None = None,
    tag: str | None = None,
    dependencies: Iterable[str] = (),
    description: str = "",
    licence: str | None = None,
) -> Answers:
    """Settle the names for the folder ``directory``; see :func:`hubpub.scaffold.init`.

    Raises:
        UsageError: a name, given or derived, cannot be used.
    """
    package = package_name(directory, name)
    repo = repo_name(default_repo(directory, package) if repo is None else repo)
    owner = None if owner is None else owner_name(owner)
    plain = Answers(
        package=package,
        entrypoint=entrypoint_name(package if entrypoint is None else entrypoint),
        owner=owner or OWNER_PLACEHOLDER,
        repo=repo,
        holder=one_line(holder, "--holder") if holder else owner or f"the {repo} authors",
        year=dt.datetime.now(tz=dt.timezone.utc).year,
        dependencies=tuple(import_name(item) for item in dependencies),
        description=one_line(description, "--description"),
    )
    return replace(
        plain,
        kind=plain.kind if kind is None else one_of(kind, KINDS, "--kind"),
        around=plain.around if around is None else frozenset(pieces(around)),
        tag=plain.tag if tag is None else tag_name(tag),
        licence=plain.licence if licence is None else one_of(licence, LICENCES, "--licence"),
    )


def folder_name(directory: Path) -> str:
    """The name of a folder; one reached by a link goes by the name that was given."""
    return Path(os.path.abspath(directory)).name  # noqa: PTH100 (absolute() keeps "..")


def default_package(directory: Path) -> str:
    """The package name that a folder's name gives; it may be no name that can be used."""
    folder = folder_name(directory)
    return re.sub(r"[^A-Za-z0-9]+", "_", _plain(folder)).strip("_").lower()


def default_repo(directory: Path, package: str) -> str:
    """The repository name that a folder's name gives, or else the package's."""
    folder = _plain(folder_name(directory))
    return re.sub(r"[^A-Za-z0-9._-]+", "-", folder).strip("-.").removesuffix(".git") or package


def _plain(text: str) -> str:
    """``text`` with accents taken off its letters: ``räkna`` is ``rakna`` on GitHub too."""
    apart = unicodedata.normalize("NFKD", text)
    return "".join(char for char in apart if not unicodedata.combining(char))


def package_name(directory: Path, name: str | None) -> str:
    """``name``, or what the folder gives, where a package may be called so.

    Raises:
        UsageError: it may not.
    """
    if name is None:
        package = default_package(directory)
        folder = folder_name(directory)
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


def entrypoint_name(entrypoint: str) -> str:
    """``entrypoint``, where a public function of hubconf.py may be called so.

    Raises:
        UsageError: it may not.
    """
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


def default_entrypoint(file: str) -> str:
    """An entrypoint name made of a file's; it may be no name that can be used."""
    stem = re.sub(r"-[a-f0-9]{8,64}\Z", "", file.partition(".")[0])
    return re.sub(r"[^A-Za-z0-9]+", "_", _plain(stem)).strip("_").lower()


def owner_name(owner: str) -> str:
    """``owner``, where it can be an account of GitHub; raises UsageError."""
    _require(
        _OWNER.match(owner),
        f"{owner!r} is not a GitHub account name",
        "letters, digits and '-', at most 39",
    )
    return owner


def repo_name(repo: str) -> str:
    """``repo``, where it can be a repository of GitHub; raises UsageError."""
    _require(
        _REPO.match(repo) and repo not in {".", ".."} and not repo.endswith(".git"),
        f"{repo!r} is not a GitHub repository name",
        "letters, digits, '.', '-' and '_'; without '.git'",
    )
    return repo


def tag_name(tag: str) -> str:
    """``tag``, where it can be a release in ``owner/repo:tag``; raises UsageError."""
    _require(
        _TAG.match(tag) and ".." not in tag and not tag.endswith((".lock", ".")),
        f"{tag!r} cannot be the tag of a release",
        "letters, digits, '.', '-' and '_', such as v1.0",
    )
    return tag


def import_name(name: str) -> str:
    """``name``, where a module can be imported so; raises UsageError."""
    _require(
        name.isascii() and name.isidentifier() and not keyword.iskeyword(name),
        f"{name!r} is not the name of a module",
        "the name that is imported, such as cv2, not opencv-python>=4",
    )
    return name


def one_line(text: str, flag: str) -> str:
    """``text`` where it is one short line in any script; raises UsageError."""
    _require(
        text.isprintable() and len(text) <= MAX_LINE and not set(text) & set('"\\`{}<>'),
        f"{flag} {text[:40]!r} cannot stand in what is written",
        f"""one line of at most {MAX_LINE} characters, without " \\ ` {{ }} < >""",
    )
    return text.strip()


def one_of(word: str, known: Iterable[str], flag: str) -> str:
    """``word``, where it is one of ``known``; raises UsageError."""
    _require(word in set(known), f"{flag} {word!r} is not known", f"one of {', '.join(known)}")
    return word


def pieces(words: Iterable[str]) -> tuple[str, ...]:
    """The pieces that ``words`` name, each known; raises UsageError."""
    return tuple(one_of(word, PIECES, "--with") for word in words)


def _require(condition: object, message: str, advice: str) -> None:
    if not condition:
        raise UsageError(message, help=advice)
