"""HUB4xx: checkpoints, their names, and where they are looked for."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from hubpub.diagnostic import Edit, Fix, Severity, Span
from hubpub.rules import Finding, rule
from hubpub.source.facts import CHECKPOINT_SUFFIXES, HASH_REGEX, Download, Place, Repo

RELEASE_LIMIT = 2 << 30
"""What one asset of a GitHub release may hold, in bytes."""
STAMP = re.compile(r"[a-f0-9]{8,}")
ROOT = "/repository/"
WORKING = "/working-directory"
_URL_LOADERS = {"torch.hub.load_state_dict_from_url", "torch.utils.model_zoo.load_url"}
_FETCHERS = {"torch.hub.download_url_to_file", "urllib.request.urlretrieve", "wget.download"}
_FILE_LOADERS = {
    "torch.load": "f",
    "torch.jit.load": "f",
    "safetensors.torch.load_file": "filename",
}


def _cached(download: Download) -> Iterator[tuple[str, str, Place]]:
    """The checkpoints of a call that go through the cache: URL, cache name, and where it stands."""
    if download.function not in _URL_LOADERS | _FETCHERS:
        return
    url = download.argument("url")
    named = download.argument("file_name")
    given = named.values[0] if named and len(named.values) == 1 and named.known else None
    if named is not None and given is None and named.values != (None,):
        return
    for value, place in zip(url.values, url.places, strict=True) if url else ():
        if isinstance(value, str) and "://" in value:
            name = str(given) if given else posixpath.basename(urlsplit(value).path)
            yield value, name, place


def _visible_hash(name: str) -> str | None:
    match = HASH_REGEX.search(name)
    return match.group(1) if match else None


def _is_true(download: Download, name: str) -> bool:
    item = download.argument(name)
    return item is not None and item.known and item.values == (True,)


@rule("HUB401", "checkpoint-over-2gb", Severity.WARNING)
def checkpoint_over_2gb(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks for checkpoints of more than 2 GiB in the tree.

    ## Why is this bad?

    An asset of a GitHub release holds at most 2 GiB, and git far less, so the file cannot be
    published beside the code.

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


    def tiny():
        \"\"\"A tiny network.\"\"\"
        return torch.nn.Linear(2, 1)
    ```
    ```tree
    weights/half-0a1b2c3d.pth 1 GiB
    weights/other-half-0a1b2c3d.pth 1 GiB
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


@rule("HUB402", "unstamped-checkpoint", Severity.WARNING)
def unstamped_checkpoint(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks that the name of each checkpoint carries a stamp: `-`, at least eight hexadecimal digits
    of its sha256, and a full stop, as in `tiny-0a1b2c3d.pth`.

    ## Why is this bad?

    `torch.hub` caches by file name and never looks again. Without a stamp, a damaged or replaced
    file goes unnoticed, an update does not reach anyone who has the old one, and another
    repository's `model.pth` can be taken for yours.

    ## Example

    ```python
    import torch

    dependencies = ["torch"]


    def tiny():
        \"\"\"A tiny network.\"\"\"
        return torch.hub.load_state_dict_from_url("https://example.org/tiny.pth")
    ```

    ## Use instead

    ```python
    import torch

    dependencies = ["torch"]


    def tiny():
        \"\"\"A tiny network.\"\"\"
        return torch.hub.load_state_dict_from_url(
            "https://example.org/tiny-0a1b2c3d.pth", check_hash=True
        )
    ```

    ## References

    - [Saving and loading](https://docs.pytorch.org/docs/stable/hub.html#torch.hub.load_state_dict_from_url)
    """
    seen: set[tuple[str, Place]] = set()
    for download in repo.downloads:
        if _is_true(download, "check_hash") or download.argument("hash_prefix"):
            continue  # HUB404 and HUB405 judge what is checked
        named = [(name, place) for _, name, place in _cached(download)]
        if download.function in _FETCHERS:
            named = [item for item in named if item[0].lower().endswith(CHECKPOINT_SUFFIXES)]
        for name, place in [*named, *_in_tree(repo, download)]:
            if STAMP.fullmatch(_visible_hash(name) or "") or (name, place) in seen:
                continue
            seen.add((name, place))
            yield Finding(
                f"the checkpoint {name or '(without a name)'} carries no stamp of its sha256",
                place,
                help="publish it as name-<first 8 digits of its sha256>.pth, and load that name",
            )


