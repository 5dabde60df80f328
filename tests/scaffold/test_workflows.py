"""The workflows that init writes do what they say: run here, job by job, with a real hubpub."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from conftest import ROOT, MakeRepository
from hubpub.scaffold import Answers, plan
from hubpub.scaffold.kinds import PIECES
from hubpub.verify.planning import deal
from jobbing import WITHOUT, Machine, Ran
from proving import HEAD, ONCE
from publishing import AROUND, Mirror, Repository, Server

PLAIN = Answers("sky", "net", "octo", "net", "Ada", 2026)
FAST = tuple(f"--skip={axis}" for axis in ONCE[1::2])
GOOD = HEAD.replace("import json, os, sys, threading, time\n", "") + (
    '\n\ndef net():\n    """A net."""\n    return torch.nn.Linear(1, 1)\n'
)
BAD = GOOD.replace("return torch.nn.Linear(1, 1)", 'return torch.load("@octocat")')
Make = Callable[..., tuple[Machine, Repository]]


def workflow(piece: str) -> str:
    """The file that the piece is made of."""
    files = plan(replace(PLAIN, around=frozenset({piece})))
    (text,) = [file.text for file in files if file.path.startswith(".github/workflows/")]
    return text


@pytest.fixture
def make(repository: MakeRepository, mirror: Mirror, tmp_path: Path) -> Make:
    """A machine for a repository whose hubconf.py is given; the newest commit is on main."""

    def made(hubconf: str, *args: str, **fields: Any) -> tuple[Machine, Repository]:
        own = repository({"hubconf.py": hubconf, **AROUND, **fields.pop("files", {})})
        sha = own.git("rev-parse", "HEAD")
        machine = Machine(mirror, tmp_path / "ci", sha, args=(*FAST, *args), **fields)
        machine.knows(refs={"refs/heads/main": sha, "refs/tags/v1.0": sha}, releases=["v1.0"])
        return machine, own

    return made


def results(done: dict[str, list[Ran]]) -> dict[str, str]:
    return {name: ",".join(ran.result for ran in each) for name, each in done.items()}


def writes(machine: Machine) -> list[list[str]]:
    """The calls of gh that change something."""
    reading = (["release", "list"], ["issue", "list"])
    return [
        call for call in machine.state["calls"]
        if call[:2] not in reading and not (call[0] == "api" and "--method" not in call)
    ]  # fmt: skip


def test_what_the_page_shows_is_in_a_workflow() -> None:
    page = (ROOT / "docs/gate.md").read_text(encoding="utf-8")
    shown = re.findall(r"^ *```yaml\n(.*?)^ *```$", page, re.MULTILINE | re.DOTALL)
    assert len(shown) >= 2
    pieces = [name for name in PIECES if f"`{name}`" in page]
    assert pieces == ["workflow", "pull-request", "candidate", "shards", "nightly"]
    written = "".join(workflow(piece) for piece in pieces)
    lines = "\n".join(line.strip() for line in written.splitlines())
    for block in shown:
        assert "\n".join(line.strip() for line in block.splitlines()) in lines


# --- a pull request -------------------------------------------------------------------------------


@pytest.mark.parametrize(("hubconf", "result"), [(GOOD, "success"), (BAD, "failure")])
def test_a_pull_request_is_checked(make: Make, hubconf: str, result: str) -> None:
    machine, _ = make(hubconf)
    done = machine.run(workflow("pull-request"))
    assert results(done) == {"check": result}, done
    assert "hubpub check" in done["check"][0].log


# --- the gate before the tag ----------------------------------------------------------------------

TAGGED = ["api", "repos/octo/net/git/refs", "--method", "POST", "--silent", "-f"]


@pytest.mark.sandbox
def test_a_candidate_that_loads_is_tagged_and_released(make: Make) -> None:
    machine, own = make(GOOD, inputs={"version": "v1.1"})
    machine.sha = own.commit({"more.txt": "More.\n"})
    done = machine.run(workflow("candidate"))
    assert results(done) == {"verify": "success", "release": "success"}, done
    create = ["release", "create", "v1.1", "--repo", "octo/net", "--verify-tag", "--generate-notes"]
    assert writes(machine) == [
        [*TAGGED, "ref=refs/tags/v1.1", "-f", f"sha={machine.sha}"], create,
    ]  # fmt: skip
    assert machine.state["refs"]["refs/tags/v1.1"] == machine.sha
    # The last job alone is started again where only it has failed: the tag is there then.
    machine.knows(calls=[])
    assert results(machine.run(workflow("candidate"), only=["release"]))["release"] == "success"
    assert writes(machine) == [create]


@pytest.mark.sandbox
def test_a_candidate_that_does_not_load_gets_no_tag(make: Make) -> None:
    hubconf = GOOD.replace("return torch", "open('/nonexistent')\n    return torch")
    machine, _ = make(hubconf, inputs={"version": "v1.1"})
    done = machine.run(workflow("candidate"))
    assert results(done) == {"verify": "failure", "release": "skipped"}
    assert "/nonexistent" in done["verify"][0].log
    assert writes(machine) == []
    assert "refs/tags/v1.1" not in machine.state["refs"]


def test_a_candidate_that_is_not_the_tip_any_more_gets_no_tag(make: Make) -> None:
    machine, own = make(GOOD, inputs={"version": "v1.1"})
    own.git("tag", "--delete", "v1.0")
    own.commit({"later.py": "x = 1\n"})
    done = machine.run(workflow("candidate"))
    assert results(done) == {"verify": "failure", "release": "skipped"}
    assert "torch.hub refuses it" in done["verify"][0].log
    assert writes(machine) == []


def test_a_tag_that_came_meanwhile_is_not_released(make: Make) -> None:
    machine, _ = make(GOOD, inputs={"version": "v1.1"})
    machine.knows(refs={"refs/tags/v1.1": "0" * 40})
    done = machine.run(workflow("candidate"), only=["release"])
    assert results(done)["release"] == "failure"
    assert "already exists" in done["release"][0].log
    assert writes(machine) == []


@pytest.mark.parametrize(
    ("version", "ref_type", "said"),
    [
        ("v1.0", "branch", "refs/tags/v1.0 already"),
        ("main", "branch", "refs/heads/main already"),
        ("v1.1", "tag", "start this on a branch"),
        ("", "branch", "such as v1.0"),
        ("-f", "branch", "such as v1.0"),
        ("v1 $(id)", "branch", "such as v1.0"),
        ("v1\nx=y", "branch", "such as v1.0"),
        ("a/b", "branch", "such as v1.0"),
        ("v" * 200, "branch", "such as v1.0"),
        ("v1..1", "branch", "git takes no tag"),
        ("v1.lock", "branch", "git takes no tag"),
        ("v1.", "branch", "git takes no tag"),
    ],
)
def test_a_version_that_cannot_be_made_is_refused_first(
    make: Make, version: str, ref_type: str, said: str
) -> None:
    machine, _ = make(GOOD, inputs={"version": version}, ref_type=ref_type)
    done = machine.run(workflow("candidate"))
    assert results(done) == {"verify": "failure", "release": "skipped"}
    assert said in done["verify"][0].log
    assert "hubpub" not in done["verify"][0].log
    assert writes(machine) == []


def test_a_version_that_begins_as_another_is_none(make: Make) -> None:
    """GitHub's list of refs is of all that begin so."""
    machine, _ = make(GOOD, inputs={"version": "v1"})
    done = machine.run(workflow("candidate"), only=["release"])
    assert results(done)["release"] == "success"
    assert writes(machine)[0][-3:] == ["ref=refs/tags/v1", "-f", f"sha={machine.sha}"]


