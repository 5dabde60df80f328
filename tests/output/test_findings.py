"""The three ways of saying findings."""

from __future__ import annotations

import json

import jsonschema
import pytest

from hubpub.diagnostic import FILE_START, Diagnostic, Edit, Fix, Note, Severity, Span
from hubpub.output import concise, text
from hubpub.output import json as as_json
from hubpub.output.run import Run

FIX = Fix("Pin it", True, (Edit("a.py", Span(1, 1, 1, 2), "x"),))


def finding(
    line: int = 1,
    column: int = 1,
    end: int = 2,
    *,
    path: str = "a.py",
    message: str = "it is wrong",
    fix: Fix | None = None,
    notes: tuple[Note, ...] = (),
) -> Diagnostic:
    span = Span(line, column, line, end)
    return Diagnostic(
        path, span, "HUB402", "some-name", Severity.WARNING, message, "do this", notes, fix
    )


def run(content: str, *, color: bool = False) -> Run:
    lines = content.split("\n")
    return Run(lambda _, number: lines[number - 1] if number <= len(lines) else "", color)


def test_full() -> None:
    note = Note("b.py", Span(12, 1, 12, 3), "because of this")
    shown = text.render(
        [finding(2, 5, 8, fix=FIX, notes=(note,))], run("\nx = abc\n" + "\n" * 8 + "yz")
    )
    assert shown == (
        "warning[HUB402] some-name: it is wrong\n"
        "  --> a.py:2:5\n"
        "   |\n"
        " 2 | x = abc\n"
        "   |     ^^^\n"
        "  ::: b.py:12:1\n"
        "   = because of this\n"
        "   = help: do this\n"
        "   = fix: Pin it (--fix)\n"
        "\n"
    )


@pytest.mark.parametrize(
    ("line", "column", "end", "carets"),
    [
        ("x = '日本' + y", 12, 13, " " * 13 + "^"),
        ("x = '日本' + y", 5, 9, " " * 4 + "^" * 6),
        ("e\u0301 = y", 6, 7, " " * 4 + "^"),
        ("\tx = y", 6, 7, " " * 8 + "^"),
        ("a\x1b[1m = y", 9, 10, " " * 11 + "^"),
        ("short", 50, 60, " " * 5 + "^"),
        ("abc", 2, 2, " ^"),
    ],
)
def test_carets_stand_below_what_they_mean(line: str, column: int, end: int, carets: str) -> None:
    shown = text.render([finding(1, column, end)], run(line)).split("\n")
    assert shown[4].removeprefix("  | ") == carets
    assert "\x1b" not in shown[3]


def test_a_long_line_is_cut_around_the_place() -> None:
    shown = text.render([finding(1, 5_001, 5_004)], run("a" * 5_000 + "bcd" + "a" * 5_000)).split(
        "\n"
    )
    assert len(shown[3]) < 200
    at = shown[4].index("^^^")
    assert shown[3][at : at + 3] == "bcd"


def test_a_finding_about_a_file_shows_no_line() -> None:
    shown = text.render(
        [Diagnostic("a.py", FILE_START, "HUB004", "n", Severity.ERROR, "m")], run("x")
    )
    assert shown == "error[HUB004] n: m\n --> a.py:1:1\n\n"


def test_nothing_hostile_reaches_the_terminal() -> None:
    hostile = finding(path="\x1b]0;t\x07.py", message="::error::a\nb\u202e")
    for render in (text.render, concise.render):
        shown = render([hostile], run("::set-output name=x::y\r"))
        assert not set(shown) & {"\x1b", "\x07", "\u202e", "\r"}

        # A GitHub workflow command is a line that begins with two colons.
        lines = [line.lstrip() for line in shown.split("\n")]
        assert not any(line.startswith("::") and not line.startswith("::: ") for line in lines)


def test_colours_only_when_asked_for() -> None:
    assert "\x1b[" not in text.render([finding()], run("x"))
    assert "\x1b[1;33mwarning[HUB402]" in text.render([finding()], run("x", color=True))


def test_concise() -> None:
    assert concise.render([finding(3, 4, 5)], run("")) == "a.py:3:4: warning[HUB402] it is wrong\n"


SCHEMA = {
    "type": "object",
    "required": ["version", "diagnostics"],
    "properties": {
        "version": {"const": 1},
        "diagnostics": {
            "type": "array",
            "items": {
                "type": "object",
                "required": [
                    "code", "name", "severity", "message", "path", "line", "column", "end_line",
                    "end_column", "help", "fix",
                ],
                "properties": {
                    "severity": {"enum": ["error", "warning", "note"]},
                    "line": {"type": "integer", "minimum": 1},
                    "column": {"type": "integer", "minimum": 1},
                    "fix": {
                        "oneOf": [
                            {"type": "null"},
                            {
                                "type": "object",
                                "properties": {"safety": {"enum": ["safe", "unsafe"]}},
                                "required": ["safety"],
                            },
                        ]
                    },
                },
            },
        },
    },
}  # fmt: skip


def test_json_is_the_contract() -> None:
    shown = as_json.render([finding(fix=FIX), finding(2, path="é\udcff.py")], run(""))
    shown.encode("ascii")
    found = json.loads(shown)
    jsonschema.validate(found, SCHEMA)
    assert found["diagnostics"][0]["fix"]["safety"] == "safe"
    assert found["diagnostics"][1]["fix"] is None


def test_summary() -> None:
    assert text.summary([]) == "no findings"
    assert text.summary([finding(), finding(fix=FIX)]) == "2 warnings; 1 can be mended with --fix"
