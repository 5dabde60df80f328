"""What the readers of each format see: their own parsers, schemas, and rules for a log."""

from __future__ import annotations

import html.parser
import json
import re
import unicodedata
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import unquote_to_bytes

import jsonschema
import junitparser
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from samples import DIAGNOSTICS, RUN

from hubpub.diagnostic import Diagnostic, Edit, Fix, Note, Severity, Span
from hubpub.output import formats, markdown, statistics
from hubpub.output.escape import visible
from hubpub.output.run import Run
from sarif_schema import sarif_schema

_SPECIAL = "\t\x1b\n\r\x85\u2028\u202e\u200b\udcff\uffff#:[]vso <>&\"'%,|`*_@$\\/{}()!-+.~=^0a"
ANY = st.text(max_size=40) | st.text(alphabet=st.sampled_from(_SPECIAL), max_size=24)
POSITIVE = st.integers(1, 9)
SPANS = st.builds(
    lambda line, column, more, width: Span(line, column, line + more, column + width),
    POSITIVE, POSITIVE, st.integers(0, 8), st.integers(0, 30),
)  # fmt: skip
PATHS = ANY.filter(bool)
FINDINGS = st.lists(
    st.builds(
        Diagnostic,
        path=PATHS,
        span=SPANS,
        code=st.sampled_from(["HUB402", "HUB406"]),
        name=st.just("some-name"),
        severity=st.sampled_from(Severity),
        message=ANY,
        help=st.none() | ANY,
        notes=st.lists(st.builds(Note, PATHS, SPANS, ANY), max_size=2).map(tuple),
        fix=st.none()
        | st.builds(
            Fix, ANY, st.booleans(), st.lists(st.builds(Edit, PATHS, SPANS, ANY)).map(tuple)
        ),
        root=st.sampled_from(["", "sub", "../up", "/abs"]),
    ),
    max_size=4,
)
COLON = replace(
    DIAGNOSTICS[0], path=":", message=":", help=":", notes=(Note(":", Span(1, 1, 1, 2), ":"),)
)
"""With what stands around it, a path can begin a command that it does not begin itself."""
CONTENT = st.lists(ANY, min_size=1, max_size=20)
HARMFUL = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


def with_lines(lines: Sequence[str]) -> Run:
    """A run in which every file has these lines."""
    return Run(lambda _, number: lines[number - 1] if number <= len(lines) else "")


@pytest.mark.parametrize("name", formats.FORMATS)
@given(diagnostics=FINDINGS, content=CONTENT)
@example(diagnostics=[COLON], content=[":"])
def test_nothing_from_a_repository_speaks(
    name: str, diagnostics: list[Diagnostic], content: list[str]
) -> None:
    """No control, bidi, zero-width or surrogate character, and no command but github's own."""
    text = formats.render(name, diagnostics, with_lines(content))
    text.encode("utf-8")
    found = {unicodedata.category(char) for char in set(text) - {"\n", "\t"}}
    assert not found & HARMFUL
    assert len(text.splitlines()) == text.count("\n")
    assert "##[" not in text
    assert "##vso[" not in text
    for line in text.split("\n"):
        if name == "github":
            assert not line or re.match(r"::(error|warning|notice) file=", line)
        else:
            assert not line.strip().startswith("::") or line.strip().startswith("::: ")
    if name == "github":
        assert text.count("\n") == len(diagnostics)


@given(diagnostics=FINDINGS)
def test_statistics_speak_as_little(diagnostics: list[Diagnostic]) -> None:
    text = statistics.render("json", diagnostics, RUN)
    found = json.loads(text)["statistics"]
    assert sum(item["count"] for item in found) == len(diagnostics)
    assert [item["count"] for item in found] == sorted(
        (item["count"] for item in found), reverse=True
    )


# --- json, jsonl ----------------------------------------------------------------------------------


