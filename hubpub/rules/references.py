"""HUB3xx: ``torch.hub`` calls in code and documents."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hubpub.diagnostic import Edit, Fix, Severity
from hubpub.rules import Finding, rule
from hubpub.rules.keywords import add_keyword
from hubpub.source.facts import HubCall, Place, Repo


def spelled(repo: Repo) -> list[HubCall]:
    """The hub calls, one for each text that names a repository: several may share a variable."""
    found: dict[Place, HubCall] = {}
    for call in repo.hub_calls:
        found.setdefault(call.literal or call.place, call)
    return list(found.values())


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
    for call in spelled(repo):
        if call.document or not call.named or call.ref or repo.is_own(call.repository):
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

    ```git
    remote https://github.com/octo/net
    tag v1.0
    ```

    ```markdown
    # net

        model = torch.hub.load("octo/net", "tiny", trust_repo=True)
    ```

    ## Use instead

    ```git
    remote https://github.com/octo/net
    tag v1.0
    ```

    ```markdown
    # net

        model = torch.hub.load("octo/net:v1.0", "tiny", trust_repo=True)
    ```

    ## Fix safety

    The repository's newest tag is added, where it has tags and the example is of the repository
    itself.
    """
    names = {item.name for item in repo.entrypoints}
    tag = repo.git.newest
    for call in spelled(repo):
        if not call.document or not call.named or call.ref:
            continue
        mine = repo.is_own(call.repository) if repo.own else call.entrypoint in names
        fix = None
        if mine and tag and call.literal is not None:
            edit = Edit(call.literal.path, call.literal.span, f"{call.repository}:{tag}")
            fix = Fix(f"Pin it to {tag}", True, (edit,))
        yield Finding(
            f"the example loads {call.repository} without a tag",
            call.literal or call.place,
            help=f'write "{call.repository}:{(mine and tag) or "<tag>"}"',
            fix=fix,
        )


BRANCHES = frozenset({"main", "master", "develop", "dev", "trunk", "HEAD"})
"""Names that people give to branches, and hardly ever to tags."""
TRUSTED_OWNERS = frozenset({"facebookresearch", "facebookincubator", "pytorch", "fairinternal"})
"""Owners for whom torch.hub._check_repo_is_trusted never prompts."""
_COMMIT = re.compile(r"[0-9a-f]{7,40}")


@rule("HUB303", "branch-pin", Severity.NOTE)
def branch_pin(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks for `torch.hub` calls, in code and in examples, that are pinned to a branch: one of this
    repository's, or of another one's by a usual name (main, master, develop, dev, trunk).

    ## Why is this bad?

    A branch moves. Two users who run the same line get different models, and the one who ran it
    first keeps the old one in the cache.

    ## Example

    ```markdown
    model = torch.hub.load("octo/net:main", "tiny", trust_repo=True)
    ```

    ## Use instead

    ```markdown
    model = torch.hub.load("octo/net:v1.0", "tiny", trust_repo=True)
    ```
    """
    for call in spelled(repo):
        branches = BRANCHES | repo.git.branches if repo.is_own(call.repository) else BRANCHES
        if call.named and call.ref in branches and call.ref not in repo.git.tags:
            yield Finding(
                f"{call.repository}:{call.ref} is a branch, which moves",
                call.literal or call.place,
                help="pin it to a tag",
            )


@rule("HUB304", "commit-pin", Severity.WARNING)
def commit_pin(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks for `torch.hub` calls that are pinned to a commit, or to a full ref such as
    `refs/tags/v1.0`, without `skip_validation=True`.

    ## Why is this bad?

    The loader asks GitHub for the branches and tags of the repository, and refuses every ref that
    is neither the name nor the newest commit of one. The line works while the commit is the newest,
    and fails for everybody after the next push.

    ## Example

    ```markdown
    model = torch.hub.load("octo/net:0a1b2c3d4e5f", "tiny", trust_repo=True)
    ```

    ## Use instead

    ```markdown
    model = torch.hub.load("octo/net:v1.0", "tiny", trust_repo=True)
    ```
    """
    for call in spelled(repo):
        ref = call.ref or ""
        full = ref.startswith(("refs/tags/", "refs/heads/"))
        commit = bool(_COMMIT.fullmatch(ref)) and ref not in repo.git.tags
        digits = commit and any(char.isdigit() for char in ref) and not ref.isdigit()
        if call.named and not call.skip_validation and (full or digits):
            yield Finding(
                f"the loader refuses {ref} unless it is the tip of a branch or a tag",
                call.literal or call.place,
                help="pin it to the name of a tag",
            )


@rule("HUB305", "untrusted-call", Severity.WARNING)
def untrusted_call(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks for `torch.hub` calls of another repository in code that an entrypoint reaches, and for
    examples in documents, without `trust_repo=True`. Owners that the loader always trusts are left
    out.

    ## Why is this bad?

    Since torch 2.11 the loader asks whether an unknown repository may run code. In a script, in CI
    or in a notebook that runs by itself there is nobody to answer, and the load ends in `EOFError`.

    ## Example

    ```markdown
    model = torch.hub.load("octo/net:v1.0", "tiny")
    ```

    ## Use instead

    ```markdown
    model = torch.hub.load("octo/net:v1.0", "tiny", trust_repo=True)
    ```

    ## Fix safety

    The keyword is added to the call. It says what running the line says anyway.
    """
    for call in repo.hub_calls:
        owner = (call.repository or "").partition("/")[0]
        if not call.named or call.trusted or owner in TRUSTED_OWNERS:
            continue
        edit = add_keyword(repo, call.place, "trust_repo", "True") if call.written else None
        what = "the example" if call.document else f"torch.hub.{call.function}"
        yield Finding(
            f"{what} asks whether {call.repository} may be trusted, and fails without a terminal",
            call.place,
            help="add trust_repo=True",
            fix=Fix("Add trust_repo=True", True, (edit,)) if edit is not None else None,
        )
