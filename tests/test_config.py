"""[tool.hubpub] and hubpub.toml: every key, every way to get one wrong, and hostile files."""

from __future__ import annotations

import datetime as dt
import importlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator, Draft202012Validator

from conftest import ROOT
from hubpub import config
from hubpub.config import EntrypointSettings, Settings, Skip, load, load_file
from hubpub.config.lines import line_of, line_of_text
from hubpub.config.publishing import tool_schema
from hubpub.diagnostic import Severity
from hubpub.errors import ConfigError
from publishing import Files, Link, write_files

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SKIP = """
[verify.entrypoints.big]
skip = {{ reason = "needs 80 GB", until = {until} }}
"""


def settings(folder: Path, text: str) -> Settings:
    """What the text of a hubpub.toml gives."""
    write_files(folder, {"hubpub.toml": text})
    return load(folder)


def refused(folder: Path, text: str) -> ConfigError:
    """The error that the text of a hubpub.toml gives."""
    with pytest.raises(ConfigError) as error:
        settings(folder, text)
    assert error.value.exit_code == 2
    return error.value


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(config.schema())
    Draft7Validator.check_schema(tool_schema("hubpub"))


def properties(schema: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every property that a schema describes, at any depth."""
    for name, item in schema.get("properties", {}).items():
        yield f"{path}.{name}", item
        yield from properties(item, f"{path}.{name}")
    for name, item in schema.get("$defs", {}).items():
        yield from properties(item, f"{path}.{name}")


def test_every_property_is_described_and_its_examples_are_valid(tmp_path: Path) -> None:
    schema = config.schema()
    found = dict(properties(schema))
    assert len(found) > 12
    for name, item in found.items():
        assert item["description"].endswith("."), name
        assert item["examples"], name
        rest = {"$schema": schema["$schema"], "$defs": schema["$defs"]}
        for example in item["examples"]:
            Draft202012Validator({**item, **rest}).validate(example)


def test_the_schema_keeps_to_words_that_both_drafts_have() -> None:
    """In draft-07 whatever stands beside a $ref does not count, and newer words mean nothing."""

    def judge(item: Any) -> None:
        if isinstance(item, dict):
            assert "$ref" not in item or set(item) == {"$ref"}
            newer = {"dependentRequired", "unevaluatedProperties", "prefixItems", "$dynamicRef"}
            assert not newer & set(item)
            for value in item.values():
                judge(value)

    judge(config.schema())


VALID_TABLE = """
[tool.hubpub]
select = ["HUB1"]
fail-on = "error"
exclude = ["third_party"]
[tool.hubpub.ignore]
HUB605 = "the licence is elsewhere"
[tool.hubpub.verify.entrypoints.big]
skip = { reason = "needs 80 GB", until = 2027-01-31 }
"""


@pytest.mark.parametrize(
    ("table", "wrong"),
    [
        (VALID_TABLE, ""),
        ("[tool.hubpub]\n", ""),
        ("[tool.hubpub]\nselct = []\n", "selct"),
        ("[tool.hubpub]\nfail-on = 'never'\n", "fail-on"),
        ("[tool.hubpub.verify.entrypoints.a]\nskip = {reason = 'x'}\n", "skip"),
    ],
)
def test_validate_pyproject_judges_the_table(tmp_path: Path, table: str, wrong: str) -> None:
    """The real validate-pyproject, with the plugin that pyproject.toml names for it."""
    api = pytest.importorskip("validate_pyproject.api")
    errors = pytest.importorskip("validate_pyproject.errors")
    plugins = pytest.importorskip("validate_pyproject.plugins")
    entry = pyproject()["project"]["entry-points"]["validate_pyproject.tool_schema"]["hubpub"]
    module, _, name = entry.partition(":")
    plugin = plugins.PluginWrapper("hubpub", getattr(importlib.import_module(module), name))
    text = f"[project]\nname = 'net'\nversion = '1'\n{table}"
    load(tmp_path)
    validate = api.Validator(extra_plugins=[plugin])
    document = tomllib.loads(text)
    write_files(tmp_path, {"pyproject.toml": text})
    if not wrong:
        validate(document)
        load(tmp_path)
        return
    with pytest.raises(errors.ValidationError, match=wrong):
        validate(document)
    with pytest.raises(ConfigError, match=wrong):
        load(tmp_path)


def pyproject() -> dict[str, Any]:
    """What hubpub's own pyproject.toml says."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


# --- where it is found ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "path", "select"),
    [
        ({}, None, None),
        ({"pyproject.toml": "[project]\nname = 'x'\n"}, None, None),
        ({"pyproject.toml": "[tool]\nother = 3\n"}, None, None),
        ({"pyproject.toml": "tool = 3\n"}, None, None),
        ({"pyproject.toml": "[tool.hubpub]\n"}, "pyproject.toml", None),
        ({"pyproject.toml": "[tool.hubpub]\nselect = ['A']\n"}, "pyproject.toml", ("A",)),
        ({"hubpub.toml": ""}, "hubpub.toml", None),
        (
            {"hubpub.toml": "select = ['B']", "pyproject.toml": "[tool.hubpub]\nselect = ['A']\n"},
            "hubpub.toml",
            ("B",),
        ),
        ({"hubpub.toml": "select = ['B']", "pyproject.toml": "broken"}, "hubpub.toml", ("B",)),
        ({"sub/hubpub.toml": "select = ['B']"}, None, None),
    ],
)
def test_where_settings_come_from(
    tmp_path: Path, files: Files, path: str | None, select: tuple[str, ...] | None
) -> None:
    write_files(tmp_path, files)
    found = load(tmp_path)
    assert (found.path, found.select) == (path, select)


