"""HUB4xx: checkpoints that are too large for where they lie."""

from __future__ import annotations

from collections.abc import Iterator

from hubpub.diagnostic import Severity
from hubpub.rules import Finding, rule
from hubpub.rules.addresses import large_answers
from hubpub.source.facts import RELEASE_LIMIT, Place, Repo

GIT_LIMIT = 100 << 20
"""What GitHub takes of one file in git, in bytes."""


@rule("HUB401", "checkpoint-over-2gb", Severity.WARNING)
def checkpoint_over_2gb(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks for checkpoints of more than 2 GiB in the tree and, with `--online`, at URLs.

    ## Why is this bad?

    An asset of a GitHub release holds at most 2 GiB, and git far less, so the file cannot be
    published beside the code. The loader neither resumes nor retries a download.

    ## Example

    ```python
    import torch

    dependencies = ["torch"]


    def tiny():
        \"\"\"A tiny network.\"\"\"
        return torch.nn.Linear(2, 1)
    ```
    ```tree
    weights/huge-0a1b2c3d.pth 3 GiB
    ```

    ## Use instead

    ```python
    import torch

    dependencies = ["torch"]


    def tiny(pretrained=False):
        \"\"\"A tiny network; ``pretrained`` loads its weights.\"\"\"
        model = torch.nn.Linear(2, 1)
        if pretrained:
            state = torch.hub.load_state_dict_from_url(
                "https://huggingface.co/octo/net/resolve/v1.0/half-0a1b2c3d.pth",
                map_location="cpu",
                check_hash=True,
                weights_only=True,
            )
            model.load_state_dict(state)
        return model
    ```

    ## References

    - [About releases](https://docs.github.com/en/repositories/releasing-projects-on-github/about-releases)
    """
    for file in repo.checkpoints:
        if file.size > RELEASE_LIMIT:
            yield Finding(
                f"{file.path} is {file.size / (1 << 30):.1f} GiB, more than a release asset holds",
                Place(file.path),
                help="split it, store it in half precision, or host it elsewhere",
            )
    yield from large_answers(repo)


@rule("HUB415", "large-file-in-git", Severity.WARNING)
def large_file_in_git(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks for checkpoints of more than 100 MiB that git itself holds.

    ## Why is this bad?

    GitHub refuses a push that holds such a file, and with git LFS the zip that `torch.hub` fetches
    holds a pointer instead. Everyone who loads any entrypoint downloads the whole tree.

    ## Example

    ```python
    import torch

    dependencies = ["torch"]


    def tiny():
        \"\"\"A tiny network.\"\"\"
        return torch.nn.Linear(2, 1)
    ```
    ```tree
    weights/large-0a1b2c3d.pth 200 MiB
    ```

    ## Use instead

    ```python
    import torch

    dependencies = ["torch"]


    def tiny(pretrained=False):
        \"\"\"A tiny network; ``pretrained`` loads its weights.\"\"\"
        model = torch.nn.Linear(2, 1)
        if pretrained:
            state = torch.hub.load_state_dict_from_url(
                "https://github.com/octo/net/releases/download/v1.0/large-0a1b2c3d.pth",
                map_location="cpu",
                check_hash=True,
                weights_only=True,
            )
            model.load_state_dict(state)
        return model
    ```

    ## References

    - [About large files on GitHub](https://docs.github.com/en/repositories/working-with-files/managing-large-files/about-large-files-on-github)
    """
    for file in repo.checkpoints:
        absent = repo.published.why_absent(file.path) in {"untracked", "lfs", "submodule"}
        if GIT_LIMIT < file.size <= RELEASE_LIMIT and not absent:
            yield Finding(
                f"{file.path} is {file.size / (1 << 20):.0f} MiB, and GitHub takes 100 MiB at most",
                Place(file.path),
                help="attach it to a release instead",
            )
