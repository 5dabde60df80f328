"""Facts about loading: what importing hubconf.py and calling entrypoints do to everything else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hubpub.source.facts import Place


@dataclass(frozen=True)
class Effect:
    """Code that does something beyond making objects was reached.

    ``kind`` is a kind of :data:`hubpub.source.interpret.effects.CALLS`. ``shown`` is what does it,
    shortened. ``when`` is import (of hubconf) or call (of ``entrypoints``). ``conditional``: it may
    not run. ``guarded``: a handler copes with its failure. ``fallback``: it stands in a handler.
    ``chain`` are the imports that lead there, hubconf.py first. ``certain`` are the entrypoints
    that do it whenever they are called without arguments, each with where the text stands that
    makes it so: the ``"cuda"`` of a parameter's default, say; None where there is none.
    """

    kind: str
    shown: str
    place: Place
    when: str
    conditional: bool = False
    guarded: bool = False
    fallback: bool = False
    chain: tuple[Place, ...] = ()
    entrypoints: tuple[str, ...] = ()
    certain: tuple[tuple[str, Place | None], ...] = ()


@dataclass(frozen=True)
class PathEdit:
    """``sys.path`` was changed.

    ``action`` is add, remove or assign. ``entry`` is the directory as it is computed, None where it
    is not known. ``how``: inside (the repository), working (relative to the working directory),
    first (relative to ``sys.path[0]``), elsewhere, or unknown. ``undone``: the same code takes the
    entry away again, or it takes away what it added. ``breaks``: it takes away the loader's own
    entry. ``needs`` are modules of the repository that are imported and that only this entry could
    lead to, if it meant a directory of the repository.
    """

    action: str
    entry: str | None
    how: str
    place: Place
    when: str
    conditional: bool = False
    undone: bool = False
    breaks: bool = False
    chain: tuple[Place, ...] = ()
    entrypoints: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class RelativeImport:
    """A relative import in hubconf.py, which has no parent package.

    ``shown`` is the module with its dots. ``mend`` is the stretch that an absolute import replaces
    by ``text``; None where the root has no such module, or the statement is written in an unusual
    way.
    """

    shown: str
    place: Place
    when: str
    conditional: bool
    mend: Place | None = None
    text: str = ""


@dataclass(frozen=True)
class LocalClass:
    """A class that hubconf.py defines.

    ``returned`` are the entrypoints that return an instance of it, ``module`` whether it derives
    from ``torch.nn.Module``. ``textual`` is the first field of a dataclass whose annotation is a
    text that ``dataclasses`` looks up in ``sys.modules``, where hubconf.py is not.
    ``conditional``: it may not be made.
    """

    name: str
    place: Place
    module: bool
    returned: tuple[str, ...] = ()
    textual: Place | None = None
    conditional: bool = False


@dataclass(frozen=True)
class LateImport:
    """An import of an own module in ``method`` of ``owner``, which runs after the load.

    ``package`` is its top-level module, which nothing imports before.
    """

    module: str
    package: str
    owner: str
    method: str
    place: Place


@dataclass(frozen=True)
class HiddenFailure:
    """A handler that takes every exception of an import and says nothing.

    ``modules`` are those that the ``try`` imports. ``caught`` is what the handler names, empty for
    a bare ``except``.
    """

    modules: tuple[str, ...]
    caught: str
    place: Place


@dataclass(frozen=True)
class DeclaredPython:
    """The least Python that the project declares, as (major, minor). ``shown`` is the text."""

    minimum: tuple[int, int]
    shown: str
    place: Place


@dataclass(frozen=True)
class NewSyntax:
    """The first use, in a file that is reached, of what only ``minimum`` and later Pythons have."""

    feature: str
    minimum: tuple[int, int]
    place: Place


@dataclass(frozen=True)
class CachePath:
    """A text in code that guesses where torch.hub keeps things: ``shown`` is the path."""

    shown: str
    place: Place


@dataclass(frozen=True)
class Loading:
    """What happens while hubconf.py is imported and entrypoints run. ``python`` may be None."""

    effects: tuple[Effect, ...] = ()
    path_edits: tuple[PathEdit, ...] = ()
    relative_imports: tuple[RelativeImport, ...] = ()
    classes: tuple[LocalClass, ...] = ()
    late_imports: tuple[LateImport, ...] = ()
    hidden_failures: tuple[HiddenFailure, ...] = ()
    new_syntax: tuple[NewSyntax, ...] = ()
    cache_paths: tuple[CachePath, ...] = ()
