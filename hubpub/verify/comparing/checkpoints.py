"""Weights: replaced behind their URL (the alarm), unsafe now, renamed, moved, gone, new."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from hubpub.verify.comparing.change import Change, Thresholds, change
from hubpub.verify.comparing.costs import grew
from hubpub.verify.comparing.covered import Both
from hubpub.verify.comparing.files import File, Files, User, used

_UNPICKLES = {"safetensors": 0, "zip": 1, "legacy-zip": 2, "legacy": 2, "torchscript": 3}
"""How much of a format is code: none, what torch.load guards, a bare pickle stream, a program."""
_SHOWN = 5
Pair = tuple[File, File]


@dataclass(frozen=True)
class Weights:
    """The files that both reports saw in use, and which of NEW stands where one of OLD stood."""

    old: Files
    new: Files
    pairs: tuple[tuple[File, File], ...]
    same_commit: bool

    @property
    def gone(self) -> list[File]:
        """Those of OLD that nothing in NEW stands for."""
        paired = {old.sha256 for old, _ in self.pairs}
        return [file for sha256, file in self.old.items() if sha256 not in paired]

    @property
    def added(self) -> list[File]:
        """Those of NEW that stand for nothing in OLD."""
        paired = {new.sha256 for _, new in self.pairs}
        return [file for sha256, file in self.new.items() if sha256 not in paired]


def weights(both: Both) -> Weights:
    """Pair the files of both: by URL, by content, by path, and by who alone uses them."""
    old, new = used(both)
    commits = {side.document["commit"] for side in (both.old, both.new)}
    same_commit = len(commits) == 1 and None not in commits
    return Weights(old, new, tuple(_paired(old, new)), same_commit)


def _paired(old: Files, new: Files) -> Iterator[Pair]:
    """A file of OLD stands in two pairs where it is behind one of its URLs, and not another one."""
    by_url: dict[str, dict[str, File]] = defaultdict(dict)
    for sha256 in sorted(new):
        for url in new[sha256].urls:
            by_url[url][sha256] = new[sha256]
    left: dict[str, File] = {}
    taken: set[str] = set()
    for sha256, file in sorted(old.items()):
        behind = [by_url[url] for url in file.urls if url in by_url]
        other = next((files for files in behind if sha256 not in files), None)
        found = [next(iter(other.values()))] if other else []
        if sha256 in new and (not other or any(sha256 in files for files in behind)):
            found.append(new[sha256])
        yield from ((file, each) for each in found)
        taken.update(each.sha256 for each in found)
        if not found:
            left[sha256] = file
    rest = {sha256: new[sha256] for sha256 in sorted(new) if sha256 not in taken}
    for key in (_by_path, _by_users):
        here, there = _only(left, key), _only(rest, key)
        for each in sorted(here.keys() & there.keys(), key=str):
            yield left.pop(here[each]), rest.pop(there[each])


def _by_path(file: File) -> object:
    return file.path


def _by_users(file: File) -> object:
    return tuple(sorted(file.users))


def _only(files: Files, key: Callable[[File], object]) -> dict[object, str]:
    """The file of each key that no other one has; None is no key."""
    found: dict[object, list[str]] = defaultdict(list)
    for sha256, file in files.items():
        found[key(file)].append(sha256)
    return {name: each[0] for name, each in found.items() if name is not None and len(each) == 1}


def of_weights(both: Both, limits: Thresholds) -> Iterator[Change]:
    """Every change of the weights that both reports saw in use."""
    found = weights(both)
    for pair in found.pairs:
        old, new = pair
        if old.read:
            yield from _of_content(pair, same_commit=found.same_commit)
        if old.read and new.read:
            yield from _of_stamp(pair)
            yield from _of_format(pair)
            yield from _of_size(pair, limits)
    yield from _of_safety(found)
    loading = _loading(both)
    random = _now_without(found, loading)
    for name, case in sorted(random):
        subject = name if case == "default" else f"{name} ({case})"
        yield change("weights-gone", subject, name, case=case)
    yield from _gone_and_new(found, loading - random)


Sides = tuple[str | float | None, str | float | None]


def _of_pair(
    kind: str, pair: Pair, what: str, sides: Sides, subject: str = "", reason: str | None = None
) -> Change:
    old, new = pair
    names = old.entrypoints | new.entrypoints
    place = subject or new.where
    return change(kind, place, *names, what=what, old=sides[0], new=sides[1], reason=reason)


def _of_content(pair: Pair, *, same_commit: bool) -> Iterator[Change]:
    old, new = pair
    known = set(old.urls)
    shared = [url for url in new.urls if url in known]
    if old.sha256 == new.sha256:
        if old.filename != new.filename:
            sides = (old.filename, new.filename)
            yield _of_pair("checkpoint-renamed", pair, "filename", sides)
        if not shared and old.where != new.where and (old.urls or new.urls):
            yield _of_pair("checkpoint-moved", pair, "url", (old.where, new.where))
        return
    sides = (old.sha256, new.sha256)
    if shared:
        reason = None if new.read else "the loader refused it"
        yield _of_pair("checkpoint-replaced", pair, "sha256", sides, shared[0], reason)
    elif same_commit and new.urls:
        yield _of_pair("checkpoint-drifted", pair, "sha256", sides)
    else:
        reason = None if old.where == new.where else f"instead of {old.where}"
        yield _of_pair("checkpoint-changed", pair, "sha256", sides, reason=reason)


def _of_stamp(pair: Pair) -> Iterator[Change]:
    old, new = (file.stamp for file in pair)
    if old is not None and new is not None and old != new and "match" in {old, new}:
        kind = "stamp-lost" if old == "match" else "stamp-gained"
        yield _of_pair(kind, pair, "stamp", (old, new), pair[1].filename)


def _of_format(pair: Pair) -> Iterator[Change]:
    """One that unpickles more is unsafe, and told with the rest that is."""
    old, new = (file.format for file in pair)
    if old is None or new is None or old == new:
        return
    if old not in _UNPICKLES or _unpickles(new) <= _unpickles(old):
        yield _of_pair("format-changed", pair, "format", (old, new))


def _of_size(pair: Pair, limits: Thresholds) -> Iterator[Change]:
    sizes = (pair[0].size, pair[1].size)
    if way := grew(*sizes, limits.download_ratio, limits.download_floor):
        yield _of_pair("larger" if way > 0 else "smaller", pair, "size", sizes)


@dataclass(frozen=True)
class _Before:
    """What stood where a file of NEW stands, as far as it tells how safe that was."""

    any_refused: bool
    all_refused: bool
    unsafe: frozenset[str]
    format: str | None

    @classmethod
    def of(cls, files: Iterable[File]) -> _Before | None:
        """Of these files together; None where there are none."""
        read = [file for file in files if file.read]
        refused = [file.weights_only == "fail" for file in read]
        worst = max((file.format or "" for file in read), key=_unpickles, default=None)
        unsafe = frozenset[str]().union(*(file.unsafe for file in read))
        return cls(any(refused), all(refused), unsafe, worst) if read else None


def _unpickles(form: str) -> int:
    return _UNPICKLES.get(form, -1)


def _of_safety(found: Weights) -> Iterator[Change]:
    """Each file of NEW against what stood in its place, or else what its users had."""
    paired: dict[str, list[File]] = defaultdict(list)
    for old, new in found.pairs:
        paired[new.sha256].append(old)
    by_user = {user: _Before.of(files) for user, files in _of_users(found.old).items()}
    for sha256, new in found.new.items():
        if sha256 in paired:
            before = [_Before.of(paired[sha256])]
        else:
            before = [by_user.get(user) for user in sorted(new.users)]
        yield from _safer_or_not([each for each in before if each is not None], new)


def _safer_or_not(before: list[_Before], new: File) -> Iterator[Change]:
    names = [*new.entrypoints]
    more = sorted(new.unsafe.difference(*(each.unsafe for each in before)))
    form = max((each.format or "" for each in before), key=_unpickles, default="")
    if new.weights_only == "fail" and not any(each.any_refused for each in before):
        sides = {"old": "pass" if before else None, "new": "fail"}
        said = f"it unpickles {_few(more)}" if more else f"its format is {new.format}"
        yield change("newly-unsafe", new.where, *names, what="weights_only", reason=said, **sides)
    elif more:
        said = f"it unpickles {_few(more)}, and did not"
        yield change("newly-unsafe", new.where, *names, what="unsafe_globals", reason=said)
    elif form in _UNPICKLES and _unpickles(new.format or "") > _unpickles(form):
        sides = {"old": form, "new": new.format}
        yield change("newly-unsafe", new.where, *names, what="format", **sides)
    elif new.weights_only == "pass" and before and all(each.all_refused for each in before):
        sides = {"old": "fail", "new": "pass"}
        yield change("safer", new.where, *names, what="weights_only", **sides)


def _few(names: list[str]) -> str:
    shown = ", ".join(names[:_SHOWN])
    return shown + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


def _of_users(files: Files) -> Mapping[User, list[File]]:
    found: dict[User, list[File]] = defaultdict(list)
    for file in files.values():
        for user in file.users:
            if file.read:
                found[user].append(file)
    return found


def _loading(both: Both) -> set[User]:
    """The cases that load in both, on every device that both ran."""
    whole: dict[User, bool] = {}
    for pair in both.pairs:
        user = (pair.entrypoint, pair.case)
        whole[user] = whole.get(user, True) and pair.load
    return {user for user, each in whole.items() if each}


def _now_without(found: Weights, loading: set[User]) -> set[User]:
    """The cases that used weights, load still, and use none."""
    old, new = _of_users(found.old), _of_users(found.new)
    return {user for user in loading if user in old and user not in new}


def _gone_and_new(found: Weights, users: set[User]) -> Iterator[Change]:
    """Files of ``users``: what does not load in one of both, or uses none now, is told as that."""
    for files, kind in ((found.gone, "checkpoint-gone"), (found.added, "checkpoint-new")):
        for file in files:
            if file.read and file.users & users:
                place = file.where
                sides = {"old" if kind.endswith("gone") else "new": file.sha256}
                yield change(kind, place, *file.entrypoints, what="sha256", **sides)
