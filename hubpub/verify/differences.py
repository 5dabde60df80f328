"""Where the tree of GitHub's zip is not that of a clone, and what of it a job came across.

A publisher tries a release in a clone, and a user of torch.hub gets the zip: its submodules are
empty, its LFS files pointers, its symbolic links text, and ``export-ignore`` takes files away
(gitattributes; ``git archive``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

from hubpub.verify.git import Entry
from hubpub.verify.report import Entrypoint, Finding

_MOST, _SHOWN = 500, 3
_POINTER = b"version https://git-lfs.github.com/spec/"
_POINTER_BYTES = 1024  # the specification of LFS: "less than 1024 bytes"
NAME = "not-as-in-a-clone"
"""What its findings are called."""
_SAID = {
    "submodule": ("is a submodule, which is empty in GitHub's zip", "copy what is needed of it"),
    "lfs": ("is a pointer of Git LFS in GitHub's zip", "upload the file to a release"),
    "link": ("is a symbolic link, which is a text file in GitHub's zip", "put the file there"),
    "ignored": (
        "is not in GitHub's zip, for .gitattributes says export-ignore",
        "take that line away",
    ),
}


def differences(entries: Iterable[Entry], root: Path) -> dict[str, str]:
    """Path -> submodule, lfs, link or ignored; at most :data:`_MOST`, by name.

    Args:
        entries: what the tree holds for git.
        root: where what the zip holds is laid out.
    """
    listed = list(entries)
    lfs = any(_filters(root / entry.path) for entry in listed if _is_attributes(entry.path))
    found = {}
    for entry in listed:
        path = root / entry.path
        if entry.mode == "160000":
            found[entry.path] = "submodule"
        elif not path.is_file():
            found[entry.path] = "ignored"
        elif entry.mode == "120000":
            found[entry.path] = "link"
        elif lfs and entry.size < _POINTER_BYTES and _starts(path, _POINTER):
            found[entry.path] = "lfs"
    return dict(sorted(found.items())[:_MOST])


def told(entrypoint: Entrypoint, touched: Iterable[str], known: Mapping[str, str]) -> Entrypoint:
    """``entrypoint`` with what of ``known`` it says it opened."""
    opened = {path: known[path] for path in sorted(set(touched) & known.keys())}
    return replace(entrypoint, unlike_a_clone=opened)


def met(touched: Mapping[str, Iterable[str]], known: Mapping[str, str]) -> list[Finding]:
    """A finding for each path of ``known`` that entrypoints say they opened.

    Args:
        touched: entrypoint -> paths.
        known: as :func:`differences` has it.
    """
    by_path: dict[str, list[str]] = {}
    for entrypoint, paths in touched.items():
        for path in set(paths) & known.keys():
            by_path.setdefault(path, []).append(entrypoint)
    return [_finding(path, known[path], sorted(names)) for path, names in sorted(by_path.items())]


def _finding(path: str, kind: str, names: list[str]) -> Finding:
    what, mend = _SAID[kind]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return Finding(
        "verify",
        NAME,
        "warning",
        f"{path} {what}: opened by {', '.join(names[:_SHOWN])}{more}",
        help=f"{mend}: a clone has it, and no user of torch.hub does",
        entrypoint=names[0] if len(names) == 1 else None,
    )


def _is_attributes(path: str) -> bool:
    return PurePosixPath(path).name == ".gitattributes"


def _filters(path: Path) -> bool:
    try:
        return path.stat().st_size < 1 << 20 and b"filter=lfs" in path.read_bytes()
    except OSError:  # itself kept out of the zip
        return False


def _starts(path: Path, words: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(words)) == words
