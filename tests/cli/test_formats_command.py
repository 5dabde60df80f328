"""``hubpub check`` in every format, counted, coloured; ``hubpub rule`` as text."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from conftest import RunHubpub
from hubpub.cli.outputs import files_url, use_color
from hubpub.output.formats import FORMATS
from publishing import AROUND, write_files

BAD = 'dependencies = "torch"\nfrom pathlib import Path\ndef net():\n    return Path()\n'


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    """A repository with an error that can be mended, and two warnings."""
    root = tmp_path / "bad"
    write_files(root, {**AROUND, "hubconf.py": BAD})
    return root


def test_every_format_names_every_finding(hubpub: RunHubpub, bad: Path, tmp_path: Path) -> None:
    targets = [f"--output-format={name}:{tmp_path}/{name}" for name in FORMATS]
    done = hubpub("check", bad, *targets)
    assert (done.returncode, done.stdout) == (1, "")
    for name in FORMATS:
        text = (tmp_path / name).read_text(encoding="utf-8")
        for code in ("HUB102", "HUB203", "HUB201"):
            assert code in text, name
    (run,) = json.loads((tmp_path / "sarif").read_text())["runs"]
    assert all(rule["help"]["markdown"] for rule in run["tool"]["driver"]["rules"])


def test_statistics(hubpub: RunHubpub, bad: Path, tmp_path: Path) -> None:
    done = hubpub("check", bad, "--statistics", f"--output-format=json:{tmp_path}/all.json")
    assert done.returncode == 1
    assert done.stdout.splitlines()[0] == "1  HUB102  error    [*] dependencies-not-a-list"
    assert len(json.loads((tmp_path / "all.json").read_text())["diagnostics"]) == 3
    done = hubpub("check", bad, "--statistics", "--output-format", "json")
    assert [item["count"] for item in json.loads(done.stdout)["statistics"]] == [1, 1, 1]
    done = hubpub("check", bad, "--statistics", "--output-format", "sarif")
    assert done.returncode == 2
    assert "--statistics has no format sarif" in done.stderr


@pytest.mark.parametrize(
    ("environment", "options", "colored"),
    [
        ({}, [], False),
        ({"FORCE_COLOR": "1", "NO_COLOR": ""}, [], True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, [], False),
        ({"FORCE_COLOR": "1", "NO_COLOR": ""}, ["--color", "never"], False),
        ({"NO_COLOR": "1"}, ["--color", "always"], True),
    ],
)
def test_colors(
    environment: dict[str, str], options: list[str], colored: bool, hubpub: RunHubpub, bad: Path
) -> None:
    done = hubpub("check", bad, *options, env=environment)
    assert ("\x1b[" in done.stdout) == colored
    done = hubpub("rule", "HUB402", "--output-format", "text", *options, env=environment)
    assert ("\x1b[" in done.stdout) == colored


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_has_colors_where_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    assert use_color(Terminal())
    assert not use_color(io.StringIO())
    assert not use_color(None)
    assert use_color(None, "always")
    monkeypatch.setenv("NO_COLOR", "")
    assert use_color(Terminal())
    monkeypatch.setenv("TERM", "dumb")
    assert not use_color(Terminal())
    assert use_color(Terminal(), "always")


@pytest.mark.parametrize(
    ("changed", "below", "url"),
    [
        ({}, "", "https://github.com/octo/net/blob/{commit}"),
        ({}, "a b/c", "https://github.com/octo/net/blob/{commit}/a%20b/c"),
        ({}, "..", ""),
        ({"GITHUB_SHA": "main"}, "", ""),
        ({"GITHUB_REPOSITORY": "octo/net/../x"}, "", ""),
        ({"GITHUB_SERVER_URL": "javascript://github.com"}, "", ""),
        ({"GITHUB_WORKSPACE": ""}, "", ""),
    ],
)
def test_links_lead_to_the_commit_of_the_job(
    changed: dict[str, str], below: str, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = "0a" * 20
    job = {
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_REPOSITORY": "octo/net",
        "GITHUB_SHA": commit,
        "GITHUB_WORKSPACE": str(tmp_path),
    }
    for name, value in (job | changed).items():
        monkeypatch.setenv(name, value)
    assert files_url(tmp_path / below) == url.format(commit=commit)


def test_rule_as_text_and_markdown(hubpub: RunHubpub) -> None:
    text = hubpub("rule", "HUB402", "--output-format", "text", env={"COLUMNS": "50"})
    assert text.stdout.startswith("HUB402 unstamped-checkpoint\nwarning \N{MIDDLE DOT} fix: none")
    markdown = hubpub("rule", "HUB402", "--output-format", "markdown")
    assert markdown.stdout.startswith("# unstamped-checkpoint (HUB402)\n\nSeverity: warning")
    # Not at a terminal, Markdown is what another program can use.
    assert hubpub("rule", "HUB402").stdout == markdown.stdout
    (rule,) = json.loads(hubpub("rule", "HUB402", "--output-format", "json").stdout)["rules"]
    assert (rule["fix"], rule["family"], rule["since"]) == ("none", "checkpoints", "0.1.0")
