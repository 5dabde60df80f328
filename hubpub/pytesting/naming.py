"""Names of a repository as parts of a node's id: harmless, short, and no two alike."""

from __future__ import annotations

import hashlib
import re

from hubpub.output.escape import visible

LONGEST = 80
"""Characters of one part of an id; pytest also makes the names of folders of them."""
_OF_IDS = re.compile(r"[^\w.+-]")


def node_name(text: str) -> str:
    r"""``text`` with whatever means something in a node's id, or to a terminal, spelled out.

    Two texts have two names: a backslash is spelled out too, and what is cut off is told by its
    sha256. Letters and digits of any script, and ``_ . + -``, stay as they are.

    >>> node_name("a::b[c]")
    'a\\x3a\\x3ab\\x5bc\\x5d'
    """
    name = _OF_IDS.sub(_spelled, text) or "\\"
    if len(name) <= LONGEST and visible(name) == name:
        return name
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{visible(name)[:LONGEST]}~{digest[:16]}"


def _spelled(match: re.Match[str]) -> str:
    number = ord(match.group())
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
