"""``.gitattributes``: which patterns speak of a path, as git's attr.c and wildmatch.c judge it.

Only the attributes that change GitHub's zip are kept: ``export-ignore``, and ``filter`` for LFS.
The file in .git/info is not read: it stays with the publisher, and GitHub never sees it.
"""

from __future__ import annotations

import functools
import re
import string
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

KEPT = ("export-ignore", "filter")
MAX_LINE = 2048
"""Git ignores longer lines (attr.h: ATTR_MAX_LINE_LENGTH)."""
MAX_LINES = 200
"""So many lines are kept of an attribute, of all files together."""

Value = bool | str | None
"""Set, unset, a text; None where it is made unspecified."""


@dataclass(frozen=True)
class Line:
    """What a pattern of the ``.gitattributes`` in the folder ``base`` says of an attribute."""

    base: str
    pattern: str
    value: Value


Values = tuple[tuple[str, Value], ...]


def read(texts: Mapping[str, str]) -> dict[str, tuple[Line, ...]]:
    """The lines about each attribute that is :data:`KEPT`, of files by folder, strongest first.

    A deeper folder wins over a higher one, and in a file the last line wins.
    """
    macros: dict[str, Values] = {}
    for pattern, words in _lines(texts.get("", "")):  # macros can be made at the root alone
        if pattern.startswith("[attr]"):
            macros[pattern.removeprefix("[attr]")] = tuple(_values(words, {}))
    found: dict[str, list[Line]] = {name: [] for name in KEPT}
    for base in sorted(texts, key=lambda path: (path.count("/") + bool(path), path), reverse=True):
        for pattern, words in reversed(list(_lines(texts[base]))):
            if pattern and not pattern.startswith("[attr]"):
                for name, value in dict(_values(words, macros)).items():
                    found[name].append(Line(base, pattern, value))
    return {name: tuple(lines[:MAX_LINES]) for name, lines in found.items()}


def _lines(text: str) -> Iterator[tuple[str, list[str]]]:
    for raw in text.removeprefix("\ufeff").split("\n"):
        line = raw.strip(_BLANK)
        if line.startswith(("#", "!")) or len(_bytewise(raw)) >= MAX_LINE:
            continue
        yield _pattern(line)


_BLANK = " \t\r"


def _words(text: str) -> list[str]:
    return [word for word in re.split(f"[{_BLANK}]+", text) if word]


def _bytewise(text: str) -> str:
    """A character for each byte: git compares bytes."""
    return text.encode("utf-8", "surrogateescape").decode("latin-1")


def _pattern(line: str) -> tuple[str, list[str]]:
    """The pattern, which may be quoted as C does, and the words after it."""
    if line.startswith('"'):
        end = 1
        while end < len(line) and line[end] != '"':
            end += 2 if line[end] == "\\" else 1
        if end < len(line):
            return _unquoted(line[1:end]), _words(line[end + 1 :])
    words = _words(line)
    return (words[0], words[1:]) if words else ("", [])


_ESCAPES = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11, "\\": 92, '"': 34}


def _unquoted(text: str) -> str:
    found = bytearray()
    index = 0
    while index < len(text):
        char = text[index]
        index += 1
        if char != "\\":
            found += char.encode("utf-8", "surrogateescape")
            continue
        code = text[index : index + 3]
        if len(code) == 3 and all(digit in string.octdigits for digit in code):
            found.append(int(code, 8) & 0xFF)
            index += 3
        elif code[:1] in _ESCAPES:
            found.append(_ESCAPES[code[:1]])
            index += 1
        else:
            return ""  # git takes no such line
    return found.decode("utf-8", "surrogateescape")


def _values(words: Iterable[str], macros: Mapping[str, Values]) -> Iterator[tuple[str, Value]]:
    for word in words:
        name, equals, text = word.partition("=")
        value: Value = text if equals else True
        if name.startswith("-"):
            name, value = name[1:], False
        elif name.startswith("!"):
            name, value = name[1:], None
        if name in KEPT:
            yield name, value
        elif value is True:
            yield from macros.get(name, ())


def judge(lines: Sequence[Line], path: str, *, directory: bool = False) -> Value:
    """What lines about an attribute (from :func:`read`) say of ``path``; None for nothing."""
    for line in lines:
        if matches(line, path, directory=directory):
            return line.value
    return None


def matches(line: Line, path: str, *, directory: bool = False) -> bool:
    """Whether the pattern of ``line`` speaks of ``path``."""
    inner = path
    if line.base:
        if not path.startswith(f"{line.base}/"):
            return False
        inner = path[len(line.base) + 1 :]
    inner, pattern = _bytewise(inner), _bytewise(line.pattern)
    if pattern.endswith("/"):
        if not directory:
            return False
        pattern = pattern[:-1]
    if "/" not in pattern:
        return _glob(_segment(pattern), inner.rpartition("/")[2])
    parts = pattern.removeprefix("/").split("/")
    return _path(parts, inner.split("/"))