def _in_tree(repo: Repo, download: Download) -> Iterator[tuple[str, Place]]:
    """Checkpoints of the tree that a call opens."""
    argument = download.argument(_FILE_LOADERS.get(download.function, ""))
    files = {file.path for file in repo.checkpoints}
    for value, place in zip(argument.values, argument.places, strict=True) if argument else ():
        path = value.removeprefix(ROOT) if isinstance(value, str) else ""
        if path in files and value != path:
            yield posixpath.basename(path), place


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


    def tiny():
        \"\"\"A tiny network.\"\"\"
        return torch.hub.load_state_dict_from_url(
            "https://example.org/tiny_0A1B2C3D.pth", check_hash=True
        )
    ```

    ## Use instead

    ```python
    import torch

    dependencies = ["torch"]


    def tiny():
        \"\"\"A tiny network.\"\"\"
        return torch.hub.load_state_dict_from_url(
            "https://example.org/tiny-0a1b2c3d.pth", check_hash=True
        )
    ```

    ## References

    - [pytorch/pytorch#191194](https://github.com/pytorch/pytorch/issues/191194)
    """
    seen: set[tuple[str, Place]] = set()
    for download in repo.downloads:
        if not _is_true(download, "check_hash"):
            continue
        for _, name, place in _cached(download):
            if not _visible_hash(name) and (name, place) not in seen:
                seen.add((name, place))
                yield Finding(
                    f"check_hash=True verifies nothing: the loader sees no hash in {name}",
                    place,
                    help="name it like tiny-0a1b2c3d.pth, after its sha256 in lower case",
                )


@rule("HUB411", "cwd-relative-path", Severity.ERROR)
def cwd_relative_path(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks for checkpoints that are opened by a relative path.

    ## Why is this bad?

    A relative path starts at the directory in which the user happens to work, not at the
    repository, which `torch.hub` keeps in its cache. The file is never found.

    ## Example

    ```python
    import torch

    dependencies = ["torch"]


    def tiny():
        \"\"\"A tiny network.\"\"\"
        return torch.load("tiny-0a1b2c3d.pth")
    ```
    ```tree
    tiny-0a1b2c3d.pth 1 KiB
    ```

    ## Use instead

    ```python
    import os

    import torch

    dependencies = ["torch"]


    def tiny():
        \"\"\"A tiny network.\"\"\"
        return torch.load(os.path.join(os.path.dirname(__file__), "tiny-0a1b2c3d.pth"))
    ```
    ```tree
    tiny-0a1b2c3d.pth 1 KiB
    ```

    ## Fix safety

    The path is joined to the directory of hubconf.py, where the file lies there and the path is
    written in hubconf.py.
    """
    written = {value for download in repo.downloads for value in _written(download)}
    for download in repo.downloads:
        argument = download.argument(_FILE_LOADERS.get(download.function, ""))
        if argument is None or not argument.known:
            continue
        for value, place in zip(argument.values, argument.places, strict=True):
            if not isinstance(value, str) or not _relative(value) or value in written:
                continue
            yield Finding(
                f"{_shown(value)} is looked for in the user's working directory, not here",
                place,
                help="join it to os.path.dirname(__file__)",
                fix=_anchor(repo, value, place),
            )


def _written(download: Download) -> tuple[object, ...]:
    """Where a call puts a file: what is downloaded there first can be opened there."""
    if download.function in _FILE_LOADERS:
        return ()
    given = [download.argument(name) for name in ("dst", "filename", "out", "output", "path")]
    return tuple(value for item in given if item is not None for value in item.values)


def _relative(value: str) -> bool:
    if value.startswith(WORKING):
        return True
    return bool(value) and not value.startswith(("/", "~")) and "://" not in value


def _shown(value: str) -> str:
    return value.removeprefix(WORKING).lstrip("/") if value.startswith(WORKING) else value


def _anchor(repo: Repo, value: str, place: Place) -> Fix | None:
    hubconf = repo.hubconf
    files = {file.path for file in repo.checkpoints}
    if hubconf is None or place.path != hubconf.path or posixpath.normpath(value) not in files:
        return None
    text = repo.texts[place.path]
    span = place.span
    written = text.text[
        text.offset(span.line, span.column) : text.offset(span.end_line, span.end_column)
    ]
    if not written.startswith(("'", '"')):
        return None
    bound = [name for name, module in hubconf.modules.items() if module == "os"]
    name = bound[0] if bound else "os"
    edits = [Edit(place.path, span, f"{name}.path.join({name}.path.dirname(__file__), {written})")]
    if not bound:
        line = hubconf.insert.span
        edits.append(Edit(place.path, Span(line.line, 1, line.line, 1), "import os\n"))
    return Fix("Join it to the directory of hubconf.py", True, tuple(edits))
