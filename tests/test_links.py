"""Every document is reached from README.md and from docs/index.md, and no link leads nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import ROOT
from linked import anchors, dead, links, reached
from publishing import write_files
from shown import documents

PAGES = documents(ROOT)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_link_is_dead(page: Path) -> None:
    wrong = dead(page, ROOT)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("start", ["README.md", "docs/index.md"])
def test_every_page_is_reached(start: str) -> None:
    assert set(PAGES) - reached(ROOT / start, set(PAGES)) <= {ROOT / "README.md"}


def test_the_map_names_every_page() -> None:
    named = {target for _, target in links((ROOT / "docs/index.md").read_text(encoding="utf-8"))}
    pages = {page.name for page in PAGES if page.parent == ROOT / "docs"}
    assert named == pages - {"index.md"}


def test_links_are_found() -> None:
    assert sum(len(links(page.read_text(encoding="utf-8"))) for page in PAGES) > 200


@pytest.mark.parametrize(
    ("heading", "anchor"),
    [
        ("# How it is made", "how-it-is-made"),
        ("## `--update`", "--update"),
        ("## unread-front-matter (CARD002)", "unread-front-matter-card002"),
        ("### What's new, in 1.0?", "whats-new-in-10"),
        ("## A [link](b.md) and *more*", "a-link-and-more"),
        ("Under\n=====", "under"),
        ("# Größe", "größe"),
    ],
)
def test_anchors(heading: str, anchor: str) -> None:
    assert anchors(f"{heading}\n\ntext\n") == {anchor}


def test_anchors_of_headings_with_one_name() -> None:
    assert anchors("# A\n\n# A\n\n```text\n# B\n```\n\n# A\n") == {"a", "a-1", "a-2"}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[a](b.md)", None),
        ("[a](b.md#there)", None),
        ("[a](#here)", None),
        ("[a](https://example.org/x#y)", None),
        ("`[a](c.md)`", None),
        ("[a](c.md)", "no such file"),
        ("![a](c.png)", "no such file"),
        ("| a |\n| --- |\n| [a](c.md) |", "no such file"),
        ("[a][1]\n\n[1]: c.md", "no such file"),
        ("[a](b.md#gone)", "no such heading"),
        ("[a](#there)", "no such heading"),
        ("[a](../../out.md)", "outside of the repository"),
        ("[a](http://example.org)", "not https"),
        ("[a](https://localhost)", "not https"),
    ],
)
def test_a_dead_link_is_found(tmp_path: Path, text: str, why: str | None) -> None:
    write_files(tmp_path, {"d/a.md": f"# Here\n\n{text}\n", "d/b.md": "# There\n"})
    wrong = dead(tmp_path / "d/a.md", tmp_path)
    assert not wrong if why is None else len(wrong) == 1 and why in wrong[0], wrong


def test_an_orphan_is_found(tmp_path: Path) -> None:
    write_files(tmp_path, {"a.md": "[b](b.md)", "b.md": "[a](a.md#x)", "c.md": "[a](a.md)"})
    pages = set(tmp_path.iterdir())
    assert pages - reached(tmp_path / "a.md", pages) == {tmp_path / "c.md"}
