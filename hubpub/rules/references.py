"""HUB3xx: ``torch.hub`` calls in code and documents."""

from __future__ import annotations

from collections.abc import Iterator

from hubpub.diagnostic import Edit, Fix, Severity
from hubpub.rules import Finding, rule
from hubpub.source.facts import HubCall, Repo


def _unpinned(call: HubCall) -> bool:
    return call.repository is not None and not call.ref and not call.local and not call.placeholder


@rule("HUB301", "unpinned-hub-call", Severity.WARNING)
def unpinned_hub_call(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks for `torch.hub.load`, `list` and `help` of another repository, without a tag, in code
    that importing hubconf.py or calling an entrypoint reaches.

    ## Why is this bad?

    Without a ref the loader takes the newest commit of main or master. When the other repository
    changes, yours breaks for everyone, releases that once worked included.

    ## Example

    ```python
    import torch

    dependencies = ["torch"]


    def tiny():
        \"\"\"A tiny network.\"\"\"
        return torch.hub.load("pytorch/vision", "resnet18", trust_repo=True)
    ```

    ## Use instead

    ```python
    import torch

    dependencies = ["torch"]


    def tiny():
        \"\"\"A tiny network.\"\"\"
        return torch.hub.load("pytorch/vision:v0.22.0", "resnet18", trust_repo=True)
    ```
    """
    for call in repo.hub_calls:
        if call.document or not _unpinned(call) or call.repository in repo.own:
            continue
        yield Finding(
            f"torch.hub.{call.function} of {call.repository} without a tag follows its branch",
            call.literal or call.place,
            help=f'pin it: "{call.repository}:<tag>"',
        )


@rule("HUB302", "unpinned-example", Severity.NOTE)
def unpinned_example(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks for examples in README files, in notebooks and below docs/ that load a repository
    without a tag.

    ## Why is this bad?

    Users copy the line. Without a ref they get whatever the branch holds that day, cached on their
    disk until they ask for it again, and cannot say which version they have.

    ## Example

    ```markdown
    # tiny

        model = torch.hub.load("owner-of-tiny/tiny", "tiny", trust_repo=True)
    ```

    ## Use instead

    ```markdown
    # tiny

        model = torch.hub.load("owner-of-tiny/tiny:v1.0", "tiny", trust_repo=True)
    ```

    ## Fix safety

    The repository's newest tag is added, where it has tags and the example is of the repository
    itself.
    """
    names = {item.name for item in repo.entrypoints}
    for call in repo.hub_calls:
        if not call.document or not _unpinned(call):
            continue
        mine = call.repository in repo.own if repo.own else call.entrypoint in names
        fix = None
        if mine and repo.tags and call.literal is not None:
            text = f"{call.repository}:{repo.tags[-1]}"
            edit = Edit(call.literal.path, call.literal.span, text)
            fix = Fix(f"Pin it to {repo.tags[-1]}", True, (edit,))
        tag = repo.tags[-1] if mine and repo.tags else "<tag>"
        yield Finding(
            f"the example loads {call.repository} without a tag",
            call.literal or call.place,
            help=f'write "{call.repository}:{tag}"',
            fix=fix,
        )
