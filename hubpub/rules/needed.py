"""Which packages hubconf.py needs, and which of them its ``dependencies`` declare."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from hubpub.source.facts import Import, Repo, Requirement
from hubpub.source.packages import REQUIRED, module_of

ACCEPTED = {"list", "tuple", "set", "dict", "frozenset"}
"""Kinds of ``dependencies`` that torch.hub._check_dependencies goes through item by item."""

_MODULE = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_DISTRIBUTION = re.compile(r"[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?")
_REQUIREMENT = re.compile(
    r"\s*([A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)\s*(?:\[[^\]]*\])?\s*"
    r"(?:\(?\s*(?:===|[<>=!~]=|[<>=]).*|[@;].*)?\s*",
    re.DOTALL,
)


def named(text: str) -> bool:
    """Whether an item of ``dependencies`` may be meant for a package, right or wrong."""
    return bare(text) is not None


def bare(text: str) -> str | None:
    """What an item names without version, extra and marker: ``torch>=1.6`` names torch.

    The text itself where it is a name already, be it of a module or of a distribution; empty for an
    address of one; None for what can be neither.
    """
    if len(text) > 200:
        return None
    if _MODULE.fullmatch(text) or _DISTRIBUTION.fullmatch(text):
        return text
    match = _REQUIREMENT.fullmatch(text)
    if match is not None:
        name = match.group(1)
        return (module_of(name) or name).partition(".")[0]
    return "" if re.match(r"\w+(\+\w+)?://", text) else None


def listed(repo: Repo) -> tuple[Requirement, ...]:
    """The items that torch.hub goes through."""
    found = repo.hubconf.dependencies if repo.hubconf else None
    return found.items if found is not None and found.kind in ACCEPTED else ()


def is_own(repo: Repo, name: str) -> bool:
    """Whether ``name`` is a module of the repository, and no package of the same name is meant."""
    imports = [item for item in repo.imports if item.package == name]
    outside = any(item.origin == "third party" for item in imports)
    # A folder without modules may have the name of a package that wins over it.
    own = repo.published.is_module(name) or any(item.file for item in imports)
    return own and not outside and name != "torch"


def third_party(repo: Repo) -> dict[str, Import]:
    """The packages that must be there: per package the import that hurts first, torch aside."""
    found: dict[str, Import] = {}
    own = {missing.item.package for missing in repo.absent}
    leaks = {item.name for item in repo.entrypoints if item.leak}
    for item in (_meant(one, leaks) for one in repo.imports):
        counts = item.origin == "third party" and item.package != "torch" and not item.guarded
        if not counts or (item.when == "import" and item.conditional) or item.package in own:
            continue
        known = found.get(item.package)
        if known is None or _urgency(item) > _urgency(known):
            found[item.package] = item
        elif _urgency(item) == _urgency(known):
            names = tuple(dict.fromkeys((*known.entrypoints, *item.entrypoints)))
            found[item.package] = replace(known, entrypoints=names)
    return found


def _meant(item: Import, leaks: set[str]) -> Import:
    """An import as those entrypoints reach it that are meant as such, and most surely reach it."""
    if item.when == "import":
        return item
    names = tuple(name for name in item.entrypoints if name not in leaks) or item.entrypoints
    certain = tuple(name for name in names if name in item.certain)
    return replace(item, entrypoints=certain or names, conditional=not certain)


def everywhere(repo: Repo, item: Import) -> bool:
    """Whether nothing can be loaded without an import, as :func:`third_party` gives it."""
    names = {one.name for one in repo.entrypoints if not one.leak}
    return item.when == "import" or (not item.conditional and names <= set(item.entrypoints))


def _urgency(item: Import) -> int:
    return 2 * (item.when == "import") + (not item.conditional)


def declared(repo: Repo) -> frozenset[str]:
    """The packages that ``dependencies`` means to name, also where it spells them wrongly."""
    names = repo.hubconf.dependencies.names if repo.hubconf else frozenset()
    meant = {bare(name) or "" for name in names}
    modules = {module_of(name) or "" for name in meant if name}
    return frozenset(name.partition(".")[0] for name in (*names, *meant, *modules) if name)


def brought_by(name: str, others: Iterable[str]) -> str | None:
    """The package that installs ``name`` along with itself: torch, or one of ``others``."""
    for other in ("torch", *sorted(others)):
        seen, pending = {other}, [other]
        while pending:
            needs = REQUIRED.get(pending.pop(), frozenset()) - seen
            if name in needs:
                return other
            seen |= needs
            pending += sorted(needs)
    return None
