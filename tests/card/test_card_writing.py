"""Cards as they are written: of any report, with nothing in them that does anything."""

from __future__ import annotations

import ast
import dataclasses
import re
import unicodedata
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from carding import report, two
from hubpub.card import escaping
from hubpub.card.examples import run_by_ci
from hubpub.card.filling import Card, Given, fill
from hubpub.card.judging import judge
from hubpub.card.reading import MAX_BYTES, parse
from hubpub.card.rendering import render
from hubpub.card.rules import FORMATS
from hubpub.errors import UsageError
from hubpub.source.facts import (
    Dependencies,
    Entrypoint,
    Hubconf,
    Parameter,
    Place,
    Repo,
)
from reporting import HOSTILE

NOWHERE = Path("/nowhere")
PLACE = Place("hubconf.py")
NOT: dict[str, set[str]] = {"hub": set(), "huggingface": {"CARD023"}}
WORDS = (
    "TODO(hubpub) x", "{% include x %} {{ y }}", "```python\nimport os\n```", "---\n--- a", "# h:",
    "- [ ] x\n1. y", "<script>x</script>", "<!-- x", "[a](javascript:x) ![b](c)", "http://x.org",
    "www.x.org a@b.org", "$$x$$", "*[x]: y\n{: .a}", "a | b\n--|--", "    code", "x\n===", "null",
    "\\", "`", "``a` b`", "`a`\n`{{`", "~~~python\n1+\n~~~", ":", "a: b", "'\"", "\x00\x1b[2J",
    "[More Information Needed]", "<REQUIRED: x>", "[x]: http://y\n[x]", "%YAML", "@x", "!x", "",
    "x" * 5000, "\U000e0001" * 900, "`[x](y)`", "[^1]: x", "-- --- ...", "\n\n\n", "\u2028# x",
    "&lt;b&gt;", "\u202e\udcff", "\\{\\{ x", "{", "%",
)  # fmt: skip
SAID = st.sampled_from((*WORDS, HOSTILE)) | st.text(max_size=12)
TEXT = st.lists(SAID, min_size=1, max_size=4).map(" ".join) | st.lists(SAID, max_size=4).map(
    "\n".join
)


def repo(*entrypoints: Entrypoint, said: str | None = None) -> Repo:
    nothing = Dependencies("list", (), PLACE, complete=True)
    return Repo(NOWHERE, Hubconf("hubconf.py", said, nothing, PLACE), entrypoints=entrypoints)


def entrypoint(name: str, said: str | None, *parameters: str) -> Entrypoint:
    return Entrypoint(
        name, "function", "hubconf", "certain", PLACE, PLACE, said, said is not None,
        tuple(Parameter(word, "positional", optional=True, place=PLACE) for word in parameters),
        required=parameters[:1], leak=False, imported=False, target="",
    )  # fmt: skip


def people(said: str) -> Given:
    return Given(
        title=said, summary=said, author=said, image="no-image", tags=("vision",), licence="mit",
        task="image-segmentation",
    )  # fmt: skip


def written(card: Card, form: str, name: str | None = None) -> tuple[str, list[str]]:
    """The text, and what its own check finds; as it reads from a file."""
    rendered = render(card, form)
    data = rendered.text.encode()
    read = parse(NOWHERE / (name or rendered.file_name), data)
    return rendered.text, [f"{item.code} {item.message}" for item in judge(read, form, "card.md")]


