"""The commands on a system that is not Linux: what needs it says so, and the others work."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from publishing import AROUND, clean_environment, write_files

WINDOWS = """
import os, platform, signal, sys

for name in ("fcntl", "grp", "pwd", "resource", "termios"):
    sys.modules[name] = None  # an import of it fails
for module, names in (
    (os, "geteuid getegid getuid getgid O_NOFOLLOW O_NONBLOCK O_CLOEXEC O_DIRECTORY O_NOCTTY"),
    (os, "killpg fchmod chown"),
    (signal, "SIGHUP SIGKILL SIGALRM"),
):
    for name in names.split():
        delattr(module, name)
platform.system = lambda: "Windows"
from hubpub.cli import run
sys.exit(run(sys.argv[1:]))
"""
"""hubpub without what Python has not on Windows."""
FILES = {
    "hubconf.py": 'dependencies = []\n\n\ndef net():\n    """A net."""\n    return object()\n',
    **AROUND,
}


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("check",), 0, ""),
        (("list",), 0, "net"),
        (("verify", "."), 4, "hubpub verify needs Linux, not Windows"),
        (("plan", "octo/net"), 4, "no-such-host.invalid"),
        (("report", "hubconf.py"), 2, "hubconf.py"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_on_windows(tmp_path: Path, arguments: tuple[str, ...], code: int, said: str) -> None:
    write_files(tmp_path / "net", FILES)
    done = subprocess.run(
        [sys.executable, "-c", WINDOWS, *arguments],
        cwd=tmp_path / "net",
        env=clean_environment(tmp_path / "home")
        | {"HUBPUB_GITHUB_URL": "http://no-such-host.invalid"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == code, done.stderr
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
