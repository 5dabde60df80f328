"""HUB2xx: what ``torch.hub.list`` shows, and what it should."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hubpub.diagnostic import Edit, Fix, Note, Severity
from hubpub.rules import Finding, rule
from hubpub.source.facts import Entrypoint, HiddenCallable, Place, Repo
from hubpub.source.facts_entry import Suite

MAX_NAMES = 3
"""So many names are spelled out in a message, the others counted."""


def listing(names: Iterable[str], most: int = MAX_NAMES) -> str:
    """``a, b and c``; what is beyond ``most`` is counted."""
    every = list(names)
    if len(every) > most + 1:
        every = [*every[:most], f"{len(every) - most} more"]
    return " and ".join(filter(None, (", ".join(every[:-1]), every[-1])))


def by_place(items: Iterable[Entrypoint]) -> dict[Place, list[Entrypoint]]:
    """Entrypoints that are made of one definition, together."""
    found: dict[Place, list[Entrypoint]] = {}
    for item in items:
        found.setdefault(item.place, []).append(item)
    return found


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

    ## Fix safety

    Unsafe: a skeleton is added that names the arguments, and only you can fill it in. Nothing else
    changes. Definitions outside hubconf.py are left alone.
    """
    wanted = (item for item in repo.entrypoints if not item.documented and not item.leak)
    for place, items in by_place(wanted).items():
        notes: tuple[Note, ...] = ()
        if items[0].bound.path != place.path:
            bound = items[0].bound
            notes = (Note(bound.path, bound.span, f"{items[0].name} is published here"),)
        several = "s" if len(items) > 1 else ""
        yield Finding(
            f"the entrypoint{several} {listing(item.name for item in items)} "
            f"{'have' if several else 'has'} no docstring",
            place,
            help="say what it returns and what its arguments mean",
            notes=notes,
            fix=_skeleton(items[0].suite),
        )


