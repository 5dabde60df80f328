"""What a document calls ``torch.hub.load``, ``list`` and ``help``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

FUNCTIONS = ("load", "list", "help")

_IMPORT = re.compile(
    r"(?:\bfrom[ \t]{1,9}([\w.]{1,100})[ \t]{1,9})?"
    r"\bimport[ \t]{1,9}(?:\(([^()]{1,500})\)|([\w.]{1,100}(?:[ \t]{1,9}as[ \t]{1,9}\w{1,100})?"
    r"(?:[ \t]{0,9},[ \t]{0,9}\w[\w.]{0,99}(?:[ \t]{1,9}as[ \t]{1,9}\w{1,100})?){0,20}))"
)
_IMPORTED = re.compile(r"([\w.]+)(?:\s+as\s+(\w+))?")
_MAX_NAMES = 20


@dataclass
class Callees:
    """``modules`` are what stands for ``torch.hub``, ``functions`` maps bare names to its own."""

    modules: set[str] = field(default_factory=lambda: {"torch.hub"})
    functions: dict[str, str] = field(default_factory=dict)

    def pattern(self) -> re.Pattern[str]:
        """Finds calls up to their parenthesis: the groups are the function or the bare name."""
        modules = "|".join(map(re.escape, sorted(self.modules)))
        bare = "|".join(map(re.escape, sorted(self.functions)))
        return re.compile(
            rf"(?<![\w.])(?:(?:{modules})\.(load|list|help)"
            rf"{f'|({bare})' if bare else '|(?!)()'})[ \t]{{0,20}}\("
        )


def read(texts: Iterable[str]) -> Callees:
    """How the document of ``texts`` names what it calls.

    ``hub`` alone is torch's, as most documents leave out the import, unless one imports another.
    """
    found = Callees()
    foreign = False
    for text in texts:
        for match in _IMPORT.finditer(text):
            module = match[1] or ""
            for name, other in _IMPORTED.findall(match[2] or match[3]):
                if len(found.modules) + len(found.functions) > _MAX_NAMES:
                    return found
                foreign |= _add(found, module, name, other)
    if not foreign:
        found.modules.add("hub")
    return found


def _add(found: Callees, module: str, name: str, other: str) -> bool:
    """Take note of an import; whether it makes ``hub`` something else."""
    whole = f"{module}.{name}" if module else name
    if whole == "torch" and other:
        found.modules.add(f"{other}.hub")
    elif whole == "torch.hub":
        found.modules.add(other or ("hub" if module else whole))
    elif module == "torch.hub" and name in FUNCTIONS:
        found.functions[other or name] = name
    else:
        return (other or name) == "hub"
    return False
