"""HUB410: checkpoints that take each other's place in the cache."""

from __future__ import annotations

from collections.abc import Iterator

from hubpub.diagnostic import Note, Severity
from hubpub.rules import Finding, rule
from hubpub.rules.cached import shown
from hubpub.rules.naming import STAMPED, faults_of
from hubpub.source.facts import Repo


@rule("HUB410", "checkpoint-name-clash", Severity.ERROR)
def checkpoint_name_clash(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks for two URLs with one file name, and no stamp in it: they share one place in
    `torch.hub`'s cache. A name that says nothing of the model (`model.pth`,
    `pytorch_model.bin`) is a note: other repositories have one too.

    ## Why is this bad?

    The cache goes by the name alone and outlives the process. Whoever has loaded the first gets
    its weights when they ask for the second, without a word.

    ## Example

    ```python
    import torch

    dependencies = ["torch"]

    _URLS = {
        "small": "https://example.org/small/tiny.pth",
        "large": "https://example.org/large/tiny.pth",
    }


    def tiny(size="small", pretrained=False):
        \"\"\"A tiny network of a ``size``; ``pretrained`` loads its weights.\"\"\"
        model = torch.nn.Linear(2, 1)
        if pretrained:
            state = torch.hub.load_state_dict_from_url(
                _URLS[size], map_location="cpu", weights_only=True
            )
            model.load_state_dict(state)
        return model
    ```

    ## Use instead

    ```python
    import torch

    dependencies = ["torch"]

    _URLS = {
        "small": "https://example.org/tiny_small-0a1b2c3d.pth",
        "large": "https://example.org/tiny_large-4e5f6a7b.pth",
    }


    def tiny(size="small", pretrained=False):
        \"\"\"A tiny network of a ``size``; ``pretrained`` loads its weights.\"\"\"
        model = torch.nn.Linear(2, 1)
        if pretrained:
            state = torch.hub.load_state_dict_from_url(
                _URLS[size], map_location="cpu", check_hash=True, weights_only=True
            )
            model.load_state_dict(state)
        return model
    ```

    ## References

    - [torchgeo/torchgeo#4037](https://github.com/torchgeo/torchgeo/issues/4037)
    """
    for fault, more in faults_of(repo, "HUB410"):
        item, first = fault.checkpoint, fault.first
        if first is None:
            name = item.name or "a URL without a file name"
            message = f"{name} is a name that the checkpoints of other repositories have too"
            yield Finding(message, item.place, Severity.NOTE, STAMPED)
            continue
        again = Note(first.written.path, first.written.span, f"{item.name} is this one's name too")
        yield Finding(
            f"{item.name}{more} is {shown(first.url)} for whoever has that one in the cache",
            item.written,
            help="give each its own name, best with a stamp (`hubpub stamp`)",
            notes=(again,),
        )
