"""What jobs asked the network, as the report has it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urljoin

from hubpub.verify.egress import Request
from hubpub.verify.egress.log import KEPT, SUPPLIED
from hubpub.verify.report import Finding, Network

_SHOWN = 3


def entry(request: Request, entrypoint: str | None) -> Network:
    """One request of ``entrypoint``; None where ``torch.hub.list`` made it."""
    return Network(
        method=request.method,
        url=request.url,
        status=request.status,
        bytes=request.size,
        sha256=request.sha256,
        decision=request.decision,
        reason=request.reason,
        announced=request.announced,
        location=request.location,
        entrypoint=entrypoint,
        source=request.source,
    )


def settled(network: Sequence[Network]) -> tuple[Network, ...]:
    """The log, in which a redirect is only called kept where what it leads to is.

    Else its server is asked for it each time.
    """
    whole = {item.url for item in network if item.source == KEPT and item.status == 200}
    leads = {
        (item.url, urljoin(item.url, item.location))
        for item in network
        if item.source == KEPT and item.location is not None
    }
    while more := {url for url, target in leads if target in whole} - whole:
        whole |= more
    return tuple(
        replace(item, source=None) if item.source == KEPT and item.url not in whole else item
        for item in network
    )


def of_supplied(requests: Sequence[Request], entrypoint: str) -> list[Finding]:
    """What every rendering must say: of these files of ``entrypoint`` no server was asked."""
    urls = list(dict.fromkeys(item.url for item in requests if item.source == SUPPLIED))
    if not urls:
        return []
    more = f" and {len(urls) - _SHOWN} more" if len(urls) > _SHOWN else ""
    text = f"{entrypoint}: files of --checkpoints answered for {', '.join(urls[:_SHOWN])}{more}"
    help_ = "what is behind these URLs was not looked at: a run with a network proves that"
    return [Finding("verify", "supplied-files", "note", text, help=help_, entrypoint=entrypoint)]
