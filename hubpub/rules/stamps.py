"""HUB4xx: names of checkpoints and the stamps in them."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from hubpub.diagnostic import Fix, Severity
from hubpub.rules import Finding, rule
from hubpub.rules.cached import (
    OPENERS,
    ROOT,
    Cached,
    cached,
    is_checkpoint,
    is_stamp,
    strings,
    visible_hash,
)
from hubpub.rules.keywords import add_keyword
from hubpub.rules.naming import advice, faults_of
from hubpub.source.facts import Download, Place, Repo


@rule("HUB402", "unstamped-checkpoint", Severity.WARNING)
def unstamped_checkpoint(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks that the name of each checkpoint carries a stamp: `-`, at least eight hexadecimal digits
    of its sha256, and a full stop, as in `tiny-0a1b2c3d.pth`. A file of the tree, whose content git
    keeps, is a note, as is one that is fetched to a place that cannot be read.

    ## Why is this bad?

    `torch.hub` caches by file name and never looks again. Without a stamp, a damaged or replaced
    file goes unnoticed, and an update does not reach anyone who has the old one.

    ## Example

    ```python
    import torch

    dependencies = ["torch"]


    def tiny(pretrained=False):
        \"\"\"A tiny network; ``pretrained`` loads its weights.\"\"\"
        model = torch.nn.Linear(2, 1)
        if pretrained:
            state = torch.hub.load_state_dict_from_url(
                "https://example.org/tiny.pth",
                map_location="cpu",
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
                "https://example.org/tiny-0a1b2c3d.pth",
                map_location="cpu",
                check_hash=True,
                weights_only=True,
            )
            model.load_state_dict(state)
        return model
    ```

    ## References

    - [Saving and loading](https://docs.pytorch.org/docs/stable/hub.html#torch.hub.load_state_dict_from_url)
    """
    for fault, more in faults_of(repo, "HUB402"):
        name, stamp = fault.checkpoint.name, fault.hash
        short = f": {stamp} is too short" if stamp and fault.checkpoint.loaded else ""
        unsure = not fault.checkpoint.loaded and fault.checkpoint.folder is None
        yield Finding(
            f"the checkpoint {name}{more} carries no stamp of its sha256{short}",
            fault.checkpoint.place,
            Severity.NOTE if unsure else None,
            advice(name),
        )
    seen: set[tuple[str, Place]] = set()
    files = frozenset(file.path for file in repo.checkpoints)
    for name, place in (item for download in repo.downloads for item in _in_tree(files, download)):
        if not is_stamp(visible_hash(name)) and (name, place) not in seen:
            seen.add((name, place))
            message = f"the checkpoint {name} carries no stamp of its sha256"
            yield Finding(message, place, Severity.NOTE, advice(name))


def _in_tree(files: frozenset[str], download: Download) -> Iterator[tuple[str, Place]]:
    """Checkpoints among the ``files`` of the tree that a call opens."""
    for path, place in strings(download.argument(OPENERS.get(download.function, ""))):
        if path.startswith(ROOT) and path.removeprefix(ROOT) in files and is_checkpoint(path):
            yield posixpath.basename(path), place


