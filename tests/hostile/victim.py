"""Somebody who verifies a hostile repository, with all that it would like to have or to break."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import hashlib
import json
import os
import pty
import re
import secrets
import socket
import subprocess
import sys
import termios
import time
import zlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hubpub.verify.report import validate
from proving import Proof
from publishing import Files, Mirror, Repository, Server, clean_environment, running

PRELUDE = r'''
dependencies = ["torch"]
import base64, ctypes, errno, json, os, signal, socket, stat, subprocess, sys, threading, time
import zlib
import torch

AT = json.loads(r"""AT""")
libc = ctypes.CDLL(None, use_errno=True)
libc.prctl(15, AT["token"].encode(), 0, 0, 0)  # by this name it is known, should it outlive its job


def _attempt(call, *args):
    """What came of it: the name of the error, or that it worked."""
    try:
        result = call(*args)
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))
    return f"worked: {result!r:.80}"


def _raw(number, *args):
    """A system call by its number, as _attempt() has it."""
    result = libc.syscall(ctypes.c_long(number), *args)
    return f"worked: {result}" if result >= 0 else errno.errorcode[ctypes.get_errno()]


def _tell(found):
    """Packed: a reason is cut at 2000 characters, and the paths of a machine may be long."""
    raise RuntimeError(base64.b64encode(zlib.compress(json.dumps(found).encode())).decode())
'''
SECRETS = (
    ".ssh/id_ed25519", ".ssh/authorized_keys", ".netrc", ".npmrc", ".pypirc", ".gitconfig",
    ".git-credentials", ".bashrc", ".bash_history", ".aws/credentials", ".docker/config.json",
    ".config/gh/hosts.yml", ".cache/huggingface/token", ".cache/torch/hub/trusted_list",
    ".cache/torch/hub/checkpoints/net-0a1b2c3d.pth",
)  # fmt: skip
# What a terminal or a page takes for more than text: C0 but tab and line feed, DEL, C1, line and
# paragraph separators, and what changes the direction of writing.
_ACTS = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True)
class Run(Proof):
    """One run of ``hubpub verify``, and how long it took."""

    code: int
    text: str
    report: dict[str, Any]
    seconds: float

    def told(self, name: str) -> dict[str, Any]:
        """What an entrypoint says that it met."""
        status, reason = self.axis(name)
        assert (status, reason[:14]) == ("fail", "RuntimeError: "), (name, reason)
        found: dict[str, Any] = json.loads(zlib.decompress(base64.b64decode(reason[14:])))
        return found

    def facts(self, name: str) -> dict[str, Any]:
        """The parent's facts of an entrypoint."""
        (found,) = [item for item in self.report["entrypoints"] if item["name"] == name]
        facts: dict[str, Any] = found["results"][0]["facts"]
        return facts

    def ended(self, *names: str) -> str:
        """How entrypoints ended, for the table."""
        return "; ".join(
            f"{self.facts(n)['ended']} in {self.facts(n)['wall_s']:.1f} s" for n in names
        )


def counted(found: Mapping[str, str]) -> str:
    """What attempts met, for the table: ``9 × ENOENT, 2 × EACCES``."""
    met = Counter(value.split(":")[0] for value in found.values())
    return ", ".join(f"{count} × {value}" for value, count in met.most_common())


