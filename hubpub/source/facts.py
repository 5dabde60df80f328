"""What ``source`` knows of a repository: frozen values, and no syntax."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from hubpub.diagnostic import FILE_START, Span
from hubpub.source.facts_entry import Lack, Namespace, Suite
from hubpub.source.facts_git import Git
from hubpub.source.facts_loading import DeclaredPython, Loading
from hubpub.source.facts_published import Missing, Opened, Project, Published, VersionCall
from hubpub.source.text import Text

HASH_REGEX = re.compile(r"-([a-f0-9]*)\.")
"""``torch.hub.HASH_REGEX``: its first match in a cache name is what ``check_hash`` compares."""
CHECKPOINT_SUFFIXES = (
    ".pth", ".pt", ".ckpt", ".bin", ".safetensors",
    ".th", ".pkl", ".tar", ".onnx", ".jit",
)  # fmt: skip
"""How the names of checkpoints end, in lower case."""
RELEASE_LIMIT = 2 << 30
"""What one asset of a GitHub release may hold, in bytes."""


@dataclass(frozen=True)
class Place:
    """A stretch of a file of the repository; ``path`` is relative, with forward slashes."""

    path: str
    span: Span = FILE_START


@dataclass(frozen=True)
class Problem:
    """Why a file cannot be read or parsed, or why importing hubconf certainly fails."""

    reason: str
    place: Place


@dataclass(frozen=True)
class Parameter:
    """A parameter of an entrypoint; ``kind`` as in :class:`hubpub.source.tree.Parameter`."""

    name: str
    kind: str
    optional: bool
    place: Place


@dataclass(frozen=True)
class Entrypoint:
    """A public name of hubconf.py that can be called: what ``torch.hub.list`` shows.

    ``kind`` is function, class, partial, instance or unknown. ``origin`` is where it is defined:
    hubconf, repository, torch, standard library or third party. ``certainty`` is certain or
    possible. ``place`` is the definition (or, outside the repository, the import), ``bound`` where
    hubconf.py binds the name. ``docstring`` is what ``torch.hub.help`` shows, None where that is
    nothing; outside the repository it is not known and ``documented`` is True. ``required`` are
    the parameters that a caller must give. ``leak``: the publisher did not mean it, as far as can
    be judged; ``imported``: the name comes from an import statement. ``constructor`` is the
    docstring of a class's ``__init__``, ``coroutine`` whether it is an ``async def``, ``nothing``
    whether every way through it returns None. ``lack`` is the call inside it that fails for want of
    arguments when it is given none. ``suite`` is where its docstring goes, if it has none and is
    defined in hubconf.py.
    """

    name: str
    kind: str
    origin: str
    certainty: str
    place: Place
    bound: Place
    docstring: str | None
    documented: bool
    parameters: tuple[Parameter, ...]
    required: tuple[str, ...]
    leak: bool
    imported: bool
    target: str
    decorated: bool = False
    used: bool = False
    constructor: str | None = None
    coroutine: bool = False
    nothing: bool = False
    lack: Lack | None = None
    suite: Suite | None = None


@dataclass(frozen=True)
class HiddenCallable:
    """A function or class of hubconf.py with an underscore, which ``torch.hub.list`` hides.

    ``sibling`` is a public function of hubconf.py with the same decorators, if there is one.
    ``downloads``: calling it fetches or opens a checkpoint. ``used``: hubconf.py reads the name.
    """

    name: str
    place: Place
    sibling: str | None
    downloads: bool
    used: bool = False


@dataclass(frozen=True)
class Import:
    """An import statement that the loader reaches.

    ``when`` is import (of hubconf) or call (of ``entrypoints``). ``origin`` is repository, standard
    library, third party or missing. ``guarded``: an except clause copes with its absence.
    ``conditional``: it may not run. ``chain`` are the imports that lead there, hubconf.py first.
    ``certain`` are the entrypoints that reach it, unguarded, in any case.
    """

    module: str
    place: Place
    when: str
    origin: str
    guarded: bool
    conditional: bool
    chain: tuple[Place, ...]
    entrypoints: tuple[str, ...] = ()
    file: str | None = None
    certain: tuple[str, ...] = ()

    @property
    def package(self) -> str:
        """The top-level module, as a ``dependencies`` list names it."""
        return self.module.partition(".")[0]


@dataclass(frozen=True)
class Argument:
    """An argument as far as it is known: ``values`` are its possible literal values.

    ``known`` is False where it may be anything else too. ``places`` are where the literals stand.
    """

    values: tuple[Any, ...]
    known: bool
    place: Place | None
    places: tuple[Place, ...] = ()


@dataclass(frozen=True)
class Download:
    """A call that fetches or opens a checkpoint.

    ``function`` is the canonical dotted name (``torch.load``,
    ``torch.hub.load_state_dict_from_url``, ...), ``arguments`` what it is given by parameter name,
    ``entrypoints`` those that reach it; without any it is reached when hubconf is imported.
    ``cases`` are the arguments of each way to reach it, of which ``arguments`` is the sum.
    ``written``: the call is written as one of this function with all of its arguments, so that a
    keyword can be added. ``guarded``: a handler copes with its failure, whichever way it is
    reached. ``returned``: an entrypoint returns what it gives. ``on_gpu``: it is reached only where
    ``torch.cuda.is_available()``. ``always`` are the entrypoints that reach it whatever their
    arguments are.
    """

    function: str
    place: Place
    arguments: Mapping[str, Argument] = field(default_factory=lambda: MappingProxyType({}))
    complete: bool = True
    entrypoints: tuple[str, ...] = ()
    cases: tuple[Mapping[str, Argument], ...] = ()
    written: bool = False
    guarded: bool = False
    returned: bool = False
    on_gpu: bool = False
    always: tuple[str, ...] = ()

    def argument(self, name: str) -> Argument | None:
        """The argument called ``name``; None where it is not given."""
        return self.arguments.get(name)


_STAND_INS = frozenset(
    {"owner", "user", "username", "your_username", "repo", "repository", "org", "..."}
)


def stands_in(name: str) -> bool:
    """Whether an owner's or a repository's name is one to be replaced by the reader's own."""
    word = name.lower().replace("-", "_")
    return (
        word in _STAND_INS or word.startswith("your_") or any(char in name for char in "<>{}[]$ ")
    )


