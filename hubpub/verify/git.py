"""git with nothing of anybody's configuration, on a repository that may be hostile.

No configuration, hook, filter, credential helper or transport but the one asked for takes part, and
time, memory, files and what git says are bounded. GitPython only runs constant argument lists.
"""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import signal
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from hubpub.errors import CannotVerifyError
from hubpub.verify.limits import GIB

TIMEOUT_S = 900
"""Of one git process; ``timeout_s`` of :class:`Git` is that of all."""
_MOST_FILES = 100_000
_MOST_NAME = 1 << 20
_NAMED = 300
"""Characters of a path that is worth to be told."""
_MOST_SAID = 64 << 20  # a hundred bytes for each of half a million references
_SHOWN = 300
_MOST_BYTES = 8 * GIB
_FILE_BYTES = 12 * GIB
"""Of any file that git writes: a pack, the zip."""
_MEMORY_BYTES = 4 * GIB
"""Of a git process, what it maps from files aside: a few bytes of a pack can unfold into all."""
_BOUNDED = 'ulimit -f "$0" 2>/dev/null; ulimit -d "$1" 2>/dev/null; shift; exec "$@"'
"""In blocks of 512 bytes, and in KiB. They fail where the user has a smaller bound, which holds."""
_KEPT_ENVIRONMENT = (
    "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO",
)  # fmt: skip
_OF_AGE = (
    "badDate", "badEmail", "badName", "badTimezone", "missingEmail",
    "missingNameBeforeEmail", "missingSpaceBeforeDate", "missingSpaceBeforeEmail",
    "missingTaggerEntry", "multipleAuthors", "zeroPaddedDate", "zeroPaddedFilemode",
)  # fmt: skip
"""Faults that old tools left in honest releases (git-fsck: its ``fsck.<msg-id>``): who wrote a
commit, and when, and modes with a zero before them. None of it gets into the tree."""
_CONFIGURATION = (
    "protocol.allow=never",
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.sshCommand=/bin/false",
    "core.attributesFile=/dev/null",
    "credential.helper=",
    "transfer.fsckObjects=true",
    *(f"fetch.fsck.{fault}=ignore" for fault in _OF_AGE),
    "transfer.unpackLimit=1",  # one pack, whose size can be bounded, and no loose objects
    "submodule.recurse=false",
    "gc.auto=0",
    "http.followRedirects=initial",
    "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=60",
)


@dataclass(frozen=True)
class Entry:
    """What a tree of git holds at a path: mode in six digits of octal, size in bytes (0: none)."""

    mode: str
    size: int
    path: str


