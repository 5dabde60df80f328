"""The only way out of the sandbox: an allow-list proxy in the parent that logs every request.

The supervisor opens the listening socket inside the sandbox's own network namespace and hands it
over; this serves it. A plain ``GET https://host/path`` asks the parent to make the TLS, so that it
sees the URL, the status and the body of everything ``torch.hub`` downloads. ``CONNECT`` remains for
clients that insist (requests, huggingface_hub): host and byte counts only.

A host name is resolved once, here; an address that is not public is refused unless the user
allowed that host by name, and the connection goes to the address that was judged.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import http.server
import ipaddress
import selectors
import socket
import ssl
import threading
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from hubpub.verify.hosts import DEFAULT_PORTS, Rule

_CHUNK = 1 << 16
_TIMEOUT_S = 60.0
_SETTLE_S = 2.0
_TUNNEL_UP_BYTES = 1 << 20
_MOST_REQUESTS = 10_000  # of a job, in the log
_URL_BYTES = 8192
_PASSED_ON = ("accept", "user-agent", "range", "if-none-match", "if-modified-since", "if-range")
_HOP_BY_HOP = {
    *("connection", "keep-alive", "proxy-authenticate", "proxy-connection"),
    *("te", "trailer", "transfer-encoding", "upgrade"),
}


@dataclass(frozen=True)
class Request:
    """One request as the parent saw it: a fact.

    ``decision`` is allowed, denied or cut; ``announced`` the Content-Length, None where there was
    none; ``sha256`` of the body, None for a tunnel or a request that was not allowed.
    """

    job: str
    method: str
    url: str
    decision: str
    reason: str | None = None
    status: int | None = None
    size: int = 0
    announced: int | None = None
    sha256: str | None = None
    location: str | None = None
    number: int = 0

    @property
    def short(self) -> bool:
        """Whether the server ended the body before the length that it had announced."""
        whole = self.announced is None or self.size >= self.announced
        return self.method == "GET" and not whole and self.reason is None


class Egress:
    """The proxy and its log. One job at a time: :meth:`begin` names it and resets its budget."""

    def __init__(self, allowed: tuple[Rule, ...], budget_bytes: int) -> None:
        self._allowed = allowed
        self._budget = budget_bytes
        self._lock = threading.Lock()
        self._settled = threading.Condition(self._lock)
        self._upstreams: set[socket.socket] = set()
        self._arrived = self._noted = 0
        self._log: list[Request] = []
        self._job = ""
        self._left = budget_bytes
        self._servers: list[_Server] = []
        self.received = 0
        self.tls = ssl.create_default_context()

    def serve(self, listener: socket.socket) -> None:
        """Answer on ``listener``, from a thread, until :meth:`close`."""
        server = _Server(listener, self)
        self._servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()

    def close(self) -> None:
        """Stop serving, and close the listening sockets."""
        for server in self._servers:
            server.shutdown()
            server.server_close()
        self._servers.clear()

    def begin(self, job: str) -> None:
        """What comes from now on is of ``job``."""
        with self._lock:
            self._job, self._left, self.received = job, self._budget, 0
            self._noted = 0

    def requests(self, job: str | None = None) -> tuple[Request, ...]:
        """The log, of one job or whole, in the order in which requests came."""
        with self._lock:
            found = [entry for entry in self._log if job is None or entry.job == job]
        return tuple(sorted(found, key=lambda entry: entry.number))

    def arrive(self, entry: Request) -> Request:
        """Name the job of a request that begins, and its place in the log."""
        with self._lock:
            self._arrived += 1
            return replace(entry, job=self._job, number=self._arrived)

    def open(self, upstream: socket.socket) -> None:
        """Take note of a connection, so that :meth:`settle` can end it."""
        with self._lock:
            self._upstreams.add(upstream)

    def note(self, entry: Request, upstream: socket.socket | None = None) -> None:
        """Write a request that has ended into the log."""
        with self._settled:
            if upstream is not None:
                self._upstreams.discard(upstream)
            self._noted += 1
            if self._noted <= _MOST_REQUESTS:
                self._log.append(entry)
            self._settled.notify_all()

    def settle(self) -> None:
        """End what a dead job left in flight, so that none of it is taken for the next one's."""
        with self._settled:
            for upstream in self._upstreams:
                with contextlib.suppress(OSError):
                    upstream.shutdown(socket.SHUT_RDWR)
            self._settled.wait_for(lambda: not self._upstreams, _SETTLE_S)

    def take(self, job: str, count: int) -> bool:
        """Spend ``count`` bytes of the budget of ``job``; False when it is gone."""
        with self._lock:
            if job != self._job:
                return False
            self._left -= count
            self.received += count
            return self._left >= 0

    def connect(self, host: str, port: int) -> socket.socket:
        """A connection to ``host:port``, judged before it is made.

        Raises:
            PermissionError: the host is not allowed, or only has addresses that are not public.
            OSError: it cannot be reached.
        """
        matching = [rule for rule in self._allowed if rule.matches(host, port)]
        if not matching:
            flag = host if port in DEFAULT_PORTS else f"{host}:{port}"
            raise PermissionError(f"{host}:{port} is not allowed; --allow-host {flag} allows it")
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = [str(entry[4][0]) for entry in found]
        if not any(rule.by_user and not rule.host.startswith("*.") for rule in matching):
            addresses = [text for text in addresses if ipaddress.ip_address(text).is_global]
        if not addresses:
            raise PermissionError(f"{host} resolves only to addresses that are not public")
        return _first_connection(addresses, port)


