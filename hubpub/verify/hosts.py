"""Which hosts a job may download from: GitHub, PyTorch, Hugging Face, and what the user adds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
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

DEFAULT_PORTS = (80, 443)


@dataclass(frozen=True)
class Rule:
    """One allowed host: exact, or ``*.suffix``; ``port`` None means 80 and 443."""

    host: str
    port: int | None
    by_user: bool

    def matches(self, host: str, port: int) -> bool:
        """Whether a request to ``host:port`` falls under this rule."""
        if self.port != port and not (self.port is None and port in DEFAULT_PORTS):
            return False
        return host.endswith(self.host[1:]) if self.host.startswith("*.") else host == self.host


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
        if (
            not host
            or "*" in host.removeprefix("*.")
            or parts.path
            or parts.query
            or parts.username is not None
        ):
            raise UsageError(f"--allow-host {text!r} is no HOST[:PORT]", help="such as example.org")
        found.append(Rule(host, port, by_user=True))
    return tuple(found)
