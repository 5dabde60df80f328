"""HUB501 to HUB504: what importing hubconf.py and calling entrypoints do to the user's process."""

from __future__ import annotations

from collections.abc import Iterator

from hubpub.diagnostic import Severity
from hubpub.rules import Finding, rule
from hubpub.rules.importing import by, chain_notes, named
from hubpub.source.facts import Import, Place, Repo
from hubpub.source.facts_loading import Effect, PathEdit


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


GENERIC = _words("""
    api app audio augmentation augmentations backbone backbones base blocks checkpoint checkpoints
    code common commons conf config configs constants core data dataloader dataloaders dataset
    datasets decoder demo dist distributed encoder engine eval evals evaluate evaluation exp
    experiments ext extensions external functions functional generate helper helpers hubconf image
    images infer inference layer layers lib libs logger losses loss main metrics misc model
    modeling models module modules net nets network networks nn ops options parser predict
    preprocess preprocessing pretrained process processing project sampler samplers script scripts
    settings solver solvers src task tasks test tests text third_party thirdparty tools train
    trainer trainers training transform transforms types util utilities utility utils val validate
    vendor version vis vision visualization weights
    densenet efficientnet gan hifigan mobilenet resnet transformer transformers unet vgg vit yolo
""")
"""Names of modules that many repositories have: several of them were met in two publishers each."""


