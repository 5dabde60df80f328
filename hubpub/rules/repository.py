"""HUB6xx: the repository around hubconf.py."""

from __future__ import annotations

from collections.abc import Iterator

from hubpub.diagnostic import Severity
from hubpub.rules import Finding, rule
from hubpub.source.facts import Place, Repo


@rule("HUB605", "no-licence", Severity.NOTE)
def no_licence(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks that the repository has a licence: a file of that name at its root, or one that its
    packaging files name.

    ## Why is this bad?

    Without a licence nobody may use the code or the weights, whatever the README says.

    ## Example

    ```python
    import torch

    dependencies = ["torch"]


    def tiny():
        \"\"\"A tiny network.\"\"\"
        return torch.nn.Linear(2, 1)
    ```

    ## Use instead

    ```text title="LICENSE"
    MIT License
    ```
    """
    if repo.hubconf is not None and not repo.licensed:
        yield Finding(
            "the repository has no licence, so nobody may use it",
            Place("LICENSE"),
            help="add a file called LICENSE",
        )
