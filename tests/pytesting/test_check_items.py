"""``pytest --hubpub``: what check finds, as tests, in sessions of the real pytest."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from sessions import CLEAN, Session, command, environment, session

from hubpub import rules
from hubpub.cli import reading
from hubpub.errors import UsageError
from publishing import Files, write_files

CODES = sorted(rule.code for rule in rules.all_rules() if rule.code != "HUB414")
HUBCONF = str(CLEAN["hubconf.py"])
NUMPY: Files = {
    **CLEAN,
    "hubconf.py": HUBCONF.replace("\n\n\n", "\nimport numpy as _np\n\n\n"),
}
SUPPRESSED: Files = {
    **NUMPY,
    "hubconf.py": str(NUMPY["hubconf.py"]).replace("_np", "_np  # hubpub: ignore[HUB105] why not"),
}
HOSTILE = "x\\x1b[31mRED\\u202e::error::\\udc80"
STRICT = (
    "[pytest]\naddopts = --strict-config --strict-markers -W error\nfilterwarnings = error\n"
    "testpaths = tests\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "net"
    path.mkdir()
    return path


@pytest.mark.parametrize("arguments", [(), ("-p", "no:hubpub"), ("-n", "1")], ids=repr)
def test_without_the_option_nothing_changes(
    arguments: Sequence[str], folder: Path, home: Path
) -> None:
    write_files(folder, {**NUMPY, "pytest.ini": STRICT})
    done = session(folder, *arguments, home=home)
    assert (done.code, done.counts()) == (0, {"passed": 1}), done.text
    assert "hubpub:" not in done.text


LOADED = """
import json, sys
import pytest
code = pytest.main(json.loads(sys.argv[1]))
sys.stderr.write("LOADED " + " ".join(sorted(sys.modules)))
sys.exit(int(code))
"""


@pytest.mark.parametrize(
    ("arguments", "ours"),
    [
        ((), {"hubpub", "hubpub.pytesting"}),
        (("-p", "no:hubpub"), set()),
    ],
    ids=["on", "off"],
)
def test_at_its_start_pytest_loads_the_options_alone(
    arguments: Sequence[str], ours: set[str], folder: Path, home: Path
) -> None:
    write_files(folder, CLEAN)
    done = subprocess.run(
        [sys.executable, "-c", LOADED, json.dumps(["-q", "-p", "no:xdist", *arguments])],
        cwd=folder,
        env=environment(home),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    loaded = set(done.stderr.rpartition("LOADED ")[2].split())
    assert {name for name in loaded if name.split(".")[0] == "hubpub"} == ours
    assert not loaded & {"click", "libcst", "torch", "jsonschema", "jinja2", "git", "h11"}


def test_a_clean_repository_passes_a_test_for_each_rule(folder: Path, home: Path) -> None:
    write_files(folder, {**CLEAN, "pytest.ini": STRICT})
    done = session(folder, "--hubpub", home=home)
    assert done.code == 0, done.text
    assert done.of("passed") == {"test_mine", *CODES}
    assert re.search(r"^hubpub: \S+, check: .*/hubconf\.py$", done.text, re.MULTILINE)


ROWS: list[tuple[str, Files, Sequence[str], set[str], Sequence[str]]] = [
    # what there is, options -> which tests fail, what is printed
    (
        "a finding", NUMPY, (), {"HUB105"},
        ["error[HUB105] undeclared-dependency: numpy is imported", " --> hubconf.py:3:8",
         "3 | import numpy as _np", "help: add \"numpy\" to dependencies",
         "FAILED hubconf.py::hubpub::check::HUB105 - numpy is imported"],
    ),
    ("a suppressed one", SUPPRESSED, (), set(), []),
    (
        "others are selected", {**NUMPY, "hubpub.toml": 'select = ["HUB2", "HUB3"]'}, (), set(), [],
    ),
    (
        "a note that fails nothing",
        {name: text for name, text in CLEAN.items() if name != "LICENSE"}, (), set(),
        ["hubpub: what fails no test", "hubconf.py:1:1: note[HUB605] the repository has no lic"],
    ),
    (
        "a note that fails",
        {**{name: text for name, text in CLEAN.items() if name != "LICENSE"},
         "hubpub.toml": 'fail-on = "note"'},
        (), {"HUB605"}, ["note[HUB605] no-licence"],
    ),
    ("a syntax error", {**CLEAN, "hubconf.py": "def (:\n"}, (), {"HUB001"}, ["hubconf.py:1:5"]),
    ("a name of its rule", NUMPY, ("-k", "undeclared-dependency"), {"HUB105"}, []),
    ("another rule", NUMPY, ("-k", "HUB402"), set(), []),
    ("the id of its test", NUMPY, ("hubconf.py::hubpub::check::HUB105",), {"HUB105"}, []),
    ("the file alone", NUMPY, ("hubconf.py",), {"HUB105"}, []),
    ("the marker", NUMPY, ("-m", "hubpub"), {"HUB105"}, []),
    ("two processes", NUMPY, ("-n", "2"), {"HUB105"}, ["error[HUB105]", "numpy is imported"]),
    (
        "the root is a package that cannot be imported",
        {**NUMPY, "__init__.py": "raise RuntimeError('mine')\n"}, ("hubconf.py",), {"HUB105"}, [],
    ),
    (
        "hubconf.py is no module of tests",
        {**CLEAN, "hubconf.py": f"raise RuntimeError('mine')\n{HUBCONF}"},
        ("hubconf.py",), set(), [],
    ),
    (
        "hostile words",
        {**CLEAN, "hubconf.py": f'{HUBCONF}\n\ndef _none():\n    """No."""\n\n\n'
                                f'globals()["{HOSTILE}"] = _none\n'},
        (), {"HUB204"}, ["x\\x1b[31mRED\\u202e::error::\\udc80"],
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("files", "arguments", "failed", "printed"), [row[1:] for row in ROWS],
    ids=[row[0] for row in ROWS],
)  # fmt: skip
def test_findings_are_failed_tests(
    files: Files,
    arguments: Sequence[str],
    failed: set[str],
    printed: Sequence[str],
    folder: Path,
    home: Path,
) -> None:
    write_files(folder, {**files, "pytest.ini": STRICT})
    done = session(folder, "--hubpub", *arguments, home=home)
    assert done.of("failed") == failed, done.text
    assert done.code == (1 if failed else 5 if not done.outcomes else 0)
    assert done.of("error") == set()
    for text in printed:
        assert text in done.text
    assert "Traceback" not in done.text
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202e]", done.text)
    assert list(environment_left(home)) == []


def environment_left(home: Path) -> list[str]:
    """What a session has left of hubpub's own."""
    return [path.name for path in (home / "tmp").iterdir() if path.name.startswith("hubpub")]


