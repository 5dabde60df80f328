"""docs/formats.md names every format and shows each as it is.

After a change that is meant: ``HUBPUB_UPDATE_SNAPSHOTS=1 pytest tests/test_formats_page.py``, then
read the diff.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote

import pytest

from conftest import ROOT
from hubpub.cli.outputs import targets
from hubpub.diagnostic import Diagnostic, Edit, Fix, Severity, Span
from hubpub.output import formats, reports
from hubpub.output.run import Run
from reporting import document, released

PAGE = ROOT / "docs" / "formats.md"
BEGIN = "<!-- examples: made by tests/test_formats_page.py -->\n"
END = "<!-- end of examples -->\n"
LINES = ["import torch", "", "", "def net(path):", '    "A net."', "    return torch.load(path)"]
EDIT = Edit("hubconf.py", Span(6, 27, 6, 27), ", weights_only=True")
FOUND = Diagnostic(
    "hubconf.py", Span(6, 12, 6, 28), "HUB406", "pickle-load", Severity.WARNING,
    "torch.load without weights_only=True runs code that the file holds",
    "pass weights_only=True",
    fix=Fix("Pass weights_only=True", True, (EDIT,)),
)  # fmt: skip
MOST = 14
"""Lines of an example."""
STARTS = {
    # format -> how the line begins with which its example begins, where that is not the first.
    ("check", "sarif"): '"results"',
    ("report", "sarif"): '"results"',
    ("report", "json"): '"entrypoints"',
}
LANGUAGES = {
    "json": "json", "jsonl": "json", "gitlab": "json", "sarif": "json", "badge": "json",
    "junit": "xml", "markdown": "markdown", "markdown-comment": "markdown",
}  # fmt: skip


def report() -> dict[str, Any]:
    """One of two entrypoints does not load."""
    made = released(["bigram", "unigram"])
    ran = made["entrypoints"][1]["results"][0]
    reason = "TypeError: unigram() missing 1 required positional argument: 'words'"
    broken = {"status": "fail", "reason": reason}
    made["entrypoints"][1]["results"] = [{**ran, "axes": {**ran["axes"], "loads": broken}}]
    finding = {
        **document("x")["findings"][0],
        "name": "loads", "message": f"unigram: {reason}", "line": 12, "end_line": 12,
        "help": "say what to call it with: [tool.hubpub.verify.entrypoints.unigram]",
        "entrypoint": "unigram", "path": "hubconf.py",
    }  # fmt: skip
    return {**made, "status": "fail", "findings": [finding]}


def examples() -> Mapping[tuple[str, str], str]:
    run = Run(lambda _, number: LINES[number - 1])
    shown = {("check", name): formats.render(name, [FOUND], run) for name in formats.FORMATS}
    return shown | {
        ("report", name): reports.render(name, report())
        for name in reports.FORMATS
        if name not in {"html", "markdown-comment"}  # a whole page; the same as Markdown
    }


def block(key: tuple[str, str], text: str) -> str:
    lines = text.rstrip("\n").split("\n")
    start = STARTS.get(key)
    first = next(
        number
        for number, line in enumerate(lines)
        if start is None or line.strip().startswith(start)
    )
    cut = lines[first : first + MOST]
    before = ["..."] if first else []
    after = ["..."] if first + MOST < len(lines) else []
    fence = LANGUAGES.get(key[1], "text")
    body = "\n".join([*before, *cut, *after])
    of = "check" if key[0] == "check" else "a report"
    return f"\n### {key[1]} of {of}\n\n````{fence}\n{body}\n````\n"


def test_each_format_is_shown_as_it_is() -> None:
    made = "".join(block(key, text) for key, text in examples().items())
    page = PAGE.read_text(encoding="utf-8")
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if os.environ.get("HUBPUB_UPDATE_SNAPSHOTS"):
        PAGE.write_text(f"{before}{begin}{made}\n{end}{after}", encoding="utf-8")
        page = PAGE.read_text(encoding="utf-8")
    assert page == f"{before}{BEGIN}{made}\n{END}{after}"


@pytest.mark.parametrize(
    ("heading", "names"),
    [("## Of check\n", formats.FORMATS), ("## Of a report\n", reports.FORMATS)],
)
def test_the_tables_name_every_format(heading: str, names: Sequence[str]) -> None:
    page = PAGE.read_text(encoding="utf-8")
    section = page.partition(heading)[2].partition("\n## ")[0]
    cells = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    assert [name for cell in cells for name in re.findall(r"`([\w-]+)`", cell)] == list(names)


def test_the_flags_on_the_page_are_taken() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for command, option in re.findall(
        r"hubpub (\w+)[^\n]*?(?:--output-format|--format) (\S+)", page
    ):
        if "NAME" not in option:
            known = formats.FORMATS if command == "check" else reports.FORMATS
            assert targets((option.strip('"`').partition(":")[0],), known)


def test_the_badge_in_the_readme_is_an_endpoint_of_shields() -> None:
    (url,) = re.findall(
        r"img\.shields\.io/endpoint\?url=(\S+?)\)", PAGE.read_text(encoding="utf-8")
    )
    assert re.fullmatch(r"https://raw\.githubusercontent\.com/[\w/.]+\.json", unquote(url))
    assert ":" not in url
    assert json.loads(reports.render("badge", report()))["message"] == "1 of 2 fail"
