"""Facts about the names of hubconf.py: what each is, and how it can be mended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hubpub.source.facts import Place

UNREAD_DOCSTRINGS = ("(made at import)", "(documented elsewhere)")
"""What stands for docstrings that are there but cannot be read."""


@dataclass(frozen=True)
class PlainName:
    """A public name of hubconf.py that certainly cannot be called. ``kind``: module or value."""

    name: str
    kind: str
    bound: Place


@dataclass(frozen=True)
class Listed:
    """``__all__`` of hubconf.py. ``names`` are None where they cannot be read."""

    place: Place
    names: frozenset[str] | None


@dataclass(frozen=True)
class Renaming:
    """How a name of hubconf.py can get another one there: complete, or not there at all.

    ``place`` is what binds it (an alias of an import, or the name after ``def`` or ``class``), and
    ``before`` what the new name has before it there (``partial as``). ``uses`` are all the places
    that read it.
    """

    place: Place
    before: str
    uses: tuple[Place, ...]


@dataclass(frozen=True)
class Suite:
    """Where the docstring of a function or class goes, which has none.

    ``place`` is empty, at the start of the line after the ``def``; or, where the body stands on
    the line of the ``def`` (``inline``), the white space before the body. ``indent`` is the white
    space before each line of the body, ``quotes`` those of the file's other docstrings.
    ``arguments`` are those of the function, or of the class, with their stars.
    """

    name: str
    place: Place
    indent: str
    inline: bool
    quotes: str
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lack:
    """A call that fails when the entrypoint is loaded without arguments.

    The entrypoint passes its ``*args`` and ``**kwargs`` on to ``callee``, a function or class of
    the repository, which needs ``parameters``.
    """

    callee: str
    parameters: tuple[str, ...]
    place: Place


@dataclass(frozen=True)
class Namespace:
    """The names of hubconf.py beside its entrypoints.

    ``names`` are all that it binds, ``renamings`` those that were leaked and can be renamed.
    """

    names: frozenset[str] = frozenset()
    plain: tuple[PlainName, ...] = ()
    listed: Listed | None = None
    renamings: Mapping[str, Renaming] = field(default_factory=lambda: MappingProxyType({}))
