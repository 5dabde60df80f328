"""What a card has to be, as data: ``rules.json``, with who says so and when it was read."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hubpub.diagnostic import Severity

FORMATS = ("hub", "huggingface")
"""The formats of a card, the default first."""


@dataclass(frozen=True)
class Source:
    """Where a fact was read: ``file`` of ``repository`` in ``commit``, of a ``date`` or release.

    ``file`` is empty and ``commit`` None where hubpub itself says so; ``says`` is the place in it.
    """

    repository: str
    commit: str | None
    date: str
    file: str
    says: str


@dataclass(frozen=True)
class Rule:
    """One rule: what a card is, why, and what to write instead; ``formats`` that it is for."""

    code: str
    name: str
    severity: Severity
    formats: tuple[str, ...]
    what: str
    why: str
    mend: str
    sources: tuple[Source, ...]

    @property
    def document(self) -> str:
        """The rule as Markdown, with the headings of every rule of hubpub."""
        read = "\n".join(f"- {_reference(source)}" for source in self.sources)
        return (
            f"## What it does\n\n{self.what}\n\n## Why is this bad?\n\n{self.why}"
            f"\n\n## Use instead\n\n{self.mend}\n\n## References\n\n{read}"
        )


@functools.cache
def data() -> Mapping[str, Any]:
    """Everything in ``rules.json``."""
    path = Path(__file__).with_name("rules.json")
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


@functools.cache
def rules() -> Mapping[str, Rule]:
    """Code -> rule, sorted by code."""
    found = data()
    return {item["code"]: _rule(item, found["sources"]) for item in found["rules"]}


def find(name: str) -> Rule | None:
    """The rule of a code or a name, in any case; None where there is none."""
    wanted = name.lower()
    chosen = (item for item in rules().values() if wanted in {item.code.lower(), item.name})
    return next(chosen, None)


def _rule(item: Mapping[str, Any], sources: Mapping[str, Any]) -> Rule:
    read = tuple(
        Source(**sources[source["at"]], file=source["file"], says=source["says"])
        for source in item["sources"]
    )
    return Rule(
        item["code"], item["name"], Severity.from_label(item["severity"]),
        tuple(item["formats"]), item["what"], item["why"], item["mend"], read,
    )  # fmt: skip


def _reference(source: Source) -> str:
    if source.commit is None:
        return f"hubpub, {source.date}: {source.says}"
    name = source.repository.removeprefix("https://github.com/")
    at = f"{name} {source.file} at {source.commit[:12]} ({source.date})"
    return f"{at}: {source.says}"


def page() -> str:
    """Every rule as Markdown: a heading with its name and code, and what it says."""
    shown = []
    for rule in rules().values():
        read = "\n".join(f"- {_reference(source)}" for source in rule.sources)
        shown.append(
            f"### {rule.name} ({rule.code})\n\n{_plain(rule.what)}\n\n"
            f"Severity: {rule.severity.label} · For: {', '.join(rule.formats)}\n\n"
            f"{_plain(rule.why)} {_plain(rule.mend)}\n\n{_plain(read)}\n"
        )
    return "\n".join(shown)


def _plain(text: str) -> str:
    """What is meant literally, as such in Markdown: no HTML, no emphasis, no code fence."""
    return re.sub(r"[\\`*_<>\[\]|]", r"\\\g<0>", text)
