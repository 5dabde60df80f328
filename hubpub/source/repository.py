"""A repository's facts, put together: documents, hubconf.py, and what it reaches."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import MappingProxyType

from hubpub.diagnostic import FILE_START
from hubpub.source import (
    absence,
    comments,
    declared_python,
    distribution,
    documents,
    entrypoints,
    examples,
    git,
    hubconf,
    loading,
    namespace,
    noted_calls,
    reached,
    reading,
    requirements,
    tree,
)
from hubpub.source.facts import HubCall, Hubconf, Place, Problem, Repo
from hubpub.source.files import Files
from hubpub.source.interpret import known
from hubpub.source.published import published
from hubpub.source.text import Text, Unreadable

HUBCONF = "hubconf.py"
RECURSION = 4_000
"""Python frames that following calls may take; within an 8 MiB stack on every supported Python."""


def read(files: Files) -> Repo:
    """Read a repository through its files: whatever they hold, this never raises."""
    with _deep_and_quick():
        return _read(files)


@contextmanager
def _deep_and_quick() -> Iterator[None]:
    # Trees are many small objects without cycles: collecting while they are made is a third of
    # the time. Calls are followed by recursion.
    enabled, limit = gc.isenabled(), sys.getrecursionlimit()
    gc.disable()
    sys.setrecursionlimit(max(limit, RECURSION))
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)
        if enabled:
            gc.enable()


def _read(files: Files) -> Repo:
    root = files.root
    if not files.is_directory(""):
        return Repo(root, None, exists=False)
    paths = files.walk()
    texts: dict[str, Text] = {}
    shown: list[HubCall] = []
    for path in documents.documents(paths):
        text = documents.read(files, path)
        if text is not None:
            texts[path] = text
            shown.extend(examples.examples(path, text))
    base = Repo(
        root,
        None,
        hub_calls=tuple(shown),
        checkpoints=documents.checkpoints(files, paths),
        git=git.read(files),
        texts=MappingProxyType(texts),
        licensed=documents.licensed(files, paths),
        elsewhere=tuple(path for path in paths if path.endswith(f"/{HUBCONF}")),
    )
    found = _with_hubconf(base, files) if files.has(HUBCONF) else _with_comments(base)
    about = distribution.project(files, paths)
    own = tuple(dict.fromkeys([*found.git.own, *about.homes]))
    found = _replace(found, published=published(files, paths, found), project=about, own=own)
    return _replace(found, absent=absence.absent(found))


def _with_hubconf(base: Repo, files: Files) -> Repo:
    text = files.text(HUBCONF)
    module = text if isinstance(text, Unreadable) else hubconf.read(text)
    texts = dict(base.texts)
    if isinstance(text, Text):
        texts[HUBCONF] = text
    if isinstance(module, Unreadable):
        problem = Problem(module.reason, Place(HUBCONF, module.span))
        found = _replace(base, problems=(problem,), texts=MappingProxyType(texts))
        return _with_comments(found)
    assert isinstance(text, Text)  # noqa: S101 - a tree comes of a text
    outcome = reading.interpret(files, module)
    loaded = frozenset(call.entrypoint for call in base.hub_calls if call.entrypoint)
    found_entrypoints = entrypoints.entrypoints(outcome, loaded, text)
    downloads, hub_calls = reached.call_facts(outcome)
    texts.update((path, item) for path, item in files.texts.items() if isinstance(item, Text))
    imports = reached.import_facts(outcome)
    python = declared_python.read(files)
    unreadable = {
        path: item for path, item in outcome.machine.unreadable.items() if path != HUBCONF
    }
    found = _replace(
        base,
        hubconf=Hubconf(
            HUBCONF,
            module.docstring,
            requirements.dependencies(outcome),
            _insertion(module),
            modules=MappingProxyType(entrypoints.modules(outcome)),
        ),
        problems=tuple(
            Problem(item.reason, Place(path, item.span)) for path, item in unreadable.items()
        ),
        failures=outcome.failures,
        entrypoints=found_entrypoints,
        namespace=namespace.namespace(outcome, found_entrypoints, text),
        hidden=entrypoints.hidden(outcome),
        dynamic=entrypoints.dynamic(outcome),
        unfollowed=tuple(outcome.unfollowed),
        imports=imports,
        downloads=tuple(item for item in downloads if item.function not in known.UNPICKLERS),
        unpickled=tuple(item for item in downloads if item.function in known.UNPICKLERS),
        asked=frozenset(outcome.machine.asked),
        hub_calls=(*hub_calls, *base.hub_calls),
        loading=loading.loading(outcome, imports, python),
        python=python,
        modules=frozenset(name.partition(".")[0] for name in outcome.machine.modules),
        texts=MappingProxyType(texts),
        roots=tuple(outcome.machine.path),
        opened=noted_calls.opened(outcome),
        version_calls=noted_calls.version_calls(outcome),
        hooked=distribution.hooked(texts),
    )
    defined = {HUBCONF, *(item.place.path for item in found.entrypoints)}
    shown = [
        call
        for path in sorted(defined & texts.keys())
        for call in examples.examples(path, texts[path])
    ]
    found = _replace(found, hub_calls=(*found.hub_calls, *shown))
    return _with_comments(found)


def _with_comments(repo: Repo) -> Repo:
    found = [comment for path, text in repo.texts.items() for comment in comments.read(path, text)]
    return _replace(repo, comments=tuple(found))


def _insertion(module: tree.Module) -> Place:
    """Where a new first statement may stand: after the docstring and ``__future__`` imports."""
    line = 1
    for index, statement in enumerate(module.body):
        docstring = index == 0 and module.docstring is not None
        future = isinstance(statement, tree.ImportFrom) and statement.module == "__future__"
        if not docstring and not future:
            break
        line = statement.at[2] + 1
    return Place(HUBCONF, type(FILE_START)(line, 1, line, 1))


def _replace(repo: Repo, **changes: object) -> Repo:
    import dataclasses

    return dataclasses.replace(repo, **changes)  # type: ignore[arg-type]
