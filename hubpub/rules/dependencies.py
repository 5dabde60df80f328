"""HUB1xx: the ``dependencies`` list and what is imported."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hubpub.diagnostic import Edit, Fix, Note, Severity, Span
from hubpub.rules import Finding, rule
from hubpub.source.facts import Dependencies, Import, Place, Repo
from hubpub.source.packages import distribution_of, module_of, normal

ACCEPTED = {"list", "tuple", "set", "dict", "frozenset"}
"""Kinds of ``dependencies`` that torch.hub._check_dependencies goes through item by item."""


def third_party(repo: Repo) -> dict[str, Import]:
    """The packages that must be there: per package the import that hurts first, torch aside."""
    found: dict[str, Import] = {}
    for item in repo.imports:
        counts = item.origin == "third party" and item.package != "torch" and not item.guarded
        if not counts or (item.when == "import" and item.conditional):
            continue
        known = found.get(item.package)
        if known is None or (_urgency(item) > _urgency(known)):
            found[item.package] = item
    return found


def _urgency(item: Import) -> int:
    return 2 * (item.when == "import") + (not item.conditional)


@rule("HUB101", "missing-dependencies", Severity.WARNING)
def missing_dependencies(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks that hubconf.py has a `dependencies` list.

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
    some calls need are left to HUB105.

    ## References

    - [hubconf.py: dependencies](https://docs.pytorch.org/docs/stable/hub.html#publishing-models)
    """
    if repo.hubconf is None or repo.hubconf.dependencies.kind not in {"absent", "none"}:
        return
    needed = sorted(name for name, item in third_party(repo).items() if not item.conditional)
    shown = ", ".join(f'"{name}"' for name in ["torch", *needed])
    fix = None
    if repo.hubconf.dependencies.kind == "absent":
        place = repo.hubconf.insert
        text = f"dependencies = [{shown}]\n\n"
        text = f"\n{text}" if place.span.line > 1 else text
        fix = Fix("Add a dependencies list", True, (Edit(place.path, place.span, text),))
    yield Finding(
        "hubconf.py has no dependencies list",
        repo.hubconf.dependencies.place,
        help=f"add dependencies = [{shown}]",
        fix=fix,
    )


@rule("HUB102", "dependencies-not-a-list", Severity.ERROR)
def dependencies_not_a_list(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks that `dependencies` is a list of strings that can be read without running hubconf.py.

    ## Why is this bad?

    `torch.hub` goes through `dependencies` item by item. A string is checked letter by letter, so
    that every load fails with "Missing dependencies: t, o, r, c, h"; a number or an item that is
    not a string raises `TypeError` or `AttributeError`. Tuples, sets and the keys of a dict work.

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
    for item in repo.hubconf.dependencies.items:
        module = module_of(item.name) if item.name else None
        if module is None or item.name in repo.modules:
            continue
        edit = Edit(item.place.path, item.place.span, f'"{module.partition(".")[0]}"')
        yield Finding(
            f"{item.name} is the name of a distribution; the module that it brings is {module}",
            item.place,
            help=f'write "{module.partition(".")[0]}"',
            fix=Fix(f"Replace {item.name} by {module}", True, (edit,)),
        )


@rule("HUB105", "undeclared-dependency", Severity.WARNING)
def undeclared_dependency(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks for packages of third parties that importing hubconf.py or calling an entrypoint imports,
    and that `dependencies` does not name. It is an error where hubconf.py cannot be imported
    without the package. torch itself, imports with a fallback and those below `TYPE_CHECKING` do
    not count.

    ## Why is this bad?

    Users who lack the package get a traceback from inside the repository instead of the list of
    what to install.

    ## Example

    ```python
    dependencies = ["torch"]


    def tiny():
        \"\"\"A tiny network.\"\"\"
        import numpy

        return numpy.zeros(3)
    ```

    ## Use instead

    ```python
    dependencies = ["torch", "numpy"]


    def tiny():
        \"\"\"A tiny network.\"\"\"
        import numpy

        return numpy.zeros(3)
    ```

    ## Fix safety

    The name is added to the list where the import happens in any case. Where only some calls import
    it, declaring it would keep the others from loading, so that is left to you.
    """
    if repo.hubconf is None:
        return
    found = repo.hubconf.dependencies
    if not found.complete or found.kind in {"string", "other", "unknown"}:
        return
    declared = {name.partition(".")[0] for name in found.names}
    declared |= {(module_of(name) or "").partition(".")[0] for name in found.names}
    for name, item in sorted(third_party(repo).items()):
        if name in declared:
            continue
        certain = item.when == "import"
        distribution, known = distribution_of(name)
        differs = normal(distribution) != normal(name) and known != "guess"
        install = f" (pip install {distribution})" if differs else ""
        yield Finding(
            f"{name} is imported {_when(item)} and is not in dependencies",
            item.place,
            Severity.ERROR if certain else None,
            f'add "{name}"{install} to dependencies',
            tuple(Note(step.path, step.span, "imported here") for step in item.chain),
            None if item.conditional else _add(found, name),
        )


def _when(item: Import) -> str:
    if item.when == "import":
        return "when hubconf.py is imported"
    shown = ", ".join(item.entrypoints[:3]) + (" ..." if len(item.entrypoints) > 3 else "")
    return f"by {'some calls of ' if item.conditional else ''}{shown}"


def _add(found: Dependencies, name: str) -> Fix | None:
    if found.insert is None or found.kind not in {"list", "tuple", "set"}:
        return None
    place: Place = found.insert
    text = f'"{name}"'
    span = place.span
    if found.items:
        span = found.items[-1].place.span
        text = f', "{name}"'
    elif found.kind != "list":
        return None
    column = span.end_column if found.items else span.end_column - 1
    at = Span(span.end_line, column, span.end_line, column)
    return Fix(f"Add {name} to dependencies", True, (Edit(place.path, at, text),))
