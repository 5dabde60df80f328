"""Publish the example, then check it and verify it: what ``make demo`` runs.

A folder under a temporary one stands in for https://github.com, and a server on the loopback
interface for the place of the release's files. Nothing else is pretended.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
RELEASE = "https://github.com/demo/tiny/releases/download/v1.0"
"""Where examples/tiny/hubconf.py says that its checkpoint is."""


def main() -> int:
    """Run the demo; the exit code is check's, or verify's where check found nothing."""
    # A plain TERM, as from `timeout`, must clean up too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with tempfile.TemporaryDirectory(prefix="hubpub-demo-") as folder, released() as address:
            return demonstrate(Path(folder), address)
    except KeyboardInterrupt:
        say("interrupted; everything the demo made is gone")
        return 130


def demonstrate(folder: Path, address: str) -> int:
    """Publish the example under ``folder``, then run hubpub on it as a publisher would."""
    repository = folder / "demo" / "tiny"
    say(f"publish examples/tiny as demo/tiny:v1.0, its release served at {address}")
    publish(repository, f"http://{address}")
    environment = os.environ | {"HUBPUB_GITHUB_URL": folder.as_uri()}
    report = folder / "report.json"

    say("read it, and run nothing of it")
    # HUB408: the checkpoint is on this machine only, for as long as the demo runs.
    checked = hubpub(["check", "--ignore", "HUB408", str(repository)], environment)
    say("load it as its users will, with the real torch.hub, in a sandbox")
    verify = ["verify", "demo/tiny:v1.0", "--allow-host", address]
    formats = ["--output-format", "text", "--output-format", f"json:{report}"]
    verified = hubpub([*verify, *formats], environment)
    if report.is_file():
        written = json.loads(report.read_text(encoding="utf-8"))
        say(f"the JSON report says: {written['status']}, commit {written['commit']}")
        for checkpoint in written["checkpoints"]:
            say(f"  {checkpoint['filename']} has sha256 {checkpoint['sha256']}")
    return checked or verified


def publish(repository: Path, release: str) -> None:
    """Make ``repository`` from examples/tiny, its checkpoint's address under ``release``."""
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
    shutil.copytree(HERE / "tiny", repository, ignore=ignored)
    hubconf = repository / "hubconf.py"
    text = hubconf.read_text(encoding="utf-8")
    if text.count(RELEASE) != 1:
        raise SystemExit(f"{hubconf} should name {RELEASE} once")
    hubconf.write_text(text.replace(RELEASE, release), encoding="utf-8")
    git(repository, "init", "--quiet", "--initial-branch=main")
    git(repository, "add", "--all", "--force")
    git(repository, "commit", "--quiet", "--message=Two character models and their tokenizer")
    git(repository, "tag", "v1.0")


def git(repository: Path, *arguments: str) -> None:
    """Run git there, as nobody in particular and with nobody's settings."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    environment |= {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    for role in ("AUTHOR", "COMMITTER"):
        environment[f"GIT_{role}_NAME"] = "tiny"
        environment[f"GIT_{role}_EMAIL"] = "tiny@example.org"
    subprocess.run(["git", *arguments], cwd=repository, env=environment, check=True)


@contextlib.contextmanager
def released() -> Iterator[str]:
    """Serve examples/release on a free loopback port; gives ``127.0.0.1:PORT``."""
    handler = functools.partial(Quiet, directory=str(HERE / "release"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield f"127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()


class Quiet(SimpleHTTPRequestHandler):
    """Serves files without a line for each: verify reports every request anyway."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""


def hubpub(arguments: list[str], environment: dict[str, str]) -> int:
    """Run hubpub with the terminal it was given, and return its exit code."""
    print(f"$ hubpub {shlex.join(arguments)}", flush=True)
    process = subprocess.Popen([sys.executable, "-m", "hubpub", *arguments], env=environment)
    try:
        code = process.wait()
    except BaseException as stop:
        # Ctrl-C reached hubpub too, and it is cleaning up: wait for it.
        if not isinstance(stop, KeyboardInterrupt):
            process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=15)
        process.kill()
        process.wait()
        raise
    print(flush=True)
    return code if code >= 0 else 128 - code


def say(line: str) -> None:
    """One line of what happens now."""
    print(f"demo: {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
