"""``hubpub plan``: what is dealt, said in three ways; and what ends it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from conftest import MakeRepository, RunHubpub
from jobbing import WITHOUT
from publishing import AROUND, clean_environment

LISTED = 'dependencies = ["torch"]\n\n\n' + "\n\n".join(
    f'def net{number:02}():\n    """A net."""\n    return 1\n' for number in range(23)
)
LOOP = LISTED + "\n\nimport names\n\nfor each in names.found():\n    globals()[each] = net00\n"
UNSURE = (
    'dependencies = ["torch"]\nimport os\n\n\ndef one():\n    """A net."""\n    return 1\n\n\n'
    'if os.environ.get("MORE"):\n\n    def two():\n        """A net."""\n        return 2\n'
)


def plan(hubpub: RunHubpub, *arguments: str | Path) -> tuple[dict[str, Any], str]:
    done = hubpub("plan", *arguments, "--format", "json")
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document, done.stderr


def test_a_release_is_dealt_in_tens(hubpub: RunHubpub, repository: MakeRepository) -> None:
    made = repository({"hubconf.py": LISTED, **AROUND})
    commit = made.git("rev-parse", "v1.0")
    document, said = plan(hubpub, "octo/net:v1.0")
    assert said == ""
    assert [item["shard"] for item in document["shards"]] == ["1/3", "2/3", "3/3"]
    assert [len(item["entrypoints"]) for item in document["shards"]] == [8, 8, 7]
    assert document["shards"][1]["entrypoints"][:3] == ["net01", "net04", "net07"]
    assert (document["reference"], document["kind"]) == ("octo/net:v1.0", "tag")
    assert (document["commit"], document["certain"], document["exact"]) == (commit, 23, True)


@pytest.mark.parametrize(
    ("options", "shards"),
    [
        (("--per-shard", "1"), 23),
        (("--per-shard", "1", "--shards", "4"), 4),
        (("--per-shard", "100"), 1),
        (("--shards", "2"), 2),
    ],
)
def test_how_many(
    hubpub: RunHubpub, repository: MakeRepository, options: tuple[str, ...], shards: int
) -> None:
    repository({"hubconf.py": LISTED})
    document, _ = plan(hubpub, "octo/net:v1.0", *options)
    assert len(document["shards"]) == shards
    assert all(item["entrypoints"] for item in document["shards"])


def test_the_matrix_is_one_line(hubpub: RunHubpub, repository: MakeRepository) -> None:
    repository({"hubconf.py": LISTED})
    done = hubpub("plan", "octo/net:v1.0", "--shards", "2", "--format", "github-matrix")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        '{"include": [{"shard": "1/2", "index": 1, "total": 2, "name": "1 of 2"}, '
        '{"shard": "2/2", "index": 2, "total": 2, "name": "2 of 2"}]}\n'
    )


def test_several_formats_and_files(
    hubpub: RunHubpub, repository: MakeRepository, tmp_path: Path
) -> None:
    made = repository({"hubconf.py": LISTED})
    file = tmp_path / "plan.json"
    done = hubpub("plan", "--format", f"json:{file}", "--output-format", "text", cwd=made.path)
    assert done.returncode == 0, done.stderr
    head, first, *_ = done.stdout.splitlines()
    commit = made.git("rev-parse", "HEAD")
    assert head == f". (branch {commit}): 23 entrypoints in 3 shards"
    assert first == "  --shard 1/3  net00, net03, net06, net09, net12 and 3 more"
    assert json.loads(file.read_text())["commit"] == commit


def test_the_files_as_they_are(hubpub: RunHubpub, repository: MakeRepository) -> None:
    made = repository({"hubconf.py": "dependencies = []\n"})
    made.write({"hubconf.py": LISTED})
    assert hubpub("plan", made.path).returncode == 1
    document, _ = plan(hubpub, made.path, "--working-tree")
    assert (document["kind"], document["commit"], document["certain"]) == ("worktree", None, 23)


@pytest.mark.parametrize(
    ("hubconf", "certain", "said"),
    [
        (LOOP, 23, "hubconf.py:122: more names may be made here"),
        (UNSURE, 1, "may not be there: two"),
    ],
)
def test_what_cannot_be_read_makes_no_shard_that_could_be_empty(
    hubpub: RunHubpub, repository: MakeRepository, hubconf: str, certain: int, said: str
) -> None:
    repository(
        {"hubconf.py": hubconf, "names.py": "def found():\n    return open('n').readlines()\n"}
    )
    options = ("octo/net:v1.0", "--per-shard", "1")
    document, notes = plan(hubpub, *options)
    assert len(document["shards"]) == document["certain"] == certain
    assert document["exact"] is False
    assert said in notes
    assert f"{certain} are certain, and there are no more shards than that" in notes
    done = hubpub("plan", *options)
    assert done.stderr == ""
    assert f"note: {document['doubts'][0]}\n" in done.stdout


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"README.md": "x"}, "HUB004 no-hubconf"),
        ({"hubconf.py": "def net(:\n"}, "HUB001 syntax-error"),
        ({"hubconf.py": "dependencies = []\n"}, "HUB005 no-entrypoints"),
        (
            {"hubconf.py": "# hubpub: file-ignore[HUB005] none\ndependencies = []\n"},
            "hubconf.py has no entrypoint",
        ),
    ],
)
@pytest.mark.parametrize("form", ["text", "json", "github-matrix"])
def test_nothing_to_verify_is_no_plan(
    hubpub: RunHubpub, repository: MakeRepository, files: dict[str, str], said: str, form: str
) -> None:
    repository(files)
    done = hubpub("plan", "octo/net:v1.0", "--format", form)
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("octo/net:v9",), 4, "has no branch or tag 'v9'"),
        (("octo/none:v1",), 4, "holds no octo/none"),
        (("https://github.com/octo/net",), 2, "use octo/net"),
        (("octo/net", "--format", "yaml"), 2, "no such output format: 'yaml'"),
        (("octo/net", "--shards", "257"), 2, "257 is not in the range 1<=x<=256"),
        (("octo/net", "--per-shard", "0"), 2, "0 is not in the range"),
    ],
)
def test_what_cannot_be_planned(
    hubpub: RunHubpub,
    repository: MakeRepository,
    arguments: tuple[str, ...],
    code: int,
    said: str,
) -> None:
    repository({"hubconf.py": LISTED})
    done = hubpub("plan", *arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr


def test_what_is_said_is_short_whatever_the_names_are(
    hubpub: RunHubpub, repository: MakeRepository
) -> None:
    long = "n" * 5000
    hubconf = UNSURE.replace("def two", f"def {long}").replace("def one", f"def a{long}")
    repository({"hubconf.py": hubconf})
    done = hubpub("plan", "octo/net:v1.0")
    assert done.returncode == 0
    assert "note: may not be there: nnn" in done.stdout
    assert max(map(len, done.stdout.splitlines())) < 350


def test_more_than_verify_takes_is_said(hubpub: RunHubpub, repository: MakeRepository) -> None:
    names = "".join(f"def net{number:04}():\n    return 1\n\n\n" for number in range(1003))
    repository({"hubconf.py": 'dependencies = ["torch"]\n\n\n' + names})
    document, notes = plan(hubpub, "octo/net:v1.0", "--per-shard", "1")
    assert len(document["shards"]) == 256
    assert sum(len(item["entrypoints"]) for item in document["shards"]) == 1000
    assert "3 entrypoints are beyond --max-entrypoints" in notes


@pytest.mark.parametrize(("missing", "code"), [("none", 0), ("git", 4)])
def test_neither_torch_nor_a_proxy_is_needed(
    repository: MakeRepository, tmp_path: Path, missing: str, code: int
) -> None:
    made = repository({"hubconf.py": LISTED})
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, missing, "plan", str(made.path)],
        env=clean_environment(tmp_path / "home"),
        capture_output=True,
        text=True,
    )
    assert done.returncode == code, done.stderr
    assert ("'hubpub[plan]' will do" in done.stderr) is (code == 4)