def test_the_weaker_file_is_named(tmp_path: Path) -> None:
    write_files(tmp_path, {"hubpub.toml": "", "pyproject.toml": "[tool.hubpub]\n"})
    assert "pyproject.toml is not" in str(load(tmp_path).remark)
    write_files(tmp_path, {"pyproject.toml": "[tool.other]\n"})
    assert load(tmp_path).remark is None


def test_a_file_that_is_named(tmp_path: Path) -> None:
    files = {"strict.toml": "fail-on = 'note'\n", "a/pyproject.toml": "[tool.hubpub]\nselect=['A']"}
    write_files(tmp_path, {**files, "b/pyproject.toml": "[project]\n"})
    found = load_file(tmp_path / "strict.toml")
    assert (found.fail_on, found.path) == (Severity.NOTE, None)
    assert load_file(tmp_path / "a" / "pyproject.toml").select == ("A",)
    for name, said in (("b/pyproject.toml", r"has no \[tool.hubpub\]"), ("c.toml", "not exist")):
        with pytest.raises(ConfigError, match=said):
            load_file(tmp_path / name)


# --- every key ------------------------------------------------------------------------------------


def test_defaults(tmp_path: Path) -> None:
    assert load(tmp_path) == Settings(
        path=None,
        select=None,
        extend_select=(),
        ignore=MappingProxyType({}),
        fail_on=Severity.WARNING,
        github_url="https://github.com",
        entrypoints=MappingProxyType({}),
    )


def test_every_key(tmp_path: Path) -> None:
    found = settings(
        tmp_path,
        """
        select = ["HUB1", "unstamped-checkpoint"]
        extend-select = ["HUB402"]
        fail-on = "note"
        unsafe-fixes = true
        exclude = ["third_party"]
        github-url = "file:///srv/mirrors"
        [ignore]
        HUB301 = "pinned elsewhere"
        [verify.entrypoints.unet]
        args = [1, "two"]
        kwargs = { classes = 3, deep = { a = [1.5] } }
        skip = { reason = "needs 80 GB", until = 2027-01-31 }
        """,
    )
    assert found == Settings(
        path="hubpub.toml",
        select=("HUB1", "unstamped-checkpoint"),
        extend_select=("HUB402",),
        ignore=MappingProxyType({"HUB301": "pinned elsewhere"}),
        fail_on=Severity.NOTE,
        unsafe_fixes=True,
        exclude=("third_party",),
        github_url="file:///srv/mirrors",
        entrypoints=MappingProxyType(
            {
                "unet": EntrypointSettings(
                    args=(1, "two"),
                    kwargs=MappingProxyType({"classes": 3, "deep": {"a": [1.5]}}),
                    skip=Skip("needs 80 GB", dt.date(2027, 1, 31)),
                )
            }
        ),
    )


def test_every_key_of_the_schema_is_tested_here() -> None:
    tested = Path(__file__).read_text(encoding="utf-8")
    tested += (ROOT / "tests" / "test_config_entrypoints.py").read_text(encoding="utf-8")
    schema = config.schema()
    keys = [*schema["properties"], *schema["$defs"]["entrypoint"]["properties"]]
    for name in ("skip", "case", "tensor", "file", "expected", "limits"):
        keys += schema["$defs"][name]["properties"]
    assert len(keys) > 8
    for key in keys:
        assert f"{key} =" in tested or f"[{key}" in tested, key


def test_ignore_may_be_a_list(tmp_path: Path) -> None:
    assert settings(tmp_path, "ignore = ['HUB3']").ignore == {"HUB3": ""}