def _skeleton(suite: Suite | None) -> Fix | None:
    """The fix that adds a docstring with all that is known: the names of the arguments."""
    if suite is None:
        return None
    lines = [f"{suite.quotes}TODO: say what {suite.name} returns."]
    if suite.arguments:
        unit = "\t" if "\t" in suite.indent else "    "
        lines += ["", "Args:", *(f"{unit}{name}: TODO." for name in suite.arguments), ""]
    lines[-1] += suite.quotes
    text = "\n".join(f"{suite.indent}{line}" if line else "" for line in lines) + "\n"
    if suite.inline:
        text = f"\n{text}{suite.indent}"
    return Fix(
        "Add a docstring to fill in", False, (Edit(suite.place.path, suite.place.span, text),)
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
        \"\"\"A tiny network.

        Args:
            width: how wide it is.
        \"\"\"
        return partial(print, width)
    ```

    ## Use instead

    ```python
    from functools import partial as _partial

    dependencies = ["torch"]


    def tiny(width=8):
        \"\"\"A tiny network.

        Args:
            width: how wide it is.
        \"\"\"
        return _partial(print, width)
    ```

    ## Fix safety

    Unsafe: users who load the name, and code that imports it from hubconf.py, no longer find it.
    All its uses in hubconf.py are renamed. A name that is bound twice, shadowed, listed in
    `__all__`, or written in a string that may be code is left alone.
    """
    for item in repo.entrypoints:
        if not item.leak or not item.imported:
            continue
        yield Finding(
            f"torch.hub.list shows {item.name}, which is imported from {_module(item.target)}",
            item.bound,
            help=f"import it as _{item.name}, or inside the function that needs it",
            fix=_renamed(repo, item),
        )


def _module(target: str) -> str:
    return target.rpartition(".")[0] or target or "elsewhere"


def _renamed(repo: Repo, item: Entrypoint) -> Fix | None:
    """The fix that puts an underscore before a name, wherever it stands in hubconf.py."""
    renaming = repo.namespace.renamings.get(item.name)
    if renaming is None:
        return None
    new = f"_{item.name}"
    edits = [Edit(renaming.place.path, renaming.place.span, renaming.before + new)]
    edits += [Edit(place.path, place.span, new) for place in renaming.uses]
    return Fix(f"Call it {new}", False, tuple(edits))


@rule("HUB204", "leaked-definition", Severity.WARNING)
def leaked_definition(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks for functions and classes of hubconf.py that are parts of its entrypoints, but that
    `torch.hub.list` shows beside them: they are used there, and they are classes, or need
    arguments, or return no model. What a document loads is meant.

    ## Why is this bad?

    `torch.hub` shows every public callable of hubconf.py. Users see a helper as something to load,
    and its name and arguments become a promise.

    ## Example

    ```python
    import torch

    dependencies = ["torch"]


    def build_layers(width):
        return [torch.nn.Linear(2, width), torch.nn.Linear(width, 1)]


    def tiny():
        \"\"\"A tiny network.\"\"\"
        return torch.nn.Sequential(*build_layers(4))
    ```

    ## Use instead

    ```python
    import torch

    dependencies = ["torch"]


    def _build_layers(width):
        return [torch.nn.Linear(2, width), torch.nn.Linear(width, 1)]


    def tiny():
        \"\"\"A tiny network.\"\"\"
        return torch.nn.Sequential(*_build_layers(4))
    ```

    ## Fix safety

    Unsafe: users who load the name, and code that imports it from hubconf.py, no longer find it.
    All its uses in hubconf.py are renamed. A name that is bound twice, shadowed, decorated, listed
    in `__all__`, or written in a string that may be code is left alone.
    """
    for item in repo.entrypoints:
        if not item.leak or item.imported:
            continue
        kind = "class" if item.kind == "class" else "helper"
        yield Finding(
            f"torch.hub.list shows the {kind} {item.name}, which "
            + ("the entrypoints are made of" if item.used else "gives no model"),
            item.place,
            help=f"call it _{item.name}, or move it to a module of its own",
            fix=_renamed(repo, item),
        )


@rule("HUB205", "hidden-entrypoint", Severity.WARNING)
def hidden_entrypoint(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks for functions with a leading underscore that read as entrypoints: a document loads them,
    they are registered by the same decorators as their public siblings, or they are the only way
    to a checkpoint.

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
        return torch.nn.Linear(2, 100)
    ```

    ```markdown
    model = torch.hub.load("octo/net:v1.0", "_large", trust_repo=True)
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
        return torch.nn.Linear(2, 100)
    ```

    ```markdown
    model = torch.hub.load("octo/net:v1.0", "large", trust_repo=True)
    ```
    """
    reached = any(item.entrypoints for item in repo.downloads) or bool(repo.unfollowed)
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
        mine = call.repository is None or not repo.own or repo.is_own(call.repository)
        if call.document and mine and call.entrypoint == item.name:
            return f"{call.place.path} loads it"
    if item.sibling is not None and not item.used:
        return f"it is decorated like {item.sibling}"
    if item.downloads and not reached and not item.used:
        return "no public function loads a checkpoint and this one does"
    return None


@rule("HUB215", "returns-nothing", Severity.ERROR)
def returns_nothing(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks for entrypoints of which every path returns None: the `return` was forgotten, or the
    function is a stub.

    ## Why is this bad?

    `torch.hub.load` gives what the entrypoint returns. It succeeds, and the user has None where
    the model should be.

    ## Example

    ```python
    import torch

    dependencies = ["torch"]


    def tiny():
        \"\"\"A tiny network.\"\"\"
        model = torch.nn.Linear(2, 1)
        model.eval()
    ```

    ## Use instead

    ```python
    import torch

    dependencies = ["torch"]


    def tiny():
        \"\"\"A tiny network.\"\"\"
        model = torch.nn.Linear(2, 1)
        return model.eval()
    ```
    """
    wanted = (item for item in repo.entrypoints if item.nothing and not item.leak)
    for place, items in by_place(wanted).items():
        yield Finding(
            f"{listing(item.name for item in items)} always return{'s' * (len(items) == 1)} None, "
            "so torch.hub.load gives the user no model",
            place,
            Severity.WARNING if any(item.certainty != "certain" for item in items) else None,
            help="return the model",
        )
