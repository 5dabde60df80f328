"""Text from a repository under test, made harmless for a terminal or a CI log."""

from __future__ import annotations

import unicodedata

_KEPT = {"\t"}


def short(text: str, most: int) -> str:
    """``text``, or its first ``most`` characters and three dots: who wrote it may repeat it."""
    return text if len(text) <= most else f"{text[:most]}..."


def visible(text: str) -> str:
    r"""``text`` as one line with every control, format and surrogate character spelled out.

    Covers C0 and C1 controls (ANSI escapes, OSC, newlines), bidirectional overrides, zero-width
    characters and undecodable bytes. A line that starts with ``::`` would be a GitHub workflow
    command, and so would ``##[`` anywhere in it (``##vso[`` in Azure Pipelines): there the first
    character is spelled out.

    >>> visible("a\x1b[31mb\n")
    'a\\x1b[31mb\\n'
    """
    plain = text.isascii() and text.isprintable()
    shown = text if plain else "".join(_escape(char) for char in text)
    shown = shown.replace("##[", "\\x23#[").replace("##vso[", "\\x23#vso[")
    stripped = shown.lstrip()
    if stripped.startswith("::"):
        return shown[: len(shown) - len(stripped)] + "\\x3a" + stripped[1:]
    return shown


def _escape(char: str) -> str:
    if char in _KEPT or (" " <= char <= "~"):
        return char
    if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"} or _is_none(char):
        return char.encode("unicode_escape", "surrogatepass").decode("ascii")
    return char


def _is_none(char: str) -> bool:
    """Whether Unicode says that this is no character and never will be one; XML refuses some."""
    return "\ufdd0" <= char <= "\ufdef" or ord(char) & 0xFFFE == 0xFFFE
