"""Which hosts a job may download from: GitHub, PyTorch, Hugging Face, and what the user adds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hubpub.hosts import DEFAULT_PORTS, Allowed, parse

__all__ = ["DEFAULT_HOSTS", "DEFAULT_PORTS", "Rule", "rules"]

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


@dataclass(frozen=True)
class Rule(Allowed):
    """An allowed host, and whether the user said so."""

    by_user: bool


def rules(allowed: Iterable[str]) -> tuple[Rule, ...]:
    """The default hosts and the user's ``--allow-host HOST[:PORT]``.

    Raises:
        UsageError: a value that is no host.
    """
    found = [Rule(host, None, by_user=False) for host in DEFAULT_HOSTS]
    users = [parse(text) for text in allowed]
    return (*found, *(Rule(item.host, item.port, by_user=True) for item in users))
