"""Verification reports in every format: nothing that a repository wrote acts on who reads it."""

from __future__ import annotations

import html.parser
import json
import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hubpub.output import reports
from hubpub.output.escape import visible
from reporting import HOSTILE, document

PLAIN = "net"
ANY = st.text(max_size=30) | st.text(
    alphabet=st.sampled_from("\x1b\n\r\t\x85\u2028\u202e\u200b\udcff:#[]<>&\"'`|*_@${}()!%a "),
    max_size=30,
)


class Page(html.parser.HTMLParser):
    """The elements, the attributes and the words of a page."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, tuple[str, ...]]] = []
        self.words = ""
        self.links: list[str | None] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(name for name, _ in attrs)))
        self.links += [value for name, value in attrs if name in {"href", "src"}]

    def handle_data(self, data: str) -> None:
        self.words += data


@pytest.mark.parametrize("name", reports.FORMATS)
@given(said=ANY)
@example(said=HOSTILE)
@example(said=":")
def test_nothing_acts_on_who_reads_it(name: str, said: str) -> None:
    text = reports.render(name, document(said))
    text.encode("utf-8")
    found = {unicodedata.category(char) for char in set(text) - {"\n", "\t"}}
    assert not found & {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
    assert "##[" not in text
    for line in text.split("\n"):
        if name == "github":
            assert not line or re.match(r"::(error|warning|notice) file=", line)
        else:
            assert not line.strip().startswith("::")


@given(said=ANY)
@example(said=HOSTILE)
def test_a_page_holds_the_same_elements_whatever_is_said(said: str) -> None:
    page, plain = (
        Page(reports.render("html", document(said))),
        Page(reports.render("html", document(PLAIN))),
    )
    shape = [item for item in page.tags if item[0] not in {"br", "p"}]
    assert shape == [item for item in plain.tags if item[0] not in {"br", "p"}] or not said
    assert visible(said) in page.words
    for tag, names in page.tags:
        assert tag not in {"script", "img", "iframe", "link", "object", "form"}
        assert not any(item.startswith("on") or item == "style" for item in names)
    assert page.links == plain.links
    assert all(re.fullmatch(r"#[a-z0-9]+", link or "") for link in page.links)


def test_a_page_needs_nothing_else_and_says_so() -> None:
    text = reports.render("html", document(PLAIN))
    assert "default-src 'none'" in text
    assert "http" not in text.replace("http-equiv", "")
    assert text.startswith("<!DOCTYPE html>")


@pytest.mark.parametrize("name", ["markdown", "html"])
def test_a_run_without_a_sandbox_is_said_loudly(name: str) -> None:
    report = document(PLAIN)
    assert "without a sandbox" not in reports.render(name, report)
    report["sandbox"]["tier"] = "none"
    assert "without a sandbox" in reports.render(name, report)


def test_json_is_the_report() -> None:
    report = document("é" + HOSTILE)
    text = reports.render("json", report)
    assert text.isascii()
    assert json.loads(text) == report


@pytest.mark.parametrize("name", ["text", "markdown", "markdown-comment"])
def test_one_request_that_is_refused_to_each_job_is_said_once(name: str) -> None:
    found = document("x")
    (request,) = found["network"]
    found["network"] = [{**request, "url": "there"}, *[{**request, "url": "here"}] * 4]
    text = reports.render(name, found)
    assert len(re.findall(r"\bhere\b", text)) == 1
    assert re.search(r"\bhere .?\(4 times.?\)", text)
    assert re.search(r"\bthere\b(?! .?\()", text)
