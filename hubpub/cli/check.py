"""``hubpub check``: judge repositories statically."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from hubpub.cli.outputs import Target, files_url, targets, use_color, write_file
from hubpub.diagnostic import Severity
from hubpub.errors import UsageError
from hubpub.output.formats import FORMATS

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from hubpub.cli.checking import Report

F = TypeVar("F", bound=Callable[..., Any])


def repository(path: str) -> Path:
    """The root that ``path`` means: a directory, or the hubconf.py in it."""
    from hubpub.check.publishers import root_of

    return root_of(path)


def rule_names(
    ctx: click.Context,  # noqa: ARG001
    param: click.Parameter,  # noqa: ARG001
    incomplete: str,
) -> list[CompletionItem]:
    """What a shell offers where a rule is asked for: the codes and names that begin so."""
    from click.shell_completion import CompletionItem

    from hubpub import rules

    head, comma, last = incomplete.rpartition(",")
    words = [word for item in rules.all_rules() for word in (item.code, item.name)]
    return [
        CompletionItem(f"{head}{comma}{word}")
        for word in (*words, "ALL")
        if word.startswith((last, last.upper()))
    ]


def _rules_option(flag: str, text: str) -> Callable[[F], F]:
    return click.option(flag, multiple=True, metavar="RULE", help=text, shell_complete=rule_names)


@click.command("check", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path())
@click.option(
    "--output-format",
    "formats",
    multiple=True,
    metavar="FORMAT[:FILE]",
    help=f"{', '.join(FORMATS)}; repeatable with files. Lines and columns count from 1, columns in "
    "characters.",
)
@_rules_option("--select", "Only these rules: code, prefix, name, or ALL.")
@_rules_option("--extend-select", "These rules in addition.")
@_rules_option("--ignore", "Not these rules.")
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning", "note"]),
    help="The least severity that makes the exit status 1 (default: warning).",
)
@click.option("--exit-zero", is_flag=True, help="Exit 0 whatever is found.")
@click.option("--fix", "mend", is_flag=True, help="Apply the safe fixes.")
@click.option(
    "--unsafe-fixes/--no-unsafe-fixes",
    default=None,
    help="With --fix and --diff: also those that change what users can call.",
)
@click.option("--diff", "show", is_flag=True, help="Show what --fix would change, change nothing.")
@click.option("--statistics", is_flag=True, help="Count findings by rule instead.")
@click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    help="Colours on stdout; auto: where a terminal shows them, or as NO_COLOR or FORCE_COLOR say.",
)
@click.option(
    "--add-ignore", "reason", metavar="REASON", help="Suppress every finding by a comment."
)
@click.option(
    "--config",
    "config_file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Settings for every repository, instead of their own.",
)
@click.option("--isolated", is_flag=True, help="Read no settings at all.")
@click.option("--recursive", is_flag=True, help="Check every hubconf.py below each PATH.")
@click.option("--exclude", multiple=True, metavar="PATTERN", help="Folders not to search.")
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    metavar="N",
    help="Processes for several repositories (default: one for each CPU).",
)
@click.option("--online", is_flag=True, help="Ask the hosts of checkpoints whether they are there.")
@click.option(
    "--allow-host",
    "allow_hosts",
    multiple=True,
    metavar="HOST[:PORT]",
    help="With --online: ask this host though it is not public; repeatable.",
)
@click.option("--stdin-filename", metavar="FILE", help="The file whose text PATH - reads.")
@click.option("--no-cache", is_flag=True, help="Read everything anew, and keep nothing.")
def command(**options: Any) -> int:
    """Check repositories statically; never runs their code.

    PATH is the root of a repository, its hubconf.py, or a folder with repositories below it
    (default: the current directory). PATH - reads one file from the standard input, for editors.

    Exit status: 0 clean, 1 findings, 2 usage or configuration, 3 a defect of hubpub; of several
    repositories the worst.
    """
    from hubpub.cli import checking

    outputs = targets(options["formats"], FORMATS)
    if options["statistics"]:
        outputs = _counted(outputs)
    work = checking.work(options)
    if options["paths"] == ("-",):
        report = checking.check_stdin(work, options["stdin_filename"])
    elif options["stdin_filename"] is not None:
        raise UsageError("--stdin-filename needs - as the path")
    else:
        report = checking.check_paths(work, options)
    checking.say(report)
    if work.mode == "diff":
        checking.write_patch(report)
    else:
        _report(report, outputs, count=options["statistics"], color=options["color"])
    return report.status(exit_zero=options["exit_zero"])


def _counted(outputs: list[Target]) -> list[Target]:
    """The outputs of a run that counts on stdout, in one of the formats that have counts."""
    from hubpub.output.statistics import MODES

    for name, file in outputs:
        if file is None and name not in MODES:
            raise UsageError(
                f"--statistics has no format {name}", help=f"one of {', '.join(MODES)}"
            )
    return outputs if any(file is None for _, file in outputs) else [*outputs, ("full", None)]


def _report(report: Report, outputs: list[Target], *, count: bool, color: str) -> None:
    """Render the findings: the report to stdout or files, one line of summary to stderr.

    Where the fixed text of a file goes to stdout, the report goes to stderr.
    """
    from hubpub.cli.described import by_code
    from hubpub.output import formats, statistics
    from hubpub.output.run import Run
    from hubpub.output.text import summary

    stream = sys.stdout if report.text is None else sys.stderr
    rules = by_code(item.code for item in report.diagnostics)
    fail_on = min((outcome.fail_on for outcome in report.outcomes), default=Severity.WARNING)
    for name, file in outputs:
        run = Run(
            report.line,
            file is None and use_color(stream, color),
            rules,
            roots=report.roots,
            fail_on=fail_on,
            files_url=files_url(Path()),
        )
        render = statistics.render if count and file is None else formats.render
        text = render(name, report.diagnostics, run)
        if file is None:
            click.echo(text, nl=False, color=True, file=stream)
        else:
            write_file(file, text)
    if report.judged:
        number = len(report.outcomes)
        where = f"{number} repositories: " if report.several else ""
        click.echo(f"{where}{summary(report.diagnostics, unsafe=report.unsafe)}", err=True)