UNUSABLE: list[tuple[str, Files, Mapping[str, str], Sequence[str], str]] = [
    ("no hubconf.py", {"tests/test_a.py": ""}, {}, (), "there is no hubconf.py in "),
    ("a folder", {"hubconf.py/a.py": ""}, {}, (), "there is no hubconf.py in "),
    ("a wrong key", {**CLEAN, "hubpub.toml": "selekt = 1"}, {}, (), "did you mean 'select'?"),
    ("no TOML", {**CLEAN, "hubpub.toml": "\x1b[31m="}, {}, (), "hubpub: hubpub.toml is not valid"),
    ("half an option", CLEAN, {}, ("--hubpub-committed",), "add --hubpub-verify"),
    ("args of what is not run", CLEAN, {}, ("--hubpub-args=--fresh",), "add --hubpub-verify"),
    ("a quote", CLEAN, {}, ("--hubpub-verify", "--hubpub-args='"), "No closing quotation"),
    ("no option", CLEAN, {}, ("--hubpub-verify", "--hubpub-args=--devise"), "No such option"),
    ("a part", CLEAN, {}, ("--hubpub-verify", "--hubpub-args=--shard 1/2"), "select with -k"),
    ("in the ini", CLEAN, {"hubpub_args": "--devise"}, ("--hubpub-verify",), "No such option"),
    ("two of them", {**CLEAN, "a/hubconf.py": ""}, {}, ("hubconf.py", "a/hubconf.py"), "2 files"),
    ("no such root", CLEAN, {"hubpub_root": "sub"}, (), "hubconf.py in "),
]


