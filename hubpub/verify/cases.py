"""Which calls prove an entrypoint: its defaults, its weights, and what the repository declares."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hubpub.config import EntrypointSettings, Skip
from hubpub.config.entrypoints import CaseSettings, Expected, Input

_SWITCHES: Mapping[str, Any] = {"pretrained": True, "weights": "DEFAULT"}


@dataclass(frozen=True)
class Case:
    """One way to call an entrypoint.

    ``name`` is default, pretrained or the declared one, ``declared`` whether the repository says
    with what it is called. ``input`` None means that nothing is said to call the model with, and
    ``devices`` None that all of the run's will do. ``limits`` are by the name of the flag.
    """

    name: str
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    declared: bool = False
    input: Input | None = None
    call: str | None = None
    expect: tuple[Expected, ...] = ()
    devices: tuple[str, ...] | None = None
    limits: Mapping[str, float] = field(default_factory=dict)
    skip: Skip | None = None

    def off(self, device: str, today: dt.date) -> str | None:
        """Why it is not run on ``device``, as ``cuda:1``; None where it is."""
        if self.skip is not None and self.skip.active(today):
            return f"{self.skip.reason} (until {self.skip.until})"
        kind = device.partition(":")[0]
        if self.devices is not None and kind not in self.devices:
            return f"its settings say that it runs on {', '.join(self.devices)}"
        return None


def cases(listing: Mapping[str, Any], settings: EntrypointSettings) -> tuple[Case, ...]:
    """The call with defaults (or declared arguments), the one that takes the weights, the declared.

    The second is ``pretrained=True``, or ``weights="DEFAULT"`` where there is only such a
    parameter; it is left out where the repository itself says what to pass there. The first is
    left out where it cannot be made: the entrypoint needs arguments, and only cases have some.
    A declared case of one of these names says more of that one.

    Args:
        listing: what the list job claimed of the entrypoint; ``pretrained`` is true where there is
            a parameter of that name that defaults to ``False``, ``weights`` where there is one
            that defaults to None and takes the members of an enumeration.
        settings: the repository's ``[tool.hubpub.verify.entrypoints.NAME]``.
    """
    default = Case(
        "default",
        settings.args,
        settings.kwargs,
        declared=bool(settings.args or settings.kwargs),
        input=settings.input,
        call=settings.call,
        expect=settings.expect,
        devices=settings.devices,
        limits=settings.limits,
        skip=settings.skip,
    )
    own = {case.name: case for case in (default, *_pretrained(listing, settings, default))}
    if listing.get("required") and not default.declared and settings.cases:
        del own["default"]
    said = {case.name: _said(case, own.get(case.name, default)) for case in settings.cases}
    return tuple({**own, **said}.values())


def _pretrained(
    listing: Mapping[str, Any], settings: EntrypointSettings, default: Case
) -> tuple[Case, ...]:
    said = [settings.kwargs, *(case.kwargs for case in settings.cases if case.kwargs)]
    if any(kwargs.keys() & _SWITCHES.keys() for kwargs in said):
        return ()
    for name, value in _SWITCHES.items():
        if listing.get(name) is True:
            return (replace(default, name="pretrained", kwargs={**settings.kwargs, name: value}),)
    return ()


def _said(said: CaseSettings, like: Case) -> Case:
    """A declared case: what it does not say is as in ``like``, but for what is expected."""
    own = said.name == like.name
    names = ("args", "kwargs", "input", "call", "devices", "limits", "skip")
    given = {name: getattr(said, name) for name in names if getattr(said, name) is not None}
    return replace(
        like,
        name=said.name,
        declared=like.declared or "args" in given or "kwargs" in given,
        expect=said.expect or (like.expect if own else ()),
        **given,
    )