@given(diagnostics=FINDINGS)
def test_json_gives_back_what_was_found(diagnostics: list[Diagnostic]) -> None:
    whole = json.loads(formats.render("json", diagnostics, RUN))
    assert whole["version"] == 1
    lines = formats.render("jsonl", diagnostics, RUN).split("\n")[:-1]
    assert [json.loads(line) for line in lines] == [
        {"version": 1, **item} for item in whole["diagnostics"]
    ]
    for item, shown in zip(diagnostics, whole["diagnostics"], strict=True):
        assert (shown["path"], shown["root"]) == (item.path, item.root)
        assert (shown["message"], shown["help"]) == (item.message, item.help)
        assert [note["message"] for note in shown["notes"]] == [n.message for n in item.notes]
        if item.fix is not None:
            assert shown["fix"]["safety"] == ("safe" if item.fix.safe else "unsafe")
            assert [e["text"] for e in shown["fix"]["edits"]] == [e.text for e in item.fix.edits]


# --- github ---------------------------------------------------------------------------------------


def command(line: str) -> tuple[str, dict[str, str], str]:
    """A workflow command as GitHub's runner reads it: name, properties, message."""
    head, message = line.removeprefix("::").split("::", 1)
    name, _, rest = head.partition(" ")
    properties = dict(pair.split("=", 1) for pair in rest.split(","))

    def plain(text: str, pairs: Sequence[tuple[str, str]]) -> str:
        for code, char in pairs:
            text = text.replace(code, char)
        return text.replace("%25", "%")

    ends = [("%0D", "\r"), ("%0A", "\n")]
    values = {
        key: plain(value, [*ends, ("%3A", ":"), ("%2C", ",")]) for key, value in properties.items()
    }
    return name, values, plain(message, ends)


@given(diagnostics=FINDINGS)
def test_github_reads_what_was_found(diagnostics: list[Diagnostic]) -> None:
    lines = formats.render("github", diagnostics, RUN).split("\n")[:-1]
    for item, line in zip(diagnostics, lines, strict=True):
        name, properties, message = command(line)
        assert name == {3: "error", 2: "warning", 1: "notice"}[item.severity]
        assert properties["file"] == visible(item.location)
        assert properties["line"] == str(item.span.line)
        assert properties["title"] == f"hubpub {item.code} some-name"
        assert ("col" in properties) <= (item.span.end_line == item.span.line)
        assert visible(item.message) in message.split("\n")[0]


# --- gitlab ---------------------------------------------------------------------------------------

GITLAB = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string", "minLength": 1},
            "fingerprint": {"type": "string", "minLength": 1},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "pattern": "^(?!\\./)"},
                    "lines": {
                        "type": "object",
                        "required": ["begin"],
                        "properties": {"begin": {"type": "integer", "minimum": 1}},
                    },
                },
            },
        },
    },
}
"""What GitLab's documentation asks of a Code Quality report, and the severities it knows."""


def test_gitlab_is_what_its_documentation_asks_for() -> None:
    found = json.loads(formats.render("gitlab", DIAGNOSTICS, RUN))
    jsonschema.validate(found, GITLAB)
    assert len(found) == len(DIAGNOSTICS)


@pytest.mark.parametrize(
    ("name", "marks"),
    [
        ("gitlab", lambda found: [item["fingerprint"] for item in found]),
        (
            "sarif",
            lambda found: [
                item["partialFingerprints"]["hubpubLine/v1"] for item in found["runs"][0]["results"]
            ],
        ),
    ],
)
def test_fingerprints_are_unique_and_outlive_a_move(
    name: str, marks: Callable[[Any], list[str]]
) -> None:
    """A line that is put above every other changes no fingerprint."""
    twice = [*DIAGNOSTICS, *DIAGNOSTICS]
    before = marks(json.loads(formats.render(name, twice, RUN)))
    assert len(set(before)) == len(twice)
    moved = [item if item.path == "." else replace(item, span=shifted(item.span)) for item in twice]
    below = replace(RUN, line=lambda location, number: RUN.line(location, number - 1))
    assert marks(json.loads(formats.render(name, moved, below))) == before
    edited = replace(RUN, line=lambda location, number: RUN.line(location, number) + "  # new")
    assert set(marks(json.loads(formats.render(name, twice, edited)))) != set(before)


def shifted(span: Span) -> Span:
    return replace(span, line=span.line + 1, end_line=span.end_line + 1)


# --- sarif ----------------------------------------------------------------------------------------