@pytest.mark.parametrize("form", FORMATS)
@settings(max_examples=60)
@given(TEXT, TEXT, TEXT)
@example(HOSTILE, HOSTILE, HOSTILE)
@example("TODO(hubpub)", "[More Information Needed]", "<REQUIRED")
@example("x:", "\n", "a\n\n    b")
def test_whatever_is_said_a_card_shows_it_and_does_nothing(
    form: str, said: str, documented: str, person: str
) -> None:
    facts = repo(entrypoint(said, documented, documented, person), said=documented)
    card = fill(report(said), facts, people(person if person.split() else "x"), unproven=True)
    text, found = written(card, form)
    short = len(said) <= 80  # else there is no example, which is said
    assert {line[:7] for line in found} == (set() if short else {"CARD023", "CARD028"} - NOT[form])
    assert len(text.encode()) <= MAX_BYTES
    front, _, body = text.removeprefix("---\n").partition("\n---\n")
    fields = yaml.safe_load(front)
    assert len(fields) == (13 if form == "hub" else 4)
    assert not re.search(r"[<>]", front)
    tokens = list(every(MarkdownIt("commonmark").enable("table").parse(body)))
    kinds = {token.type for token in tokens}
    alive = {"html_block", "html_inline", "link_open", "image", "em_open", "strong_open", "hr",
             "blockquote_open", "ordered_list_open"}  # fmt: skip
    assert kinds & alive == set()
    headings = [token.tag for token in tokens if token.type == "heading_open"]
    expected = ["h3", "h3", "h4", "h3", "h3", "h3"]
    if form == "huggingface":
        expected = ["h1", "h2", "h2", "h3", "h2", "h2", "h2"]
    assert headings == expected
    assert sum(token.type == "fence" for token in tokens) == short
    assert "{{" not in body
    assert "{%" not in body
    kinds = {unicodedata.category(char) for char in text if char != "\n"}
    assert not kinds & {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


def every(tokens: Any) -> Any:
    for token in tokens:
        yield token
        yield from token.children or ()


@given(TEXT)
def test_the_example_is_a_program_that_loads_what_was_proven(said: str) -> None:
    name = said[:80]
    found = report("x")
    found["entrypoints"][0]["name"] = name
    card = fill(found, None, people("x"), unproven=True)
    read = parse(NOWHERE, render(card, "hub").text.encode())
    program = run_by_ci(read)
    assert program.error is None
    assert [(load.reference, load.pinned, load.trusted) for load in program.loads] == [
        ("octo/net:v1.0", True, True)
    ]
    code = "\n".join(read.lines).partition("```python\n")[2].partition("\n```")[0]
    (call,) = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
    assert [ast.literal_eval(item) for item in call.args] == ["octo/net:v1.0", name]


@given(TEXT)
def test_a_value_is_the_text_that_it_was(said: str) -> None:
    value = yaml.safe_load(f"key: {escaping.value(said, colons=False)}")["key"]
    assert isinstance(value, str)
    assert ":" not in value
    assert "<" not in value
    plain = " ".join(said.split())
    changed = re.search(r"[:<>{}]|##|TODO\(|\[More", plain, re.IGNORECASE)
    if plain.isascii() and plain.isprintable() and not changed:
        assert value == plain[:300] + ("..." if len(plain) > 300 else "")


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("a plain sentence, with: signs (and) more.", "a plain sentence, with: signs (and) more."),
        ("takes ``encode(text)`` and `shape`.", "takes `encode(text)` and `shape`."),
        ("`a``b`", "`a` `b`"),
        ("a ` b `c`", "a \\` b \\`c\\`"),
        ("1. one", "1&#46; one"),
        ("- one", "&#45; one"),
        ("", ""),
    ],
)
def test_prose(said: str, shown: str) -> None:
    assert escaping.prose(said) == shown


def test_what_is_proven_is_told_and_what_is_not_is_told_as_that() -> None:
    text, _ = written(fill(two(), None, people("x")), "hub")
    proven, _, rest = text.partition("### What was not verified")
    assert 'torch.hub.load("octo/net:v1.0", "unet", pretrained=True, trust_repo=True)' in proven
    assert "| `unet-aaaaaaaa.pth` | 2.0 KiB | `aaaaaaaa" in proven
    assert "`https://example.org/unet-aaaaaaaa.pth`" in proven
    assert f"commit `{'c' * 40}`" in proven
    assert "| `unet` | `pretrained` | `cpu` |" in proven
    assert "other" not in re.sub(r"(?m)^\| `.*$", "", proven)
    assert "other.pth" not in text
    assert "- other (default, cpu): does not load: boom" in rest


DEVICES = [(["cpu"], None), (["cpu", "cuda"], "cuda-optional"), (["cuda"], "cuda")]


