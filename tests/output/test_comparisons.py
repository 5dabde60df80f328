"""Comparisons of reports in every format: short, the first thing first, and nothing in it acts."""

from __future__ import annotations

import copy
import json
import re
import unicodedata
from typing import Any

import jsonschema
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from comparing import entry, release, result
from hubpub.output import comparisons
from hubpub.output.comparison_words import grouped, shown
from hubpub.output.escape import visible
from hubpub.verify.comparing import KINDS, compare, schema, to_json
from reporting import HOSTILE, document

SHOWN = ("text", "markdown")
ANY = st.text(max_size=30) | st.text(
    alphabet=st.sampled_from("\x1b\n\r\t\x85\u2028\u202e\u200b\udcff:#[]<>&\"'`|*_@${}()!%a "),
    max_size=30,
)
READER = MarkdownIt("commonmark", {"html": True}).enable("table").enable("strikethrough")
MEASURED = ("cpu_s", "wall_s", "peak_bytes", "size", "download_bytes")


def compared(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    return to_json(compare(old, new), old, new)


def says_anything(said: str) -> dict[str, Any]:
    """A comparison that has ``said`` wherever a report can put words, in every kind of change."""
    made = compared(document(said), document(said))
    fields = {"subject": said, "entrypoints": [said], "case": said, "device": said, "what": said,
              "old": said, "new": said, "reason": said, "claim": False, "place": said,
              "says": "x", "help": said}  # fmt: skip
    changes = [
        {"kind": kind.name, "severity": kind.severity or "warning", **fields}
        for kind in KINDS.values()
        if not kind.name.startswith("lock-")
    ]
    changes.append({"kind": "claim-changed", "severity": "warning", **fields, "claim": True})
    changes += [
        {"kind": "slower", "severity": "warning", **fields, "what": what, "old": 1, "new": 2}
        for what in MEASURED
    ]
    made |= {
        "status": "error", "changes": changes,
        "remarks": [{"name": "part", "message": said}],
        "unlike": [{"what": said, "old": said, "new": said}],
    }  # fmt: skip
    jsonschema.Draft202012Validator(schema()).validate(made)
    return made


@pytest.mark.parametrize("name", comparisons.FORMATS)
@given(said=ANY)
@example(said=HOSTILE)
@example(said=":")
@example(said="")
def test_nothing_acts_on_who_reads_it(name: str, said: str) -> None:
    for made in (says_anything(said), compared(document(said), document("x" + said))):
        text = comparisons.render(name, made)
        text.encode("utf-8")
        found = {unicodedata.category(char) for char in set(text) - {"\n", "\t"}}
        assert not found & {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
        assert "##[" not in text
        assert not any(line.strip().startswith("::") for line in text.split("\n"))
        assert text.endswith("\n")


@given(said=ANY)
@example(said=HOSTILE)
def test_markdown_shows_words_and_no_markup(said: str) -> None:
    tokens = READER.parse(comparisons.render("markdown", says_anything(said)))
    inside = [child for token in tokens for child in token.children or []]
    kinds = {child.type for child in inside}
    assert kinds <= {
        "text", "softbreak", "html_inline", "strong_open", "strong_close", "text_special"
    }  # fmt: skip
    html_inline = {child.content for child in inside if child.type == "html_inline"}
    assert html_inline <= {"<br>", "<span>", "</span>"}
    blocks = {"html_block", "fence", "code_block", "list_item_open", "blockquote_open"}
    assert not blocks & {token.type for token in tokens}
    assert sum(token.type == "table_open" for token in tokens) == 1


def test_what_is_said_is_shown() -> None:
    text = comparisons.render("text", says_anything("a\x1b[31mb"))
    assert text.count(visible("a\x1b[31mb")) > len(KINDS)


def test_json_is_the_comparison() -> None:
    made = says_anything("é" + HOSTILE)
    text = comparisons.render("json", made)
    assert text.isascii()
    assert json.loads(text) == made


def test_the_same_report_is_one_line() -> None:
    made = compared(release(), release())
    assert comparisons.render("text", made) == (
        "nothing changed: octo/net: v1.0 (commit 111111111111, pass) -> v1.0 (commit 111111111111, "
        "pass); compared: 3 entrypoints, 4 results, 2 checkpoints\n"
    )
    assert "nothing changed" in comparisons.render("markdown", made).splitlines()[0]


def test_colour_is_of_the_severities_alone() -> None:
    made = says_anything("x")
    coloured = comparisons.render("text", made, color=True)
    assert set(re.findall(r"\x1b\[(\d+)m", coloured)) == {"31", "33", "36", "0"}
    assert re.sub(r"\x1b\[\d+m", "", coloured) == comparisons.render("text", made)


# --- many entrypoints -----------------------------------------------------------------------------


def many(count: int) -> dict[str, Any]:
    made = release()
    names = [f"net{number:03}" for number in range(count)]
    made["entrypoints"] = [{"name": name, "results": [result()]} for name in names]
    made["checkpoints"], made["network"] = [], []
    made["selection"]["listed"] = names
    return made


def test_of_500_that_are_slower_the_worst_three_are_named() -> None:
    old, new = many(500), many(500)
    for number, item in enumerate(new["entrypoints"][:400]):
        item["results"][0]["facts"] |= {"cpu_s": 20.0 + number, "wall_s": 21.0 + number}
    text = comparisons.render("text", compared(old, new))
    (line,) = [line for line in text.splitlines() if "slower: net" in line or "slower: 400" in line]
    assert line == (
        "warning slower: 400 of them, the most: net399 3.00 s -> 419.00 s of CPU time (140 times), "
        "net398 3.00 s -> 418.00 s of CPU time (139 times), "
        "net397 3.00 s -> 417.00 s of CPU time (139 times)"
    )
    assert len(text.splitlines()) == 5
    assert "400 of 500 loads are slower: it may be the machine" in text


def test_one_reason_is_said_once() -> None:
    old, new = many(500), many(500)
    for number, item in enumerate(new["entrypoints"]):
        reason = "ImportError: einops" if number % 2 else "left out with --skip offline"
        axis = "loads" if number % 2 else "offline"
        status = "fail" if number % 2 else "skipped"
        item["results"][0]["axes"][axis] = {"status": status, "reason": reason}
    text = comparisons.render("text", compared(old, new))
    assert "error no-longer-loads: net001, net003, net005 and 247 more: ImportError: einops" in text
    assert (
        "warning proof-lost offline: net000, net002, net004 and 247 more: left out with --skip "
        "offline" in text
    )
    assert len(text.splitlines()) == 6


def test_of_many_reasons_ten_are_shown_and_the_rest_counted() -> None:
    old, new = many(50), many(50)
    for number, item in enumerate(new["entrypoints"]):
        item["results"][0]["axes"]["loads"] = {"status": "fail", "reason": f"error {number}"}
    made = compared(old, new)
    for name in SHOWN:
        text = comparisons.render(name, made)
        assert text.replace("\\", "").count("no-longer-loads") == 10
        assert "40 more of this kind" in text
    groups = grouped(made["changes"])
    kept = [(group, left) for group, left in shown(groups)]
    assert [left for group, left in kept if group is None] == [40]


def test_a_rule_has_one_line_for_all_that_it_found() -> None:
    old, new = release(), release()
    item = new["findings"][0]
    new["findings"] += [item | {"message": f"m{n}", "line": n + 20} for n in range(5)]
    text = comparisons.render("text", compared(old, new))
    assert (
        "warning finding-new HUB402 unstamped-checkpoint: hubconf.py:20: m0; hubconf.py:21: m1; "
        "hubconf.py:22: m2 and 2 more\n  help: hubpub rule HUB402\n" in text
    )


def test_a_claim_is_marked_as_one() -> None:
    old, new = release(), release()
    entry(new, "plain")["results"][0]["claims"] = {"type": "Other", "parameters": 2_000_000}
    text = comparisons.render("text", compared(old, new))
    assert "claim-changed: plain: claims 2,000,000 parameters, not 1,000" in text
    assert "claim-changed: plain: claims to be Other, not Net" in text


def test_what_differs_around_is_said_before_the_changes() -> None:
    old, new = release(), copy.deepcopy(release())
    new["environment"]["torch"] = "2.10.0"
    new["reference"] |= {"owner": "fork"}
    new["entrypoints"] = new["entrypoints"][:1]
    new["selection"]["listed"] = ["big"]
    new["checkpoints"], new["network"] = new["checkpoints"][:1], new["network"]
    text = comparisons.render("text", compared(old, new))
    lines = text.splitlines()
    assert lines[0].startswith("octo/net:v1.0 (commit 111111111111, pass) -> fork/net:v1.0 (")
    assert "are different repositories" in lines[1]
    assert lines[2].endswith("torch 2.9.0 -> 2.10.0")
    assert lines[3] == "error entrypoint-gone: plain, tree"
    for name in ("2.10.0", "different repositories"):
        assert name in comparisons.render("markdown", compared(old, new)).replace("\\", "")


@pytest.mark.parametrize("name", SHOWN)
@pytest.mark.parametrize("said", ["a", "\x1b", "\n\u2028", "`|", "@"])
def test_a_long_text_is_cut(name: str, said: str) -> None:
    assert len(comparisons.render(name, says_anything(said * 100_000))) < 1_000_000


def test_a_comment_on_github_has_room_for_it() -> None:
    old, new = many(500), many(500)
    for number, item in enumerate(new["entrypoints"]):
        for axis in ("loads", "offline", "coexists", "weights"):
            reason = {"status": "fail", "reason": f"{number} " + "`|@x" * 500}
            item["results"][0]["axes"][axis if number % 4 else "loads"] = reason
    made = compared(old, new)
    text = comparisons.render("markdown", made)
    assert len(text) <= 65_536
    made["changes"] = [item | {"kind": kind} for kind in KINDS for item in made["changes"][:10]
                       if not kind.startswith("lock-")]  # fmt: skip
    text = comparisons.render("markdown", made)
    assert len(text) <= 65_536
    assert "did not fit into this summary" in text
