"""Questions as values, for whoever can ask them, and the answers that a command line gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType


@dataclass(frozen=True)
class Question:
    """One thing to know. ``flag`` answers it on the command line.

    ``valid`` gives the answer back as it counts, or raises UsageError. ``choices`` are what can be
    answered, each with one line about it.
    """

    flag: str
    text: str
    default: str
    valid: Callable[[str], str]
    choices: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


Ask = Callable[[Question], str]


def by_default(question: Question) -> str:
    """The answer where nobody can be asked: the default, checked."""
    return question.valid(question.default)


@dataclass(frozen=True)
class Given:
    """What the command line says; None and empty where it says nothing."""

    name: str | None = None
    entrypoint: str | None = None
    owner: str | None = None
    repo: str | None = None
    kind: str | None = None
    tag: str | None = None
    description: str | None = None
    licence: str | None = None
    holder: str | None = None
    added: tuple[str, ...] = ()
    omitted: tuple[str, ...] = ()
    dependencies: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    checkpoint: Path | None = None
    torchscript: Path | None = None
    timm: str | None = None
    weights: str | None = None
