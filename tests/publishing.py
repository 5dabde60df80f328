"""What tests publish with: real git repositories and a real HTTP server, both throw-away."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

DATE = "2026-01-31T12:00:00+00:00"
"""Author and committer date of every commit, so that the same files give the same commit id."""


def clean_environment(home: Path) -> dict[str, str]:
    """An environment with nothing of the developer's in it: no GIT_*, HUBPUB_*, TORCH_* or proxy.

    ``PATH`` stays, so that python, git and bwrap are the ones under test.
    """
    home.mkdir(parents=True, exist_ok=True)
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "NO_COLOR": "1",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
    }


@dataclass(frozen=True)
class Link:
    """A symbolic link, as a value in a mapping of files."""

    target: str


Files = Mapping[str, "str | bytes | Link"]
"""Relative path -> content; text is written as UTF-8, as it stands."""


def running(*words: str) -> list[str]:
    """The processes of this machine, by their numbers, whose command line holds all ``words``."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            text = path.read_bytes()
        except OSError:
            continue
        if all(word.encode() in text for word in words):
            found.append(path.parent.name)
    return found


def family(pid: int) -> list[str]:
    """A process of this machine and all that it and its children have started, while they live."""
    parents: dict[str, str] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name, in brackets, may hold anything; state and parent come after it.
            state, parent = path.read_text(errors="replace").rpartition(") ")[2].split()[:2]
        except OSError:
            continue
        if state != "Z":
            parents[path.parent.name] = parent
    found = [str(pid)] if str(pid) in parents else []
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found


AROUND: Files = {
    "LICENSE": "Anybody may use this.\n",
    "README.md": 'model = torch.hub.load("octo/net:v1.0", name, trust_repo=True)\n',
}
"""What a repository has beside its code, so that nothing is said of its lack."""


@dataclass(frozen=True)
class Repository:
    """A git repository with a work tree, authored by nobody on a fixed day."""

    path: Path
    home: Path

    def git(self, *args: str) -> str:
        """Run git here and return what it printed; its failure fails the test with its words."""
        env = clean_environment(self.home) | {
            "GIT_AUTHOR_NAME": "Ada Publisher",
            "GIT_AUTHOR_EMAIL": "ada@example.org",
            "GIT_AUTHOR_DATE": DATE,
            "GIT_COMMITTER_NAME": "Ada Publisher",
            "GIT_COMMITTER_EMAIL": "ada@example.org",
            "GIT_COMMITTER_DATE": DATE,
        }
        done = subprocess.run(
            ["git", "-C", str(self.path), "-c", "commit.gpgSign=false", *args],
            env=env,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, f"git {' '.join(args)}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def write(self, files: Files) -> None:
        """Write ``files`` into the work tree without committing them."""
        write_files(self.path, files)

    def commit(self, files: Files, message: str = "Change") -> str:
        """Write ``files``, commit everything in the work tree, and return the commit id."""
        self.write(files)
        self.git("add", "--all", "--force")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")


def write_files(folder: Path, files: Files) -> None:
    """Write ``files`` under ``folder``."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Link):
            path.symlink_to(content.target)
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)


@dataclass(frozen=True)
class Mirror:
    """A folder of ``owner/repo`` git repositories that stands in for https://github.com."""

    root: Path
    home: Path

    @property
    def url(self) -> str:
        """What HUBPUB_GITHUB_URL must hold for this mirror to be used."""
        return self.root.as_uri()

    def publish(
        self,
        files: Files,
        *,
        name: str = "octo/net",
        branch: str = "main",
        tags: Iterable[str] = ("v1.0",),
        branches: Iterable[str] = (),
    ) -> Repository:
        """Make the repository ``name`` with one commit of ``files``, and name that commit.

        Without files the repository has no commit, and then neither tags nor branches.
        """
        path = self.root / name
        path.mkdir(parents=True)
        repository = Repository(path, self.home)
        repository.git("init", "--quiet", f"--initial-branch={branch}")
        if files:
            repository.commit(files, "First")
            for tag in tags:
                repository.git("tag", tag)
            for other in branches:
                repository.git("branch", other)
        return repository


@dataclass(frozen=True)
class Response:
    """One HTTP answer.

    ``headers`` win over the ones the server makes, so a test can lie about Content-Length.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Request:
    """What the server was asked: ``target`` is the path with its query."""

    method: str
    target: str
    headers: Mapping[str, str]


class Server:
    """An HTTP server on a free loopback port that answers from ``routes`` and 404 to the rest."""

    def __init__(self) -> None:
        self.routes: dict[str, Response] = {}
        self.requests: list[Request] = []
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def host(self) -> str:
        """``127.0.0.1:PORT``, as ``--allow-host`` takes it."""
        return f"127.0.0.1:{self._http.server_address[1]}"

    def url(self, target: str = "/") -> str:
        """The URL of ``target``, which starts with a slash."""
        return f"http://{self.host}{target}"

    def serve(
        self, routes: Mapping[str, Response | tuple[int, Mapping[str, str], bytes] | bytes]
    ) -> None:
        """Add routes: target -> an answer, a (status, headers, body), or the body of a 200."""
        for target, answer in routes.items():
            if isinstance(answer, bytes):
                self.routes[target] = Response(body=answer)
            elif isinstance(answer, tuple):
                self.routes[target] = Response(*answer)
            else:
                self.routes[target] = answer

    def close(self) -> None:
        """Stop answering and free the port."""
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            server.requests.append(Request(self.command, self.path, dict(self.headers)))
            answer = server.routes.get(self.path, Response(404, body=b"no such route\n"))
            headers = {"Content-Length": str(len(answer.body)), **answer.headers}
            self.close_connection = True
            try:
                self.send_response(answer.status)
                for key, value in headers.items():
                    self.send_header(key, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(answer.body)
            except ConnectionError:
                pass  # the client had heard enough: cutting a download short is a case under test

        do_GET = do_HEAD = do_POST = do_PUT = _answer  # noqa: N815 (http.server's names)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    return Handler