@pytest.mark.parametrize("label", ["error", "warning", "note"])
def test_fail_on(tmp_path: Path, label: str) -> None:
    assert settings(tmp_path, f"fail-on = '{label}'").fail_on.label == label


@pytest.mark.parametrize(
    "until", ["2027-01-31", "'2027-01-31'", "2027-01-31T10:00:00", "2027-01-31T10:00:00Z"]
)
def test_a_skip_holds_through_its_last_day(tmp_path: Path, until: str) -> None:
    skip = settings(tmp_path, SKIP.format(until=until)).entrypoints["big"].skip
    assert skip is not None
    assert skip.active(dt.date(2027, 1, 31))
    assert not skip.active(dt.date(2027, 2, 1))


# --- mistakes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "where", "advice"),
    [
        ("selct = []", "top level", "did you mean 'select'?"),
        ("fail_on = 'note'", "top level", "did you mean 'fail-on'?"),
        ("zzz = 1", "top level", "known keys: exclude, extend-select, fail-on, github-url"),
        ("[verify]\nentrypoint = {}", "verify", "did you mean 'entrypoints'?"),
        ("[verify.entrypoints.a]\nkwarg = {}", "verify.entrypoints.a", "did you mean 'kwargs'?"),
        (
            SKIP.format(until="2027-01-31").replace("until", "untill"),
            "verify.entrypoints.big.skip",
            "",
        ),
    ],
)
def test_an_unknown_key_gets_the_nearest_one(
    tmp_path: Path, text: str, where: str, advice: str
) -> None:
    error = refused(tmp_path, text)
    assert error.message.startswith(f"hubpub.toml: {where}: ")
    assert advice in (error.help or "")


def test_a_mistake_in_pyproject_names_the_table(tmp_path: Path) -> None:
    write_files(tmp_path, {"pyproject.toml": "[tool.hubpub]\nfail-on = 'never'\n"})
    with pytest.raises(ConfigError, match=r"^pyproject\.toml: tool\.hubpub\.fail-on: 'never' is"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("select = 'HUB1'", "select: 'HUB1' is not of type 'array'"),
        ("select = [1]", "select.0: 1 is not of type 'string'"),
        ("select = ['']", "select.0: "),
        ("extend-select = {}", "extend-select: {} is not of type 'array'"),
        ("ignore = 'HUB1'", "ignore: 'HUB1' is not "),
        ("ignore = { HUB1 = 1 }", "ignore"),
        ("fail-on = 'never'", "fail-on: 'never' is not one of ['error', 'warning', 'note']"),
        ("fail-on = 1", "fail-on: 1 is not one of"),
        ("unsafe-fixes = 'yes'", "unsafe-fixes: 'yes' is not of type 'boolean'"),
        ("exclude = 'x'", "exclude: 'x' is not of type 'array'"),
        ("github-url = 'github.com'", "github-url: 'github.com' does not match"),
        ("github-url = 1", "github-url: 1 is not of type 'string'"),
        ("verify = 1", "verify: 1 is not of type 'object'"),
        ("[verify]\nentrypoints = []", "verify.entrypoints: [] is not of type 'object'"),
        ("[verify.entrypoints]\na = 1", "verify.entrypoints.a: 1 is not of type 'object'"),
        ("[verify.entrypoints.a]\nargs = {}", "args: {} is not of type 'array'"),
        ("[verify.entrypoints.a]\nkwargs = []", "kwargs: [] is not of type 'object'"),
        ("[verify.entrypoints.a]\nskip = true", "skip: True is not of type 'object'"),
        ("[verify.entrypoints.a]\nskip = {until = 2027-01-31}", "skip: 'reason' is a required"),
        ("[verify.entrypoints.a]\nskip = {reason = 'x'}", "skip: 'until' is a required"),
        (SKIP.format(until="'soon'"), "entrypoints.big.skip.until: 'soon' is not a date"),
        (SKIP.format(until="'20270131'"), "until: '20270131' is not a date"),
        (SKIP.format(until="'2027-W05'"), "until: '2027-W05' is not a date"),
        (SKIP.format(until="07:30:00"), "is not a date"),
        (SKIP.format(until="20270131"), "until: 20270131 is not of type 'string'"),
    ],
)
def test_a_wrong_value_says_where(tmp_path: Path, text: str, message: str) -> None:
    assert message in refused(tmp_path, text).message


def test_a_whole_configuration_that_is_no_table(tmp_path: Path) -> None:
    write_files(tmp_path, {"pyproject.toml": "[tool]\nhubpub = 3\n"})
    with pytest.raises(ConfigError, match=r"tool\.hubpub: 3 is not of type 'object'"):
        load(tmp_path)


