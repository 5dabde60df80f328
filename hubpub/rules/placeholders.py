"""HUB311: names that were to be replaced before anybody else reads them."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from hubpub.diagnostic import Severity
from hubpub.rules import Finding, rule
from hubpub.rules.addresses import urls
from hubpub.rules.cached import shown
from hubpub.rules.references import spelled
from hubpub.source.facts import Repo, stands_in

_HOSTS = frozenset(
    {"github.com", "raw.githubusercontent.com", "media.githubusercontent.com", "huggingface.co"}
)
"""Where the first part of a path is an account."""


@rule("HUB311", "placeholder-owner", Severity.ERROR)
def placeholder_owner(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks for the name of a repository in which the owner is still a word to be replaced (`OWNER`,
    `your-name`, `<owner>`): in the URL of a checkpoint, in a `torch.hub` call, and, as a note,
    in an example that loads one of this repository's own entrypoints.

    ## Why is this bad?

    `hubpub init` writes OWNER where a folder has no git remote yet, and a template's author has a
    word of their own. Nothing is found there: the download ends in 404 for everyone, or gets the
    file of whoever has taken that name.

    ## Example

    ```python
    import torch

    dependencies = ["torch"]
    _URL = "https://github.com/OWNER/net/releases/download/v1.0/tiny-0a1b2c3d.pth"


    def tiny(pretrained=False):
        \"\"\"A tiny network; ``pretrained`` loads its weights.\"\"\"
        model = torch.nn.Linear(2, 1)
        if pretrained:
            state = torch.hub.load_state_dict_from_url(
                _URL, map_location="cpu", check_hash=True, weights_only=True
            )
            model.load_state_dict(state)
        return model
    ```

    ## Use instead

    ```python
    import torch

    dependencies = ["torch"]
    _URL = "https://github.com/octo/net/releases/download/v1.0/tiny-0a1b2c3d.pth"


    def tiny(pretrained=False):
        \"\"\"A tiny network; ``pretrained`` loads its weights.\"\"\"
        model = torch.nn.Linear(2, 1)
        if pretrained:
            state = torch.hub.load_state_dict_from_url(
                _URL, map_location="cpu", check_hash=True, weights_only=True
            )
            model.load_state_dict(state)
        return model
    ```
    """
    names = {item.name for item in repo.entrypoints}
    for url, place in urls(repo):
        owner = _owner(url)
        if owner is not None and stands_in(owner):
            yield Finding(f"{owner} in {shown(url)} is a placeholder", place, help=_advice(repo))
    for call in spelled(repo):
        owner = (call.repository or "").partition("/")[0]
        if call.local or not stands_in(owner) or repo.is_own(call.repository):
            continue
        if not call.document or call.entrypoint in names:
            yield Finding(
                f"{owner} in {call.repository} is a placeholder",
                call.literal or call.place,
                Severity.NOTE if call.document else None,
                _advice(repo),
            )


def _owner(url: str) -> str | None:
    """The account whose file ``url`` is, where that can be told from it."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").removeprefix("www.")
    except ValueError:
        return None
    return parts.path.split("/")[1] if host in _HOSTS and "/" in parts.path else None


def _advice(repo: Repo) -> str:
    if repo.own:
        return f"write {repo.own[0].partition('/')[0]}"
    return "write the account that publishes it"
