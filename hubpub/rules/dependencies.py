"""HUB101 to HUB104, HUB107, HUB108, HUB110: the ``dependencies`` list itself."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

from hubpub.diagnostic import Edit, Fix, Note, Severity
from hubpub.rules import Finding, rule
from hubpub.rules.listed import remove, replace
from hubpub.rules.needed import ACCEPTED, bare, named, third_party
from hubpub.source.facts import Dependencies, Repo, Requirement
from hubpub.source.packages import module_of


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
    some calls need are left to you, as HUB105 then says.

    ## References

    - [hubconf.py: dependencies](https://docs.pytorch.org/docs/stable/hub.html#publishing-models)
    """
    if repo.hubconf is None or repo.hubconf.dependencies.kind not in {"absent", "none"}:
        return
    found = repo.hubconf.dependencies
    needed = {name: item for name, item in third_party(repo).items() if not item.conditional}
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
    at_import = any(item.when == "import" for item in needed.values())
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


@rule("HUB103", "dependency-distribution-name", Severity.ERROR)
def dependency_distribution_name(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks for names of distributions, as `pip install` takes them, in `dependencies`.

    ## Why is this bad?

    `torch.hub` asks whether a module of that name can be imported. The distribution opencv-python
    brings the module cv2; nothing called opencv-python can ever be imported, so every load fails
    with "Missing dependencies: opencv-python" whatever the user installs.

    ## Example

    ```python
    dependencies = ["torch", "opencv-python"]


    def tiny():
        \"\"\"A tiny network.\"\"\"
        import cv2

        return cv2.dnn
    ```

    ## Use instead

    ```python
    dependencies = ["torch", "cv2"]


    def tiny():
        \"\"\"A tiny network.\"\"\"
        import cv2

        return cv2.dnn
    ```

    ## Fix safety

    The name is replaced by that of the module that the distribution brings.

    ## References

    - [pytorch/hub#275](https://github.com/pytorch/hub/pull/275)
    """
    if repo.hubconf is None or repo.hubconf.dependencies.kind not in ACCEPTED:
        return
    reached = {item.package for item in repo.imports}
    for item in repo.hubconf.dependencies.items:
        module = module_of(item.name) if item.name else None
        if module is None or item.name in repo.modules or item.name in reached:
            continue
        top = module.partition(".")[0]
        yield Finding(
            f"{item.name} is the name of a distribution; the module that it brings is {module}",
            item.place,
            help=f'write "{top}"',
            fix=replace(repo, item, top, f"Replace {item.name} by {top}"),
        )


@rule("HUB104", "dependency-specifier", Severity.ERROR)
def dependency_specifier(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks for versions, extras and markers in the items of `dependencies`.

    ## Why is this bad?

    `torch.hub` compares no versions. It asks whether a module called `numpy>=1.20` can be imported,
    which none ever can: every load fails with "Missing dependencies: numpy>=1" or with a
    `ModuleNotFoundError` that is harder to understand.

    ## Example

    ```python
    import torch

    dependencies = ["torch>=1.6"]


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

    The name of the module stays, the rest goes: it was never checked.

    ## References

    - [pytorch/hub#275](https://github.com/pytorch/hub/pull/275)
    """
    for item in _listed(repo):
        name = bare(item.name or "")
        if name is None or name == item.name:
            continue
        fix = None
        if name:
            fix = replace(repo, item, name, f"Replace {item.name} by {name}")
        yield Finding(
            f"{item.name} is not the name of a module: torch.hub checks no versions",
            item.place,
            help=f'write "{name}"' if name else "write the name of the module alone",
            fix=fix,
        )


def _listed(repo: Repo) -> tuple[Requirement, ...]:
    """The items that torch.hub goes through."""
    found = repo.hubconf.dependencies if repo.hubconf else None
    return found.items if found is not None and found.kind in ACCEPTED else ()


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
    for item in _listed(repo):
        top = (item.name or "").partition(".")[0]
        fix = remove(repo, item)
        if top in sys.stdlib_module_names:
            message = f"{item.name} is part of Python's standard library"
            yield Finding(message, item.place, help="remove it", fix=fix)
        elif bare(item.name or "") == item.name and _is_own(repo, top):
            yield Finding(
                f"{item.name} is a module of this repository, not a package to install",
                item.place,
                Severity.WARNING,
                "remove it: torch.hub.help cannot find it and fails",
                fix=fix,
            )


def _is_own(repo: Repo, name: str) -> bool:
    outside = any(item.package == name and item.origin == "third party" for item in repo.imports)
    own = name in repo.modules or repo.published.is_module(name)
    return own and not outside and name != "torch"


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
    for item in _listed(repo):
        if item.name is not None and item.name in seen:
            yield Finding(
                f"{item.name} is in dependencies already",
                item.place,
                help="remove it",
                fix=remove(repo, item),
            )
        seen.add(item.name or "")


@rule("HUB110", "dotted-dependency", Severity.WARNING)
def dotted_dependency(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks for submodules (`a.b`) in `dependencies`.

    ## Why is this bad?

    To look for `a.b`, Python imports `a`. Where the package is absent that raises a
    `ModuleNotFoundError` instead of the list of what to install; where it is there, all of it is
    imported even if the call does not need it.

    ## Example

    ```python
    import torch

    dependencies = ["torch", "scipy.io"]


    def tiny():
        \"\"\"A tiny network.\"\"\"
        import scipy.io

        return scipy.io.loadmat
    ```

    ## Use instead

    ```python
    import torch

    dependencies = ["torch", "scipy"]


    def tiny():
        \"\"\"A tiny network.\"\"\"
        import scipy.io

        return scipy.io.loadmat
    ```

    ## Fix safety

    The package is named instead of its part, or the item removed where the package is listed too.
    """
    names = {item.name for item in _listed(repo)}
    for item in _listed(repo):
        name = item.name or ""
        top = name.partition(".")[0]
        own = top in sys.stdlib_module_names or _is_own(repo, top)
        if bare(name) != name or top == name or own or module_of(name) is not None:
            continue
        fix = remove(repo, item) if top in names else None
        yield Finding(
            f"{name} is a part of a package: to look for it, {top} is imported",
            item.place,
            help=f'write "{top}"' if top not in names else f"remove it: {top} is listed",
            fix=fix or replace(repo, item, top, f"Replace {name} by {top}"),
        )
