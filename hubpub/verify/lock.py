"""hubpub.lock: which file of weights, by its sha256, each entrypoint resolves to in each case.

Nothing in it changes while the publisher changes nothing: no time, machine, device, commit or ref,
and of a download the URL that the code asks for, not where a server sends it. What was not proven
(a call that did not load) is not in it.
"""

from __future__ import annotations

import functools
import json
import re
import stat
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from hubpub.errors import UsageError
from hubpub.verify.egress import Request
from hubpub.verify.harvest import asked, is_checkpoint_name, origins
from hubpub.verify.report import Checkpoint, Entrypoint, Used

VERSION = 1
NAME = "hubpub.lock"
MAX_BYTES = 16 << 20
"""A larger file is no lock (bytes)."""

_SIGNATURE = re.compile(
    r"x-amz-.*|x-goog-.*|awsaccesskeyid|signature|sig|expires|policy|key-pair-id|.*token|confirm|"
    r"uuid|st|se|sp|sv|sr|spr|skoid|sktid|skt|ske|sks|skv",
    re.IGNORECASE,
)
"""Parameters by which a URL is signed, or names one visit: S3, Google, CloudFront, Azure."""

Cases = Mapping[str, tuple[Used, ...]]
"""Name of a case -> the files that it used, sorted."""


@dataclass(frozen=True)
class Lock:
    """``repository`` is ``owner/repo``; None where the lock is of a local path, and fits any."""

    repository: str | None
    entrypoints: Mapping[str, Cases]

    def fits(self, repository: str | None) -> bool:
        """Whether it is of this repository. GitHub does not tell capitals from small letters."""
        if repository is None or self.repository is None:
            return True
        return self.repository.casefold() == repository.casefold()


def files_used(checkpoints: Iterable[Checkpoint], requests: Sequence[Request]) -> tuple[Used, ...]:
    """The files of weights of one job: what it left or opened, and what it downloaded and dropped.

    Args:
        checkpoints: the job's own, each with the name and path under which the job used it.
        requests: what the job asked the network.
    """
    roots = {sha256: _stable(urls) for sha256, urls in asked(requests).items()}
    found = {
        Used(
            item.filename,
            item.sha256,
            item.size,
            item.format,
            roots.get(item.sha256, ()) if item.path is None else (),
            item.path,
        )
        for item in checkpoints
    }
    kept = {item.sha256 for item in found}
    sizes = {request.sha256: request.size for request in requests}
    for sha256, urls in origins(requests).items():
        names = [PurePosixPath(_split(url).path).name for url in urls]
        name = next(filter(is_checkpoint_name, names), None)
        if sha256 not in kept and name is not None:
            found.add(Used(name, sha256, sizes[sha256], None, roots[sha256]))
    return _sorted(found)


def _sorted(files: Iterable[Used]) -> tuple[Used, ...]:
    return tuple(
        sorted(files, key=lambda item: (item.filename, item.path or "", item.sha256, item.urls))
    )


def _stable(urls: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({stable(url) for url in urls}))


def stable(url: str) -> str:
    """``url`` without a login, and without those parameters that sign it or name one visit."""
    parts = _split(url)
    query = "&".join(
        each
        for each in parts.query.split("&")
        if not _SIGNATURE.fullmatch(unquote(each.partition("=")[0]))
    )
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, query, ""))


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:  # brackets that hold no address
        return urlsplit(re.sub(r"[][]", "", url))


def proven(entrypoints: Iterable[Entrypoint]) -> dict[str, Cases]:
    """What of a run can be locked: the cases that load, with the files they used on any device."""
    found: dict[str, Cases] = {}
    for entrypoint in sorted(entrypoints, key=lambda item: item.name):
        cases: dict[str, set[Used]] = {}
        for result in entrypoint.results:
            if result.facts is not None and result.axes["loads"].status == "pass":
                cases.setdefault(result.case, set()).update(result.used)
        if cases:
            found[entrypoint.name] = {case: _sorted(cases[case]) for case in sorted(cases)}
    return found


def to_json(lock: Lock) -> dict[str, Any]:
    """The lock as the documented JSON object, sorted, checked against ``schemas/lock.json``.

    Raises:
        UsageError: it would be larger than what is read again.
    """
    document: dict[str, Any] = {
        "version": VERSION,
        "repository": lock.repository,
        "entrypoints": {
            name: {case: [_fields(item) for item in _sorted(cases[case])] for case in sorted(cases)}
            for name, cases in sorted(lock.entrypoints.items())
        },
    }
    _validate(document)
    if (length := len(json.dumps(document, indent=2))) > MAX_BYTES:
        raise UsageError(
            f"a lock of {length} bytes is larger than the {MAX_BYTES >> 20} MiB that are read",
            help="the entrypoints use too many files to be locked",
        )
    return document


def _fields(item: Used) -> dict[str, Any]:
    return {**asdict(item), "urls": sorted(item.urls)}


def read(file: Path) -> Lock:
    """A lock from a file, which anybody may have written.

    Raises:
        UsageError: the file cannot be read, or is no lock of this version.
    """
    import jsonschema

    advice = "write one with hubpub verify TARGET --write-lock, where there is no such file yet"
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            raise UsageError(f"{file} is not a plain file, so it is no lock", help=advice)
        with file.open("rb") as opened:
            data = opened.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise UsageError(f"{file}: larger than {MAX_BYTES >> 20} MiB, so it is no lock")
        document = json.loads(data, object_pairs_hook=_table)
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}", help=advice) from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{file} is no JSON: {error}"[:500], help=advice) from None
    try:
        _validate(document)
    except jsonschema.ValidationError as error:
        where = "/".join(map(str, error.absolute_path)) or "the top"
        raise UsageError(
            f"{file} is no lock of this version of hubpub: at {where[:300]}, {error.message[:300]}",
            help=advice,
        ) from None
    return _lock(document)


def _lock(document: Mapping[str, Any]) -> Lock:
    return Lock(
        document["repository"],
        {
            name: {
                case: _sorted(
                    Used(**{**item, "size": int(item["size"]), "urls": tuple(sorted(item["urls"]))})
                    for item in files
                )
                for case, files in sorted(cases.items())
            }
            for name, cases in sorted(document["entrypoints"].items())
        },
    )


def _table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object; one that says a name twice would show a reader another lock than it is.

    Raises:
        ValueError: it does.
    """
    found = dict(pairs)
    if len(found) != len(pairs):
        ((twice, _),) = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"{twice[:100]!r} stands twice in one object")
    return found


def _validate(document: object) -> None:
    import jsonschema

    jsonschema.Draft202012Validator(schema()).validate(document)


@functools.cache
def schema() -> Mapping[str, Any]:
    """The JSON Schema (2020-12) of a lock."""
    path = Path(__file__).parent.parent / "schemas" / "lock.json"
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded
