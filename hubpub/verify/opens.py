"""Opens that nobody explains: a file of weights which the publisher has and no user gets.

Which files were opened is a claim of the job. What lies in the tree, in the job's own directories
or in an installed package is explained; whatever else it opened, the parent saw it neither in a
request nor left behind.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from hubpub.verify.jobs import Done
from hubpub.verify.report import Finding

_MOST, _SHOWN = 20, 200


def unexplained(entrypoint: str, done: Done, told: set[str]) -> list[Finding]:
    """A finding for each file that ``done`` opened elsewhere; ``told`` has those told before.

    The one that the load failed for is not told again: its explanation has said it.
    """
    claims = done.claims or {}
    error = claims.get("error") or {}
    found = []
    for item in claims.get("elsewhere", ()):
        path = str(item["name"])
        if path in told or len(told) >= _MOST or _is_explained(path, done):
            continue
        told.add(path)
        if path not in str(error.get("message", "")):
            found.append(_finding(entrypoint, path, str(item["path"]), int(item["line"])))
    return found


def _is_explained(path: str, done: Done) -> bool:
    """Whether the parent knows of the place."""
    way = PurePosixPath(path)
    places = map(PurePosixPath, (done.tree, done.directory))
    return not way.is_absolute() or any(place in (way, *way.parents) for place in places)


def _finding(entrypoint: str, path: str, place: str, line: int) -> Finding:
    shown = path.encode("ascii", "backslashreplace").decode()[:_SHOWN]
    text = f"{entrypoint} opens {shown}, which is not in the repository and was not downloaded"
    return Finding(
        "verify",
        "unexplained-open",
        "warning",
        f"{text}: its users do not have it",
        place,
        line,
        end_line=line,
        help="upload it to a release and load it with torch.hub.load_state_dict_from_url, or put "
        "it into the repository and find it by __file__",
        entrypoint=entrypoint,
    )
