"""One question to one web server: what it says of a file, within a time, and at a public address.

The URLs come from a repository that nobody has looked at yet: a pull request decides what CI asks
for. So only http and https are spoken, to public addresses and such as the user allows, the address
that was judged is the one that is connected to, no credentials are sent, and of a body a few bytes
are read at most.
"""

from __future__ import annotations

import io
import re
import socket
import ssl
import time
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPResponse
from typing import Any, cast
from urllib.parse import SplitResult, urljoin, urlsplit

from hubpub import __version__
from hubpub.hosts import (
    DEFAULT_PORTS,
    Allowed,
    Proxy,
    bracketed,
    flag,
    is_local_name,
    is_public_address,
    read_proxy,
)

HOPS = 10
"""Redirects that are followed; urllib, and so torch.hub, follows as many."""
START = 64
"""Bytes of a body that are read at most."""
REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PLAIN = re.compile(r"[!-~]+")
_UNKNOWN_NAMES = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}


class UntoldError(Exception):
    """Nothing is learned of the file. ``again``: it may be at another time, after so many seconds.

    None where asking again is of no use.
    """

    def __init__(self, reason: str, again: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.again = again


class UnknownHostError(Exception):
    """There is no host of this name, as far as the resolver says."""


@dataclass(frozen=True)
class Reply:
    """The answer to one request, after redirects; ``start`` are the first bytes of the body."""

    status: int
    headers: Mapping[str, str]
    url: str
    start: bytes = b""


def _resolve(host: str, port: int) -> list[tuple[Any, ...]]:
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)