# --- a tag that is pushed -------------------------------------------------------------------------


@pytest.mark.sandbox
@pytest.mark.parametrize("loads", [True, False])
def test_a_release_needs_the_proof_of_its_tag(make: Make, loads: bool) -> None:
    hubconf = (
        GOOD if loads else GOOD.replace("return torch", "open('/nonexistent')\n    return torch")
    )
    machine, own = make(hubconf, ref="v1.0", ref_type="tag")
    own.git("branch", "--move", "main", "other")  # nothing but the tag is what is proven
    done = machine.run(workflow("workflow"))
    said = done["verify"][0].log
    if loads:
        assert set(results(done).values()) == {"success"}, done
        (call,) = writes(machine)
        assert call[:3] == ["release", "create", "v1.0"]
    else:
        expected = {"check": "success", "verify": "failure", "release": "skipped"}
        assert results(done) == expected, done
        assert "/nonexistent" in said
        assert writes(machine) == []


@pytest.mark.parametrize(
    ("refs", "said"),
    [
        ({"refs/tags/v1.0": "0" * 40}, "the tag was moved since this run began"),
        ({"refs/tags/v1.0.1": "0" * 40}, "No commit found"),
    ],
)
def test_a_tag_that_is_another_by_now_is_not_released(
    make: Make, refs: dict[str, str], said: str
) -> None:
    machine, _ = make(GOOD, ref="v1.0", ref_type="tag")
    machine.knows(refs=refs)
    done = machine.run(workflow("workflow"), only=["release"])
    assert results(done)["release"] == "failure"
    assert said in done["release"][0].log
    assert writes(machine) == []


# --- shards ---------------------------------------------------------------------------------------


