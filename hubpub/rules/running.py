"""HUB505 to HUB508: what fails later, for some, or where nobody sees it."""

from __future__ import annotations

from collections.abc import Iterator

from hubpub.diagnostic import Note, Severity
from hubpub.rules import Finding, rule
from hubpub.rules.importing import by
from hubpub.source.facts import Repo


@rule("HUB505", "late-import", Severity.WARNING)
def late_import(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks for methods such as `forward` that import a top-level module of the repository that
    nothing imports before.

    ## Why is this bad?

    The repository is on `sys.path` only while a model is loaded. When the model runs, the import
    raises `ModuleNotFoundError`.

    ## Example

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
            from tiny_ops import shift

            return shift(x)
    ```
    ```python title="tiny_ops.py"
    def shift(x):
        return x + 1
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
    from tiny_ops import shift


    class Tiny(torch.nn.Module):
        def forward(self, x):
            return shift(x)
    ```
    ```python title="tiny_ops.py"
    def shift(x):
        return x + 1
    ```
    """
    for item in repo.loading.late_imports:
        yield Finding(
            f"{item.owner}.{item.method} imports {item.module} after the load, when the repository "
            "is no longer on sys.path",
            item.place,
            help=f"import {item.package} at the top of the module",
        )


@rule("HUB506", "python-too-new", Severity.WARNING)
def python_too_new(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks the files that a load reaches for syntax, and for annotations that are evaluated, which
    the oldest Python that the project declares does not have.

    ## Why is this bad?

    On such a Python the load fails with a `SyntaxError` or a `TypeError`, although the project says
    that it is supported.

    ## Example

    ```python
    import torch

    dependencies = ["torch"]


    def tiny(width: int | None = None):
        \"\"\"A tiny network.

        Args:
            width: how wide it is.
        \"\"\"
        return torch.nn.Linear(width or 2, 1)
    ```
    ```toml title="pyproject.toml"
    [project]
    name = "tiny"
    version = "1"
    requires-python = ">=3.8"
    ```

    ## Use instead

    ```python
    import torch

    dependencies = ["torch"]


    def tiny(width: int | None = None):
        \"\"\"A tiny network.

        Args:
            width: how wide it is.
        \"\"\"
        return torch.nn.Linear(width or 2, 1)
    ```
    ```toml title="pyproject.toml"
    [project]
    name = "tiny"
    version = "1"
    requires-python = ">=3.10"
    ```
    """
    if repo.python is None:
        return
    declared = repo.python.place
    for item in repo.loading.new_syntax:
        version = ".".join(map(str, item.minimum))
        yield Finding(
            f"{item.feature} needs Python {version}, and {declared.path} declares "
            f"{repo.python.shown}",
            item.place,
            help=f"declare >={version}, or write it as older Pythons can read it",
            notes=(Note(declared.path, declared.span, "declared here"),),
        )


@rule("HUB507", "trust-remote-code", Severity.WARNING)
def trust_remote_code(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks for calls with `trust_remote_code=True` in code that importing hubconf.py or calling an
    entrypoint reaches.

    ## Why is this bad?

    The user trusted this repository. The call runs code of another one, as it is on that day, and
    nobody is asked.

    ## Example

    ```python
    import torch

    dependencies = ["torch", "transformers"]


    def tiny(pretrained=False):
        \"\"\"A tiny network.

        Args:
            pretrained: load the published weights.
        \"\"\"
        if pretrained:
            import transformers

            return transformers.AutoModel.from_pretrained("octo/tiny", trust_remote_code=True)
        return torch.nn.Linear(2, 1)
    ```

    ## Use instead

    ```python
    import torch

    dependencies = ["torch", "transformers"]


    def tiny(pretrained=False, trust_remote_code=False):
        \"\"\"A tiny network.

        Args:
            pretrained: load the published weights.
            trust_remote_code: run the code that is published beside the weights.
        \"\"\"
        if pretrained:
            import transformers

            return transformers.AutoModel.from_pretrained(
                "octo/tiny", trust_remote_code=trust_remote_code
            )
        return torch.nn.Linear(2, 1)
    ```
    """
    for item in repo.loading.effects:
        if item.kind == "remote code":
            way = by(item.when, item.entrypoints)
            yield Finding(
                f"{way} runs code of another repository without asking: trust_remote_code=True",
                item.place,
                help="keep the code in this repository, or let the caller decide",
            )


@rule("HUB508", "bare-except-import", Severity.NOTE)
def bare_except_import(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks for handlers that take every exception of an import, and neither tell nor raise it.

    ## Why is this bad?

    A package that is there but broken, a wrong version or a mistake in an own module all look as if
    the package were absent, and users cannot find out why.

    ## Example

    ```python
    import torch

    try:
        import tiny_ops
    except Exception:
        tiny_ops = None

    dependencies = ["torch"]


    def tiny():
        \"\"\"A tiny network.\"\"\"
        return torch.nn.Linear(2, 1)
    ```
    ```python title="tiny_ops.py"
    def shift(x):
        return x + 1
    ```

    ## Use instead

    ```python
    import torch

    try:
        import tiny_ops
    except ImportError:
        tiny_ops = None

    dependencies = ["torch"]


    def tiny():
        \"\"\"A tiny network.\"\"\"
        return torch.nn.Linear(2, 1)
    ```
    ```python title="tiny_ops.py"
    def shift(x):
        return x + 1
    ```
    """
    for item in repo.loading.hidden_failures:
        caught = f"except {item.caught}" if item.caught else "a bare except"
        yield Finding(
            f"{caught} hides why the import of {', '.join(item.modules[:3])} failed",
            item.place,
            help="write except ImportError",
        )
