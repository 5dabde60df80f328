"""``hubpub init``."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hubpub.errors import UsageError
from hubpub.output.escape import visible
from hubpub.scaffold.kinds import KINDS, LICENCES, PIECES
from hubpub.signals import noted

if TYPE_CHECKING:
    from hubpub.scaffold.asking import Settled
    from hubpub.scaffold.looking import Found
    from hubpub.scaffold.patching import Proposal
    from hubpub.scaffold.questions import Given, Question
    from hubpub.scaffold.rendering import PlannedFile
    from hubpub.scaffold.writing import CopiedFile, Outcome

_INTERRUPTED = "interrupted: nothing was written; run it again"
_FILE = click.Path(path_type=Path)


@click.command(name="init", context_settings={"help_option_names": ["-h", "--help"]})
@click.argument(
    "directory", default=".", metavar="[DIR]", type=click.Path(path_type=Path, file_okay=True)
)
@click.option("--name", metavar="PACKAGE", help="The package; by default made from DIR's name.")
@click.option("--entrypoint", metavar="NAME", help="The entrypoint; by default PACKAGE.")
@click.option("--owner", metavar="OWNER", help="The GitHub account; by default the git remote's.")
@click.option(
    "--repo", metavar="REPO", help="The GitHub repository; by default the git remote's, or DIR."
)
@click.option("--tag", metavar="TAG", help="The release that examples are pinned to.")
@click.option("--kind", metavar="KIND", help=f"What to make: {', '.join(KINDS)}.")
@click.option(
    "--with", "added", multiple=True, metavar="PIECE", help=f"Write it too: {', '.join(PIECES)}."
)
@click.option(
    "--without", "omitted", multiple=True, metavar="PIECE", help="Do not write this piece."
)
@click.option(
    "--description", metavar="TEXT", help="One line for the README; by default the project's."
)
@click.option("--licence", metavar="SPDX", help=f"The licence: {', '.join(LICENCES)}.")
@click.option(
    "--holder", metavar="NAME", help="Who holds the copyright; by default the project's author."
)
@click.option(
    "--dependency", "dependencies", multiple=True, metavar="MODULE",
    help="Declare this module too, as it is imported.",
)  # fmt: skip
@click.option(
    "--model", "models", multiple=True, metavar="CLASS[=NAME]",
    help="Offer this network of the package, as the entrypoint NAME.",
)  # fmt: skip
@click.option(
    "--value", "values", multiple=True, metavar="CLASS.PARAMETER=LITERAL",
    help="The default of a constructor's parameter that has none, or another one.",
)  # fmt: skip
@click.option(
    "--from-checkpoint", "checkpoint", metavar="FILE", type=_FILE,
    help="Publish these weights: a copy gets its stamped name.",
)  # fmt: skip
@click.option(
    "--from-torchscript", "torchscript", metavar="FILE", type=_FILE,
    help="Publish this TorchScript archive.",
)  # fmt: skip
@click.option("--from-timm", "timm", metavar="NAME", help="Build this network of timm.")
@click.option(
    "--weights",
    type=click.Choice(["tree", "release"]),
    help="Where --from-checkpoint goes (default: up to 50 MiB into the tree).",
)
@click.option("--yes", "-y", is_flag=True, help="Ask nothing: take the defaults.")
@click.option("--diff", "show", is_flag=True, help="Show what would be written; write nothing.")
@click.option("--apply", "really", is_flag=True, help="Write the patch of a present hubconf.py.")
def command(directory: Path, **options: Any) -> int:
    """Write a hubconf.py and what belongs to it, or propose a patch to the one that is there.

    init looks first: at git's remote, the packaging files, the networks and checkpoints in DIR
    (default: the current directory). On a terminal it asks for what it cannot know; every question
    has an option here. Nothing is ever overwritten: a README or licence of your own is kept, and
    any other file in the way stops init before it writes anything.

    Exit status: 0 written, or nothing to write; 1 a diff was shown and nothing written; 2 usage;
    130 interrupted, and nothing written.
    """
    from hubpub.scaffold.asking import settle
    from hubpub.scaffold.looking import look
    from hubpub.scaffold.questions import by_default

    if options["show"] and options["really"]:
        raise UsageError("--diff writes nothing and --apply writes", help="give one of them")
    interactive = not options["yes"] and sys.stdin.isatty() and sys.stderr.isatty()
    found = look(directory)
    if options["really"] and not found.hubconf:
        raise UsageError("--apply is for a hubconf.py that is there", help="leave it out")
    for line in found.remarks():
        click.echo(visible(line), err=True)
    try:
        settled = settle(directory, found, _given(options), _prompt if interactive else by_default)
        if settled.mode == "patch":
            return _patch(directory, found, settled, options, ask=interactive)
        return _make(directory, found, settled, show=options["show"])
    except (click.Abort, KeyboardInterrupt):
        click.echo(_INTERRUPTED, err=True)
        return 130


def _given(options: dict[str, Any]) -> Given:
    from hubpub.scaffold.questions import Given

    taken = {key: value for key, value in options.items() if key not in {"yes", "show", "really"}}
    for key in ("added", "omitted", "dependencies"):
        parts = [part.strip() for word in taken[key] for part in word.split(",")]
        taken[key] = tuple(part for part in parts if part)
    return Given(**taken)


def _prompt(question: Question) -> str:
    """Ask on the terminal until the answer is one that can be used."""

    def answer(text: str) -> str:
        try:
            return question.valid(text.strip())
        except UsageError as error:
            advice = f" ({error.help})" if error.help else ""
            raise click.UsageError(visible(f"{error.message}{advice}")) from None

    for name, line in question.choices.items():
        click.echo(visible(f"  {name:12} {line}"), err=True)
    default: str | None = question.default
    if not question.default:
        try:
            question.valid("")
        except UsageError:
            default = None
    text = f"{visible(question.text)} ({question.flag})"
    return str(
        click.prompt(text, default=default, show_default=bool(default), value_proc=answer, err=True)
    )


def held(work: Callable[[Callable[[], bool]], Outcome]) -> tuple[Outcome | None, int]:
    """What ``work`` did, with the exit status; nothing where a signal stopped it.

    ``work`` is given what tells it to stop. A signal that comes too late to undo anything ends the
    program all the same, when everything is written.
    """
    with noted() as seen:
        try:
            outcome = work(lambda: bool(seen))
        except KeyboardInterrupt:
            click.echo(_INTERRUPTED, err=True)
            return None, 128 + seen[0] if seen else 130
    return outcome, 128 + seen[0] if seen else 0


def _make(directory: Path, found: Found, settled: Settled, *, show: bool) -> int:
    from hubpub.scaffold import planning, write

    files = planning.files(found, settled)
    if show:
        return _show_new(directory, files)
    outcome, status = held(lambda stopped: write(directory, files, stopped))
    if outcome is None:
        return status
    for path in outcome.written:
        click.echo(f"wrote {visible(str(directory / path))}")
    for line in _advice(directory, settled, outcome):
        click.echo(visible(line), err=True)
    return status


def _show_new(directory: Path, files: Sequence[PlannedFile | CopiedFile]) -> int:
    from hubpub.scaffold.patching import Proposal
    from hubpub.scaffold.writing import look_around

    survey = look_around(directory, files)
    for path in survey.kept:
        click.echo(visible(f"keeps {directory / path}, which is yours"), err=True)
    return _show(directory, Proposal(new=survey.wanted))


def _show(directory: Path, proposal: Proposal) -> int:
    """The diff to stdout; 1 where there is one."""
    from hubpub.check.work import seen_from_here
    from hubpub.cli.checking import show_patch
    from hubpub.scaffold import patching

    here = seen_from_here(directory)
    inside = here and not Path(here).is_absolute()
    show_patch(patching.diff(proposal, f"{here}/" if inside else ""))
    for path, source in patching.copies(proposal):
        click.echo(visible(f"{path} would be a copy of {source}"), err=True)
    if proposal.empty:
        click.echo("nothing to write", err=True)
        return 0
    number = len(proposal.changed) + len(proposal.new)
    click.echo(f"{number} file{'' if number == 1 else 's'} would be written", err=True)
    return 1


def _patch(
    directory: Path, found: Found, settled: Settled, options: dict[str, Any], *, ask: bool
) -> int:
    from hubpub.scaffold import patching

    proposal = patching.propose(directory, found, settled.answers)
    for line in proposal.remarks:
        click.echo(visible(f"note: {line}"), err=True)
    if proposal.empty:
        click.echo(
            f"hubconf.py is there, and there is nothing to propose{_left(proposal)}", err=True
        )
        return 0
    if not options["really"]:
        status = _show(directory, proposal)
        wanted = ask and not options["show"]
        if not wanted or not click.confirm("Write this?", default=False, err=True):
            here = "" if directory == Path() else f" {shlex.quote(str(directory))}"
            text = f"hubconf.py is there, so this is a proposal{_left(proposal)}; "
            click.echo(visible(f"{text}`hubpub init --apply{here}` writes it"), err=True)
            return status
    outcome, status = held(lambda stopped: patching.apply(directory, proposal, stopped))
    if outcome is None:
        return status
    for path in outcome.written:
        verb = "changed" if path in proposal.changed else "wrote"
        click.echo(f"{verb} {visible(str(directory / path))}")
    click.echo(f"next: hubpub check{_left(proposal)}", err=True)
    return status


def _left(proposal: Proposal) -> str:
    if not proposal.left:
        return ""
    plural = "s" if proposal.left > 1 else ""
    return f" ({proposal.left} finding{plural} of hubpub check that nothing can mend by itself)"


def _advice(directory: Path, settled: Settled, outcome: Outcome) -> list[str]:
    """What init did not do, and what comes next."""
    from hubpub.scaffold import OWNER_PLACEHOLDER, planning

    answers = settled.answers
    lines = [f"kept {directory / path}, which is yours" for path in outcome.kept]
    lines += [f"{directory / path} is there already, as planned" for path in outcome.same]
    lines += planning.remarks(settled)
    if "README.md" not in {*outcome.written, *outcome.same}:
        reference = f"{answers.owner}/{answers.repo}:{answers.tag}"
        call = f'torch.hub.load("{reference}", "{answers.entrypoint}", trust_repo=True)'
        lines.append(f"show in it how to load the model: {call}")
    if "LICENSE" in outcome.written and answers.licence == "BSD-3-Clause":
        lines.append("LICENSE is PyTorch's own, BSD-3-Clause: change it now if you want another")
    if answers.owner == OWNER_PLACEHOLDER:
        lines.append(f"replace {OWNER_PLACEHOLDER} by your GitHub account in what was written")
    steps = [f"cd {shlex.quote(str(directory))}"] if directory != Path() else []
    new = settled.mode == "new"
    # Added before the check, which then sees what a .gitignore keeps from users: *.pth, mostly.
    steps.append(f"{'git init && ' if new else ''}git add . && hubpub check")
    steps.append(f"git commit -m '{'First' if new else 'Add hubconf.py'}' && hubpub verify .")
    return [*lines, "next:", *(f"  {step}" for step in steps)]
