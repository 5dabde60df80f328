"""Tables and folded parts of a page in Markdown, as GitHub renders them."""

from __future__ import annotations

from collections.abc import Sequence

from hubpub.output.markdown import escaped

Cells = Sequence[str]


def heading(columns: Cells) -> str:
    """The head of a table; its words are hubpub's own."""
    return row(columns) + row(["---"] * len(columns))


def row(cells: Cells) -> str:
    """A row of cells that are Markdown already."""
    return f"| {' | '.join(cells)} |\n"


def cells(texts: Sequence[str]) -> str:
    """A row of cells that show exactly these texts, whoever wrote them."""
    return row([escaped(text) for text in texts])


def fold(title: str) -> tuple[str, str]:
    """What stands before and after something that is folded; ``title`` is hubpub's own words."""
    return f"\n<details><summary>{title}</summary>\n\n", "\n</details>\n"


def folded(title: str, text: str) -> str:
    """``text``, which is Markdown already, below a title to unfold it."""
    before, after = fold(title)
    return f"{before}{text}{after}"
