"""``hubpub check``, ``list`` and ``rule`` as a user runs them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from conftest import RunHubpub
from publishing import AROUND, write_files

GOOD = 'dependencies = ["torch"]\ndef net():\n    """A net."""; return object()\n'
BAD = 'dependencies = "torch"\nfrom pathlib import Path\ndef net():\n    return Path()\n'


def write(root: Path, text: str) -> Path:
    write_files(root, {**AROUND, "hubconf.py": text})
    return root


def test_clean(hubpub: RunHubpub, tmp_path: Path) -> None:
    done = hubpub("check", cwd=write(tmp_path, GOOD))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "no findings\n")


def test_findings_on_stdout_and_the_rest_on_stderr(hubpub: RunHubpub, tmp_path: Path) -> None:
    done = hubpub("check", write(tmp_path, BAD), "--output-format", "concise")
    assert done.returncode == 1
    found = re.findall(r"^hubconf.py:(\d+):\d+: (\w+)\[(HUB\d+)\]", done.stdout, re.MULTILINE)
    assert found == [
        ("1", "error", "HUB102"),
        ("2", "warning", "HUB203"),
        ("3", "warning", "HUB201"),
    ]
    assert (
        done.stderr
        == "1 error, 2 warnings; 1 can be mended with --fix (2 more with --unsafe-fixes)\n"
    )


def test_json_and_a_file_in_one_run(hubpub: RunHubpub, tmp_path: Path) -> None:
    write(tmp_path, BAD)
    out = tmp_path / "out.txt"
    done = hubpub("check", tmp_path, "--output-format", "json", "--output-format", f"full:{out}")
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert found["version"] == 1
    assert [item["code"] for item in found["diagnostics"]] == ["HUB102", "HUB203", "HUB201"]
    first = found["diagnostics"][0]
    assert (first["path"], first["line"], first["column"], first["end_column"]) == (
        "hubconf.py", 1, 16, 23,
    )  # fmt: skip
    assert first["fix"]["safety"] == "safe"
    assert out.read_text().startswith("error[HUB102] dependencies-not-a-list: ")


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ([], 1),
        (["--fail-on", "error"], 1),
        (["--ignore", "HUB102", "--fail-on", "error"], 0),
        (["--ignore", "HUB1,HUB2"], 0),
        (["--select", "missing-docstring"], 1),
        (["--select", "HUB4"], 0),
        (["--select", "HUB4", "--extend-select", "HUB201"], 1),
    ],
)
def test_exit_status(options: list[str], status: int, hubpub: RunHubpub, tmp_path: Path) -> None:
    assert hubpub("check", write(tmp_path, BAD), *options).returncode == status


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["check", "nowhere"], "nowhere does not exist"),
        (["check", "file.txt"], "file.txt is not a directory"),
        (["check", "--select", "HUB9999"], "there is no rule 'HUB9999'"),
        (["check", "--ignore", "missing-docstrin"], "did you mean missing-docstring?"),
        (["check", "--output-format", "xml"], "no such output format"),
        (["check", "--output-format", "json", "--output-format", "full"], "only one output format"),
        (["check", "--output-format", "json:no/such/place.json"], "no directory"),
        (["check", "--fail-on", "never"], "never"),
        (["list", "nowhere"], "nowhere does not exist"),
        (["rule"], "give one rule, or --all"),
        (["rule", "HUB40"], "there is no rule 'HUB40'"),
        (["rule", "leaked-imports"], "did you mean leaked-import?"),
    ],
)
def test_usage(arguments: list[str], said: str, hubpub: RunHubpub, tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    (tmp_path / "file.txt").write_text("")
    done = hubpub(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_settings_of_the_repository(hubpub: RunHubpub, tmp_path: Path) -> None:
    write(tmp_path, BAD)
    (tmp_path / "pyproject.toml").write_text(
        '[tool.hubpub]\nselect = ["HUB2"]\nfail-on = "error"\n'
        'ignore = { leaked-import = "we mean it" }\n'
    )
    done = hubpub("check", tmp_path, "--output-format", "concise")
    assert (done.returncode, done.stdout.count("\n")) == (0, 1)
    assert "HUB201" in done.stdout
    (tmp_path / "pyproject.toml").write_text("[tool.hubpub]\nselect = 3\n")
    assert hubpub("check", tmp_path).returncode == 2


def test_fix_and_diff(hubpub: RunHubpub, tmp_path: Path) -> None:
    root = write(tmp_path, BAD)
    shown = hubpub("check", root, "--diff")
    assert shown.returncode == 1
    assert '-dependencies = "torch"\n+dependencies = ["torch"]\n' in shown.stdout
    assert (root / "hubconf.py").read_text() == BAD
    done = hubpub("check", root, "--fix", "--output-format", "concise")
    assert done.returncode == 1
    assert "HUB102" not in done.stdout
    assert "changed hubconf.py" in done.stderr
    assert (root / "hubconf.py").read_text() == BAD.replace('"torch"', '["torch"]')
    again = hubpub("check", root, "--diff")
    assert (again.returncode, again.stdout) == (0, "")


def test_the_hubconf_itself_may_be_named(hubpub: RunHubpub, tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    assert hubpub("check", tmp_path / "hubconf.py").returncode == 0


def test_list_as_json(hubpub: RunHubpub, tmp_path: Path) -> None:
    (tmp_path / "nets.py").write_text("def deep(a, *, b): pass\nmade = unknown()\n")
    text = (
        f"from functools import partial\nfrom nets import deep\n{GOOD}small = partial(net)\n"
        "import os\nglobals()[os.environ['X']] = 1\n"
    )
    done = hubpub("list", "--output-format", "json", write(tmp_path, text))
    assert done.returncode == 0
    found = json.loads(done.stdout)
    assert found["version"] == 1
    assert found["entrypoints"] == [
        {
            "name": "deep", "kind": "function", "certainty": "certain", "origin": "repository",
            "path": "nets.py", "line": 1, "docstring": False, "required": ["a", "b"], "leak": False,
        },
        {
            "name": "net", "kind": "function", "certainty": "certain", "origin": "hubconf",
            "path": "hubconf.py", "line": 4, "docstring": True, "required": [], "leak": False,
        },
        {
            "name": "partial", "kind": "class", "certainty": "certain",
            "origin": "standard library", "path": "hubconf.py", "line": 1, "docstring": True,
            "required": [], "leak": True,
        },
        {
            "name": "small", "kind": "partial", "certainty": "certain", "origin": "hubconf",
            "path": "hubconf.py", "line": 4, "docstring": True, "required": [], "leak": False,
        },
    ]  # fmt: skip
    assert found["dynamic"] == [
        {"path": "hubconf.py", "line": 8, "reason": "a name that is made at import"}
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [(None, "no hubconf.py"), ("def (\n", "hubconf.py:1"), ("x = 1\n", "no entrypoint")],
)
def test_list_of_nothing(text: str | None, said: str, hubpub: RunHubpub, tmp_path: Path) -> None:
    if text is not None:
        write(tmp_path, text)
    done = hubpub("list", tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr


def test_list_says_where_the_import_fails(hubpub: RunHubpub, tmp_path: Path) -> None:
    done = hubpub("list", write(tmp_path, f"from . import nets\n{GOOD}"))
    assert (done.returncode, done.stdout.split()[0]) == (0, "net")
    assert "hubconf.py:1: importing hubconf.py seems to fail: attempted relative" in done.stderr


def test_rule(hubpub: RunHubpub) -> None:
    by_code = hubpub("rule", "HUB402")
    assert by_code.returncode == 0
    assert by_code.stdout.startswith("# unstamped-checkpoint (HUB402)\n")
    assert hubpub("rule", "unstamped-checkpoint").stdout == by_code.stdout
    every = hubpub("rule", "--all")
    assert [line.split()[0] for line in every.stdout.splitlines()] == sorted(
        re.findall(r"^HUB\d{3}", every.stdout, re.MULTILINE)
    )
    found = json.loads(hubpub("rule", "--all", "--output-format", "json").stdout)
    assert {"code", "name", "severity", "summary", "document"} <= set(found["rules"][0])