class Victim:
    """A home with secrets, a directory to work in, sockets that answer, and a repository to verify.

    :meth:`harm` lists what was touched, read or left running since it was made.
    """

    def __init__(self, folder: Path, mirror: Mirror, server: Server) -> None:
        self.home, self.caller = mirror.home, folder / "caller"
        self.temporary, self.out = folder / "tmp", folder / "out"
        self.mirror, self.server = mirror, server
        self.canary = f"canary-{secrets.token_hex(6)}"
        self.token = f"h{secrets.token_hex(6)}"
        self._texts: list[str] = []
        self._open = contextlib.ExitStack()
        self._plant()
        self._listen(folder)
        self._before = self._state()

    def _plant(self) -> None:
        for path in (self.temporary, self.out, self.caller):
            path.mkdir()
        for name in SECRETS:
            (self.home / name).parent.mkdir(parents=True, exist_ok=True)
            (self.home / name).write_text(f"password {self.canary}\n")
        (self.caller / "notes.txt").write_text(self.canary)
        (self.caller / "hubconf.py").write_text(f"# {self.canary}\n")
        (self.caller / "report.json").write_text(f'{{"verified": "{self.canary}"}}\n')

    def _listen(self, folder: Path) -> None:
        def opened(family: int, kind: int, address: tuple[str, int] | str) -> socket.socket:
            made = self._open.enter_context(socket.socket(family, kind))
            made.bind(address)
            made.setblocking(False)
            if kind == socket.SOCK_STREAM:
                made.listen()
            return made

        self.path = str(folder / "agent")
        self.hidden = f"\0{self.token}"
        self._sockets = {
            "tcp": opened(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)),
            "udp": opened(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0)),
            "unix": opened(socket.AF_UNIX, socket.SOCK_STREAM, self.path),
            "abstract": opened(socket.AF_UNIX, socket.SOCK_STREAM, self.hidden),
        }

    def close(self) -> None:
        """Close the sockets."""
        self._open.close()

    @property
    def at(self) -> dict[str, Any]:
        """Where things are: all that an attacker could know, and none of the secrets."""
        return {
            "token": self.token,
            "home": str(self.home),
            "caller": str(self.caller),
            "temporary": str(self.temporary),
            "tcp": self._sockets["tcp"].getsockname()[1],
            "udp": self._sockets["udp"].getsockname()[1],
            "unix": self.path,
            "abstract": self.hidden,
            "server": self.server.host,
        }

    def environment(self) -> dict[str, str]:
        """Variables of a developer, tokens among them."""
        return clean_environment(self.home) | {
            "HUBPUB_GITHUB_URL": self.mirror.url,
            "TMPDIR": str(self.temporary),
            "TORCH_HOME": str(self.home / ".cache/torch"),
            "HF_HOME": str(self.home / ".cache/huggingface"),
            "SSH_AUTH_SOCK": self.path,
            "DBUS_SESSION_BUS_ADDRESS": f"unix:path={self.path}",
            "DOCKER_HOST": f"unix://{self.path}",
            **dict.fromkeys(("GITHUB_TOKEN", "HF_TOKEN", "AWS_SECRET_ACCESS_KEY"), self.canary),
        }

    def publish(self, hubconf: str, files: Files | None = None, **options: Any) -> Repository:
        """Put a hostile repository where ``octo/net:v1.0`` is."""
        text = PRELUDE.replace('AT"', json.dumps(self.at) + '"', 1) + hubconf
        return self.mirror.publish({"hubconf.py": text, **(files or {})}, **options)

    def verify(
        self,
        *options: str,
        target: str = "octo/net:v1.0",
        extra: Mapping[str, str] | None = None,
        terminal: int | None = None,
    ) -> Run:
        """Verify it on the CPU. ``terminal`` is a descriptor that controls the process."""
        file = self.caller / "new.json"
        done, seconds = self.call(
            *("verify", target, "--device", "cpu", "--allow-host", self.server.host),
            *("--output-format", "text", "--output-format", f"json:{file}", *options),
            extra=extra,
            terminal=terminal,
        )
        report = json.loads(file.read_text())
        self._texts.append(file.read_text())
        file.unlink()
        validate(report)
        return Run(done.returncode, done.stdout + done.stderr, report, seconds)

    def call(
        self, *args: str, extra: Mapping[str, str] | None = None, terminal: int | None = None
    ) -> tuple[subprocess.CompletedProcess[str], float]:
        """Run ``hubpub`` in the caller's directory: what it said, and the seconds it took."""

        def take() -> None:
            if terminal is not None:
                fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)

        started = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "hubpub", *args],
            cwd=self.caller,
            env=self.environment() | dict(extra or {}),
            stdin=subprocess.DEVNULL if terminal is None else terminal,
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            start_new_session=True,
            preexec_fn=take,
        )
        assert "Traceback" not in done.stderr, done.stderr
        self._texts.append(done.stdout + done.stderr)
        return done, time.monotonic() - started

    def shown(self, text: str) -> None:
        """Have ``text``, which somebody will read, looked at by :meth:`harm`."""
        self._texts.append(text)

    def _state(self) -> dict[str, object]:
        """Everything of the home and the directory that is not to change."""
        found: dict[str, object] = {}
        for root in (self.home, self.caller):
            for path in sorted(root.rglob("*")):
                status = path.lstat()
                data = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
                found[str(path)] = (status.st_mode, status.st_uid, status.st_mtime_ns, data)
        return found

    def harm(self) -> list[str]:
        """What went wrong, in words; empty where nothing did."""
        before, after = self._before, self._state()
        found = [
            f"{path} was {before.get(path)}, and is {after.get(path)}"
            for path in sorted(before.keys() | after.keys())
            if before.get(path) != after.get(path)
        ]
        for name, listener in self._sockets.items():
            with contextlib.suppress(BlockingIOError):
                if name == "udp":
                    listener.recv(1000)
                else:
                    listener.accept()[0].close()
                found.append(f"somebody reached the {name} socket")
        found += [f"left behind: {path}" for path in self.temporary.iterdir()]
        found += [f"still runs: {process}" for process in self._alive()]
        for text in self._texts:
            if self.canary in text:
                found.append(
                    f"the secret was shown: {text[max(0, text.find(self.canary) - 200) :][:400]}"
                )
            found += [
                f"acts on a terminal: {text[max(0, m.start() - 80) :][:160]!r}"
                for m in _ACTS.finditer(text)
            ]
        return found

    def _alive(self) -> list[str]:
        """Processes of the hostile code: by the name it gave itself, or a word it was run with."""
        names = {}
        for path in Path("/proc").glob("[0-9]*/comm"):
            with contextlib.suppress(OSError):
                names[path.parent.name] = path.read_text().strip()
        return [*(pid for pid, name in names.items() if name == self.token), *running(self.token)]


@contextlib.contextmanager
def terminals() -> Any:
    """A pseudo terminal, both its ends."""
    ours, theirs = pty.openpty()
    try:
        yield ours, theirs
    finally:
        os.close(ours)
        os.close(theirs)


@dataclass(frozen=True)
class Row:
    """One row of the catalogue: its number, what is tried, and how. ``act`` returns the outcome."""

    number: int
    tries: str
    act: Callable[[Victim], str]
