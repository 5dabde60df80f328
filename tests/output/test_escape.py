"""Text from a repository can neither move the cursor nor speak to the CI system."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubpub.output.escape import visible

HARMFUL = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text", "plain text"),
        ("naïve Größe 模型 🤗", "naïve Größe 模型 🤗"),
        ("tab\tstays", "tab\tstays"),
        ("a\x1b[31mred\x1b[0m", "a\\x1b[31mred\\x1b[0m"),
        ("\x1b]8;;http://e.org\x07link", "\\x1b]8;;http://e.org\\x07link"),
        ("one\r\ntwo", "one\\r\\ntwo"),
        ("\x9b31m", "\\x9b31m"),
        ("\x00\x7f", "\\x00\\x7f"),
        ("a\u202eb\u2066c", "a\\u202eb\\u2066c"),
        ("zero\u200bwidth\ufeff", "zero\\u200bwidth\\ufeff"),
        ("line\u2028paragraph\u2029next\x85", "line\\u2028paragraph\\u2029next\\x85"),
        ("\udcff", "\\udcff"),
        ("\ufffe\ufdd0\U0010ffff\ufffd", "\\ufffe\\ufdd0\\U0010ffff\ufffd"),
        ("\U000e0041", "\\U000e0041"),
        ("::error::x", "\\x3a:error::x"),
        ("  \t::set-output name=x::y", "  \t\\x3a:set-output name=x::y"),
        ("\u3000::error::x", "\u3000\\x3a:error::x"),
        ("a::b", "a::b"),
        ("x ##[error]y", "x \\x23#[error]y"),
        ("##vso[task.setvariable]y", "\\x23#vso[task.setvariable]y"),
        ("## heading [1]", "## heading [1]"),
        ("", ""),
    ],
)
def test_visible(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(st.text() | st.text(alphabet=":#[vso \t\x1b\n\u202e", max_size=12))
def test_nothing_harmful_is_left(text: str) -> None:
    shown = visible(text)
    assert not {unicodedata.category(char) for char in shown.replace("\t", "")} & HARMFUL
    assert not shown.lstrip().startswith("::")
    assert "##[" not in shown
    assert "##vso[" not in shown
    assert len(shown.splitlines()) <= 1
    shown.encode("utf-8")
    assert visible(shown) == shown


@given(
    st.text(alphabet=st.characters(min_codepoint=0x20, max_codepoint=0x7E, exclude_characters=":#"))
)
def test_ordinary_text_stays(text: str) -> None:
    assert visible(text) == text
