"""HUB6xx: the repository around hubconf.py."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hubpub.diagnostic import Edit, Fix, Severity, Span
from hubpub.rules import Finding, rule
from hubpub.source.facts import HubCall, Place, Repo

_HUBCONF = Place("hubconf.py")
_README = "README.md"


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
            _HUBCONF,
            help="add a file called LICENSE",
        )


_SHOWN = re.compile(r"\bhub\.load\b")


@rule("HUB606", "no-load-example", Severity.NOTE)
def no_load_example(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks that a README shows how to load the repository with `torch.hub.load`.

    ## Why is this bad?

    Nobody finds an entrypoint that is not shown. Users copy a line from the README, or do without.

    ## Example

    ```git
    remote https://github.com/octo/net
    tag v1.0
    ```

    ```markdown
    # net

    A tiny network.
    ```

    ## Use instead

    ```git
    remote https://github.com/octo/net
    tag v1.0
    ```

    ````markdown
    # net

    A tiny network.

    ```python
    import torch

    model = torch.hub.load("octo/net:v1.0", "tiny", trust_repo=True)
    ```
    ````

    ## Fix safety

    An example is put at the end of README.md, where the repository has a tag and an entrypoint that
    needs no arguments. Nothing that is there is changed.
    """
    found = (path for path in repo.texts if _is_readme(path))
    readmes = sorted(found, key=lambda path: (path != _README, path.count("/"), path))
    calls = [call for call in repo.hub_calls if call.document and call.place.path in readmes]
    if repo.hubconf is None or not (repo.entrypoints or repo.dynamic):
        return
    # A call that cannot be read may be the example.
    unread = not calls and any(_SHOWN.search(repo.texts[path].text) for path in readmes)
    if unread or any(_shows(repo, call) for call in calls):
        return
    yield Finding(
        "no README shows how to load the repository with torch.hub.load",
        Place(readmes[0]) if readmes else _HUBCONF,
        help="show one line that can be copied, pinned to a tag",
        fix=_example(repo),
    )


def _is_readme(path: str) -> bool:
    return path.rpartition("/")[2].lower().startswith("readme")


def _shows(repo: Repo, call: HubCall) -> bool:
    """Whether a call in a README is of this repository, under whatever name."""
    if not repo.own or not call.named or repo.is_own(call.repository):
        return True
    if call.entrypoint is not None and not repo.dynamic:
        return call.entrypoint in {item.name for item in repo.entrypoints}
    titles = {name.casefold().partition("/")[2] for name in repo.own}
    return str(call.repository).casefold().partition("/")[2] in titles


def _example(repo: Repo) -> Fix | None:
    text = repo.texts.get(_README)
    name = next(
        (
            item.name
            for item in repo.entrypoints
            if not (item.leak or item.required or item.lack or item.certainty != "certain")
        ),
        None,
    )
    if text is None or name is None or not repo.own or repo.git.newest is None:
        return None
    target = f"{repo.own[0]}:{repo.git.newest}"
    example = (
        "## Load it with PyTorch Hub\n\n```python\nimport torch\n\n"
        f'model = torch.hub.load("{target}", "{name}", trust_repo=True)\n```\n'
    )
    end = text.position(len(text.text))
    edit = Edit(_README, Span(*end, *end), f"\n{example}" if text.text.strip() else example)
    return Fix(f"Show {name} in {_README}", True, (edit,))