@pytest.mark.sandbox
def test_shards_are_planned_proven_and_joined(make: Make) -> None:
    eleven = "".join(
        f'\n\ndef net{number:02}():\n    """A net."""\n    return torch.nn.Linear(1, 1)\n'
        for number in range(11)
    )
    machine, _ = make(GOOD.partition("\n\n")[0] + "\n" + eleven, ref="v1.0", ref_type="tag")
    text = workflow("shards")
    done = machine.run(text)
    assert results(done) == {"plan": "success", "verify": "success,success", "merge": "success"}, (
        done
    )
    names = {}
    for folder, file in (("shard-1",) * 2, ("shard-2",) * 2, ("report",) * 2):
        report = json.loads((machine.artifacts / folder / f"{file}.json").read_text())
        assert report["reference"]["ref"] == "v1.0"
        names[folder] = [each["name"] for each in report["entrypoints"]]
    planned = deal([f"net{number:02}" for number in range(11)], 2)
    assert [list(part.names) for part in planned] == [names["shard-1"], names["shard-2"]]
    assert names["report"] == sorted(names["shard-1"] + names["shard-2"])
    # What the jobs install is there, and is enough for them.
    installed = [Requirement(call[-1]) for call in machine.pythons]
    # Without -I, Python takes a pip.py of the checkout for pip, and each module that pip imports.
    assert [call[:4] for call in machine.pythons] == [["-I", "-m", "pip", "install"]] * 2
    assert [(each.name, each.extras) for each in installed] == [
        ("hubpub", {"plan"}), ("hubpub", set()),
    ]  # fmt: skip
    files = [machine.artifacts / f"shard-{number}" / f"shard-{number}.json" for number in (1, 2)]
    subprocess.run([sys.executable, "-c", WITHOUT, "git", "report", "merge", *files], check=True)
    assert "PARTIAL" not in done["merge"][0].log
    # A machine that died is no success, and neither is a shard that fails.
    lost = machine.artifacts / "shard-2" / "shard-2.json"
    document = json.loads(lost.read_text())
    lost.unlink()
    done = machine.run(text, only=["merge"])
    assert results(done)["merge"] == "failure"
    assert "1 of 2 shards are missing: 2" in done["merge"][0].log
    part = next(each for each in document["findings"] if each["name"] == "partial-run")
    failure = {**part, "name": "loads", "severity": "error", "message": "net01: does not load"}
    document |= {"status": "fail", "findings": [*document["findings"], failure]}
    lost.write_text(json.dumps(document))
    done = machine.run(text, only=["merge"])
    assert results(done)["merge"] == "failure"
    assert "net01: does not load" in done["merge"][0].log
    report = json.loads((machine.artifacts / "report" / "report.json").read_text())
    assert report["status"] == "fail"


def test_without_a_plan_nothing_is_started(make: Make) -> None:
    machine, _ = make("dependencies = []\n")
    done = machine.run(workflow("shards"))
    assert results(done) == {"plan": "failure", "verify": "skipped", "merge": "skipped"}
    assert "HUB005 no-entrypoints" in done["plan"][0].log
    assert done["plan"][0].outputs == {"matrix": ""}


# --- each night -----------------------------------------------------------------------------------


def loading(url: str) -> str:
    return GOOD.replace(
        "return torch.nn.Linear(1, 1)",
        f"torch.hub.load_state_dict_from_url({url!r}, weights_only=True, progress=False)\n"
        "    return torch.nn.Linear(1, 1)",
    )


def weights(value: float) -> bytes:
    import io

    import torch

    buffer = io.BytesIO()
    torch.save({"weight": torch.full((1, 1), value)}, buffer)
    return buffer.getvalue()


def locked(data: bytes, url: str) -> str:
    one = {
        "filename": "w.pth", "sha256": hashlib.sha256(data).hexdigest(), "size": len(data),
        "format": "zip", "urls": [url], "path": None,
    }  # fmt: skip
    entrypoints = {"net": {"default": [one]}}
    return json.dumps({"version": 1, "repository": "octo/net", "entrypoints": entrypoints})


@pytest.mark.sandbox
def test_drift_is_told_in_one_issue_until_it_is_gone(make: Make, http_server: Server) -> None:
    pytest.importorskip("torch", reason="the verify extra is not installed")
    text, url, good = workflow("nightly"), http_server.url("/w.pth"), weights(1)
    files = {"hubpub.lock": locked(good, url)}
    machine, _ = make(loading(url), f"--allow-host={http_server.host}", files=files)
    http_server.serve({"/w.pth": weights(2)})
    done = machine.run(text)
    assert results(done) == {"releases": "success", "verify": "failure", "tell": "success"}, done
    (issue,) = machine.state["issues"]
    assert (issue["state"], issue["label"]) == ("open", "hubpub-nightly")
    assert "# <code>v1.0</code> fails" in issue["body"], done["verify"][0].log
    assert hashlib.sha256(good).hexdigest() in issue["body"].replace("<span></span>", "")
    assert "https://github.com/octo/net/actions/runs/42" in issue["body"]
    # The second night finds the same: the reports of the first are still there.
    done = machine.run(text, only=["releases", "tell"])
    assert results(done)["tell"] == "success"
    assert [each["state"] for each in machine.state["issues"]] == ["open"]
    assert [call[:2] for call in writes(machine)] == [
        ["label", "create"], ["issue", "create"], ["label", "create"], ["issue", "edit"],
    ]  # fmt: skip
    # The third finds the weights as they were.
    http_server.serve({"/w.pth": good})
    done = machine.run(text)
    assert set(results(done).values()) == {"success"}, done
    (issue,) = machine.state["issues"]
    assert issue["state"] == "closed"
    assert issue["comment"].startswith("Every release verifies again: https://github.com/octo/net")


