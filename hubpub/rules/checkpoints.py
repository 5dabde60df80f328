"""HUB4xx: checkpoints as files: in the tree, beside it, and where they are looked for."""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Iterator

from hubpub.diagnostic import Edit, Fix, Severity, Span
from hubpub.rules import Finding, rule
from hubpub.rules.cached import (
    FETCHERS,
    HUB,
    OPENERS,
    ROOT,
    UNKNOWN,
    URL_LOADERS,
    WORKING,
    cache_name,
    is_checkpoint,
    strings,
    value,
)
from hubpub.source.facts import Download, Place, Repo

_WRITERS = {
    **FETCHERS, "gdown.download": "output", "gdown.cached_download": "path",
    "gdown.download_folder": "output", "torchvision.datasets.utils.download_url": "root",
    "torchvision.datasets.utils.download_file_from_google_drive": "root",
}  # fmt: skip
"""Functions that fetch a file, and the parameter that says where it goes."""


@rule("HUB411", "cwd-relative-path", Severity.ERROR)
def cwd_relative_path(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks for checkpoints that are opened by a relative path, and neither fetched there before nor
    asked for with `os.path.exists`.

    ## Why is this bad?

    A relative path starts at the directory in which the user happens to work, not at the
    repository, which `torch.hub` keeps in its cache. The file is never found.

    ## Example

    ```python
    import torch

    dependencies = ["torch"]


    def tiny(pretrained=False):
        \"\"\"A tiny network; ``pretrained`` loads its weights.\"\"\"
        model = torch.nn.Linear(2, 1)
        if pretrained:
            state = torch.load("tiny-0a1b2c3d.pth", map_location="cpu", weights_only=True)
            model.load_state_dict(state)
        return model
    ```
    ```tree
    tiny-0a1b2c3d.pth 1 KiB
    ```

    ## Use instead

    ```python
    import os

    import torch

    dependencies = ["torch"]


    def tiny(pretrained=False):
        \"\"\"A tiny network; ``pretrained`` loads its weights.\"\"\"
        model = torch.nn.Linear(2, 1)
        if pretrained:
            path = os.path.join(os.path.dirname(__file__), "tiny-0a1b2c3d.pth")
            state = torch.load(path, map_location="cpu", weights_only=True)
            model.load_state_dict(state)
        return model
    ```
    ```tree
    tiny-0a1b2c3d.pth 1 KiB
    ```

    ## Fix safety

    The path is joined to the directory of hubconf.py, where the file lies there and the path is
    written in hubconf.py.
    """
    files = {file.path for file in repo.checkpoints}
    homes: dict[str, str] = {}
    for path in sorted(files, reverse=True):
        homes[posixpath.basename(path)] = path
    seen: set[tuple[str, Place]] = set()
    known = repo.asked | _written(repo)
    for path, place in _opened(repo):
        if not _relative(path) or path in known or (path, place) in seen:
            continue
        seen.add((path, place))
        near = homes.get(posixpath.basename(path))
        there = f": the repository has {near}" if near and near != _shown(path) else ""
        yield Finding(
            f"{_shown(path)} is looked for in the user's working directory, not here",
            place,
            help=f"join it to os.path.dirname(__file__){there}",
            fix=_anchor(repo, files, path, place),
        )


def _opened(repo: Repo, *, guarded: bool = True) -> Iterator[tuple[str, Place]]:
    """The paths that calls certainly open, if they are reached, and where each is written."""
    for download in repo.downloads:
        argument = download.argument(OPENERS.get(download.function, ""))
        if argument is not None and argument.known and (guarded or not download.guarded):
            yield from strings(argument)


def _written(repo: Repo) -> frozenset[str]:
    """Where calls put files: what is fetched there first can be opened there."""
    return frozenset(
        path
        for download in repo.downloads
        if download.function not in OPENERS
        for name in ("dst", "filename", "out", "output", "path")
        for path, _ in strings(download.argument(name))
    )


def _relative(value: str) -> bool:
    if value.startswith(WORKING):
        return True
    return bool(value) and not value.startswith(("/", "~")) and "://" not in value


def _shown(value: str) -> str:
    for start in (WORKING, ROOT):
        value = value.removeprefix(start)
    return value.lstrip("/")


def _anchor(repo: Repo, files: set[str], value: str, place: Place) -> Fix | None:
    hubconf = repo.hubconf
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


@rule("HUB412", "missing-checkpoint-file", Severity.ERROR)
def missing_checkpoint_file(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks for checkpoints of the repository that are opened and not published with it: the tree
    does not hold them, or holds a pointer of git LFS in their place.

    ## Why is this bad?

    The zip that `torch.hub` fetches holds what git holds. The load fails for everyone but the
    publisher, on whose disk the file lies.

    ## Example

    ```python
    import os

    import torch

    dependencies = ["torch"]


    def tiny(pretrained=False):
        \"\"\"A tiny network; ``pretrained`` loads its weights.\"\"\"
        model = torch.nn.Linear(2, 1)
        if pretrained:
            path = os.path.join(os.path.dirname(__file__), "tiny-0a1b2c3d.pth")
            state = torch.load(path, map_location="cpu", weights_only=True)
            model.load_state_dict(state)
        return model
    ```

    ## Use instead

    ```python
    import os

    import torch

    dependencies = ["torch"]


    def tiny(pretrained=False):
        \"\"\"A tiny network; ``pretrained`` loads its weights.\"\"\"
        model = torch.nn.Linear(2, 1)
        if pretrained:
            path = os.path.join(os.path.dirname(__file__), "tiny-0a1b2c3d.pth")
            state = torch.load(path, map_location="cpu", weights_only=True)
            model.load_state_dict(state)
        return model
    ```
    ```tree
    tiny-0a1b2c3d.pth 1 KiB
    ```

    ## References

    - [pytorch/hub: files outside the zip](https://docs.pytorch.org/docs/stable/hub.html)
    """
    seen: set[tuple[str, Place]] = set()
    known = repo.asked | _written(repo)
    for path, place in _opened(repo, guarded=False):
        reason = _why_absent(repo, path)
        if reason is None or path in known or (path, place) in seen:
            continue
        seen.add((path, place))
        release = "attach it to a release, and load it with torch.hub.load_state_dict_from_url"
        # Forced, as most repositories of models have *.pth in their .gitignore.
        add = f"git add --force {shlex.quote(_shown(path))}, or " if reason == _UNTRACKED else ""
        yield Finding(
            f"{_shown(path)} is not there when it is opened: {reason}", place, help=add + release
        )


_UNTRACKED = "git does not track it"


def _why_absent(repo: Repo, path: str) -> str | None:
    """Why users lack a checkpoint of the repository; what other rules say of it is left to them."""
    normal = posixpath.normpath(path)
    if not normal.startswith(ROOT):
        return None
    inside = normal.removeprefix(ROOT)
    reason = repo.published.why_absent(inside)
    if reason is None:
        return None if repo.published.holds(inside) else "the repository does not hold it"
    return {
        "untracked": _UNTRACKED,
        "lfs": "git LFS keeps it elsewhere, and GitHub's zip holds a pointer",
    }.get(reason)


@rule("HUB413", "outside-cache", Severity.NOTE)
def outside_cache(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks for checkpoints that are fetched to another place than `torch.hub`'s directory: into the
    working directory, below the home directory, or to a temporary file.

    ## Why is this bad?

    Files appear where users do not expect them, every directory gets its own copy, and
    `TORCH_HOME`, with which people choose the disk for downloads, has no effect.

    ## Example

    ```python
    import os

    import torch

    dependencies = ["torch"]


    def tiny(pretrained=False):
        \"\"\"A tiny network; ``pretrained`` loads its weights.\"\"\"
        model = torch.nn.Linear(2, 1)
        if pretrained:
            path = "tiny-0a1b2c3d.pth"
            if not os.path.exists(path):
                torch.hub.download_url_to_file("https://example.org/tiny-0a1b2c3d.pth", path)
            state = torch.load(path, map_location="cpu", weights_only=True)
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

    - [torch.hub: where are my downloaded models saved?](https://docs.pytorch.org/docs/stable/hub.html#where-are-my-downloaded-models-saved)
    """
    seen: set[Place] = set()
    for download in repo.downloads:
        where = _outside(download)
        if where is not None and download.place not in seen:
            seen.add(download.place)
            yield Finding(
                f"the checkpoint is saved {where}, not in torch.hub's cache",
                download.place,
                help="load it with torch.hub.load_state_dict_from_url",
            )


def _outside(download: Download) -> str | None:
    """Where a call saves a checkpoint, in words; None where that is the cache, or not known."""
    if download.function in URL_LOADERS:
        folder = value(download.argument("model_dir"), UNKNOWN)
        return _spot(folder) if isinstance(folder, str) and folder else None
    if download.function not in _WRITERS:
        return None
    if not download.function.startswith("gdown.") and not _is_of_checkpoint(download):
        return None
    target = download.argument(_WRITERS[download.function])
    if target is None and download.complete:
        if download.function == "urllib.request.urlretrieve":
            return "to a temporary file, anew on every load"
        return "in the user's working directory"
    where = value(target, UNKNOWN)
    return _spot(where) if isinstance(where, str) else None


def _is_of_checkpoint(download: Download) -> bool:
    names = [
        cache_name(item) for name in ("url", "filename", "dst", "out")
        for item, _ in strings(download.argument(name))
    ]  # fmt: skip
    return any(is_checkpoint(name) for name in names)


def _spot(path: str) -> str | None:
    if path.startswith((f"{HUB}/", ROOT)) or path in {HUB, ROOT.rstrip("/")}:
        return None
    if _relative(path):
        return "in the user's working directory"
    home = path.startswith(("~", "/home-directory"))
    return "below the home directory" if home else f"at {path}"
