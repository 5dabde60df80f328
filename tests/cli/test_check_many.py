"""``hubpub check`` of many repositories, of an editor's text, and with settings from elsewhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import RunHubpub
from publishing import AROUND, clean_environment, write_files

GOOD = 'dependencies = ["torch"]\ndef net():\n    """A net."""\n    return object()\n'
BAD = 'dependencies = "torch"\nfrom pathlib import Path\ndef net():\n    return Path()\n'
ONLY = ("--select", "HUB1,HUB2", "--output-format", "concise")
HEAVY = {"multiprocessing", "concurrent.futures", "asyncio", "urllib.request"}


@pytest.fixture
def many(tmp_path: Path) -> Path:
    folder = tmp_path / "publishers"
    write_files(
        folder,
        {
            "b/hubconf.py": BAD,
            "a/hubconf.py": BAD,
            "good/hubconf.py": GOOD,
            "own/hubconf.py": BAD,
            "own/hubpub.toml": "select = ['HUB102']\n",
            **{
                f"{name}/{path}": AROUND[path]
                for name in ("a", "b", "good", "own")
                for path in AROUND
            },
        },
    )
    return folder


def test_many(hubpub: RunHubpub, many: Path) -> None:
    done = hubpub("check", many, *ONLY)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    places = [line.split(": ")[0] for line in lines]
    assert places[:3] == [
        "publishers/a/hubconf.py:1:16", "publishers/a/hubconf.py:2:21",
        "publishers/a/hubconf.py:3:5",
    ]  # fmt: skip
    assert [place.split("/")[1] for place in places] == [*"aaabbb", "own", "own", "own"]
    assert done.stderr == (
        "4 repositories: 3 errors, 6 warnings; "
        "3 can be mended with --fix (6 more with --unsafe-fixes)\n"
    )
    assert hubpub("check", many, *ONLY, "--jobs", "1").stdout == done.stdout
    assert hubpub("check", many / "b", many / "a", *ONLY).stdout.startswith("publishers/b/")


def test_many_as_json_keep_paths_and_name_roots(hubpub: RunHubpub, many: Path) -> None:
    found = json.loads(hubpub("check", "a", "own", "--output-format", "json", cwd=many).stdout)
    first, last = found["diagnostics"][0], found["diagnostics"][-1]
    assert (first["root"], first["path"]) == ("a", "hubconf.py")
    assert (last["root"], last["path"], last["code"]) == ("own", "hubconf.py", "HUB102")
    found = json.loads(hubpub("check", "--output-format", "json", cwd=many / "a").stdout)
    assert found["diagnostics"][0]["root"] == ""
    found = json.loads(
        hubpub("check", many / "a", "--output-format", "json", cwd=many / "b").stdout
    )
    assert found["diagnostics"][0]["root"] == (many / "a").as_posix()


def test_source_lines_of_many_are_shown(hubpub: RunHubpub, many: Path) -> None:
    done = hubpub("check", "a", "b", "--select", "HUB102", cwd=many)
    assert done.stdout.count('1 | dependencies = "torch"') == 2
    assert "--> b/hubconf.py:1:16" in done.stdout


def test_a_broken_configuration_hides_no_other(hubpub: RunHubpub, many: Path) -> None:
    write_files(many, {"a/hubpub.toml": "selct = []\n", "own/hubpub.toml": "select = ['HUB203']\n"})
    done = hubpub("check", many, *ONLY)
    assert done.returncode == 2
    assert (
        "error: publishers/a: hubpub.toml: top level: unknown key 'selct' (line 1)" in done.stderr
    )
    assert "publishers/b/hubconf.py" in done.stdout
    assert "publishers/a/hubconf.py" not in done.stdout
    alone = hubpub("check", many / "a", *ONLY)
    assert (alone.returncode, alone.stdout) == (2, "")


def test_a_mistake_of_the_command_line_is_said_once(hubpub: RunHubpub, many: Path) -> None:
    done = hubpub("check", many, "--select", "HUB999x")
    assert done.returncode == 2
    assert done.stderr.count("there is no rule 'HUB999x'") == 1


def test_fix_and_diff_of_many(hubpub: RunHubpub, many: Path) -> None:
    shown = hubpub("check", ".", "--diff", "--isolated", cwd=many)
    assert shown.returncode == 1
    assert shown.stderr == "3 files would change\n"
    copy = many.parent / "copy"
    for name in ("a", "b", "own"):
        write_files(copy, {f"{name}/hubconf.py": BAD})
    done = hubpub("check", many, "--fix", *ONLY)
    assert "mended 3 findings in 3 files" in done.stderr
    assert "changed publishers/a/hubconf.py" in done.stderr
    subprocess.run(
        ["git", "apply", "-"], input=shown.stdout, text=True, cwd=copy, check=True,
        env=clean_environment(many / "home") | {"GIT_DIR": str(many / "none")},
    )  # fmt: skip
    for name in ("a", "b", "own"):
        text = (many / name / "hubconf.py").read_text()
        assert text == BAD.replace('"torch"', '["torch"]')
        assert (copy / name / "hubconf.py").read_text() == text


def test_a_diff_of_other_encodings_can_be_applied(hubpub: RunHubpub, tmp_path: Path) -> None:
    data = b"# coding: latin-1\r\ndependencies = 'torch'  # \xfc\r\ndef net():\r\n    'A \xfc.'\r\n"
    write_files(tmp_path, {"hubconf.py": data})
    script = "import sys; from hubpub.cli import main; main()"
    patch = subprocess.run(
        [sys.executable, "-c", script, "check", "--diff", "--select", "HUB102"],
        cwd=tmp_path, env=clean_environment(tmp_path / "home"), capture_output=True,
    ).stdout  # fmt: skip
    env = clean_environment(tmp_path / "home") | {"GIT_DIR": str(tmp_path / "none")}
    subprocess.run(["git", "apply", "-"], input=patch, cwd=tmp_path, check=True, env=env)
    assert (tmp_path / "hubconf.py").read_bytes() == data.replace(b"'torch'", b'["torch"]')


def test_a_diff_in_a_ci_log_is_escaped(hubpub: RunHubpub, tmp_path: Path) -> None:
    text = 'dependencies = "torch"\n ::set-output name=x::y\n'
    write_files(tmp_path, {"README.md": "x"})
    write_files(tmp_path, {"hubconf.py": f'"""\n{text}\x1b[31m"""\n{BAD}'})
    plain = hubpub("check", "--diff", "--select", "HUB102", cwd=tmp_path)
    log = hubpub("check", "--diff", "--select", "HUB102", cwd=tmp_path, env={"CI": "true"})
    assert "\x1b[31m" in plain.stdout
    assert "\x1b" not in log.stdout
    assert not [line for line in log.stdout.splitlines() if line.strip().startswith("::")]
    assert "some lines are escaped" in log.stderr


def test_exclude_and_recursive(hubpub: RunHubpub, many: Path) -> None:
    write_files(many, {"a/sub/hubconf.py": BAD, "hubpub.toml": "exclude = ['b']\n"})
    done = hubpub("check", many, *ONLY, "--exclude", "own")
    assert {line.split("/hubconf")[0] for line in done.stdout.splitlines()} == {"publishers/a"}
    done = hubpub("check", "a", *ONLY, "--recursive", cwd=many)
    assert {line.split("/hubconf")[0] for line in done.stdout.splitlines()} == {"a", "a/sub"}


def test_add_ignore(hubpub: RunHubpub, many: Path) -> None:
    done = hubpub("check", many, "--add-ignore", "as it was", *ONLY)
    assert done.returncode == 0
    assert done.stderr.endswith("suppressed 9 findings in 3 files\n4 repositories: no findings\n")
    after = hubpub("check", many, "--select", "HUB0,HUB1,HUB2")
    assert (after.returncode, after.stdout) == (0, "")
    text = (many / "a" / "hubconf.py").read_text()
    assert text.startswith('dependencies = "torch"  # hubpub: ignore[HUB102] as it was\n')


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--add-ignore", "x", "--fix"), "--add-ignore goes with neither --fix nor --diff"),
        (("--add-ignore", ""), "it is empty"),
        (("--config", "x.toml", "--isolated"), "contradict each other"),
        (("--config", "nowhere.toml"), "nowhere.toml does not exist"),
        (("--stdin-filename", "hubconf.py"), "--stdin-filename needs - as the path"),
        (("-",), "--stdin-filename"),
        (("-", "--stdin-filename", "/nowhere/x.py"), "no hubconf.py in the folders above"),
        (("--jobs", "0"), "0"),
    ],
)
def test_usage(arguments: tuple[str, ...], said: str, hubpub: RunHubpub, many: Path) -> None:
    done = hubpub("check", *arguments, cwd=many / "a")
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert (many / "a" / "hubconf.py").read_text() == BAD


def test_settings_from_elsewhere(hubpub: RunHubpub, many: Path) -> None:
    write_files(many, {"strict.toml": "select = ['HUB203']\nfail-on = 'error'\n"})
    done = hubpub("check", "own", "--config", "strict.toml", "--output-format", "concise", cwd=many)
    assert done.returncode == 0
    assert "HUB203" in done.stdout
    done = hubpub("check", "own", "--isolated", *ONLY, cwd=many)
    assert "HUB203" in done.stdout
    write_files(many, {"strict.toml": "\nselect = ['HUB20x']\n"})
    done = hubpub("check", "own", "--config", "strict.toml", cwd=many)
    assert done.returncode == 2
    assert "strict.toml: line 2: there is no rule 'HUB20x'" in done.stderr
    write_files(many, {"own/pyproject.toml": "[tool.hubpub]\n"})
    done = hubpub("check", "own", *ONLY, cwd=many)
    assert "note: hubpub.toml is used; [tool.hubpub] in pyproject.toml is not" in done.stderr


def test_exit_zero(hubpub: RunHubpub, many: Path) -> None:
    assert hubpub("check", many / "a", "--exit-zero").returncode == 0
    assert hubpub("check", many, "--exit-zero").returncode == 0
    assert hubpub("check", many / "nowhere", "--exit-zero").returncode == 2


def test_unsafe_fixes_are_counted(hubpub: RunHubpub, tmp_path: Path) -> None:
    from hubpub.diagnostic import Diagnostic, Edit, Fix, Severity, Span
    from hubpub.output.text import summary

    span = Span(1, 1, 1, 2)

    def one(safe: bool) -> Diagnostic:
        fix = Fix("x", safe, (Edit("a.py", span, ""),))
        return Diagnostic("a.py", span, "HUB402", "x", Severity.WARNING, "m", fix=fix)

    both = [one(True), one(False), one(False)]
    assert summary(both).endswith("; 1 can be mended with --fix (2 more with --unsafe-fixes)")
    assert summary(both, unsafe=True).endswith("; 3 can be mended with --fix")
    assert summary(both[1:]).endswith("; 2 can be mended with --fix --unsafe-fixes")


# --- the text of an editor ------------------------------------------------------------------------


def typed(
    folder: Path, data: bytes, name: str, *options: str
) -> subprocess.CompletedProcess[bytes]:
    """Check ``data`` as what an editor holds of the file ``name``."""
    return subprocess.run(
        [sys.executable, "-m", "hubpub", "check", "-", "--stdin-filename", name, *options],
        input=data,
        cwd=folder,
        env=clean_environment(folder / ".home"),
        capture_output=True,
    )


def test_stdin(tmp_path: Path) -> None:
    write_files(tmp_path, {"net/hubconf.py": f"import nets\n{GOOD}", "net/nets.py": "x = 1\n"})
    done = typed(tmp_path, BAD.encode(), "net/hubconf.py", *ONLY)
    assert done.returncode == 1
    assert done.stdout.startswith(b"net/hubconf.py:1:16: error[HUB102]")
    # Another module: its repository is found above it, and the rest is read from the disk.
    done = typed(tmp_path, b"import numpy\n", "net/nets.py", *ONLY)
    assert done.stdout.startswith(b"net/nets.py:1:8: error[HUB105] numpy")
    done = typed(tmp_path, b"x = 2\n", str(tmp_path / "net" / "nets.py"), *ONLY)
    assert (done.returncode, done.stdout) == (0, b"")
    done = typed(tmp_path, b"import numpy\n", "net/other.py", *ONLY)
    assert (done.returncode, done.stdout) == (0, b"")
    assert b"hubconf.py does not reach other.py" in done.stderr


def test_stdin_of_a_file_that_is_not_there_yet(tmp_path: Path) -> None:
    done = typed(tmp_path, BAD.encode(), "hubconf.py", "--output-format", "json")
    found = json.loads(done.stdout)["diagnostics"]
    assert {item["path"] for item in found} == {"hubconf.py"}
    assert {"HUB102", "HUB203"} <= {item["code"] for item in found}
    assert os.listdir(tmp_path) == [".home"]  # noqa: PTH208


def test_columns_count_characters(tmp_path: Path) -> None:
    data = f's = "日本"; from pathlib import Path\n{GOOD}'.encode()
    done = typed(tmp_path, data, "hubconf.py", "--select", "HUB203", *ONLY[2:])
    assert done.stdout.startswith(b"hubconf.py:1:31: ")


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_stdin_fixed_to_stdout(tmp_path: Path, end: str) -> None:
    data = b"\xef\xbb\xbf" + BAD.replace("\n", end).encode()
    write_files(tmp_path, {"hubconf.py": "old\n"})
    done = typed(tmp_path, data, "hubconf.py", "--fix", *ONLY)
    assert done.returncode == 1
    assert done.stdout == data.replace(b'"torch"', b'["torch"]')
    assert b"HUB203" in done.stderr
    assert (tmp_path / "hubconf.py").read_text() == "old\n"
    done = typed(tmp_path, GOOD.encode(), "hubconf.py", "--fix", *ONLY)
    assert (done.returncode, done.stdout) == (0, GOOD.encode())
    done = typed(tmp_path, data, "hubconf.py", "--diff", *ONLY)
    assert b'\n+\xef\xbb\xbfdependencies = ["torch"]' in done.stdout


@pytest.mark.parametrize("data", [b"\0", b"\xff\xfe", b"(" * 10_000, b"x" * (9 << 20)])
def test_stdin_of_anything(tmp_path: Path, data: bytes) -> None:
    for options in ((), ("--fix",)):
        done = typed(tmp_path, data, "hubconf.py", *options, *ONLY)
        assert done.returncode in {0, 1}, done.stderr
        if options and len(data) < 1 << 20:
            assert done.stdout == data


# --- what a shell completes, and what is imported ------------------------------------------------


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("hubpub ch", {"check"}),
        ("hubpub check --unsafe", {"--unsafe-fixes"}),
        ("hubpub check --select HUB40", {"HUB402", "HUB404"}),
        ("hubpub check --ignore HUB1,missing-doc", {"HUB1,missing-docstring"}),
        ("hubpub check --fail-on e", {"error"}),
    ],
)
def test_a_shell_completes(line: str, words: set[str], tmp_path: Path) -> None:
    env = clean_environment(tmp_path) | {
        "_HUBPUB_COMPLETE": "bash_complete",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(line.split()) - 1),
    }
    done = subprocess.run([sys.executable, "-m", "hubpub"], env=env, capture_output=True, text=True)
    assert words <= {item.partition(",")[2] for item in done.stdout.splitlines()}, done.stderr


def test_one_repository_needs_no_processes(tmp_path: Path) -> None:
    write_files(tmp_path, {"net/hubconf.py": GOOD, "more/a/hubconf.py": GOOD})
    program = (
        "import sys; from hubpub.cli import run; run(sys.argv[1:]); "
        f"print(sorted({HEAVY!r} & set(sys.modules)))"
    )

    def loaded(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", program, "check", *arguments],
            cwd=tmp_path, env=clean_environment(tmp_path / "home"), capture_output=True, text=True,
        )  # fmt: skip
        return done.stdout.splitlines()[-1]

    assert loaded("net") == "[]"
    assert loaded("net", "--diff", "--no-cache") == "[]"
    assert "multiprocessing" in loaded("more", "net")
