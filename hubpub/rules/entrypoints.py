"""HUB2xx: what ``torch.hub.list`` shows, and what it should."""

from __future__ import annotations

from collections.abc import Iterator

from hubpub.diagnostic import Note, Severity
from hubpub.rules import Finding, rule
from hubpub.source.facts import HiddenCallable, Repo


@rule("HUB201", "missing-docstring", Severity.WARNING)
def missing_docstring(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks that each entrypoint has a docstring. Re-exports and partials are followed to the
    function that they are made of; names that were not meant as entrypoints (HUB203) are left out.

    ## Why is this bad?

    `torch.hub.help` prints the docstring, and it is all that users see without reading the code.

    ## Example

    ```python
    import torch

    dependencies = ["torch"]


    def tiny(pretrained=False):
        return torch.nn.Linear(2, 1)
    ```

    ## Use instead

    ```python
    import torch

    dependencies = ["torch"]


    def tiny(pretrained=False):
        \"\"\"A tiny network.

        Args:
            pretrained: load the published weights.
        \"\"\"
        return torch.nn.Linear(2, 1)
    ```
    """
    for item in repo.entrypoints:
        if item.documented or item.leak:
            continue
        notes: tuple[Note, ...] = ()
        if item.bound.path != item.place.path:
            notes = (Note(item.bound.path, item.bound.span, f"{item.name} is published here"),)
        yield Finding(
            f"the entrypoint {item.name} has no docstring",
            item.place,
            help="say what it returns and what its arguments mean",
            notes=notes,
        )


@rule("HUB203", "leaked-import", Severity.WARNING)
def leaked_import(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks for imported functions and classes that `torch.hub.list` shows beside the entrypoints.
    In a hubconf.py that only re-exports, imports from the repository are the entrypoints; names of
    torch and of the standard library are never meant.

    ## Why is this bad?

    `torch.hub` shows every public callable of hubconf.py. Users see `partial`, `Path` or an
    internal class as something to load, and loading it becomes a promise.

    ## Example

    ```python
    from functools import partial

    dependencies = ["torch"]


    def tiny(width=8):
        \"\"\"A tiny network.\"\"\"
        return partial(print, width)
    ```

    ## Use instead

    ```python
    from functools import partial as _partial

    dependencies = ["torch"]


    def tiny(width=8):
        \"\"\"A tiny network.\"\"\"
        return _partial(print, width)
    ```
    """
    for item in repo.entrypoints:
        if not item.leak or not item.imported:
            continue
        yield Finding(
            f"torch.hub.list shows {item.name}, which is imported from {_module(item.target)}",
            item.bound,
            help=f"import it as _{item.name}, or inside the function that needs it",
        )


def _module(target: str) -> str:
    return target.rpartition(".")[0] or target or "elsewhere"


@rule("HUB205", "hidden-entrypoint", Severity.WARNING)
def hidden_entrypoint(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks for functions with a leading underscore that read as entrypoints: a document loads them,
    they are decorated like their public siblings, or they are the only way to a checkpoint.

    ## Why is this bad?

    `torch.hub.list` does not show names that begin with an underscore, so nobody finds them.

    ## Example

    ```python
    import torch

    dependencies = ["torch"]


    def tiny():
        \"\"\"A tiny network.\"\"\"
        return torch.nn.Linear(2, 1)


    def _large():
        \"\"\"A large network.\"\"\"
        return torch.hub.load_state_dict_from_url(
            "https://example.org/large-0a1b2c3d.pth",
            map_location="cpu",
            check_hash=True,
            weights_only=True,
        )
    ```

    ## Use instead

    ```python
    import torch

    dependencies = ["torch"]


    def tiny():
        \"\"\"A tiny network.\"\"\"
        return torch.nn.Linear(2, 1)


    def large():
        \"\"\"A large network.\"\"\"
        return torch.hub.load_state_dict_from_url(
            "https://example.org/large-0a1b2c3d.pth",
            map_location="cpu",
            check_hash=True,
            weights_only=True,
        )
    ```
    """
    reached = any(item.entrypoints for item in repo.downloads)
    for item in repo.hidden:
        reason = _reads_as_entrypoint(repo, item, reached=reached)
        if reason is not None:
            yield Finding(
                f"{item.name} is hidden from torch.hub.list by its underscore, but {reason}",
                item.place,
                help=f"call it {item.name.lstrip('_')} if it is meant to be loaded",
            )


def _reads_as_entrypoint(repo: Repo, item: HiddenCallable, *, reached: bool) -> str | None:
    for call in repo.hub_calls:
        mine = call.repository is None or not repo.own or call.repository in repo.own
        if call.document and mine and call.entrypoint == item.name:
            return f"{call.place.path} loads it"
    if item.sibling is not None:
        return f"it is decorated like {item.sibling}"
    if item.downloads and not reached and not item.used:
        return "no public function loads a checkpoint and this one does"
    return None
