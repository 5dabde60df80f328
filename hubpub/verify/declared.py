"""The axis ``dependencies``: what a case imported, against what its users are told to install.

By default jobs see the declared packages alone, so that an undeclared one is missing there as it is
for a user, and the import that asks for it fails the case or is coped with. With
``--all-packages`` it is found, and this axis is what names it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from hubpub.check import CheckResult
from hubpub.source.facts import Import
from hubpub.verify.axes import PASS, Evidence, Verdict
from hubpub.verify.explain import Explanation, of_requests
from hubpub.verify.sandbox import packages

_SHOWN = 5


@dataclass(frozen=True)
class Declared:
    """What code may import: ``modules``, or ``unknown``, why that cannot be told.

    ``imports`` are the statements of the tree that the static reader saw. ``hidden`` are modules
    that are installed here, and that jobs do not see.
    """

    modules: frozenset[str] = frozenset()
    unknown: str | None = None
    imports: tuple[Import, ...] = ()
    hidden: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Undeclared:
    module: str
    path: str
    line: int


def read(static: CheckResult, *, elsewhere: bool = False, hides: bool = False) -> Declared:
    """What ``dependencies`` names, what that requires, and what torch requires.

    Args:
        static: the check of the same tree.
        elsewhere: whether jobs use the packages of an image, which the parent cannot look into.
        hides: whether jobs see no other package than these.
    """
    hubconf = static.repo.hubconf
    if elsewhere:
        return Declared(unknown="the packages are those of the image")
    if hubconf is None or not hubconf.dependencies.complete:
        return Declared(unknown="dependencies cannot be read without running it")
    named = {name.partition(".")[0] for name in hubconf.dependencies.names}
    everything = packages.installed()
    try:
        wanted = packages.needed(everything, named)
    except packages.CannotTellError as error:
        return Declared(unknown=str(error))
    brought = (item.modules for item in everything if item.name in wanted)
    modules = frozenset(named).union(*brought)
    all_of_them = frozenset[str]().union(*(item.modules for item in everything))
    hidden = all_of_them - modules if hides else frozenset[str]()
    return Declared(modules, None, static.repo.imports, hidden)


def of_absent(error: object, declared: Declared) -> Explanation | None:
    """What an error means, as a job claims it, that lacks what is hidden, or declared and not here.

    None for any other error, and where what is declared cannot be told.
    """
    module = _lacking_of(error)
    if module is None or declared.unknown is not None or not isinstance(error, dict):
        return None
    if error.get("elsewhere") is True:
        return None
    if module in declared.hidden:
        return Explanation(
            "publisher",
            f"{module} is installed here and hidden from jobs, for `dependencies` does not name "
            "it: add it there, so that users are told (--all-packages shows jobs all that is "
            "installed)",
        )
    if module in declared.modules:
        text = f"{module}, which `dependencies` names, is not installed where hubpub runs"
        return Explanation("dependency", f"{text}: install it there")
    return None


def explained(verdict: Verdict, evidence: Evidence, declared: Declared) -> Verdict:
    """The verdict on ``loads``, with the next step where a package is what it lacks."""
    found = of_absent((evidence.claims or {}).get("error"), declared)
    if found is None or verdict.status != "fail" or of_requests(evidence.requests):
        return verdict
    return replace(verdict, help=found.help, cause=found.cause)


def judge(evidence: Evidence, declared: Declared, *, loaded: bool) -> Verdict:
    """Whether the case imported a package that its users are not told of.

    Args:
        evidence: of the case, with what it claims to have imported.
        declared: what it may import.
        loaded: whether the case passed ``loads``.
    """
    if declared.unknown is not None:
        return Verdict("skipped", f"what may be imported cannot be told: {declared.unknown}")
    claims = evidence.claims
    if claims is None or "imports" not in claims:
        return Verdict("skipped", "the case did not load")
    found = list(_undeclared(evidence.entrypoint, claims, declared))
    if not found:
        return PASS if loaded else Verdict("skipped", "the case did not load")
    names = sorted({item.module for item in found})
    shown = ", ".join(names[:_SHOWN]) + (" and more" if len(names) > _SHOWN else "")
    what = "is" if len(names) == 1 else "are"
    first = min(found, key=lambda item: (item.path, item.line))
    return Verdict(
        "fail",
        f"{shown} {what} imported, and neither named in dependencies nor required by what is",
        help=f"add {', '.join(map(repr, names[:_SHOWN]))} to dependencies in hubconf.py",
        path=first.path,
        line=first.line,
    )


def _undeclared(
    entrypoint: str, claims: Mapping[str, Any], declared: Declared
) -> Iterator[_Undeclared]:
    """What the tree itself asked for: found, or missing so that the case ended with it."""
    lacking = _lacking(claims)
    for item in claims["imports"]:
        top = item["module"]
        if top in declared.modules or top in sys.stdlib_module_names:
            continue
        if top == lacking or (item["found"] and not _copes(declared.imports, item)):
            yield _Undeclared(top, item["path"], item["line"])
    # What torch has loaded already raises no event: here the statement has to be seen as well.
    present = frozenset(claims.get("present", ())) - declared.modules
    for statement in declared.imports:
        top = statement.module.partition(".")[0]
        if top in present and _is_certain(statement, entrypoint):
            yield _Undeclared(top, statement.place.path, statement.place.span.line)


def _lacking(claims: Mapping[str, Any]) -> str | None:
    """The module for whose absence the case failed."""
    return _lacking_of(claims.get("error"))


def _lacking_of(error: object) -> str | None:
    if not isinstance(error, dict) or error.get("type") != "ModuleNotFoundError":
        return None
    return str(error.get("module", "")).partition(".")[0] or None


def _copes(statements: Iterable[Import], item: Mapping[str, Any]) -> bool:
    """Whether the code goes on without the module: an except clause stands around the import."""
    here = (item["path"], item["line"])
    return any(
        statement.guarded and (statement.place.path, statement.place.span.line) == here
        for statement in statements
    )


def _is_certain(statement: Import, entrypoint: str) -> bool:
    if statement.guarded or statement.conditional or statement.origin == "repository":
        return False
    return statement.when == "import" or entrypoint in statement.certain
