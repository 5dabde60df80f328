"""A user's session in which other code of common names is loaded already."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Sequence

_TEXT = '"""Another project\'s module, which was here first."""\n'


def stand(directory: str, names: Sequence[str]) -> None:
    """Make modules of ``names`` in ``directory``, where a user's script would lie, and import them.

    A name under which a package is installed stays the package's: the code may need that one.
    """
    free = [name for name in names if importlib.util.find_spec(name) is None]
    sys.path.insert(0, directory)
    for name in free:
        with open(os.path.join(directory, f"{name}.py"), "w", encoding="utf-8") as file:
            file.write(_TEXT)
    importlib.invalidate_caches()
    for name in free:
        importlib.import_module(name)
