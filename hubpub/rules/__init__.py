"""Judging: facts in, findings out. Each rule is a small generator without side effects."""

from __future__ import annotations

import difflib
import functools
import importlib
import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hubpub.diagnostic import Fix, Note, Severity
from hubpub.source.facts import Place, Repo

FAMILIES = (
    "meta",
    "dependencies",
    "dependency_names",
    "imports",
    "importing",
    "entrypoints",
    "arguments",
    "documentation",
    "missing",
    "references",
    "moving",
    "placeholders",
    "checkpoints",
    "stamps",
    "unpickling",
    "addresses",
    "clashes",
    "sizes",
    "loading",
    "running",
    "tree",
    "repository",
)
"""The modules of this package that hold rules."""

SECTIONS = (
    "What it does", "Why is this bad?", "Example", "Use instead", "Fix safety", "References",
)  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """What a rule yields; ``severity`` None is the rule's own."""

    message: str
    place: Place
    severity: Severity | None = None
    help: str | None = None
    notes: tuple[Note, ...] = ()
    fix: Fix | None = None


Check = Callable[[Repo], Iterator[Finding]]


@dataclass(frozen=True)
class Block:
    """A fenced block of a rule's documentation: the file that it stands for, and its text."""

    file: str
    language: str
    text: str


@dataclass(frozen=True)
class Rule:
    """A rule of the catalogue. ``document`` is its docstring: its only documentation.

    ``since`` is the version of hubpub that had it first.
    """

    code: str
    name: str
    severity: Severity
    check: Check
    document: str
    since: str = "0.1.0"

    @property
    def summary(self) -> str:
        """The first sentence of "What it does"."""
        text = " ".join(self.section("What it does").split())
        return re.split(r"(?<=\.)\s", text, maxsplit=1)[0]

    @property
    def fixability(self) -> str:
        """``safe``, ``unsafe`` or ``none``: a rule with an unsafe fix says so in "Fix safety"."""
        said = self.section("Fix safety").lower()
        return "none" if not said else "unsafe" if re.search(r"\bunsafe\b", said) else "safe"

    def section(self, heading: str) -> str:
        """The text below a heading; empty where there is no such heading."""
        parts = re.split(r"^## (.+)$", self.document, flags=re.MULTILINE)
        return dict(zip(parts[1::2], parts[2::2], strict=True)).get(heading, "").strip()

    def blocks(self, heading: str) -> tuple[Block, ...]:
        """The fenced blocks below a heading, which the tests turn into repositories."""
        names = {"python": "hubconf.py", "markdown": "README.md", "tree": "", "git": ""}
        return tuple(
            Block(title or names.get(language, ""), language, text)
            for _, language, title, text in re.findall(
                r"^(`{3,})(\w+)(?: title=\"([^\"]+)\")?\n(.*?)^\1$",
                self.section(heading),
                flags=re.MULTILINE | re.DOTALL,
            )
        )


_RULES: dict[str, Rule] = {}


def rule(
    code: str, name: str, severity: Severity, since: str = "0.1.0"
) -> Callable[[Check], Check]:
    """Register a generator over :class:`~hubpub.source.facts.Repo` as the rule ``code``."""

    def register(check: Check) -> Check:
        assert code not in _RULES, code  # noqa: S101 - a code is never used twice
        document = inspect.cleandoc(check.__doc__ or "")
        _RULES[code] = Rule(code, name, severity, check, document, since)
        return check

    return register


@functools.cache
def all_rules() -> tuple[Rule, ...]:
    """Every rule, by code."""
    for family in FAMILIES:
        importlib.import_module(f"hubpub.rules.{family}")
    return tuple(_RULES[code] for code in sorted(_RULES))


def find(selector: str) -> Rule | None:
    """The rule with this code or name, in any case of letters."""
    wanted = selector.strip()
    for item in all_rules():
        if wanted.upper() == item.code or wanted.lower() == item.name:
            return item
    return None


def matches(selector: str, item: Rule) -> int:
    """How closely a selector (code, prefix of a code, or name) names a rule; 0 where it does not.

    A name is as close as a code can be, and ``ALL`` less close than anything else.
    """
    if selector.upper() == "ALL":
        return 1
    if selector == item.name:
        return len(item.code)
    return len(selector) if selector and item.code.startswith(selector.upper()) else 0


def is_known(selector: str) -> bool:
    """Whether a selector names any rule."""
    return any(matches(selector, item) for item in all_rules())


def nearest(selector: str) -> str | None:
    """The code or name that is spelled most like ``selector``."""
    known = [word for item in all_rules() for word in (item.code, item.name)]
    near = difflib.get_close_matches(selector, known, n=1, cutoff=0.5)
    if not near:
        near = difflib.get_close_matches(selector.upper(), known, n=1, cutoff=0.5)
    return near[0] if near else None
