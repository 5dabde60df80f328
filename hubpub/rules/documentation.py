"""HUB2xx: what documents, and ``__all__``, say of the entrypoints."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Iterator

from hubpub.diagnostic import Note, Severity
from hubpub.rules import Finding, rule
from hubpub.rules.entrypoints import listing
from hubpub.source.facts import HubCall, Repo

_PAST = re.compile(r"(?i)change|history|release|news|migrat|whats?.?new|upgrad")
"""Names of documents that speak of what once was."""
_STAND_IN = re.compile(
    r"(?i)[^\w.-]|\.\.|^(?:your|my|the|some|any)_|^(?:x+|_+|model|entry|entrypoint|entry_point|name|"
    r"(?:model|entrypoint|entry|function|callable)_?name|model_id)$"
)
"""Words that stand for a name of the reader's choice."""
_MOST = 20
"""So many places are noted beside a finding."""
_COMPARISONS = 2_000
"""So many pairs of names are compared by spelling; names longer than :data:`_LONG` never are."""
_LONG = 100


def own_loads(repo: Repo) -> list[HubCall]:
    """The examples in documents that load a literal name from this repository.

    Without a known owner, examples of one repository of which a name is found here.
    """
    calls = [
        call
        for call in repo.hub_calls
        if call.document
        and call.named
        and call.function in {"load", "help"}
        and call.entrypoint is not None
    ]
    if repo.own:
        return [call for call in calls if repo.is_own(call.repository)]
    names = {item.name for item in repo.entrypoints}
    loaded = Counter(str(call.repository).lower() for call in calls if call.entrypoint in names)
    most = {name for name, _ in loaded.most_common(1)}
    return [call for call in calls if str(call.repository).lower() in most]


@rule("HUB209", "not-callable-entrypoint", Severity.WARNING)
def not_callable_entrypoint(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks for names that a document loads and that are modules or values, and for entrypoints that
    are coroutine functions (`async def`).

    ## Why is this bad?

    `torch.hub.load` refuses what cannot be called: "Cannot find callable tiny in hubconf". A
    coroutine function is called, but gives a coroutine and no model.

    ## Example

    ```python
    import torch

    dependencies = ["torch"]


    async def tiny():
        \"\"\"A tiny network.\"\"\"
        return torch.nn.Linear(2, 1)
    ```

    ## Use instead

    ```python
    import torch

    dependencies = ["torch"]


    def tiny():
        \"\"\"A tiny network.\"\"\"
        return torch.nn.Linear(2, 1)
    ```
    """
    for item in repo.entrypoints:
        if item.coroutine and not item.leak:
            yield Finding(
                f"{item.name} is a coroutine function: torch.hub.load gives a coroutine, no model",
                item.place,
                help="define it without async",
            )
    loads: dict[str, list[HubCall]] = {}
    for call in own_loads(repo):
        loads.setdefault(str(call.entrypoint), []).append(call)
    for name in repo.namespace.plain:
        if name.name in loads:
            calls = loads[name.name]
            yield Finding(
                f"{calls[0].place.path} loads {name.name}, which is a {name.kind} and cannot be "
                "called",
                name.bound,
                help="bind the name to a function that returns the model",
                notes=tuple(_shown(calls)),
            )


def _shown(calls: Iterable[HubCall]) -> Iterator[Note]:
    for call in list(calls)[:_MOST]:
        yield Note(call.place.path, call.place.span, "it is loaded here")


@rule("HUB210", "ignored-all", Severity.NOTE)
def ignored_all(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks for `__all__` in hubconf.py, and says which names it does not hide.

    ## Why is this bad?

    `torch.hub` does not look at `__all__`: `list` shows every public callable, and `load` takes
    any. Only a leading underscore hides a name.

    ## Example

    ```python
    import torch

    dependencies = ["torch"]
    __all__ = ["tiny"]


    def tiny():
        \"\"\"A tiny network.\"\"\"
        return torch.nn.Linear(2, 1)


    def large():
        \"\"\"A large network, not for everybody.\"\"\"
        return torch.nn.Linear(2, 100)
    ```

    ## Use instead

    ```python
    import torch

    dependencies = ["torch"]


    def tiny():
        \"\"\"A tiny network.\"\"\"
        return torch.nn.Linear(2, 1)


    def _large():
        \"\"\"A large network, not for everybody.\"\"\"
        return torch.nn.Linear(2, 100)
    ```
    """
    listed = repo.namespace.listed
    if listed is None:
        return
    shown = [item.name for item in repo.entrypoints if item.name not in (listed.names or ())]
    if listed.names is None or not shown:
        yield Finding(
            "torch.hub ignores __all__: it shows every public callable of hubconf.py",
            listed.place,
            help="remove it; a leading underscore is what hides a name",
        )
        return
    yield Finding(
        f"torch.hub ignores __all__: it still shows {listing(shown, 8)}",
        listed.place,
        help="put an underscore before what is not meant to be loaded",
    )


@rule("HUB211", "documented-missing-entrypoint", Severity.ERROR)
def documented_missing_entrypoint(repo: Repo) -> Iterator[Finding]:
    """## What it does

    Checks that the names which README, notebooks and docs load from this repository are there.
    Names that stand for others (`<name>`, `model_name`) are left out, and so is everything where
    hubconf.py makes names that cannot be read. In an example that is pinned to a tag, which may
    have had the name, it is a warning; examples of releases before the newest are left out.

    ## Why is this bad?

    Users copy the line, and it fails: "Cannot find callable tinny in hubconf".

    ## Example

    ```python
    import torch

    dependencies = ["torch"]


    def tiny():
        \"\"\"A tiny network.\"\"\"
        return torch.nn.Linear(2, 1)
    ```

    ```markdown
    model = torch.hub.load("octo/net:v1.0", "tiny", trust_repo=True)
    other = torch.hub.load("octo/net:v1.0", "tinny", trust_repo=True)
    ```

    ## Use instead

    ```python
    import torch

    dependencies = ["torch"]


    def tiny():
        \"\"\"A tiny network.\"\"\"
        return torch.nn.Linear(2, 1)
    ```

    ```markdown
    model = torch.hub.load("octo/net:v1.0", "tiny", trust_repo=True)
    ```
    """
    if repo.hubconf is None or repo.dynamic or repo.failures or repo.problems:
        return
    missing: dict[str, list[HubCall]] = {}
    for call in own_loads(repo):
        name = str(call.entrypoint)
        past = _PAST.search(call.place.path.rpartition("/")[2]) or call.ref in repo.git.tags[:-1]
        if name not in repo.namespace.names and not past and not _STAND_IN.search(name):
            missing.setdefault(name, []).append(call)
    names = [item.name for item in repo.entrypoints if not item.leak]
    left = _COMPARISONS
    for name, calls in missing.items():
        first = next((call for call in calls if call.ref is None), calls[0])
        left -= len(names)
        near = _nearest(name, names) if left >= 0 else None
        yield Finding(
            f"{first.place.path} loads {name}, which hubconf.py does not have",
            first.place,
            Severity.WARNING if first.ref is not None else None,
            help=f"did you mean {near}?"
            if near
            else f"the names that can be loaded are {listing(names, 5)}"
            if names
            else "take the example out, or define it",
            notes=tuple(_shown(call for call in calls if call is not first)),
        )


def _nearest(name: str, names: list[str]) -> str | None:
    folded = {other.lower(): other for other in names if len(other) <= _LONG}
    if len(name) > _LONG:
        return None
    found = difflib.get_close_matches(name.lower(), folded, n=1, cutoff=0.6)
    return folded[found[0]] if found else None
