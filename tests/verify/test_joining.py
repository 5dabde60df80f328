"""Reports of shards become the report of one run; what does not belong together is refused."""

from __future__ import annotations

import copy
import hashlib
import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import MakeRepository, RunHubpub
from hubpub.errors import UsageError
from hubpub.verify import findings, resuming
from hubpub.verify.checkpoints import Ledger
from hubpub.verify.egress import Request
from hubpub.verify.harvest import LeftFile
from hubpub.verify.jobs import Done
from hubpub.verify.joining import merge
from hubpub.verify.report import (
    AXES,
    Axis,
    Entrypoint,
    Environment,
    Facts,
    Finding,
    Network,
    Reference,
    Report,
    Result,
    SandboxReport,
    Selected,
    status,
    to_json,
)
from hubpub.verify.selection import Selection, Shard
from proving import without_times
from publishing import Server

FACTS = Facts(0, None, 0.1, 0.1, 1 << 20, "exit")
STATIC = Finding("HUB402", "unstamped-checkpoint", "warning", "net is unstamped")
LISTING = Network("GET", "http://listing", 200, 1, None, "allowed", None)

Left = tuple[str, bytes, str]
"""A file that a job leaves: its path below the job's directory, its content, and its URL."""


def prove(name: str, left: list[Left], ledger: Ledger, folder: Path) -> tuple[Entrypoint, Report]:
    """One entrypoint entered into a real ledger, and its part of the findings and requests."""
    files, requests = [], []
    for path, content, url in left:
        place = folder / name / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        sha256 = hashlib.sha256(content).hexdigest()
        files.append(LeftFile(path, len(content), sha256))
        requests.append(Request(name, "GET", url, "allowed", status=200, sha256=sha256))
    done = Done(FACTS, {}, tuple(requests), tuple(files), folder / name, "/scratch", "/tree")
    used = ledger.enter(name, done, folder, lambda _: {"weights_only": "pass"})
    bad = any(item.stamp.status == "mismatch" for item in used.checkpoints)
    axes = dict.fromkeys(AXES, Axis("pass"))
    found = []
    if bad:
        axes["weights"] = Axis("fail", "x")
        found.append(Finding("verify", "weights", "error", "x", entrypoint=name, axis="weights"))
    asked = [
        Network("GET", item.url, 200, 1, item.sha256, "allowed", None, entrypoint=name)
        for item in requests
    ]
    part = report(network=tuple(asked), findings=tuple(found))
    return Entrypoint(name, (Result("cpu", "default", axes, FACTS),)), part


def report(**fields: Any) -> Report:
    given: dict[str, Any] = {
        "status": "pass",
        "reference": Reference("o", "r", "v1", "tag", "v1"),
        "environment": Environment("0", "3", "2", "x", ("cpu",)),
        "sandbox": SandboxReport("bwrap", {"a": True}),
        "commit": "a" * 40,
        "tree": "b" * 40,
    }
    return Report(**{**given, **fields})


def run(made: Mapping[str, list[Left]], folder: Path, shard: Shard | None = None) -> dict[str, Any]:
    """The report of a run, of one shard or of all, as :mod:`hubpub.verify` puts it together."""
    listed = tuple(sorted(made))
    names = Selection((), shard).take(listed)
    ledger = Ledger(frozenset({"hashed.pth"}))
    proven = [prove(name, made[name], ledger, folder) for name in names]
    found = [STATIC, *findings.of_selection(Selection((), shard), listed)]
    found += [item for _, part in proven for item in part.findings]
    found += findings.of_clashes(ledger.clashes())
    entrypoints = tuple(entrypoint for entrypoint, _ in proven)
    said = None if shard is None else str(shard)
    return to_json(
        report(
            status=status(entrypoints, found),
            entrypoints=entrypoints,
            checkpoints=ledger.all(),
            network=(LISTING, *(item for _, part in proven for item in part.network)),
            findings=tuple(found),
            selection=Selected((), said, listed, len(names) == len(listed) > 0),
        )
    )


CONTENTS = [b"one", b"two", b"three"]
STAMPS = [f"net-{hashlib.sha256(content).hexdigest()[:8]}.pth" for content in CONTENTS]
PATHS = st.builds(
    str.__add__,
    st.sampled_from(["torch/hub/checkpoints/", "torch/hub/checkpoints/", "elsewhere/"]),
    st.sampled_from(["net.pth", "hashed.pth", "net-0123abcd.pth", "a-00000000.pth", *STAMPS]),
)
LEFT = st.tuples(
    PATHS, st.sampled_from(CONTENTS), st.sampled_from([f"https://{each}.test" for each in "abcde"])
)
MADE = st.dictionaries(
    st.sampled_from([f"net{number}" for number in range(9)]),
    st.lists(LEFT, max_size=3, unique_by=lambda left: left[0]),
)