@pytest.mark.parametrize(("devices", "accelerator"), DEVICES)
def test_the_accelerator_is_what_was_proven(devices: list[str], accelerator: str | None) -> None:
    found = two()
    result = found["entrypoints"][0]["results"][0]
    found["entrypoints"] = [
        {"name": "unet", "results": [result | {"device": it} for it in devices]}
    ]
    text, findings = written(fill(found, None, people("x")), "hub")
    assert yaml.safe_load(text.split("---\n")[1]).get("accelerator") == accelerator
    assert findings == []


def test_what_nobody_said_is_left_to_do_and_found() -> None:
    card = fill(two(), None, Given())
    for form, left in (
        ("hub", ["summary", "image", "author", "tags", "the description"]),
        ("huggingface", ["license", "pipeline_tag", "the description"]),
    ):
        assert list(render(card, form).left) == left
        found = written(card, form)[1]
        assert [line[:7] for line in found] == ["CARD028"] * len(left)


PART = {"patterns": [], "shard": "1/2", "listed": ["a", "b"], "whole": False}
WEAK: list[tuple[dict[str, Any], str]] = [
    ({"status": "fail"}, "the status of the report is fail"),
    ({"status": "interrupted"}, "the status of the report is interrupted"),
    ({"selection": PART}, "the report is of 1 of 2 entrypoints"),
    (
        {"reference": report("x")["reference"] | {"kind": "branch", "ref": "main"}},
        "a branch, not a",
    ),
    ({"reference": report("x")["reference"] | {"kind": "worktree"}}, "a worktree, not a tag"),
    ({"sandbox": {"tier": "none", "features": {}}}, "without a sandbox"),
]


@pytest.mark.parametrize(("changes", "said"), WEAK)
def test_a_report_that_is_no_proof_makes_no_card_unless_asked(
    changes: dict[str, Any], said: str
) -> None:
    found = report("x", **changes)
    with pytest.raises(UsageError, match=re.escape(said)) as refused:
        fill(found, None, people("x"))
    assert "--allow-unproven" in str(refused.value.help)
    text, _ = written(fill(found, None, people("x"), unproven=True), "hub")
    assert said in text.partition("### What was not verified")[2]


@pytest.mark.parametrize(
    ("changes", "given_repository", "said"),
    [
        ({"owner": "local"}, None, "name on GitHub is not known"),
        ({"owner": "../etc"}, None, "is no owner/name"),
        ({"owner": "o\n"}, None, "is no owner/name"),
        ({}, "octo", "is no owner/name"),
        ({}, "octo/n/x", "is no owner/name"),
        ({"ref": "v1 {{"}, None, "is none that torch.hub takes"),
        ({"ref": "v1`"}, None, "is none that torch.hub takes"),
    ],
)
def test_names_that_are_none(
    changes: dict[str, str], given_repository: str | None, said: str
) -> None:
    found = report("x")
    found["reference"] |= changes
    who = dataclasses.replace(people("x"), repository=given_repository)
    with pytest.raises(UsageError, match=said):
        fill(found, None, who)


def test_a_report_without_anything_that_loads() -> None:
    found = two()
    found["entrypoints"] = found["entrypoints"][1:]
    with pytest.raises(UsageError, match="no entrypoint that loads"):
        fill(found, None, people("x"), unproven=True)


def test_a_local_report_takes_its_name_from_the_remote() -> None:
    found = two()
    found["reference"]["owner"] = "local"
    card = fill(found, dataclasses.replace(repo(), own=("acme/tiny",)), people("x"))
    assert (card.reference, card.file_name) == ("acme/tiny:v1.0", "acme_tiny_x.md")
    assert "whether GitHub has the same was not looked at" in written(card, "hub")[0]
    remote = fill(two(), repo(), people("x"))
    assert "was not looked at" not in written(remote, "hub")[0]


def test_a_report_with_very_much_in_it_makes_a_card_that_can_be_read() -> None:
    found = two()
    (good,) = found["entrypoints"][:1]
    names = [f"net{number}" for number in range(1000)]
    found["entrypoints"] = [{**good, "name": name} for name in names]
    facts = repo(*(entrypoint(name, f"It.\n\n{HOSTILE * 200}") for name in names))
    for form in FORMATS:
        text, findings = written(fill(found, facts, people("x")), form)
        assert len(text.encode()) <= MAX_BYTES
        assert "more entrypoints are in the report." in text
        assert findings == []
