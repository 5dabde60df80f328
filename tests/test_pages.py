"""The task pages are true: each command is executed, in order, and prints what they show."""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from conftest import ROOT
from hubpub import config
from paging import PageError, Session, Step, blocks, fits, steps, tell
from publishing import write_files
from web import serving

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


@dataclass(frozen=True)
class Page:
    """A page, and its blocks that are not run: how each begins, and the reason."""

    name: str
    not_run: Mapping[str, str] = field(default_factory=dict)
    marks: tuple[pytest.MarkDecorator, ...] = (pytest.mark.sandbox,)


PAGES = [
    Page(
        "docs/attestation.md",
        {
            "cosign attest-blob": "needs cosign and sigstore.dev",
            "gh attestation verify": "needs gh and github.com",
            "cosign verify-blob-attestation": "needs cosign and sigstore.dev",
        },
    ),
    Page(
        "docs/publish.md",
        {'gh release create weights runs/last-*.pth --notes "For v1.0"': "needs gh and github.com"},
    ),
    Page(
        "docs/offline.md",
        {
            "wget -q -x -P files -i urls.txt": "needs wget and github.com",
            "pip wheel": "needs PyPI, and a checkout of hubpub",
            "pip install": "installs into the Python that runs it",
            "hubpub verify owner/repo:v1.0": "needs an Enterprise host",
        },
    ),
    Page("docs/gate.md", {"gh workflow run hubpub-release.yml": "needs gh and github.com"}),
    Page("docs/hostile.md"),
    Page("docs/card.md"),
    Page(
        "docs/gpu.md",
        {
            "nvidia-smi": "needs a GPU",
            "srun": "needs a GPU",
            "docker run": "needs docker and a GPU; untried",
        },
    ),
]
"""A page that is no task's (verify.md, stamp.md, ...) is held by test_shown_commands.py alone."""


def text_of(page: Page) -> str:
    return (ROOT / page.name).read_text(encoding="utf-8")


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with serving(tmp_path) as web:
        yield Session(tmp_path, web)


def test_the_map_says_which_pages_are_executed() -> None:
    table = (ROOT / "docs/index.md").read_text(encoding="utf-8").split("## By task")[1]
    tasks = re.findall(r"^\| .*\]\((.*)\) \|$", table.partition("##")[0], re.MULTILINE)
    assert "Each command of the first six is executed" in table
    assert {f"docs/{name}" for name in tasks[:6]} <= {page.name for page in PAGES}


@pytest.mark.slow
@pytest.mark.parametrize(
    "page", [pytest.param(page, marks=page.marks, id=page.name) for page in PAGES]
)
def test_the_page_is_true(page: Page, session: Session) -> None:
    wrong = tell(page.name, session)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_is_not_run_is_known(page: Page) -> None:
    left = [
        (block.content.removeprefix("$ "), block.says[1])
        for block in blocks(text_of(page))
        if block.language == "console" and block.says
    ]
    assert [reason for _, reason in left] == list(page.not_run.values())
    for (content, _), start in zip(left, page.not_run, strict=True):
        assert content.startswith(start)
    run = [step for step in steps(text_of(page)) if step.kind == "command" and not step.reason]
    assert any("hubpub" in step.text for step in run)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_other_blocks_are_what_they_say(page: Page, tmp_path: Path) -> None:
    for number, block in enumerate(blocks(text_of(page))):
        if block.language == "python":
            ast.parse(block.content)
        elif block.language == "json":
            json.loads(block.content)
        elif block.language == "toml":
            settings = tomllib.loads(block.content)
            name = block.says[1] if block.says else "pyproject.toml"
            write_files(tmp_path / str(number), {name: block.content})
            loaded = config.load(tmp_path / str(number))
            assert (loaded.path == name) is ("hubpub" in {name[:6], *settings.get("tool", {})})
        else:
            assert block.language in {"console", "test", "text", "yaml"}, block


# --- the form itself ------------------------------------------------------------------------------

