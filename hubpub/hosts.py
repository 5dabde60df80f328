"""Hosts: which of them are public, and which a user allows by name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from hubpub.errors import UsageError

DEFAULT_PORTS = (80, 443)
_LOCAL = ("localhost", "local", "internal", "intranet", "lan", "home.arpa", "localdomain")
"""Domains that mean another machine, or none, wherever they are asked for."""
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]{1,16}|[0-9]{1,16}")
_SPECIAL = frozenset({"168.63.129.16"})
"""Addresses that look public and are answered by the machine's own host: Azure's."""


@dataclass(frozen=True)
class Allowed:
    """One allowed host: exact, or ``*.suffix``; ``port`` None means 80 and 443."""

    host: str
    port: int | None

    def matches(self, host: str, port: int) -> bool:
        """Whether a request to ``host:port`` is allowed by this."""
        if self.port != port and not (self.port is None and port in DEFAULT_PORTS):
            return False
        return host.endswith(self.host[1:]) if self.host.startswith("*.") else host == self.host


def parse(text: str) -> Allowed:
    """``HOST[:PORT]`` as ``--allow-host`` takes it.

    Raises:
        UsageError: a value that is no host.
    """
    try:
        parts = urlsplit("//" + text)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if (
        not host
        or "*" in host.removeprefix("*.")
        or parts.path
        or parts.query
        or parts.username is not None
    ):
        raise UsageError(f"--allow-host {text!r} is no HOST[:PORT]", help="such as example.org")
    return Allowed(host, port)


def bracketed(host: str) -> str:
    """A host as it stands before a colon and a port: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host


def flag(host: str, port: int) -> str:
    """The value of ``--allow-host`` that allows ``host:port``."""
    return bracketed(host) if port in DEFAULT_PORTS else f"{bracketed(host)}:{port}"


@dataclass(frozen=True)
class Proxy:
    """A proxy that the environment names; its login is for it alone, and never shown.

    ``headers`` are what it is sent with each request.
    """

    host: str
    port: int
    headers: tuple[tuple[str, str], ...]


def read_proxy(text: str) -> Proxy:
    """A proxy as ``http_proxy`` and its like name it.

    Raises:
        ValueError: it is not one that an ``http://`` URL names.
    """
    from base64 import b64encode

    parts = urlsplit(text if "://" in text else f"http://{text}")
    host, port = parts.hostname, parts.port
    if not host or parts.scheme != "http":
        raise ValueError(f"{parts.scheme}: is no proxy")
    headers: tuple[tuple[str, str], ...] = ()
    if parts.username is not None:
        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers = (("Proxy-Authorization", f"Basic {b64encode(login.encode()).decode()}"),)
    return Proxy(host, port or 80, headers)


def is_local_name(host: str) -> bool:
    """Whether ``host`` says by itself that it is not public: localhost, or a private address.

    Addresses are read as ``inet_aton`` reads them: ``2130706433`` and ``0x7f.1`` are 127.0.0.1.
    """
    name = host.lower().rstrip(".").strip("[]")
    address = _address(name)
    if address is not None:
        return not is_public_address(address)
    return name in _LOCAL or name.endswith(tuple(f".{domain}" for domain in _LOCAL))


def is_public_address(address: str) -> bool:
    """Whether an IP address can be that of a server on the internet; False for what is none.

    Private, loopback, link-local (with it the metadata services of clouds), shared, reserved and
    multicast addresses are not; nor is an IPv6 address that stands for such an IPv4 address.
    """
    import ipaddress

    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo and found.teredo[1])
        if found in ipaddress.ip_network("64:ff9b::/96") or int(found) < 1 << 32:
            inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if inner is not None:
            return is_public_address(str(inner))
        # Only this block is given out (RFC 4291, 2.4); Python's list of what is not lags behind,
        # by the translators of a network's own (64:ff9b:1::/48), site-local fec0::/10 and others.
        if found not in ipaddress.ip_network("2000::/3") or int(found) >> 108 == 0x3FFF0:
            return False
    return found.is_global and not found.is_multicast and str(found) not in _SPECIAL


def _address(name: str) -> str | None:
    """The address that a host name is a spelling of; None for the names of machines."""
    if ":" in name:
        return name
    parts = name.split(".")
    if len(parts) > 4 or not all(_NUMBER.fullmatch(part) for part in parts):
        return None
    try:
        numbers = [_value(part) for part in parts]
    except ValueError:
        return None
    last = 256 ** (5 - len(numbers))
    if any(number > 255 for number in numbers[:-1]) or numbers[-1] >= last:
        return None
    total = numbers[-1] + sum(
        number << 8 * (3 - index) for index, number in enumerate(numbers[:-1])
    )
    return ".".join(str(total >> shift & 255) for shift in (24, 16, 8, 0))


def _value(part: str) -> int:
    if part[:2].lower() == "0x":
        return int(part, 16)
    return int(part, 8) if part.startswith("0") and len(part) > 1 else int(part)
