"""Which hosts a job may download from: GitHub, PyTorch, Hugging Face, and what the user adds."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

from hubpub.errors import UsageError
from hubpub.hosts import Allowed, parse

__all__ = ["DEFAULT_HOSTS", "Rule", "rules"]

DEFAULT_HOSTS = (
    "github.com",
    "api.github.com",
    "codeload.github.com",
    "*.githubusercontent.com",
    "download.pytorch.org",
    "huggingface.co",
    "*.huggingface.co",
    "hf.co",
    "*.hf.co",
)
"""GitHub and its asset hosts, PyTorch's checkpoints, Hugging Face and its storage and CDN.

GitHub's documentation for self-hosted runners names *.githubusercontent.com for what it serves;
https://huggingface.co/.well-known/meta.json lists the domains of the Hub: all are below these.
"""


@dataclass(frozen=True)
class Rule(Allowed):
    """An allowed host, and whether the user said so."""

    by_user: bool

    @property
    def private(self) -> bool:
        """Whether this allows an address that is not public: one host, named by the user."""
        return self.by_user and not self.host.startswith("*.")


def rules(allowed: Iterable[str]) -> tuple[Rule, ...]:
    """The default hosts and the user's ``--allow-host HOST[:PORT]``.

    Raises:
        UsageError: a value that is no host.
    """
    found = [Rule(host, None, by_user=False) for host in DEFAULT_HOSTS]
    return (*found, *(_of_user(text) for text in allowed))


def _of_user(text: str) -> Rule:
    """``text`` as the hosts of requests are spelled: in ASCII, and without a dot at the end."""
    item = parse(text)
    star, name = ("*.", item.host[2:]) if item.host.startswith("*.") else ("", item.host)
    try:
        if ":" in name:
            name = str(ipaddress.IPv6Address(name))
        elif not name.isascii():
            name = name.encode("idna").decode("ascii")
    except ValueError as error:
        raise UsageError(f"--allow-host {text!r} is no HOST[:PORT]: {error}") from error
    return Rule(star + name.removesuffix("."), item.port, by_user=True)
