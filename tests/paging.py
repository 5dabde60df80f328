"""What the tests of the task pages read and run: the commands of one page, in order, as one story.

The form of a page, in which ``tests/test_pages.py`` executes it:

- A block fenced as ``console`` is executed. A line that begins with ``$ `` is a command. It goes on
  in the next line where it ends in a backslash, and in lines right below that begin with ``>``.
  All other lines are what the command prints, both its streams together, and are compared. ``...``
  in a line stands for any text in it; a line that is ``...`` alone for any lines, or none. Where no
  lines are below a command, it prints nothing.
- A command ends with exit code 0, or with the one that a comment in it says: ``# exit code 1``.
- All blocks of a page share one session: files, the current folder and exported variables stay. It
  begins in an empty folder with an empty HOME. GitHub is a folder of bare repositories, which git
  and hubpub reach as https://github.com; all other https goes to a server on loopback.
- ``<!-- file: PATH -->`` right before a block of any other language writes the block to PATH.
- ``<!-- test: SCRIPT -->`` anywhere is set-up that readers do not see: bash, in the current folder
  of the session, which must end with exit code 0. ``$MIRROR`` holds GitHub's repositories as
  OWNER/NAME.git (pushing to one that is not there fails, so make it), ``$WEB`` what https answers
  with as HOST/PATH, ``$ASKED`` is the file in which that server writes ``METHOD HOST/PATH``, and
  ``$ROOT`` is hubpub's checkout.
- ``<!-- not run: REASON -->`` right before a ``console`` block: it is not executed. test_pages.py
  lists every such block with its reason, and its hubpub commands are parsed all the same.

In a comment of one line ``-->`` ends that line; a longer script begins on the next line::

    <!-- test:
    git init --quiet --bare "$MIRROR/octo/net.git"
    -->
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from markdown_it import MarkdownIt

from publishing import DATE, clean_environment
from web import Web

ROOT = Path(__file__).resolve().parents[1]
COMMENT = re.compile(r"<!-- *(test|file|not run): *(.*?) *-->", re.DOTALL)
CODE = re.compile(r"# exit code (\d+)\b")


@dataclass(frozen=True)
class Step:
    """One thing of a page, with the line it stands in (1-based).

    ``command``: ``text`` is the command, ``shows`` what it prints, ``code`` how it ends; with a
    ``reason`` it is not run. ``setup``: ``text`` is a script. ``file``: ``shows`` are the lines of
    the file called ``text``.
    """

    kind: Literal["command", "setup", "file"]
    line: int
    text: str
    shows: tuple[str, ...] = ()
    code: int = 0
    reason: str | None = None


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, content and line, and the comment right before it."""

    language: str
    content: str
    line: int
    says: tuple[str, str] | None = None


class PageError(Exception):
    """A page that does not keep to the form."""


def blocks(text: str) -> list[Block]:
    """The fenced blocks of a page, set-up among them as blocks of the language ``test``."""
    found: list[Block] = []
    waiting: tuple[str, str, int] | None = None
    for token in MarkdownIt("commonmark").parse(text):
        line = token.map[0] + 1 if token.map else 0
        if token.type == "html_block":
            for match in COMMENT.finditer(token.content):
                said, value = match.groups()
                at = line + token.content.count("\n", 0, match.start())
                if said == "test":
                    found.append(Block("test", value, at))
                else:
                    waiting = (said, value, at)
        elif token.type == "fence":
            language = token.info.split(" ")[0]
            says = waiting and (waiting[0], waiting[1])
            if says and (says[0] == "not run") is not (language == "console"):
                raise PageError(f"line {line}: {says[0]!r} does not go with {language!r}")
            found.append(Block(language, token.content, line, says))
            waiting = None
        elif waiting and token.content:
            raise PageError(f"line {waiting[2]}: {waiting[0]!r} is right before no block")
    if waiting:
        raise PageError(f"line {waiting[2]}: {waiting[0]!r} is right before no block")
    return found


def steps(text: str) -> Iterator[Step]:
    """What is done with a page, in order."""
    for block in blocks(text):
        if block.language == "test":
            yield Step("setup", block.line, block.content)
        elif block.language == "console":
            reason = block.says[1] if block.says else None
            yield from _commands(block.content, block.line + 1, reason)
        elif block.says:
            yield Step("file", block.line, block.says[1], tuple(block.content.splitlines()))


def _commands(content: str, first: int, reason: str | None) -> Iterator[Step]:
    command: list[str] = []
    shows: list[str] = []
    begun = first
    for number, line in enumerate(content.splitlines(), first):
        if line.startswith("$ "):
            if command:
                yield _command(command, shows, begun, reason)
            command, shows, begun = [line.removeprefix("$ ")], [], number
        elif not command:
            raise PageError(f"line {number}: a console block begins with '$ '")
        elif not shows and (command[-1].endswith("\\") or line == ">" or line.startswith("> ")):
            command.append(line.removeprefix(">").removeprefix(" "))
        else:
            shows.append(line)
    if command:
        yield _command(command, shows, begun, reason)