def _first_connection(addresses: list[str], port: int) -> socket.socket:
    """A connection to the first address that answers; the last one's ``OSError`` when none does."""
    for address in addresses[:-1]:
        with contextlib.suppress(OSError):
            return socket.create_connection((address, port), timeout=_TIMEOUT_S)
    return socket.create_connection((addresses[-1], port), timeout=_TIMEOUT_S)


class _Server(http.server.ThreadingHTTPServer):
    """Serves a listening socket that somebody else made."""

    daemon_threads = True

    def __init__(self, listener: socket.socket, egress: Egress) -> None:
        super().__init__(("127.0.0.1", 0), _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.egress = egress

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A job that went away half-way is no event; its log entry says what was sent."""


class _Handler(http.server.BaseHTTPRequestHandler):
    """One request of a job. Nothing it sends is trusted; nothing it sends is printed."""

    server: _Server
    timeout = _TIMEOUT_S

    def do_GET(self) -> None:
        self._forward()

    def do_HEAD(self) -> None:
        self._forward()

    def do_CONNECT(self) -> None:
        host, port = _host_port("//" + self.path)
        entry = self._arrived(f"https://{self.path}")
        try:
            if host is None or port is None:
                raise PermissionError("no host:port to connect to")
            upstream = self.server.egress.connect(host, port)
        except OSError as error:
            self._refuse(entry, error)
            return
        self.server.egress.open(upstream)
        up, down, cut = 0, 0, False
        with upstream, contextlib.suppress(OSError):
            self.send_response(200)
            self.end_headers()
            up, down, cut = self._tunnel(upstream, entry.job)
        decision, reason = "cut" if cut else "allowed", f"{up} bytes sent"
        entry = replace(entry, size=down, decision=decision, reason=reason)
        self.server.egress.note(entry, upstream)

    def __getattr__(self, name: str) -> Any:
        # BaseHTTPRequestHandler asks for do_<METHOD>; every other method is refused and logged.
        if name.startswith("do_"):
            return self._no_such_method
        raise AttributeError(name)

    def _arrived(self, url: str) -> Request:
        return self.server.egress.arrive(Request("", self.command[:16], url, "allowed"))

    def _no_such_method(self) -> None:
        entry = self._arrived(self.path)
        self._refuse(entry, PermissionError("only GET and HEAD leave the sandbox"))

    def _forward(self) -> None:
        """Fetch an absolute URL for the job and pass the answer on, hashing the body."""
        entry = self._arrived(self.path)
        host, port = _host_port(self.path)
        parts = urlsplit(self.path)
        upstream = None
        try:
            if host is None or port is None:
                raise PermissionError("only absolute http:// and https:// URLs leave the sandbox")
            if len(self.path) > _URL_BYTES:
                raise PermissionError(f"a URL of more than {_URL_BYTES} bytes")
            upstream = self.server.egress.connect(host, port)
            if parts.scheme == "https":
                upstream = self.server.egress.tls.wrap_socket(upstream, server_hostname=host)
            connection = http.client.HTTPConnection(host, port, timeout=_TIMEOUT_S)
            connection.sock = upstream
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            sent = {name: self.headers[name] for name in _PASSED_ON if name in self.headers}
            sent["Host"] = parts.netloc
            connection.request(self.command, target, headers=sent)
            response = connection.getresponse()
        except (OSError, http.client.HTTPException, ValueError) as error:
            if upstream is not None:
                upstream.close()
            self._refuse(entry, error)
            return
        self.server.egress.open(upstream)
        try:
            with response:
                entry = self._answer(entry, response)
        finally:
            self.server.egress.note(entry, upstream)
            upstream.close()

    def _answer(self, entry: Request, response: http.client.HTTPResponse) -> Request:
        """Pass ``response`` on and return its log entry."""
        entry = replace(
            entry,
            status=response.status,
            announced=response.length,  # as Python reads the header, odd ones too
            location=response.getheader("Location"),
        )
        self.send_response_only(response.status)
        for name, value in response.getheaders():
            if name.lower() not in _HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        digest, size, decision, reason = hashlib.sha256(), 0, "allowed", None
        while reason is None:
            try:
                chunk = response.read(_CHUNK)
            except (OSError, http.client.HTTPException) as error:
                # Without a length the job cannot tell this from the end of the body.
                chunk = getattr(error, "partial", b"")
                decision, reason = "cut", f"ended early: {error}"
            if not chunk:
                break
            if not self.server.egress.take(entry.job, len(chunk)):
                decision, reason = "cut", "the download limit is spent (--download-limit)"
                break
            digest.update(chunk)
            size += len(chunk)
            try:
                self.wfile.write(chunk)
            except OSError:
                reason = reason or "the job hung up"
        sha256 = digest.hexdigest()
        return replace(entry, size=size, sha256=sha256, decision=decision, reason=reason)

    def _refuse(self, entry: Request, error: Exception) -> None:
        """Say why in the status line: that is all urllib shows of a refusal."""
        denied = isinstance(error, PermissionError)
        reason = str(error) or type(error).__name__
        if isinstance(error, socket.gaierror):
            reason = "the host name does not resolve"
        status, decision = (403, "denied") if denied else (502, "allowed")
        url, reason = entry.url[:_URL_BYTES], reason[:_URL_BYTES]
        self.server.egress.note(replace(entry, url=url, decision=decision, reason=reason))
        shown = "".join(char if " " <= char <= "~" else "?" for char in reason)[:300]
        self.send_response_only(status, f"hubpub: {shown}")
        self.send_header("Content-Length", "0")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True

    def _tunnel(self, upstream: socket.socket, job: str) -> tuple[int, int, bool]:
        """Copy both ways until one side closes or a budget is spent; bytes up, down, and if cut."""
        up = down = 0
        with contextlib.suppress(OSError), selectors.DefaultSelector() as selector:
            selector.register(self.connection, selectors.EVENT_READ, upstream)
            selector.register(upstream, selectors.EVENT_READ, self.connection)
            while ready := selector.select(_TIMEOUT_S):
                for key, _ in ready:
                    data = key.fileobj.recv(_CHUNK)  # type: ignore[union-attr]
                    if not data:
                        return up, down, False
                    if key.fileobj is upstream:
                        down += len(data)
                        fits = self.server.egress.take(job, len(data))
                    else:
                        up += len(data)
                        fits = up <= _TUNNEL_UP_BYTES
                    if not fits:
                        return up, down, True
                    key.data.sendall(data)
        return up, down, False

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """The log is :class:`Request` entries, never lines on stderr."""


def _host_port(url: str) -> tuple[str | None, int | None]:
    """Host and port of an absolute URL (or ``//host:port``); None for anything unusual."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None, None
    if parts.scheme not in {"http", "https", ""} or parts.username is not None:
        return None, None
    if parts.scheme:
        port = port or {"http": 80, "https": 443}[parts.scheme]
    return parts.hostname, port
