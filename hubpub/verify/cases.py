"""Which calls prove an entrypoint: its defaults, its weights, or what the repository declares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hubpub.config import EntrypointSettings

_SWITCHES: Mapping[str, Any] = {"pretrained": True, "weights": "DEFAULT"}


@dataclass(frozen=True)
class Case:
    """One way to call an entrypoint; ``name`` is default or pretrained."""

    name: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]


def cases(listing: Mapping[str, Any], settings: EntrypointSettings) -> tuple[Case, ...]:
    """The call with defaults (or declared arguments), and the one that takes the weights.

    That is ``pretrained=True``, or ``weights="DEFAULT"`` where there is only such a parameter.

    Args:
        listing: what the list job claimed of the entrypoint; ``pretrained`` is true where there is
            a parameter of that name that defaults to ``False``, ``weights`` where there is one
            that defaults to None and takes the members of an enumeration.
        settings: the repository's ``[tool.hubpub.verify.entrypoints.NAME]``.
    """
    default = Case("default", settings.args, settings.kwargs)
    if settings.kwargs.keys() & _SWITCHES.keys():  # the repository has said which
        return (default,)
    for name, value in _SWITCHES.items():
        if listing.get(name) is True:
            return default, Case("pretrained", settings.args, {**settings.kwargs, name: value})
    return (default,)
