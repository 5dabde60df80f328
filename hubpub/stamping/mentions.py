"""Where a repository names a checkpoint: in strings and comments of Python, and in documents."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from hubpub.rules.cached import is_stamp
from hubpub.source.text import Text
from hubpub.stamping.naming import Stamped

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s\"'`<>{}]*\Z")
_FOLDER = re.compile(r"[^\s\"'`()<>\[\]{}|,;:=]*\Z")
_SAME = re.compile(r"/(?:blob|raw|resolve|media|tree)/")
"""A host's page of a file and the file itself."""
_LONG = 2000
"""So much before a name is looked at (characters)."""
_FORMATTED = {"FSTRING_START": 1, "TSTRING_START": 1, "FSTRING_END": -1, "TSTRING_END": -1}


@dataclass(frozen=True)
class Mention:
    """A place that names a checkpoint.

    ``begin`` and ``end`` are offsets in the text of ``path``, ``name`` is what stands there and
    ``new`` what is to. ``before`` is the URL up to the name, ``folder`` the folders of a path; both
    empty for a name alone.
    """

    path: str
    line: int
    begin: int
    end: int
    name: str
    new: str
    before: str = ""
    folder: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """What is named there, as it is told."""
        return (
            f"{self.path}:{self.line}: {self.before or ''.join(f'{x}/' for x in self.folder)}"
            + (self.name)
        )

    @property
    def site(self) -> str:
        """Equal for URLs of one file: pages of hosts aside."""
        return _SAME.sub("/*/", self.before.partition("://")[2])


class Name:
    """A checkpoint's name as it may stand in code: as it is now, as it will be, as it once was.

    The last are the names with another stamp or none: a checkpoint that is trained again is known
    by the stamp of the one before.
    """

    def __init__(self, old: str, stamped: Stamped) -> None:
        self._news: dict[str, str] = {}
        choices = []
        head, tail = stamped.around
        for form in (str, _quoted):
            self._news[form(old)] = form(stamped.name)
            begin, end = re.escape(form(head)), re.escape(form(tail))
            choices += [
                re.escape(form(old)),
                f"{begin}(?:-(?P<{form.__name__}>[a-f0-9]{{8,64}}))?{end}",
            ]
        self._forms = stamped.name, _quoted(stamped.name)
        self._pattern = re.compile(rf"(?<![\w.%+-])(?:{'|'.join(choices)})(?![\w-]|\.[A-Za-z0-9])")

    def found(self, path: str, text: Text) -> Iterator[Mention]:
        """Every place in ``text``, the file ``path``, that names it."""
        spans = strings(text.text) if path.endswith(".py") else [(0, len(text.text))]
        for begin, end in spans:
            for match in self._pattern.finditer(text.text, begin, end):
                other = match.group("str") or match.group("_quoted")
                if other is None or is_stamp(other):
                    yield self._mention(path, text, match, begin)

    def _mention(self, path: str, text: Text, match: re.Match[str], begin: int) -> Mention:
        name, (plain, encoded) = match.group(), self._forms
        # What is not plain in the name tells how it is written here.
        new = self._news.get(name, encoded if "%" in name else plain)
        before = text.text[max(begin, match.start() - _LONG) : match.start()]
        line = text.position(match.start())[0]
        url = _URL.search(before)
        if url is not None:
            return Mention(path, line, match.start(), match.end(), name, new, before=url.group())
        found = _FOLDER.search(before)
        assert found is not None  # noqa: S101 - it may be empty
        # What stands before a `}` is not known.
        known = not before[: found.start()].endswith("}")
        parts = [part for part in re.split(r"[/\\]", found.group()) if part not in {"", ".", ".."}]
        folder = tuple(parts) if known else ()
        return Mention(path, line, match.start(), match.end(), name, new, folder=folder)


def _quoted(name: str) -> str:
    return quote(name, errors="surrogateescape")


def strings(text: str) -> list[tuple[int, int]]:
    """The strings and comments of Python code, by offset; those before what cannot be read."""
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    found: list[tuple[int, int]] = []
    depth, outer = 0, 0
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            begin = starts[token.start[0] - 1] + token.start[1]
            end = starts[token.end[0] - 1] + token.end[1]
            step = _FORMATTED.get(tokenize.tok_name[token.type], 0)
            if step > 0 and depth == 0:
                outer = begin
            depth += step
            if step < 0 and depth == 0:
                found.append((outer, end))
            elif depth == 0 and token.type in {tokenize.STRING, tokenize.COMMENT}:
                found.append((begin, end))
    except (tokenize.TokenError, SyntaxError, IndexError):
        pass
    return found
