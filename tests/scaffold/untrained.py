"""Make the checkpoints that the templates come with, or compare them with what is made now.

    python tests/scaffold/untrained.py           # compare the numbers; exit code 1 if they differ
    python tests/scaffold/untrained.py --write   # make them again, and put the new stamps in place

They hold the random numbers that the templates' own networks begin with. Another version of torch
may pack the same numbers into a different file, so only numbers are compared.
"""

from __future__ import annotations

import hashlib
import io
import runpy
import sys
import warnings
import zipfile
from pathlib import Path
from typing import Any

import torch

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
SHARED = TEMPLATES / "shared" / "network" / "{{package}}" / "network.py"
TEXT = TEMPLATES / "kinds" / "helpers" / "{{package}}" / "network.py"
RELEASE, TREE = "release", "{{package}}/weights"
SAMPLES: tuple[tuple[str, str, str, Path, dict[str, int]], ...] = (
    ("classifier", RELEASE, "{{entrypoint}}-", SHARED, {}),
    ("reexport", RELEASE, "{{entrypoint}}-", SHARED, {}),
    ("family", RELEASE, "{{entrypoint}}_small-", SHARED, {"width": 4}),
    ("family", RELEASE, "{{entrypoint}}_base-", SHARED, {"width": 8}),
    ("family", RELEASE, "{{entrypoint}}_large-", SHARED, {"width": 16}),
    ("in-tree", TREE, "{{entrypoint}}-", SHARED, {}),
    ("custom", TREE, "{{entrypoint}}-", SHARED, {}),
    ("torchscript", "weights", "{{entrypoint}}-", SHARED, {}),
    ("helpers", RELEASE, "{{entrypoint}}-", TEXT, {"vocabulary": 257, "padding": 256}),
)
"""Kind, folder in it, how the name begins, the module of the network, and what it is built with."""


def network(module: Path, arguments: dict[str, int]) -> torch.nn.Module:
    """The network as it begins, always with the same numbers."""
    torch.manual_seed(0)
    built: torch.nn.Module = runpy.run_path(str(module))["build"](**arguments)
    return built.eval()


def saved(kind: str, module: torch.nn.Module) -> bytes:
    """The checkpoint of ``module``, or its archive."""
    stream = io.BytesIO()
    if kind == "torchscript":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            torch.jit.save(torch.jit.script(module), stream)
        return without_places(stream)
    torch.save(module.state_dict(), stream)
    return stream.getvalue()


def without_places(archive: io.BytesIO) -> bytes:
    """An archive without its debug records: they hold the paths of this machine's source files."""
    stream = io.BytesIO()
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(stream, "w") as new:
        for name in old.namelist():
            if not name.endswith(".debug_pkl"):
                # A ZipInfo of its own has no time in it: the same archive gives the same bytes.
                new.writestr(zipfile.ZipInfo(name), old.read(name))
    return stream.getvalue()


def numbers(kind: str, path: Path) -> dict[str, Any]:
    """The tensors of a checkpoint or an archive, by name."""
    if kind == "torchscript":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            return dict(torch.jit.load(str(path), map_location="cpu").state_dict())
    return dict(torch.load(path, map_location="cpu", weights_only=True))


def write(kind: str, folder: Path, start: str, data: bytes) -> None:
    """Put a checkpoint in the place of the old one, in the folder and in what names it."""
    folder.mkdir(parents=True, exist_ok=True)
    suffix = ".pt" if kind == "torchscript" else ".pth"
    stamp = hashlib.sha256(data).hexdigest()[:8]
    old = list(folder.glob(f"{start}*"))
    for path in old:
        path.unlink()
    (folder / f"{start}{stamp}{suffix}").write_bytes(data)
    before = {path.stem.rpartition("-")[2] for path in old}
    for path in (TEMPLATES / "kinds" / kind).rglob("*"):
        if path.suffix in {".py", ".md"}:
            text = path.read_text(encoding="utf-8")
            for stale in before:
                text = text.replace(f"-{stale}{suffix}", f"-{stamp}{suffix}")
            path.write_text(text, encoding="utf-8")
    print(f"{kind}: {start}{stamp}{suffix}, {len(data)} bytes")


def main(arguments: list[str]) -> int:
    """Compare, or write."""
    wrong = 0
    for kind, place, start, source, built_with in SAMPLES:
        folder = TEMPLATES / "kinds" / kind / place
        module = network(source, built_with)
        if arguments == ["--write"]:
            write(kind, folder, start, saved(kind, module))
            continue
        (path,) = folder.glob(f"{start}*")
        kept, made = numbers(kind, path), module.state_dict()
        same = kept.keys() == made.keys()
        if not (same and all(torch.equal(kept[name], made[name]) for name in made)):
            print(f"{kind}: {path.name} is not what its network begins with")
            wrong += 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
