"""The code and documents that name a checkpoint follow it to its new name, all of them or none."""

from __future__ import annotations

import contextlib
import os
import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from hubpub.diagnostic import Edit, Fix, Span
from hubpub.errors import UsageError
from hubpub.rules.cached import cached
from hubpub.source import edits, modules, read_files
from hubpub.source.facts import Repo
from hubpub.source.files import Files
from hubpub.source.overlay import Overlaid
from hubpub.source.patch import patch
from hubpub.source.text import Text, Unreadable, of
from hubpub.stamping.mentions import Mention, Name
from hubpub.stamping.naming import Stamped
from hubpub.stamping.placing import Swap, quietly

HUBCONF = "hubconf.py"
_MOST_SHOWN = 12
_OTHERS = re.compile(
    r"\.(?:py|toml|cfg|ini|in|ya?ml|sh|txt|json|gitattributes|gitignore)\Z|(?:^|/)(?:Make|Docker)file\Z"
)
"""Files that may name a checkpoint and are not rewritten."""
_MOST_OTHERS, _MOST_BYTES = 500, 1 << 20


@dataclass(frozen=True)
class Change:
    """A place where another name stands now: ``path`` from the root, and 1-based ``line``."""

    path: str
    line: int
    old: str
    new: str


def root_above(folder: Path) -> Path:
    """The nearest folder, ``folder`` or one above it, that holds hubconf.py.

    Raises:
        UsageError: there is none.
    """
    place = Path(os.path.abspath(folder))  # noqa: PTH100 - `..` as it is typed
    for candidate in (place, *place.parents):
        if (candidate / HUBCONF).is_file():
            return candidate
    raise UsageError(
        f"there is no hubconf.py in {folder} or above it",
        help="run it in the repository, or name that: --root DIR",
    )


def root_at(folder: Path) -> Path:
    """``folder``, which holds hubconf.py.

    Raises:
        UsageError: it does not.
    """
    if not (folder / HUBCONF).is_file():
        raise UsageError(f"there is no hubconf.py in {folder}", help="name its folder: --root DIR")
    return folder


