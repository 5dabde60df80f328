"""What tests prove with: one run of ``hubpub verify`` on a repository, and what it said."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

HEAD = 'dependencies = ["torch"]\nimport json, os, sys, threading, time\nimport torch\n'
ONCE = tuple(
    word for axis in ("coexists", "offline", "reproducible", "pickles") for word in ("--skip", axis)
)
"""Options with which each case is loaded once: what it asks the network is asked once."""
FORGE = """
def _job():
    frame = sys._getframe()
    while frame:
        request = frame.f_locals.get("request")
        if isinstance(request, dict) and "nonce" in request:
            return request
        frame = frame.f_back


def _claim(text):
    os.write(3, text.replace("NONCE", _job()["nonce"]).encode())
    os._exit(0)
"""
DOWNLOAD = """
def _get(url, name):
    path = os.path.join(torch.hub.get_dir(), name)
    torch.hub.download_url_to_file(url, path, progress=False)
    return path
"""


class Proof:
    """One run: exit code, report, and what a user would read."""

    def __init__(self, done: subprocess.CompletedProcess[str], file: Path) -> None:
        assert "Traceback" not in done.stderr, done.stderr
        self.code, self.text = done.returncode, done.stdout + done.stderr
        self.report: dict[str, Any] = json.loads(file.read_text())

    def axis(self, name: str, axis: str = "loads") -> tuple[str, str]:
        (found,) = [item for item in self.report["entrypoints"] if item["name"] == name]
        result = found["results"][0]["axes"][axis]
        return result["status"], result["reason"] or ""

    def names(self) -> list[str]:
        return [item["name"] for item in self.report["findings"] if item["code"] == "verify"]


Prove = Callable[..., Proof]
"""``prove(hubconf, *options, files={})``: the hubconf comes after :data:`HEAD`."""


def without_times(document: dict[str, Any]) -> dict[str, Any]:
    """A report without what is measured, so that two of one release are the same."""
    for entrypoint in document["entrypoints"]:
        entrypoint["wall_s"] = 0
        for result in entrypoint["results"]:
            for name in ("wall_s", "cpu_s", "peak_bytes"):
                result["facts"][name] = 0
    document["sandbox"]["outer_uid"] = None
    return document
