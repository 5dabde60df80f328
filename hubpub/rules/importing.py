"""HUB111, HUB213, HUB214: what hubconf.py must not do because of how the loader imports it."""

from __future__ import annotations

from collections.abc import Iterator

from hubpub.diagnostic import Edit, Fix, Note, Severity
from hubpub.rules import Finding, rule
from hubpub.source.facts import Place, Repo
from hubpub.source.facts_loading import Effect, LocalClass, RelativeImport


def chain_notes(chain: tuple[Place, ...]) -> tuple[Note, ...]:
    """The imports that lead to a place, hubconf.py first."""
    return tuple(Note(step.path, step.span, "imported here") for step in chain)


def named(entrypoints: tuple[str, ...]) -> str:
    """The names of entrypoints in a sentence: three of them at most."""
    shown = ", ".join(entrypoints[:3])
    return shown + (" ..." if len(entrypoints) > 3 else "")


def by(when: str, entrypoints: tuple[str, ...]) -> str:
    """What brings something about: the import, or calls of entrypoints."""
    return "importing hubconf.py" if when == "import" else f"calling {named(entrypoints)}"


@rule("HUB111", "install-at-import", Severity.WARNING)
def install_at_import(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks for code that installs packages, builds extensions, fetches code with git or runs shell
    commands when hubconf.py is imported, and for code that installs or builds when an entrypoint
    is called.

    ## Why is this bad?

    Loading a model changes the user's environment, and fails without a network, a compiler, or the
    right to write there. `torch.hub.list` and `torch.hub.help` run what stands at the top, too.

    ## Example

    ```python
    import os

    import torch

    dependencies = ["torch"]

    os.system("pip install tiny-ops")


    def tiny():
        \"\"\"A tiny network.\"\"\"
        return torch.nn.Linear(2, 1)
    ```

    ## Use instead

    ```python
    import torch

    dependencies = ["torch", "tiny_ops"]


    def tiny():
        \"\"\"A tiny network.\"\"\"
        import tiny_ops

        return tiny_ops.shrink(torch.nn.Linear(2, 1))
    ```
    """
    for item in repo.loading.effects:
        if not _installs(item):
            continue
        act = "runs a shell command" if item.kind == "shell" else "installs or builds something"
        may = " in some cases" if item.conditional or item.fallback else ""
        yield Finding(
            f"{by(item.when, item.entrypoints)} {act}{may}: {item.shown}",
            item.place,
            help="name what is needed in dependencies, and say in the README how to install it",
            notes=chain_notes(item.chain),
        )


def _installs(item: Effect) -> bool:
    if item.kind == "shell":
        return item.when == "import"
    # A build that may fail and is done without is an option of some calls.
    optional = item.when == "call" and item.guarded and not item.fallback
    return item.kind == "install" and not optional


@rule("HUB213", "class-in-hubconf", Severity.NOTE)
def class_in_hubconf(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks for classes defined in hubconf.py of which an entrypoint returns instances, and for
    `torch.nn.Module` classes there. It is an error where a dataclass there has annotations that are
    strings, as `from __future__ import annotations` makes them.

    ## Why is this bad?

    `torch.hub` never puts hubconf.py into `sys.modules`. Pickle looks for the class there, so users
    cannot save the whole model, send it to another process, or use it in workers that are spawned.
    `dataclasses` looks there for what a string annotation means, and raises `AttributeError` while
    hubconf.py is imported: then every load fails.

    ## Example

    ```python
    import torch

    dependencies = ["torch"]


    class _Tiny(torch.nn.Module):
        def forward(self, x):
            return x


    def tiny():
        \"\"\"A tiny network.\"\"\"
        return _Tiny()
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
    leaks = {item.name for item in repo.entrypoints if item.leak}
    for item in repo.loading.classes:
        if item.textual is not None and not item.conditional:
            yield Finding(
                f"the dataclass {item.name} has an annotation that is a string, which fails in "
                "hubconf.py: importing it raises AttributeError",
                item.textual,
                Severity.ERROR,
                f"move {item.name} to a module of the repository, or write the annotation without "
                "quotes and without from __future__ import annotations",
                (Note(item.place.path, item.place.span, "the dataclass"),),
            )
        elif item.module or _returned(item, leaks):
            yield Finding(
                f"{item.name} is defined in hubconf.py, so that its instances cannot be pickled",
                item.place,
                help="move it to a module of the repository and import it from there",
            )


def _returned(item: LocalClass, leaks: set[str]) -> bool:
    return any(name not in leaks for name in item.returned)


@rule("HUB214", "relative-import-in-hubconf", Severity.ERROR)
def relative_import_in_hubconf(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks for relative imports in hubconf.py.

    ## Why is this bad?

    `torch.hub` imports hubconf.py as a module on its own, not as a part of a package. A relative
    import raises "attempted relative import with no known parent package", whatever the repository
    looks like.

    ## Example

    ```python
    from .tiny_net import Tiny as _Tiny

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

    ## Fix safety

    The import is made absolute where the root of the repository holds the module. It failed before,
    so that nothing that worked can change.
    """
    for item in repo.loading.relative_imports:
        some = item.conditional or item.when == "call"
        yield Finding(
            f"the relative import of {item.shown} always fails: hubconf.py has no parent package",
            item.place,
            Severity.WARNING if item.conditional else None,
            "import it by its full name from the root of the repository"
            if not some
            else "import it by its full name: the calls that reach this fail",
            fix=_absolute(item),
        )


def _absolute(item: RelativeImport) -> Fix | None:
    if item.mend is None:
        return None
    edit = Edit(item.mend.path, item.mend.span, item.text)
    return Fix("Make the import absolute", True, (edit,))
