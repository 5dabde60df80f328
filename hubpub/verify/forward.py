"""The axes ``forward`` and ``late_imports``: one call of what a case loaded.

It happens in the job that loaded, after loading was told, and what it comes to is a claim. Each
axis is a pure function from evidence to a verdict.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hubpub.config.entrypoints import Expected, Tensor
from hubpub.verify.axes import PASS, Evidence, Verdict, stopped
from hubpub.verify.cases import Case
from hubpub.verify.explain import Cause, explain, place

_SHOWN = 3
_MOST_FOLDERS = 10_000
_MEMORY = re.compile(r"^(MemoryError|.*DefaultCPUAllocator: can't allocate memory)", re.DOTALL)
_OFF_PATH = (
    "the loader takes the repository off sys.path when it has loaded: import it at the top of a "
    "module, or in the entrypoint"
)
_ARGUMENTS = (
    r"missing \d+ required .*argument|takes (from \d+ to )?\d+ positional argument|"
    "unexpected keyword argument"
)
_SHAPES = (
    r"shapes? cannot be multiplied|to have \d+ channels|must match the size of tensor|"
    r"[Ee]xpected \d+D|size mismatch|is invalid for input of size|output size is too small|"
    "can't be greater than actual input size"
)
_DTYPES = (
    "expected scalar type|should be the same|must have the same dtype|"
    "to have one of the following scalar types"
)
_DOES_NOT_FIT: tuple[tuple[str, str, str], ...] = (
    # type, pattern in the message, what to do
    (
        "TypeError", _ARGUMENTS,
        "`input` takes one table, a list of them, or a table of them by the argument's name",
    ),
    (
        "TypeError", "cannot be called$",
        "say what of it is called: `call`, as in call = '0' or call = 'encode_image'",
    ),
    ("RuntimeError", _SHAPES, "does the `shape` of its input fit?"),
    ("RuntimeError", _DTYPES, "does the `dtype` of its input fit?"),
    (
        "IndexError", "index out of range in self",
        "an embedding is smaller than the numbers of its input: set `high`, and its `dtype`",
    ),
)  # fmt: skip
"""Errors that say that the declared input is not the model's: the mend is in the settings."""


def spec(case: Case) -> dict[str, Any] | None:
    """What the job is told to call, and with what; None where nothing is said."""
    if case.input is None:
        return None
    return {
        "args": [_made(tensor) for tensor in case.input.args],
        "kwargs": {name: _made(tensor) for name, tensor in case.input.kwargs.items()},
        "file": case.input.file,
        "call": case.call,
    }


def _made(tensor: Tensor) -> dict[str, Any]:
    return {**vars(tensor), "shape": list(tensor.shape)}


def forward(evidence: Evidence, *, loaded: bool) -> Verdict:
    """Whether the call that is declared ends well, and gives what is expected of it."""
    case, facts = evidence.case, evidence.facts
    if not loaded:
        return Verdict("skipped", "the case did not load")
    if case.input is None:
        table = f"[tool.hubpub.verify.entrypoints.{evidence.entrypoint}]"
        return Verdict(
            "skipped", f"no input is declared: {table} takes input = {{ shape = [...] }}"
        )
    if facts.ended != "exit":
        reason, cause = stopped(evidence)
        return Verdict("fail", f"called with its input: {reason}", cause=cause)
    answer = (evidence.claims or {}).get("forward") or {}
    error = answer.get("error")
    if isinstance(error, dict):
        return _raised(error, answer.get("stage"), evidence)
    if facts.exit != 0 or "output" not in answer:
        return Verdict(
            "fail",
            f"called with its input, the process left with status {facts.exit}",
            help="something called os._exit, or closed the descriptors it did not open",
            cause="publisher",
        )
    wrong = [text for expected in case.expect for text in compared(expected, answer["output"])]
    if not wrong:
        return PASS
    more = f"; and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
    return Verdict(
        "fail",
        f"its output is not as expected: {'; '.join(wrong[:_SHOWN])}{more}",
        help="mend the model, or what `expect` says; claims.output of the JSON report has it all",
        cause="publisher",
    )


def _raised(error: Mapping[str, Any], stage: object, evidence: Evidence) -> Verdict:
    """An error of the call, with its place in the repository and the next step."""
    kind, message = str(error.get("type") or "error"), str(error.get("message", ""))
    text = f"{kind}: {message}" if message else kind
    path, line = place(error)
    when = {"input": "its input cannot be made", "output": "its output cannot be read"}
    reason = f"{when.get(str(stage), 'called with its input')}: {text}"
    cause: Cause
    advice: str | None
    if _MEMORY.match(text):
        cause, advice = "limit", "see --memory"
    elif fits := _fits_not(kind, message) if stage in ("call", "forward") else None:
        cause, advice = "arguments", fits
    else:
        found = explain(error, evidence.requests)
        cause, advice = found.cause, found.help
    return Verdict("fail", reason, advice, path, line, cause)