@settings(max_examples=40)
@given(made=MADE, count=st.integers(1, 6), order=st.randoms())
def test_all_shards_are_the_whole_run(made: dict[str, list[Left]], count: int, order: Any) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shards = [Shard(number, count) for number in range(1, count + 1)]
        parts = [(f"{shard}.json", run(made, folder, shard)) for shard in shards]
        whole = run(made, folder)
    order.shuffle(parts)
    assert merge(parts) == whole


def shards(count: int = 2) -> list[tuple[str, dict[str, Any]]]:
    made: dict[str, list[Left]] = {name: [] for name in ("a", "b", "c", "d")}
    with tempfile.TemporaryDirectory() as name:
        return [
            (f"s{number}.json", run(made, Path(name), Shard(number, count)))
            for number in range(1, count + 1)
        ]


def drop(parts: list[Any]) -> None:
    del parts[1:]


def twice(parts: list[Any]) -> None:
    parts.append(("again.json", parts[0][1]))


def whole(parts: list[Any]) -> None:
    parts[1][1]["selection"]["shard"] = None


def unlisted(parts: list[Any]) -> None:
    parts[1][1]["selection"] = None


def interrupted(parts: list[Any]) -> None:
    del parts[1][1]["entrypoints"][0]
    parts[1][1]["status"] = "interrupted"


def ended(status: str) -> Callable[[list[Any]], None]:
    def change(parts: list[Any]) -> None:
        parts[1][1]["status"] = status

    return change


def foreign(parts: list[Any]) -> None:
    parts[1][1]["entrypoints"].append(parts[0][1]["entrypoints"][0])


def another_count(parts: list[Any]) -> None:
    parts[1] = shards(3)[1]


def differ(*keys: str, value: Any) -> Callable[[list[Any]], None]:
    def change(parts: list[Any]) -> None:
        found = parts[1][1]
        for key in keys[:-1]:
            found = found[key]
        found[keys[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (drop, "1 of 2 shards are missing: 2/2"),
        (twice, "again.json and s1.json are both shard 1/2"),
        (whole, "s2.json is of no shard"),
        (unlisted, "s2.json says nothing of a selection"),
        (interrupted, "s2.json: shard 2/2 lacks b; its status is interrupted"),
        (ended("interrupted"), "s2.json: the run of shard 2/2 did not come to its end; its status"),
        (ended("error"), "s2.json: the run of shard 2/2 did not come to its end; its status"),
        (foreign, "s2.json holds a, which shard 2/2 has not"),
        (another_count, "shards of different runs: s1.json is of 2, s2.json is of 3"),
        (differ("commit", value="c" * 40), f"commit is {'c' * 40}, not {'a' * 40}"),
        (differ("tree", value="c" * 40), f"tree is {'c' * 40}, not {'b' * 40}"),
        (differ("environment", "torch", value="9"), "environment torch is 9, not 2"),
        (differ("environment", "devices", value=[]), 'environment devices is [], not ["cpu"]'),
        (differ("reference", "ref", value="v2"), "reference ref is v2, not v1"),
        (differ("sandbox", "tier", value="none"), "sandbox tier is none, not bwrap"),
        (differ("sandbox", "features", value={}), "sandbox features a is null, not true"),
        (differ("sandbox", "limits", value={"files": 1}), "limits files is 1, not null"),
        (differ("options", value={"fresh": True}), "options fresh is true, not null"),
        (differ("lock", value={"compared": 1}), "s2.json was held against a lock"),
        (differ("selection", "patterns", value=["n*"]), '--entrypoint is ["n*"], not []'),
        (differ("selection", "listed", value=["b"]), "the list of entrypoints is"),
    ],
)
def test_what_does_not_belong_together_is_refused(
    change: Callable[[list[Any]], None], said: str
) -> None:
    parts = copy.deepcopy(shards())
    change(parts)
    with pytest.raises(UsageError) as caught:
        merge(parts)
    assert said in caught.value.message
    assert caught.value.help


def test_of_a_shard_that_fails_the_whole_fails_whatever_it_says() -> None:
    parts = shards()
    assert merge(parts)["status"] == "pass"
    parts[1][1]["status"] = "fail"
    assert merge(parts)["status"] == "fail"


