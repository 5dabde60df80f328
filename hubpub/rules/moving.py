"""HUB306 to HUB310: references that lead elsewhere tomorrow, or for somebody else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import SplitResult, parse_qs, urlsplit

from hubpub.diagnostic import Severity
from hubpub.rules import Finding, rule
from hubpub.rules.addresses import urls
from hubpub.rules.cached import shown
from hubpub.rules.references import BRANCHES, spelled
from hubpub.source.facts import Place, Repo

_RAW_HOST = re.compile(r"/(?P<repo>[^/]+/[^/]+)/(?P<ref>refs/heads/[^/]+|[^/]+)/.+")
_RAW = re.compile(
    r"/(?:datasets/)?(?P<repo>[^/]+/[^/]+)(?:/-)?/(?:raw|blob|resolve)/"
    r"(?P<ref>refs/heads/[^/]+|[^/]+)/.+"
)
_LATEST = re.compile(r"/[^/]+/[^/]+/releases/latest/download/.+")
_RAW_HOSTS = {"raw.githubusercontent.com": "", "media.githubusercontent.com": "/media"}
_HUBCONF = Place("hubconf.py")
_TAKEN = ("main", "master")
"""What torch.hub._parse_repo_info takes without a ref, the first that is there."""


@rule("HUB306", "mutable-url", Severity.WARNING)
def mutable_url(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks for checkpoints that are fetched from a branch (`raw` and `blob` on GitHub and GitLab,
    `resolve` on Hugging Face) or from GitHub's latest release.

    ## Why is this bad?

    The next push puts another file at the same URL, or none. Old releases of the repository then
    load weights that they were not made for, or where the name is stamped and checked, fail; and
    whoever has the old file in the cache keeps it.

    ## Example

    ```python
    import torch

    dependencies = ["torch"]


    def tiny(pretrained=False):
        \"\"\"A tiny network; ``pretrained`` loads its weights.\"\"\"
        model = torch.nn.Linear(2, 1)
        if pretrained:
            state = torch.hub.load_state_dict_from_url(
                "https://huggingface.co/octo/net/resolve/main/tiny-0a1b2c3d.pth",
                map_location="cpu",
                check_hash=True,
                weights_only=True,
            )
            model.load_state_dict(state)
        return model
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
                "https://huggingface.co/octo/net/resolve/v1.0/tiny-0a1b2c3d.pth",
                map_location="cpu",
                check_hash=True,
                weights_only=True,
            )
            model.load_state_dict(state)
        return model
    ```
    """
    for url, place in urls(repo):
        what = _moves(repo, url)
        if what:
            yield Finding(
                f"{shown(url)} is a file of {what}, which moves",
                place,
                help="fetch it from a tag, a commit, or the release that it belongs to",
            )


def _moves(repo: Repo, url: str) -> str | None:
    """What a URL follows: a branch, or the latest release; None where it may be a fixed file."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").removeprefix("www.")
    except ValueError:
        return None
    if host == "github.com" and _LATEST.fullmatch(parts.path):
        return "the latest release"
    match = _source(host, parts)
    if match is None:
        return None
    ref = match["ref"]
    own = host.endswith(("github.com", "githubusercontent.com")) and repo.is_own(match["repo"])
    branches = BRANCHES | (repo.git.branches - set(repo.git.tags)) if own else BRANCHES
    moving = ref.startswith("refs/heads/") or ref in branches
    return f"the branch {ref.removeprefix('refs/heads/')}" if moving else None


def _source(host: str, parts: SplitResult) -> re.Match[str] | None:
    if host in _RAW_HOSTS:
        return _RAW_HOST.fullmatch(parts.path.removeprefix(_RAW_HOSTS[host]))
    if host not in {"github.com", "gitlab.com", "huggingface.co", "hf.co"}:
        return None
    page = "/blob/" in parts.path and "raw" not in parse_qs(parts.query)
    return None if page else _RAW.fullmatch(parts.path)  # a page is HUB409


@rule("HUB307", "foreign-example", Severity.NOTE)
def foreign_example(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks for examples that load this repository under another owner or name: an old one, or the
    one that it was forked from. Who owns it is read from git's remotes and from the packaging
    files.

    ## Why is this bad?

    GitHub forwards an old name until somebody takes it, and then runs that person's code. A fork's
    example gives users the other repository, without what the fork is there for.

    ## Example

    ```git
    remote https://github.com/octo/net
    tag v1.0
    ```

    ```markdown
    model = torch.hub.load("old-octo/net:v1.0", "tiny", trust_repo=True)
    ```

    ## Use instead

    ```git
    remote https://github.com/octo/net
    tag v1.0
    ```

    ```markdown
    model = torch.hub.load("octo/net:v1.0", "tiny", trust_repo=True)
    ```
    """
    names = {item.name for item in repo.entrypoints}
    own = [name.casefold().partition("/") for name in repo.own]
    owners, titles = {owner for owner, _, _ in own}, {title for _, _, title in own}
    for call in spelled(repo):
        if not call.document or not call.named or not own or repo.is_own(call.repository):
            continue
        owner, _, title = str(call.repository).casefold().partition("/")
        ours = call.entrypoint in names
        unsure = call.entrypoint is None or bool(repo.dynamic)
        if (title in titles and (ours or unsure)) or (owner in owners and ours):
            yield Finding(
                f"the example loads {call.repository}, and this repository is {repo.own[0]}",
                call.literal or call.place,
                help=f"write {repo.own[0]}",
            )


