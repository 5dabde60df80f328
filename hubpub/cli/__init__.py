"""The only room that prints or exits: one file per command, loaded when it is called."""

from __future__ import annotations

import importlib
import sys
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
    "rule": "Explain a rule.",
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
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
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
    sys.exit(run(argv))


def run(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; see :func:`main`."""
    try:
        result = group.main(args=argv, prog_name="hubpub", standalone_mode=False)
    except HubpubError as error:
        say_error(error.message, error.help)
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return 130
    except BrokenPipeError:
        # The reader of stdout went away (`| head`): nothing is wrong, and nothing can be said.
        sys.stdout = None
        return 0
    except Exception:  # noqa: BLE001
        _say_defect()
        return 3
    return result if isinstance(result, int) else 0


def say_error(message: str, advice: str | None) -> None:
    """Print a user's error to stderr, with what to do next; repository text in it is escaped."""
    from hubpub.output.escape import visible

    click.echo(f"{click.style('error', fg='red', bold=True)}: {visible(message)}", err=True)
    for line in (advice or "").splitlines():
        click.echo(f"  {click.style('help', fg='cyan')}: {visible(line)}", err=True)


def _say_defect() -> None:
    import platform
    import traceback

    from hubpub.output.escape import visible

    click.echo("error: hubpub itself failed; this is a defect, please report it with:", err=True)
    click.echo(
        f"hubpub {__version__}, Python {platform.python_version()}, {platform.platform()}", err=True
    )
    for line in traceback.format_exc().splitlines():
        click.echo(visible(line), err=True)