def _path(parts: Sequence[str], names: Sequence[str]) -> bool:
    """Whether path segments match pattern segments; ``**`` is any number of segments.

    Going back to the last ``**`` alone is enough, as for the star of a single segment.
    """
    at = index = 0
    star: tuple[int, int] | None = None
    while index < len(names):
        if at < len(parts) and parts[at] == "**":
            if at == len(parts) - 1:
                return True
            star = (at, index)
            at += 1
        elif at < len(parts) and _glob(_segment(parts[at]), names[index]):
            at, index = at + 1, index + 1
        elif star is not None:
            at, index = star[0] + 1, star[1] + 1
            star = (star[0], star[1] + 1)
        else:
            return False
    return at == len(parts)


Token = Callable[[str], bool] | None
"""A test of one character; None is a star."""


@functools.lru_cache(maxsize=4096)
def _segment(pattern: str) -> tuple[Token, ...] | None:
    """A pattern without slashes as tests of characters; None where it can match nothing."""
    tokens: list[Token] = []
    index = 0
    while index < len(pattern):
        char = pattern[index]
        index += 1
        if char == "*":
            if not tokens or tokens[-1] is not None:
                tokens.append(None)
        elif char == "?":
            tokens.append(lambda _: True)
        elif char == "[":
            made = _bracket(pattern, index)
            if made is None:
                return None
            test, index = made
            tokens.append(test)
        else:
            if char == "\\":
                if index == len(pattern):
                    return None
                char = pattern[index]
                index += 1
            tokens.append(char.__eq__)
    return tuple(tokens)


def _glob(tokens: tuple[Token, ...] | None, text: str) -> bool:
    if tokens is None:
        return False
    at = index = 0
    star: tuple[int, int] | None = None
    while index < len(text):
        token = tokens[at] if at < len(tokens) else None
        if at < len(tokens) and token is None:
            star = (at, index)
            at += 1
        elif token is not None and token(text[index]):
            at, index = at + 1, index + 1
        elif star is not None:
            at, index = star[0] + 1, star[1] + 1
            star = (star[0], star[1] + 1)
        else:
            return False
    return all(token is None for token in tokens[at:])


_CLASSES: dict[str, Callable[[str], bool]] = {
    "alnum": lambda char: char.isascii() and char.isalnum(),
    "alpha": lambda char: char.isascii() and char.isalpha(),
    "blank": lambda char: char in " \t",
    "cntrl": lambda char: ord(char) < 32 or ord(char) == 127,
    "digit": lambda char: char in string.digits,
    "graph": lambda char: 32 < ord(char) < 127,
    "lower": lambda char: char in string.ascii_lowercase,
    "print": lambda char: 32 <= ord(char) < 127,
    "punct": lambda char: char in string.punctuation,
    "space": lambda char: char in " \t\n\v\f\r",
    "upper": lambda char: char in string.ascii_uppercase,
    "xdigit": lambda char: char in string.hexdigits,
}


def _bracket(pattern: str, index: int) -> tuple[Callable[[str], bool], int] | None:
    """The class that begins after ``[`` at ``index``, and where it ends; None if it never does."""
    negated = pattern[index : index + 1] in ("!", "^")
    index += negated
    tests: list[Callable[[str], bool]] = []
    last = ""
    first = True
    while True:
        char = pattern[index : index + 1]
        if not char:
            return None
        if char == "]" and not first:
            break
        first = False
        index += 1
        after = pattern[index : index + 2]
        if char == "[" and after[:1] == ":":
            end = pattern.find("]", index)
            name = pattern[index + 1 : end - 1]
            if end > index and pattern[end - 1] == ":" and end - 1 > index:
                if name not in _CLASSES:
                    return None
                tests.append(_CLASSES[name])
                index, last = end + 1, ""
                continue
        if char == "-" and last and after[:1] not in ("", "]"):
            high = pattern[index]
            index += 1
            if high == "\\":
                high = pattern[index : index + 1]
                index += 1
            tests.append(_between(last, high))
            last = ""
            continue
        if char == "\\":
            char = pattern[index : index + 1]
            index += 1
        if not char:
            return None
        tests.append(char.__eq__)
        last = char
    found = tuple(tests)
    return (lambda char: any(test(char) for test in found) != negated), index + 1


def _between(low: str, high: str) -> Callable[[str], bool]:
    return lambda char: low <= char <= high
