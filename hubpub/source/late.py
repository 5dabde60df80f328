"""Imports of own modules that run after the load, when the repository is off ``sys.path``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hubpub.source import facts_loading as loaded
from hubpub.source import reading, tree
from hubpub.source.interpret import filesystem, imports
from hubpub.source.text import Text, Unreadable

RUN_LATER = frozenset({
    "forward", "__call__", "forward_features", "forward_head", "encode", "decode", "predict",
    "predict_step", "generate", "sample", "infer", "inference", "transcribe", "extract_features",
    "embed", "embed_utterance", "synthesize", "separate", "detect", "score", "preprocess",
    "postprocess", "tokenize",
})  # fmt: skip
"""Methods that users call on what an entrypoint returned."""
MAX_LATE = 100


def late_imports(
    outcome: reading.Outcome, edits: tuple[loaded.PathEdit, ...]
) -> Iterator[loaded.LateImport]:
    """Imports in such methods of a module whose package nothing has imported by then.

    A submodule of a package that is in ``sys.modules`` is found through the package, wherever
    ``sys.path`` leads. Where the code itself (``edits``) put the root there, it stays.
    """
    for edit in edits:
        text = edit.entry or ""
        if edit.action == "add" and not edit.undone and filesystem.inside(text) == "":
            return
    wanted = _never_imported(outcome)
    found = [
        item
        for path, module in list(outcome.machine.trees.items())
        if module is not None and _names_one(outcome.machine.files.text(path), wanted)
        for item in _late_in(path, module, wanted)
    ]
    yield from found[:MAX_LATE]


def _never_imported(outcome: reading.Outcome) -> frozenset[str]:
    """Top-level modules of the repository that neither import nor any entrypoint imports."""
    machine = outcome.machine
    names = {item.removesuffix(".py") for item in machine.files.listing("")}
    return frozenset(
        name
        for name in names - machine.modules.keys()
        if name.isidentifier() and _is_own(outcome, name)
    )


_INDENTED = re.compile(r"^[ \t]+(?:from|import)[ \t]+(\w+)", re.MULTILINE)


def _names_one(text: Text | Unreadable, wanted: frozenset[str]) -> bool:
    """Whether a file may hold such an import: going through its tree takes longer."""
    if isinstance(text, Unreadable) or not wanted:
        return False
    return any(match.group(1) in wanted for match in _INDENTED.finditer(text.text))


def _late_in(path: str, module: tree.Module, wanted: frozenset[str]) -> Iterator[loaded.LateImport]:
    for owner, method in _methods(module):
        for node in tree.walk(method.body):
            name = _absolute(node)
            package = name.partition(".")[0]
            if package in wanted and isinstance(node, (tree.Import, tree.ImportFrom)):
                place = reading.place((path, node.at))
                yield loaded.LateImport(name, package, owner.name, method.name, place)


def _methods(module: tree.Module) -> Iterator[tuple[tree.Class, tree.Function]]:
    for owner in module.body:
        if isinstance(owner, tree.Class):
            for node in owner.body:
                if isinstance(node, tree.Function) and node.name in RUN_LATER:
                    yield owner, node


def _absolute(node: object) -> str:
    """The module that a statement imports; empty where it is none, or relative.

    A relative import needs a package, which is in ``sys.modules`` then.
    """
    if isinstance(node, tree.Import):
        return node.module
    if isinstance(node, tree.ImportFrom) and node.level == 0:
        return node.module
    return ""


def _is_own(outcome: reading.Outcome, package: str) -> bool:
    """Whether the root holds ``package``, and nothing outside would be taken for it."""
    if imports.top_level(outcome.machine, package) is None:
        return False
    found = imports.find(outcome.machine, package, ("",))
    return found is not None and bool(found.path)
