"""A checkpoint on the disk as something to publish: what it is, its hash, and its name."""

from __future__ import annotations

import hashlib
import json
import pickletools
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from hubpub.errors import UsageError
from hubpub.scaffold.looking import SUFFIXES, mebibytes
from hubpub.stamping.naming import stamped

CHUNK = 1 << 20
MAX_RELEASE = 2 << 30
"""GitHub takes no larger file into a release (bytes).

Source: GitHub's page "About large files on GitHub", "distributing large binaries"."""
MAX_TREE = 100 << 20
"""GitHub takes no larger file into a repository (bytes). Source: the same page."""
MAX_PICKLE = 64 << 20
"""Of a larger pickle only so much is read (bytes): tensors do not lie in it."""
MAX_CODE = 1 << 20
"""So much of a module's code in an archive is read (bytes)."""
_MAX_OPCODES = 2_000_000

_PLAIN = frozenset({"collections", "torch", "torch._utils", "torch.storage", "torch._tensor",
                    "torch.nn.parameter", "torch.serialization"})  # fmt: skip
"""Modules whose names a file of tensors alone may hold."""
_TRAINING = frozenset({"optimizer", "optimizer_state_dict", "optimizer_states", "lr_schedulers",
                       "epoch", "global_step", "state_dict", "model_state_dict"})  # fmt: skip
"""Keys of what is saved during training, around the state dict."""


@dataclass(frozen=True)
class Trained:
    """A checkpoint, read and not loaded.

    ``form`` is safetensors, torchscript, state dict (tensors and nothing else), objects (a pickle
    that runs code of the modules ``foreign``) or unknown. ``size`` in bytes, ``sha256`` in lower
    case hexadecimal. ``stamped`` is the name to publish it under. ``training`` are keys that a
    state dict alone would not have.
    """

    path: Path
    form: str
    size: int
    sha256: str
    stamped: str
    foreign: tuple[str, ...] = ()
    training: tuple[str, ...] = ()
    forward: str = ""


def read(path: Path) -> Trained:
    """Read the checkpoint ``path`` in one pass, without unpickling anything of it.

    Raises:
        UsageError: it is no file, cannot be read, is empty, or has no suffix of a checkpoint.
    """
    if not path.name.lower().endswith(SUFFIXES):
        raise UsageError(
            f"{path} is called no checkpoint",
            help=f"rename a copy of it: its name must end in {', '.join(SUFFIXES)}",
        )
    try:
        if not path.is_file():
            raise UsageError(f"{path} is not a file", help="name the file that was saved")
        size, digest = path.stat().st_size, _sha256(path)
        form, foreign, training = _form(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"cannot read {path}: {reason}", help="nothing was written") from error
    if size == 0:
        raise UsageError(f"{path} is empty", help="save it again")
    forward = _forward(path) if form == "torchscript" else ""
    return Trained(path, form, size, digest, stamp(path.name, digest), foreign, training, forward)


def stamp(name: str, sha256: str) -> str:
    """The name under which ``torch.hub`` finds the hash of a file: ``net.pth`` -> ``net-<8>.pth``.

    As ``hubpub stamp`` gives it; characters that a URL or a release could not keep become ``_``.
    """
    suffix = next(end for end in SUFFIXES if name.lower().endswith(end))
    stem = re.sub(r"[^A-Za-z0-9._-]+", "_", name[: -len(suffix)]).strip("-._") or "model"
    return stamped(f"{stem}{suffix}", sha256).name


def require(trained: Trained, form: str) -> None:
    """Refuse a file that is not what it was given as: ``form`` is weights or torchscript.

    Raises:
        UsageError: it is something else; the help says what to do.
    """
    name = trained.path
    if form == "torchscript":
        if trained.form != "torchscript":
            raise UsageError(
                f"{name} is no TorchScript archive",
                help="save one with torch.jit.script(model).save(FILE); "
                "weights alone go to --from-checkpoint",
            )
        return
    if trained.form == "torchscript":
        raise UsageError(
            f"{name} is a TorchScript archive, not weights", help="--from-torchscript takes it"
        )
    if trained.form == "objects":
        raise UsageError(
            f"{name} is a pickle of objects, which runs code of {', '.join(trained.foreign[:5])}: "
            "weights_only=True refuses it, and users should not have to trust it",
            help="save the weights alone: torch.save(model.state_dict(), FILE)",
        )
    if trained.form == "unknown":
        raise UsageError(
            f"{name} is neither written by torch.save nor a safetensors file",
            help="save the weights with torch.save(model.state_dict(), FILE)",
        )