class Git:
    """git with nothing of the user's or of the machine's configuration; one bare repository."""

    def __init__(self, folder: Path, url: str, timeout_s: float) -> None:
        try:
            import git
        except ImportError as error:
            # GitPython looks for the git program when it is imported.
            raise CannotVerifyError(
                f"git cannot be used: {str(error).splitlines()[0]}",
                help="install git, and pip install 'hubpub[verify]'; "
                "for plan 'hubpub[plan]' will do",
            ) from error
        self.bare = folder / "git"
        self._deadline = time.monotonic() + timeout_s
        self._failed = git.exc.CommandError
        self._execute = git.cmd.Git(str(folder)).execute
        config = folder / "gitconfig"
        parts = urlsplit(url)
        safe = url2pathname(parts.path) if parts.scheme == "file" else ""
        # upload-pack refuses a repository of another user unless it is named here; the user named
        # it, and upload-pack runs nothing of it. Both spellings: bare, and with a .git inside.
        quoted = safe.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        config.write_text(
            f'[safe]\n\tdirectory = "{quoted}"\n\tdirectory = "{quoted}/.git"\n' if safe else "",
            encoding="utf-8",
        )
        kept = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
        self._environment: Mapping[str, str] = {
            **kept,
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": "/nonexistent",
            "LC_ALL": "C.UTF-8",
            "GIT_ALLOW_PROTOCOL": parts.scheme,
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": str(config),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_NO_LAZY_FETCH": "1",  # a local repository's own remote would name a program
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_TERMINAL_PROMPT": "0",
        }

    def __call__(self, *arguments: str, work_tree: Path | None = None) -> str:
        """Run git in the bare repository; its standard output.

        Raises:
            CannotVerifyError: git failed or took too long.
        """
        command = self._command(*arguments, work_tree=work_tree)
        with self._running(command) as process:
            output, complaint = _said(process, arguments[0])
            if process.returncode != 0:
                raise _failure(arguments[0], process.returncode, os.fsdecode(complaint))
        return os.fsdecode(output)

    def _command(self, *arguments: str, work_tree: Path | None = None) -> list[str]:
        environment = dict(self._environment)
        if arguments[0] != "init":
            environment["GIT_DIR"] = str(self.bare)
        settings = [part for value in _CONFIGURATION for part in ("-c", value)]
        settings += ["-c", f"protocol.{environment['GIT_ALLOW_PROTOCOL']}.allow=always"]
        if work_tree is not None:
            environment["GIT_WORK_TREE"] = str(work_tree)
            settings += ["-C", str(work_tree)]
        # A time of 0 would be none for `timeout`.
        left_s = max(0.001, min(self._deadline - time.monotonic(), TIMEOUT_S))
        # `env -i`, because GitPython would add our own environment: a hook's GIT_DIR, say.
        return [
            *("timeout", "--kill-after=5", f"{left_s:.3f}"),
            *("sh", "-c", _BOUNDED, str(_FILE_BYTES // 512), str(_MEMORY_BYTES >> 10), "env", "-i"),
            *(f"{name}={value}" for name, value in environment.items()),
            *("git", *settings, *arguments),
        ]

    @contextlib.contextmanager
    def _running(self, command: list[str]) -> Iterator[Any]:
        """A git process that does not outlive the block, however that is left."""
        try:
            process = self._execute(command, as_process=True)
        except self._failed as error:
            raise CannotVerifyError(f"git cannot be started: {error}") from error
        try:
            yield process
        finally:
            if process.poll() is None:
                # `timeout` passes it on to git and what git started.
                process.terminate()
                for stream in (process.stdout, process.stderr):
                    stream.close()  # what is left to say may be without end
                process.communicate()
            for stream in (process.stdout, process.stderr):
                stream.close()

    def weigh(self, tree: str) -> list[Entry]:
        """What a tree holds, but for what has a long name; refused where it is too large.

        A few objects can name each other into billions of files, on which git archive would spend
        all memory; the listing is read as it comes and left as soon as it is too long.

        Raises:
            CannotVerifyError: too many files or bytes.
        """
        files = size = 0
        rest = b""
        found: list[Entry] = []
        with self._running(self._command("ls-tree", "-r", "-l", "-z", tree)) as process:
            while chunk := process.stdout.read(1 << 16):
                *entries, rest = (rest + chunk).split(b"\0")
                read = [_entry(entry) for entry in entries]
                if len(rest) > _MOST_NAME:
                    raise CannotVerifyError(
                        f"the tree holds a name of more than {_MOST_NAME} bytes"
                    )
                files += len(entries)
                size += sum(entry.size for entry in read)
                refuse_size(files, size)
                found += [entry for entry in read if len(entry.path) <= _NAMED]
            _, complaint = _said(process, "ls-tree")
            if process.returncode != 0:
                raise _failure("ls-tree", process.returncode, os.fsdecode(complaint))
        return found


def _entry(line: bytes) -> Entry:
    """One of ``git ls-tree -l``: mode, type, id, size (or a dash), a tab, the path."""
    before, _, path = line.partition(b"\t")
    fields = before.split()
    size = int(fields[-1]) if fields[-1].isdigit() else 0
    return Entry(os.fsdecode(fields[0]), size, os.fsdecode(path))


def _said(process: Any, verb: str) -> tuple[bytes, bytes]:
    """All that git says on both ways until it ends.

    Raises:
        CannotVerifyError: too much: a server can name references, or complain, without end.
    """
    said = {process.stdout: bytearray(), process.stderr: bytearray()}
    with selectors.DefaultSelector() as selector:
        for stream in said:
            selector.register(stream, selectors.EVENT_READ)
        while selector.get_map():
            for key, _ in selector.select():
                data = os.read(key.fd, 1 << 16)
                if not data:
                    selector.unregister(key.fileobj)
                said[key.fileobj] += data
                if len(said[key.fileobj]) > _MOST_SAID:
                    raise CannotVerifyError(
                        f"git {verb} says more than {_MOST_SAID >> 20} MiB",
                        help="the repository has too many branches and tags, or its server is odd",
                    )
    process.communicate()  # it has ended, or is about to: both ways are closed
    return bytes(said[process.stdout]), bytes(said[process.stderr])


def refuse_size(files: int, size: int) -> None:
    """Raise :class:`CannotVerifyError` where a tree has too many files, or bytes."""
    if files > _MOST_FILES or size > _MOST_BYTES:
        limit = f"{_MOST_FILES} files or {_MOST_BYTES} bytes"
        raise CannotVerifyError(f"the tree holds more than {limit}")


_FAULT = re.compile(r"\berror: (object [0-9a-f]+: .+)")
"""What git's own check says of an object (``transfer.fsckObjects``)."""
_ABSENT = re.compile(
    r"\b(?:unable to read|could not fetch|bad object|missing blob) ([0-9a-f]{40,64})\b"
)
"""What git says where an object was left out (``clone --filter``) and cannot be had now."""
_SHORT = 12
_TOO_LARGE = re.compile(r"invalid index-pack output|died of signal|File too large")
"""What git says where a process of its own was ended at the bound of a file, or by a bad pack."""


def _failure(verb: str, status: int, stderr: str) -> CannotVerifyError:
    """Git's own words, and what they mean for someone who never sees the command."""
    found = re.search(r"\b(?:fatal|error):\s*(.+)", stderr)
    text = found.group(1).strip("' ") if found else f"exit {status}"
    advice = None
    if re.search("out of memory", stderr, re.IGNORECASE):
        text = f"the repository takes more than {_MEMORY_BYTES >> 30} GiB of memory"
    elif fault := _FAULT.search(stderr):
        text = f"git finds fault with the repository: {fault.group(1)[:_SHOWN]}"
    elif absent := _ABSENT.search(stderr):
        text = (
            f"the repository lacks the object {absent.group(1)[:_SHORT]}, as a partial clone does"
        )
        advice = "fetch what is missing (git fetch --refetch in it), or clone it whole"
    elif _TOO_LARGE.search(stderr) or status == 128 + signal.SIGXFSZ:
        text = f"the pack is damaged, or a file is larger than {_FILE_BYTES >> 30} GiB"
    elif status == 124:
        text = "no end within its time (--deadline)"
    elif re.search(
        r"could not read Username|Authentication failed|not found|terminal prompts", text
    ):
        advice = "the repository does not exist, or is private: torch.hub can load neither"
    elif re.search(r"Could not resolve host|unable to access|Failed to connect", text):
        advice = "check the network, or set HUBPUB_GITHUB_URL to a mirror"
    elif "expected commit type" in text:
        text, advice = "the reference names no commit", "it names a file or a folder: tag a commit"
    elif "does not appear to be a git repository" in text:
        advice = "commit the files first, or use --working-tree for the files as they are"
    return CannotVerifyError(f"git {verb}: {text}", help=advice)
