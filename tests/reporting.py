"""A verification report that says anything anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hubpub.verify.report import AXES, validate

HOSTILE = (
    "\x1b]52;c;cHduZWQ=\x07\x1b[2J\n::set-output name=x::y\r\n##[error]x\u202e\u200b\udcff"
    "</td><script>alert(1)</script><img src=x onerror=alert(1)> [a](javascript:alert(1))"
    " ![i](http://evil.test/i.png) @octo $x$ | `a` {{ 7*7 }} &lt;b&gt; \" ' "
)


def document(said: str) -> dict[str, Any]:
    """A report that has ``said`` wherever a repository, a server or a path can put words."""
    axis = {"status": "fail", "reason": said or "x"}
    axes = dict.fromkeys(AXES, axis) | {"listed": {"status": "pass", "reason": None}}
    facts = {"exit": 0, "signal": None, "wall_s": 0.5, "cpu_s": 0.4, "peak_bytes": 1 << 20,
             "ended": "exit"}  # fmt: skip
    result = {
        "device": said, "case": said, "axes": axes, "facts": facts,
        "claims": {"type": said, "parameters": 3}, "checkpoints": [],
    }  # fmt: skip
    skipped = {**result, "facts": None, "claims": {}}
    checkpoint = {
        "filename": said, "sha256": "a" * 64, "size": 9,
        "stamp": {"prefix": said, "status": "absent"},
        "urls": [said], "entrypoints": [said], "weights_only": axis, "unsafe_globals": [said],
        "format": "zip", "path": None,
    }  # fmt: skip
    request = {"method": "GET", "url": said, "status": None, "bytes": 0, "sha256": None,
               "decision": "denied", "reason": said}  # fmt: skip
    finding = {
        "code": "verify", "name": said, "severity": "error", "message": said, "path": said,
        "line": 1, "column": 1, "end_line": 1, "end_column": 1, "help": said, "fix": None,
        "entrypoint": said, "axis": "loads",
    }  # fmt: skip
    row = {"entrypoint": said, "case": said, "file": said, "what": "urls", "locked": said,
           "found": said}  # fmt: skip
    gone = {**row, "case": None, "file": None, "what": "entrypoint", "found": None}
    left = {"entrypoint": said, "case": said, "reason": said}
    found = {
        "version": 1, "status": "fail",
        "reference": {
            "owner": said, "repo": said, "ref": said, "kind": "tag", "requested": said,
            "url": f"https://github.com/{said}/{said}",
        },
        "commit": None, "tree": None,
        "environment": {
            "hubpub": "0", "python": "3", "torch": said, "platform": said, "devices": [],
        },
        "sandbox": {"tier": "bwrap", "features": {}},
        "entrypoints": [{"name": said, "results": [result, skipped]}],
        "checkpoints": [checkpoint, {**checkpoint, "path": said}],
        "network": [request], "findings": [finding, {**finding, "code": said, "severity": "note"}],
        "lock": {"compared": 1, "differences": [row, gone],
                 "not_compared": [left, {**left, "case": None}]},
    }  # fmt: skip
    validate(found)
    return found


def released(names: Sequence[str], **changes: Any) -> dict[str, Any]:
    """The report of a release, octo/net:v1.0, of which every entrypoint passes on the CPU.

    The first has a stamped checkpoint, and there is no GPU.
    """
    passed, skipped = (
        {"status": "pass", "reason": None},
        {"status": "skipped", "reason": "no input"},
    )
    axes = dict.fromkeys(AXES, passed) | {"forward": skipped, "device": skipped}
    facts = {"exit": 0, "signal": None, "wall_s": 1.25, "cpu_s": 1.1, "peak_bytes": 213 << 20,
             "ended": "exit"}  # fmt: skip
    ran = {"device": "cpu", "case": "default", "axes": axes, "facts": facts,
           "claims": {"type": "Net", "parameters": 3}, "checkpoints": []}  # fmt: skip
    nowhere = {"status": "skipped", "reason": "no CUDA device here"}
    idle = {**ran, "device": "cuda", "axes": dict.fromkeys(AXES, nowhere), "facts": None,
            "claims": {}}  # fmt: skip
    digest = "0a1b2c3d" * 8
    checkpoint = {
        "filename": "net-0a1b2c3d.pth", "sha256": digest, "size": 4770,
        "stamp": {"prefix": "0a1b2c3d", "status": "match"},
        "urls": ["https://github.com/octo/net/releases/download/v1.0/net-0a1b2c3d.pth"],
        "entrypoints": list(names[:1]), "weights_only": passed, "unsafe_globals": [],
        "format": "zip", "path": None,
    }  # fmt: skip
    found = document("x") | {
        "status": "pass",
        "reference": {"owner": "octo", "repo": "net", "ref": "v1.0", "kind": "tag",
                      "requested": "v1.0", "url": "https://github.com/octo/net"},
        "commit": "0123456789abcdef0123456789abcdef01234567", "tree": "89abcdef" * 5,
        "environment": {"hubpub": "0.1.0", "python": "3.12.1", "torch": "2.13.0",
                        "platform": "Linux x86_64", "devices": ["cpu"]},
        "entrypoints": [{"name": name, "wall_s": 5.5, "results": [ran, idle]} for name in names],
        "checkpoints": [checkpoint], "network": [], "findings": [],
        "selection": {"patterns": [], "shard": None, "listed": sorted(names), "whole": True},
    } | changes  # fmt: skip
    if "lock" not in changes:
        del found["lock"]
    validate(found)
    return found
