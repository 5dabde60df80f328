"""The command lines of hubpub that documents show, and whether hubpub would take them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from hubpub.cli import group
from paging import blocks

SHELLS = {"console", "bash", "sh", "shell"}
INLINE = re.compile(r"`(hubpub [a-z][^`]*)`")
STARTS = re.compile(r"(?:^|[;&|(!]|\brun:|\bscript:|\bif|\bthen)\s*(hubpub .*)")


@dataclass(frozen=True)
class Shown:
    """A command line in a document; in running text it is not ``whole``: words are left out."""

    line: int
    text: str
    whole: bool = True


def commands(text: str) -> Iterator[Shown]:
    """The hubpub commands in fenced blocks of a shell, in ``run:`` of YAML, and in running text."""
    fenced: set[int] = set()
    for block in blocks(text):
        lines = block.content.splitlines()
        if block.language != "test":
            fenced.update(range(block.line, block.line + len(lines) + 2))
        if block.language == "console":
            lines = [line.removeprefix("$ ") if line.startswith("$ ") else "" for line in lines]
            # A continued command keeps its lines together.
            raw = block.content.splitlines()
            for at in range(1, len(lines)):
                if raw[at - 1].endswith("\\") and not raw[at].startswith("$ "):
                    lines[at] = raw[at].removeprefix("> ")
        elif block.language not in SHELLS | {"yaml"}:
            continue
        yield from _shell(lines, block.line + 1)
    for number, line in enumerate(text.splitlines(), 1):
        if number not in fenced:
            for match in INLINE.finditer(line):
                yield Shown(number, match[1], whole=False)


def _shell(lines: list[str], first: int) -> Iterator[Shown]:
    number, joined = first, ""
    for at, line in enumerate(lines, first):
        number = number if joined else at
        joined += line.removesuffix("\\")
        if line.endswith("\\"):
            continue
        for match in STARTS.finditer(joined.strip()):
            yield Shown(number, match[1])
        joined = ""


def arguments(command: str) -> list[str]:
    """The words of the first simple command, as a shell would split it; redirections cut it off."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] = []
    for word in lexer:
        if set(word) <= set("|&;<>()"):
            break
        words.append(word)
    return words


def refused(shown: Shown) -> str | None:
    """Why hubpub would not take the command line; whether a file is there is not asked."""
    words = arguments(shown.text)[1:]
    if words and words[0] in {"--help", "-h", "--version"}:
        return None
    if not words or (command := _command(words[0])) is None:
        return f"no such command: {shown.text}"
    rest = [word for word in words[1:] if shown.whole or word not in {"...", "…"}]
    context = click.Context(command, info_name=words[0])
    try:
        while isinstance(command, click.Group):
            above = command.make_context(context.info_name, rest)
            named, command, rest = command.resolve_command(
                above, above._protected_args + above.args
            )
            assert command is not None, shown
            context = click.Context(command, info_name=named, parent=above)
        values, left, _ = command.make_parser(context).parse_args(args=rest)
        for item in command.get_params(context):
            _judge(item, values.get(item.name or ""), context, shown.whole)
    except click.UsageError as error:
        return error.format_message()
    return f"left over: {left}" if left else None


def _command(name: str) -> click.Command | None:
    return group.get_command(click.Context(group), name)


def _judge(item: click.Parameter, value: object, context: click.Context, whole: bool) -> None:
    """Raise ``click.UsageError`` where a value is none of the kind that is asked for."""
    missing = value is None or value == () or value == []
    if missing or type(value).__name__ == "Sentinel":
        if item.required and whole:
            raise click.MissingParameter(ctx=context, param=item)
    elif not isinstance(item.type, click.Path | click.File):
        item.type_cast_value(context, value)


def documents(root: Path) -> list[Path]:
    """Every document for users: README.md, and all below docs."""
    return [root / "README.md", *sorted((root / "docs").rglob("*.md"))]
