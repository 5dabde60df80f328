"""HUB0xx: what keeps the rest from being judged."""

from __future__ import annotations

from collections.abc import Iterator

from hubpub.diagnostic import Severity
from hubpub.rules import Finding, rule
from hubpub.source.facts import Place, Repo

_NO_FILE = ("No such file", "it is a directory", "it is not a regular file", "symlink", "symbolic")


@rule("HUB001", "syntax-error", Severity.ERROR)
def syntax_error(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks that hubconf.py, and every module that importing it reaches, can be read and parsed.

    ## Why is this bad?

    `torch.hub` imports hubconf.py before anything else. A file that Python cannot parse makes every
    `load`, `list` and `help` of the repository fail.

    ## Example

    ```python
    dependencies = ["torch"]


    def tiny()
        \"\"\"A tiny network.\"\"\"
    ```

    ## Use instead

    ```python
    import torch

    dependencies = ["torch"]


    def tiny():
        \"\"\"A tiny network.\"\"\"
        return torch.nn.Linear(2, 1)
    ```

    ## References

    - [Publishing models](https://docs.pytorch.org/docs/stable/hub.html#publishing-models)
    """
    guarded = {item.file for item in repo.imports if item.guarded}
    for problem in repo.problems:
        path = problem.place.path
        if path == "hubconf.py" and any(word in problem.reason for word in _NO_FILE):
            continue
        if path in guarded:
            continue
        limit = "larger than" in problem.reason or "too deeply" in problem.reason
        yield Finding(
            f"{path} cannot be parsed: {problem.reason}",
            problem.place,
            Severity.WARNING if limit and path != "hubconf.py" else None,
            "torch.hub fails to import hubconf.py until this is mended"
            if not limit
            else "hubpub could not read this file, so it is not judged",
        )


@rule("HUB002", "unused-ignore", Severity.WARNING)
def unused_ignore(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks for suppression comments that suppress nothing.

    ## Why is this bad?

    A comment that outlived its finding hides the next one in the same place.

    ## Example

    ```python
    import torch

    dependencies = ["torch"]


    def tiny():  # hubpub: ignore[missing-docstring] internal
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

    The comment is removed; code is not touched.
    """
    del repo  # hubpub.check.suppression knows what was suppressed, and reports this rule
    yield from ()


@rule("HUB003", "unknown-rule", Severity.WARNING)
def unknown_rule(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks for codes and names, in suppression comments and in the configuration, of rules that do
    not exist.

    ## Why is this bad?

    A misspelled code selects or suppresses nothing, silently.

    ## Example

    ```python
    import torch

    dependencies = ["torch"]


    def tiny():  # hubpub: ignore[HUB999] internal
        \"\"\"A tiny network.\"\"\"
        return torch.nn.Linear(2, 1)
    ```

    ## Use instead

    ```python
    import torch

    dependencies = ["torch"]


    def tiny():  # hubpub: ignore[HUB201] internal
        return torch.nn.Linear(2, 1)
    ```
    """
    del repo  # hubpub.check.suppression knows the selectors, and reports this rule
    yield from ()


@rule("HUB004", "no-hubconf", Severity.ERROR)
def no_hubconf(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks that the root of the repository holds a file called hubconf.py.

    ## Why is this bad?

    `torch.hub` looks for hubconf.py in the root of the repository and nowhere else. Without it,
    `torch.hub.load` raises `FileNotFoundError`.

    ## Example

    ```python title="src/hubconf.py"
    import torch

    dependencies = ["torch"]


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
    blocked = [item for item in repo.problems if item.place.path == "hubconf.py"]
    reasons = [item.reason for item in blocked if any(word in item.reason for word in _NO_FILE)]
    if repo.hubconf is not None or (blocked and not reasons):
        return
    advice = "write one, or let `hubpub init` do it"
    if repo.elsewhere:
        advice = f"move {repo.elsewhere[0]} to the root of the repository"
    message = "the repository has no hubconf.py at its root"
    if reasons:
        message = f"hubconf.py is not a file that can be opened: {reasons[0]}"
    yield Finding(message, Place("hubconf.py"), help=advice)


@rule("HUB005", "no-entrypoints", Severity.ERROR)
def no_entrypoints(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks that hubconf.py has at least one public callable.

    ## Why is this bad?

    `torch.hub.list` shows nothing, and there is nothing to load.

    ## Example

    ```python
    dependencies = ["torch"]
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
    if repo.hubconf is not None and not repo.entrypoints and not repo.dynamic:
        hidden = ", ".join(item.name for item in repo.hidden[:3])
        advice = f"{hidden}: names with a leading underscore are hidden" if hidden else None
        yield Finding(
            "hubconf.py has no entrypoint: torch.hub.list would be empty",
            Place("hubconf.py"),
            help=advice or "define a function that returns a model",
        )


@rule("HUB006", "dynamic-entrypoints", Severity.NOTE)
def dynamic_entrypoints(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Says where names are made while hubconf.py is imported in a way that cannot be read.

    ## Why is this bad?

    It is not bad for users. It says what this check could not see: `hubpub list` may miss names,
    and rules about missing entrypoints stay silent.

    ## Example

    ```python
    import json
    import os

    import torch

    dependencies = ["torch"]


    def tiny():
        \"\"\"A tiny network.\"\"\"
        return torch.nn.Linear(2, 1)


    for _name in json.loads(os.environ.get("NETWORKS", "[]")):
        globals()[_name] = tiny
    ```

    ## Use instead

    ```python
    import torch

    dependencies = ["torch"]


    def tiny():
        \"\"\"A tiny network.\"\"\"
        return torch.nn.Linear(2, 1)


    for _name in ("small", "large"):
        globals()[_name] = tiny
    ```
    """
    for item in repo.dynamic:
        yield Finding(
            f"entrypoints may be made here that cannot be read: {item.reason}",
            item.place,
            help="`hubpub verify` shows what torch.hub.list really returns",
        )
