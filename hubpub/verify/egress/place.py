"""Where a request wants to go: URLs read strictly, and whatever is odd shown harmlessly.

A lenient reader is how an allow-list is passed: two programs that read one URL differently. So
there is one spelling of each URL here, and the rest is refused.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from hubpub.hosts import bracketed

_PORTS = {"http": 80, "https": 443}
_HOST = r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)"
_URL = re.compile(
    rf"(?P<scheme>[A-Za-z]+)://{_HOST}(?::(?P<port>[0-9]{{1,5}}))?(?P<rest>[/?#][!-~]*)?"
)
_AUTHORITY = re.compile(rf"{_HOST}:(?P<port>[0-9]{{1,5}})")


@dataclass(frozen=True)
class Place:
    """A server, and what is asked of it: ``target`` is a path with its query.

    ``host`` is in lower case, without a dot at its end, and an IPv6 address has no brackets.
    """

    scheme: str
    host: str
    port: int
    target: str = ""

    @property
    def authority(self) -> str:
        """Host and port as a URL has them: without the scheme's own port."""
        name = bracketed(self.host)
        return name if self.port == _PORTS[self.scheme] else f"{name}:{self.port}"

    @property
    def endpoint(self) -> str:
        """Host and port, whatever the port is."""
        return f"{bracketed(self.host)}:{self.port}"

    @property
    def url(self) -> str:
        """The absolute URL, as a proxy is asked for it."""
        return f"{self.scheme}://{self.authority}{self.target}"


def read_url(text: str) -> Place | None:
    """An absolute ``http://`` or ``https://`` URL; None for anything else, credentials included.

    What follows a ``#`` is for the client, and left out.
    """
    found = _URL.fullmatch(text)
    if found is None or found["scheme"].lower() not in _PORTS:
        return None
    scheme = found["scheme"].lower()
    host, port = _host(found["host"]), int(found["port"] or _PORTS[scheme])
    if host is None or not 0 < port < 1 << 16:
        return None
    target = (found["rest"] or "").partition("#")[0]
    return Place(scheme, host, port, target if target.startswith("/") else f"/{target}")


def read_authority(text: str) -> Place | None:
    """The ``host:port`` of a CONNECT; None for anything else."""
    found = _AUTHORITY.fullmatch(text)
    if found is None:
        return None
    host, port = _host(found["host"]), int(found["port"])
    return None if host is None or not 0 < port < 1 << 16 else Place("https", host, port)


def _host(text: str) -> str | None:
    if text.startswith("["):
        try:
            return str(ipaddress.IPv6Address(text[1:-1]))
        except ValueError:
            return None
    name = text.lower().removesuffix(".")
    fits = 0 < len(name) < 254 and all(0 < len(label) < 64 for label in name.split("."))
    return name if fits else None


def written(data: bytes, most: int) -> str:
    """At most ``most`` characters of what a stranger sent, as printable ASCII."""
    shown = (chr(byte) if 32 <= byte < 127 else f"\\x{byte:02x}" for byte in data[:most])
    return "".join(shown)[:most]
