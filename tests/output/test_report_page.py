"""The page of a report in a real browser: what it shows, to whom, and what never happens in it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from hypothesis import example, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser

from browsing import DESKTOP, PHONE, chromium, opened
from hubpub.output import reports
from many_results import many
from reporting import HOSTILE, document

BYTES = 4 << 20
"""The most that 500 entrypoints on two devices may take (2.5 MB as it is)."""
PAYLOADS = {
    "everything": HOSTILE,
    "script": "<script>window.owned=1</script>",
    "closed text": "</title></style></pre></code></textarea><script>window.owned=1</script>",
    "attribute": '" onmouseover="window.owned=1" autofocus onfocus=\'window.owned=1\' x="',
    "single quotes": "' onload='window.owned=1",
    "picture": "<img src=x onerror=window.owned=1><svg onload=window.owned=1>",
    "svg": "<svg><script>window.owned=1</script><animate onbegin=window.owned=1 attributeName=x>",
    "math": "<math><mtext><mglyph><style><!--</style><img src=x onerror=window.owned=1>",
    "frame": "<iframe srcdoc='<script>parent.owned=1</script>'></iframe>",
    "address": "javascript:window.owned=1",
    "meta": "<meta http-equiv=refresh content='0;url=http://evil.test/'>",
    "base": "<base href=http://evil.test/><a href=x>x</a>",
    "style": "</style><style>body{background:url(http://evil.test/)}</style>",
    "import": "@import url(http://evil.test/);",
    "link": "<link rel=stylesheet href=http://evil.test/>",
    "form": "<form action=http://evil.test/><button autofocus>x</button></form>",
    "template": "{{ 7*7 }}{% include '/etc/passwd' %}{# x #}",
    "comment": "--><!-- <![CDATA[ ]]> <?php ?>",
    "entities": "&lt;script&gt;&#60;script&#62;&colon;&NewLine;",
    "controls": "\x00\x07\x1b[2J\u202e\u2066\u200b\ufeff\udc80\ud800",
    "custom": "<x-a><template shadowrootmode=open><script>window.owned=1</script></template></x-a>",
    "meta charset": "+ADw-script+AD4-window.owned=1+ADw-/script+AD4-",
}


def full(said: str) -> dict[str, Any]:
    """As :func:`document`, and every further field that can hold words."""
    report = document(said)
    excerpt = {"first_line": 1, "first_column": 1, "lines": [said[:240] or "x", f"::{said[:9]}"]}
    for finding in report["findings"]:
        finding |= {"excerpt": excerpt, "end_column": 3}
    report["sandbox"] |= {
        "features": {said: True, f"no {said}": False}, "version": said, "packages": said,
        "not_held": [said], "warning": said, "limits": {said: 1, f"{said}_bytes": 2},
    }  # fmt: skip
    report["environment"]["accelerators"] = [
        {"device": said, "name": said, "capability": said, "driver": said, "runtime": said}
    ]
    report["entrypoints"][0]["unlike_a_clone"] = {said: "link"}
    report["entrypoints"][0]["results"][0]["claims"] = {
        "type": said, f"key {said}": [said], "n": {said: said},
    }  # fmt: skip
    report["entrypoints"][0]["results"][0]["facts"]["retried"] = said
    report["selection"] = {"patterns": [said], "shard": None, "listed": [said, f"{said}2"],
                           "whole": False}  # fmt: skip
    report["options"] = {"require": [said], "skip": [said]}
    report["network"][0]["entrypoint"] = said
    return report


REPORTS: dict[str, Callable[[], dict[str, Any]]] = {
    "few": lambda: many(3, ("cpu",)),
    "failing": lambda: many(24),
    "hostile": lambda: full(HOSTILE),
    "plain": lambda: full("net"),
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    made = {name: folder / f"{name}.html" for name in REPORTS}
    for name, make in REPORTS.items():
        made[name].write_text(reports.render("html", make()), encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def plain(browser: Browser, pages: dict[str, Path]) -> list[str]:
    """The elements of a page in which nothing is said that could be taken for one."""
    with opened(browser, pages["plain"]) as watched:
        shape: list[str] = watched.page.evaluate(SHAPE)
        return shape


@pytest.mark.parametrize("what", PAYLOADS)
def test_nothing_of_a_hostile_report_acts(
    browser: Browser, plain: list[str], tmp_path: Path, what: str
) -> None:
    file = tmp_path / "report.html"
    file.write_text(reports.render("html", full(PAYLOADS[what])), encoding="utf-8")
    with opened(browser, file) as watched:
        page = watched.page
        page.keyboard.press("Tab")
        page.mouse.move(200, 200)
        assert watched.seen == []
        assert page.evaluate("window.owned") is None
        assert page.evaluate("document.scripts.length") == 0
        assert page.url == file.as_uri()
        assert page.evaluate(SHAPE) == plain


SHAPE = """() => [...document.querySelectorAll('*')]
    .filter(e => !['BR', 'P', 'MARK'].includes(e.tagName))
    .map(e => e.tagName + ' ' + e.getAttributeNames().join())"""


def test_the_policy_would_stop_what_escaping_let_through(browser: Browser, tmp_path: Path) -> None:
    text = reports.render("html", full("net"))
    evil = (
        "<script>window.owned=1</script><img src=x onerror=window.owned=1>"
        "<style>h1{display:none}</style><p id=p style='color:red'>x</p>"
    )
    file = tmp_path / "report.html"
    file.write_text(text.replace("</main>", f"{evil}</main>"), encoding="utf-8")
    with opened(browser, file) as watched:
        assert watched.page.evaluate("window.owned") is None
        assert watched.page.locator("h1").is_visible()
        assert len([line for line in watched.seen if "Content Security Policy" in line]) >= 4


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, DESKTOP])
@pytest.mark.parametrize("name", ["failing", "hostile"])
def test_everybody_can_read_it(
    browser: Browser,
    pages: dict[str, Path],
    name: str,
    width: int,
    scheme: Literal["light", "dark"],
) -> None:
    with opened(browser, pages[name], width=width, scheme=scheme) as watched:
        # The page's policy lets no script in; what playwright evaluates is not the page's.
        watched.page.evaluate("document.querySelectorAll('details').forEach(e => e.open = true)")
        assert not watched.scrolls_sideways()
        found = Axe().run(watched.page)
        assert found.violations_count == 0, found.generate_report()
        assert watched.seen == []


def test_the_keyboard_reaches_every_part_in_the_order_of_the_page(
    browser: Browser, pages: dict[str, Path]
) -> None:
    with opened(browser, pages["few"]) as watched:
        page = watched.page
        wanted = page.evaluate(
            """() => [...document.querySelectorAll('a[href], summary, [tabindex="0"]')]
                .filter(e => e.checkVisibility()).length"""
        )
        reached = []
        for _ in range(wanted):
            page.keyboard.press("Tab")
            where = page.evaluate(
                """() => { const e = document.activeElement, s = getComputedStyle(e);
                const all = [...document.querySelectorAll('*')];
                return [all.indexOf(e), e.matches(':focus-visible'), s.outlineStyle,
                        parseFloat(s.outlineWidth)] }"""
            )
            assert where[1:] == [True, "solid", 3]
            reached.append(where[0])
        assert reached == sorted(set(reached))
        entry = page.locator("details.entry").first
        entry.locator("summary").focus()
        assert entry.get_attribute("open") is None
        page.keyboard.press("Enter")
        assert entry.get_attribute("open") is not None
        assert entry.get_by_text("Facts, seen from outside").is_visible()
        assert entry.get_by_text("Claims of the code under test").is_visible()


def test_a_name_of_the_grid_leads_to_its_reasons(browser: Browser, pages: dict[str, Path]) -> None:
    with opened(browser, pages["failing"]) as watched:
        page = watched.page
        link = page.locator(".grid a").first
        link.focus()
        page.keyboard.press("Enter")
        entry = page.locator("details.entry:has(:target)")
        assert entry.locator("summary").inner_text().startswith(link.inner_text())
        assert entry.get_by_text("No module named 'timm'").first.is_visible()
        assert watched.seen == []


def test_a_sha256_is_selected_whole_by_one_click(browser: Browser, pages: dict[str, Path]) -> None:
    with opened(browser, pages["few"]) as watched:
        code = watched.page.locator(".checkpoint .copy").first
        code.click()
        selected = watched.page.evaluate("getSelection().toString()")
        assert re.fullmatch("[0-9a-f]{64}", selected)
        assert selected == many(3)["checkpoints"][0]["sha256"]


def test_head_and_first_column_of_the_grid_stay_in_sight(
    browser: Browser, pages: dict[str, Path]
) -> None:
    with opened(browser, pages["few"], width=PHONE) as watched:
        grid = watched.page.locator(".wide:has(.grid)").first
        name = grid.locator("tbody th").first
        before = name.bounding_box()
        grid.evaluate("e => e.scrollLeft = 200")
        assert before is not None
        after = name.bounding_box()
        assert after is not None
        assert abs(after["x"] - before["x"]) < 2


def test_source_is_shown_with_its_mark(browser: Browser, pages: dict[str, Path]) -> None:
    with opened(browser, pages["failing"]) as watched:
        error = watched.page.locator(".finding.error").first
        assert error.locator("mark").inner_text() == "import timm"
        assert error.locator(".source").inner_text().split("\n")[0].endswith("def build(depth):")
        assert error.get_by_text("add timm to dependencies").is_visible()


@pytest.mark.parametrize("name", ["failing", "hostile"])
def test_on_paper_nothing_is_cut_off_or_folded_away(
    browser: Browser, pages: dict[str, Path], name: str, tmp_path: Path
) -> None:
    # A4 less its margins, at 96 pixels an inch.
    with opened(browser, pages[name], width=703) as watched:
        page = watched.page
        page.emulate_media(media="print")
        assert not watched.scrolls_sideways()
        wide = page.evaluate(
            """() => [...document.querySelectorAll('.grid, .source, article')]
                .filter(e => e.getBoundingClientRect().right > innerWidth + 1).length"""
        )
        assert wide == 0
        folded = page.evaluate(
            """() => [...document.querySelectorAll('.result')]
                .filter(e => e.getBoundingClientRect().height === 0).length"""
        )
        assert folded == 0
        pdf = page.pdf(path=tmp_path / "report.pdf", prefer_css_page_size=True)
        assert pdf.startswith(b"%PDF")
        assert len(pdf) > 20_000


def test_five_hundred_entrypoints_are_a_page_that_can_be_used(
    browser: Browser, tmp_path: Path
) -> None:
    report = many(500)
    text = reports.render("html", report)
    assert len(text.encode()) < BYTES
    assert len(text) < 1.5 * len(json.dumps(report))
    file = tmp_path / "report.html"
    file.write_text(text, encoding="utf-8")
    with opened(browser, file, width=PHONE) as watched:
        page = watched.page
        assert not watched.scrolls_sideways()
        rows = page.locator(".grid tbody tr")
        assert rows.count() == 1000
        # What failed is in sight, what passed is folded away: no endless page.
        assert page.locator(".grid .f >> visible=true").count() > 0
        assert page.locator(".group:not([open]) .grid tbody tr").count() > 800
        assert watched.seen == []


@pytest.mark.parametrize("count", [1, 5, 45])
def test_any_number_of_entrypoints_has_its_rows_bars_and_details(
    browser: Browser, tmp_path: Path, count: int
) -> None:
    file = tmp_path / "report.html"
    file.write_text(reports.render("html", many(count, ("cpu",))), encoding="utf-8")
    with opened(browser, file) as watched:
        page = watched.page
        assert page.locator(".grid tbody tr").count() == count
        assert page.locator("figure").first.locator(".bars li").count() == count
        assert page.locator("details.entry").count() == count
        long = page.evaluate(
            """() => [...document.querySelectorAll('.bar rect, .bar circle')].filter(e => {
                const box = e.getBoundingClientRect(), all = e.parentNode.getBoundingClientRect();
                return box.width < 0 || box.right > all.right + 6 }).length"""
        )
        assert long == 0


ANY = st.text(min_size=1, max_size=40) | st.text(
    alphabet=st.sampled_from("<>\"'&/=!-{}%#: \n\x00abonscript"), min_size=1, max_size=60
)


@given(said=st.lists(ANY, min_size=1, max_size=8))
@example(said=["<", "script>"])
@settings(max_examples=60)
def test_no_text_makes_an_element(browser: Browser, said: list[str]) -> None:
    """All of an example in one parse of the browser's own parser, which runs nothing."""
    context = browser.contexts[0] if browser.contexts else browser.new_context()
    page = context.pages[0] if context.pages else context.new_page()
    texts = [reports.render("html", full(one)) for one in ["net", *said]]
    shapes = page.evaluate(
        """texts => texts.map(text => {
            const all = new DOMParser().parseFromString(text, 'text/html').querySelectorAll('*');
            return [...all].filter(e => !['BR', 'P', 'MARK'].includes(e.tagName))
                .map(e => e.tagName + ' ' + e.getAttributeNames().join()).join('\\n') })""",
        texts,
    )
    for one, shape in zip(said, shapes[1:], strict=True):
        if one.strip():
            assert shape == shapes[0], one
