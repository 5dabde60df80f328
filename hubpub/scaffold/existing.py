"""The files for a package that is there already: hubconf.py, and what lacks around it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hubpub.errors import UsageError
from hubpub.scaffold import mirroring
from hubpub.scaffold.answers import Answers
from hubpub.scaffold.looking import Found
from hubpub.scaffold.mirroring import Entry
from hubpub.scaffold.rendering import PlannedFile, plan, templates

HUBCONF = "hubconf.py"


def plan_existing(
    answers: Answers, found: Found, entries: Sequence[Entry]
) -> tuple[PlannedFile, ...]:
    """hubconf.py for the networks of ``found``, and the chosen pieces, sorted by path.

    ``dependencies`` are those that the networks' modules import: hubconf.py is read as check reads
    it, and nothing is run.

    Raises:
        UsageError: there is no network to write an entrypoint for.
    """
    if not entries:
        raise UsageError("there is no network to offer", help="--kind makes a new one")
    first = mirroring.values(answers, entries, ["torch"])
    reached = dependencies(found, render("existing/hubconf.py", first))
    values = mirroring.values(answers, entries, [*reached, *_more(answers, reached)])
    files = [PlannedFile(HUBCONF, render("existing/hubconf.py", values))]
    if "readme" in answers.around:
        files.append(PlannedFile("README.md", readme(values), ("readme",)))
    # An entrypoint that must be given something cannot be tried without knowing what.
    if "test" in answers.around and any(entry["callable"] for entry in values["entries"]):
        test = render("existing/tests/test_hubconf.py", values)
        files.append(PlannedFile("tests/test_hubconf.py", test))
    others = tuple(name for name in values["dependencies"] if name != "torch")
    files += plain_pieces(replace(answers, dependencies=others))
    return tuple(sorted(files, key=lambda file: file.path))


def _more(answers: Answers, reached: Sequence[str]) -> list[str]:
    return [name for name in answers.dependencies if name not in reached]


def readme(values: dict[str, Any]) -> str:
    """A README around the section that shows how to load."""
    section = render("existing/section.md", values)
    return render("existing/README.md", {**values, "section": section})


def plain_pieces(answers: Answers) -> tuple[PlannedFile, ...]:
    """The files of the chosen pieces that speak of no kind: licence, workflow and the like.

    README and tests speak of the entrypoints, which are not those of any kind here. The settings
    show by an example what can be said of them.
    """
    own = {file.path for file in plan(replace(answers, around=frozenset()))}
    return tuple(
        file
        for file in plan(answers, called="existing/settings.part.toml")
        if file.path not in own and file.path != "README.md" and not file.path.startswith("tests/")
    )


def dependencies(found: Found, hubconf: str) -> tuple[str, ...]:
    """The packages of others that the entrypoints of ``hubconf`` need, torch first."""
    from hubpub import source
    from hubpub.source.overlay import Overlaid

    repo = source.read_files(Overlaid(found.root, over={HUBCONF: hubconf.encode()}))
    needed = {
        item.package
        for item in repo.imports
        if item.origin == "third party" and not item.guarded and item.package.isidentifier()
    }
    return ("torch", *sorted(needed - {"torch"}))


def render(name: str, values: dict[str, Any]) -> str:
    """One template under ``templates/``, rendered."""
    import jinja2

    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        autoescape=False,  # noqa: S701 (Python and Markdown; what is quoted is made safe before)
    )
    source = (templates() / name).read_text(encoding="utf-8")
    return f"{environment.from_string(source).render(values).rstrip()}\n"
