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
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from hubpub.errors import UsageError

DEFAULT_HOSTS = (
    "github.com",
    "api.github.com",
    "codeload.github.com",
    "*.githubusercontent.com",
    "download.pytorch.org",
    "huggingface.co",
    "*.huggingface.co",
    "*.hf.co",
)
"""GitHub and its asset hosts, PyTorch's checkpoints, Hugging Face and its CDN."""

_CHUNK = 1 << 16
_TIMEOUT_S = 60.0
_TUNNEL_UP_BYTES = 1 << 20
_DEFAULT_PORTS = (80, 443)
_PASSED_ON = ("accept", "user-agent", "range", "if-none-match", "if-modified-since", "if-range")
_HOP_BY_HOP = {
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}


@dataclass(frozen=True)
class Rule:
    """One allowed host: exact, or ``*.suffix``; ``port`` None means 80 and 443."""

    host: str
    port: int | None
    by_user: bool

    def matches(self, host: str, port: int) -> bool:
        """Whether a request to ``host:port`` falls under this rule."""
        if self.port != port and not (self.port is None and port in _DEFAULT_PORTS):
            return False
        return host.endswith(self.host[1:]) if self.host.startswith("*.") else host == self.host


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

    @property
    def short(self) -> bool:
        """Whether the body ended before the length that was announced."""
        return self.method == "GET" and self.announced is not None and self.size < self.announced


def rules(allowed: Iterable[str]) -> tuple[Rule, ...]:
    """The default hosts and the user's ``--allow-host HOST[:PORT]``.

    Raises:
        UsageError: a value that is no host.
    """
    found = [Rule(host, None, by_user=False) for host in DEFAULT_HOSTS]
    for text in allowed:
        parts = urlsplit("//" + text)
        try:
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        if not host or parts.path or parts.query or parts.username is not None:
            raise UsageError(f"--allow-host {text!r} is no HOST[:PORT]", help="such as example.org")
        found.append(Rule(host, port, by_user=True))
    return tuple(found)


class Egress:
    """The proxy and its log. One job at a time: :meth:`begin` names it and resets its budget."""

    def __init__(self, allowed: tuple[Rule, ...], budget_bytes: int) -> None:
        self._allowed = allowed
        self._budget = budget_bytes
        self._lock = threading.Lock()
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

    def requests(self, job: str | None = None) -> tuple[Request, ...]:
        """The log, of one job or whole, in the order in which requests ended."""
        with self._lock:
            return tuple(entry for entry in self._log if job is None or entry.job == job)

    def note(self, entry: Request) -> None:
        """Write a request into the log, under the running job."""
        with self._lock:
            self._log.append(replace(entry, job=self._job))

    def take(self, count: int) -> bool:
        """Spend ``count`` bytes of the job's budget; False when it is gone."""
        with self._lock:
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
            flag = host if port in _DEFAULT_PORTS else f"{host}:{port}"
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
        entry = Request("", "CONNECT", f"https://{self.path}", "allowed")
        try:
            if host is None or port is None:
                raise PermissionError("no host:port to connect to")
            upstream = self.server.egress.connect(host, port)
        except OSError as error:
            self._refuse(entry, error)
            return
        self.send_response(200)
        self.end_headers()
        with upstream:
            up, down, cut = self._tunnel(upstream)
        reason = f"{up} bytes sent"
        self.server.egress.note(
            replace(entry, size=down, decision="cut" if cut else "allowed", reason=reason)
        )

    def __getattr__(self, name: str) -> Any:
        # BaseHTTPRequestHandler asks for do_<METHOD>; every other method is refused and logged.
        if name.startswith("do_"):
            return self._no_such_method
        raise AttributeError(name)

    def _no_such_method(self) -> None:
        entry = Request("", self.command[:16], self.path, "denied")
        self._refuse(entry, PermissionError("only GET and HEAD leave the sandbox"))

    def _forward(self) -> None:
        """Fetch an absolute URL for the job and pass the answer on, hashing the body."""
        entry = Request("", self.command, self.path, "allowed")
        host, port = _host_port(self.path)
        parts = urlsplit(self.path)
        upstream = None
        try:
            if host is None or port is None:
                raise PermissionError("only absolute http:// and https:// URLs leave the sandbox")
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
        with response:
            self._answer(entry, response)
        upstream.close()

    def _answer(self, entry: Request, response: http.client.HTTPResponse) -> None:
        announced = response.getheader("Content-Length")
        entry = replace(
            entry,
            status=response.status,
            announced=int(announced) if announced and announced.isdigit() else None,
            location=response.getheader("Location"),
        )
        self.send_response_only(response.status)
        for name, value in response.getheaders():
            if name.lower() not in _HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        digest, size, decision, reason = hashlib.sha256(), 0, "allowed", None
        try:
            while chunk := response.read(_CHUNK):
                if not self.server.egress.take(len(chunk)):
                    decision, reason = "cut", "the download limit is spent (--download-limit)"
                    break
                digest.update(chunk)
                size += len(chunk)
                self.wfile.write(chunk)
        except (OSError, http.client.HTTPException) as error:
            reason = f"ended early: {error}"
        self.server.egress.note(
            replace(entry, size=size, sha256=digest.hexdigest(), decision=decision, reason=reason)
        )

    def _refuse(self, entry: Request, error: Exception) -> None:
        """Say why in the status line: that is all urllib shows of a refusal."""
        denied = isinstance(error, PermissionError)
        reason = str(error) or type(error).__name__
        if isinstance(error, socket.gaierror):
            reason = "the host name does not resolve"
        status = 403 if denied else 502
        self.server.egress.note(
            replace(entry, decision="denied" if denied else "allowed", reason=reason)
        )
        shown = "".join(char if " " <= char <= "~" else "?" for char in reason)[:300]
        self.send_response_only(status, f"hubpub: {shown}")
        self.send_header("Content-Length", "0")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True

    def _tunnel(self, upstream: socket.socket) -> tuple[int, int, bool]:
        """Copy both ways until one side closes or a budget is spent; bytes up, down, and if cut."""
        up = down = 0
        with selectors.DefaultSelector() as selector:
            selector.register(self.connection, selectors.EVENT_READ, upstream)
            selector.register(upstream, selectors.EVENT_READ, self.connection)
            while ready := selector.select(_TIMEOUT_S):
                for key, _ in ready:
                    data = key.fileobj.recv(_CHUNK)  # type: ignore[union-attr]
                    if not data:
                        return up, down, False
                    if key.fileobj is upstream:
                        down += len(data)
                        fits = self.server.egress.take(len(data))
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