class Code:
    """hubconf.py, the modules that it reaches, README and docs, below ``root``.

    Nothing is written: :meth:`prepare` makes ready what :func:`hubpub.stamping.placing.place` puts
    in place.

    Raises:
        UsageError: hubconf.py cannot be read.
    """

    def __init__(self, root: Path, *, every: bool = False) -> None:
        self.root = root
        self._every = every
        self._files = Files(root)
        repo = read_files(self._files)
        if repo.hubconf is None:
            problem = next((item for item in repo.problems if item.place.path == HUBCONF), None)
            reason = problem.reason if problem else "it cannot be read"
            line = problem.place.span.line if problem else 1
            raise UsageError(
                f"{root / HUBCONF}:{line}: {reason}", help="mend it first: `hubpub check` says more"
            )
        self._judged: Repo | None = None
        self._checkpoints = tuple(item.path for item in repo.checkpoints)
        self._before = dict(repo.texts)
        self._texts = dict(repo.texts)

    def rename(self, path: Path, stamped: Stamped) -> tuple[tuple[Change, ...], tuple[str, ...]]:
        """Let every place that names the file ``path`` name it as ``stamped`` says.

        Returns:
            What changed, and remarks on places that name something else.

        Raises:
            UsageError: nothing names it, places name different things, or one of them cannot be
                written. Then nothing changed.
        """
        name = Name(path.name, stamped)
        found = [
            item for file, text in sorted(self._texts.items()) for item in name.found(file, text)
        ]
        inside = self._inside(path)
        foreign = [item for item in found if self._is_foreign(item, inside)]
        mine = [item for item in found if item not in foreign]
        if not mine and stamped.right:
            return (), (f"nothing in {HUBCONF} and what belongs to it names {path.name}",)
        if not mine:
            raise UsageError(
                f"nothing in {HUBCONF}, the modules it imports, README and docs names {path.name}",
                help="the name may be put together from parts: stamp without --update, and write "
                f"{stamped.name} there yourself",
            )
        todo = [item for item in mine if item.name != item.new]
        self._refuse_difference(path, inside, todo)
        self._edit(todo)
        remarks = [f"{item.shown} is another file and stays" for item in foreign]
        remarks += [
            f"{item.shown} is not rewritten: look at it yourself" for item in self._left(name)
        ]
        changes = tuple(Change(item.path, item.line, item.name, item.new) for item in todo)
        return changes, tuple(remarks)

    def _left(self, name: Name) -> list[Mention]:
        """Where files name a checkpoint that are neither code nor documents, once a file.

        In ``.gitattributes`` it may be what keeps the file in git LFS.
        """
        found = []
        looked = [path for path in self._files.walk() if _OTHERS.search(path)][:_MOST_OTHERS]
        for path in looked:
            data = b"" if path in self._before else self._files.data(path, _MOST_BYTES)
            text = "" if isinstance(data, Unreadable) else data.decode("utf-8", "replace")
            found += [item for item in name.found(path, of(text)) if item.name != item.new][:1]
        return found

    def _inside(self, path: Path) -> str | None:
        """``path`` from the root, with forward slashes; None where it lies elsewhere."""
        try:
            real = os.path.realpath(path.parent)
            return (Path(real) / path.name).relative_to(os.path.realpath(self.root)).as_posix()
        except ValueError:
            return None

    def _is_foreign(self, item: Mention, inside: str | None) -> bool:
        """Whether a path leads to another file of the tree."""
        if not item.folder:
            return False
        if inside is None:
            return (self.root / "/".join(item.folder) / item.name).is_file()
        folders = tuple(posixpath.dirname(inside).split("/"))
        return folders[-len(item.folder) :] != item.folder

    def _refuse_difference(self, path: Path, inside: str | None, todo: Sequence[Mention]) -> None:
        """Raise where the places may mean several files."""
        names, sites = {item.name for item in todo}, {item.site for item in todo if item.before}
        shown = [item.shown for item in todo]
        if any(not item.before and not item.folder for item in todo):
            others = [
                item
                for item in self._checkpoints
                if item != inside and posixpath.basename(item) in names
            ]
            shown += [f"{item}: a file of the tree" for item in others]
        else:
            others = []
        plain = {quote(item) if "%" not in item else item for item in names}
        if self._every or (len(plain) < 2 and len(sites) < 2 and not others):
            return
        more = [f"and {len(shown) - _MOST_SHOWN} more"] if len(shown) > _MOST_SHOWN else []
        raise UsageError(
            f"the places that may mean {path.name} name different things, so none was changed",
            help="\n".join(
                [*shown[:_MOST_SHOWN], *more, "--every changes all of them, if they are this file"]
            ),
        )

    def _edit(self, todo: Sequence[Mention]) -> None:
        texts = self._texts
        for path in sorted({item.path for item in todo}):
            reason = edits.obstacle(self.root, path, self._before[path])
            tree = modules.parse(texts[path]) if path.endswith(".py") else None
            if isinstance(tree, Unreadable):
                reason = f"line {tree.span.line}: {tree.reason}"
            if reason is not None:
                raise UsageError(f"{path} cannot be changed: {reason}", help="nothing was changed")
        changes = tuple(Edit(item.path, _span(texts[item.path], item), item.new) for item in todo)
        new, made = edits.choose(texts, [Fix("Stamp", True, changes)])
        if changes and not made:
            places = ", ".join(sorted({item.path for item in todo}))
            raise UsageError(
                f"{places} could not be read any more with the new name in it",
                help="stamp without --update, and write the name there yourself",
            )
        self._judged = None
        for path, text in new.items():
            self._texts[path] = of(text, texts[path].encoding, bom=texts[path].bom)

    @property
    def _changed(self) -> dict[str, tuple[Text, str]]:
        pairs = {path: (text, self._texts[path].text) for path, text in self._before.items()}
        return {path: pair for path, pair in sorted(pairs.items()) if pair[0].text != pair[1]}

    def patch(self) -> bytes:
        """What changed, as a diff that ``git apply`` takes at the root."""
        return b"".join(
            patch(path, before.encode(before.text), before.encode(after))
            for path, (before, after) in self._changed.items()
        )

    def prepare(self, spares: contextlib.ExitStack) -> list[Swap]:
        """The changed files, ready beside those whose place they take; ``spares`` removes them.

        Raises:
            UsageError: one cannot be written.
        """
        swaps = []
        for path, (before, after) in self._changed.items():
            ready = edits.prepare(self.root, path, before, after)
            if isinstance(ready, str):
                raise UsageError(f"{path} cannot be written: {ready}", help="nothing was changed")
            spares.callback(quietly, ready.unlink)
            swaps.append(Swap(self.root / path, ready, before.encode(before.text)))
        return swaps

    def unread(self, name: str) -> str | None:
        """Why nobody will read the stamp of the checkpoint ``name``; None where the loader does."""
        over = {path: before.encode(after) for path, (before, after) in self._changed.items()}
        repo = read_files(Overlaid(self.root, over=over))
        calls = [item for item in cached(repo) if item.loaded and item.name in {name, quote(name)}]
        if not calls:
            return (
                f"no call is seen that fetches {name} from a URL, so torch.hub does not read its "
                "stamp; hubpub verify does"
            )
        for item in calls:
            if item.checked is False:
                place = item.download.place
                return (
                    f"{place.path}:{place.span.line}: {name} is loaded without check_hash=True, so "
                    "nothing reads its stamp (HUB403; `hubpub check --fix` adds it)"
                )
        return None


def _span(text: Text, item: Mention) -> Span:
    return Span(*text.position(item.begin), *text.position(item.end))
