"""Which rules the settings and the command line select."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from types import MappingProxyType

from hubpub import rules
from hubpub.config import Settings
from hubpub.diagnostic import Severity
from hubpub.errors import UsageError

MAX_NEAREST = 100
MAX_SELECTOR = 64
"""Only so many unknown selectors, of so many characters, are compared with all known words."""


def is_selected(rule: rules.Rule, settings: Settings) -> bool:
    """Whether the settings select a rule: the longest selector that names it decides."""
    chosen = [
        *(settings.select if settings.select is not None else ("ALL",)),
        *settings.extend_select,
    ]
    wanted = max((rules.matches(selector, rule) for selector in chosen), default=0)
    dropped = max((rules.matches(selector, rule) for selector in settings.ignore), default=0)
    return wanted > dropped


def unknown(selectors: Iterable[str]) -> list[tuple[str, str]]:
    """The selectors that name no rule, each with what to do about it."""
    found: list[tuple[str, str]] = []
    for selector in selectors:
        if not rules.is_known(selector):
            # Looking for the nearest word is slow, and a hostile file may ask for it at length.
            slow = len(found) >= MAX_NEAREST or len(selector) > MAX_SELECTOR
            near = None if slow else rules.nearest(selector)
            advice = f"did you mean {near}?" if near else "`hubpub rule --all` lists the rules"
            found.append((selector, advice))
    return found


def with_options(
    settings: Settings,
    *,
    select: tuple[str, ...] = (),
    ignore: tuple[str, ...] = (),
    extend_select: tuple[str, ...] = (),
    fail_on: str | None = None,
    unsafe_fixes: bool | None = None,
) -> Settings:
    """``settings`` with what the command line says instead or in addition.

    Raises:
        UsageError: a selector names no rule.
    """
    for name, advice in unknown((*select, *ignore, *extend_select)):
        raise UsageError(f"there is no rule {name!r}", help=advice)
    changed = replace(
        settings,
        extend_select=(*settings.extend_select, *extend_select),
        ignore=MappingProxyType({**settings.ignore, **dict.fromkeys(ignore, "")}),
    )
    if select:
        changed = replace(changed, select=select)
    if fail_on is not None:
        changed = replace(changed, fail_on=Severity.from_label(fail_on))
    if unsafe_fixes is not None:
        changed = replace(changed, unsafe_fixes=unsafe_fixes)
    return changed