def test_the_time_of_a_run_and_its_user_may_differ() -> None:
    parts = shards()
    for number, (_, document) in enumerate(parts):
        document["sandbox"] |= {"limits": {"deadline_s": 10 + number}, "outer_uid": number}
    joined = merge(parts)
    assert joined["sandbox"]["limits"] == {"deadline_s": 11}
    assert joined["sandbox"]["outer_uid"] is None


def test_what_the_deadline_cut_off_is_run_again() -> None:
    made: dict[str, list[Left]] = {
        name: [(f"torch/hub/checkpoints/{name}.pth", b"one", f"https://{name}.test")]
        for name in ("a", "b")
    }
    with tempfile.TemporaryDirectory() as folder:
        whole = run(made, Path(folder))
    of_b = {
        "entrypoints": [item for item in whole["entrypoints"] if item["name"] == "b"],
        "network": [item for item in whole["network"] if item["entrypoint"] in {None, "b"}],
    }
    late = json.loads(json.dumps(asdict(findings.of_deadline("b"))))
    before = {**whole, "status": "fail", "findings": [*whole["findings"], late]}
    now = {**whole, "entrypoints": [], "checkpoints": []}
    assert resuming.kept(before, now) == {"a"}
    assert resuming.joined(before, {**whole, **of_b}) == whole
    ended = resuming.joined(before, {**now, "status": "interrupted"})
    assert (ended["status"], [item["name"] for item in ended["entrypoints"]]) == (
        "interrupted", ["a"],
    )  # fmt: skip


HEAD = 'dependencies = ["torch"]\nimport torch\n'
ENTRY = """
def {name}():
    '''A net.'''
    state = torch.hub.load_state_dict_from_url("{url}", progress=False, weights_only=True)
    return torch.nn.Linear(1, len(state))
"""
KEPT = """
def {name}():
    "Reads what the zip does not hold, where it is there."
    import os
    try:
        open(os.path.join(os.path.dirname(__file__), "kept.txt"))
    except OSError:
        return torch.nn.Linear(1, 1)
"""


@pytest.mark.proof
def test_shards_of_a_release_are_merged_to_its_proof(
    hubpub: RunHubpub, repository: MakeRepository, http_server: Server, tmp_path: Path
) -> None:
    """One content in two shards, and two URLs with one cache name, which no shard can see."""
    torch = pytest.importorskip("torch", reason="the verify extra is not installed")
    torch.save({"a": torch.zeros(1)}, tmp_path / "one.pth")
    data = (tmp_path / "one.pth").read_bytes()
    http_server.serve({"/x/net.pth": data, "/y/net.pth": data, "/z/other-01234567.pth": data})
    urls = {"a": "/x/net.pth", "b": "/x/net.pth", "c": "/y/net.pth", "d": "/z/other-01234567.pth"}
    entries = [ENTRY.format(name=n, url=http_server.url(url)) for n, url in urls.items()]
    entries.append("def e():\n    'None.'\n    raise ValueError\n")
    entries += [KEPT.format(name=name) for name in ("f", "g", "h")]
    repository({
        "hubconf.py": HEAD + "\n".join(entries), "LICENSE": "BSD", "kept.txt": "x",
        ".gitattributes": "kept.txt export-ignore\n",
    })  # fmt: skip
    command = ("verify", "octo/net:v1.0", "--device", "cpu", "--allow-host", http_server.host)
    files = []
    for number in ("1", "2", "3"):
        files.append(tmp_path / f"shard{number}.json")
        done = hubpub(*command, "--shard", f"{number}/3", "--output-format", f"json:{files[-1]}")
        assert done.returncode == (0 if number == "3" else 1), done.stderr
    whole, merged = tmp_path / "whole.json", tmp_path / "merged.json"
    assert hubpub(*command, "--output-format", f"json:{whole}").returncode == 1
    done = hubpub("report", "merge", *files[::-1], "--output-format", f"json:{merged}")
    assert (done.returncode, done.stderr) == (1, "")
    found = without_times(json.loads(merged.read_text()))
    assert found == without_times(json.loads(whole.read_text()))
    names = [item["name"] for item in found["findings"] if item["severity"] == "error"]
    assert names.count("cache-name-clash") == 1
    (kept,) = [item for item in found["findings"] if item["name"] == "not-as-in-a-clone"]
    assert kept["message"].endswith("opened by f, g, h")
    shard = json.loads(files[2].read_text())  # c alone
    assert (shard["status"], [item["name"] for item in shard["entrypoints"]]) == (
        "pass",
        ["c", "f"],
    )
    assert hubpub("report", "merge", *files[:2]).returncode == 2
    assert hubpub("report", "merge").returncode == 2
    assert "hubpub report merge FILE" in hubpub("report", *files).stderr
