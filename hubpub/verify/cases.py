"""Which calls prove an entrypoint: its defaults, its weights, or what the repository declares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hubpub.config import EntrypointSettings


@dataclass(frozen=True)
class Case:
    """One way to call an entrypoint; ``name`` is default or pretrained."""

    name: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]


def cases(listing: Mapping[str, Any], settings: EntrypointSettings) -> tuple[Case, ...]:
    """The call with defaults (or declared arguments), and with ``pretrained=True``.

    Args:
        listing: what the list job claimed of the entrypoint; ``pretrained`` is true where there is
            a parameter of that name that defaults to ``False``.
        settings: the repository's ``[tool.hubpub.verify.entrypoints.NAME]``.
    """
    default = Case("default", settings.args, settings.kwargs)
    if listing.get("pretrained") is not True or "pretrained" in settings.kwargs:
        return (default,)
    return default, Case("pretrained", settings.args, {**settings.kwargs, "pretrained": True})
