"""``CONNECT``, for clients that make the TLS themselves: a host, and bytes both ways, counted.

What is asked in there is not seen; so little may be sent.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
from dataclasses import replace

import h11

from hubpub.verify.egress.exchange import Exchange, RefusedError
from hubpub.verify.egress.log import Request
from hubpub.verify.egress.place import read_authority
from hubpub.verify.egress.route import CHUNK


def answer(exchange: Exchange, entry: Request, request: h11.Request) -> Request:
    """Connect the job to the server that it names, until one side ends it; its entry.

    Raises:
        RefusedError: the server is not allowed, or not reached.
    """
    place = read_authority(request.target.decode("ascii"))
    if place is None:
        raise RefusedError(403, "CONNECT needs a host:port")
    upstream = exchange.open(place, secure=False)
    with exchange.held(upstream):
        tunnel = _Tunnel(exchange, upstream.connection)
        with contextlib.suppress(OSError):
            exchange.pass_on(b"HTTP/1.1 200 OK\r\n\r\n")
            tunnel.run(exchange.http.trailing_data[0])
    entry = replace(entry, size=tunnel.down, reason=f"{tunnel.up} bytes sent")
    return entry if tunnel.cut is None else replace(entry, decision="cut", reason=tunnel.cut)


class _Tunnel:
    """Bytes up and down, and why it was ended where a budget did it."""

    def __init__(self, exchange: Exchange, upstream: socket.socket) -> None:
        self._exchange, self._client, self._upstream = exchange, exchange.client, upstream
        self.up = self.down = 0
        self.cut: str | None = None

    def run(self, early: bytes) -> None:
        """Copy both ways; ``early`` is what came together with the request."""
        idle = self._exchange.log.bounds.idle_s
        self._client.settimeout(idle)
        self._upstream.settimeout(idle)
        if early and not self._pass_up(early):
            return
        with selectors.DefaultSelector() as selector:
            selector.register(self._client, selectors.EVENT_READ, self._pass_up)
            selector.register(self._upstream, selectors.EVENT_READ, self._pass_down)
            while ready := selector.select(idle):
                for key, _ in ready:
                    data = key.fileobj.recv(CHUNK)  # type: ignore[union-attr]
                    if not data or not key.data(data):
                        return

    def _pass_up(self, data: bytes) -> bool:
        self.cut = self._exchange.log.send(self._exchange.job, len(data))
        if self.cut is not None:
            return False
        self._upstream.sendall(data)
        self.up += len(data)
        return True

    def _pass_down(self, data: bytes) -> bool:
        self.cut = self._exchange.log.take(self._exchange.job, len(data))
        if self.cut is not None:
            return False
        self.down += len(data)
        self._client.sendall(data)
        return True
