r"""The checkpoints of a verification report as ``sha256sum --check`` of GNU coreutils reads them.

A name with a backslash or a line break is escaped, and its line begins with a backslash, as in
https://www.gnu.org/software/coreutils/manual/html_node/md5sum-invocation.html.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from hubpub.output.escape import visible

_LONGEST = 4_096
"""Characters of a path that Linux can open: a longer one names no file."""
_ESCAPED = {"\\": "\\\\", "\n": "\\n", "\r": "\\r"}


def render(report: Mapping[str, Any], *, color: bool = False) -> str:  # noqa: ARG001
    """A line for each name and content: sorted by name, then by content, none twice.

    A checkpoint that was downloaded has the name under which torch.hub keeps it, one of the tree
    its path there. Two contents under one name are two lines, of which one fails.
    """
    pairs = {
        (name, item["sha256"])
        for item in report["checkpoints"]
        for name in _names(item)
        if 0 < len(name) <= _LONGEST
    }
    return "".join(_line(name, digest) for name, digest in sorted(pairs))


def _names(item: Mapping[str, Any]) -> Iterator[str]:
    for use in (item, *item.get("uses", ())):
        yield use["path"] or use["filename"]


def _line(name: str, digest: str) -> str:
    """One line. Other controls than line breaks act on a terminal: they are spelled out.

    Such a name is then that of no file, and the check says so.
    """
    kept = "".join(
        part if part in _ESCAPED else visible(part) for part in re.split(r"([\\\n\r])", name)
    )
    mark = "\\" if any(char in _ESCAPED for char in kept) else ""
    text = "".join(_ESCAPED.get(char, char) for char in kept)
    # What is called "-" would be read from standard input.
    return f"{mark}{digest}  {'./-' if text == '-' else text}\n"
