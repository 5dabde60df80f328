"""One connection of a job, from its first byte to its entry in the log.

Nothing that a job sends is trusted, and nothing of it is printed.
"""

from __future__ import annotations

import contextlib
import socket
from dataclasses import replace

import h11

from hubpub.verify.egress import forward, tunnel
from hubpub.verify.egress.exchange import Exchange, RefusedError, clean
from hubpub.verify.egress.log import Log, Request
from hubpub.verify.egress.route import Routes
from hubpub.verify.egress.stock import Stock


def serve(client: socket.socket, job: str, log: Log, routes: Routes, stock: Stock) -> None:
    """Read the request, answer it, and write it down; never raises for what the job does."""
    exchange = Exchange(client, job, log, routes, stock)
    with exchange.flying(client) as flies, contextlib.suppress(OSError):
        request, problem = _read(exchange) if flies else (None, None)
        if not exchange.first:
            return  # a connection on which nothing was asked is no request
        entry = log.arrive(job, *exchange.asked(request))
        if entry.decision == "cut":
            problem = RefusedError(429, str(entry.reason), "cut")
        elif entry.decision == "denied":
            problem = RefusedError(403, str(entry.reason), "denied")
        elif request is not None:
            entry, problem = _answer(exchange, entry, request)
        if problem is not None:
            entry = replace(entry, decision=problem.decision, reason=clean(problem.reason))
        log.note(entry)
        if problem is not None:
            exchange.refuse(problem)
        exchange.linger()


def _read(exchange: Exchange) -> tuple[h11.Request | None, RefusedError | None]:
    try:
        return exchange.head(), None
    except RefusedError as error:
        return None, error


def _answer(
    exchange: Exchange, entry: Request, request: h11.Request
) -> tuple[Request, RefusedError | None]:
    """Have the request answered by whom it is for; its entry, and why it is refused."""
    answer = tunnel.answer if request.method == b"CONNECT" else forward.answer
    try:
        return answer(exchange, entry, request), None
    except RefusedError as error:
        return entry, error
    except Exception as error:  # noqa: BLE001 - a download that we failed must not pass
        return entry, RefusedError(500, f"defect of hubpub: {error!r}", "cut")
