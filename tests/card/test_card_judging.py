"""Every rule of cards, on a card that keeps all and on ones that break it; and the quirks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from carding import HUB, HUGGINGFACE, changed
from conftest import ROOT
from hubpub.card.judging import form_of, judge
from hubpub.card.reading import MAX_BYTES, parse, read
from hubpub.card.rules import FORMATS, data, find, rules
from hubpub.errors import UsageError

NAME = Path("octo_net_unet.md")
README = Path("README.md")


def codes(text: str | bytes, form: str = "hub", path: Path | None = None) -> list[tuple[str, int]]:
    """Code and line of each finding."""
    where = path or (NAME if form == "hub" else README)
    card = parse(where, text if isinstance(text, bytes) else text.encode())
    return [(item.code, item.span.line) for item in judge(card, form, where.name)]


@pytest.mark.parametrize(("text", "form"), [(HUB, "hub"), (HUGGINGFACE, "huggingface")])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_good_card_has_no_finding(text: str, form: str, end: str) -> None:
    assert codes(text.replace("\n", end), form) == []


BODY = "It finds what is there.\n"
LOAD = '"octo/net:v1.0", "unet", trust_repo=True'
BROKEN: list[tuple[str, str, list[tuple[str, int]]]] = [
    # what is replaced in HUB, by what, and the findings
    ("---\nlayout", "\n---\nlayout", [("CARD001", 1), ("CARD022", 2), ("CARD022", 17)]),
    ("---\nlayout", "\ufeff---\nlayout", [("CARD001", 1), ("CARD022", 16)]),
    ("order: 10\n---", "order: 10\n--- #", [("CARD001", 16)]),
    ("title: U-Net", "title: [U-Net", [("CARD002", 7)]),
    ("title: U-Net", "title: &a U-Net", [("CARD002", 6)]),
    ("title: U-Net", "title: *a", [("CARD002", 6)]),
    ("title: U-Net", "title: !!str U-Net", [("CARD002", 6)]),
    ("title: U-Net", "title: !!python/object/apply:os.system [id]", [("CARD002", 6)]),
    ("order: 10", "1: 10", [("CARD002", 15)]),
    ("order: 10", "on: 10", [("CARD002", 15)]),
    ("order: 10", "order: 2026-13-77", [("CARD002", 2)]),
    ("order: 10", f"order: {'[' * 40}{']' * 40}", [("CARD002", 15)]),
    ("order: 10", f"order: {'[' * 5000}", [("CARD002", 15)]),
    ("order: 10", f"order: {'1:' * 5000}1", [("CARD002", 2)]),
    ("order: 10", f"order: [{'1' * 5000}]", [("CARD002", 2)]),
    ("order: 10", f"order: {'x' * 20_000}", [("CARD002", 2)]),
    ("order: 10", "title: Other", [("CARD003", 15)]),
    ("summary: Finds what is there\n", "", [("CARD004", 15)]),
    ("summary: Finds what is there", "summary:", [("CARD004", 7)]),
    ("summary: Finds what is there", "summary: '  '", [("CARD004", 7)]),
    ("tags: [vision]\n", "", [("CARD004", 15)]),
    ("layout: hub_detail", "layout: hub-detail", [("CARD005", 2)]),
    ("body-class: hub\n", "", [("CARD005", 15)]),
    ("category: researchers", "category: researcher", [("CARD006", 5)]),
    ("category: researchers", "category: [researchers]", [("CARD006", 5)]),
    ("tags: [vision]", "tags: vision", [("CARD007", 10)]),
    ("tags: [vision]", "tags: []", [("CARD007", 10)]),
    ("tags: [vision]", "tags: [vision, Vision]", [("CARD007", 10)]),
    ("tags: [vision]", "tags: [[vision]]", [("CARD007", 10)]),
    ("tags: [vision]", "tags:\n- vision\n- scriptable", []),
    ("image: no-image", "image: images/net.png", [("CARD008", 8)]),
    ("image: no-image", "image: [no-image]", [("CARD008", 8)]),
    ("image: no-image", "image: net.png", [("CARD009", 8)]),
    ("title: U-Net", 'title: "U-Net: small"', [("CARD010", 6)]),
    ("author: Octo", "author: ['a:b']", [("CARD010", 9)]),
    ("github-id: octo/net", "github-id: octo/net\ndemo-model-link: https://x.org/a:b", []),
    ("github-id: octo/net", "github-id: octo/net\ndemo-model-link: x.org", [("CARD011", 13)]),
    ("github-link: https://github.com/octo/net", "github-link: octo/net", [("CARD011", 11)]),
    ("github-link: https://github.com/octo/net", "github-link: http://[", [("CARD011", 11)]),
    ("github-link: https://github.com/octo/net", "github-link: https://git.org/octo/net",
     [("CARD012", 11)]),
    ("github-link: https://github.com/octo/net",
     "github-link: https://github.com/Octo/net.git", []),
    ("github-link: https://github.com/octo/net",
     "github-link: https://github.com/octo/net/blob/main/hubconf.py", []),
    ("github-link: https://github.com/octo/net", "github-link: https://github.com/octo/other",
     [("CARD012", 12)]),
    ("github-id: octo/net\n", "", [("CARD012", 11)]),
    ('accelerator: "cuda-optional"', "accelerator: “cuda-optional” ", [("CARD013", 14)]),
    ('accelerator: "cuda-optional"', "accelerator: cuda ", []),
    ('accelerator: "cuda-optional"', "accelerator: gpu", [("CARD013", 14)]),
    ("order: 10", "acelerator: cuda", [("CARD014", 15)]),
    ("author: Octo", "author: <b>Octo</b>", [("CARD015", 9)]),
    ("### Model Description", "### Description", [("CARD020", 17)]),
    ("### Model Description", "### *Model Description*", [("CARD020", 17)]),
    ("### Model Description", "### model description", [("CARD020", 17)]),
    ("### Model Description", "- ### Model Description", [("CARD020", 17)]),
    ("### Model Description", "```\n### Model Description\n```", [("CARD020", 17)]),
    ("### Model Description", "Model Description\n===", []),
    ("### Model Description", "# Model Description #", []),
    ("### References", "### References:", [("CARD021", 27)]),
    ("### References", "### References\\: all", [("CARD021", 27)]),
    ("### References", "### References: all", []),
    ("### References", "### `References:`", []),
    ("### References", "### **References:**", []),
    ("### References", "### References&#58;", []),
    (BODY, f"{BODY}\n---\n", [("CARD022", 27)]),
    (BODY, f"{BODY}\n----\n", [("CARD022", 27)]),
    (BODY, "```text\n--- a\n```\n", [("CARD022", 26)]),
    (BODY, "| a |\n| --- |\n| b |\n", []),
    (BODY, f"{BODY}\n***\n", []),
    ("```python", "```", [("CARD023", 17)]),
    ("model = torch.hub.load", "model = torch.load", [("CARD023", 17)]),
    ("```python", "```py", [("CARD023", 17), ("CARD024", 18)]),
    ("```python", " ```python", [("CARD023", 17), ("CARD024", 18)]),
    ("import torch\n", "import torch\n```\n\n````python\n````\n\n```python\n", [("CARD024", 22)]),
    ("import torch", "import torch\n!wget x", [("CARD025", 20)]),
    ("import torch", "import torch\nx = (" + "(" * 500, [("CARD025", 20)]),
    ("import torch", "import torch\0", [("CARD025", 19)]),
    # a fence of ~~~ around a block: shown as text, and run all the same
    (BODY, "~~~\n```python\n1 +\n```\n~~~\n", [("CARD025", 27)]),
    # the blocks are one program: what one defines the next may use, in any state of syntax
    (BODY, "```python\nif model:\n```\n\n```python\n    pass\n```\n", []),
    ("octo/net:v1.0", "octo/net", [("CARD026", 20)]),
    ("octo/net:v1.0", "octo/net:main", [("CARD026", 20)]),
    ("octo/net:v1.0", "octo/net:", [("CARD026", 20)]),
    (LOAD, 'repo_or_dir="octo/net", model="unet", trust_repo=True', [("CARD026", 20)]),
    (LOAD, '"octo/net", "unet", source="local"', [("CARD023", 17)]),
    (LOAD, '"octo/net:v1.0", "unet"', [("CARD027", 20)]),
    (LOAD, '"octo/net:v1.0", "unet", trust_repo=False', [("CARD027", 20)]),
    (LOAD, '"octo/net:v1.0", "unet", trust_repo="check"', [("CARD027", 20)]),
    (LOAD, '"octo/net:v1.0", "unet", **options', []),
    (LOAD, '"pytorch/vision:v0.10.0", "resnet18"', []),
    (LOAD, '"pytorch/vision:v0.10.0", "resnet18", trust_repo=False', [("CARD027", 20)]),
    ("title: U-Net", "title: <REQUIRED: short model name>", [("CARD028", 6), ("CARD002", 6)]),
    ("title: U-Net", "title: <REQUIRED> name", [("CARD028", 6)]),
    ("image: no-image", "image: TODO(hubpub) a picture", [("CARD028", 8)]),
    (BODY, "<!-- OPTIONAL: put link to reference papers -->\n", [("CARD028", 25)]),
    (BODY, "<!-- Only change fields below(remove this line) -->\n", [("CARD028", 25)]),
    (BODY, "TODO(hubpub) what it is\n", [("CARD028", 25)]),
    (BODY, "```text\nTODO(hubpub)\n```\n", []),
    (BODY, "{{ site.title }} and {% include x %}\n", [("CARD030", 25), ("CARD030", 25)]),
    (BODY, "```text\nf'{{x}}'\n```\n", [("CARD030", 26)]),
    (BODY, "\\{\\{ x }} { { {\n", []),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "found"), BROKEN)
def test_hub(old: str, new: str, found: list[tuple[str, int]]) -> None:
    assert codes(changed(HUB, old, new)) == found


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("license: bsd-3-clause", "license: BSD-3-Clause", [("CARD101", 2)]),
        ("license: bsd-3-clause", "license: [mit, foo]", [("CARD101", 2)]),
        ("license: bsd-3-clause", "license: other", [("CARD101", 2), ("CARD101", 2)]),
        ("license: bsd-3-clause", "license: other\nlicense_name: x\nlicense_link: LICENSE", []),
        ("license: bsd-3-clause\n", "", [("CARD102", 9)]),
        ("library_name: pytorch", "library_name:", [("CARD102", 3)]),
        ("pipeline_tag: image-segmentation", "pipeline_tag: segmenting", [("CARD103", 4)]),
        ("pipeline_tag: image-segmentation\n", "", []),
        ("tags:\n- pytorch", "tags: pytorch", [("CARD104", 5)]),
        ("tags:\n- pytorch", "tags:\n- 1", [("CARD104", 6)]),
        ("octo/net:v1.0", "octo/net", [("CARD026", 15)]),
        (", trust_repo=True", "", [("CARD027", 15)]),
        ("# U-Net", "# U-Net\n\n[More Information Needed]", [("CARD028", 14)]),
        ("# U-Net", "# U-Net:\n\n---\n\n{{ x }}", []),  # what only pytorch/hub minds
        ("---\nlicense", "license", [("CARD001", 1)]),
        ("- name: unet", "- name: *unet", [("CARD002", 8)]),
        ("- pytorch", "- pytorch\ntags: []", [("CARD003", 7)]),
    ],
)
def test_huggingface(old: str, new: str, found: list[tuple[str, int]]) -> None:
    assert codes(changed(HUGGINGFACE, old, new), "huggingface") == found


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("octo_net_unet.md", []),
        ("Octo_net_U-Net.v2.md", []),
        ("octo-net-unet.md", []),
        ("octo_net.md", [("CARD016", 1)]),
        ("octo_net_.md", [("CARD016", 1)]),
        ("unet.md", [("CARD016", 1)]),
        ("CONTRIBUTING.md", [("CARD017", 1)]),
        ("octo_net_unet.markdown", [("CARD017", 1)]),
    ],
)
def test_the_name_of_the_file(name: str, found: list[tuple[str, int]]) -> None:
    assert codes(HUB, "hub", Path(name)) == found


def test_images_beside_the_card(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "net.png").write_bytes(b"")
    for name, found in (("net.png", []), ("Net.png", [("CARD008", 8)]), (".net", [("CARD008", 8)])):
        text = changed(HUB, "image: no-image", f"image: {name}")
        assert codes(text, "hub", tmp_path / NAME) == found


def test_what_is_no_utf8_is_named_with_its_line() -> None:
    assert codes(HUB.encode().replace(b"Finds", b"F\xffnds"))[0] == ("CARD001", 7)


def test_an_alias_does_not_grow() -> None:
    """Ten lines that YAML would make 10^9 texts of."""
    rows = [f"a{row}: &a{row} [{', '.join([f'*a{row - 1}'] * 9)}]" for row in range(1, 10)]
    text = changed(HUB, "order: 10", "\n".join(["a0: &a0 [x]", *rows]))
    assert codes(text) == [("CARD002", 15)]


def test_findings_of_one_rule_are_bounded() -> None:
    assert len(codes(HUB + "{{ x }}\n" * 1000)) == 20


def test_a_file_that_is_too_large_or_not_there(tmp_path: Path) -> None:
    (tmp_path / "large.md").write_bytes(b"x" * (MAX_BYTES + 1))
    for name, said in (("large.md", "larger than 64 KiB"), ("no.md", "No such file")):
        with pytest.raises(UsageError, match=said):
            read(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "text", "form"),
    [
        ("octo_net_unet.md", HUB, "hub"),
        ("README.md", HUGGINGFACE, "huggingface"),
        ("README.md", HUB, "hub"),
        ("other.md", "", "hub"),
    ],
)
def test_the_format_that_a_card_seems_to_have(name: str, text: str, form: str) -> None:
    assert form_of(parse(Path(name), text.encode())) == form


FRAGMENTS = st.sampled_from(
    [*HUB.splitlines(keepends=True), "---\n", "```python\n", "```\n", "### a\\:\n", "> ", "- ",
     "\t", "{{", "&a ", "*a ", "!x ", "? ", "|\n", "\x00", "\x85", "\u2028", "“", "<!--", "'"]
)  # fmt: skip


@given(
    st.lists(FRAGMENTS | st.text(max_size=8), max_size=40).map("".join), st.sampled_from(FORMATS)
)
@example("", "hub")
@example("---\n---", "hub")
@example("---\n---\n", "huggingface")
def test_whatever_a_card_holds_it_is_judged(text: str, form: str) -> None:
    card = parse(NAME, text.encode("utf-8", "surrogatepass"))
    for item in judge(card, form, NAME.name):
        assert form in rules()[item.code].formats
        assert 1 <= item.span.line <= len(card.lines) + 1
        assert item.message.isprintable()
        assert item.help


def test_every_rule_is_broken_by_a_test() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    assert {code for code in re.findall(r"CARD\d{3}", text) if code in rules()} == set(rules())


def test_the_data_is_whole() -> None:
    known = data()
    for rule in rules().values():
        assert set(rule.formats) <= set(FORMATS)
        assert rule.sources
        assert find(rule.code.lower()) is find(rule.name) is rule
        for text in (rule.what, rule.why, rule.mend):
            assert text.endswith((".", "`.")), text
    for name, source in known["sources"].items():
        assert source["commit"] is None or re.fullmatch(r"[0-9a-f]{40}", source["commit"]), name
    assert set(known["hub"]["fixed"]) == {"layout", "background-class", "body-class"}
    assert len(known["hub"]["tags"]) == 5
    assert {"mit", "bsd-3-clause", "other"} <= set(known["huggingface"]["licences"])


def test_the_page_has_every_rule() -> None:
    from hubpub.card.rules import page
    from hubpub.output.rules_page import BEGIN, END

    text = (ROOT / "docs" / "card.md").read_text(encoding="utf-8")
    assert text.partition(BEGIN)[2].partition(END)[0].strip() == page().strip()