@dataclass(frozen=True)
class HubCall:
    """A call of ``torch.hub.load``, ``list`` or ``help``, in code or in a document.

    ``repository`` is the text before a colon and ``ref`` the one after it, None where unknown or
    absent. ``place`` is the call, ``literal`` the string that names the repository. ``written``:
    the call is written as one of this function with all of its arguments, so that a keyword can be
    added (:func:`hubpub.rules.keywords.add_keyword`). ``passes``: a call in a document gives more
    arguments than the loader's own, for the entrypoint.
    """

    function: str
    repository: str | None
    ref: str | None
    entrypoint: str | None
    trusted: bool
    local: bool
    skip_validation: bool
    place: Place
    literal: Place | None
    document: bool
    entrypoints: tuple[str, ...] = ()
    written: bool = False
    passes: bool = False

    @property
    def named(self) -> bool:
        """Whether it is of a repository on GitHub that is known by its name."""
        return self.repository is not None and not self.local and not self.placeholder

    @property
    def placeholder(self) -> bool:
        """Whether the repository is a stand-in for a reader's own, not a real name."""
        return any(map(stands_in, (self.repository or "").split("/")))


@dataclass(frozen=True)
class Requirement:
    """One item of ``dependencies``; ``name`` None where it is not a string that can be read."""

    name: str | None
    shown: str
    place: Place


@dataclass(frozen=True)
class Dependencies:
    """The ``dependencies`` of hubconf.py.

    ``kind`` is absent, none, list, tuple, set, dict, string, other (a value that the loader cannot
    go through) or unknown (an expression that cannot be read). ``complete``: ``items`` are all.
    ``insert`` is the one display that is assigned, to which an item can be added; ``value`` the one
    expression that is assigned; both None where it is put together in another way.
    """

    kind: str
    items: tuple[Requirement, ...]
    place: Place
    complete: bool
    insert: Place | None = None
    value: Place | None = None

    @property
    def names(self) -> frozenset[str]:
        """The items that are strings."""
        return frozenset(item.name for item in self.items if item.name is not None)


@dataclass(frozen=True)
class Comment:
    """A suppression comment: ``selectors`` are codes or names, ``file`` whether for the file.

    ``lines`` are those that it speaks for, its own included; none for the whole file.
    """

    place: Place
    selectors: tuple[str, ...]
    reason: str
    file: bool
    lines: range


@dataclass(frozen=True)
class DynamicPlace:
    """A place where names are made at import that cannot be read."""

    reason: str
    place: Place