@dataclass(frozen=True)
class Asking:
    """How questions are asked. Times are in seconds.

    ``allowed`` are hosts that may be private; a wildcard does not make an address so.
    ``connect_s`` bounds a connection, ``answer_s`` all that follows on it.
    """

    allowed: tuple[Allowed, ...] = ()
    connect_s: float = 5
    answer_s: float = 10
    resolve: Callable[[str, int], list[tuple[Any, ...]]] = _resolve
    proxies: Mapping[str, str] = field(default_factory=urllib.request.getproxies)
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)

    def ask(self, method: str, url: str, until: float) -> Reply:
        """The answer to HEAD, or to GET for the first bytes, of the last of ``url``'s redirects.

        ``until`` is when, on the clock of ``time.monotonic``, the question ends.

        Raises:
            UnknownHostError: there is no such host.
            UntoldError: there is no answer, or it must not be asked for.
        """
        for _ in range(HOPS + 1):
            reply = self._once(method, url, until)
            target = reply.headers.get("location")
            if reply.status not in REDIRECTS or target is None:
                return reply
            try:
                url = urljoin(url, target)
            except ValueError:
                raise UntoldError("it redirects to what is no URL") from None
        raise UntoldError(f"it redirects more than {HOPS} times")

    def _once(self, method: str, url: str, until: float) -> Reply:
        parts, host, port = _parts(url)
        if not self._is_allowed(host, port):
            if is_local_name(host):
                raise UntoldError(f"{host} is no public host; {_advice(host, port)}")
            if port not in DEFAULT_PORTS and port < 1024:
                raise UntoldError(f"port {port} is not one of the web")
        end = min(until, time.monotonic() + self.connect_s + self.answer_s)
        try:
            wire, target = self._connect(parts, host, port, end)
            with closing(wire):
                return _exchange(wire, method, target, _authority(host, port, parts.scheme), url)
        except TimeoutError as error:
            raise UntoldError("it does not answer in time", 0) from error
        except ssl.SSLCertVerificationError as error:
            raise UntoldError(f"its certificate is refused: {error.verify_message}") from error
        except (OSError, HTTPException, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise UntoldError(f"the connection fails: {reason}", 0) from error

    def _is_allowed(self, host: str, port: int) -> bool:
        return any(
            item.matches(host, port) for item in self.allowed if not item.host.startswith("*.")
        )

    def _connect(self, parts: SplitResult, host: str, port: int, end: float) -> tuple[_Wire, str]:
        """A connection to the server or the user's proxy, and what to ask of it for."""
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        proxy = self._proxy(parts.scheme, host, port)
        if proxy is None:
            wire = self._open(host, port, end, public=not self._is_allowed(host, port))
            target = path
        else:
            wire = self._open(proxy.host, proxy.port, end, public=False)
            target = f"http://{_authority(host, port, 'http')}{path}"
            wire.headers = "".join(f"{name}: {value}\r\n" for name, value in proxy.headers)
        if parts.scheme == "https":
            try:
                if proxy is not None:
                    _tunnel(wire, f"{bracketed(host)}:{port}")
                wire.secure(self.tls, host)
            except BaseException:
                wire.close()
                raise
            wire.headers, target = "", path
        return wire, target

    def _proxy(self, scheme: str, host: str, port: int) -> Proxy | None:
        text = self.proxies.get(scheme)
        if not text or urllib.request.proxy_bypass(_authority(host, port, scheme)):
            return None
        try:
            return read_proxy(text)
        except ValueError:
            what = "the proxy of the environment is not one that http:// names"
            raise UntoldError(what) from None

    def _open(self, host: str, port: int, end: float, *, public: bool) -> _Wire:
        try:
            found = [(item[0], item[4]) for item in self.resolve(host, port)]
        except socket.gaierror as error:
            if error.errno in _UNKNOWN_NAMES:
                raise UnknownHostError(host) from error
            raise UntoldError(f"{host} cannot be looked up: {error.strerror}", 0) from error
        except UnicodeError as error:
            raise UntoldError(f"{host} is no name of a host") from error
        usable = [item for item in found if not public or is_public_address(str(item[1][0]))]
        if not usable:
            raise UntoldError(f"{host} has no public address; {_advice(host, port)}")
        failed: OSError = OSError("no address")
        for family, address in usable[:4]:
            left = min(self.connect_s, end - time.monotonic())
            connection = socket.socket(family, socket.SOCK_STREAM)
            try:
                connection.settimeout(max(left, 0.01))
                connection.connect(address)
            except OSError as error:
                connection.close()
                failed = error
            else:
                return _Wire(connection, end)
        raise failed


def _parts(url: str) -> tuple[SplitResult, str, int]:
    """A URL with its host and port; credentials before the host are left out."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise UntoldError("it is no URL that can be read") from error
    if parts.scheme not in {"http", "https"}:
        raise UntoldError(f"{parts.scheme or 'a path'} is not asked, only http and https")
    if not host or not _PLAIN.fullmatch(parts.path + parts.query + "-"):
        raise UntoldError("it holds what must be quoted in a URL")
    try:
        host = host.encode("idna").decode().lower().rstrip(".") if not host.isascii() else host
    except UnicodeError as error:
        raise UntoldError("its host is no name of a host") from error
    if not _PLAIN.fullmatch(host):
        raise UntoldError("its host is no name of a host")
    return parts, host, port or (443 if parts.scheme == "https" else 80)


def _advice(host: str, port: int) -> str:
    named = flag(host, port)
    return f"--allow-host {named} allows it"


def _authority(host: str, port: int, scheme: str) -> str:
    """Host and port as a URL of this scheme has them."""
    default = {"http": 80, "https": 443}[scheme]
    return bracketed(host) if port == default else f"{bracketed(host)}:{port}"


class _Wire:
    """A connection that ends at a time, however slowly the other side dribbles."""

    headers = ""

    def __init__(self, connection: socket.socket, end: float) -> None:
        self._socket = connection
        self._end = end

    def close(self) -> None:
        """End it, whatever there is still to come."""
        self._socket.close()

    def socket(self) -> socket.socket:
        """The connection, with the time that is left.

        Raises:
            TimeoutError: none is.
        """
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)
        return self._socket

    def secure(self, tls: ssl.SSLContext, host: str) -> None:
        """Speak TLS from now on, with ``host``."""
        self._socket = tls.wrap_socket(self.socket(), server_hostname=host)

    def send(self, text: str) -> None:
        """Send a request."""
        self.socket().sendall(text.encode("ascii"))

    def makefile(self, mode: str) -> io.BufferedReader:
        """What ``HTTPResponse`` reads from."""
        del mode
        return io.BufferedReader(_Raw(self))


class _Raw(io.RawIOBase):
    def __init__(self, wire: _Wire) -> None:
        super().__init__()
        self._wire = wire

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._wire.socket().recv_into(buffer)


def _tunnel(wire: _Wire, authority: str) -> None:
    """Have the proxy connect to the server.

    Raises:
        UntoldError: it does not.
    """
    wire.send(f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n{wire.headers}\r\n")
    response = HTTPResponse(cast("socket.socket", wire), method="CONNECT")
    response.begin()
    if response.status != 200:
        again = 0 if response.status in {429, 500, 502, 503, 504} else None
        raise UntoldError(f"the proxy answers {response.status}", again)


def _exchange(wire: _Wire, method: str, target: str, authority: str, url: str) -> Reply:
    ranged = f"Range: bytes=0-{START - 1}\r\n" if method == "GET" else ""
    wire.send(
        f"{method} {target} HTTP/1.1\r\nHost: {authority}\r\n{wire.headers}"
        f"User-Agent: hubpub/{__version__}\r\nAccept: */*\r\nAccept-Encoding: identity\r\n"
        f"{ranged}Connection: close\r\n\r\n"
    )
    response = HTTPResponse(cast("socket.socket", wire), method=method)
    response.begin()
    headers = {name.lower(): value for name, value in response.getheaders()}
    start = b""
    if method == "GET" and response.status in {200, 206}:
        start = response.read(START)
    return Reply(response.status, headers, url, start)
