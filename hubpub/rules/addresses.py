"""HUB4xx: where checkpoints are fetched from, and what the hosts say of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import SplitResult, parse_qs, urlsplit

from hubpub.diagnostic import Severity
from hubpub.hosts import is_local_name
from hubpub.rules import Finding, rule
from hubpub.rules.cached import (
    cache_name,
    is_checkpoint,
    is_stamp,
    shown,
    strings,
    visible_hash,
)
from hubpub.source.facts import RELEASE_LIMIT, Answer, Place, Repo

_DOMAINS = {
    "drive.google.com": "Google Drive", "docs.google.com": "Google Drive",
    "drive.usercontent.google.com": "Google Drive", "dropbox.com": "Dropbox",
    "dl.dropboxusercontent.com": "Dropbox", "1drv.ms": "OneDrive", "onedrive.live.com": "OneDrive",
    "sharepoint.com": "OneDrive", "mega.nz": "MEGA", "mediafire.com": "MediaFire",
    "pan.baidu.com": "Baidu Pan", "we.tl": "WeTransfer", "disk.yandex.ru": "Yandex Disk",
}  # fmt: skip
_PAGE = re.compile(r"/[^/]+/[^/]+(?:/-)?/blob/.+")
_PEEK = 1024


def urls(repo: Repo) -> Iterator[tuple[str, Place]]:
    """The URLs of checkpoints that calls fetch, each once a place."""
    seen: set[tuple[str, Place]] = set()
    for download in repo.downloads:
        for url, place in strings(download.argument("url")):
            plain = download.function == "requests.get" and not is_checkpoint(cache_name(url))
            if "://" in url and not plain and (url, place) not in seen:
                seen.add((url, place))
                yield url, place


def _parts(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return parts if parts.hostname else None


@rule("HUB408", "plain-http", Severity.WARNING)
def plain_http(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks for checkpoints that are fetched by `http:` or `ftp:`, or from a host that only the
    publisher can reach: localhost, or a private address.

    ## Why is this bad?

    On the way, anybody can put another file in the place of the one that is meant, and a pickle
    runs code. Nobody else can reach a private address at all.

    ## Example

    ```python
    import torch

    dependencies = ["torch"]


    def tiny(pretrained=False):
        \"\"\"A tiny network; ``pretrained`` loads its weights.\"\"\"
        model = torch.nn.Linear(2, 1)
        if pretrained:
            state = torch.hub.load_state_dict_from_url(
                "http://example.org/tiny-0a1b2c3d.pth",
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

    - [torch.hub.load_state_dict_from_url](https://docs.pytorch.org/docs/stable/hub.html#torch.hub.load_state_dict_from_url)
    """
    for url, place in urls(repo):
        parts = _parts(url)
        if parts is None:
            continue
        if is_local_name(parts.hostname or ""):
            message = f"{parts.hostname} is a host that nobody else can reach"
            yield Finding(message, place, help="publish it where everybody can fetch it")
        elif parts.scheme.lower() in {"http", "ftp"}:
            message = f"the checkpoint comes from {parts.hostname} by plain {parts.scheme.lower()}"
            yield Finding(message, place, help="write https://, or move it to a host that has it")


