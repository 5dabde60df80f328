"""The way to a server: judged by the allow-list and by its address, straight or through a proxy.

A name is resolved once, here, and the connection goes to the address that was judged. Where the
environment names a proxy (``HTTP_PROXY``, ``HTTPS_PROXY``, ``NO_PROXY``), that one resolves the
name again; then a name is refused as soon as one of the addresses seen here is not public, and a
name that is unknown here is left to the proxy.
"""

from __future__ import annotations

import socket
import ssl
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hubpub.hosts import Proxy, flag, is_public_address, read_proxy
from hubpub.verify.egress.place import Place, written
from hubpub.verify.hosts import Rule

Resolve = Callable[[str, int], list[tuple[Any, ...]]]
_MOST_ADDRESSES = 4
_CONNECT_S = 15.0
_HEAD_BYTES = 1 << 16
CHUNK = 1 << 16
HEAD_CHUNK = 1 << 12
"""Of a head, whose length is bounded: no more than this is read past its bound."""


class DeniedError(Exception):
    """The allow-list says no; the text says what allows it."""


class UnreachableError(Exception):
    """The server cannot be reached, or does not speak as it should."""


def resolve(host: str, port: int) -> list[tuple[Any, ...]]:
    """The addresses of ``host`` as ``socket.getaddrinfo`` gives them."""
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)


def receive(connection: socket.socket, until: float, most: int = CHUNK) -> bytes:
    """What comes next, ``most`` bytes of it, empty at the end.

    Raises:
        OSError: nothing can come any more; TimeoutError where ``until``, on the clock of
            ``time.monotonic``, has passed.
    """
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError("nothing came in time")
    connection.settimeout(left)
    return connection.recv(most)


@dataclass(frozen=True)
class Upstream:
    """A connection to a server, and how it is asked over it.

    ``absolute``: a proxy is asked, for the whole URL, with ``headers`` that are for it alone.
    """

    connection: socket.socket
    absolute: bool = False
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Routes:
    """Who may be connected to, and how. Raises :class:`DeniedError` and UnreachableError."""

    allowed: tuple[Rule, ...]
    proxies: Mapping[str, str]
    tls: ssl.SSLContext
    resolve: Resolve = resolve

    def open(self, place: Place, until: float, *, secure: bool) -> Upstream:
        """Connect to ``place`` before ``until``; ``secure``: and speak TLS with it.

        A ``place`` of https that is not to be secured is a tunnel.
        """
        private = self._judge(place)
        proxy = self._proxy(place)
        try:
            if proxy is None:
                addresses = self._addresses(place, private=private, every=False)
                upstream = Upstream(_connect(addresses, until))
            else:
                self._addresses(place, private=private, every=True)
                upstream = self._through(proxy, place, until)
            if secure:
                upstream = Upstream(self._secured(upstream.connection, place.host, until))
        except OSError as error:
            raise UnreachableError(_said(error)) from error
        return upstream

    def _judge(self, place: Place) -> bool:
        """Whether an address that is not public will do."""
        matching = [rule for rule in self.allowed if rule.matches(place.host, place.port)]
        if not matching:
            where = place.endpoint
            raise DeniedError(f"{where} is not allowed; {_advice(place)}")
        return any(rule.private for rule in matching)

    def _addresses(self, place: Place, *, private: bool, every: bool) -> list[tuple[Any, ...]]:
        """The addresses of ``place`` that will do; ``every``: for whom somebody else resolves."""
        try:
            found = self.resolve(place.host, place.port)
        except (OSError, UnicodeError) as error:
            if every:
                return []
            raise UnreachableError("the host name does not resolve") from error
        usable = [item for item in found if private or is_public_address(str(item[4][0]))]
        if not usable or (every and len(usable) < len(found)):
            only = "an address that is" if usable else "addresses that are"
            raise DeniedError(f"{place.host} resolves to {only} not public; {_advice(place)}")
        return usable

    def _proxy(self, place: Place) -> Proxy | None:
        text = self.proxies.get(place.scheme)
        there = place.endpoint
        if not text or urllib.request.proxy_bypass(there, self.proxies):
            return None
        try:
            return read_proxy(text)
        except ValueError:
            what = f"{_variable(place)} is not the http:// URL of a proxy"
            raise UnreachableError(what) from None

    def _through(self, proxy: Proxy, place: Place, until: float) -> Upstream:
        try:
            connection = _connect(resolve(proxy.host, proxy.port), until)
        except OSError as error:
            raise UnreachableError(f"{_variable(place)}: {_said(error)}") from error
        if place.scheme == "http":
            return Upstream(connection, absolute=True, headers=proxy.headers)
        try:
            _ask_for_tunnel(connection, proxy, place, until)
        except BaseException:
            connection.close()
            raise
        return Upstream(connection)

    def _secured(self, connection: socket.socket, host: str, until: float) -> socket.socket:
        try:
            connection.settimeout(max(until - time.monotonic(), 0.01))
            return self.tls.wrap_socket(connection, server_hostname=host)
        except BaseException:
            connection.close()
            raise


def _advice(place: Place) -> str:
    return f"--allow-host {flag(place.host, place.port)} allows it"


def _variable(place: Place) -> str:
    """What names the proxy for this place."""
    return f"{place.scheme.upper()}_PROXY of the environment"


def _connect(addresses: list[tuple[Any, ...]], until: float) -> socket.socket:
    """A connection to the first address that answers; the last one's ``OSError`` when none does."""
    failed: OSError = OSError("there is no address")
    for family, _, _, _, address in addresses[:_MOST_ADDRESSES]:
        connection = socket.socket(family, socket.SOCK_STREAM)
        try:
            connection.settimeout(max(min(_CONNECT_S, until - time.monotonic()), 0.01))
            connection.connect(address)
        except OSError as error:
            connection.close()
            failed = error
        else:
            return connection
    raise failed


def _said(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is refused: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return "it does not answer in time"
    return error.strerror or str(error) or type(error).__name__


def _ask_for_tunnel(connection: socket.socket, proxy: Proxy, place: Place, until: float) -> None:
    """Have ``proxy`` connect to ``place``; nothing of the tunnel is read."""
    there = place.endpoint
    lines = "".join(f"{name}: {value}\r\n" for name, value in proxy.headers)
    connection.sendall(f"CONNECT {there} HTTP/1.1\r\nHost: {there}\r\n{lines}\r\n".encode())
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        # One by one: what follows the head is not the proxy's but the server's.
        connection.settimeout(max(until - time.monotonic(), 0.01))
        byte = connection.recv(1)
        head += byte
        if not byte or len(head) > _HEAD_BYTES or time.monotonic() > until:
            raise UnreachableError(f"{_variable(place)} does not answer as a proxy does")
    first = head.split(b"\r\n", 1)[0].split(b" ", 2)
    if len(first) < 2 or not first[0].startswith(b"HTTP/1.") or first[1] != b"200":
        answer = written(first[1] if len(first) > 1 else first[0], 100)
        raise UnreachableError(f"{_variable(place)} answers {answer}")
