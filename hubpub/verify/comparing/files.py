"""The files of weights of one report, as far as what both ran used them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urljoin

from hubpub.verify.comparing.covered import Both, Side, loads
from hubpub.verify.egress import Request
from hubpub.verify.harvest import asked
from hubpub.verify.lock import stable

User = tuple[str, str]
"""An entrypoint and a case."""


@dataclass(frozen=True)
class File:
    """One content. ``urls`` are as hubpub.lock has them: without what signs them."""

    sha256: str
    filename: str
    size: int
    urls: tuple[str, ...]
    path: str | None = None
    format: str | None = None
    stamp: str | None = None
    weights_only: str | None = None
    unsafe: frozenset[str] = frozenset()
    users: frozenset[User] = frozenset()
    read: bool = True
    """Whether a case that loads used it. Else the loader may have refused it."""

    @property
    def entrypoints(self) -> frozenset[str]:
        """Who uses it."""
        return frozenset(name for name, _ in self.users)

    @property
    def where(self) -> str:
        """The place it comes from, for a person."""
        return next(iter(self.urls), self.path or self.filename)


Files = Mapping[str, File]
"""By sha256."""


def used(both: Both) -> tuple[Files, Files]:
    """What the results that stand in both reports used, in OLD and in NEW.

    A body that the other report knows as weights, by its URL, is among them too: torch.hub leaves
    no file of a download whose stamp does not match.
    """
    old, new = (_used(both, side) for side in (both.old, both.new))
    return (
        {**_served(both.old, new, old, both.names), **old},
        {**_served(both.new, old, new, both.names), **new},
    )


def _used(both: Both, side: Side) -> dict[str, File]:
    users: dict[str, set[User]] = {}
    read: set[str] = set()
    only: dict[str, Mapping[str, Any]] = {}
    for pair in both.pairs:
        result = pair.old if side is both.old else pair.new
        records = {item["sha256"]: item for item in result.get("used", ())}
        for sha256 in {*result["checkpoints"], *records}:
            users.setdefault(sha256, set()).add((pair.entrypoint, pair.case))
            if loads(result):
                read.add(sha256)
        for sha256, record in records.items():
            only.setdefault(sha256, record)
    found: dict[str, File] = {}
    for item in sorted(side.document["checkpoints"], key=_by_name):
        sha256 = item["sha256"]
        if sha256 in users:
            file, known = _of_checkpoint(item), found.get(sha256)
            urls = tuple(dict.fromkeys((*known.urls, *file.urls))) if known else file.urls
            found[sha256] = replace(known or file, urls=urls)
    for sha256, record in only.items():
        if sha256 not in found:
            found[sha256] = _file(record)
    return {
        sha256: replace(file, users=frozenset(users[sha256]), read=sha256 in read)
        for sha256, file in found.items()
    }


def _by_name(item: Mapping[str, Any]) -> tuple[Any, ...]:
    return (item["filename"], item["path"] or "", item["urls"])


def _of_checkpoint(item: Mapping[str, Any]) -> File:
    return replace(
        _file(item),
        stamp=item["stamp"]["status"],
        weights_only=item["weights_only"]["status"],
        unsafe=frozenset(item["unsafe_globals"]),
    )


def _file(item: Mapping[str, Any]) -> File:
    urls = tuple(dict.fromkeys(map(_stable, item["urls"])))
    return File(item["sha256"], item["filename"], item["size"], urls, item["path"], item["format"])


def _stable(url: str) -> str:
    """As hubpub.lock has a URL; what a report calls one and is none stays as it is."""
    try:
        return stable(url)
    except ValueError:
        return url


def _is_url(request: Mapping[str, Any]) -> bool:
    """Whether the URL and where it redirects to can be joined, which nobody says of a report."""
    try:
        urljoin(request["url"], request.get("location") or "")
    except ValueError:
        return False
    return True


def _served(side: Side, other: Files, own: Files, names: Iterable[str]) -> dict[str, File]:
    """The bodies behind the URLs of ``other`` that are none of ``own``."""
    wanted = {url: file for file in other.values() for url in file.urls}
    found: dict[str, File] = {}
    for request, sha256, url in _bodies(side, frozenset(names)):
        file = wanted.get(url)
        if file is not None and sha256 not in own and sha256 not in found:
            name = PurePosixPath(file.filename).name
            size = int(request["bytes"])
            found[sha256] = File(sha256, name, size, (url,), users=file.users, read=False)
    return found


def _bodies(side: Side, names: frozenset[str]) -> Iterator[tuple[Mapping[str, Any], str, str]]:
    """Each whole body that those entrypoints were sent, with the URL that was asked for it."""
    log = [
        item
        for item in side.document["network"]
        if item["decision"] == "allowed" and item.get("entrypoint") in names and _is_url(item)
    ]
    by_body = {item["sha256"]: item for item in log if item["sha256"] and item["status"] == 200}
    requests = [
        Request(
            "", item.get("method", "GET"), item["url"], item["decision"], status=item["status"],
            sha256=item["sha256"], location=item.get("location"),
        )
        for item in log
    ]  # fmt: skip
    for sha256, urls in asked(requests).items():
        for url in urls:
            yield by_body[sha256], sha256, _stable(url)