@pytest.mark.parametrize(
    ("files", "ini", "arguments", "said"), [row[1:] for row in UNUSABLE],
    ids=[row[0] for row in UNUSABLE],
)  # fmt: skip
def test_what_cannot_be_done_is_a_usage_error(
    files: Files,
    ini: Mapping[str, str],
    arguments: Sequence[str],
    said: str,
    folder: Path,
    home: Path,
) -> None:
    lines = "".join(f"{key} = {value}\n" for key, value in ini.items())
    write_files(folder, {**files, "pytest.ini": f"[pytest]\n{lines}"})
    done = session(folder, "--hubpub", *arguments, home=home)
    assert done.code == 4, done.text + done.errors
    assert said in done.errors
    assert done.errors.startswith("ERROR: ")
    assert "Traceback" not in done.text + done.errors
    assert "\x1b" not in done.errors
    assert environment_left(home) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("--device tpu", "--device 'tpu' is no device"),
        ("--require x", "there is no axis x"),
        ("--skip loads", "nothing is proven"),
        ("--memory x", "Invalid value for '--memory'"),
        ("--allow-host http://x/y", "http://x/y"),
        ("--sandbox none", "as you"),
        ("octo/net", "extra argument"),
        ("--help", "only options are read here"),
        ("--", "only options are read here"),
    ],
)
def test_options_of_verify_are_judged_before_anything_runs(arguments: str, said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        reading.of_verify([".", *arguments.split()])


def test_options_of_verify_that_are_right() -> None:
    params = reading.of_verify([".", "--device", "cpu", "--skip", "pickles", "--jobs", "2"])
    assert (params["device"], params["skip"], params["jobs"]) == ("cpu", ("pickles",), 2)


@pytest.mark.parametrize(
    ("where", "arguments", "ours"),
    [
        (".", (), True),
        (".", (".", "tests"), True),
        (".", ("tests/test_mine.py",), False),
        (".", ("tests", "hubconf.py"), True),
        ("tests", (), True),
        ("tests", ("test_mine.py::test_mine",), False),
    ],
    ids=repr,
)
def test_paths_that_are_given_are_kept(
    where: str, arguments: Sequence[str], ours: bool, folder: Path, home: Path
) -> None:
    write_files(folder, {**CLEAN, "pytest.ini": STRICT})
    done = session(folder / where, "--hubpub", *arguments, home=home)
    assert done.code == 0, done.text
    assert done.of("passed") == {"test_mine", *(CODES if ours else ())}
    assert ("hubconf.py is not among the paths" in done.text) is not ours


def test_plugins_can_be_named(folder: Path, home: Path) -> None:
    write_files(folder, NUMPY)
    extra = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    arguments = ("-p", "hubpub.pytesting", "--hubpub", "-k", "HUB105")
    assert session(folder, *arguments, home=home, extra=extra).of("failed") == {"HUB105"}


def test_one_process_of_xdist_takes_them_by_file(folder: Path, home: Path) -> None:
    """One reads the repository, and not each of them."""
    write_files(folder, NUMPY)
    done = session(folder, "--hubpub", "-n", "2", "--dist", "loadfile", "-v", home=home)
    assert done.of("failed") == {"HUB105"}
    ours = re.findall(r"^\[(gw\d)\] .* hubconf\.py::hubpub", done.text, re.MULTILINE)
    assert len(ours) == len(CODES)
    assert len(set(ours)) == 1


def test_a_repository_below_the_root_of_pytest(folder: Path, home: Path) -> None:
    below = {f"net/{name}": text for name, text in NUMPY.items() if not name.startswith("tests")}
    ini = "[pytest]\nhubpub_root = net\n"
    write_files(folder, {**below, "tests/test_mine.py": CLEAN["tests/test_mine.py"],
                         "pytest.ini": ini})  # fmt: skip
    done = session(folder, "--hubpub", home=home)
    assert "FAILED net/hubconf.py::hubpub::check::HUB105 - numpy" in done.text
    assert " --> net/hubconf.py:3:8" in done.text
    write_files(folder, {"pytest.ini": "[pytest]\n"})
    named = session(folder, "--hubpub", "net/hubconf.py::hubpub::check::HUB105", home=home)
    assert named.outcomes == {"net.hubconf.hubpub.check::HUB105": "failed"}


def test_a_repository_beside_the_root_of_pytest(folder: Path, home: Path) -> None:
    files = {f"net/{name}": text for name, text in NUMPY.items() if not name.startswith("tests")}
    mine, ini = CLEAN["tests/test_mine.py"], "[pytest]\nhubpub_root = ../net\n"
    write_files(folder, {**files, "tests/test_mine.py": mine, "tests/pytest.ini": ini})
    done = session(folder / "tests", "--hubpub", home=home)
    assert done.of("failed") == {"HUB105"}, done.errors
    assert done.counts() == {"failed": 1, "passed": len(CODES)}


def test_only_what_failed_is_run_again(folder: Path, home: Path) -> None:
    write_files(folder, {name: text for name, text in NUMPY.items() if name != "README.md"})
    assert session(folder, "--hubpub", home=home).of("failed") == {"HUB105"}
    # pytest has left a README.md in its cache, which is not what is published.
    note = session(folder, "--hubpub", "-k", "HUB606", home=home)
    assert "\nhubconf.py:1:1: note[HUB606] no README shows" in note.text
    again = session(folder, "--hubpub", "--last-failed", home=home)
    assert "HUB606" not in again.text
    assert again.outcomes == {"hubconf.hubpub.check::HUB105": "failed"}
    write_files(folder, CLEAN)  # mended
    mended = session(folder, "--hubpub", "--last-failed", home=home)
    assert mended.outcomes == {"hubconf.hubpub.check::HUB105": "passed"}


def test_the_ids_of_what_is_collected(folder: Path, home: Path) -> None:
    hubconf = (
        'dependencies = ["torch"]\nfrom torchvision.models import resnet18\n\n\n'
        'def net(pretrained: bool = False, x=1):\n    """A net."""\n\n\n'
        'def old(pretrained=True):\n    """A net."""\n\n\n'
        'def both(weights: "Weights | None" = None):\n    """A net."""\n\n\n'
        'def needs(x):\n    """A net."""\n\n\n'
        f'globals()["{HOSTILE}"] = net\nglobals()["{"y" * 300}"] = net\n'
    )
    settings = (
        "[verify.entrypoints.needs]\ncases = [{ name = 'wide-2', args = [2] }]\n"
        "[verify.entrypoints.old]\ndevices = ['cuda']\n"
    )
    files = {**CLEAN, "hubconf.py": hubconf, "hubpub.toml": settings}
    write_files(folder, files)
    done = session(
        folder, "--hubpub-verify", "--hubpub-args=--device cpu", "-k", "verify",
        "--collect-only", "-q", home=home,
    )  # fmt: skip
    ids = [line.partition("hubconf.py::hubpub::verify::")[2] for line in done.text.splitlines()]
    names = [name for name in ids if name]
    hostile = "x\\x1b\\x5b31mRED\\u202e\\x3a\\x3aerror\\x3a\\x3a\\udc80"
    long = [name for name in names if name.startswith("y" * 80)]
    assert len(long) == 2, done.text + done.errors
    assert [name for name in names if name not in long] == [
        "run",
        "both[default-cpu]",
        "both[pretrained-cpu]",
        "needs[wide-2-cpu]",
        "net[default-cpu]",
        "net[pretrained-cpu]",
        "resnet18[default-cpu]",
        f"{hostile}[default-cpu]",
        f"{hostile}[pretrained-cpu]",
    ]


def test_a_failure_has_its_place_for_editors(folder: Path, home: Path) -> None:
    write_files(folder, NUMPY)
    line = session(folder, "--hubpub", "--tb=line", home=home)
    assert re.search(r"^\S*hubconf\.py:3: numpy is imported when hubconf", line.text, re.MULTILINE)


def test_junit_has_the_finding_as_the_message(folder: Path, home: Path) -> None:
    write_files(folder, NUMPY)
    done: Session = session(folder, "--hubpub", home=home)
    message, _, text = done.said["HUB105"].partition("\n")
    assert message == ("numpy is imported when hubconf.py is imported and is not in dependencies")
    assert text.startswith("error[HUB105] undeclared-dependency: numpy is imported")


def test_help_names_the_options(folder: Path, home: Path) -> None:
    done = subprocess.run(
        command("--help", "--hubpub"), cwd=folder, env=environment(home), capture_output=True,
        text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for name in ("--hubpub", "--hubpub-verify", "--hubpub-committed", "--hubpub-args=ARGS",
                 "hubpub_root", "hubpub_args"):  # fmt: skip
        assert name in done.stdout
