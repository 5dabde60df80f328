"""[tool.hubpub.verify.entrypoints.NAME]: inputs, what is expected of them, limits, cases."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from conftest import ROOT
from hubpub import config
from hubpub.config.entrypoints import (
    CaseSettings,
    EntrypointSettings,
    Expected,
    Input,
    Skip,
    Tensor,
    read,
)
from hubpub.errors import ConfigError
from publishing import write_files


def settings(folder: Path, text: str) -> EntrypointSettings:
    """Of the entrypoint ``net``, where its table is ``text``."""
    write_files(folder, {"hubpub.toml": f"[verify.entrypoints.net]\n{text}"})
    return config.load(folder).entrypoints["net"]


def test_every_key(tmp_path: Path) -> None:
    found = settings(
        tmp_path,
        """
        args = [1]
        input = { shape = [1, 3, 8, 8] }
        call = "encode_image"
        expect = { shape = [1, -1, "N"], dtype = "float32", finite = true, mean = 0.5, rtol = 0.1 }
        devices = ["cpu", "cuda"]
        limits = { timeout = 60, cpu-time = 5, memory = "2GiB", disk = 4096, files = 3 }
        [[verify.entrypoints.net.cases]]
        name = "large"
        kwargs = { size = "l" }
        input = { ids = { shape = [1, 4], dtype = "int64", low = 1, high = 100 } }
        expect = [
            { at = "logits", first = [1, 2.5], std = 2, atol = 1e-3 },
            { at = "ids", sha256 = "SHA" },
        ]
        limits = { processes = 8, output-limit = "1MiB", download-limit = 7 }
        skip = { reason = "too large", until = 2027-01-31 }
        [[verify.entrypoints.net.cases]]
        name = "made"
        input = { file = "tests/inputs.py" }
        """.replace("SHA", "0a" * 32),
    )
    assert found == EntrypointSettings(
        args=(1,),
        input=Input((Tensor((1, 3, 8, 8)),)),
        call="encode_image",
        expect=(Expected(None, (1, -1, "N"), "float32", finite=True, mean=0.5, rtol=0.1),),
        devices=("cpu", "cuda"),
        limits={"timeout": 60, "cpu-time": 5, "memory": 2 << 30, "disk": 4096, "files": 3},
        cases=(
            CaseSettings(
                "large",
                kwargs={"size": "l"},
                input=Input(kwargs={"ids": Tensor((1, 4), "int64", 1, 100)}),
                expect=(
                    Expected("logits", first=(1, 2.5), std=2, atol=1e-3),
                    Expected("ids", sha256="0a" * 32),
                ),
                limits={"processes": 8, "output-limit": 1 << 20, "download-limit": 7},
                skip=Skip("too large", dt.date(2027, 1, 31)),
            ),
            CaseSettings("made", input=Input(file="tests/inputs.py")),
        ),
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{ shape = [] }", Input((Tensor(()),))),
        ("{ shape = [2], dtype = 'uint8' }", Input((Tensor((2,), "uint8", 0, 10),))),
        ("{ shape = [2], dtype = 'bool' }", Input((Tensor((2,), "bool", 0, 2),))),
        ("{ shape = [2], dtype = 'int8', low = -0.5, high = 9.5 }",
         Input((Tensor((2,), "int8", 0, 10),))),
        ("[]", Input()),
        ("[{ shape = [1] }, { shape = [2] }]", Input((Tensor((1,)), Tensor((2,))))),
        ("{ x = { shape = [1] } }", Input(kwargs={"x": Tensor((1,))})),
        # Arguments that are called as the keys of other forms.
        ("{ shape = { shape = [1] } }", Input(kwargs={"shape": Tensor((1,))})),
        ("{ file = { shape = [1] } }", Input(kwargs={"file": Tensor((1,))})),
        ("{ file = 'a b/in.puts.py' }", Input(file="a b/in.puts.py")),
    ],
)  # fmt: skip
def test_the_forms_of_an_input(tmp_path: Path, text: str, expected: Input) -> None:
    assert settings(tmp_path, f"input = {text}").input == expected


CASE = "[[verify.entrypoints.net.cases]]\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("input = 3", "input: 3 is not of type 'object', 'array'"),
        ("input = {}", "input: 'shape' is a required property"),
        ("input = { shape = 3 }", "input.shape: 3 is not of type 'array'"),
        ("input = { shape = [-1] }", "input.shape.0: -1 is less than the minimum of 0"),
        ("input = { shape = [1.5] }", "input.shape.0: 1.5 is not of type 'integer'"),
        ("input = { shape = [1], dtype = 'float' }", "input.dtype: 'float' is not one of"),
        ("input = { shape = [1], hihg = 3 }", "input: unknown key 'hihg'"),
        ("input = [{ shape = [1] }, {}]", "input.1: 'shape' is a required property"),
        ("input = { x = { shape = [1] }, y = 3 }", "input: unknown key 'x'"),
        ("input = { x = { dtype = 'int8' } }", "input.x: 'shape' is a required property"),
        ("input = { shape = [70000, 70000] }", "input: 4900000000 numbers, more than 67108864"),
        ("input = { shape = [1], low = 1 }", "input: no number is at least 1 and less than 1"),
        ("input = { shape = [1], low = nan }", "input.low: nan is no number to work with"),
        ("input = { shape = [1], high = inf }", "input.high: inf is no number to work with"),
        ("input = { shape = [1], dtype = 'int8', high = 129 }", "int8 goes from -128 to 127"),
        ("input = { shape = [1], dtype = 'uint8', low = -1 }", "uint8 goes from 0 to 255"),
        ("input = { file = '/etc/passwd.py' }", "input.file: '/etc/passwd.py' does not match"),
        ("input = { file = '../x.py' }", "input.file: '../x.py' leads out of the repository"),
        ("input = { file = 'a/../../x.py' }", "leads out of the repository"),
        ("input = { file = 'a.txt' }", "input.file: 'a.txt' does not match"),
        ("input = { file = 'a.py', shape = [1] }", "input: unknown key 'shape'"),
        ("expect = { shape = [1] }", "expect: there is no input to expect it of"),
        ("input = []\nexpect = {}", "expect: "),
        ("input = []\nexpect = { mean = nan }", "expect.mean: nan is no number"),
        ("input = []\nexpect = { first = [inf] }", "expect.first: inf is no number"),
        ("input = []\nexpect = { shape = [-2] }", "expect.shape.0: "),
        ("input = []\nexpect = { atol = -1 }", "expect.atol: -1 is less than the minimum"),
        ("input = []\nexpect = { sha256 = 'ABC' }", "expect.sha256: 'ABC' does not match"),
        ("input = []\nexpect = [{ maen = 1 }]", "expect.0: unknown key 'maen'"),
        ("devices = []", "devices: [] "),
        ("devices = ['gpu']", "devices.0: 'gpu' is not one of"),
        ("limits = { memory = '2 apples' }", "limits.memory: "),
        ("limits = { timeout = 0 }", "limits.timeout: 0 is less than or equal"),
        ("limits = { timeout = inf }", "limits.timeout: inf is no limit"),
        ("limits = { deadline = 3 }", "limits: unknown key 'deadline'"),
        ("limits = { memory = '0' }", "limits.memory: 0 is no limit"),
        (CASE, "cases.0: 'name' is a required property"),
        (f"{CASE}name = 'a b'", "cases.0.name: 'a b' does not match"),
        (f"{CASE}name = '::error::x'", "cases.0.name: "),
        (f"{CASE}name = '{'x' * 41}'", "cases.0.name: "),
        (f"{CASE}name = 'a'\n{CASE}name = 'a'", "cases: two are called a"),
        (f"{CASE}name = 'a'\nexpect = {{ mean = 1 }}", "cases.a.expect: there is no input"),
        (f"{CASE}name = 'a'\nargs = [2027-01-31]", "cases.a.args: a date or time cannot be passed"),
        (f"{CASE}name = 'a'\nskip = {{reason = 'x', until = 'y'}}", "a.skip.until: 'y' is not a"),
    ],
)  # fmt: skip
def test_a_wrong_value_says_where(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        settings(tmp_path, text)
    assert message in error.value.message
    assert "verify.entrypoints.net" in error.value.message


def test_a_case_may_expect_of_the_input_that_the_entrypoint_has(tmp_path: Path) -> None:
    text = f"input = {{ shape = [1] }}\n{CASE}name = 'a'\nexpect = {{ mean = 1 }}"
    assert settings(tmp_path, text).cases == (CaseSettings("a", expect=(Expected(mean=1),)),)


NUMBERS = st.integers() | st.floats() | st.integers(0, 9)
VALUES = st.recursive(
    NUMBERS | st.text(max_size=5) | st.sampled_from(["a.py", "../a.py", "2GiB", "int8", "cpu"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([
                "shape", "dtype", "low", "high", "file", "x", "name", "input", "expect", "at",
                "mean", "first", "timeout", "memory", "files", "reason", "until", "args",
            ]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)  # fmt: skip
ENTRY = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ("args", "kwargs", "input", "call", "expect", "devices", "limits", "skip"), VALUES
    ),
)


@given(ENTRY, st.lists(ENTRY, max_size=2))
def test_whatever_passes_the_schema_is_read_or_refused(
    entry: dict[str, Any], cases: list[dict[str, Any]]
) -> None:
    entry["cases"] = [{"name": f"c{index}", **case} for index, case in enumerate(cases)]
    schema = {**config.schema(), "properties": {}, "$ref": "#/$defs/entrypoint"}
    del schema["additionalProperties"]
    if not Draft202012Validator(schema).is_valid(json.loads(json.dumps(entry))):
        return
    with contextlib.suppress(ConfigError):
        found = read(entry, "here")
        inputs = [found.input, *(case.input for case in found.cases)]
        for item in inputs:
            assert item is None or all(tensor.low < tensor.high for tensor in item.args)


TENSOR = st.fixed_dictionaries(
    {"shape": st.lists(st.integers(0, 50), max_size=4)},
    optional={
        "dtype": st.sampled_from(["float32", "int64", "bool", "uint8"]),
        "low": NUMBERS,
        "high": NUMBERS,
    },
)


@given(st.lists(TENSOR, max_size=3) | st.dictionaries(st.text(max_size=5), TENSOR, max_size=3))
def test_what_is_read_of_an_input_is_within_bounds(said: Any) -> None:
    if not said and isinstance(said, dict):
        return
    with contextlib.suppress(ConfigError):
        found = read({"input": said}, "here").input
        assert found is not None
        tensors = [*found.args, *found.kwargs.values()]
        assert len(tensors) == len(said)
        for tensor in tensors:
            assert tensor.low < tensor.high
            assert "int" not in tensor.dtype or isinstance(tensor.low, int)


def test_the_settings_that_the_docs_show_are_valid(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "verify.md").read_text(encoding="utf-8")
    (table,) = re.findall(r"^```toml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    write_files(tmp_path, {"pyproject.toml": table})
    found = config.load(tmp_path).entrypoints
    assert list(found) == ["segmenter", "encoder", "tokenizer"]
    assert [case.name for case in found["segmenter"].cases] == ["pretrained", "wide"]
    keys = config.schema()["$defs"]["entrypoint"]["properties"]
    assert all(f"`{key}`" in text for key in keys)