@dataclass(frozen=True)
class CheckpointFile:
    """A file of the tree that looks like a checkpoint; ``size`` in bytes."""

    path: str
    size: int


@dataclass(frozen=True)
class Answer:
    """What a host says of the file at a URL.

    ``status`` is the last HTTP status, None where there was no answer: then ``error`` says why, and
    ``unknown_host`` whether there is no such host. ``size`` is in bytes, None where it is not said.
    ``content_type`` is in lower case and without parameters. ``final`` is the URL after redirects.
    ``start`` are the first bytes of the file where they were asked for.
    """

    status: int | None
    size: int | None = None
    content_type: str = ""
    final: str = ""
    error: str = ""
    unknown_host: bool = False
    start: bytes = b""

    @property
    def told(self) -> bool:
        """Whether the host said something of the file: that it is there, or that it is not."""
        return self.unknown_host or self.status in {200, 206, 401, 404, 410}


@dataclass(frozen=True)
class Hubconf:
    """hubconf.py. ``insert`` is where a first statement may stand: after docstring, ``__future__``.

    ``modules`` are the names that it binds to
    modules of the standard library, with the modules' names.
    """

    path: str
    docstring: str | None
    dependencies: Dependencies
    insert: Place
    modules: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True)
class Repo:
    """A repository, read.

    ``hubconf`` is None where there is none or it cannot be parsed; ``problems`` say why. ``texts``
    are the files that diagnostics may point at. ``own`` are the names ``owner/name`` under which
    the repository is known: its remotes on GitHub, and what its packaging files say. ``git`` is
    what git's own files say.
    ``unfollowed`` are entrypoints whose calls go further than is followed: what they do there is
    not in the facts. ``unpickled`` are calls that read pickles in other ways than torch's.
    ``asked`` are the paths of which the code asks whether they are there, as it computes them.
    ``answers`` is what the hosts of checkpoints said, by URL; empty unless they were asked.
    ``published`` is the tree that users get. ``licensed``: it holds a licence, or its packaging
    files name one.
    ``roots`` are the folders of the repository that ``sys.path`` holds, the root as the empty path.
    ``hooked``: code that is reached changes how modules are found, so one that is not in the tree
    may still be imported. ``project`` is what the packaging files say. ``absent`` are
    the imports, guarded ones aside, of what users do not get. ``opened`` are the files of
    the repository that are opened, checkpoints aside; ``version_calls`` ask for a version while
    hubconf is imported.
    ``namespace`` are the names of hubconf.py that are no entrypoints.
    ``loading`` is what importing and calling does beyond making objects, ``python`` the least
    Python that the project declares.
    """

    root: Path
    hubconf: Hubconf | None
    problems: tuple[Problem, ...] = ()
    failures: tuple[Problem, ...] = ()
    elsewhere: tuple[str, ...] = ()
    entrypoints: tuple[Entrypoint, ...] = ()
    hidden: tuple[HiddenCallable, ...] = ()
    namespace: Namespace = field(default_factory=Namespace)
    dynamic: tuple[DynamicPlace, ...] = ()
    unfollowed: tuple[str, ...] = ()
    imports: tuple[Import, ...] = ()
    downloads: tuple[Download, ...] = ()
    unpickled: tuple[Download, ...] = ()
    asked: frozenset[str] = frozenset()
    answers: Mapping[str, Answer] = field(default_factory=lambda: MappingProxyType({}))
    hub_calls: tuple[HubCall, ...] = ()
    comments: tuple[Comment, ...] = ()
    checkpoints: tuple[CheckpointFile, ...] = ()
    modules: frozenset[str] = frozenset()
    own: tuple[str, ...] = ()
    git: Git = field(default_factory=Git)
    exists: bool = True
    licensed: bool = True
    published: Published = field(default_factory=Published)
    project: Project = field(default_factory=Project)
    roots: tuple[str, ...] = ("",)
    absent: tuple[Missing, ...] = ()
    opened: tuple[Opened, ...] = ()
    version_calls: tuple[VersionCall, ...] = ()
    hooked: bool = False
    loading: Loading = field(default_factory=Loading)
    python: DeclaredPython | None = None
    texts: Mapping[str, Text] = field(default_factory=lambda: MappingProxyType({}), compare=False)

    def is_own(self, repository: str | None) -> bool:
        """Whether ``owner/name`` is this repository's; GitHub takes its letters in any case."""
        return (repository or "").casefold() in {name.casefold() for name in self.own}