def _fits_not(kind: str, message: str) -> str | None:
    for name, pattern, advice in _DOES_NOT_FIT:
        if kind == name and re.search(pattern, message):
            return advice
    return None


def late_imports(
    evidence: Evidence,
    forward: Verdict,
    is_own: Callable[[str], bool],
    seen: Sequence[str] = (),
) -> Verdict:
    """Whether a call imports a module of the repository that nothing had imported before.

    Args:
        evidence: of the case.
        forward: what the call came to.
        is_own: whether a name is that of a module somewhere in the tree.
        seen: what the static check of the same tree saw of it in methods, as "a.py:3: module".
    """
    if forward.status == "pass":
        return PASS
    answer = (evidence.claims or {}).get("forward") or {}
    error = answer.get("error")
    module = error.get("module") if isinstance(error, dict) else None
    if forward.status == "fail" and answer.get("stage") == "forward" and isinstance(module, str):
        path, line = place(error or {})
        if is_own(module.partition(".")[0]):
            text = f"{path}:{line} imports {module} when it is called, and no longer finds it"
            return Verdict("fail", text, _OFF_PATH, path, line, "publisher")
    if forward.status == "fail":
        return Verdict("skipped", "the call failed for another reason")
    if not seen:
        return Verdict("skipped", f"it was not called: {forward.reason}")
    more = f", and {len(seen) - 1} more" if len(seen) > 1 else ""
    text = f"it was not called; the static check sees an import that would fail then: {seen[0]}"
    return Verdict("skipped", text + more)


def own_modules(tree: Path) -> Callable[[str], bool]:
    """Whether a name is that of a Python module in ``tree``, at any depth."""

    def is_own(name: str) -> bool:
        wanted = {name, f"{name}.py"} if name.isidentifier() else set()
        for count, (_, folders, files) in enumerate(os.walk(tree)):
            if wanted.intersection(folders) or wanted.intersection(files):
                return True
            if count > _MOST_FOLDERS:
                break
        return False

    return is_own


def compared(expected: Expected, output: Sequence[Mapping[str, Any]]) -> list[str]:
    """What of ``output``, which is claimed, is not as ``expected``: a text for each."""
    tensors = [leaf for leaf in output if "shape" in leaf]
    named = [leaf for leaf in tensors if expected.at in (None, leaf["at"])]
    if not named:
        there = ", ".join(leaf["at"] or "the output itself" for leaf in tensors[:_SHOWN])
        wanted = "no tensor" if expected.at is None else f"no tensor at {expected.at}"
        return [f"{wanted}; there is {there or 'none'}"]
    leaf = named[0]
    of = f"{leaf['at']}: " if leaf["at"] else ""
    return [f"{of}{text}" for text in _differences(expected, leaf)]


def _differences(expected: Expected, leaf: Mapping[str, Any]) -> list[str]:
    found = []
    if expected.shape is not None and not _fits(expected.shape, leaf["shape"]):
        wanted = ", ".join(map(str, expected.shape))
        found.append(f"shape [{wanted}] expected, {leaf['shape']} found")
    for name in ("dtype", "finite", "sha256"):
        wanted = getattr(expected, name)
        if wanted is not None and wanted != leaf.get(name):
            found.append(f"{name} {_said(wanted)} expected, {_said(leaf.get(name))} found")
    for name in ("mean", "std"):
        wanted = getattr(expected, name)
        if wanted is not None and not _near(wanted, leaf.get(name), expected):
            found.append(f"{name} {wanted:g} expected, {_number(leaf.get(name))} found")
    first = leaf.get("first", [])
    for index, number in enumerate(expected.first):
        value = first[index] if index < len(first) else None
        if not _near(number, value, expected):
            found.append(f"number {index} {number:g} expected, {_number(value)} found")
            break
    return found


def _fits(wanted: Sequence[int | str], shape: Sequence[int]) -> bool:
    named: dict[str, int] = {}
    if len(wanted) != len(shape):
        return False
    for one, size in zip(wanted, shape, strict=True):
        known = one if isinstance(one, int) else named.setdefault(one, size)
        if known not in (-1, size):
            return False
    return True


def _near(wanted: float, value: float | None, expected: Expected) -> bool:
    """As ``torch.allclose`` has it; of an output with no finite numbers nothing is near."""
    if value is None:
        return False
    return abs(value - wanted) <= expected.atol + expected.rtol * abs(wanted)


def _number(value: float | None) -> str:
    return "none that can be compared" if value is None else f"{value:g}"


def _said(value: object) -> str:
    if value is None:
        return "nothing"
    return str(value).lower() if isinstance(value, bool) else str(value)