def tell(machine: Machine, *reports: tuple[str, str] | None, tags: tuple[str, ...] = ()) -> None:
    """One night of which the reports are given: status and summary of each release."""
    releases = [tags[index] if tags else f"v{index}" for index in range(len(reports))]
    machine.knows(releases=releases)
    shutil.rmtree(machine.artifacts, ignore_errors=True)
    for index, report in enumerate(reports):
        if report is not None:
            # As the job before leaves it: a folder of its own within the artifact.
            folder = machine.artifacts / f"release-{index}" / f"release-{index}"
            folder.mkdir(parents=True)
            (folder / "report.json").write_text(json.dumps({"status": report[0]}))
            (folder / "summary.md").write_text(report[1])
    done = machine.run(workflow("nightly"), only=["releases", "tell"])
    assert results(done)["tell"] == "success", done


def test_a_release_without_a_report_is_told_of(make: Make) -> None:
    machine, _ = make(GOOD)
    tell(machine, ("pass", "fine\n"), None, ("error", "no network\n"), ("interrupted", "cut\n"))
    (issue,) = machine.state["issues"]
    for tag in ("v1", "v2", "v3"):
        assert f"# <code>{tag}</code> could not be proven" in issue["body"]
    assert "<code>v0</code>" not in issue["body"]
    assert "no network" in issue["body"]
    assert "fine" not in issue["body"]
    tell(machine, ("pass", ""))
    assert machine.state["issues"][0]["state"] == "closed"
    tell(machine, ("pass", ""))
    assert len(writes(machine)) == 5  # thrice the label, one issue made, one closed


def test_one_artifact_alone_is_told_from_none(make: Make) -> None:
    """Of one artifact, actions/download-artifact makes no folder."""
    machine, _ = make(GOOD)
    tell(machine, ("pass", ""))
    assert machine.state["issues"] == []
    tell(machine, None, ("pass", ""))
    (issue,) = machine.state["issues"]
    assert "# <code>v0</code> could not be proven" in issue["body"]
    assert "<code>v1</code>" not in issue["body"]


def test_an_issue_fits_and_holds_whole_summaries(make: Make) -> None:
    machine, _ = make(GOOD)
    long = "<details>\n" + "| é |\n" * 8_000 + "</details>\n"
    assert 50_000 < len(long.encode()) < 60_000
    tags = ("a" * 240, "b" * 240, "c" * 240, "v4", "v5")
    tell(machine, *[("fail", long)] * 4, ("fail", "<details>\n</details>\n"), tags=tags)
    body = machine.state["issues"][0]["body"]
    assert len(body) < 65536
    assert body.count("</code> fails") == 5
    assert body.count("<details>") == body.count("</details>") == 2
    assert body.count("The summary is in the run.") == 3
    assert body.endswith("The issue is closed when every release passes.\n")


def test_names_of_tags_are_nothing_but_text(make: Make) -> None:
    machine, _ = make(GOOD)
    tags = ("v1$(touch${IFS}here)`id`", "@octocat/#1", "</code><img>", "weights2")
    tell(machine, *[("fail", "x\n")] * 4, tags=tags)
    body = machine.state["issues"][0]["body"]
    for shown in ("v1??touch??IFS?here??id?", "?octocat/?1", "?/code??img?", "weights2"):
        assert f"# <code>{shown}</code> fails" in body


def test_the_newest_releases_are_proven_but_not_the_one_of_weights(make: Make) -> None:
    machine, _ = make(GOOD)
    machine.knows(releases=["weights", *(f"v{number}" for number in range(9, 0, -1))])
    done = machine.run(workflow("nightly"), only=["releases"])
    assert json.loads(done["releases"][0].outputs["matrix"]) == [
        {"index": index, "tag": f"v{9 - index}"} for index in range(5)
    ]


def test_without_a_release_nothing_happens(make: Make) -> None:
    machine, _ = make(GOOD)
    machine.knows(releases=["weights"])
    done = machine.run(workflow("nightly"))
    assert results(done) == {"releases": "success", "verify": "skipped", "tell": "skipped"}
    assert writes(machine) == []
