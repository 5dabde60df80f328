"""Reports to compare: one whole proof by hand, from which tests derive the other."""

from __future__ import annotations

from typing import Any

from hubpub.verify.report import AXES

MIB = 1 << 20
SITE = "https://github.com/octo/net/releases/download/v1.0"


def digest(letter: str) -> str:
    """A sha256 that is told from others at a glance."""
    return letter * 64


def axis(status: str, reason: str | None = None) -> dict[str, Any]:
    return {"status": status, "reason": reason}


def result(case: str = "default", device: str = "cpu", used: str | None = None) -> dict[str, Any]:
    """One that loads; ``used`` is the name of the file of weights."""
    axes = {name: axis("pass") for name in AXES}
    axes["forward"] = axis("skipped", "no input is declared")
    axes["pickles"] = axis("fail", "no process that is spawned finds its class")
    facts = {"exit": 0, "signal": None, "wall_s": 4.0, "cpu_s": 3.0, "peak_bytes": 400 * MIB,
             "ended": "exit"}  # fmt: skip
    claims = {"type": "Net", "parameters": 1000}
    return {
        "device": device, "case": case, "axes": axes, "facts": facts, "claims": claims,
        "checkpoints": [digest(used)] if used else [],
        "used": [used_file(used)] if used else [],
    }  # fmt: skip


def used_file(letter: str) -> dict[str, Any]:
    item = checkpoint(letter, [])
    names = ("filename", "sha256", "size", "format", "urls", "path")
    return {name: item[name] for name in names}


def checkpoint(letter: str, users: list[str]) -> dict[str, Any]:
    """A file of weights called after its letter, with a stamp that matches."""
    return {
        "filename": f"{letter}-{letter * 8}.pth", "sha256": digest(letter), "size": 20 * MIB,
        "stamp": {"prefix": letter * 8, "status": "match"},
        "urls": [f"{SITE}/{letter}-{letter * 8}.pth"], "entrypoints": users,
        "weights_only": axis("pass"), "unsafe_globals": [], "format": "zip", "path": None,
    }  # fmt: skip


def request(url: str, letter: str | None, entrypoint: str | None, **fields: Any) -> dict[str, Any]:
    return {
        "method": "GET", "url": url, "status": 200, "bytes": 20 * MIB if letter else 0,
        "sha256": digest(letter) if letter else None, "decision": "allowed", "reason": None,
        "location": None, "entrypoint": entrypoint, "source": None, **fields,
    }  # fmt: skip


def finding(code: str = "HUB402", **fields: Any) -> dict[str, Any]:
    return {
        "code": code, "name": "unstamped-checkpoint", "severity": "warning", "message": "no stamp",
        "path": "hubconf.py", "line": 9, "column": 1, "end_line": 9, "end_column": 2,
        "help": None, "fix": None, "entrypoint": None, "axis": None, **fields,
    }  # fmt: skip


def release() -> dict[str, Any]:
    """A whole run of three entrypoints: ``big`` (two cases, weights a), ``plain``, ``tree`` (b)."""
    in_tree = checkpoint("b", ["tree"]) | {"urls": [], "path": "weights/b-bbbbbbbb.pth"}
    tree = result(used="b")
    tree["used"][0] |= {"urls": [], "path": "weights/b-bbbbbbbb.pth"}
    a_url = checkpoint("a", [])["urls"][0]
    found = {
        "version": 1, "status": "pass",
        "reference": {"owner": "octo", "repo": "net", "ref": "v1.0", "kind": "tag",
                      "requested": "v1.0"},
        "commit": "1" * 40, "tree": "2" * 40,
        "environment": {"hubpub": "0.1.0", "python": "3.12.1", "torch": "2.9.0",
                        "platform": "Linux", "devices": ["cpu"], "accelerators": []},
        "sandbox": {"tier": "bwrap", "features": {}, "packages": "declared",
                    "limits": {"timeout_s": 600}},
        "entrypoints": [
            {"name": "big", "results": [result(), result("pretrained", used="a")]},
            {"name": "plain", "results": [result()]},
            {"name": "tree", "results": [tree]},
        ],
        "checkpoints": [checkpoint("a", ["big"]), in_tree],
        "network": [request(a_url, "a", "big")],
        "findings": [finding(), finding("verify", name="commit-ref", message="not a tag")],
        "selection": {"patterns": [], "shard": None, "listed": ["big", "plain", "tree"],
                      "whole": True},
        "options": {"device": "auto", "allow_hosts": [], "require": [], "skip": []},
    }  # fmt: skip
    for item in found["entrypoints"][0]["results"][1]["used"]:  # type: ignore[index]
        item["urls"] = [a_url]
    return found


def entry(document: dict[str, Any], name: str) -> dict[str, Any]:
    """The entrypoint called ``name``."""
    (found,) = [item for item in document["entrypoints"] if item["name"] == name]
    assert isinstance(found, dict)
    return found


def other_weights(document: dict[str, Any], old: str, new: str, **fields: Any) -> None:
    """Use other weights in the place of ``old``; ``fields`` are the checkpoint's."""
    for item in document["checkpoints"]:
        if item["sha256"] == digest(old):
            item |= {"sha256": digest(new), **fields}
    for entrypoint in document["entrypoints"]:
        for each in entrypoint["results"]:
            if digest(old) in each["checkpoints"]:
                each["checkpoints"] = [digest(new)]
                taken = {name: fields[name] for name in each["used"][0].keys() & fields.keys()}
                each["used"][0] |= {"sha256": digest(new), **taken}
    for item in document["network"]:
        if item["sha256"] == digest(old):
            item["sha256"] = digest(new)
            item["url"] = fields.get("urls", [item["url"]])[0]