FORM = """\
Text.

<!-- test: touch there -->
<!-- file: a.txt -->
```text
one
$ two
```

```console
$ cat a.txt \\
>   there  # exit code 3
one
> not the command
$ cat <<'END'
> some
> END
some
```

<!-- not run: no GPU -->
```console
$ nvidia-smi
```
"""


def test_a_page_becomes_steps() -> None:
    assert list(steps(FORM)) == [
        Step("setup", 3, "touch there"),
        Step("file", 5, "a.txt", ("one", "$ two")),
        Step(
            "command", 11, "cat a.txt \\\n  there  # exit code 3", ("one", "> not the command"), 3
        ),
        Step("command", 15, "cat <<'END'\nsome\nEND", ("some",)),
        Step("command", 23, "nvidia-smi", (), 0, "no GPU"),
    ]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("```console\nhubpub check\n```\n", "line 2: a console block begins with"),
        ("<!-- file: a -->\n```console\n$ true\n```\n", "does not go with 'console'"),
        ("<!-- not run: a -->\n```text\na\n```\n", "does not go with 'text'"),
        ("<!-- not run: a -->\n\nText.\n\n```console\n$ true\n```\n", "right before no block"),
        ("<!-- file: a -->\n", "right before no block"),
    ],
)
def test_a_page_that_breaks_the_form_is_refused(text: str, why: str) -> None:
    with pytest.raises(PageError, match=why):
        list(steps(text))


@pytest.mark.parametrize(
    ("shows", "printed", "same"),
    [
        ((), "", True),
        ((), "a\n", False),
        (("a",), "a", True),
        (("a",), "a  \n", True),
        (("a", "b"), "a\n", False),
        (("a",), "a\nb\n", False),
        (("a", "..."), "a\n", True),
        (("...",), "", True),
        (("a", "...", "d"), "a\nb\nc\nd\n", True),
        (("a", "...", "d"), "a\nb\nc\n", False),
        (("a ... d",), "a b c d\n", True),
        (("a ... d",), "a b\nc d\n", False),
        (("a.c",), "abc\n", False),
    ],
)
def test_what_fits(shows: tuple[str, ...], printed: str, same: bool) -> None:
    assert fits(shows, printed) is same


LIES = """\
<!-- file: a.txt -->
```text
one
```

```console
$ mkdir sub && cd sub
$ export NAME=value
$ cat ../a.txt
two
$ echo "$NAME in ${PWD##*/}"
value in sub
$ false  # exit code 2
$ touch never
```
"""


@pytest.mark.slow
def test_a_page_that_lies_is_found(session: Session, tmp_path: Path) -> None:
    write_files(tmp_path, {"page.md": LIES})
    wrong = tell(str(tmp_path / "page.md"), session)
    assert [line.split(": ")[1].partition("\n")[0] for line in wrong] == [
        "$ cat ../a.txt",
        "$ false  # exit code 2",
    ]
    assert "prints:\none" in wrong[0]
    assert "ended with 1" in wrong[1]
    assert not (tmp_path / "work/sub/never").exists()


GITHUB = """\
<!-- test:
git init --quiet --bare "$MIRROR/octo/net.git"
mkdir -p "$WEB/github.com/octo"
echo weights > "$WEB/github.com/octo/a.pth"
-->
```console
$ git init --quiet
$ git commit --quiet --allow-empty --message First
$ git push --quiet https://github.com/octo/net main
$ git ls-remote https://github.com/octo/net
...	HEAD
...	refs/heads/main
$ python -c "import urllib.request as u; print(u.urlopen('https://github.com/octo/a.pth').read())"
b'weights\\n'
$ python -c "import urllib.request as u; u.urlopen('https://pypi.example.org')"  # exit code 1
...
urllib.error.HTTPError: HTTP Error 404: Not Found
```
<!-- test: test "$(cat "$ASKED")" = "GET github.com/octo/a.pth
GET pypi.example.org/" -->
"""


@pytest.mark.slow
def test_a_page_has_a_github(session: Session, tmp_path: Path) -> None:
    write_files(tmp_path, {"page.md": GITHUB})
    assert tell(str(tmp_path / "page.md"), session) == []