LINES = """# a comment
[tool.other]
select = 1
[tool.hubpub]
select = [
    "HUB1",
    "HUB99",
]
"quoted key" = 2
[tool.hubpub.ignore]
HUB3 = "x"
[tool.hubpub.verify.entrypoints."a.b"]
args . deep = 1
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (["tool", "hubpub"], 4),
        (["tool", "hubpub", "select"], 5),
        (["tool", "hubpub", "select", 1], 5),
        (["tool", "hubpub", "quoted key"], 9),
        (["tool", "hubpub", "ignore", "HUB3"], 11),
        (["tool", "hubpub", "ignore", "HUB4"], 10),
        (["tool", "hubpub", "verify", "entrypoints", "a.b"], 12),
        (["tool", "hubpub", "verify", "entrypoints", "a.b", "args", "deep"], 13),
        (["nothing"], None),
    ],
)
def test_the_line_of_a_key(path: list[object], line: int | None) -> None:
    assert line_of(LINES, path) == line


def test_the_line_of_a_word() -> None:
    assert line_of_text(LINES, "HUB99", ["tool", "hubpub", "select"]) == 7
    assert line_of_text(LINES, "HUB9", ["tool", "hubpub", "select"]) is None


def test_an_unknown_key_has_its_line(tmp_path: Path) -> None:
    error = refused(tmp_path, "select = []\n\nselct = []\n")
    assert error.message == "hubpub.toml: top level: unknown key 'selct' (line 3)"


@given(st.text(alphabet="[]a.\"'\\= \n#", max_size=300))
def test_looking_for_a_line_never_fails(text: str) -> None:
    line_of_text(text, "a", ["a", "a"])


# --- files that are no configuration --------------------------------------------------------------

BROKEN: dict[str, bytes] = {
    "broken": b"select = [",
    "duplicate key": b"select = []\nselect = []\n",
    "not utf-8": b"select = ['\xff\xfe']\n",
    "utf-16": "select = []".encode("utf-16"),
    "nul bytes": b"select = \x00\x00",
    "nested arrays": b"select = " + b"[" * 100_000,
    "nested tables": b"select = " + b"{a=" * 60_000,
    "a huge number": b"select = " + b"9" * 10_000,
    "a date that is none": b"select = 2027-13-45",
    "a deep key": b"a." * 20_000 + b"a = 1\n",
    "a deep key in an inline table": b"a = { " + b"a." * 20_000 + b"a = 1 }\n",
    "a deep header": b"[" + b"a." * 20_000 + b"a]\n",
    "many keys under a deep header": b"[" + b"x." * 900 + b"x]\n" + b"a.b=1\n" * 30_000,
    "keys as deep as allowed": b"a." * 999 + b"a = 1\n",
    "2 MB": b"#" * 2_000_000,
}


@pytest.mark.parametrize("name", ["hubpub.toml", "pyproject.toml"])
@pytest.mark.parametrize("case", BROKEN)
def test_a_file_that_is_no_configuration_is_refused_soon(
    tmp_path: Path, name: str, case: str
) -> None:
    data = BROKEN[case]
    if name == "pyproject.toml" and case == "keys as deep as allowed":
        data = b"[tool.hubpub]\n" + data
    write_files(tmp_path, {name: data})
    start = time.process_time()
    with pytest.raises(ConfigError) as error:
        load(tmp_path)
    assert time.process_time() - start < 5
    assert error.value.message.startswith(name)
    assert len(error.value.message) < 1000


@pytest.mark.parametrize("kind", ["directory", "fifo", "loop", "device"])
def test_what_is_no_file_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "hubpub.toml"
    if kind == "directory":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        write_files(tmp_path, {path.name: Link("/dev/zero" if kind == "device" else path.name)})
    with pytest.raises(ConfigError, match=r"^hubpub\.toml cannot be read: "):
        load(tmp_path)


def test_a_value_a_megabyte_long_is_not_repeated_in_full(tmp_path: Path) -> None:
    error = refused(tmp_path, f"select = '{'x' * 200_000}'")
    assert len(error.message) < 500
    assert error.message.startswith("hubpub.toml: select: 'xxx")
    error = refused(tmp_path, f"{'x' * 200_000} = 1")
    assert len(error.message) < 500


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    folder = tmp_path_factory.mktemp("repository")
    write_files(folder, {"hubpub.toml": data})
    try:
        load(folder)
    except ConfigError as error:
        assert error.message.startswith("hubpub.toml")  # noqa: PT017