def require_release(trained: Trained) -> None:
    """Refuse what is too large for a release.

    Raises:
        UsageError: GitHub would not take it.
    """
    if trained.size >= MAX_RELEASE:
        raise UsageError(
            f"{trained.path} has {mebibytes(trained.size)}, and GitHub takes files of less than "
            "2 GiB into a release",
            help="save it in half precision, split it, or lay it on another host; torch.hub reads "
            "any https URL",
        )


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _form(path: Path) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    with path.open("rb") as stream:
        head = stream.read(64)
    if path.name.lower().endswith(".safetensors"):
        return ("safetensors" if _is_safetensors(path) else "unknown"), (), ()
    if head[:2] == b"PK" and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if any(name.endswith("/constants.pkl") for name in names):
                return "torchscript", (), ()
            found = [name for name in names if name.endswith("data.pkl") and name.count("/") <= 1]
            if not found:
                return "unknown", (), ()
            with archive.open(found[0]) as pickle:
                return _pickled(pickle, 1)
    if head[:1] == b"\x80":
        with path.open("rb") as stream:
            # Before PyTorch 1.6: a magic number, a version, what made it, and then the object.
            return _pickled(stream, 4)
    return "unknown", (), ()


_FORWARD = re.compile(
    r"\bdef forward\(\w+: ([\w.]+)((?:,\s*\w+: [^():]{1,80})*)\) -> ([^:=]{1,80}):"
)


def _forward(path: Path) -> str:
    """``forward(x: Tensor) -> Tensor`` of the outermost module of an archive.

    Its code is Python's, in files; its object is a pickle, whose first class is the outermost one.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            root = archive.namelist()[0].partition("/")[0]
            with archive.open(f"{root}/data.pkl") as pickle:
                named = [str(value) for name, value in _opcodes(pickle, 1) if name == "GLOBAL"]
            module, _, cls = named[0].partition(" ")
            with archive.open(f"{root}/code/{module.replace('.', '/')}.py") as stream:
                text = stream.read(MAX_CODE).decode("utf-8", "replace")
    except (KeyError, IndexError, ValueError, OSError, RuntimeError, zipfile.BadZipFile):
        return ""
    for match in _FORWARD.finditer(text):
        if match.group(1) == f"{module}.{cls}":
            takes = " ".join(match.group(2).split()).removeprefix(",").strip()
            return f"forward({takes}) -> {' '.join(match.group(3).split())}"
    return ""


def _is_safetensors(path: Path) -> bool:
    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if not 2 <= length <= MAX_PICKLE:
            return False
        try:
            return isinstance(json.loads(stream.read(length)), dict)
        except (ValueError, RecursionError):
            return False


def _pickled(stream: IO[bytes], pickles: int) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    foreign: dict[str, None] = {}
    training: dict[str, None] = {}
    texts: list[str] = []
    try:
        for name, value in _opcodes(stream, pickles):
            if name in {"GLOBAL", "INST"}:
                module = str(value).partition(" ")[0]
            elif name == "STACK_GLOBAL":
                module = texts[-2] if len(texts) > 1 else "?"
            else:
                if isinstance(value, str):
                    texts = [*texts[-1:], value]
                    if value in _TRAINING:
                        training[value] = None
                continue
            if module not in _PLAIN:
                foreign[module] = None
    except (ValueError, EOFError, OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError):
        return "unknown", (), ()
    return ("objects" if foreign else "state dict"), tuple(foreign), tuple(training)


def _opcodes(stream: IO[bytes], pickles: int) -> Iterator[tuple[str, object]]:
    count = 0
    for _ in range(pickles):
        for opcode, value, _place in pickletools.genops(stream):
            count += 1
            if count > _MAX_OPCODES:
                return
            yield opcode.name, value
