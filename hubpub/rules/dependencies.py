"""HUB101, HUB102, HUB107, HUB108: the ``dependencies`` list itself."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

from hubpub.diagnostic import Edit, Fix, Note, Severity
from hubpub.rules import Finding, rule
from hubpub.rules.listed import remove
from hubpub.rules.needed import (
    ACCEPTED,
    bare,
    brought_by,
    everywhere,
    is_own,
    listed,
    named,
    third_party,
)
from hubpub.source.facts import Dependencies, Repo


@rule("HUB101", "missing-dependencies", Severity.WARNING)
def missing_dependencies(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks that hubconf.py has a `dependencies` list. It is an error where hubconf.py cannot be
    imported without a package of a third party; the packages are named here, not in HUB105.

    ## Why is this bad?

    `torch.hub` reads the list to tell users which packages they lack. Without it they get whatever
    `ModuleNotFoundError` comes first.

    ## Example

    ```python
    import torch as _torch


    def tiny():
        \"\"\"A tiny network.\"\"\"
        return _torch.nn.Linear(2, 1)
    ```

    ## Use instead

    ```python
    import torch as _torch

    dependencies = ["torch"]


    def tiny():
        \"\"\"A tiny network.\"\"\"
        return _torch.nn.Linear(2, 1)
    ```

    ## Fix safety

    A list of torch and of the packages that are imported in any case is added. Packages that only
    some entrypoints or calls need are left to you, as HUB105 then says.

    ## References

    - [hubconf.py: dependencies](https://docs.pytorch.org/docs/stable/hub.html#publishing-models)
    """
    if repo.hubconf is None or repo.hubconf.dependencies.kind not in {"absent", "none"}:
        return
    found = repo.hubconf.dependencies
    needed = {name: item for name, item in third_party(repo).items() if everywhere(repo, item)}
    shown = ", ".join(f'"{name}"' for name in ["torch", *sorted(needed)])
    fix = None
    if found.kind == "absent":
        place = repo.hubconf.insert
        text = f"dependencies = [{shown}]\n\n"
        text = f"\n{text}" if place.span.line > 1 else text
        fix = Fix("Add a dependencies list", True, (Edit(place.path, place.span, text),))
    elif found.value is not None:
        edit = Edit(found.value.path, found.value.span, f"[{shown}]")
        fix = Fix("Write a dependencies list", True, (edit,))
    at_import = any(
        item.when == "import" and brought_by(name, ()) is None for name, item in needed.items()
    )
    yield Finding(
        "hubconf.py has no dependencies list"
        + (f", though it needs {_enumerated(sorted(needed))}" if needed else ""),
        found.place,
        Severity.ERROR if at_import else None,
        help=f"add dependencies = [{shown}]",
        notes=tuple(
            Note(item.place.path, item.place.span, f"{name} is imported here")
            for name, item in sorted(needed.items())
        ),
        fix=fix,
    )


def _enumerated(names: list[str]) -> str:
    return ", ".join(names[:8]) + (" ..." if len(names) > 8 else "")


@rule("HUB102", "dependencies-not-a-list", Severity.ERROR)
def dependencies_not_a_list(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks that `dependencies` is a list of strings that can be read without running hubconf.py.

    ## Why is this bad?

    `torch.hub` goes through `dependencies` item by item. A string is checked letter by letter, so
    that every load fails with "Missing dependencies: t, o, r, c, h"; a number or an item that is
    not a string raises `TypeError` or `AttributeError`, and an empty string or one that cannot be a
    module's name is never found. Tuples, sets and the keys of a dict work.

    ## Example

    ```python
    import torch

    dependencies = "torch"


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

    ## Fix safety

    Only a string is rewritten, as a list of the names in it.
    """
    if repo.hubconf is None:
        return
    found = repo.hubconf.dependencies
    if found.kind == "string":
        yield Finding(
            "dependencies is a string, which torch.hub checks letter by letter",
            found.value or found.place,
            help="make it a list of strings",
            fix=_as_list(found),
        )
    elif found.kind == "other":
        yield Finding(
            "dependencies is not a list of import names, so every load raises TypeError",
            found.value or found.place,
            help="make it a list of strings",
        )
    elif found.kind == "unknown" or not found.complete:
        yield Finding(
            "dependencies cannot be read without running hubconf.py",
            found.value or found.place,
            Severity.WARNING,
            help="write it as a list of strings",
        )
    for item in found.items if found.kind in ACCEPTED else ():
        if item.name is None:
            unread = item.shown.startswith("(")
            yield Finding(
                f"an item of dependencies is not a string: {item.shown}",
                item.place,
                Severity.WARNING if unread else None,
                help="each item is the name of a module to import",
            )
        elif not named(item.name):
            yield Finding(
                f"an item of dependencies is no name of a module: {item.shown}",
                item.place,
                help="no such module can ever be found, so every load fails; write the name that "
                "is imported, or remove it",
            )


def _as_list(found: Dependencies) -> Fix | None:
    text = found.items[0].name if found.items else None
    names = re.split(r"[\s,;]+", (text or "").strip())
    if found.value is None or not all(re.fullmatch(r"[A-Za-z_]\w*", name) for name in names):
        return None
    shown = ", ".join(f'"{name}"' for name in names)
    edit = Edit(found.value.path, found.value.span, f"[{shown}]")
    return Fix("Make it a list", True, (edit,))


@rule("HUB107", "stdlib-or-own-dependency", Severity.NOTE)
def stdlib_or_own_dependency(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks for modules of Python's standard library (a note) and of the repository itself (a
    warning) in `dependencies`.

    ## Why is this bad?

    The list tells users what to install. The standard library is always there. A module of the
    repository can be found while `torch.hub.load` runs, but `torch.hub.help` looks only after it
    has taken the repository off `sys.path` again, and fails with "Missing dependencies".

    ## Example

    ```python
    import torch

    dependencies = ["torch", "os"]


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

    ## Fix safety

    The item is removed; whoever can load without it could load before.
    """
    for item in listed(repo):
        top = (item.name or "").partition(".")[0]
        fix = remove(repo, item)
        if top in sys.stdlib_module_names:
            message = f"{item.name} is part of Python's standard library"
            yield Finding(message, item.place, help="remove it", fix=fix)
        elif bare(item.name or "") == item.name and is_own(repo, top):
            yield Finding(
                f"{item.name} is a module of this repository, not a package to install",
                item.place,
                Severity.WARNING,
                "remove it: torch.hub.help cannot find it and fails",
                fix=fix,
            )


@rule("HUB108", "duplicate-dependency", Severity.NOTE)
def duplicate_dependency(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks for packages that `dependencies` names twice.

    ## Why is this bad?

    The second adds nothing, and the "Missing dependencies" message names the package twice.

    ## Example

    ```python
    import torch

    dependencies = ["torch", "torch"]


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

    ## Fix safety

    The later one is removed.
    """
    seen: set[str] = set()
    for item in listed(repo):
        if item.name is not None and item.name in seen:
            yield Finding(
                f"{item.name} is in dependencies already",
                item.place,
                help="remove it",
                fix=remove(repo, item),
            )
        seen.add(item.name or "")