def test_sarif_is_valid() -> None:
    found = json.loads(formats.render("sarif", DIAGNOSTICS, RUN))
    validator = jsonschema.Draft4Validator(sarif_schema())
    validator.validate(found)
    validator.validate(json.loads(formats.render("sarif", [], RUN)))
    found["runs"][0]["results"][0]["level"] = "fatal"
    assert not validator.is_valid(found)


@given(diagnostics=FINDINGS)
def test_sarif_says_what_was_found(diagnostics: list[Diagnostic]) -> None:
    (run,) = json.loads(formats.render("sarif", diagnostics, RUN))["runs"]
    rules = run["tool"]["driver"]["rules"]
    for item, shown in zip(diagnostics, run["results"], strict=True):
        assert rules[shown["ruleIndex"]]["id"] == shown["ruleId"] == item.code
        assert shown["level"] == item.severity.label
        assert not re.search(r"(?<!\\)\]\(", shown["message"]["text"])
        (location,) = shown["locations"]
        uri = location["physicalLocation"]["artifactLocation"]["uri"]
        assert re.fullmatch(r"(file://)?[\w./%~-]+", uri, re.ASCII)
        plain = unquote_to_bytes(uri.removeprefix("file://"))
        assert plain == as_bytes(item.location)
        assert len(shown.get("relatedLocations", [])) == len(item.notes)
        safe = item.fix is not None and item.fix.safe and bool(item.fix.edits)
        assert ("fixes" in shown) == safe


def as_bytes(path: str) -> bytes:
    try:
        return path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return path.encode("utf-8", "surrogatepass")


def test_sarif_explains_its_rules() -> None:
    (run,) = json.loads(formats.render("sarif", DIAGNOSTICS, RUN))["runs"]
    rules = {rule["id"]: rule for rule in run["tool"]["driver"]["rules"]}
    shown = rules["HUB406"]
    assert shown["defaultConfiguration"] == {"level": "warning"}
    assert shown["helpUri"].endswith("/docs/rules.md#pickle-load-hub406")
    assert "checkpoints" in shown["properties"]["tags"]
    assert shown["help"]["markdown"].startswith("## What it does")
    assert all(rule["shortDescription"]["text"] for rule in rules.values())


# --- junit ----------------------------------------------------------------------------------------


@given(diagnostics=FINDINGS, threshold=st.sampled_from(Severity))
def test_junit_is_xml_and_counts(diagnostics: list[Diagnostic], threshold: Severity) -> None:
    run = replace(RUN, fail_on=threshold, roots=("clean",))
    top = ET.fromstring(formats.render("junit", diagnostics, run))
    failing = {
        (item.root, item.path, item.code) for item in diagnostics if item.severity >= threshold
    }
    cases = {(item.root, item.path, item.code) for item in diagnostics}
    assert int(top.get("failures", "")) == len(top.findall(".//failure")) == len(failing)
    assert int(top.get("tests", "")) == len(top.findall(".//testcase")) == len(cases) + 1
    assert {suite.get("name") for suite in top} == {
        "clean",
        *(item.root or "." for item in diagnostics),
    }


def test_junit_is_read_by_its_parser() -> None:
    suites = junitparser.JUnitXml.fromstring(formats.render("junit", DIAGNOSTICS, RUN))
    read = {suite.name: suite for suite in suites}
    assert (read["."].tests, read["."].failures, read["clean"].failures) == (5, 4, 0)
    (note, *others) = read["."]
    assert isinstance(note, junitparser.TestCase)
    assert (note.name, note.classname, note.is_passed) == ("HUB605 no-licence", ".", True)
    assert all(case.is_failure for case in others)


# --- markdown -------------------------------------------------------------------------------------

READER = MarkdownIt("commonmark", {"html": True}).enable("table").enable("strikethrough")


