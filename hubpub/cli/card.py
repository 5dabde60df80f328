"""``hubpub card``: write the card of a model from a verified report, and check cards."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hubpub.card.rules import FORMATS
from hubpub.cli.outputs import Target, files_url, targets, use_color, write_file
from hubpub.diagnostic import Diagnostic, Severity
from hubpub.errors import UsageError
from hubpub.output import formats

if TYPE_CHECKING:
    from hubpub.card.filling import Given
    from hubpub.card.rendering import Rendered
    from hubpub.source.facts import Repo

F = TypeVar("F", bound=Callable[..., Any])
_SAID = ("repository", "title", "summary", "author", "image", "category", "licence", "task")
_WRITING = ("report", "target", "diff", "force", "allow_unproven", "tags", *_SAID)
_CHECKING = ("outputs", "fail_on")


def _text(*flags: str, metavar: str, text: str) -> Callable[[F], F]:
    return click.option(*flags, metavar=metavar, help=text)


@click.command("card", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("words", metavar="[DIR] | --check FILE...", nargs=-1)
@click.option(
    "--report",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The report of `hubpub verify --output-format json:FILE`.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    help="hub: for github.com/pytorch/hub; huggingface: a README.md of Hugging Face. Default: hub; "
    "with --check huggingface for a README.md.",
)
@click.option(
    "-o",
    "--output",
    "target",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The card, instead of OWNER_REPO_TITLE.md or README.md in the current directory.",
)
@click.option("--diff", is_flag=True, help="Show what would be written, write nothing.")
@click.option("--force", is_flag=True, help="Replace the card that is there.")
@click.option(
    "--allow-unproven",
    is_flag=True,
    help="Of a report that did not pass, is of a part, or not of a tag: the card says so.",
)
@_text("--repository", metavar="OWNER/NAME", text="On GitHub, where the report is of a folder.")
@_text("--title", metavar="TEXT", text="A short name; default: of the one entrypoint, or the repo.")
@_text("--summary", metavar="TEXT", text="What it does, in one or two sentences.")
@_text("--author", metavar="TEXT", text="Who made it.")
@_text("--image", metavar="NAME", text="A picture in images/ of pytorch/hub, or no-image.")
@_text("--category", metavar="NAME", text="researchers (the default) or developers.")
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="A tag; repeatable.")
@_text("--license", "licence", metavar="ID", text="For Hugging Face: the licence's identifier.")
@_text("--pipeline-tag", "task", metavar="TASK", text="For Hugging Face: the model's task.")
@click.option("--check", "checking", is_flag=True, help="Check the cards FILE instead.")
@click.option(
    "--output-format",
    "outputs",
    multiple=True,
    metavar="FORMAT[:FILE]",
    help=f"With --check: {', '.join(formats.FORMATS)}; repeatable with files.",
)
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning", "note"]),
    help="With --check: the least severity that makes the exit status 1 (default: warning).",
)
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto")
def command(words: tuple[str, ...], checking: bool, **options: Any) -> int:
    """Write the card of a model from a verified report, or check cards.

    DIR is the repository at the commit of the report (default: the current directory): arguments
    and documentation of the entrypoints are read there, and people's names in its pyproject.toml
    and CITATION.cff. What nobody has said is marked TODO(hubpub), which --check refuses.

    No file is overwritten without --force. Exit status: 0 written, or no findings; 1 findings; 2
    usage, or a report that is no proof.
    """
    wrong = _WRITING if checking else _CHECKING
    given = [name for name in wrong if options[name]]
    if given:
        with_it = "only without --check" if checking else "only with --check"
        raise UsageError(f"{_flag(given[0])} goes {with_it}", help="hubpub card --help")
    if checking:
        return _check(words, options)
    if options["report"] is None or len(words) > 1:
        raise UsageError(
            "a card is written from one report" if options["report"] is None else "one DIR",
            help="hubpub card --report report.json [DIR], or hubpub card --check FILE...",
        )
    return _write(Path(words[0] if words else "."), options)


def _flag(name: str) -> str:
    other = {"outputs": "output-format", "licence": "license", "task": "pipeline-tag",
             "tags": "tag", "target": "output"}  # fmt: skip
    return f"--{other.get(name, name).replace('_', '-')}"


def _write(root: Path, options: dict[str, Any]) -> int:
    from hubpub.card import filling, rendering
    from hubpub.output.escape import visible
    from hubpub.verify import reportfile

    _refuse(options)
    document = reportfile.read(options["report"])
    repo, remarks = _facts(root, document["commit"])
    given, more = _given(root, options)
    card = filling.fill(document, repo, given, unproven=options["allow_unproven"])
    rendered = rendering.render(card, options["form"] or FORMATS[0])
    for line in [*remarks, *more]:
        click.echo(f"note: {visible(line)}", err=True)
    target = options["target"] or Path(rendered.file_name)
    if options["diff"]:
        return _show(target, rendered)
    _put(target, rendered, force=options["force"])
    click.echo(f"wrote {visible(str(target))}")
    if rendered.left:
        click.echo(f"left to do in it: {', '.join(rendered.left)}", err=True)
        click.echo(f"then: hubpub card --check {visible(str(target))}", err=True)
    return 0


def _refuse(options: dict[str, Any]) -> None:
    """What an option says and no card may; a card that is written passes its own check.

    Raises:
        UsageError: it is none of those that the format knows.
    """
    from difflib import get_close_matches

    from hubpub.card.rules import data

    hub, other = data()["hub"], data()["huggingface"]
    asked = [
        ("category", options["category"], hub["categories"]),
        ("license", (options["licence"] or "").lower(), other["licences"]),
        ("pipeline-tag", options["task"], other["tasks"]),
    ]
    if options["form"] != "huggingface":
        asked += [("tag", tag, hub["tags"]) for tag in options["tags"]]
    for flag, value, known in asked:
        if value and value not in known:
            near = get_close_matches(value[:60], known, n=1) or known[:10]
            raise UsageError(f"--{flag} {value[:60]!r} is not known", help=f"{', '.join(near)}?")
    if "/" in (options["image"] or ""):
        raise UsageError(f"--image {options['image'][:60]!r}: give its bare name in images/")


def _facts(root: Path, commit: str | None) -> tuple[Repo | None, list[str]]:
    """What the source of the same commit says; and why it is not asked, where it is another."""
    from hubpub.source import read
    from hubpub.source.cache import Cache
    from hubpub.source.head import head

    if not root.is_dir():
        raise UsageError(f"{root} is not a directory")
    repo = read(root, Cache())
    if repo.hubconf is None:
        return None, [f"no hubconf.py in {root}: the card has no documentation of entrypoints"]
    here = head(root)
    if commit is not None and here is not None and here != commit:
        said = (
            f"{root} is at commit {here[:12]} and the report of {commit[:12]}, so the card has no "
            "documentation of entrypoints: check out what was verified"
        )
        return replace(repo, entrypoints=(), hubconf=None), [said]
    return repo, []


def _given(root: Path, options: dict[str, Any]) -> tuple[Given, list[str]]:
    """What people say: by options, else in CITATION.cff, else in pyproject.toml."""
    from hubpub.card import citation
    from hubpub.card.filling import Given
    from hubpub.config import project

    given, remarks = Given(tags=options["tags"], **{name: options[name] for name in _SAID}), []
    found = project.said(root)
    try:
        cited = citation.cited(root)
    except ImportError:
        cited = None
        remarks.append(f"{citation.NAME} is not read: pip install 'hubpub[card]'")
    sources = [cited] if cited is not None else []
    sources.append(
        Given(
            summary=found.description or None,
            author=", ".join(found.authors) or None,
            licence=found.licence or None,
        )
    )
    for source in sources:
        empty = {name: getattr(source, name) for name in _SAID if getattr(given, name) is None}
        given = replace(given, **empty)
    return given, remarks


def _show(target: Path, rendered: Rendered) -> int:
    import difflib

    from hubpub.output.diff import render

    there = os.path.lexists(target)
    before = _read(target).splitlines(keepends=True) if there else []
    after = rendered.text.splitlines(keepends=True)
    name = target.as_posix()
    old = f"a/{name}" if there else "/dev/null"
    text = "".join(difflib.unified_diff(before, after, old, f"b/{name}"))
    click.echo(render(text), nl=False)
    return 0


def _read(target: Path) -> str:
    try:
        return target.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise UsageError(f"{target}: {error.strerror}") from None


def _put(target: Path, rendered: Rendered, *, force: bool) -> None:
    if force:
        write_file(target, rendered.text)
        return
    from hubpub.scaffold import PlannedFile, write

    if os.path.lexists(target):
        raise UsageError(
            f"{target} is there already, and nothing is overwritten",
            help="--diff shows what would change; --force replaces it; --output FILE is another",
        )
    if not target.absolute().parent.is_dir():
        raise UsageError(f"no directory {target.absolute().parent}")
    write(target.parent, [PlannedFile(target.name, rendered.text)])


def _check(files: tuple[str, ...], options: dict[str, Any]) -> int:
    from hubpub.card import judging, reading
    from hubpub.output.text import summary

    if not files:
        raise UsageError("--check needs a card", help="hubpub card --check FILE...")
    outputs = targets(options["outputs"], formats.FORMATS)
    fail_on = Severity.from_label(options["fail_on"] or "warning")
    found: list[Diagnostic] = []
    lines: dict[str, list[str]] = {}
    for file in dict.fromkeys(files):
        card = reading.read(Path(file))
        shown = Path(file).as_posix()
        lines[shown] = list(card.lines)
        found += judging.judge(card, options["form"] or judging.form_of(card), shown)
    _report(found, lines, outputs, fail_on, options["color"])
    click.echo(summary(found), err=True)
    return 1 if any(item.severity >= fail_on for item in found) else 0


def _report(
    found: list[Diagnostic],
    lines: dict[str, list[str]],
    outputs: list[Target],
    fail_on: Severity,
    color: str,
) -> None:
    from hubpub.card.rules import rules
    from hubpub.cli.described import of_cards
    from hubpub.output.run import Run

    def line(path: str, number: int) -> str:
        known = lines.get(path, [])
        return known[number - 1] if 0 < number <= len(known) else ""

    described = {item.code: of_cards(rules()[item.code]) for item in found}
    for name, file in outputs:
        colored = file is None and use_color(sys.stdout, color)
        run = Run(line, colored, described, fail_on=fail_on, files_url=files_url(Path()))
        text = formats.render(name, found, run)
        if file is None:
            click.echo(text, nl=False, color=True)
        else:
            write_file(file, text)
