"""A report of many entrypoints, on two devices, with every kind of result, as a run writes it."""

from __future__ import annotations

import hashlib
from typing import Any

from hubpub.verify.report import AXES, validate

SKIPPED = {
    "forward": "no input is declared: [tool.hubpub.verify.entrypoints.NAME] takes input = {...}",
    "late_imports": "it was not called: no input is declared",
}
SOURCE = ["def build(depth):", "    import timm", "    return timm.create(depth)"]


def many(count: int, devices: tuple[str, ...] = ("cpu", "cuda:0")) -> dict[str, Any]:
    """A valid report of ``count`` entrypoints; every tenth warns, every twentieth fails."""
    names = [f"net_{number:03}_large_patch16" for number in range(count)]
    shas = {name: hashlib.sha256(name.encode()).hexdigest() for name in names}
    report = {
        "version": 1,
        "status": "fail" if count > 7 else "pass",
        "reference": {"owner": "octo", "repo": "zoo", "ref": "v2.1", "kind": "tag",
                      "requested": "v2.1"},
        "commit": "c0" * 20, "tree": "7e" * 20,
        "environment": {"hubpub": "0.1.0", "python": "3.12.4", "torch": "2.7.1+cu126",
                        "platform": "Linux-6.8-x86_64", "devices": list(devices),
                        "accelerators": [{"device": "cuda:0", "name": "NVIDIA H100",
                                          "capability": "9.0", "driver": "570.86",
                                          "runtime": "12.6", "total_bytes": 85 << 30}]},
        "sandbox": {"tier": "bwrap", "version": "0.11.0", "outer_uid": 61234,
                    "features": {"seccomp": True, "net_namespace": True, "cgroup": False},
                    "limits": {"timeout_s": 600.0, "memory_bytes": 8 << 30, "files": 20000},
                    "limited_by": "cgroup", "packages": "declared: torch",
                    "not_held": ["a GPU's memory and time"], "warning": None},
        "entrypoints": [_entrypoint(n, name, shas[name], devices) for n, name in enumerate(names)],
        "checkpoints": [_checkpoint(n, name, shas[name]) for n, name in enumerate(names)],
        "network": [_request(n, name, shas[name]) for n, name in enumerate(names)],
        "findings": [item for n, name in enumerate(names) for item in _findings(n, name)],
        "selection": {"patterns": [], "shard": None, "listed": names, "whole": True},
        "options": {"require": ["offline"], "skip": []},
    }  # fmt: skip
    validate(report)
    return report


def _axes(number: int, device: str) -> dict[str, Any]:
    axes = {axis: {"status": "pass", "reason": None} for axis in AXES}
    axes |= {axis: {"status": "skipped", "reason": reason} for axis, reason in SKIPPED.items()}
    if device == "cpu":
        axes["device"] = {"status": "skipped", "reason": "ran on the CPU"}
    axes["pickles"] = {"status": "fail", "reason": "cannot be unpickled in a spawned process"}
    if number % 10 == 3:
        axes["dependencies"] = {"status": "fail", "reason": "timm is imported, and not declared"}
    if number % 20 == 7:
        reason = "ModuleNotFoundError: No module named 'timm'"
        axes["loads"] = {"status": "fail", "reason": reason}
    return axes


def _entrypoint(number: int, name: str, sha: str, devices: tuple[str, ...]) -> dict[str, Any]:
    used = {"filename": f"{name}-{sha[:8]}.pth", "sha256": sha, "size": 97 << 20, "format": "zip",
            "urls": [f"https://example.org/{name}.pth"], "path": None}  # fmt: skip
    facts = {"exit": 0, "signal": None, "wall_s": 0.2 + number / 50, "cpu_s": 0.15,
             "peak_bytes": (150 + 3 * number) << 20, "ended": "exit", "fresh": False,
             "retried": None, "gpu_left_bytes": None}  # fmt: skip
    results = [
        {
            "device": device, "case": "pretrained", "axes": _axes(number, device), "facts": facts,
            "claims": {"type": "Net", "module": "zoo.net", "parameters": 25_557_032 + number,
                       "digest": sha},
            "checkpoints": [sha], "used": [used],
        }
        for device in devices
    ]  # fmt: skip
    return {"name": name, "wall_s": 0.8 + number / 10, "results": results, "unlike_a_clone": {}}


def _checkpoint(number: int, name: str, sha: str) -> dict[str, Any]:
    stamp = {"prefix": sha[:8], "status": "match"} if number % 9 else {
        "prefix": None, "status": "absent"}  # fmt: skip
    return {"filename": f"{name}-{sha[:8]}.pth", "sha256": sha, "size": 97 << 20, "stamp": stamp,
            "urls": [f"https://example.org/{name}.pth"], "entrypoints": [name],
            "weights_only": {"status": "pass", "reason": None}, "unsafe_globals": [],
            "format": "zip", "path": None}  # fmt: skip


def _request(number: int, name: str, sha: str) -> dict[str, Any]:
    denied = number % 50 == 9
    host = "evil.test" if denied else "example.org"
    return {"method": "GET", "url": f"https://{host}/{name}.pth", "entrypoint": name,
            "status": None if denied else 200, "bytes": 0 if denied else (1 + number**3) << 10,
            "sha256": None if denied else sha, "decision": "denied" if denied else "allowed",
            "reason": "evil.test is not allowed" if denied else None}  # fmt: skip


def _findings(number: int, name: str) -> list[dict[str, Any]]:
    def finding(axis: str, severity: str, text: str, **fields: Any) -> dict[str, Any]:
        first = {"code": "verify", "name": axis, "severity": severity, "message": f"{name}: {text}",
                 "path": "hubconf.py", "line": 12, "column": 1, "end_line": 12, "end_column": 1,
                 "help": "mend it", "fix": None, "entrypoint": name, "axis": axis}  # fmt: skip
        return {**first, **fields}

    found = [finding("pickles", "note", "cannot be unpickled in a spawned process")]
    excerpt = {"first_line": 11, "first_column": 1, "lines": SOURCE}
    if number % 10 == 3:
        text = "timm is imported, and not declared"
        found.append(finding("dependencies", "warning", text, excerpt=excerpt))
    if number % 20 == 7:
        text = "ModuleNotFoundError: No module named 'timm'"
        help_ = "add timm to dependencies\nso that users are told"
        found.append(
            finding("loads", "error", text, excerpt=excerpt, cause="publisher", help=help_)
        )
    return found
