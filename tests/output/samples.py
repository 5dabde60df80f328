"""Findings with everything in them that a renderer can stumble over."""

from __future__ import annotations

from hubpub.diagnostic import FILE_START, Diagnostic, Edit, Fix, Note, Severity, Span
from hubpub.output.rule import Described
from hubpub.output.run import Run

HUBCONF = """import torch

dependencies = ["torch"]


def small(path):
    return torch.load(path)


def wide(日本, path):
\tstate = torch.load(path) if 日本 else torch.load(
        path,
    )
    return state


def long():
    return dict(
        a=1,
        b=2,
        c=3,
        d=4,
        e=5,
        f=6,
        g=7,
        h=8,
    )


x = "##[error]x"; y = "\x1b[31m\u202e"; z = 1
"""
HOSTILE = "dir/\x1b]0;t\x07::error::,%\n\udcff##[x].py"
SOURCES = {"hubconf.py": HUBCONF, "sub/hubconf.py": HUBCONF, HOSTILE: "::set-output name=x::y\n"}
EVIL = (
    "::error::a\r\nb ##[add-mask]x ##vso[task.x]y \u202eleft\u2066 zero\u200bwidth\uffff\udc80 "
    "</details><script>alert(1)</script> | [a](https://e.org) @octo $x$ {0} `c` **b** ]]> &amp; "
    "%0A::warning::z https://e.org"
)


def load(line: int, column: int, end_line: int = 0, end: int = 0) -> Diagnostic:
    """One of several calls that say the same."""
    span = Span(line, column, end_line or line, end or column + 16)
    last = Span(span.end_line, span.end_column - 1, span.end_line, span.end_column - 1)
    edit = Edit("hubconf.py", last, ", weights_only=True")
    return Diagnostic(
        "hubconf.py", span, "HUB406", "pickle-load", Severity.WARNING,
        "torch.load without weights_only=True runs code that the file holds",
        "pass weights_only=True", fix=Fix("Pass weights_only=True", True, (edit,)),
    )  # fmt: skip


DIAGNOSTICS = (
    Diagnostic(
        ".", FILE_START, "HUB605", "no-licence", Severity.NOTE, "there is no licence file",
        "add a LICENSE\nand name it in the README",
    ),
    load(7, 12),
    load(11, 10),
    load(11, 40, 13, 6),
    Diagnostic(
        "hubconf.py", Span(11, 44, 13, 6), "HUB407", "no-map-location", Severity.WARNING,
        "no map_location", "pass it", (Note("hubconf.py", Span(7, 5, 8, 1), "unlike here"),),
    ),
    Diagnostic(
        "hubconf.py", Span(18, 5, 27, 6), "HUB201", "missing-docstring", Severity.WARNING,
        "the entrypoint long has no docstring", None,
        (Note("hubconf.py", Span(3, 1, 3, 13), "shown by torch.hub.list"),),
        Fix("Write one", False, (Edit("hubconf.py", Span(18, 1, 18, 1), '    """..."""\n'),)),
    ),
    Diagnostic(
        "hubconf.py", Span(30, 41, 30, 43), "HUB207", "reserved-parameter", Severity.ERROR,
        "z is wrong", "say so", root="sub",
        notes=(Note("gone.py", Span(1234, 1, 1234, 2), "because of this"),),
    ),
    Diagnostic(
        HOSTILE, Span(1, 1, 1, 5), "HUB402", "unstamped-checkpoint", Severity.ERROR, EVIL, EVIL,
        (Note(HOSTILE, Span(1, 3, 1, 4), EVIL),),
        Fix(EVIL, True, (Edit(HOSTILE, Span(1, 1, 1, 5), EVIL),)),
    ),
)  # fmt: skip

RULES = {
    code: Described(
        code, name, "warning", "Checks it.", "## What it does\n\nChecks it.\n\n## Why is this bad?"
        "\n\nIt is `bad`.\n\n## Example\n\n```python title=\"a.py\"\n# hubconf\nx = {1: 2}\n```"
        "\n\n## References\n\n- [One](https://e.org/1)\n- [Two](https://e.org/2) of them",
        family, fix,
    )
    for code, name, family, fix in (
        ("HUB406", "pickle-load", "checkpoints", "safe"),
        ("HUB201", "missing-docstring", "entrypoints", "unsafe"),
        ("HUB605", "no-licence", "repository", "none"),
    )
}  # fmt: skip


def line(location: str, number: int) -> str:
    """A line of one of :data:`SOURCES`."""
    lines = SOURCES.get(location, "").split("\n")
    return lines[number - 1] if number <= len(lines) else ""


RUN = Run(line, rules=RULES, roots=("", "sub", "clean"), version="1.2.3")