@rule("HUB308", "hard-coded-cache-path", Severity.WARNING)
def hard_coded_cache_path(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks for code that guesses where `torch.hub` keeps things: `~/.cache/torch/hub/...`, or a
    folder such as `owner_repo_master` joined to `torch.hub.get_dir()`.

    ## Why is this bad?

    The folder is named after the ref that the user asked for: with a tag it is another one, and in
    a fork, or loaded from a local path, yet another. `TORCH_HOME` and `torch.hub.set_dir` move the
    cache as a whole.

    ## Example

    ```python
    import os

    import torch

    dependencies = ["torch"]


    def tiny():
        \"\"\"A tiny network.\"\"\"
        names = os.path.join(torch.hub.get_dir(), "octo_net_master/names.txt")
        return torch.nn.Linear(2, len(names))
    ```

    ## Use instead

    ```python
    import os

    import torch

    dependencies = ["torch"]


    def tiny():
        \"\"\"A tiny network.\"\"\"
        names = os.path.join(os.path.dirname(__file__), "names.txt")
        return torch.nn.Linear(2, len(names))
    ```
    """
    for item in repo.loading.cache_paths:
        yield Finding(
            f"{item.shown} is where one user's torch.hub may keep it, and others' does not",
            item.place,
            help="start from os.path.dirname(__file__); for checkpoints, torch.hub.get_dir()",
        )


@rule("HUB309", "tagless-repository", Severity.NOTE)
def tagless_repository(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks that a repository that has been pushed has a tag. Nothing is said of a shallow clone,
    which has none of its own.

    ## Why is this bad?

    Without a tag nobody can pin: every load follows the branch, and breaks or changes with it. It
    is a note, for the tag comes last: what fails until then would hold up the commits before it.

    ## Example

    ```git
    remote https://github.com/octo/net
    ```

    ## Use instead

    ```git
    remote https://github.com/octo/net
    tag v1.0
    ```
    """
    if repo.hubconf is not None and repo.git.all_tags and not repo.git.tags:
        yield Finding(
            "the repository has no tag, so nobody can pin it",
            _HUBCONF,
            help="git tag v1.0 && git push origin v1.0, once check is content",
        )


@rule("HUB310", "default-branch", Severity.WARNING)
def default_branch(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks that a load without a ref gets the default branch. The loader does not ask which that
    is: it takes main if there is one, else master.

    ## Why is this bad?

    Where there is neither, such a load ends in an error. Where there is one that is no longer used,
    users get what it held when it was left.

    ## Example

    ```git
    remote https://github.com/octo/net
    tag v1.0
    branch develop
    branch master
    default develop
    ```

    ## Use instead

    ```git
    remote https://github.com/octo/net
    tag v1.0
    branch main
    default main
    ```
    """
    git = repo.git
    taken = next((name for name in _TAKEN if name in git.remote_branches), None)
    fate = f"gets {taken}" if taken else "finds neither main nor master"
    message = None
    if git.default is None and git.all_branches and taken is None:
        message = f"a load without a ref {fate}"
    elif git.default not in {None, taken} and git.all_branches:
        message = f"the default branch is {git.default}, and a load without a ref {fate}"
    elif git.default not in {None, *_TAKEN}:
        # A clone of one branch: whether there is a main beside it is not known.
        message = f"the default branch is {git.default}, which a load without a ref does not take"
    if repo.hubconf is not None and message:
        yield Finding(message, _HUBCONF, help="call the default branch main, and keep no other so")