@rule("HUB409", "unreliable-host", Severity.NOTE)
def unreliable_host(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks for checkpoints on hosts that are made for sharing between people: Google Drive,
    Dropbox, OneDrive and their like. A page that shows a file (`/blob/` on GitHub, GitLab and
    Hugging Face) is an error.

    ## Why is this bad?

    Such hosts answer with a page ("cannot scan for viruses", "too many downloads") as soon as a
    file is large or liked, and `torch.hub` saves the page as the checkpoint. A link to a page that
    shows the file never gives the file.

    ## Example

    ```python
    import torch

    dependencies = ["torch"]


    def tiny(pretrained=False):
        \"\"\"A tiny network; ``pretrained`` loads its weights.\"\"\"
        model = torch.nn.Linear(2, 1)
        if pretrained:
            state = torch.hub.load_state_dict_from_url(
                "https://www.dropbox.com/s/abc/tiny-0a1b2c3d.pth?dl=1",
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
                "https://github.com/octo/net/releases/download/v1.0/tiny-0a1b2c3d.pth",
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
    for url, place in urls(repo):
        parts = _parts(url)
        if parts is None:
            continue
        host = (parts.hostname or "").removeprefix("www.")
        known = next((item for item in _DOMAINS if host == item or host.endswith(f".{item}")), None)
        if known is not None:
            message = f"{_DOMAINS[known]} gives a page where a file is large or much liked"
            yield Finding(message, place, help="attach it to a GitHub release, or use Hugging Face")
        elif _is_page(host, parts):
            yield Finding(
                f"{shown(url)} is a page that shows the file, not the file",
                place,
                Severity.ERROR,
                "write resolve instead of blob" if "huggingface" in host else "write raw, not blob",
            )


def _is_page(host: str, parts: SplitResult) -> bool:
    if host not in {"github.com", "gitlab.com", "huggingface.co"}:
        return False
    return bool(_PAGE.fullmatch(parts.path)) and "raw" not in parse_qs(parts.query)


@rule("HUB414", "unreachable-checkpoint", Severity.ERROR)
def unreachable_checkpoint(repo: Repo) -> Iterator[Finding]:
    """## What it does

    With `--online`, asks the host of each checkpoint whether it is there: the host does not exist,
    the file is gone or asks for a login, what comes is a page or a pointer of git LFS, nothing, or
    of another size than the same stamped name has elsewhere. What cannot be told, because of a
    timeout or a host that refuses to answer, is said on stderr and is no finding.

    ## Why is this bad?

    The load fails for everyone who does not have the file in the cache yet, which the publisher
    does.

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
                check_hash=True,
                weights_only=True,
            )
            model.load_state_dict(state)
        return model
    ```

    ```text title="answers.txt"
    https://example.org/tiny-0a1b2c3d.pth 404
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

    ```text title="answers.txt"
    https://example.org/tiny-0a1b2c3d.pth 200
    ```

    ## References

    - [torch.hub.load_state_dict_from_url](https://docs.pytorch.org/docs/stable/hub.html#torch.hub.load_state_dict_from_url)
    """
    sizes = _sizes(repo)
    for url, place in urls(repo) if repo.answers else ():
        answer = repo.answers.get(url)
        reason = _unreachable(answer) if answer is not None else None
        if answer is not None and reason is None and answer.size is not None:
            other = sizes.get(cache_name(url), (answer.size, ""))
            if other[0] != answer.size:
                reason = f"has {answer.size} bytes, and {other[1]} has {other[0]}"
        if reason is not None:
            yield Finding(f"{shown(url)} {reason}", place, help="publish it again, or mend the URL")


def _unreachable(answer: Answer) -> str | None:
    """Why a checkpoint cannot be loaded from where the answer came; None where it can, or may."""
    if answer.unknown_host:
        return "names a host that does not exist"
    if answer.status in {404, 410}:
        return f"is gone: the host answers {answer.status}"
    if answer.status == 401:
        return "asks for a login, and torch.hub sends none"
    if answer.status not in {200, 206}:
        return None
    if answer.start.startswith(b"version https://git-lfs"):
        return "is a pointer of git LFS, not the file"
    if answer.start.lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml", b"<head")):
        return "is a page, not a file"
    return "is empty" if answer.size == 0 else None


def _sizes(repo: Repo) -> dict[str, tuple[int, str]]:
    """Names with a stamp, and how many bytes the first file of that name has, and where."""
    found: dict[str, tuple[int, str]] = {}
    for file in repo.checkpoints:
        name = cache_name(file.path)
        if is_stamp(visible_hash(name)) and file.size >= _PEEK:
            found.setdefault(name, (file.size, file.path))
    for url in sorted(repo.answers):
        answer, name = repo.answers[url], cache_name(url)
        if is_stamp(visible_hash(name)) and answer.size and _unreachable(answer) is None:
            found.setdefault(name, (answer.size, shown(url)))
    return found


def large_answers(repo: Repo) -> Iterator[Finding]:
    """The part of HUB401 that is about URLs."""
    for url, place in urls(repo) if repo.answers else ():
        answer = repo.answers.get(url)
        if answer is not None and (answer.size or 0) > RELEASE_LIMIT:
            yield Finding(
                f"{shown(url)} is {(answer.size or 0) / (1 << 30):.1f} GiB; the loader starts anew "
                "whenever the connection breaks",
                place,
                help="split it, or store it in half precision",
            )
