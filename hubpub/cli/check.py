"""``hubpub check``: judge a repository statically."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hubpub.cli.outputs import Target, targets, use_color, write_file
from hubpub.errors import UsageError

if TYPE_CHECKING:
    from hubpub.check.online import Asker

FORMATS = ("full", "concise", "json")


def repository(path: str) -> Path:
    """The root that ``path`` means: a directory, or the hubconf.py in it."""
    place = Path(path)
    if place.name == "hubconf.py" and place.is_file():
        return place.parent
    if not place.exists():
        raise UsageError(f"{path} does not exist", help="give the root of a repository")
    if not place.is_dir():
        raise UsageError(
            f"{path} is not a directory", help="torch.hub reads hubconf.py at the repository's root"
        )
    return place


@click.command("check", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("path", default=".")
@click.option(
    "--output-format",
    "formats",
    multiple=True,
    metavar="FORMAT[:FILE]",
    help=f"{', '.join(FORMATS)}; repeatable with files.",
)
@click.option("--select", multiple=True, help="Only these rules: code, prefix or name.")
@click.option("--extend-select", multiple=True, help="These rules in addition.")
@click.option("--ignore", multiple=True, help="Not these rules.")
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning", "note"]),
    help="The least severity that makes the exit status 1 (default: warning).",
)
@click.option("--fix", "mend", is_flag=True, help="Apply the safe fixes.")
@click.option("--no-cache", is_flag=True, help="Read everything anew, and keep nothing.")
@click.option("--online", is_flag=True, help="Ask the hosts of checkpoints whether they are there.")
@click.option(
    "--allow-host",
    "allow_hosts",
    multiple=True,
    metavar="HOST[:PORT]",
    help="With --online: ask this host though it is not public; repeatable.",
)
@click.option("--diff", "show", is_flag=True, help="Show what --fix would change, change nothing.")
def command(
    path: str,
    formats: tuple[str, ...],
    select: tuple[str, ...],
    extend_select: tuple[str, ...],
    ignore: tuple[str, ...],
    fail_on: str | None,
    mend: bool,
    no_cache: bool,
    online: bool,
    allow_hosts: tuple[str, ...],
    show: bool,
) -> int:
    """Check the repository at PATH (default: the current directory); never runs its code.

    Exit status: 0 clean, 1 findings, 2 usage or configuration, 3 a defect of hubpub.
    """
    outputs = targets(formats, FORMATS)
    root = repository(path)
    from hubpub import check, config
    from hubpub.source.cache import Cache

    settings = check.with_options(
        config.load(root),
        select=_split(select),
        ignore=_split(ignore),
        extend_select=_split(extend_select),
        fail_on=fail_on,
    )
    asker = _asker(online, allow_hosts)
    if show:
        return _diff(check.fix(root, settings, write=False, asker=asker))
    if mend:
        fixed = check.fix(root, settings, asker=asker)
        result = fixed.result
        for problem in fixed.problems:
            click.echo(problem, err=True)
        for name in fixed.changed:
            click.echo(f"changed {_visible(name)}", err=True)
    else:
        result = check.check(root, settings, None if no_cache else Cache(), asker=asker)
    _report(result, outputs)
    for url, reason in asker.untold.items() if asker is not None else ():
        click.echo(f"could not be asked: {_visible(url)}: {_visible(reason)}", err=True)
    return 1 if result.failed(settings.fail_on) else 0


def _asker(online: bool, allow_hosts: tuple[str, ...]) -> Asker | None:
    if not online:
        if allow_hosts:
            raise UsageError("--allow-host says whom to ask", help="add --online")
        return None
    from hubpub.check.online import Asker

    return Asker.allowing(allow_hosts)


def _split(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(part.strip() for word in words for part in word.split(",") if part.strip())


def _visible(text: str) -> str:
    from hubpub.output.escape import visible

    return visible(text)


def _diff(fixed: object) -> int:
    from hubpub.check import FixResult
    from hubpub.output.diff import render
    from hubpub.source.edits import diff

    assert isinstance(fixed, FixResult)  # noqa: S101 - the one caller
    for path, (before, after) in fixed.changed.items():
        click.echo(render(diff(path, before.text, after)), nl=False)
    for problem in fixed.problems:
        click.echo(problem, err=True)
    count = len(fixed.changed)
    click.echo(f"{count} file{'s' if count != 1 else ''} would change", err=True)
    return 1 if fixed.changed else 0


def _report(result: object, outputs: list[Target]) -> None:
    import importlib

    from hubpub.check import CheckResult
    from hubpub.output.run import Run
    from hubpub.output.text import summary

    assert isinstance(result, CheckResult)  # noqa: S101 - the one caller
    sources = result.sources

    def line(path: str, number: int) -> str:
        return sources[path].line(number) if path in sources else ""

    for name, file in outputs:
        module = importlib.import_module(f"hubpub.output.{'text' if name == 'full' else name}")
        color = file is None and use_color(sys.stdout)
        text = module.render(result.diagnostics, Run(line, color))
        if file is None:
            click.echo(text, nl=False, color=True)
        else:
            write_file(file, text)
    click.echo(summary(result.diagnostics), err=True)
    if result.repo.unfollowed:
        names = ", ".join(result.repo.unfollowed[:5])
        more = len(result.repo.unfollowed) - 5
        rest = f" and {more} more" if more > 0 else ""
        click.echo(
            f"not followed to the end, so not judged whole: {_visible(names)}{rest}", err=True
        )
