"""What is around the loads: hosts, findings, the lock, claims; and how each report was made."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urljoin, urlsplit

from hubpub.verify import differences, findings
from hubpub.verify.comparing.change import Change, Document, Unlike, change
from hubpub.verify.comparing.covered import Both, Side, placed
from hubpub.verify.report import AXES
from hubpub.verify.stopping import STOPPED

_OF_THE_RUN = {
    findings.PART, findings.EMPTY_SHARD, findings.NOTHING_RUN, STOPPED, "deadline", "interrupted",
    "not-verified", "no-sandbox", "supplied-files", "cannot-list", "locked", "not-compared",
}  # fmt: skip
"""Findings that say how a run went, or what stands elsewhere in its report too."""
_OF_ALL = {findings.CLASH, differences.NAME}
"""Findings that only a run of all entrypoints makes of all of them."""
_OF_AXES = {axis.replace("_", "-") for axis in AXES}
_SHOWN = 3


def of_hosts(both: Both) -> Iterator[Change]:
    """Hosts that the code asks; and, apart, those that only servers lead to."""
    names = frozenset(both.names)
    (old_asked, old_led), (new_asked, new_led) = (
        _hosts(side, names) for side in (both.old, both.new)
    )
    for host in new_asked.keys() - old_asked.keys():
        yield change("host-new", host, *new_asked[host])
    for host in old_asked.keys() - new_asked.keys():
        yield change("host-gone", host, *old_asked[host])
    for host in new_led.keys() - old_led.keys() - old_asked.keys() - new_asked.keys():
        yield change("redirect-new", host, *new_led[host])


Hosts = dict[str, set[str]]


def _hosts(side: Side, names: frozenset[str]) -> tuple[Hosts, Hosts]:
    """Host -> entrypoints: those asked by the code, and those that a redirect named."""
    asked: Hosts = {}
    led: Hosts = {}
    redirected: set[str] = set()
    for request in side.document["network"]:
        name = request.get("entrypoint")
        if name is not None and name not in names:
            continue
        found = led if request["url"] in redirected else asked
        users = found.setdefault(_host(request["url"]), set())
        users.update({name} if name is not None else ())
        if request.get("location"):
            redirected.add(_joined(request["url"], request["location"]))
    return asked, led


def _joined(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:  # brackets that hold no address
        return location


def _host(url: str) -> str:
    """Host and port of a URL, or of what CONNECT names."""
    try:
        place = urlsplit(url if "://" in url else f"//{url}").netloc
    except ValueError:
        place = ""
    return place.rpartition("@")[2].lower() or url


def of_findings(both: Both) -> Iterator[Change]:
    """Findings new and mended: the same where only the line, or else only the path, is another."""
    if None in (both.old.document["commit"], both.new.document["commit"]):
        return
    if any(side.document["status"] == "error" for side in (both.old, both.new)):
        return  # what was not looked for is not mended, and what is found now may not be new
    old, new = _findings(both, both.old), _findings(both, both.new)
    counts = [Counter({key: len(items) for key, items in side.items()}) for side in (old, new)]
    less, more = counts[0] - counts[1], counts[1] - counts[0]
    moved = Counter(_pathless(less)) & Counter(_pathless(more))
    for kind, left, side in (("finding-new", more, new), ("finding-mended", less, old)):
        stay = Counter(moved)
        for key, count in sorted(left.items()):
            here = min(count, stay[key[:-1]])
            stay[key[:-1]] -= here
            if count > here:
                yield _of_finding(
                    kind, _fresh(side[key], (new if side is old else old).get(key, ()))
                )


def _fresh(items: Sequence[Finding], known: Sequence[Finding]) -> Finding:
    """Of one finding at several lines the first that the other report has not."""
    lines = {item["line"] for item in known}
    return min(items, key=lambda item: (item["line"] in lines, item["line"], item["help"] or ""))


Finding = Mapping[str, Any]
Key = tuple[str, str, str, str, str, str]
"""Code, name, severity, message, entrypoint, path."""


def _pathless(keys: Mapping[Key, int]) -> list[tuple[str, ...]]:
    return [key[:-1] for key, count in keys.items() for _ in range(count)]


def _findings(both: Both, side: Side) -> dict[Key, list[Finding]]:
    """The findings of the release, and not of how the run went, by what they say."""
    found: dict[Key, list[Finding]] = {}
    compared = frozenset(both.names)
    for item in side.document["findings"]:
        name, entrypoint = item["name"], item["entrypoint"]
        if item["code"] == "verify":
            told = name in _OF_THE_RUN or (entrypoint is not None and name in _OF_AXES)
            apart = entrypoint is not None and entrypoint not in compared
            if told or apart or (both.left and name in _OF_ALL):
                continue
        words = (item["code"], name, item["severity"], item["message"], entrypoint or "")
        found.setdefault((*words, item["path"]), []).append(item)
    return found


def _of_finding(kind: str, item: Finding) -> Change:
    name, entrypoint = item["name"], item["entrypoint"]
    new = kind == "finding-new"
    advice = item["help"] or (None if item["code"] == "verify" else f"hubpub rule {item['code']}")
    return change(
        kind,
        item["path"],
        *([entrypoint] if entrypoint else []),
        what=name if item["code"] == "verify" else f"{item['code']} {name}",
        reason=item["message"],
        severity=item["severity"] if new else None,
        place=placed(item) if new else None,
        advice=advice if new else None,
    )


def of_lock(both: Both) -> Iterator[Change]:
    """What the comparisons with hubpub.lock came to."""
    locks = [side.document.get("lock") for side in (both.old, both.new)]
    old, new = (_rows(lock) for lock in locks)
    more, less = list(_without(new, old)), list(_without(old, new))
    counts: dict[str, Any] = {"old": len(old), "new": len(new)}
    if more:
        counts["old"] = None if locks[0] is None else len(old)
        names = {row[0] for row in more}
        yield change("lock-broken", "hubpub.lock", *names, reason=_few_rows(more), **counts)
    if less and locks[1] is not None:
        names = {row[0] for row in less}
        yield change("lock-mended", "hubpub.lock", *names, reason=_few_rows(less), **counts)
    if locks[0] is not None and locks[1] is None:
        yield change("lock-unchecked", "hubpub.lock")
    if locks[0] is None and locks[1] is not None and not more:
        yield change("lock-gained", "hubpub.lock")


Row = tuple[str, str, str, str, str]


def _rows(lock: Mapping[str, Any] | None) -> list[Row]:
    """Entrypoint, case, file, what, found: each difference once, in its order."""
    keys = ("entrypoint", "case", "file", "what", "found")
    rows = lock["differences"] if lock else ()
    return list(dict.fromkeys(tuple(row[key] or "" for key in keys) for row in rows))  # type: ignore[misc]


def _without(rows: Iterable[Row], known: Iterable[Row]) -> Iterator[Row]:
    there = set(known)
    return (row for row in rows if row not in there)


def _few_rows(rows: Iterable[Row]) -> str:
    said = []
    for entrypoint, case, file, what, _ in rows:
        place = f"{entrypoint} ({case})" if case not in {"", "default"} else entrypoint
        said.append(f"{place}: {what}" + (f" of {file}" if file else ""))
    more = f" and {len(said) - _SHOWN} more" if len(said) > _SHOWN else ""
    return "; ".join(said[:_SHOWN]) + more


def of_claims(both: Both) -> Iterator[Change]:
    """What a loaded model says of itself: class and parameter count. Claims, and marked as such."""
    for pair in both.pairs:
        if not pair.load:
            continue
        for what in ("type", "parameters"):
            old, new = pair.old["claims"].get(what), pair.new["claims"].get(what)
            if old != new and _plain(old) and _plain(new):
                yield change(
                    "claim-changed", pair.subject, pair.entrypoint,
                    case=pair.case, device=pair.device, what=what, old=old, new=new, claim=True,
                )  # fmt: skip


def _plain(value: object) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)


def unlike(old: Document, new: Document) -> Iterator[Unlike]:
    """How the runs themselves differ: versions, sandbox, limits, options."""
    here, there = _made(old), _made(new)
    for what in here:
        if here[what] is not None and there.get(what) is not None:
            one, other = here[what], there[what]
            if not isinstance(one, dict):
                one, other = {"": one}, {"": other}
            for key in sorted(one.keys() | other.keys()):
                if one.get(key) != other.get(key):
                    yield Unlike(
                        f"{what} {key}".strip(), _said(one.get(key)), _said(other.get(key))
                    )


def _made(document: Document) -> dict[str, Any]:
    """How a report was made; None where an earlier version did not write it."""
    environment, sandbox = document["environment"], document["sandbox"]
    names = ("hubpub", "torch", "python", "platform", "devices")
    return {
        **{name: environment[name] for name in names},
        "GPU": _gpus(environment),
        "sandbox": sandbox["tier"],
        "packages": sandbox.get("packages"),
        "limit": sandbox.get("limits") or None,
        "option": document.get("options") or None,
    }


def _gpus(environment: Mapping[str, Any]) -> list[str]:
    found = [item.get("name") or item["device"] for item in environment.get("accelerators", ())]
    return sorted(found)


def _said(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(_said, value)) or "none"
    return value if isinstance(value, str) else "none" if value is None else json.dumps(value)
