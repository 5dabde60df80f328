"""Puts what the parent offers into a job's caches: contents it has hashed, as an earlier job left.

What is large is a link to the parent's read-only copy. What is small is copied, because programs
write to their small files (locks, notes of versions).
"""

from __future__ import annotations

import json
import os
import shutil

_COPIED_BYTES = 1 << 20


def place(store: str, directory: str) -> None:
    """Make the files and links that the list in ``store`` names, below ``directory``."""
    with open(os.path.join(store, "offered.json"), encoding="ascii") as file:
        listed = json.load(file)
    for item in listed:
        target = os.path.join(directory, item["path"])
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if "link" in item:
            os.symlink(item["link"], target)
            continue
        content = os.path.join(store, item["sha256"])
        if item["size"] <= _COPIED_BYTES:
            shutil.copyfile(content, target)
        else:
            os.symlink(content, target)
