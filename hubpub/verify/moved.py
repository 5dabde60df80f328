"""The axis ``device``: what a job on a GPU came to beyond loading.

The model's tensors move, computing there works where there is an input, and its memory is free once
it is deleted. All of it is claimed by the job; that it ended by itself is a fact.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hubpub.verify.axes import Evidence, Verdict
from hubpub.verify.explain import explain, place

_MIB = 1 << 20
_FREE = (
    "something holds the model after its user has deleted it: a cache of the module, a global, a "
    "hook; on a GPU that is memory which nobody else can have"
)
_REGISTER = (
    "tensors that belong to a model are parameters or register_buffer(...), so that .to(device) "
    "takes them along"
)


def judge(evidence: Evidence, device: str, *, loaded: bool) -> Verdict:
    """The verdict on one result.

    Args:
        evidence: of the result.
        device: as the result calls it: cpu, cuda, cuda:1.
        loaded: whether the axis ``loads`` passed.
    """
    if device == "cpu":
        return Verdict("skipped", "ran on the CPU")
    if not loaded:
        return Verdict("skipped", "the case did not load")
    claims = evidence.claims or {}
    error = claims.get("device_error")
    if isinstance(error, dict):
        return _failed(error, evidence)
    if claims.get("moved") is not True:
        return Verdict("skipped", "it returns no torch.nn.Module to move")
    held = claims.get("device_left_bytes")
    if held is None:
        return Verdict("skipped", "the job does not say whether the memory was given back")
    if held > 0:
        text = f"{_size(held)} of {device} are still taken after the model was deleted"
        return Verdict("fail", text, _FREE, cause="publisher")
    return Verdict("pass")


def _failed(error: Mapping[str, Any], evidence: Evidence) -> Verdict:
    kind, message = str(error.get("type") or "error"), str(error.get("message", ""))
    path, line = place(error)
    if kind == "NotMoved":
        return Verdict("fail", message, _REGISTER, path, line, "publisher")
    found = explain(error, evidence.requests)
    reason = f"moving it fails: {kind}: {message}"
    return Verdict("fail", reason, found.help, path, line, found.cause)


def _size(count: int) -> str:
    return f"{count / _MIB:.1f} MiB" if count >= _MIB // 10 else f"{count} bytes"
