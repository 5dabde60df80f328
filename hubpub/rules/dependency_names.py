"""HUB103, HUB104, HUB110: items of ``dependencies`` that do not name a module as it is imported."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from hubpub.diagnostic import Severity
from hubpub.rules import Finding, rule
from hubpub.rules.listed import remove, replace
from hubpub.rules.needed import ACCEPTED, bare, is_own, listed
from hubpub.source.facts import Repo
from hubpub.source.packages import module_of


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
    for item in listed(repo):
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
    names = {item.name for item in listed(repo)}
    for item in listed(repo):
        name = item.name or ""
        top = name.partition(".")[0]
        own = top in sys.stdlib_module_names or is_own(repo, top)
        if bare(name) != name or top == name or own or module_of(name) is not None:
            continue
        fix = remove(repo, item) if top in names else None
        yield Finding(
            f"{name} is a part of a package: to look for it, {top} is imported",
            item.place,
            help=f'write "{top}"' if top not in names else f"remove it: {top} is listed",
            fix=fix or replace(repo, item, top, f"Replace {name} by {top}"),
        )
