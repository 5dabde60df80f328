"""The only room that prints or exits: one file per command, loaded when it is called."""

from __future__ import annotations

import contextlib
import errno
import importlib
import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hubpub import __version__
from hubpub.errors import HubpubError

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = {
    "init": "Write a hubconf.py and the files around it.",
    "check": "Check a repository statically; never runs its code.",
    "list": "Show what torch.hub.list would show, read statically.",
    "verify": "Prove a release with the real torch.hub loader in a sandbox.",
    "plan": "Say how a verification would be split over machines.",
    "stamp": "Name checkpoints by their sha256, as check_hash reads it.",
    "report": "Render a saved report of verify, merge those of shards, or diff two.",
    "rule": "Explain a rule.",
    "card": "Write the card of a model from a verified report, or check one.",
    "cache": "Show or clear what check and list keep between runs.",
}
"""Command -> one line of help. The command ``x`` is ``hubpub.cli.x.command``."""


class LazyGroup(click.Group):
    """A group that imports a command's module only when that command runs.

    ``hubpub --help`` therefore imports click and nothing else.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """The command names, in the order a user meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:  # noqa: ARG002
        """The command called ``name``, imported now."""
        if name not in COMMANDS:
            return None
        command = importlib.import_module(f"hubpub.cli.{name}").command
        assert isinstance(command, click.Command)  # noqa: S101
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Name the nearest command when there is no such one."""
        known = ctx.resilient_parsing or not args or args[0] in COMMANDS
        if not known and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; one of {', '.join(COMMANDS)}"
            raise click.UsageError(f"no such command {args[0]!r}{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="hubpub")
def group() -> None:
    """Publish models through PyTorch Hub: scaffold, check and prove a hubconf.py."""


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line and exit.

    Exit codes: 0 clean, 1 findings, 2 usage or configuration, 3 a defect of hubpub, 4 verify could
    not run, 130 interrupted. A user's mistake never shows a traceback.
    """
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character shows its number instead of ending the run.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    sys.exit(run(argv))


def run(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; see :func:`main`."""
    stdout = sys.stdout
    try:
        result = group.main(args=argv, prog_name="hubpub", standalone_mode=False)
    except HubpubError as error:
        say_error(error.message, error.help)
        return error.exit_code
    except click.ClickException as error:
        if isinstance(error, click.UsageError) and error.ctx:
            click.echo(error.ctx.get_usage(), err=True)
        say_error(error.format_message(), None)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return 130
    except SystemExit:
        # click ends so, with its own stand-in for stdout, when the reader went away (`| head`).
        if sys.stdout is stdout:
            raise
        # What was not read may have held findings, so this is no success: a shell's SIGPIPE.
        return 141
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT, errno.EIO}:
            _say_defect()
            return 3
        say_error(f"the output cannot be written: {error.strerror}", None)
        _drop_stdout()
        return 2
    except Exception:  # noqa: BLE001
        _say_defect()
        return 3
    return result if isinstance(result, int) else 0


def _drop_stdout() -> None:
    """Send what is still buffered nowhere, so that Python does not fail on it again at its end."""
    with contextlib.suppress(OSError, ValueError), Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


def say_error(message: str, advice: str | None) -> None:
    """Print a user's error to stderr, with what to do next; repository text in it is escaped."""
    from hubpub.output.escape import visible

    click.echo(f"{click.style('error', fg='red', bold=True)}: {visible(message)}", err=True)
    for line in (advice or "").splitlines():
        click.echo(f"  {click.style('help', fg='cyan')}: {visible(line)}", err=True)


def _say_defect() -> None:
    import traceback

    say_defect(traceback.format_exc(), None)


def say_defect(report: str, where: str | None) -> None:
    """Print what there is to report of a failure of ours, in one repository or altogether."""
    import platform

    from hubpub.output.escape import visible

    at = f" at {visible(where)}" if where else ""
    click.echo(
        f"error: hubpub itself failed{at}; this is a defect, please report it with:", err=True
    )
    click.echo(
        f"hubpub {__version__}, Python {platform.python_version()}, {platform.platform()}", err=True
    )
    for line in report.splitlines():
        click.echo(visible(line), err=True)