@rule("HUB403", "check-hash-off", Severity.WARNING)
def check_hash_off(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks for checkpoints whose names carry a stamp, and that are loaded without
    `check_hash=True`. Where it is a caller's argument that is off unless given, it is a note.

    ## Why is this bad?

    The stamp is there, and nobody looks at it: a download that broke off, or an error page that was
    saved in its place, stays in the cache and fails on every later load.

    ## Example

    ```python
    import torch

    dependencies = ["torch"]


    def tiny(pretrained=False):
        \"\"\"A tiny network; ``pretrained`` loads its weights.\"\"\"
        model = torch.nn.Linear(2, 1)
        if pretrained:
            state = torch.hub.load_state_dict_from_url(
                "https://example.org/tiny-0a1b2c3d.pth",
                map_location="cpu",
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
                "https://example.org/tiny-0a1b2c3d.pth",
                map_location="cpu",
                check_hash=True,
                weights_only=True,
            )
            model.load_state_dict(state)
        return model
    ```

    ## Fix safety

    `check_hash=True` is added where all URLs of the call are known and each is stamped. A file
    whose sha256 is another than its name says is then refused, which is what the stamp is for:
    `hubpub verify` says whether each stamp is right.

    ## References

    - [Loading from a URL](https://docs.pytorch.org/docs/stable/hub.html#torch.hub.load_state_dict_from_url)
    """
    seen: set[Place] = set()
    calls: dict[int, list[Cached]] = {}
    for item in cached(repo):
        if item.loaded and item.checked is False:
            calls.setdefault(id(item.download), []).append(item)
    for download in repo.downloads:
        mine = calls.get(id(download), [])
        names = [item.name for item in mine if is_stamp(visible_hash(item.name))]
        if not names or download.place in seen:
            continue
        seen.add(download.place)
        default = all(item.default for item in mine)
        count = len(set(names))
        several = f" (and {count - 1} more)" if count > 1 else ""
        yield Finding(
            f"the stamp of {names[0]}{several} is not checked"
            + (" unless the caller says so" if default else ""),
            download.place,
            Severity.NOTE if default else None,
            "add check_hash=True",
            fix=_checking(repo, download, mine),
        )


def _checking(repo: Repo, download: Download, mine: list[Cached]) -> Fix | None:
    url = download.argument("url")
    named = download.argument("file_name")
    known = url is not None and url.known and (named is None or named.known)
    if not download.written or not known or download.argument("check_hash") is not None:
        return None
    if not all(is_stamp(visible_hash(item.name)) for item in mine):
        return None  # it would verify nothing of some, and refuse others
    edit = add_keyword(repo, download.place, "check_hash", "True")
    return Fix("Check the stamp", True, (edit,)) if edit else None


@rule("HUB404", "check-hash-vacuous", Severity.ERROR)
def check_hash_vacuous(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks for `check_hash=True` with a file name in which the loader finds no hash.

    ## Why is this bad?

    The loader looks for `-`, lower-case hexadecimal digits and a full stop. Where it finds nothing
    it checks nothing and says nothing: any file is accepted, though the code reads as if it were
    verified.

    ## Example

    ```python
    import torch

    dependencies = ["torch"]


    def tiny(pretrained=False):
        \"\"\"A tiny network; ``pretrained`` loads its weights.\"\"\"
        model = torch.nn.Linear(2, 1)
        if pretrained:
            state = torch.hub.load_state_dict_from_url(
                "https://example.org/tiny_0A1B2C3D.pth",
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
                "https://example.org/tiny-0a1b2c3d.pth",
                map_location="cpu",
                check_hash=True,
                weights_only=True,
            )
            model.load_state_dict(state)
        return model
    ```

    ## References

    - [pytorch/pytorch#191194](https://github.com/pytorch/pytorch/issues/191194)
    """
    for fault, more in faults_of(repo, "HUB404"):
        name = fault.checkpoint.name
        yield Finding(
            f"check_hash=True verifies nothing: the loader sees no hash in {name}{more}",
            fault.checkpoint.place,
            help=advice(name),
        )


@rule("HUB405", "hash-lookalike", Severity.WARNING)
def hash_lookalike(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks for names of checkpoints in which the loader takes something else for a hash: a number
    of steps, a size, a date, a version. With `check_hash=True` it is an error.

    ## Why is this bad?

    The loader takes the first `-`, hexadecimal digits and full stop that it finds: 32 in
    `ViT-B-32.pt`, 1 in `tiny-1.0-0a1b2c3d.pth`. With `check_hash=True` the load fails for
    everyone, unless the sha256 happens to begin so; without it, it will fail as soon as somebody
    turns it on.

    ## Example

    ```python
    import torch

    dependencies = ["torch"]


    def tiny(pretrained=False):
        \"\"\"A tiny network; ``pretrained`` loads its weights.\"\"\"
        model = torch.nn.Linear(2, 1)
        if pretrained:
            state = torch.hub.load_state_dict_from_url(
                "https://example.org/tiny-20000.pth",
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
                "https://example.org/tiny_20000-0a1b2c3d.pth",
                map_location="cpu",
                check_hash=True,
                weights_only=True,
            )
            model.load_state_dict(state)
        return model
    ```

    ## References

    - [pytorch/pytorch#191194](https://github.com/pytorch/pytorch/issues/191194)
    """
    for fault, more in faults_of(repo, "HUB405"):
        name, found = fault.checkpoint.name, fault.hash
        then = "so the load fails" if fault.checked else "so check_hash=True would fail"
        yield Finding(
            f"the loader takes {found} in {name}{more} for a hash, {then}",
            fault.checkpoint.place,
            Severity.ERROR if fault.checked else None,
            f"write _{found} instead of -{found}, and end the name in "
            "-<first 8 digits of its sha256>.pth",
        )
