"""Text from a repository or a report as a part of a card: it shows what it is, and does nothing.

A card is read by CommonMark (GitHub, Hugging Face), by kramdown after Liquid (Jekyll) and by
mistune (the checker of pytorch/hub), so what is special to any of them is written as a character
reference, which all of them show, or behind a backslash where all of them take one.
"""

from __future__ import annotations

import json
import re

from hubpub.output.escape import short, visible

LONGEST = 300
"""Characters of one text that is shown."""
TODO = "TODO(hubpub)"
"""How what only a person can know is marked; no text of a repository is left to look like it."""

_BACKSLASHED = re.compile(r"[\\`*_\[\]#|!]")
_REFERRED = re.compile(r"[&<>@$~{}]|:(?=//)|(?<=[wW]{3})\.|:$|-(?=-)|(?<=-)-")
_CODE = re.compile(r"[\w./:@+=,-]+", re.ASCII)
_TICKED = re.compile(r"(``?)([\w.(](?:[\w .,:;/()'\"=+*@-]*[\w.)])?)\1", re.ASCII)
"""What a docstring has between backticks, where nothing in it is special to any reader."""
_PLAIN = re.compile(r"[A-Za-z](?:[\w ./()+-]*[\w.)+])?", re.ASCII)
_WORDS = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}
_LEFT = re.compile(r"(?<=TODO)(?=\()|(?<=\[)(?=More Information)", re.IGNORECASE)
"""Where a space keeps the words of others from looking like something that is left to do."""


def text(said: str, most: int = LONGEST) -> str:
    """``said`` as one line of Markdown that shows exactly it; to stand behind something else."""
    line = _LEFT.sub(" ", visible(short(" ".join(said.split()), most)).replace("\t", " "))
    shown = _BACKSLASHED.sub(r"\\\g<0>", line)
    return _REFERRED.sub(lambda found: f"&#{ord(found.group())};", shown)


def paragraph(said: str, most: int = 2000) -> str:
    """``said`` as one line that can stand at the start of a line: a paragraph of its own."""
    shown = text(said, most)
    if not shown or shown[0].isalpha() or shown[0] in "\\&":
        return shown
    if shown[0].isdigit():  # 1. and 1) begin a list
        return re.sub(r"^(\d+)([.)])", lambda it: f"{it[1]}&#{ord(it[2])};", shown)
    return f"&#{ord(shown[0])};{shown[1:]}"


def prose(said: str, most: int = 2000) -> str:
    """A paragraph of a docstring, in which words between backticks stay code."""
    line = _LEFT.sub(" ", " ".join(short(said, most).split()))
    shown, between, end = "", "", 0
    for found in _TICKED.finditer(line):
        between = line[end : found.start()]
        shown += _between(between, most, first=end == 0) + f"`{found[2]}`"
        end = found.end()
        if "`" in between:
            break
    if end == 0 or "`" in between or "`" in line[end:]:
        return paragraph(line, most)  # readers differ in which backticks are pairs
    return shown + (_between(line[end:], most) if line[end:] else "")


def _between(said: str, most: int, *, first: bool = False) -> str:
    """Text beside code; two pieces of code do not touch."""
    shown = paragraph(said, most) if first else text(said, most)
    before = " " if said.startswith(" ") or not (first or said) else ""
    return f"{before}{shown}{' ' if shown and said.endswith(' ') else ''}"


def heading(said: str) -> str:
    """``said`` as a heading's text, which may hold no colon for the checker of pytorch/hub."""
    shown = code(said, 100)
    return shown if shown.startswith("`") else shown.replace(":", "&#58;")


def code(said: str, most: int = LONGEST) -> str:
    """``said`` as code where nothing in it is special there, else as text."""
    plain = len(said) <= most and _CODE.fullmatch(said)
    return f"`{said}`" if plain else text(said, most)


def block(said: str, most_lines: int, most: int) -> str:
    """``said`` as an indented code block: no line of it can begin anything.

    Liquid looks into code too, so two braces get a space between them.
    """
    lines = said[:most].splitlines()
    cut = len(lines) > most_lines or len(said) > most
    shown = [visible(line.expandtabs(4)).rstrip() for line in lines[:most_lines]]
    joined = "\n".join(f"    {line}" if line else "" for line in [*shown, *(["..."] * cut)])
    joined = re.sub(r"\{(?=[{%])", "{ ", joined)
    return _LEFT.sub(" ", joined).strip("\n")


def literal(said: str) -> str:
    """``said`` as a literal of Python on one line, without two braces side by side."""
    shown = json.dumps(said) if said.isascii() and said.isprintable() else ascii(said)
    return re.sub(r"\{(?=[{%])", r"\\x7b", shown)


def value(said: str, *, colons: bool = True) -> str:
    """``said`` as a value of YAML that reads as this text; angle brackets are replaced.

    Args:
        said: the text; one line is made of it.
        colons: whether it may have colons; they become dashes otherwise.
    """
    line = _LEFT.sub(" ", visible(short(" ".join(said.split()), LONGEST)))
    line = line.replace("<", "‹").replace(">", "›")
    if not colons:
        line = re.sub(r"\s*:\s*", " - ", line).strip()
    if _PLAIN.fullmatch(line) and line.lower() not in _WORDS and "  " not in line:
        return line
    shown = line.replace("\\", "\\\\").replace('"', '\\"').replace("\t", " ")
    return re.sub(r"\{(?=[{%])", "{ ", f'"{shown}"')
