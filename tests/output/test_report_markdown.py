"""The Markdown of a report as GitHub renders it: short first, nothing live, never too long."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from github_page import GitHubPage
from hubpub.output import report_comment, reports
from hubpub.output.escape import visible
from hubpub.output.markdown import LIMIT, escaped
from hubpub.output.sections import Section, fitted
from reporting import HOSTILE, document, released

COMMIT = "0123456789abcdef0123456789abcdef01234567"
ACTIVE = (
    "@octo octo/net@0123456 octo/net#12 #12 GH-12 gh-7 0123456789abcdef0123456789abcdef01234567 "
    "deadbeef1 :tada: :+1::x: $x$ $$y$$ $`z`$ [^1] [^1]: note > [!NOTE] https://e.org www.e.org "
    "a@e.org mailto:a@e.org ![i](https://e.org/i.png) [a](b) <b>x</b> </details> <!-- x --> &lt; "
    "`c` **b** ~~d~~ \\| | \\ - [x] done\n# h\n> q\n- i\n1. n\n    code\n```\nf\n"
)
ANY = st.text(max_size=30) | st.text(
    alphabet=st.sampled_from("\n\t\\|`*_~#@$:[]()<>!&-+=.^ 0a1bGH-12tadx/\"'{}\u202e\x1b"),
    max_size=30,
)
OWN = {
    "h2", "h3", "p", "a", "code", "strong", "table", "thead", "tbody", "tr", "th", "td", "ul", "li",
    "br", "span", "details", "summary",
}  # fmt: skip


def page(report: dict[str, Any], name: str = "markdown") -> GitHubPage:
    return GitHubPage(reports.render(name, report))


@pytest.mark.parametrize(
    "text", ["@octo", "#12", "GH-12", "0123456", ":+1:", "$x$", "www.e.org", "![](x)", "~~d~~"]
)
def test_what_is_live_is_found(text: str) -> None:
    """Otherwise the tests below could not fail."""
    found = GitHubPage(text)
    assert list(found.live()) or found.links


@given(text=ANY)
@example(text=ACTIVE)
@example(text=HOSTILE)
@pytest.mark.parametrize(
    "around", ["{}", "x {} x", "- {}", "| x |\n| --- |\n| {} |", "## {}", "x<br>{}, y"]
)
def test_a_text_is_shown_and_does_nothing(around: str, text: str) -> None:
    shown = " ".join(visible(text).split())
    found = GitHubPage(around.format(escaped(text)))
    assert list(found.live()) == []
    assert found.links == []
    words = " ".join(found.words.split())
    assert shown.removesuffix("...") in words if len(text) <= 600 else True
    assert set(found.tags) <= OWN


@pytest.mark.parametrize("name", ["markdown", "markdown-comment"])
@given(said=ANY)
@example(said=ACTIVE)
@example(said=HOSTILE)
@example(said="octo")
def test_a_report_is_the_same_page_whatever_it_says(name: str, said: str) -> None:
    found = page(document(said), name)
    assert list(found.live()) == []
    assert found.links == []
    assert found.attributes <= {"align"}
    assert set(found.tags) <= OWN
    plain = page(document("net"), name)
    moving = {"span", "br"}
    shape = [tag for tag in found.tags if tag not in moving]
    assert shape == [tag for tag in plain.tags if tag not in moving]
    for table in found.tables:
        assert {len(row) for row in table} == {len(table[0])}
        assert len(table) > 1


def test_a_release_that_passes_fits_on_the_screen_of_a_phone() -> None:
    names = ["bigram", "tokenizer", "unigram"]
    found = page(released(names))
    lines = [line for line in found.open.split("\n") if line.strip()]
    assert lines[0] == "hubpub verify: ✅ pass, octo/net:v1.0, commit 0123456789ab"
    assert len(lines) < 30
    assert found.links == [f"https://github.com/octo/net/commit/{COMMIT}"]
    assert found.tables[0] == [
        ["entrypoint", "result", "time", "memory"],
        *([name, "✅ 11 axes pass", "1.25\xa0s", "213\xa0MiB"] for name in names),
    ]  # fmt: skip
    assert "skipped on cuda, no CUDA device here: bigram, tokenizer, unigram" in found.open
    assert "0a1b2c3d" * 8 in found.words
    assert found.tags.count("details") == 4
    assert "### " not in reports.render("markdown", released(["net"]))


FINDING = {
    **document("x")["findings"][0],
    "name": "loads", "message": "bad: it broke", "path": "net/a b.py", "line": 7,
    "help": "mend it", "entrypoint": "bad", "axis": "loads",
}  # fmt: skip
BROKEN = {"status": "fail", "reason": "it broke"}


def failed(names: list[str], **changes: Any) -> dict[str, Any]:
    """A release of which the entrypoints ``bad`` and ``worse`` do not load."""
    report = released(names)
    for entry in report["entrypoints"]:
        if entry["name"].startswith(("bad", "worse")):
            ran = entry["results"][0]
            entry["results"] = [{**ran, "axes": {**ran["axes"], "loads": BROKEN}}]
    return report | {"status": "fail", "findings": [FINDING]} | changes


def test_what_fails_comes_first_with_its_line() -> None:
    static = {**FINDING, "code": "HUB402", "severity": "warning", "entrypoint": None, "axis": None}
    notes = [{**FINDING, "severity": "note", "name": "pickles", "axis": "pickles"}]
    found = page(failed(["a", "bad"], findings=[static, FINDING, *notes]))
    assert found.open.index("❌ loads bad: it broke") < found.open.index("✅ 11 axes")
    assert "mend it" in found.open
    link = f"https://github.com/octo/net/blob/{COMMIT}/net/a%20b.py#L7"
    assert found.links.count(link) == 3
    assert [row[:2] for row in found.tables[0][1:]] == [
        ["bad", "❌ loads"], ["a", "✅ 11 axes pass"],
    ]  # fmt: skip
    assert "Further findings: 1 warning, 1 note" in found.open
    assert "HUB402" not in found.open


@pytest.mark.parametrize(
    ("changes", "first"),
    [
        ({}, "✅ pass"),
        ({"status": "interrupted"}, "⚠️ interrupted"),
        ({"status": "error"}, "❌ error"),
        ({"sandbox": {"tier": "none", "features": {}}}, "⚠️ pass"),
        ({"options": {"checkpoints": True}}, "⚠️ pass"),
        ({"options": {"skip": ["weights"]}}, "⚠️ pass"),
        ({"options": {"skip": ["device"], "checkpoints": False}}, "✅ pass"),
        (
            {"selection": {"patterns": [], "shard": "1/2", "listed": ["a", "b"], "whole": False}},
            "⚠️ pass",
        ),
    ],
)
def test_the_first_line_says_no_more_than_was_proven(changes: dict[str, Any], first: str) -> None:
    line = page(released(["a"], **changes)).open.split("\n")[0]
    assert line.startswith(f"hubpub verify: {first}, ")
    assert ("PARTIAL: 1 of 2 entrypoints" in line) == ("selection" in changes)


@pytest.mark.parametrize(
    "reference",
    [
        {"url": None},
        {"url": "https://evil.test/octo/net"},
        {"url": "https://github.com.evil.test/octo/net"},
        {"url": "https://github.com/octo/net/../../evil/x"},
        {"owner": "octo/..", "url": "https://github.com/octo/../net"},
        {
            "owner": "octo) [x](https://e.org",
            "url": "https://github.com/octo) [x](https://e.org/net",
        },
        {"repo": "net?x", "url": "https://github.com/octo/net?x"},
    ],
)
def test_a_link_leads_to_the_repository_on_github_or_nowhere(reference: dict[str, Any]) -> None:
    report = failed(["bad"])
    report["reference"] = report["reference"] | reference
    assert page(report).links == []


def test_what_has_no_place_is_shown_without_one() -> None:
    whole = {**FINDING, "path": "hubconf.py", "line": 1}
    assert len(page(failed(["bad"], findings=[whole])).links) == 1
    assert len(page(failed(["bad"], findings=[{**whole, "line": 2}])).links) == 2
    assert len(page(failed(["bad"], findings=[{**whole, "code": "HUB201"}])).links) == 2


def test_a_line_outside_of_the_tree_is_no_link() -> None:
    paths = ["/etc/passwd", "../x.py", "a/../x.py", "x" * 700]
    report = failed(
        ["bad"], findings=[{**FINDING, "path": path, "message": path} for path in paths]
    )
    assert page(report).links == [f"https://github.com/octo/net/commit/{COMMIT}"]


# --- limits ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "limit"), [("markdown", LIMIT), ("markdown-comment", report_comment.LIMIT)]
)
def test_it_keeps_within_what_github_takes_and_failures_stay(name: str, limit: int) -> None:
    many = [f"{'n' * 300}{number}" for number in range(3000)]
    errors = [
        {**FINDING, "entrypoint": f"bad{number}", "message": f"bad{number}: {'x' * 500}{number}"}
        for number in range(20)
    ]
    warnings = [
        {**FINDING, "severity": "warning", "message": f"w{number}: {'x' * 500}"}
        for number in range(3000)
    ]
    report = failed(["net", *(f"bad{number}" for number in range(20))], findings=errors + warnings)
    passing = report["entrypoints"][0]
    report["entrypoints"] += [{**passing, "name": name} for name in many]
    text = reports.render(name, report)
    assert limit - 2_000 < len(text.encode()) <= limit
    found = GitHubPage(text)
    assert all(f"bad{number}" in found.open for number in range(20))
    assert [row[0] for row in found.tables[0][1:]] == [f"bad{number}" for number in range(20)]
    kept = len(re.findall(r"w\d+: x", found.words))
    assert f"{3000 - kept} more findings did not fit into this summary." in found.words
    assert re.search(r"\d{4} (more )?results did not fit", found.words)
    assert found.tags.count("details") == text.count("</details>")


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 40), st.lists(st.integers(1, 60), max_size=9)),
        max_size=5,
    ),
    st.integers(0, 1500),
)
def test_sections_fit_and_say_what_is_left_out(
    made: list[tuple[int, int, list[int]]], more: int
) -> None:
    sections = [
        Section(rank, "b" * around + "\n", rows, lambda size: f"{'r' * size}\n", "a\n", "things")
        for rank, around, rows in made
    ]
    least = sum(100 if rows else around + 3 for _, around, rows in made)
    text = fitted(sections, least + more)
    assert len(text) <= least + more
    told = sum(int(count) for count in re.findall(r"^(\d+) (?:more )?things", text, re.MULTILINE))
    assert text.count("r\n") + told == sum(len(rows) for _, _, rows in made)
    assert fitted(sections, 1 << 20).count("did not fit") == 0


def test_what_matters_more_is_left_out_later() -> None:
    sections = [
        Section(rank, f"{rank}:\n", [str(rank) * 30] * 5, lambda text: f"{text}\n")
        for rank in (3, 1, 2)
    ]
    text = fitted(sections, 600)
    counts = [text.count(str(rank) * 30) for rank in (1, 2, 3)]
    assert counts == [5, 4, 0]
    assert text.index("5 rows did not fit") < text.index("1:")