class Shown(html.parser.HTMLParser):
    """The text that a page shows, and the tags in it."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        self.tags: list[str] = []
        self.links: list[str] = []

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for key, value in attrs if key == "href"]


def shown(page: str) -> Shown:
    parser = Shown()
    parser.feed(page)
    parser.close()
    return parser


@given(text=ANY)
def test_markdown_shows_exactly_the_text(text: str) -> None:
    """As a CommonMark reader sees it; white space is one space there."""
    made = markdown.escaped(text)
    for page in (f"x {made} x\n", f"- x {made} x\n", f"| x |\n| --- |\n| {made} x |\n"):
        found = shown(READER.render(page))
        assert found.text.split() == f"x {visible(text)} x".split()
        assert set(found.tags) <= {"p", "span", "ul", "li", "table", "thead", "tbody", *_CELLS}


_CELLS = {"tr", "th", "td"}


@given(diagnostics=FINDINGS)
def test_markdown_has_no_structure_but_its_own(diagnostics: list[Diagnostic]) -> None:
    text = formats.render("markdown", diagnostics, RUN)
    found = shown(READER.render(text))
    groups = len({(d.root, d.path, d.code, d.severity, d.message, d.help) for d in diagnostics})
    severities = len({item.severity for item in diagnostics})
    assert found.tags.count("tr") == groups + severities
    assert found.tags.count("td") == 3 * groups
    assert not set(found.tags) & {"script", "img", "em", "del", "h1", "pre", "blockquote", "hr"}
    for link in found.links:
        assert re.match(r"(https://github\.com/hubpub/hubpub/|(?![\w+.-]*:))", link)


def test_markdown_links_to_the_commit_where_it_is_known() -> None:
    run = replace(RUN, files_url="https://github.com/octo/net/blob/0a1b2c")
    text = formats.render("markdown", DIAGNOSTICS, run)
    assert "(https://github.com/octo/net/blob/0a1b2c/hubconf.py#L11-L13)" in text
    assert "(https://github.com/octo/net/blob/0a1b2c/sub/hubconf.py#L30)" in text
    assert "[hubconf\\.py\\:7](hubconf.py#L7)" in formats.render("markdown", DIAGNOSTICS, RUN)


def test_markdown_fits_into_a_job_summary() -> None:
    many = [
        replace(DIAGNOSTICS[1], path=f"f{number}.py", message="m|" * 5_000)
        for number in range(2_000)
    ]
    text = formats.render("markdown", many, RUN)
    assert len(text.encode()) < 1 << 20
    assert re.search(r"\n\d+ more findings did not fit into this summary\.\n$", text)
    rows = text.count("\n| [f")
    assert f"\n{2_000 - rows} more findings" in text
    assert shown(READER.render(text)).tags.count("tr") == rows + 1


# --- full -----------------------------------------------------------------------------------------


def test_one_message_of_one_file_is_one_block() -> None:
    item = replace(DIAGNOSTICS[1], path="a.py")
    places = [replace(item, span=Span(line, 3, line, 5)) for line in range(1, 13)]
    text = formats.render("full", [*places, replace(item, path="b.py")], Run())
    assert text.count("warning[HUB406]") == 2
    assert "also: 2:3, 3:3, 4:3, 5:3, 6:3, 7:3, 8:3, 9:3, 10:3, 11:3 and 12:3\n" in text
    assert text.count("help: ") == 2


def test_other_help_is_another_block() -> None:
    item = DIAGNOSTICS[1]
    text = formats.render("full", [item, replace(item, help="other")], Run())
    assert text.count("warning[HUB406]") == 2


def test_what_only_some_places_can_have_is_counted() -> None:
    item = DIAGNOSTICS[1]
    text = formats.render("full", [item, replace(item, span=Span(9, 1, 9, 2), fix=None)], Run())
    assert "fix: Pass weights_only=True (--fix, 1 of 2)" in text


def test_thousands_of_places_stay_short() -> None:
    item = DIAGNOSTICS[1]
    places = [replace(item, span=Span(line, 1, line, 2)) for line in range(1, 5_000)]
    text = formats.render("full", places, Run())
    assert len(text) < 2_000
    assert "and 4938 more" in " ".join(text.split())


def test_many_findings_on_one_huge_line_are_quick() -> None:
    huge = "x = 1; " * 1_000_000
    places = [
        replace(DIAGNOSTICS[1], message=str(column), span=Span(1, column, 1, column + 1))
        for column in range(1, 7_000_000, 7_000)
    ]
    for name in formats.FORMATS:
        assert formats.render(name, places, with_lines([huge]))
