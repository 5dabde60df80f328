"""Fixtures every room uses: git repositories, the command line as a user runs it, HTTP."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

import hypothesis
import pytest

from proving import HEAD, Proof, Prove
from publishing import Files, Mirror, Repository, Server, clean_environment
from rough import Rough

ROOT = Path(__file__).resolve().parents[1]

# A busy machine is slow now and then, which says nothing about the code: no deadline. The gates try
# the same examples each time, so that a change is judged by what it changed; `make fuzz` looks for
# new ones, and what it finds becomes an @example.
hypothesis.settings.register_profile("hubpub", deadline=None, derandomize=True)
hypothesis.settings.register_profile("fuzz", deadline=None, print_blob=True)
hypothesis.settings.load_profile("hubpub")


def pytest_configure() -> None:
    """What a shell runs in its background is deaf to Ctrl-C, below nohup to a hang-up too.

    Children inherit that, and some tests send them these signals. What has a handler here has its
    default in a child.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda *_: None)


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--no-skips``, for a gate whose tests prove nothing unless they run."""
    parser.addoption("--no-skips", action="store_true", help="a skipped test is a failure")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail where ``--no-skips`` was given and something was skipped. (None run fails anyway.)"""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if session.config.getoption("--no-skips") and reporter and reporter.stats.get("skipped"):
        reporter.write_line("--no-skips: a skipped test proves nothing, and counts as a failure")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


class RunHubpub(Protocol):
    """``hubpub("check", path)``: the command line in a process of its own."""

    def __call__(
        self,
        *args: str | Path,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        timeout: float = 120,
    ) -> subprocess.CompletedProcess[str]: ...


class MakeRepository(Protocol):
    """``repository({"hubconf.py": "..."})``: a git repository; see :meth:`Mirror.publish`."""

    def __call__(
        self,
        files: Files,
        *,
        name: str = "octo/net",
        branch: str = "main",
        tags: tuple[str, ...] = ("v1.0",),
        branches: tuple[str, ...] = (),
    ) -> Repository: ...


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty HOME."""
    path = tmp_path / "home"
    path.mkdir()
    return path


@pytest.fixture
def mirror(tmp_path: Path, home: Path) -> Mirror:
    """An empty mirror; ``mirror.url`` is for HUBPUB_GITHUB_URL, which ``hubpub`` sets by itself."""
    root = tmp_path / "mirror"
    root.mkdir()
    return Mirror(root, home)


@pytest.fixture
def repository(mirror: Mirror) -> MakeRepository:
    """Make git repositories in the mirror, by default ``octo/net`` with the tag v1.0."""
    return mirror.publish


@pytest.fixture
def hubpub(mirror: Mirror) -> RunHubpub:
    """Run the installed ``hubpub`` in a clean environment, with the mirror as its GitHub."""
    script = Path(sys.executable).parent / "hubpub"
    assert script.is_file(), f"hubpub is not installed beside {sys.executable}: pip install -e ."

    clean = clean_environment(mirror.home) | {"HUBPUB_GITHUB_URL": mirror.url}

    def run(
        *args: str | Path,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        timeout: float = 120,
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(script), *map(str, args)],
            cwd=cwd or mirror.root.parent,
            env=clean | dict(env or {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=timeout,
        )

    return run


@pytest.fixture
def http_server() -> Iterator[Server]:
    """A loopback HTTP server: ``serve({"/m.pth": data})``, ``url("/m.pth")``, ``requests``."""
    server = Server()
    yield server
    server.close()


@pytest.fixture
def rough() -> Iterator[Rough]:
    """A loopback server of bare sockets: ``scripts["/m.pth"] = reply(404)``, ``host``, ``url``."""
    server = Rough()
    yield server
    server.close()


@pytest.fixture
def prove(hubpub: RunHubpub, repository: MakeRepository, tmp_path: Path) -> Prove:
    """Verify ``octo/net:v1.0`` on the CPU, whose hubconf.py is this text."""

    def run(hubconf: str, *args: str, files: dict[str, str] | None = None) -> Proof:
        repository({"hubconf.py": HEAD + hubconf, **(files or {})})
        file = tmp_path / "report.json"
        output = ("--device", "cpu", "--output-format", f"json:{file}")
        return Proof(hubpub("verify", "octo/net:v1.0", *output, *args), file)

    return run
