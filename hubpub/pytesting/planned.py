"""Which results verify will have, as far as they can be told without running anything.

pytest wants to know its tests before it runs them. What verify runs besides is judged by the first
test of its entrypoint, or by that of the run; so a wrong guess hides nothing.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hubpub.config import EntrypointSettings, Settings
from hubpub.errors import HubpubError
from hubpub.source.facts import Entrypoint, Parameter, Repo
from hubpub.verify import devices, gpus
from hubpub.verify.cases import cases

_OFF = re.compile(r"\s*(?::[^=]{0,200})?=\s*False\b")
_WEIGHTS = re.compile(r"\s*:[^=]{0,200}Weights[^=]{0,200}=\s*None\b")
_NEAR = 500
"""So many characters behind a parameter's name are read for its default."""


@dataclass(frozen=True)
class Planned:
    """One result: of this entrypoint, in this case, on this device; where it is defined."""

    entrypoint: str
    case: str
    device: str
    certain: bool
    path: str
    line: int

    @property
    def key(self) -> tuple[str, str, str]:
        """What the report calls the result."""
        return (self.entrypoint, self.case, self.device)


def results(repo: Repo, settings: Settings, device: str) -> Iterator[Planned]:
    """The results of every entrypoint that is listed statically, in the order of the names."""
    names = sorted(item.name for item in repo.entrypoints)
    plan = _devices(device, names)
    for entry in sorted(repo.entrypoints, key=lambda item: item.name):
        own = settings.entrypoints.get(entry.name, EntrypointSettings())
        planned = cases(_listing(entry, repo), own)
        for offer in plan.of(entry.name) if plan is not None else ():
            for case in planned if offer.off is None else ():
                if case.devices is None or offer.name.partition(":")[0] in case.devices:
                    yield Planned(
                        entry.name, case.name, offer.name, entry.certainty == "certain",
                        entry.place.path, entry.place.span.line,
                    )  # fmt: skip


def _devices(device: str, names: list[str]) -> devices.Plan | None:
    """The devices of the run; None where one is not there, as the run will say."""
    try:
        return devices.plan(devices.read(device), gpus.machine(os.environ)).over(names)
    except HubpubError:
        return None


def _listing(entry: Entrypoint, repo: Repo) -> dict[str, Any]:
    """What the job that lists will claim of the entrypoint, from its text."""
    switches = {item.name: item for item in entry.parameters if item.optional}
    return {
        "required": list(entry.required),
        "pretrained": _has(repo, switches.get("pretrained"), _OFF),
        "weights": _has(repo, switches.get("weights"), _WEIGHTS),
    }


def _has(repo: Repo, parameter: Parameter | None, default: re.Pattern[str]) -> bool:
    """Whether what stands behind the parameter's name is this default."""
    if parameter is None or parameter.place.path not in repo.texts:
        return False
    text, span = repo.texts[parameter.place.path], parameter.place.span
    begin = text.offset(span.end_line, span.end_column)
    return default.match(text.text[begin : begin + _NEAR]) is not None
