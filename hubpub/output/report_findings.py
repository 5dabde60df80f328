"""Findings as a person reads them: what many entrypoints have in common is said once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from hubpub.output.escape import short

_SHOWN, _NAME = 3, 60
"""Entrypoints that a finding names, and characters of each."""
_CALL = re.compile(r"(?: \([^()]*\))?(?: on [\w:]+)?: ")
"""What verify writes between an entrypoint and a reason: the case, the device, a colon."""
_SAME = ("code", "name", "severity", "path", "line", "axis", "cause")
_NETWORK = "network"
"""The cause of which each finding names an address of its own in its help."""


def gathered(findings: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """``findings``, those that differ only in whom they concern as one, where the first stands.

    A finding of verify names its entrypoint, case and device first. What two of them share behind
    that, with the place and the next step, is one thing to mend. Where the network is to blame, the
    address of the first stands for all.
    """
    groups: dict[object, list[tuple[str, str, Mapping[str, Any]]]] = {}
    for number, item in enumerate(findings):
        call, reason = _parts(item)
        advice = None if item.get("cause") == _NETWORK else item["help"]
        same = (reason, advice, *(item.get(name) for name in _SAME))
        key: object = number if call is None else same
        groups.setdefault(key, []).append((call or "", reason, item))
    return [_one(group) for group in groups.values()]


def called(item: Mapping[str, Any]) -> str:
    """Whom a finding of verify concerns: entrypoint, case and device as its message names them."""
    return _parts(item)[0] or ""


def _parts(item: Mapping[str, Any]) -> tuple[str | None, str]:
    """Whom a finding concerns, and the rest; None where it does not begin with an entrypoint."""
    name, message = item["entrypoint"], item["message"]
    if item["code"] != "verify" or not name or not message.startswith(name):
        return None, message
    match = _CALL.match(message, len(name))
    if match is None:
        return None, message
    return message[: match.end() - 2], message[match.end() :]


def _one(group: Sequence[tuple[str, str, Mapping[str, Any]]]) -> Mapping[str, Any]:
    _, reason, first = group[0]
    calls = list(dict.fromkeys(call for call, _, _ in group))
    if len(calls) == 1:
        return first
    named = ", ".join(short(call, _NAME) for call in calls[:_SHOWN])
    more = f" and {len(calls) - _SHOWN} more" if len(calls) > _SHOWN else ""
    return {**first, "message": f"{named}{more}: {reason}"}
