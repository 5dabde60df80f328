"""``hubpub report``: a saved report in other formats, and files that are none."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from conftest import RunHubpub
from hubpub.output import reports
from reporting import HOSTILE, document


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "report.json"
    path.write_text(reports.render("json", document(HOSTILE)))
    return path


def test_a_report_in_every_format(hubpub: RunHubpub, saved: Path, tmp_path: Path) -> None:
    targets = [f"--output-format={name}:{tmp_path}/out.{name}" for name in reports.FORMATS]
    done = hubpub("report", saved, *targets)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    for name in reports.FORMATS:
        assert (tmp_path / f"out.{name}").read_text() == reports.render(name, document(HOSTILE))
    shown = hubpub("report", saved, "--format", "markdown")
    assert shown.stdout == reports.render("markdown", document(HOSTILE))
    assert hubpub("report", saved).stdout == reports.render("text", document(HOSTILE))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ("\xff", "is no JSON"),
        ("{}", "is no report of this version of hubpub: at the top"),
        ("[]", "is no report of this version of hubpub"),
        (json.dumps({**document("x"), "status": "\x1b[31m"}), "at status"),
        (None, "No such file"),
    ],
)
def test_a_file_that_is_none(
    content: str | None, said: str, hubpub: RunHubpub, tmp_path: Path
) -> None:
    path = tmp_path / "report.json"
    if content is not None:
        path.write_text(content, encoding="latin-1")
    done = hubpub("report", path)
    assert done.returncode == 2
    assert said in done.stderr
    assert "\x1b[31m" not in done.stderr.replace("\x1b[31m\x1b[1merror", "")
    assert "Traceback" not in done.stderr


def test_a_fifo_is_no_report(hubpub: RunHubpub, tmp_path: Path) -> None:
    assert hubpub("report", tmp_path).returncode == 2
    sparse = tmp_path / "large.json"
    with sparse.open("wb") as file:
        os.truncate(file.fileno(), 1 << 30)
    done = hubpub("report", sparse)
    assert done.returncode == 2
    assert "larger than 256 MiB" in done.stderr
