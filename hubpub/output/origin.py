"""Where the release of a verification report is on the web, as far as a report can be trusted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")
"""What torch.hub takes for an owner or a repository."""
_SERVER = re.compile(r"https://[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?(?::[0-9]{1,5})?")
GITHUB = "https://github.com"


def repository_url(report: Mapping[str, Any]) -> str | None:
    """``https://SERVER/owner/repo``; None of a local path, and where the report says otherwise.

    A report may come from anyone, so what it names is only taken where it has this very form.
    """
    reference = report["reference"]
    names = (reference["owner"], reference["repo"])
    url = reference.get("url")
    if not url or not all(map(_NAME.fullmatch, names)):
        return None
    server = str(url).removesuffix(f"/{'/'.join(names)}")
    return str(url) if server != url and _SERVER.fullmatch(server) else None


def github_url(report: Mapping[str, Any]) -> str | None:
    """The same where it is on github.com: no other site is linked to on the word of a report."""
    url = repository_url(report)
    return url if url is not None and url.startswith(f"{GITHUB}/") else None
