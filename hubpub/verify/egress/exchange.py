"""One connection of a job: its request is read, and whatever answers it writes through this.

What follows the head of a request is never read as a second one, and no body leaves: so there is
nothing to smuggle.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator

import h11

from hubpub.verify.egress.log import URL_BYTES, Log
from hubpub.verify.egress.place import Place, written
from hubpub.verify.egress.route import (
    HEAD_CHUNK,
    DeniedError,
    Routes,
    UnreachableError,
    Upstream,
    receive,
)
from hubpub.verify.egress.stock import Stock

VERSIONS = (b"1.0", b"1.1")
_HEAD_BYTES = 1 << 14
_SHOWN = 300
_LINGER_S, _LINGER_BYTES = 1.0, 1 << 20


class RefusedError(Exception):
    """The request is answered by the parent itself. ``decision`` is that of its entry."""

    def __init__(self, status: int, reason: str, decision: str = "denied") -> None:
        super().__init__(reason)
        self.status, self.reason, self.decision = status, reason, decision


class Exchange:
    """A connection of ``job``, and what came on it first, for the log."""

    def __init__(
        self, client: socket.socket, job: str, log: Log, routes: Routes, stock: Stock
    ) -> None:
        self.client, self.job, self.log, self.routes = client, job, log, routes
        self.stock = stock
        self.http = h11.Connection(h11.SERVER, max_incomplete_event_size=_HEAD_BYTES)
        self.first = b""

    def head(self) -> h11.Request:
        """The head of the request.

        Raises:
            RefusedError: it is not one, or does not come whole and in time.
        """
        until = time.monotonic() + self.log.bounds.head_s
        try:
            while (event := self.http.next_event()) is h11.NEED_DATA:
                data = receive(self.client, until, HEAD_CHUNK)
                if len(self.first) < URL_BYTES:
                    self.first += data[:URL_BYTES]
                self.http.receive_data(data)
        except TimeoutError as error:
            reason = f"no whole request within {self.log.bounds.head_s:g} seconds"
            raise RefusedError(408, reason) from error
        except h11.RemoteProtocolError as error:
            raise RefusedError(error.error_status_hint, f"no HTTP request: {error}") from error
        except OSError as error:
            raise RefusedError(400, "the job hung up") from error
        if not isinstance(event, h11.Request):
            raise RefusedError(400, "the job hung up")
        if event.http_version not in VERSIONS:
            raise RefusedError(505, "only HTTP/1.0 and HTTP/1.1 are spoken here")
        return event

    def asked(self, request: h11.Request | None) -> tuple[str, str]:
        """Method and URL for the log, of a request that could not be read as far as it came."""
        if request is not None:
            url = written(request.target, URL_BYTES)
            method = written(request.method, 16)
            return method, f"https://{url}"[:URL_BYTES] if method == "CONNECT" else url
        words = self.first.split(b"\n", 1)[0].rstrip(b"\r").split(b" ", 1)
        return written(words[0] if words[1:] else b"?", 16), written(words[-1], URL_BYTES)

    def open(self, place: Place, *, secure: bool) -> Upstream:
        """A connection to ``place``, as long as the job lives.

        Raises:
            RefusedError: it is not allowed, or does not come about.
        """
        until = time.monotonic() + self.log.bounds.answer_s
        try:
            return self.routes.open(place, until, secure=secure)
        except DeniedError as error:
            raise RefusedError(403, str(error)) from error
        except UnreachableError as error:
            raise RefusedError(502, str(error), "allowed") from error

    @contextlib.contextmanager
    def held(self, upstream: Upstream) -> Iterator[socket.socket]:
        """Close a connection at the end, and when the job ends.

        Raises:
            RefusedError: it has ended.
        """
        with self.flying(upstream.connection) as flies:
            if not flies:
                raise RefusedError(502, "the job has ended", "allowed")
            yield upstream.connection

    @contextlib.contextmanager
    def flying(self, connection: socket.socket) -> Iterator[bool]:
        """Close a connection at the end; False where its job has ended already."""
        with connection:
            flies = self.log.fly(self.job, connection)
            try:
                yield flies
            finally:
                self.log.land(connection)

    def pass_on(self, data: bytes | None) -> None:
        """Send ``data`` to the job. Raises ``OSError`` where it hung up or does not read."""
        self.client.settimeout(self.log.bounds.idle_s)
        self.client.sendall(data or b"")

    def refuse(self, error: RefusedError) -> None:
        """Say why in the status line: that is all urllib shows of a refusal."""
        line = f"HTTP/1.1 {error.status} hubpub: {clean(error.reason)[:_SHOWN]}"
        self.pass_on(f"{line}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode("ascii"))

    def linger(self) -> None:
        """Read what still comes: closing on top of it would take the answer from the job."""
        until, count = time.monotonic() + _LINGER_S, 0
        self.client.shutdown(socket.SHUT_WR)
        while count < _LINGER_BYTES and (data := receive(self.client, until)):
            count += len(data)


def clean(reason: str) -> str:
    """``reason`` as it may stand in the log and in a status line."""
    return written(reason.encode("utf-8", "backslashreplace"), URL_BYTES)


def refuse_body(request: h11.Request) -> None:
    """Let no request through that says that it has a body.

    Raises:
        RefusedError: it does.
    """
    for name, value in request.headers:
        if name == b"transfer-encoding" or (name == b"content-length" and value != b"0"):
            raise RefusedError(400, "a request with a body does not leave the sandbox")