@rule("HUB501", "generic-module-name", Severity.WARNING)
def generic_module_name(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks for own top-level modules with a name that many repositories have, such as `utils`,
    `models` or `src`, which importing hubconf.py or calling an entrypoint imports.

    ## Why is this bad?

    Modules stay in `sys.modules` after a load. Whoever loads a second repository with a module of
    the same name, or has one in the own project, gets the wrong one: an `ImportError` at best,
    other code at worst.

    ## Example

    ```python
    from models import build as _build

    dependencies = ["torch"]


    def tiny():
        \"\"\"A tiny network.\"\"\"
        return _build()
    ```
    ```python title="models.py"
    import torch


    def build():
        return torch.nn.Linear(2, 1)
    ```

    ## Use instead

    ```python
    from tiny_net.models import build as _build

    dependencies = ["torch"]


    def tiny():
        \"\"\"A tiny network.\"\"\"
        return _build()
    ```
    ```python title="tiny_net/__init__.py"
    ```
    ```python title="tiny_net/models.py"
    import torch


    def build():
        return torch.nn.Linear(2, 1)
    ```
    """
    first: dict[str, Import] = {}
    for item in sorted(repo.imports, key=lambda item: (item.when != "import", len(item.chain))):
        if item.origin == "repository" and item.package in GENERIC:
            first.setdefault(item.package, item)
    for package, item in sorted(first.items()):
        way = by(item.when, item.entrypoints)
        yield Finding(
            f"{way} imports a top-level module called {package}, as many other repositories do",
            item.place,
            help=f"put {package} into a package that is named after the project",
            notes=chain_notes(item.chain),
        )


@rule("HUB502", "sys-path-edit", Severity.WARNING)
def sys_path_edit(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks for changes of `sys.path` that last. It is an error where they take away the entry that
    `torch.hub` made, or where an import needs a directory that is relative to the user's working
    directory.

    ## Why is this bad?

    The change stays for the rest of the user's process, so that every module below that directory
    can be taken for another one of the same name. `torch.hub` removes its own entry after a load
    and raises `ValueError` when it is gone.

    ## Example

    ```python
    import os
    import sys

    sys.path.append(os.path.join(os.path.dirname(__file__), "source"))

    from tiny_net import Tiny as _Tiny

    dependencies = ["torch"]


    def tiny():
        \"\"\"A tiny network.\"\"\"
        return _Tiny()
    ```
    ```python title="source/tiny_net.py"
    import torch


    class Tiny(torch.nn.Module):
        def forward(self, x):
            return x
    ```

    ## Use instead

    ```python
    from tiny_net import Tiny as _Tiny

    dependencies = ["torch"]


    def tiny():
        \"\"\"A tiny network.\"\"\"
        return _Tiny()
    ```
    ```python title="tiny_net.py"
    import torch


    class Tiny(torch.nn.Module):
        def forward(self, x):
            return x
    ```
    """
    told: set[Place] = set()
    for item in sorted(repo.loading.path_edits, key=lambda item: not (item.breaks or item.needs)):
        judged = _judge_edit(item)
        if judged is None or item.place in told:
            continue
        told.add(item.place)
        message, severity, advice = judged
        yield Finding(message, item.place, severity, advice, chain_notes(item.chain))


def _judge_edit(item: PathEdit) -> tuple[str, Severity | None, str] | None:
    """What is wrong with an edit; None where nothing is, or too little is known."""
    package = "make it a package at the root of the repository, which is on sys.path anyway"
    if item.breaks:
        return (
            "the entry of torch.hub is taken off sys.path, so that every load ends with ValueError",
            Severity.ERROR,
            "leave sys.path alone, or take away only what was added",
        )
    root = item.how == "inside" and (item.entry or "").rstrip("/").count("/") == 1
    if item.undone or (item.conditional and (root or item.how == "unknown")):
        return None
    if item.action != "add":
        return "sys.path is changed for the rest of the process", None, "leave sys.path alone"
    if item.needs:
        return (
            f"{item.needs[0]} is looked for in the user's working directory, not in the repository",
            Severity.ERROR,
            "build the path from __file__, or import through a package at the root",
        )
    if item.how == "working":
        return "sys.path gets an entry relative to the user's working directory", None, package
    if item.how == "unknown":
        return "sys.path gets an entry that cannot be read", Severity.NOTE, package
    if root:
        return (
            "the root of the repository stays on sys.path; torch.hub puts it there while it loads",
            None,
            "remove it",
        )
    if item.how == "first":
        return (
            "sys.path gets an entry below its first one, which need not be the repository",
            None,
            package,
        )
    if item.how == "elsewhere":
        return "sys.path gets an entry that other machines need not have", None, package
    return "sys.path gets a directory of the repository for the rest of the process", None, package


_SAYS = {
    "chdir": "changes the working directory",
    "environment": "changes the environment",
    "write": "writes to the disk",
    "network": "goes to the network",
    "load": "opens a checkpoint",
    "process": "starts a process",
    "print": "prints",
    "cuda": "uses CUDA",
    "setting": "changes a setting for the whole process",
    "seed": "seeds the random numbers of the whole process",
}
_ONLY_CERTAIN = {"print", "cuda", "setting", "seed"}
"""Kinds that tell of a branch for rare cases where they are conditional."""


@rule("HUB503", "import-side-effect", Severity.WARNING)
def import_side_effect(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks for code that does something when hubconf.py is imported: changes the working directory
    or the environment, writes files, goes to the network, opens checkpoints, starts processes,
    prints, uses CUDA, seeds random numbers, or changes settings of torch.

    ## Why is this bad?

    `torch.hub.list` and `torch.hub.help` import hubconf.py, and so does the load of any one
    entrypoint. Users get effects that they did not ask for, in a process that is theirs.

    ## Example

    ```python
    import os

    import torch

    dependencies = ["torch"]

    os.environ["OMP_NUM_THREADS"] = "1"


    def tiny():
        \"\"\"A tiny network.\"\"\"
        return torch.nn.Linear(2, 1)
    ```

    ## Use instead

    ```python
    import torch

    dependencies = ["torch"]


    def tiny():
        \"\"\"A tiny network.\"\"\"
        return torch.nn.Linear(2, 1)
    ```
    """
    for item in repo.loading.effects:
        if item.when != "import" or item.kind not in _SAYS or item.fallback:
            continue
        if item.conditional and item.kind in _ONLY_CERTAIN:
            continue
        if item.guarded and item.kind == "process":
            continue
        yield Finding(
            f"importing hubconf.py {_SAYS[item.kind]}: {item.shown.removeprefix('builtins.')}",
            item.place,
            help="do it in the function that needs it, or leave it to the user",
            notes=chain_notes(item.chain),
        )


@rule("HUB504", "hard-coded-cuda", Severity.WARNING)
def hard_coded_cuda(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks for entrypoints that use CUDA in any case when they are called without arguments:
    `.cuda()`, `.to("cuda")`, or a parameter for the device whose default is `"cuda"`.

    ## Why is this bad?

    `torch.hub.load(repo, name)` raises "Torch not compiled with CUDA enabled" or "Found no NVIDIA
    driver" on every machine without a GPU, in most CI, and on a Mac.

    ## Example

    ```python
    import torch

    dependencies = ["torch"]


    def tiny(device="cuda"):
        \"\"\"A tiny network.

        Args:
            device: where to put it.
        \"\"\"
        return torch.nn.Linear(2, 1).to(device)
    ```

    ## Use instead

    ```python
    import torch

    dependencies = ["torch"]


    def tiny(device="cpu"):
        \"\"\"A tiny network.

        Args:
            device: where to put it.
        \"\"\"
        return torch.nn.Linear(2, 1).to(device)
    ```
    """
    real = {item.name for item in repo.entrypoints if not item.leak}
    groups: dict[Place, list[tuple[Effect, str]]] = {}
    for item in repo.loading.effects:
        for name, default in item.certain if item.when == "call" else ():
            if name in real:
                groups.setdefault(default or item.place, []).append((item, name))
    for place, users in groups.items():
        names = tuple(sorted({name for _, name in users}))
        here = any(
            item.place.path == place.path
            and item.place.span.line <= place.span.line <= item.place.span.end_line
            for item, _ in users
        )
        what = users[0][0].shown if here else "the device that is the default"
        yield Finding(
            f"{named(names)} cannot be loaded without a GPU: {what} means CUDA in any case",
            place,
            help='take "cuda" only where torch.cuda.is_available(), or leave it to the caller',
        )