def _command(command: list[str], shows: list[str], line: int, reason: str | None) -> Step:
    text = "\n".join(command)
    code = CODE.search(text)
    return Step("command", line, text, tuple(shows), int(code[1]) if code else 0, reason)


def fits(shows: tuple[str, ...], printed: str) -> bool:
    """Whether a command printed what the page shows, as the form has it."""
    pattern = "".join(
        r"(?:.*\n)*" if line.strip() == "..." else _line(line) + r"[^\S\n]*\n" for line in shows
    )
    text = printed if not printed or printed.endswith("\n") else printed + "\n"
    return re.fullmatch(pattern, text) is not None


def _line(line: str) -> str:
    return ".*".join(re.escape(part) for part in line.rstrip().split("..."))


SHELL = """
. "$1"
trap 'code=$?; { export -p; printf "cd %q\\n" "$PWD"; } > "$1"; exit $code' EXIT
eval "$2"
"""


@dataclass(frozen=True)
class Session:
    """A user's shell for one page, below ``folder``: see the form above."""

    folder: Path
    web: Web

    def __post_init__(self) -> None:
        for name in ("work", "mirror", "tmp"):
            (self.folder / name).mkdir()
        self._state.write_text(f"cd {self.folder / 'work'}\n")

    @property
    def mirror(self) -> Path:
        """The folder that is GitHub."""
        return self.folder / "mirror"

    @property
    def _state(self) -> Path:
        return self.folder / "state.sh"

    def environment(self) -> dict[str, str]:
        """What the shell of a user has: this Python's programs, a name for git, and no network."""
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        person = {
            f"GIT_{who}_{what}": value
            for who in ("AUTHOR", "COMMITTER")
            for what, value in {"NAME": "Ada", "EMAIL": "ada@example.org", "DATE": DATE}.items()
        }
        settings = {
            f"url.{self.mirror.as_uri()}/.insteadOf": "https://github.com/",
            "init.defaultBranch": "main",
            "advice.detachedHead": "false",
        }
        git = {"GIT_CONFIG_COUNT": str(len(settings))}
        for number, (key, value) in enumerate(settings.items()):
            git |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
        return {
            **clean_environment(self.folder / "home"),
            **person,
            **git,
            **self.web.environment(),
            "TMPDIR": str(self.folder / "tmp"),
            "PATH": path,
            "PYTHONUNBUFFERED": "1",  # the two streams of a command in the order it writes them
            "HUBPUB_GITHUB_URL": self.mirror.as_uri(),
            "CUDA_VISIBLE_DEVICES": "",  # pages show what a machine without a GPU prints
        }

    def run(self, command: str) -> tuple[int, str]:
        """Run a command of the page; its exit code and what it printed."""
        return self._bash(SHELL, str(self._state), command)

    def prepare(self, script: str) -> tuple[int, str]:
        """Run set-up in the current folder; nothing but its files stays."""
        known = {
            "MIRROR": str(self.mirror),
            "WEB": str(self.web.root),
            "ASKED": str(self.web.asked),
            "ROOT": str(ROOT),
        }
        return self._bash('. "$1"\nset -eu\neval "$2"', str(self._state), script, **known)

    def write(self, name: str, lines: tuple[str, ...]) -> None:
        """Write a file into the current folder."""
        script = '. "$1"\nmkdir -p "$(dirname "$2")" && printf "%s\\n" "${@:3}" > "$2"'
        code, said = self._bash(script, str(self._state), name, *lines)
        assert code == 0, said

    def _bash(self, *words: str, **more: str) -> tuple[int, str]:
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-c", words[0], "bash", *words[1:]],
            env=self.environment() | more,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="backslashreplace",
            timeout=300,
        )
        return done.returncode, done.stdout


def tell(page: str, session: Session) -> list[str]:
    """Run a page, and say what of it is not true. What comes after a wrong exit code is not run."""
    wrong: list[str] = []
    for step in steps((ROOT / page).read_text(encoding="utf-8")):
        where = f"{page}:{step.line}: "
        if step.kind == "file":
            session.write(step.text, step.shows)
        elif step.kind == "setup":
            code, said = session.prepare(step.text)
            if code:
                return [*wrong, f"{where}set-up ended with {code}:\n{said}"]
        elif step.reason is None:
            code, said = session.run(step.text)
            if not fits(step.shows, said):
                shown = "\n".join(step.shows)
                wrong.append(f"{where}$ {step.text}\nprints:\n{said}and not:\n{shown}\n")
            if code != step.code:
                return [*wrong, f"{where}$ {step.text}\nended with {code}:\n{said}"]
    return wrong
