"""What makes a finding the same finding in the next run, though its line has moved."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence

from hubpub.diagnostic import FILE_START, Diagnostic
from hubpub.output.run import Run

_COMPARED = 1000
"""The characters of a line that are compared."""


def fingerprints(diagnostics: Sequence[Diagnostic], run: Run) -> list[str]:
    """64 hexadecimal digits for each finding, no two alike.

    Made of the path, the code, the text of the line without its indentation, and which of several
    such findings of the file it is. A finding about a whole file has no text.
    """
    seen: Counter[tuple[str, str, str]] = Counter()
    made = []
    for item in diagnostics:
        text = "" if item.span == FILE_START else run.line(item.location, item.span.line)
        key = (item.location, item.code, text[:_COMPARED].strip())
        data = "\0".join((*key, str(seen[key])))
        seen[key] += 1
        made.append(hashlib.sha256(data.encode("utf-8", "surrogatepass")).hexdigest())
    return made
