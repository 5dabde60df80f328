"""Addresses on the web: where a rule is explained, and how a path is written in a URL."""

from __future__ import annotations

from urllib.parse import quote

HOME = "https://github.com/hubpub/hubpub"


def anchor(code: str, name: str) -> str:
    """The anchor that GitHub makes of a rule's heading in docs/rules.md, ``name (CODE)``."""
    return f"{name}-{code.lower()}"


def rule_url(code: str, name: str) -> str:
    """Where a rule is explained; the anchor never changes, as codes and names do not."""
    page = "card.md" if code.startswith("CARD") else "rules.md"
    return f"{HOME}/blob/main/docs/{page}#{anchor(quote(code), quote(name))}"


def encoded(path: str) -> str:
    """A path with forward slashes as part of a URL, percent-encoded; bytes stay what they are.

    A first segment with a colon would read as a scheme, so colons are encoded too.
    """
    try:
        data = path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        data = path.encode("utf-8", "surrogatepass")
    return quote(data, safe="/")
